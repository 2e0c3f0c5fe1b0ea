"""Recordings move beside the transcripts, where a policy says how long both are kept; whole months are dropped."""

from django.db import migrations, models

FORWARDS = """
ALTER TABLE monitoring_callcontent ALTER transcript DROP NOT NULL, ADD recording text NOT NULL DEFAULT '';
INSERT INTO monitoring_callcontent (agent_id, started_at, id, recording)
    SELECT agent_id, started_at, id, recording FROM monitoring_call WHERE recording <> ''
    ON CONFLICT (agent_id, started_at, id) DO UPDATE SET recording = excluded.recording;
ALTER TABLE monitoring_call DROP recording;

-- Corrections never keep what of a recording or a caller was replaced: the one goes with its month, the other is masked.
DO $$
BEGIN
    PERFORM set_config('pgtrigger.ignore', (
        SELECT array_agg(tgname)::text FROM pg_trigger WHERE tgrelid = 'monitoring_callcorrection'::regclass
    ), true);
    UPDATE monitoring_callcorrection SET before = NULL, after = NULL WHERE field IN ('caller', 'recording');
    PERFORM set_config('pgtrigger.ignore', '{}', true);
END $$;

-- Gives whether the month's contents were there to be dropped. Whoever waits for a lock on the parent makes everybody
-- behind it wait: five seconds, then it is left to the next run.
CREATE FUNCTION monitoring_drop_content(month timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET lock_timeout = '5s' AS $$
DECLARE
    first timestamp := date_trunc('month', month AT TIME ZONE 'UTC');
    part text := 'monitoring_callcontent_' || to_char(first, 'YYYYMM');
BEGIN
    IF (first + interval '1 month') AT TIME ZONE 'UTC' > clock_timestamp() - interval '7 days' THEN
        RAISE EXCEPTION 'Contents of % are younger than 7 days: they are not dropped.', to_char(first, 'YYYY-MM')
            USING ERRCODE = 'check_violation';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('monitoring partitions'));
    PERFORM 1 FROM pg_inherits WHERE inhrelid = to_regclass(part) AND inhparent = 'monitoring_callcontent'::regclass;
    IF NOT FOUND THEN RETURN false; END IF;
    EXECUTE format('ALTER TABLE monitoring_callcontent DETACH PARTITION %I', part);
    EXECUTE format('DROP TABLE %I', part);
    RETURN true;
END $$;
REVOKE EXECUTE ON FUNCTION monitoring_drop_content(timestamptz) FROM PUBLIC;
"""
BACKWARDS = """
DROP FUNCTION monitoring_drop_content(timestamptz);
ALTER TABLE monitoring_call ADD recording text NOT NULL DEFAULT '';
UPDATE monitoring_call c SET recording = t.recording FROM monitoring_callcontent t
    WHERE (c.agent_id, c.started_at, c.id) = (t.agent_id, t.started_at, t.id) AND t.recording <> '';
DELETE FROM monitoring_callcontent WHERE transcript IS NULL;
ALTER TABLE monitoring_callcontent DROP recording, ALTER transcript SET NOT NULL;
"""


class Migration(migrations.Migration):
    """The tables are not Django's: only its picture of them changes beside the SQL."""

    dependencies = [("monitoring", "0004_erasing")]
    operations = [
        migrations.AddField("callledger", "is_content_late", models.BooleanField(default=False, db_default=False)),
        migrations.RunSQL(
            FORWARDS,
            BACKWARDS,
            state_operations=[
                migrations.RemoveField("call", "recording"),
                migrations.AddField("callcontent", "recording", models.TextField(default="")),
                migrations.AlterField("callcontent", "transcript", models.JSONField(null=True)),
            ],
        ),
    ]
