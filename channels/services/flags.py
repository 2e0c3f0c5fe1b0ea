"""Feature flags: every change is a new revision, with its entry in the audit trail, in one transaction."""

from collections.abc import Iterable
from dataclasses import replace

from django.db import IntegrityError, connection, transaction

from agentversions.core.reading import FieldError
from agentversions.models import Agent, User
from agentversions.services.audit import record
from agentversions.services.errors import ReasonMissing
from agentversions.services.freezes import refuse_frozen
from channels.core.flag_changes import changes_in_words
from channels.core.flags import Flag as FlagValue
from channels.core.flags import Rule, write_flag
from channels.models import Flag, FlagRevision

from .errors import FlagMoved, FlagRefused, UnknownFlag
from .flag_callers import remember_callers
from .flag_checking import refuse_bad
from .routes import new_salt

RESERVED_KEYS = frozenset({"new", "stale", ".", ".."})
"""Keys that are addresses of pages, or that browsers read as a way up."""
LONGEST_DESCRIPTION = 500


def find_flag(key: str) -> Flag:
    """The flag with its agent. Raises UnknownFlag."""
    flag = Flag.objects.select_related("agent").filter(key=key).first() if "\x00" not in key else None
    if flag is None:
        raise UnknownFlag(f"There is no flag “{key[:100]}”. Look under Flags for its key.")
    return flag


def newest_revision(flag: Flag) -> FlagRevision:
    """How the flag stands now."""
    return FlagRevision.objects.select_related("flag__agent", "created_by").filter(flag=flag).order_by("-number")[0]


def find_revision(flag: Flag, number: int) -> FlagRevision | None:
    """An earlier or the newest revision by its number."""
    return FlagRevision.objects.select_related("flag__agent", "created_by").filter(flag=flag, number=number).first()


@transaction.atomic
def create_flag(
    *, value: FlagValue, description: str = "", callers: Iterable[str] = (), reason: str = "", actor: User
) -> FlagRevision:
    """A new flag. `callers` are those on its rules' lists in clear, to be shown again; in `value` they are hashes.

    Raises FlagRefused with every problem, RoutesFrozen.
    """
    agent = Agent.objects.filter(slug=value.agent).first() if value.agent else None
    if errors := _errors_of_new(value, agent):
        raise FlagRefused(errors)
    value = with_salts(value)
    refuse_bad(value, agent)
    refuse_frozen(reason=reason, actor=actor)
    try:
        with transaction.atomic():
            flag = Flag.objects.create(key=value.key, agent=agent, created_by=actor)
    except IntegrityError as error:
        words = (
            f"There is a flag “{value.key}” already, perhaps an archived one. Choose another key, or change that flag."
        )
        raise FlagRefused([FieldError("key", words)]) from error
    remember_callers(callers)
    revision = _append(flag, None, write_flag(value), description=description, reason=reason, actor=actor)
    record(
        action="flag created",
        subject_kind="flag",
        subject=flag.key,
        reason=reason.strip(),
        after={"revision": 1, "agent": value.agent, "type": str(value.type), "acts_on": value.subject},
        actor=actor,
    )
    return revision


def _errors_of_new(value: FlagValue, agent: Agent | None) -> list[FieldError]:
    if value.key in RESERVED_KEYS:
        return [FieldError("key", f"“{value.key}” is the address of a page. Choose another key, such as night-mode.")]
    if value.agent and agent is None:
        return [FieldError("agent", f"There is no agent “{value.agent[:100]}”. Choose one from the list.")]
    if agent is not None and agent.is_archived:
        return [FieldError("agent", f"“{agent.name}” is archived. Choose another agent, or bring it back first.")]
    return []


@transaction.atomic
def save_flag(
    *,
    flag: Flag,
    value: FlagValue,
    description: str | None = None,
    callers: Iterable[str] = (),
    seen: int | None = None,
    reason: str = "",
    actor: User,
) -> FlagRevision:
    """A new revision; saving an archived flag brings it back. `seen` is the revision that was looked at (None: any).

    Its key, type and agent stay, and so does its kill switch. The same again changes nothing. Raises FlagMoved when
    somebody saved meanwhile, FlagRefused with every problem, RoutesFrozen.
    """
    newest = _lock(flag)
    if seen is not None and not _is_as_seen(flag, seen, newest):
        raise FlagMoved(newest)
    before = newest.value
    value = replace(with_salts(value), key=before.key, type=before.type, agent=before.agent)
    value = replace(value, is_enabled=before.is_enabled)
    refuse_bad(value, flag.agent)
    body = write_flag(value)
    description = newest.description if description is None else _plain(description)
    if (body, description, False) == (newest.body, newest.description, newest.is_archived):
        return newest
    refuse_frozen(reason=reason, actor=actor)
    remember_callers(callers)
    revision = _append(flag, newest, body, description=description, reason=reason, actor=actor)
    changes = list(changes_in_words(before, value))
    _record("flag brought back" if newest.is_archived else "flag changed", revision, changes, actor)
    return revision


@transaction.atomic
def switch_flag(*, flag: Flag, is_enabled: bool, reason: str, actor: User) -> FlagRevision:
    """Throw the kill switch, or let the flag act again; in seconds every worker does so. It needs a reason.

    Throwing it is always allowed, also while routes are frozen. Raises ReasonMissing; for letting it act RoutesFrozen.
    """
    if not reason.strip():
        raise ReasonMissing("Say why: whoever finds the flag switched wants to know.")
    newest = _lock(flag)
    if newest.value.is_enabled == is_enabled:
        return newest
    if is_enabled:
        refuse_frozen(reason=reason, actor=actor)
    body = write_flag(replace(newest.value, is_enabled=is_enabled))
    revision = _append(flag, newest, body, is_archived=newest.is_archived, reason=reason, actor=actor)
    _record("flag switched on" if is_enabled else "flag switched off", revision, [], actor)
    return revision


@transaction.atomic
def archive_flag(*, flag: Flag, is_archived: bool = True, reason: str = "", actor: User) -> FlagRevision:
    """Put a flag away, so that it acts on nothing and nobody is told its value; or bring it back as it was.

    Raises RoutesFrozen, and FlagRefused for bringing back what fits no version any more.
    """
    newest = _lock(flag)
    if newest.is_archived == is_archived:
        return newest
    if not is_archived:
        refuse_bad(newest.value, flag.agent)
    refuse_frozen(reason=reason, actor=actor)
    revision = _append(flag, newest, newest.body, is_archived=is_archived, reason=reason, actor=actor)
    _record("flag archived" if is_archived else "flag brought back", revision, [], actor)
    return revision


def with_salts(value: FlagValue) -> FlagValue:
    """The flag with a random salt of its own for each rule that splits callers and has none. A salt never changes:
    a larger share takes no caller out."""
    return replace(value, rules=tuple(_with_salt(rule) for rule in value.rules))


def _with_salt(rule: Rule) -> Rule:
    return replace(rule, salt=new_salt()) if rule.is_split and not rule.salt else rule


def _lock(flag: Flag) -> FlagRevision:
    """The newest revision; nobody else adds one until the transaction ends."""
    # Its row cannot be locked: the application's role may not change it.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('flag'), %s)", [flag.pk])
    return newest_revision(flag)


def _is_as_seen(flag: Flag, seen: int, newest: FlagRevision) -> bool:
    """Whether nobody changed what a save would overwrite. Switching the flag off and on is none of it."""
    if seen == newest.number:
        return True
    looked_at = find_revision(flag, seen)
    return looked_at is not None and _saved(looked_at) == _saved(newest)


def _saved(revision: FlagRevision) -> tuple[FlagValue, str, bool]:
    return replace(revision.value, is_enabled=True), revision.description, revision.is_archived


def _append(
    flag: Flag,
    newest: FlagRevision | None,
    body: str,
    *,
    description: str | None = None,
    is_archived: bool = False,
    reason: str,
    actor: User,
) -> FlagRevision:
    kept = newest.description if newest else ""
    return FlagRevision.objects.create(
        flag=flag,
        number=newest.number + 1 if newest else 1,
        body=body,
        description=kept if description is None else _plain(description),
        is_archived=is_archived,
        reason=reason.strip(),
        created_by=actor,
    )


def _plain(description: str) -> str:
    text = " ".join(description.split())
    if len(text) > LONGEST_DESCRIPTION or "\x00" in text:
        words = f"Describe the flag in at most {LONGEST_DESCRIPTION} characters, without control characters."
        raise FlagRefused([FieldError("description", words)])
    return text


def _record(action: str, revision: FlagRevision, changes: list[str], actor: User) -> None:
    record(
        action=action,
        subject_kind="flag",
        subject=revision.flag.key,
        reason=revision.reason,
        before={"revision": revision.number - 1},
        after={"revision": revision.number, **({"changes": changes} if changes else {})},
        actor=actor,
    )
