"""The SQL of the runtime. Each statement reads one thing in one snapshot; none runs while everything is in memory."""

from channels.core.rollout_states import State

LOAD_CHANNELS = "SELECT address, is_enabled, route_id, time_zone FROM channels_channel WHERE address = ANY(%s)"

# What a worker reads ahead when it starts, some thousand at a time.
NEXT_CHANNELS = """
SELECT address, is_enabled, route_id, time_zone FROM channels_channel WHERE address > %s ORDER BY address LIMIT %s
"""

_SPLITTING = ", ".join(f"'{state}'" for state in State if state.splits_calls)

# A route with its targets followed: a draft to what callers may hear of it, Live to the newest deployment, with the
# rollout that splits its callers: one against another version than the live one is out of date and splits nothing.
_TARGETS = f"""
(SELECT json_agg(json_build_array(a.slug, v.number, v.name,
            CASE WHEN t.follow = 'draft' THEN coalesce(s.applied_id, a.draft_id) ELSE v.configuration_id END,
            CASE WHEN o.id IS NOT NULL
                THEN json_build_array(o.id, o.plan_body, o.state, o.step, c.number, c.name, c.configuration_id) END)
        ORDER BY t.position)
   FROM channels_routetarget t
   JOIN agentversions_agent a ON a.id = t.agent_id
   LEFT JOIN channels_draftserving s ON t.follow = 'draft' AND s.agent_id = a.id
   LEFT JOIN LATERAL (SELECT d.version_id FROM agentversions_deployment d
        WHERE t.follow = 'live' AND d.agent_id = a.id ORDER BY d.id DESC LIMIT 1) live ON true
   LEFT JOIN agentversions_agentversion v ON v.id = coalesce(t.version_id, live.version_id)
   LEFT JOIN channels_rollout o ON o.agent_id = a.id AND o.baseline_id = live.version_id AND o.state IN ({_SPLITTING})
   LEFT JOIN agentversions_agentversion c ON c.id = o.version_id
  WHERE t.route_id = r.digest)
"""  # noqa: S608
LOAD_ROUTES = f"SELECT r.digest, r.body, {_TARGETS} FROM channels_route r WHERE r.digest = ANY(%s)"  # noqa: S608

LOAD_BODIES = "SELECT digest, body FROM agentversions_configuration WHERE digest = ANY(%s)"

LOAD_TOKENS = """
SELECT t.digest, t.revoked_at IS NULL AND u.is_active, t.scopes, extract(epoch FROM t.expires_at)::float8
  FROM agentversions_apitoken t JOIN agentversions_user u ON u.id = t.owner_id
 WHERE t.digest = ANY(%s)
"""

# The revision of each flag that counts: the newest. An archived one is told, so that readers drop it.
ALL_FLAGS = """
SELECT f.key, r.number, r.body, r.is_archived
  FROM channels_flag f
  JOIN LATERAL (SELECT number, body, is_archived FROM channels_flagrevision
        WHERE flag_id = f.id ORDER BY number DESC LIMIT 1) r ON true
"""
LOAD_FLAGS = f"{ALL_FLAGS} WHERE f.key = ANY(%s)"

LOAD_KEYS = "SELECT name, secret FROM channels_signingkey ORDER BY id"

# Two workers that start together end with one first key.
MAKE_FIRST_KEY = """
WITH lock AS MATERIALIZED (SELECT pg_advisory_xact_lock(hashtext('channels_signingkey')))
INSERT INTO channels_signingkey (name, secret)
SELECT %s, %s FROM lock WHERE NOT EXISTS (SELECT 1 FROM channels_signingkey)
"""

# What committed since a horizon: every transaction below it had ended when it was read. The generation is the greatest
# id that the log has given out; unlike transaction ids it survives a backup and only grows.
# What moved is listed unless it is too much: then only its number is told, and readers read everything anew.
MOST_LISTED = 20_000
POLL = f"""
WITH moved AS (SELECT count(*) AS count FROM channels_routingchange WHERE transaction >= %(horizon)s)
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
       (SELECT last_value FROM channels_routingchange_id_seq),
       CASE WHEN moved.count <= {MOST_LISTED} THEN
           (SELECT coalesce(json_agg(json_build_array(id, kind, key)), '[]')
              FROM channels_routingchange WHERE transaction >= %(horizon)s)
       ELSE '[]' END,
       moved.count
  FROM moved
"""  # noqa: S608
START = """
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
       (SELECT last_value FROM channels_routingchange_id_seq), '[]'::json, 0
"""

NOTE_MISSED = """
INSERT INTO channels_missednumber AS m (number, why, times) VALUES (%s, %s, %s)
ON CONFLICT (number) DO UPDATE SET why = excluded.why, times = m.times + excluded.times, last_at = now()
"""

CLEAR_OLD_CHANGES = "DELETE FROM channels_routingchange WHERE at < now() - interval '7 days'"

# Everything, for a whole copy: streamed by server-side cursors inside one snapshot.
ALL_CHANNELS = "SELECT address, is_enabled, route_id, time_zone FROM channels_channel"
ALL_ROUTES = f"""
SELECT r.digest, r.body, {_TARGETS} FROM channels_route r
 WHERE EXISTS (SELECT 1 FROM channels_channel c WHERE c.route_id = r.digest)
"""  # noqa: S608
ALL_TOKENS = """
SELECT t.digest, t.revoked_at IS NULL AND u.is_active, t.scopes, extract(epoch FROM t.expires_at)::float8
  FROM agentversions_apitoken t JOIN agentversions_user u ON u.id = t.owner_id
"""

# In the order of the unique index, so that two instances never wait for each other in a ring; a call's first counts.
# A rollout that is not there any more (another backup was restored) must not hold back the others.
SHIP_ROUTED = """
INSERT INTO channels_routedcall (rollout_id, call_id, at, arm, share, bucket, caller_hash, channel)
SELECT l.rollout, l.call_id, to_timestamp(l.at), l.arm, l.share, l.bucket, l.caller, l.channel
  FROM unnest(%s::bigint[], %s::text[], %s::bytea[], %s::text[], %s::int[], %s::int[], %s::text[], %s::float8[])
       AS l(rollout, call_id, caller, arm, share, bucket, channel, at)
  JOIN channels_rollout r ON r.id = l.rollout
 ORDER BY l.rollout, l.call_id, l.at
ON CONFLICT (rollout_id, call_id) DO NOTHING
"""
