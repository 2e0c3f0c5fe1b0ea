"""Generated calls for the bench of monitoring, made by PostgreSQL, with the figures counted from them.

A number keeps its agent, and its version for three days; a fifth of all numbers is the heaviest agent's. Lengths are
spread as those of real calls are: many short ones, a long tail.
"""

import io
from datetime import datetime, timedelta
from typing import Any

AGENTS, VERSIONS, DAYS, CHANNELS = 200, 30, 90, 5_000
INDEXES = (
    "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'monitoring_call' AND indexname NOT LIKE '%pkey'"
)
CALLS = """
    INSERT INTO monitoring_call (agent_id, started_at, id, sender_id, source, attribution, version, channel,
        caller_hash, caller_secret, caller_shown, is_over, ended_at, duration_ms, engaged, transferred, is_error,
        evaluation, sentiment, ended_reason, latency_ms, cost, currency, received_at)
    SELECT (%(agents)s::int[])[CASE WHEN channel < %(heavy)s THEN 1 ELSE 2 + channel %% (%(count)s - 1) END],
           started, n, 'bench-' || n, 'bench', 'token',
           ((channel + day / 3) %% (%(versions)s + 1))::int, '+3317' || lpad(channel::text, 7, '0'),
           sha256(int8send(n %% 1000000)), decode(repeat('ab', 100), 'hex'), '•••• 1234', true,
           started + length * interval '1 millisecond', length::int,
           n %% 13 <> 0, n %% 6 = 0, n %% 50 = 0, CASE WHEN n %% 9 = 0 THEN 'fail' ELSE 'success' END,
           (n %% 3 - 1)::smallint, (ARRAY['caller hung up', 'agent ended', 'transferred', 'silence'])[1 + n %% 4],
           300 + n %% 900, 0.2, 'EUR', started
    FROM (
        SELECT n, (n * 7919 %% %(channels)s) AS channel,
               %(now)s::timestamptz - n * interval '1 second' * %(step)s AS started,
               floor(n * %(step)s / 86400)::bigint AS day,
               round(exp(11.5 + 1.6 * (random() + random() + random() - 1.5))) AS length
        FROM generate_series(1, %(calls)s::bigint) AS n
    ) AS calls
"""


def fill(actor: Any, calls: int, now: datetime) -> list[int]:
    """Agents, versions of the first, calls until now and their figures; gives the agents' keys, the heaviest first."""
    from django.core.management import call_command
    from django.db import connection

    from monitoring.core.rollups import ROLLUPS
    from monitoring.services.counting import count_statement
    from monitoring.services.partitions import make_partitions
    from tests.database import as_owner
    from tests.factories import make_agent, make_version

    agents = [make_agent(actor, slug=f"agent-{number}") for number in range(AGENTS)]
    for version in range(VERSIONS):
        make_version(agents[0], actor, system_prompt=f"Prompt {version}.")
    make_partitions(now - timedelta(days=day) for day in range(DAYS + 1))
    keys = [agent.pk for agent in agents]
    values: dict[str, Any] = {
        "agents": keys,
        "count": AGENTS,
        "versions": VERSIONS,
        "channels": CHANNELS,
        "heavy": CHANNELS // 5,
    }
    with as_owner(), connection.cursor() as cursor:
        # Much quicker than with the indexes in place; made again as the migration made them.
        cursor.execute(INDEXES)
        indexes = cursor.fetchall()
        for name, _ in indexes:
            cursor.execute(f"DROP INDEX {name}")
        cursor.execute(CALLS, {**values, "now": now, "calls": calls, "step": DAYS * 86_400 / calls})
        for _, definition in indexes:
            cursor.execute(definition.replace(" ON ONLY ", " ON "))
        for rollup in ROLLUPS:
            columns = ", ".join([*rollup.keys, *rollup.sums])
            # In order of time, as they would have come.
            order = ", ".join(sorted(rollup.keys, key=lambda key: key not in {"hour", "day", "start"}))
            cursor.execute(f"INSERT INTO {rollup.table} ({columns}) {count_statement(rollup)} ORDER BY {order}")
        cursor.execute("VACUUM ANALYZE")
        call_command("apply_privileges", stdout=io.StringIO())
    return keys
