"""Triggers that write the log of routing changes, in the transaction of whatever moved, and wake the workers.

The payload is always the same, so PostgreSQL sends one notification per transaction however many rows moved. Triggers
on channels look at whole statements: a batch of 100,000 numbers writes its log in one step.
"""

from django.db import migrations

FORWARDS = """
CREATE FUNCTION channels_log_channels() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO channels_routingchange (kind, key) SELECT 'channel', address FROM new_rows;
    IF FOUND THEN PERFORM pg_notify('routing', ''); END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER routing_change_insert AFTER INSERT ON channels_channel
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION channels_log_channels();
CREATE TRIGGER routing_change_update AFTER UPDATE ON channels_channel
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION channels_log_channels();

CREATE FUNCTION channels_log(kind text, key text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO channels_routingchange (kind, key) VALUES (kind, key);
    PERFORM pg_notify('routing', '');
END $$;

CREATE FUNCTION channels_log_agent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM channels_log('agent', NEW.slug); RETURN NULL; END $$;
CREATE TRIGGER routing_change AFTER UPDATE OF draft_id ON agentversions_agent
    FOR EACH ROW WHEN (OLD.draft_id IS DISTINCT FROM NEW.draft_id) EXECUTE FUNCTION channels_log_agent();

CREATE FUNCTION channels_log_agent_of() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM channels_log('agent', slug) FROM agentversions_agent WHERE id = NEW.agent_id;
    RETURN NULL;
END $$;
CREATE TRIGGER routing_change AFTER INSERT ON agentversions_deployment
    FOR EACH ROW EXECUTE FUNCTION channels_log_agent_of();
CREATE TRIGGER routing_change AFTER INSERT OR UPDATE ON channels_draftserving
    FOR EACH ROW EXECUTE FUNCTION channels_log_agent_of();

CREATE FUNCTION channels_log_token() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM channels_log('token', NEW.digest); RETURN NULL; END $$;
CREATE TRIGGER routing_change_insert AFTER INSERT ON agentversions_apitoken
    FOR EACH ROW EXECUTE FUNCTION channels_log_token();
CREATE TRIGGER routing_change_update
    AFTER UPDATE OF revoked_at, expires_at, roles, scopes, owner_id, digest ON agentversions_apitoken
    FOR EACH ROW EXECUTE FUNCTION channels_log_token();

CREATE FUNCTION channels_log_tokens() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM channels_log('tokens', ''); RETURN NULL; END $$;
CREATE TRIGGER routing_change AFTER UPDATE OF is_active, is_superuser, roles ON agentversions_user
    FOR EACH ROW WHEN (
        (OLD.is_active, OLD.is_superuser, OLD.roles) IS DISTINCT FROM (NEW.is_active, NEW.is_superuser, NEW.roles)
    ) EXECUTE FUNCTION channels_log_tokens();

CREATE FUNCTION channels_log_keys() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM channels_log('keys', ''); RETURN NULL; END $$;
CREATE TRIGGER routing_change AFTER INSERT ON channels_signingkey
    FOR EACH ROW EXECUTE FUNCTION channels_log_keys();
"""

BACKWARDS = """
DROP TRIGGER routing_change ON channels_signingkey;
DROP TRIGGER routing_change ON agentversions_user;
DROP TRIGGER routing_change_insert ON agentversions_apitoken;
DROP TRIGGER routing_change_update ON agentversions_apitoken;
DROP TRIGGER routing_change ON channels_draftserving;
DROP TRIGGER routing_change ON agentversions_deployment;
DROP TRIGGER routing_change ON agentversions_agent;
DROP TRIGGER routing_change_insert ON channels_channel;
DROP TRIGGER routing_change_update ON channels_channel;
DROP FUNCTION channels_log_keys, channels_log_tokens, channels_log_token, channels_log_agent_of, channels_log_agent,
    channels_log, channels_log_channels;
"""


class Migration(migrations.Migration):
    dependencies = [("channels", "0001_initial"), ("agentversions", "0001_initial")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
