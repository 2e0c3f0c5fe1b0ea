"""Creating, duplicating, filing and archiving agents."""

from collections.abc import Callable

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from agentversions.core.configuration import AgentConfiguration
from agentversions.core.reading import read_document, write_document
from agentversions.models import Agent, Configuration, User
from agentversions.models.database import ClockTimestamp

from .audit import record
from .draft_pointer import lock_agent, refuse_archived
from .errors import AgentInUse, SlugTaken

RESERVED_SLUGS = frozenset({"new", "import"})
"""Slugs that are addresses of pages."""
INSERT_ATTEMPTS = 20
UseFinder = Callable[[Agent], list[str]]
_use_finders: list[UseFinder] = []


def register_use_finder(finder: UseFinder) -> None:
    """Let an app above say, in words, what still routes to an agent (`+33 1 98 76 54 32 answers with V3`)."""
    _use_finders.append(finder)


def uses_of(agent: Agent) -> tuple[str, ...]:
    """Everything that still routes to an agent, in words."""
    return tuple(use for finder in _use_finders for use in finder(agent))


@transaction.atomic
def create_agent(
    *, content: AgentConfiguration, slug: str = "", folder: str = "", reason: str = "Created", actor: User
) -> Agent:
    """A new agent whose draft is this configuration. Raises SlugTaken when the given slug is in use; a slug that is
    not given is made from the name and made unique."""
    checked = read_document(write_document(content))
    configuration = Configuration.objects.store(checked)
    wanted = slug or free_slug(checked.name)
    agent = Agent(
        slug=wanted,
        name=checked.name,
        kind=checked.kind,
        folder=folder.strip().strip("/"),
        draft=configuration,
        draft_changed_by=actor,
        created_by=actor,
    )
    agent._history_user = actor  # type: ignore[attr-defined]
    agent._change_reason = reason  # type: ignore[attr-defined]
    if wanted in RESERVED_SLUGS:
        raise SlugTaken(f"The address “{wanted}” is a page of its own. Choose another.")
    _insert(agent, is_slug_given=bool(slug))
    agent.refresh_from_db()
    record(
        action="agent created",
        subject_kind="agent",
        subject=agent.slug,
        reason=reason,
        after={"digest": configuration.digest},
        actor=actor,
    )
    return agent


def _insert(agent: Agent, *, is_slug_given: bool) -> None:
    """Insert the row. Somebody else may take the same free slug in the same moment: then the next free one is tried."""
    for attempts_left in reversed(range(1 if is_slug_given else INSERT_ATTEMPTS)):
        try:
            with transaction.atomic():
                agent.save(force_insert=True)
        except IntegrityError as error:
            if not attempts_left:
                words = f"There is an agent with the address “{agent.slug}” already. Choose another."
                raise SlugTaken(words) from error
            agent.slug = free_slug(agent.name)
        else:
            return


def free_slug(name: str) -> str:
    """A slug made from a name, with a number behind it when it is taken."""
    stem = slugify(name)[:90] or "agent"
    taken = RESERVED_SLUGS | set(Agent.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    slug, number = stem, 2
    while slug in taken:
        slug, number = f"{stem}-{number}", number + 1
    return slug


def duplicate_agent(*, agent: Agent, name: str, folder: str | None = None, actor: User) -> Agent:
    """A new agent whose draft is a copy of this agent's draft under a new name."""
    content = agent.draft.load().model_copy(update={"name": name})
    return create_agent(
        content=content,
        folder=agent.folder if folder is None else folder,
        reason=f"Duplicated from {agent.slug}",
        actor=actor,
    )


@transaction.atomic
def move_to_folder(*, agent: Agent, folder: str, actor: User) -> Agent:
    """File the agent in a folder (`Support/Billing`); an empty folder is the top."""
    locked = lock_agent(agent)
    refuse_archived(locked)
    before, locked.folder = locked.folder, folder.strip().strip("/")
    _save(locked, ["folder"], "Moved to another folder", actor)
    record(
        action="agent filed",
        subject_kind="agent",
        subject=locked.slug,
        before={"folder": before},
        after={"folder": locked.folder},
        actor=actor,
    )
    return locked


@transaction.atomic
def archive_agent(*, agent: Agent, reason: str = "", actor: User) -> Agent:
    """Put an agent away. Raises AgentInUse, with the list, while anything routes to it."""
    locked = lock_agent(agent)
    uses = uses_of(locked)
    if uses:
        raise AgentInUse(f"“{locked.name}” still answers. Point these elsewhere first.", uses)
    if not locked.is_archived:
        locked.archived_at = ClockTimestamp()
        _save(locked, ["archived_at"], "Archived", actor)
        record(action="agent archived", subject_kind="agent", subject=locked.slug, reason=reason, actor=actor)
    return locked


@transaction.atomic
def unarchive_agent(*, agent: Agent, actor: User) -> Agent:
    """Bring an archived agent back, exactly as it was."""
    locked = lock_agent(agent)
    if locked.is_archived:
        locked.archived_at = None
        _save(locked, ["archived_at"], "Brought back from the archive", actor)
        record(action="agent brought back", subject_kind="agent", subject=locked.slug, actor=actor)
    return locked


def _save(agent: Agent, fields: list[str], reason: str, actor: User) -> None:
    agent._history_user = actor  # type: ignore[attr-defined]
    agent._change_reason = reason  # type: ignore[attr-defined]
    agent.save(update_fields=fields)
    agent.refresh_from_db(fields=fields)
