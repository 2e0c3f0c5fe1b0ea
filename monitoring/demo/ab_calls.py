"""The calls of the demo's A/B test: of a platform that decides by the number's plan, and sends back what it chose.

They begin within the minutes by which a platform's clock may differ from ours, because the test itself began just now.
"""

import random
import secrets
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from agentversions.models.database import database_now
from channels.api.plans import plan_answer
from channels.core.routing import choose
from channels.models import Channel
from channels.runtime.statements import MAKE_FIRST_KEY
from channels.services.explain import load_route
from channels.services.flags_in_force import load_flags
from monitoring.core.records import CallRecord, read_record
from monitoring.services.ab_counts import LATE
from monitoring.services.ingest import ingest

LONGEST = 100.0
"""Seconds of a call: each has ended when the demo is there."""
CALLERS = "+447700900{:03d}"
"""From a range that is reserved for fiction."""


def load_test_calls(line: Mapping[str, Any], chance: random.Random) -> None:
    """As many calls to one number as its line says, each by another caller, by the split of the test there."""
    channel = Channel.objects.with_route().filter(address=line["number"]).first()
    if channel is not None and channel.route.plan.is_test:
        ingest(list(_calls(channel, line, chance, database_now())), source="demo")


def _calls(channel: Channel, line: Mapping[str, Any], chance: random.Random, now: datetime) -> Iterator[CallRecord]:
    with connection.cursor() as cursor:
        # As the first worker does, which has not started yet.
        cursor.execute(MAKE_FIRST_KEY, [secrets.token_hex(4), secrets.token_bytes(32)])
    resolutions = [
        each.resolution for each in plan_answer(channel, load_route(channel.route_id), load_flags().of).variants
    ]
    for at in range(line["calls"]):
        caller = CALLERS.format(at)
        decision = choose(channel.route.plan, caller)
        seconds = min(chance.lognormvariate(0, 0.4) * line["seconds"], LONGEST)
        yield read_record(
            {
                "id": f"demo-test-{at}",
                "called": channel.address,
                "caller": caller,
                "resolution": resolutions[decision.index],
                "direction": "inbound",
                "started_at": now - timedelta(seconds=chance.uniform(LONGEST, LATE.total_seconds() - 10)),
                "duration_s": round(seconds, 1),
                "engaged": chance.random() < 0.95,
                "transferred": chance.random() < line["transfers"][decision.index],
                "error": "tool timeout" if chance.random() < line["errors"] else False,
                "ended_reason": "caller hung up",
                "evaluation": "success" if chance.random() < line["successes"][decision.index] else "fail",
                "sentiment": "neutral",
                "latency_ms": round(chance.lognormvariate(6.5, 0.25)),
            }
        )
