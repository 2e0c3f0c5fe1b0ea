"""Three views for analysts. Their columns are documented in docs/analysts.md and only ever added to, with CREATE OR
REPLACE VIEW, which keeps what roles were granted. They belong to the owner of the tables, which stay closed; the barrier
keeps a function in somebody's WHERE from seeing rows or columns that a view hides.
"""

from django.db import migrations

FORWARDS = """
CREATE VIEW analytics_calls WITH (security_barrier) AS
SELECT
    c.sender_id AS call_id, c.started_at, c.ended_at, c.is_start_known, c.received_at, c.source,
    a.slug AS agent, c.version, c.digest, nullif(c.variant, '') AS variant, c.attribution,
    -- Of an outbound call this is the person who was called, unless it is one of our own numbers.
    CASE WHEN c.direction <> 'outbound' OR EXISTS (SELECT 1 FROM channels_channel n WHERE n.address = c.channel)
        THEN nullif(c.channel, '') END AS number,
    nullif(c.direction, '') AS direction, c.is_over, c.duration_ms, nullif(c.ended_reason, '') AS ended_reason,
    c.engaged, coalesce(c.is_over AND c.engaged, false) AND NOT coalesce(c.transferred OR c.is_error, false) AS automated,
    c.transferred, c.is_error, c.evaluation, c.sentiment, c.sentiment_score, c.latency_ms, c.cost,
    nullif(c.currency, '') AS currency, c.is_test
FROM monitoring_call c LEFT JOIN agentversions_agent a ON a.id = c.agent_id;

CREATE VIEW analytics_versions WITH (security_barrier) AS
SELECT
    a.slug AS agent, a.name AS agent_name, v.number AS version, v.name AS version_name, v.description,
    v.configuration_id AS digest, v.created_at AS published_at, l.first_live_at, coalesce(l.is_live, false) AS is_live
FROM agentversions_agentversion v
JOIN agentversions_agent a ON a.id = v.agent_id
LEFT JOIN (
    SELECT d.version_id, min(d.created_at) AS first_live_at, bool_or(d.id = n.newest) AS is_live
    FROM agentversions_deployment d
    JOIN (SELECT agent_id, max(id) AS newest FROM agentversions_deployment GROUP BY agent_id) n USING (agent_id)
    GROUP BY d.version_id
) l ON l.version_id = v.id;

CREATE VIEW analytics_assignments WITH (security_barrier) AS
WITH changes AS (
    -- A history row that only changed the label starts nothing new.
    SELECT h.*, lag(h.route_id) OVER w AS old_route, lag(h.is_enabled) OVER w AS was_enabled
    FROM channels_historicalchannel h WINDOW w AS (PARTITION BY h.id ORDER BY h.history_date, h.history_id)
), periods AS (
    SELECT address, kind, route_id, is_enabled, history_date AS since,
        lead(history_date) OVER (PARTITION BY id ORDER BY history_date, history_id) AS until
    FROM changes WHERE old_route IS DISTINCT FROM route_id OR was_enabled IS DISTINCT FROM is_enabled
), targets AS (
    SELECT r.digest AS route_id, t.value ->> 'name' AS variant, t.value -> 'target' ->> 'agent' AS agent,
        t.value -> 'target' ->> 'follow' AS follow, (t.value -> 'target' ->> 'version')::integer AS version,
        coalesce(
            (SELECT sum((s.value ->> 1)::integer - (s.value ->> 0)::integer) FROM jsonb_array_elements(t.value -> 'ranges') s)
            / 100000.0, 1
        ) AS share
    FROM (SELECT digest, body::jsonb AS body FROM channels_route) r,
        jsonb_array_elements(coalesce(r.body -> 'variants', jsonb_build_array(r.body))) t
), live AS (
    SELECT a.slug AS agent, v.number AS version, d.created_at AS since,
        lead(d.created_at) OVER (PARTITION BY d.agent_id ORDER BY d.id) AS until
    FROM agentversions_deployment d
    JOIN agentversions_agent a ON a.id = d.agent_id JOIN agentversions_agentversion v ON v.id = d.version_id
    UNION ALL
    SELECT a.slug, NULL, '-infinity', min(d.created_at)
    FROM agentversions_agent a LEFT JOIN agentversions_deployment d ON d.agent_id = a.id GROUP BY a.slug
)
SELECT
    p.address AS number, p.kind, p.is_enabled, p.route_id AS route, t.variant, t.share, t.agent, t.follow,
    CASE t.follow WHEN 'version' THEN t.version WHEN 'draft' THEN 0 ELSE l.version END AS version,
    greatest(p.since, l.since) AS starts_at, least(p.until, l.until) AS ends_at
FROM periods p
JOIN targets t USING (route_id)
LEFT JOIN live l ON t.follow = 'live' AND l.agent = t.agent
WHERE greatest(p.since, l.since) < coalesce(least(p.until, l.until), 'infinity');
"""
BACKWARDS = "DROP VIEW analytics_assignments; DROP VIEW analytics_versions; DROP VIEW analytics_calls;"


class Migration(migrations.Migration):
    """Reads the tables of all three parts of the product."""

    dependencies = [
        ("monitoring", "0005_contents"),
        ("agentversions", "0004_role_for_listening"),
        ("channels", "0003_scheduled_changes"),
    ]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
