"""A rollout that moves changes what its agent answers with; a flag's new revision is a change of its own kind."""

from django.db import migrations

FORWARDS = """
CREATE TRIGGER routing_change AFTER INSERT OR UPDATE ON channels_rollout
    FOR EACH ROW EXECUTE FUNCTION channels_log_agent_of();

CREATE FUNCTION channels_log_flag_of() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM channels_log('flag', key) FROM channels_flag WHERE id = NEW.flag_id;
    RETURN NULL;
END $$;
CREATE TRIGGER routing_change AFTER INSERT ON channels_flagrevision
    FOR EACH ROW EXECUTE FUNCTION channels_log_flag_of();
"""

BACKWARDS = """
DROP TRIGGER routing_change ON channels_flagrevision;
DROP TRIGGER routing_change ON channels_rollout;
DROP FUNCTION channels_log_flag_of;
"""


class Migration(migrations.Migration):
    dependencies = [("channels", "0004_rollouts_and_flags")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
