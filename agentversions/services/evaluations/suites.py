"""Keeping suites: every change of cases is a revision, and a revision says for ever which cases it held."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.core.paginator import Page, Paginator
from django.db import IntegrityError, connection, transaction
from django.utils.text import slugify

from agentversions.core.evaluations.cases import BadCase, Case
from agentversions.models import Agent, EvaluationCase, EvaluationSuite, SuiteEntry, SuiteRevision, User
from agentversions.models.database import ClockTimestamp
from agentversions.services.audit import record

from .errors import SuiteMoved, SuiteRefused

RESERVED_SLUGS = frozenset({"new", "runs", "results"})
"""Slugs that are addresses of pages."""
MAX_CASES = 100_000
BATCH = 500
PER_PAGE = 50
DIGEST_OF_CASES = """
    SELECT encode(sha256(convert_to(coalesce(string_agg(case_id, E'\\n' ORDER BY position), ''), 'UTF8')), 'hex'),
           count(*)
    FROM agentversions_suiteentry WHERE suite_id = %s AND until IS NULL
"""


def find_suites(*, text: str = "", agent: Agent | None = None, is_archived: bool = False) -> Any:
    """Suites by name; of an agent: its own and those that all share."""
    found = EvaluationSuite.objects.filter(archived_at__isnull=not is_archived).search(text)
    if agent is not None:
        found = found.for_agent(agent)
    return found.select_related("agent", "latest__created_by")


def list_suites(*, text: str = "", agent: Agent | None = None, is_archived: bool = False, page: str = "1") -> Page[Any]:
    """One page of the suites; a page beyond the end is the last one."""
    return Paginator(find_suites(text=text, agent=agent, is_archived=is_archived), PER_PAGE).get_page(page)


def list_cases(revision: SuiteRevision, *, text: str = "", page: str = "1") -> Page[Any]:
    """One page of the cases of a revision, in order; `text` is looked for in their names and contents."""
    entries = SuiteEntry.objects.at(revision).select_related("case")
    for word in text.split():
        entries = entries.filter(case__body__icontains=word)
    return Paginator(entries, PER_PAGE).get_page(page)


def cases_of(revision: SuiteRevision) -> Iterator[Case]:
    """Every case of a revision in order, a batch in memory at a time."""
    for entry in entries_of(revision):
        yield entry.case.load()


def entries_of(revision: SuiteRevision) -> Iterator[SuiteEntry]:
    """Every entry of a revision with its case, in order, a batch in memory at a time."""
    after = -1
    while batch := list(SuiteEntry.objects.at(revision).filter(position__gt=after).select_related("case")[:BATCH]):
        yield from batch
        after = batch[-1].position


@transaction.atomic
def create_suite(
    *, name: str, description: str = "", agent: Agent | None = None, slug: str = "", actor: User
) -> EvaluationSuite:
    """A suite without cases, of one agent or (None) shared by all. Raises SuiteRefused."""
    words = _name(name)
    wanted = slug or _slug_for(words)
    if slugify(wanted) != wanted or wanted in RESERVED_SLUGS or len(wanted) > 100:
        raise SuiteRefused("Use small letters, digits and hyphens for the slug, and another word than “new”.", "slug")
    suite = EvaluationSuite(slug=wanted, name=words, description=description.strip(), agent=agent, created_by=actor)
    try:
        with transaction.atomic():
            suite.save(force_insert=True)
    except IntegrityError as error:
        raise SuiteRefused(
            f"There is a suite “{wanted}” already, in use or archived. Choose another name.", "name"
        ) from error
    suite.latest = _append_revision(suite, 1, "Created", actor)
    return suite


@transaction.atomic
def describe_suite(
    *, suite: EvaluationSuite, name: str, description: str, agent: Agent | None, actor: User
) -> EvaluationSuite:
    """Change a suite's name, description and whose it is; its cases stay. Raises SuiteRefused."""
    locked = _lock(suite)
    before = _described(locked)
    locked.name, locked.description, locked.agent = _name(name), description.strip(), agent
    if _described(locked) != before:
        locked.save(update_fields=["name", "description", "agent"])
        _audit("suite described", locked, actor, before=before, after=_described(locked))
    return locked


@transaction.atomic
def file_suite(*, suite: EvaluationSuite, is_archived: bool, actor: User) -> EvaluationSuite:
    """Take a suite out of the list, or put it back; its runs stay."""
    locked = _lock(suite)
    if (locked.archived_at is not None) != is_archived:
        locked.archived_at = ClockTimestamp() if is_archived else None
        locked.save(update_fields=["archived_at"])
        _audit("suite archived" if is_archived else "suite brought back", locked, actor)
        locked.refresh_from_db(fields=["archived_at"])
    return locked


@dataclass
class Changed:
    """What a change of cases did."""

    added: int = 0
    replaced: int = 0
    removed: int = 0
    unchanged: int = 0

    def __str__(self) -> str:
        parts = [f"{count:,} {word}" for word, count in vars(self).items() if count and word != "unchanged"]
        return ", ".join(parts) or "nothing changed"


@transaction.atomic
def change_cases(
    *,
    suite: EvaluationSuite,
    put: Iterable[Case] = (),
    remove: Iterable[str] = (),
    is_whole: bool = False,
    seen: int | None = None,
    actor: User,
) -> tuple[SuiteRevision, Changed]:
    """Put cases in (one of the same name is replaced) and take others out by name; `is_whole`: what was not put goes.

    A change makes one revision; where nothing changes, there is none and the newest is given. Raises SuiteMoved when a
    newer revision than `seen` is there, BadCase for a name that comes twice or too many cases, SuiteRefused.
    """
    locked = _lock(suite)
    latest = locked.latest
    assert latest is not None
    if locked.archived_at is not None:
        raise SuiteRefused("This suite is archived. Bring it back first.")
    if seen is not None and latest.number != seen:
        raise SuiteMoved(
            f"{latest.created_by} saved revision {latest.number} since you opened this. "
            "Look at the cases as they are now, then save again."
        )
    number, done, names = latest.number + 1, Changed(), set[str]()
    position = SuiteEntry.objects.filter(suite=locked).order_by("-position").values_list("position", flat=True).first()
    following = 0 if position is None else position + 1
    cases = iter(put)
    while batch := list(islice(cases, BATCH)):
        _refuse_twice(batch, names)
        following = _put(locked, batch, number, following, done)
    gone = SuiteEntry.objects.current(locked)
    if is_whole:
        leaving = [pk for pk, name in gone.values_list("pk", "name") if name not in names]
    else:
        leaving = list(gone.filter(name__in=list(remove)).values_list("pk", flat=True))
    done.removed = SuiteEntry.objects.filter(pk__in=leaving).update(until=number)
    if not (done.added or done.replaced or done.removed):
        return latest, done
    return _append_revision(locked, number, str(done).capitalize(), actor), done


def _put(suite: EvaluationSuite, cases: list[Case], number: int, following: int, done: Changed) -> int:
    """Put one batch in; gives the next free position."""
    stored = EvaluationCase.objects.store(cases)
    there = {
        entry.name: entry for entry in SuiteEntry.objects.current(suite).filter(name__in=[case.name for case in cases])
    }
    ending, new = [], []
    for case, row in zip(cases, stored, strict=True):
        old = there.get(case.name)
        if old is not None and old.case_id == row.digest:
            done.unchanged += 1
            continue
        position = following if old is None else old.position
        new.append(SuiteEntry(suite=suite, case_id=row.digest, name=case.name, position=position, since=number))
        if old is None:
            done.added, following = done.added + 1, following + 1
        else:
            done.replaced += 1
            ending.append(old.pk)
    SuiteEntry.objects.filter(pk__in=ending).update(until=number)
    SuiteEntry.objects.bulk_create(new)
    return following


def _refuse_twice(batch: list[Case], names: set[str]) -> None:
    for case in batch:
        if case.name in names:
            raise BadCase(f"Two cases are called “{case.name[:100]}”. Rename one of them.")
        names.add(case.name)
    if len(names) > MAX_CASES:
        raise BadCase(f"A suite holds at most {MAX_CASES:,} cases. Split it.")


def _append_revision(suite: EvaluationSuite, number: int, summary: str, actor: User) -> SuiteRevision:
    with connection.cursor() as cursor:
        cursor.execute(DIGEST_OF_CASES, [suite.pk])
        digest, cases = cursor.fetchone()
    revision = SuiteRevision.objects.create(
        suite=suite, number=number, digest=digest, cases=cases, summary=summary[:300], created_by=actor
    )
    suite.latest = revision
    suite.save(update_fields=["latest"])
    _audit(
        "suite created" if number == 1 else "suite revised",
        suite,
        actor,
        after={"revision": number, "digest": digest, "cases": cases, "summary": summary},
    )
    return revision


def _lock(suite: EvaluationSuite) -> EvaluationSuite:
    locked: EvaluationSuite = EvaluationSuite.objects.select_for_update().get(pk=suite.pk)
    return locked


def _audit(action: str, suite: EvaluationSuite, actor: User, *, before: Any = None, after: Any = None) -> None:
    record(action=action, subject_kind="suite", subject=suite.slug, before=before, after=after, actor=actor)


def _described(suite: EvaluationSuite) -> dict[str, Any]:
    return {"name": suite.name, "description": suite.description, "agent": suite.agent.slug if suite.agent else None}


def _name(name: str) -> str:
    words = " ".join(name.split())
    if not words:
        raise SuiteRefused("Give the suite a name.", "name")
    if len(words) > 200:
        raise SuiteRefused("The name is longer than 200 characters. Shorten it.", "name")
    return words


def _slug_for(name: str) -> str:
    """The name's slug; a name without one (Arabic, `New`) gets a number behind a plain word."""
    slug = slugify(name)[:90]
    if slug and slug not in RESERVED_SLUGS:
        return slug
    stem = slug or "suite"
    taken = RESERVED_SLUGS | set(EvaluationSuite.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    return next(free for free in (stem, *(f"{stem}-{n}" for n in range(2, len(taken) + 3))) if free not in taken)
