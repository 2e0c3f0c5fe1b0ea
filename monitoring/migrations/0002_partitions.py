"""The tables of calls, partitioned by month (UTC), and the function with which the application makes a month's
partitions: it may not create tables itself. A default partition takes what no month was made for."""

from django.db import migrations

FORWARDS = """
CREATE SEQUENCE monitoring_call_id AS bigint;
CREATE TABLE monitoring_call (
    agent_id integer NOT NULL,
    started_at timestamptz NOT NULL,
    id bigint NOT NULL,
    sender_id text NOT NULL,
    source varchar(20) NOT NULL,
    attribution varchar(10) NOT NULL,
    version integer,
    digest varchar(64),
    variant varchar(60) NOT NULL DEFAULT '',
    decision jsonb,
    channel varchar(64) NOT NULL DEFAULT '',
    direction varchar(10) NOT NULL DEFAULT '',
    caller_hash bytea,
    caller_secret bytea,
    caller_shown varchar(20) NOT NULL DEFAULT '',
    is_start_known boolean NOT NULL DEFAULT true,
    is_over boolean NOT NULL DEFAULT false,
    ended_at timestamptz,
    duration_ms integer,
    ended_reason varchar(200) NOT NULL DEFAULT '',
    evaluation varchar(10),
    engaged boolean,
    transferred boolean,
    is_error boolean,
    error varchar(200) NOT NULL DEFAULT '',
    sentiment smallint,
    sentiment_score double precision,
    analysis jsonb,
    is_analysis_odd boolean NOT NULL DEFAULT false,
    summary text NOT NULL DEFAULT '',
    recording text NOT NULL DEFAULT '',
    latency_ms double precision,
    cost numeric(14, 6),
    currency varchar(3) NOT NULL DEFAULT '',
    is_test boolean NOT NULL DEFAULT false,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (agent_id, started_at, id),
    CHECK (sentiment BETWEEN -1 AND 1),
    CHECK (duration_ms >= 0)
) PARTITION BY RANGE (started_at);
-- The list of everything, newest first.
CREATE INDEX monitoring_call_newest ON monitoring_call (started_at DESC, id DESC);
-- The list of an agent's versions: the filter of every dashboard.
CREATE INDEX monitoring_call_of_version ON monitoring_call (agent_id, version, started_at DESC, id DESC);
-- The list of a number.
CREATE INDEX monitoring_call_of_channel ON monitoring_call (channel, started_at DESC, id DESC);
-- The list of a caller.
CREATE INDEX monitoring_call_of_caller ON monitoring_call (caller_hash, started_at DESC) WHERE caller_hash IS NOT NULL;
CREATE TABLE monitoring_call_default PARTITION OF monitoring_call DEFAULT;

CREATE TABLE monitoring_callcontent (
    agent_id integer NOT NULL,
    started_at timestamptz NOT NULL,
    id bigint NOT NULL,
    transcript jsonb NOT NULL,
    PRIMARY KEY (agent_id, started_at, id)
) PARTITION BY RANGE (started_at);
CREATE TABLE monitoring_callcontent_default PARTITION OF monitoring_callcontent DEFAULT;

-- Gives whether the month's partitions had to be made. They are attached, which locks less than creating them in place.
CREATE FUNCTION monitoring_make_partitions(month timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    first timestamp := date_trunc('month', month AT TIME ZONE 'UTC');
    parent text;
    part text;
BEGIN
    IF to_regclass('monitoring_call_' || to_char(first, 'YYYYMM')) IS NOT NULL THEN RETURN false; END IF;
    PERFORM pg_advisory_xact_lock(hashtext('monitoring partitions'));
    FOREACH parent IN ARRAY ARRAY['monitoring_callcontent', 'monitoring_call'] LOOP
        part := parent || '_' || to_char(first, 'YYYYMM');
        CONTINUE WHEN to_regclass(part) IS NOT NULL;
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part, parent);
        EXECUTE format(
            'ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
            parent, part, first AT TIME ZONE 'UTC', (first + interval '1 month') AT TIME ZONE 'UTC'
        );
    END LOOP;
    RETURN true;
END $$;

-- How many calls no month's partition took: the application sees partitions through their parent alone.
CREATE FUNCTION monitoring_count_in_default() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$ SELECT count(*) FROM monitoring_call_default $$;
"""
BACKWARDS = """
DROP FUNCTION monitoring_count_in_default();
DROP FUNCTION monitoring_make_partitions(timestamptz);
DROP TABLE monitoring_callcontent;
DROP TABLE monitoring_call;
DROP SEQUENCE monitoring_call_id;
"""


class Migration(migrations.Migration):
    """Runs after the models are known to Django, which does not manage these tables."""

    dependencies = [("monitoring", "0001_initial")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
