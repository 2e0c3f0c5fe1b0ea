"""Makes a test on a number, and its calls as a voice platform sends them: with the resolution of each decision."""

import itertools
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from agentversions.models import Agent
from agentversions.models.database import database_now
from channels.core.bucketing import bucket_of
from channels.core.resolution import sign
from channels.core.routes import Follow, RoutePlan, Target, WantedVariant
from channels.core.routing import choose
from channels.models import Channel, SigningKey
from channels.services.routes import plan_test, save_route
from monitoring.core.records import read_record
from monitoring.services.ingest import ingest
from tests.factories import make_user

ADDRESS = "+33198765432"
_ids = itertools.count()
Says = Callable[[str, int], dict[str, Any]]


def start_test(
    channel: Channel, *shares: int, before: RoutePlan | None = None, targets: tuple[Target, ...] = ()
) -> Channel:
    """A test with these shares in per cent of variants A, B … that answer with V1, V2 … of the agent `clinic`, or with
    `targets`; it goes on from `before`."""
    found = targets or [Target("clinic", Follow.VERSION, number) for number in (1, 2, 3)]
    wanted = [
        WantedVariant(name, target, share * 1_000) for name, target, share in zip("ABC", found, shares, strict=False)
    ]
    return save_route(channel=channel, plan=plan_test(wanted, before=before), actor=make_user("operator"))


def caller(number: int) -> str:
    """A caller in E.164."""
    return f"+336{number:08d}"


def resolution(agent: Agent, channel: Channel, number: str, **fields: Any) -> str:
    """What /resolve signs for this caller on the channel's route."""
    SigningKey.objects.get_or_create(name="k1", defaults={"secret": b"key"})
    plan = channel.route.plan
    decision = choose(plan, number)
    version = fields.get("v", decision.target.version)
    digest = agent.versions.get(number=version).configuration_id if version else agent.draft_id
    payload = {
        "n": channel.address, "c": "CA", "a": agent.slug, "v": version, "d": digest, "r": channel.route_id,
        "t": decision.variant, "b": decision.bucket, "s": decision.share, "w": decision.reason, "u": "caller",
        "iat": 0, "exp": 1e11, **fields,
    }  # fmt: skip
    return sign(payload, key_id="k1", key=b"key")


def take_calls(
    agent: Agent,
    channel: Channel,
    callers: range,
    *,
    says: Says,
    since: datetime | None = None,
    keeps: Callable[[str], bool] = lambda variant: True,
    **fields: Any,
) -> None:
    """One call of each caller, by the split; `says` gives the record's fields for a variant and the caller's number.

    Calls of variants that `keeps` refuses never arrive.
    """
    start = since or database_now()
    records = []
    for at, number in enumerate(callers):
        variant = choose(channel.route.plan, caller(number)).variant or ""
        if keeps(variant):
            records.append(
                {
                    "id": f"call-{next(_ids)}",
                    "started_at": start + timedelta(milliseconds=at),
                    "caller": caller(number),
                    "resolution": resolution(agent, channel, caller(number), **fields),
                    **says(variant, number),
                }
            )
    ingest([read_record(record) for record in records], source="api")


def seeded(variant: str, number: int, **rates: float) -> dict[str, Any]:
    """An engaged call that ended, transferred with a rate of its variant."""
    chance = random.Random(f"{variant}{number}")
    return {
        "engaged": True,
        "transferred": chance.random() < rates.get(variant, 0.3),
        "duration_s": round(chance.lognormvariate(4.7, 0.5), 1),
        "evaluation": "success" if chance.random() < 0.8 else "fail",
        "error": chance.random() < 0.02,
    }


def bucket(channel: Channel, number: int) -> int:
    """A caller's bucket in the channel's test."""
    return bucket_of(channel.route.plan.salt, caller(number))
