"""A rollout of the clinic's V2 against its live V1, and its calls: routed by its split, with the records that come back
from the voice platform or never do."""

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

from agentversions.models import Agent
from agentversions.models.database import database_now
from agentversions.services.deployments import make_live
from channels.core.caller_keys import CallerKeys
from channels.core.resolution import sign
from channels.core.rollout_judging import Judging
from channels.core.rollout_steps import Assignment, Step, arm_of
from channels.core.routing import Unit
from channels.models import Channel, Rollout, RoutedCall, SigningKey
from channels.services.rollouts import start_rollout
from monitoring.core.records import read_record
from monitoring.services.ingest import ingest
from monitoring.services.rows import caller_keys
from tests.factories import make_user

STEPS = (Step(10_000, 3.0, 0), Step(25_000, 2.0, 0), Step(50_000, 1.5, 0))
_ids = itertools.count()
Says = Callable[["RoutedOne"], dict[str, Any] | None]


@dataclass(frozen=True)
class RoutedOne:
    """A call of a caller (a number; None: withheld) as the split routed it."""

    call_id: str
    caller: int | None
    assignment: Assignment
    at: datetime

    @property
    def is_canary(self) -> bool:
        return self.assignment.arm == "canary"


def begin(agent: Agent, *, judging: Judging | None = None, steps: Iterable[Step] = STEPS, **fields: Any) -> Rollout:
    """V1 is live, V2 goes to the first step's callers."""
    operator = make_user("operator")
    SigningKey.objects.get_or_create(name="k1", defaults={"secret": b"key"})
    make_live(version=agent.versions.get(number=1), actor=operator)
    # The same callers are in the canary each time.
    with mock.patch("channels.services.rollouts.new_salt", return_value="0123456789abcdef"):
        return start_rollout(agent=agent, version=2, steps=tuple(steps), judging=judging, actor=operator, **fields)


def number_of(caller: int) -> str:
    return f"+336{caller:08d}"


def route(rollout: Rollout, callers: Iterable[int | None], *, at: datetime | None = None) -> list[RoutedOne]:
    """One call of each caller, routed a millisecond after the other."""
    start = at or database_now()
    found = []
    for place, caller in enumerate(callers):
        call_id = f"CA{next(_ids)}"
        unit, counted = (call_id, Unit.CALL) if caller is None else (number_of(caller), Unit.CALLER)
        assignment = arm_of(rollout.value, unit, counted)
        found.append(RoutedOne(call_id, caller, assignment, start + timedelta(milliseconds=place)))
    return found


def ship(rollout: Rollout, calls: Iterable[RoutedOne]) -> None:
    """What the runtime's spool brings to the database."""
    keys: CallerKeys = caller_keys()
    RoutedCall.objects.bulk_create(
        RoutedCall(
            rollout=rollout,
            call_id=call.call_id,
            at=call.at,
            arm=call.assignment.arm,
            share=call.assignment.share,
            bucket=call.assignment.bucket,
            caller_hash=None if call.caller is None else keys.hash_of(number_of(call.caller)),
            channel="+33198765432",
        )
        for call in calls
    )


def token(rollout: Rollout, call: RoutedOne, channel: Channel | None = None) -> str:
    """What /resolve signs where a rollout had a say."""
    said, version = call.assignment, rollout.version if call.is_canary else rollout.baseline
    payload = {
        "n": channel.address if channel else "+33198765432", "c": call.call_id, "a": rollout.agent.slug,
        "v": version.number, "d": version.configuration_id, "r": "f" * 64, "t": None, "b": None, "s": None,
        "w": "SPLIT", "u": "caller" if said.is_analysed else "call_id", "iat": int(call.at.timestamp()), "exp": 1e11,
        "o": {"i": rollout.pk, "m": said.arm.value, "s": said.share, "b": said.bucket, "y": said.is_analysed},
    }  # fmt: skip
    return sign(payload, key_id="k1", key=b"key")


def take(rollout: Rollout, calls: Iterable[RoutedOne], says: Says, *, with_token: bool = True) -> None:
    """The records of calls, as `says` has them; None: it never comes."""
    records = []
    for call in calls:
        said = says(call)
        if said is not None:
            record = {
                "id": call.call_id,
                "started_at": call.at,
                "caller": "anonymous" if call.caller is None else number_of(call.caller),
                "status": "ended",
                **({"resolution": token(rollout, call)} if with_token else {}),
                **said,
            }
            records.append(read_record(record))
    ingest(records, source="api")


def failing(canary: Callable[[int], bool], stable: Callable[[int], bool]) -> Says:
    """Records that say of each caller whether the call failed."""
    return lambda call: {"error": (canary if call.is_canary else stable)(call.caller or 0)}


def run(rollout: Rollout, callers: Iterable[int | None], says: Says, *, at: datetime | None = None) -> list[RoutedOne]:
    """Calls that are routed, shipped and recorded."""
    calls = route(rollout, callers, at=at)
    ship(rollout, calls)
    take(rollout, calls, says)
    return calls
