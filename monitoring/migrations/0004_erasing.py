"""Erasing a caller: the mark of an erased call, and the function that blanks what corrections kept of it."""

from django.db import migrations, models

FORWARDS = """
-- Corrections are append-only, by the role's privileges and by trigger. This function alone sees past both, and only for
-- calls that the ledger marks as erased: values go, the rows that say what was corrected when stay.
CREATE FUNCTION monitoring_blank_corrections(senders text[], names text[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    blanked bigint;
    ignored text := coalesce(nullif(current_setting('pgtrigger.ignore', true), ''), '{}');
BEGIN
    PERFORM set_config('pgtrigger.ignore', (
        SELECT array_agg(tgname)::text FROM pg_trigger WHERE tgrelid = 'monitoring_callcorrection'::regclass
    ), true);
    UPDATE monitoring_callcorrection c SET before = NULL, after = NULL
    FROM monitoring_callledger l
    WHERE l.sender_id = c.sender_id AND l.erased_at IS NOT NULL AND c.sender_id = ANY(senders) AND c.field = ANY(names)
        AND (c.before IS NOT NULL OR c.after IS NOT NULL);
    GET DIAGNOSTICS blanked = ROW_COUNT;
    PERFORM set_config('pgtrigger.ignore', ignored, true);
    RETURN blanked;
END $$;
REVOKE EXECUTE ON FUNCTION monitoring_blank_corrections(text[], text[]) FROM PUBLIC;
"""
BACKWARDS = "DROP FUNCTION monitoring_blank_corrections(text[], text[]);"


class Migration(migrations.Migration):
    """Runs after the partitions."""

    dependencies = [("monitoring", "0003_figures")]
    operations = [
        migrations.AddField("callledger", "erased_at", models.DateTimeField(null=True)),
        migrations.RunSQL(FORWARDS, BACKWARDS),
    ]
