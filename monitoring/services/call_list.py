"""Finding calls: filters, pages by key (as quick at any depth as at the first), news."""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any

from django.db.models import Q

from agentversions.models import Agent
from channels.core.phone_numbers import NotANumber, read_caller, read_number
from channels.core.rollout_states import State
from channels.core.rollout_steps import Arm
from channels.models import Rollout
from monitoring.core.call_filter import DRAFT, SENTIMENTS, UNKNOWN, CallFilter, is_version_number
from monitoring.core.figures import UNATTRIBUTED
from monitoring.core.page_key import PageKey
from monitoring.models import Call

from .key_pages import beside, cut_page
from .rows import caller_keys
from .spans import within
from .time_limit import at_most

PER_PAGE = 50
MOST_OFFERED = 300
"""Versions in the filter, newest first; an older one is there while it is chosen."""
NEWS_MS = 500
"""Longer than this the question for new calls may not take: it is asked again and again."""
EARLY, LATE = timedelta(hours=1), timedelta(days=2)
"""By how much a sender's clock may be behind ours, and how long after its decision a call may begin."""
KEY_FIELDS = ("agent_id", "started_at", "id")
LIST_FIELDS = (
    *("agent_id", "started_at", "id", "sender_id", "version", "variant", "channel", "caller_shown", "is_over"),
    *("duration_ms", "engaged", "transferred", "is_error", "error", "evaluation", "sentiment", "ended_reason"),
    *("is_test", "attribution", "direction", "latency_ms", "cost", "currency"),
)


@dataclass(frozen=True)
class CallPage:
    """One page, newest first, with the keys of the pages beside it."""

    calls: list[Call]
    older: PageKey | None
    newer: PageKey | None
    agents: dict[int, str]

    @property
    def ids(self) -> str:
        """The calls of this page as `read_ids` reads them."""
        return ",".join(str(call.id) for call in self.calls)

    @property
    def oldest(self) -> PageKey | None:
        """The last call of a full page: what began before it is no news on this page."""
        return _key(self.calls[-1]) if len(self.calls) == PER_PAGE else None


def list_calls(wanted: CallFilter, *, before: PageKey | None = None, after: PageKey | None = None) -> CallPage:
    """The newest calls that are wanted; `before` and `after` go on from a call. Wrong filters find nothing."""
    found = list(islice(_newest(wanted, before=before, after=after), PER_PAGE + 1))
    page = cut_page(found, PER_PAGE, _key, before=before, after=after)
    agents = Agent.objects.filter(pk__in={row.agent_id for row in page.rows})
    return CallPage(page.rows, page.older, page.newer, agents=dict(agents.values_list("pk", "name")))


def count_new(wanted: CallFilter, *, shown: frozenset[int], oldest: PageKey | None) -> int:
    """How many calls stand on the first page by now that it did not show; PER_PAGE when the whole page is new.

    It reads as far as the first page reached, so it costs what that page cost. Raises TookTooLong.
    """
    with at_most(NEWS_MS):
        rows = list(islice(_newest(wanted, fields=KEY_FIELDS, most=PER_PAGE, not_before=oldest), PER_PAGE))
    return sum(row.id not in shown for row in rows)


def every_call(wanted: CallFilter, *fields: str) -> Iterator[Any]:
    """Some fields of all calls that are wanted, newest first, read in pages so that memory stays flat.

    Gives named tuples: a model instance for each of a million calls takes longer than everything else.
    """
    before: PageKey | None = None
    names = tuple(dict.fromkeys(("started_at", "id", *fields)))
    while True:
        rows = list(islice(_newest(wanted, before=before, most=2_000, fields=names, is_plain=True), 2_000))
        yield from rows
        if len(rows) < 2_000:
            return
        before = _key(rows[-1])


def version_choices(slug: str, chosen: Sequence[str]) -> list[tuple[str, str, bool]]:
    """The versions of an agent to filter by: value, words, whether it is chosen. Empty for an unknown agent."""
    agent = Agent.objects.filter(slug=slug).first()
    if agent is None:
        return []
    numbers = {int(each.lstrip("Vv")) for each in chosen if is_version_number(each)}
    found = list(agent.versions.newest_first().values_list("number", "name")[:MOST_OFFERED])
    if missing := numbers - {number for number, _ in found}:
        found += agent.versions.filter(number__in=missing).newest_first().values_list("number", "name")
    numbered = [(f"V{number}", f"V{number} · {name}", number in numbers) for number, name in found]
    return [(DRAFT, "Draft", DRAFT in chosen), *numbered, (UNKNOWN, "Unknown", UNKNOWN in chosen)]


def _newest(
    wanted: CallFilter,
    *,
    before: PageKey | None = None,
    after: PageKey | None = None,
    not_before: PageKey | None = None,
    most: int = PER_PAGE + 1,
    fields: tuple[str, ...] = LIST_FIELDS,
    is_plain: bool = False,
) -> Iterator[Any]:
    """Calls (or named tuples) in order of the page, merged from one query per version, each served by its index."""
    if wanted.problems:
        return iter(())
    pages = []
    for part in _parts(wanted):
        found = beside(part, "started_at", before=before, after=after)
        if not_before is not None:
            found = found.filter(started_at__gte=not_before.started_at)
        pages.append((found.values_list(*fields, named=True) if is_plain else found.only(*fields))[:most])
    return heapq.merge(*pages, key=_key, reverse=after is None)


def all_of(wanted: CallFilter) -> Any:
    """Everything that is wanted in one query, in no order: to be counted."""
    found, numbers = _narrow(wanted), wanted.version_numbers
    if not numbers:
        return found
    known = Q(version__in=[number for number in numbers if number is not None])
    return found.filter(known | Q(version__isnull=True) if None in numbers else known)


def _parts(wanted: CallFilter) -> list[Any]:
    """One query for each version that is wanted, or one for all."""
    found = _narrow(wanted)
    if not wanted.versions:
        return [found]
    return [
        found.filter(version__isnull=True) if number is None else found.filter(version=number)
        for number in wanted.version_numbers
    ]


def _narrow(wanted: CallFilter) -> Any:
    found = Call.objects.all()
    if wanted.agent:
        found = found.filter(agent_id=agent_key(wanted.agent))
    if wanted.tests != "too":
        found = found.filter(is_test=wanted.tests == "only")
    if wanted.variant:
        found = found.filter(variant=wanted.variant)
    if wanted.channel:
        found = found.filter(channel=_channel(wanted.channel))
    if wanted.outcome:
        found = found.filter(_outcome(wanted.outcome))
    if wanted.sentiment:
        found = found.filter(sentiment=SENTIMENTS[wanted.sentiment])
    if wanted.ended:
        found = found.filter(ended_reason=wanted.ended)
    if wanted.shortest:
        found = found.filter(duration_ms__gte=int(wanted.shortest) * 1000)
    if wanted.longest:
        found = found.filter(duration_ms__lte=int(wanted.longest) * 1000)
    found = within(found, "started_at", days=wanted.days, since=wanted.since, until=wanted.until)
    if wanted.caller:
        unit = read_caller(wanted.caller, None).unit
        found = found.filter(caller_hash=caller_keys().hash_of(unit)) if unit else found.filter(caller_shown="withheld")
    if wanted.id:
        found = found.filter(sender_id=wanted.id)
    if wanted.rollout:
        found = _of_rollout(found, int(wanted.rollout), wanted.arm)
    return found


def _of_rollout(found: Any, key: int, arm: str) -> Any:
    """The calls that a rollout split. Agent and time are those of the rollout, so that the agent's index serves them;
    what stands in a decision has none."""
    row = Rollout.objects.filter(pk=key).first()
    if row is None:
        return found.filter(agent_id=-1)
    found = found.filter(agent_id=row.agent_id, started_at__gte=row.created_at - EARLY, decision__o__i=key)
    last = row.moves.order_by("-id").first()
    if last is not None and State(last.state).is_over:
        found = found.filter(started_at__lte=last.at + LATE)
    if arm == Arm.CANARY:
        found = found.filter(version=row.plan.version)
    return found.filter(decision__o__m=arm) if arm else found


def _outcome(word: str) -> Q:
    alone = (Q(transferred=None) | Q(transferred=False)) & (Q(is_error=None) | Q(is_error=False))
    return {
        "automated": Q(is_over=True, engaged=True) & alone,
        "transferred": Q(transferred=True),
        "error": Q(is_error=True),
        "unengaged": Q(is_over=True, engaged=False),
        "success": Q(evaluation="success"),
        "fail": Q(evaluation="fail"),
        "under-way": Q(is_over=False),
    }[word]


def agent_key(slug: str) -> int:
    """The agent's key; one that nothing has for an unknown slug, 0 for calls nobody could attribute."""
    if slug == "unknown":
        return UNATTRIBUTED
    found = Agent.objects.filter(slug=slug).values_list("pk", flat=True).first()
    return found if found is not None else -1


def _channel(text: str) -> str:
    try:
        return read_number(text)
    except NotANumber:
        return text


def _key(call: Call) -> PageKey:
    return PageKey(call.started_at, call.id)
