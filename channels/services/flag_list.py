"""The list of flags: found, filtered, and those marked that have done their work."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db.models import Q

from agentversions.core.paths import MISSING, UnknownPath, value_at
from agentversions.core.reading import write_document
from agentversions.models import Agent, AgentVersion, Configuration, Deployment
from agentversions.models.database import database_now
from channels.core.flag_overlay import Change
from channels.core.flag_stale import FlagFacts, stale_reasons, state_of
from channels.core.flag_words import TYPES, acts_on, gives, rule_words
from channels.core.flags import Flag as FlagValue
from channels.core.flags import FlagType
from channels.models import FlagRevision

PER_PAGE = 50


@dataclass(frozen=True)
class WantedFlags:
    """What is looked for: words, an agent's slug, a type, and on, off or archived (empty: what is not archived)."""

    text: str = ""
    agent: str = ""
    type: str = ""
    state: str = ""

    @property
    def is_narrowed(self) -> bool:
        """Whether anything is left out that the plain list shows."""
        return bool(self.text or self.agent or self.type or self.state)


@dataclass(frozen=True)
class ListedFlag:
    """A flag as it stands now; `stale` are reasons why it could go."""

    revision: FlagRevision
    stale: tuple[str, ...] = ()

    @cached_property
    def value(self) -> FlagValue:
        """What it does."""
        return self.revision.value

    @property
    def state(self) -> str:
        """`on`, `off` or `archived`."""
        return "archived" if self.revision.is_archived else ("on" if self.value.is_enabled else "off")

    @property
    def type_words(self) -> str:
        """What its type is called."""
        return TYPES[self.value.type]

    @property
    def acts_on(self) -> str:
        """What it acts on, in words."""
        return acts_on(self.value)

    @property
    def rules(self) -> tuple[tuple[str, str], ...]:
        """Per rule: to whom, and what they get."""
        return tuple((rule.name or rule_words(rule), gives(self.value, rule.gives)) for rule in self.value.rules)

    @property
    def default_words(self) -> str:
        """What everybody gets whom no rule takes."""
        return gives(self.value, self.value.default)


def list_flags(wanted: WantedFlags) -> list[ListedFlag]:
    """The flags that are wanted, by key, without marks."""
    found = (ListedFlag(revision) for revision in _newest(wanted.agent))
    return [flag for flag in found if _is_wanted(flag, wanted)]


def flags_of_agent(agent: Agent) -> list[ListedFlag]:
    """The flags that may change this agent's configuration, those for all agents included, by key."""
    found = (ListedFlag(revision) for revision in _newest(agent.slug, also_for_all=True))
    return [flag for flag in found if not flag.revision.is_archived and flag.value.type.is_overlay]


def list_stale() -> list[ListedFlag]:
    """The flags that have done their work, by key; archived ones are done with."""
    return [flag for flag in with_marks(list_flags(WantedFlags())) if flag.stale]


def with_marks(flags: Sequence[ListedFlag]) -> list[ListedFlag]:
    """The same flags with the reasons why they could go."""
    now = database_now()
    there = _Places(flags)
    return [
        flag
        if flag.state == "archived"
        else ListedFlag(flag.revision, stale_reasons(flag.value, _facts(flag, now, there)))
        for flag in flags
    ]


def _facts(flag: ListedFlag, now: datetime, there: "_Places") -> FlagFacts:
    agent = flag.revision.flag.agent
    return FlagFacts(now, _since(flag), there.has(flag.value), agent is not None and agent.is_archived)


def _since(flag: ListedFlag) -> datetime | None:
    """When the flag began to give everybody what it gives now, or was switched off; None when it depends."""
    state = state_of(flag.value)
    if state is None:
        return None
    since = flag.revision.created_at
    earlier = FlagRevision.objects.filter(flag=flag.revision.flag_id, number__lt=flag.revision.number)
    for revision in earlier.order_by("-number").iterator(chunk_size=20):
        if state_of(revision.value) != state:
            break
        since = revision.created_at
    return since


class _Places:
    """What the live and the newest version of the agents of some flags hold."""

    def __init__(self, flags: Iterable[ListedFlag]) -> None:
        acting = [flag for flag in flags if flag.value.type.is_overlay]
        self._documents: dict[str, list[dict[str, Any]]] = {}
        if not acting:
            return
        agents = {flag.value.agent for flag in acting}
        found = Agent.objects.active() if "" in agents else Agent.objects.filter(slug__in=agents)
        self._read(found)

    def has(self, flag: FlagValue) -> bool:
        """Whether one of them has what a flag acts on; always for a flag that carries a plain value."""
        if not flag.type.is_overlay:
            return True
        path = Change(flag.key, flag.type, flag.subject, None).path
        of_agents = [self._documents.get(flag.agent, [])] if flag.agent else self._documents.values()
        documents = [document for listed in of_agents for document in listed]
        # Before the first version there is nothing that it could be missing in.
        return not documents or any(_is_at(document, path) for document in documents)

    def _read(self, agents: Any) -> None:
        slugs = dict(agents.values_list("pk", "slug"))
        live = Deployment.objects.filter(agent__in=slugs).order_by("agent_id", "-id").distinct("agent_id")
        newest = AgentVersion.objects.filter(agent__in=slugs).order_by("agent_id", "-number").distinct("agent_id")
        digests = [
            *live.values_list("agent_id", "version__configuration_id"),
            *newest.values_list("agent_id", "configuration_id"),
        ]
        rows = Configuration.objects.filter(digest__in={digest for _, digest in digests})
        documents = {row.digest: write_document(row.load()) for row in rows}
        for agent, digest in dict.fromkeys(digests):
            self._documents.setdefault(slugs[agent], []).append(documents[digest])


def _is_at(document: dict[str, Any], path: str) -> bool:
    try:
        return value_at(document, path) is not MISSING
    except UnknownPath:
        return False


def _newest(agent: str = "", *, also_for_all: bool = False) -> Iterable[FlagRevision]:
    rows = FlagRevision.objects.order_by("flag__key", "-number").distinct("flag__key")
    if agent:
        is_for = Q(flag__agent__slug=agent)
        rows = rows.filter(is_for | Q(flag__agent=None) if also_for_all else is_for)
    return rows.select_related("flag__agent", "created_by")


def _is_wanted(flag: ListedFlag, wanted: WantedFlags) -> bool:
    state = flag.state
    if state != wanted.state if wanted.state else state == "archived":
        return False
    if wanted.type and wanted.type in set(FlagType) and flag.value.type != wanted.type:
        return False
    text = f"{flag.value.key} {flag.revision.description} {flag.value.subject} {flag.acts_on}".casefold()
    return all(word in text for word in wanted.text.casefold().split())
