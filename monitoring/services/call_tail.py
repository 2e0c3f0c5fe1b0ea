"""An agent's calls as they end, the last one first: the few rows that a page keeps while it watches."""

import hashlib
from dataclasses import dataclass
from typing import Any

from django.db.models import F
from django.db.models.functions import Coalesce

from agentversions.models import Agent
from monitoring.models import Call

from .call_list import LIST_FIELDS

KEPT = 20
SHOWN = ("id", "version", "duration_ms", "is_error", "transferred", "engaged", "evaluation", "is_test")


@dataclass(frozen=True)
class CallTail:
    """The calls that ended last; each has `over_at`, the moment it ended or, where nobody said it, came."""

    calls: list[Call]

    @property
    def seen(self) -> str:
        """Short words that are others as soon as these are other calls, or one of them was corrected."""
        shown = [[getattr(call, name) for name in SHOWN] for call in self.calls]
        return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]


def tail_calls(agent: Agent) -> CallTail:
    """The calls of an agent that ended last.

    They are read anew each time, not from the last one on: a call that ended before it may come after it.
    """
    return CallTail(list(tail_query(agent)))


def tail_query(agent: Agent) -> Any:
    """In the order of the index monitoring_call_ended, which is read no further than the last row that is kept."""
    ended = Call.objects.filter(agent_id=agent.pk, is_over=True).annotate(over_at=Coalesce("ended_at", "received_at"))
    return ended.order_by(F("over_at").desc(), "-id").only(*LIST_FIELDS, "ended_at", "received_at")[:KEPT]
