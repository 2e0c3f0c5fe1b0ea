"""The settings of the followed repository: set, suspended, brought back, and a rewritten branch accepted."""

from dataclasses import asdict, dataclass

from django.db import transaction

from agentversions.core.git.addresses import address_error, branch_error, folder_error
from agentversions.core.roles import Permission
from agentversions.models import GitFolder, GitSource, User
from agentversions.models.database import ClockTimestamp
from agentversions.services.audit import record
from agentversions.services.errors import NotAllowed

from .errors import GitNotConfigured, GitSettingRefused, GitSuspended

SUBJECT = "git"


@dataclass(frozen=True)
class SourceSettings:
    """What an admin decides: the repository, the branch that is followed, the folder in which agents are, and the
    branch that gets what is published here (empty: nothing is written)."""

    address: str
    branch: str
    folder: str = ""
    write_branch: str = ""


def find_source() -> GitSource | None:
    """The followed repository, None while there is none."""
    return GitSource.objects.select_related("configured_by").first()


def require_source() -> GitSource:
    """The followed repository. Raises GitNotConfigured."""
    source = find_source()
    if source is None:
        raise GitNotConfigured("No repository is followed yet. An admin sets one on the page Git.")
    return source


def require_running() -> GitSource:
    """The followed repository. Raises GitNotConfigured and GitSuspended."""
    source = require_source()
    if source.is_suspended:
        raise GitSuspended("The sync is suspended. An admin resumes it on the page Git.")
    return source


def settings_of(source: GitSource | None) -> SourceSettings | None:
    """The settings of a source as a value."""
    if source is None:
        return None
    return SourceSettings(source.address, source.branch, source.folder, source.write_branch)


@transaction.atomic
def configure_source(*, wanted: SourceSettings, actor: User) -> GitSource:
    """Follow this repository. Whoever sets it is the author of versions whose commit's author is nobody here.

    Raises GitSettingRefused with the field. Another address, branch or folder than before begins at its head: its
    history is not read a second time."""
    _refuse_others(actor)
    wanted = SourceSettings(
        wanted.address.strip(), wanted.branch.strip(), wanted.folder.strip().strip("/"), wanted.write_branch.strip()
    )
    for field, error in (
        ("address", address_error(wanted.address)),
        ("branch", branch_error(wanted.branch)),
        ("folder", folder_error(wanted.folder)),
        ("write_branch", branch_error(wanted.write_branch) if wanted.write_branch else ""),
    ):
        if error:
            raise GitSettingRefused(error, field)
    source = GitSource.objects.select_for_update().first()
    before = settings_of(source)
    if source is None:
        source = GitSource(configured_by=actor)
    is_moved = before is not None and (before.address, before.branch, before.folder) != (
        wanted.address,
        wanted.branch,
        wanted.folder,
    )
    if is_moved:
        source.takes_only_head = bool(source.seen_commit) or source.takes_only_head
        source.seen_commit = source.head_commit = source.rewritten_head = source.error = ""
        source.head_at = source.checked_at = source.succeeded_at = source.error_at = None
        source.behind = 0
        # What stands at another place is read anew; which folder is which agent stays.
        GitFolder.objects.update(tree="", is_again=True)
    if wanted.write_branch and (before is None or not before.write_branch):
        source.write_since = ClockTimestamp()
    if not wanted.write_branch:
        source.write_since, source.write_error, source.write_error_at = None, "", None
    source.address, source.branch = wanted.address, wanted.branch
    source.folder, source.write_branch = wanted.folder, wanted.write_branch
    source.configured_by, source.configured_at = actor, ClockTimestamp()
    source.save()
    if before != wanted:
        record(
            action="git settings changed",
            subject_kind="git",
            subject=SUBJECT,
            before=asdict(before) if before else None,
            after=asdict(wanted),
            actor=actor,
        )
    source.refresh_from_db()
    return source


@transaction.atomic
def suspend_source(*, reason: str = "", actor: User) -> GitSource:
    """Read and write nothing until somebody resumes; deliveries are noted and wait."""
    return _switch(True, "git sync suspended", reason, actor)


@transaction.atomic
def resume_source(*, actor: User) -> GitSource:
    """Go on where it stopped."""
    return _switch(False, "git sync resumed", "", actor)


@transaction.atomic
def accept_rewritten(*, head: str, actor: User) -> GitSource:
    """Go on from the head of a branch that was rewritten (a force-push); every version that was made stays.

    `head` is the one that the admin saw. Raises GitSettingRefused when it is another by now."""
    _refuse_others(actor)
    source = GitSource.objects.select_for_update().first()
    if source is None or not source.rewritten_head:
        raise GitSettingRefused("The branch is not rewritten: there is nothing to accept.")
    if source.rewritten_head != head:
        raise GitSettingRefused("The branch was rewritten once more since you looked. Look again, then accept.")
    record(
        action="git history accepted",
        subject_kind="git",
        subject=SUBJECT,
        before={"commit": source.seen_commit},
        after={"commit": head},
        actor=actor,
    )
    source.seen_commit = source.rewritten_head = source.error = ""
    source.takes_only_head, source.error_at = True, None
    source.save(update_fields=["seen_commit", "rewritten_head", "takes_only_head", "error", "error_at"])
    return source


def _switch(is_suspended: bool, action: str, reason: str, actor: User) -> GitSource:
    _refuse_others(actor)
    source = GitSource.objects.select_for_update().first()
    if source is None:
        raise GitNotConfigured("No repository is followed yet. Set one first.")
    if source.is_suspended != is_suspended:
        source.is_suspended = is_suspended
        source.save(update_fields=["is_suspended"])
        record(action=action, subject_kind="git", subject=SUBJECT, reason=reason.strip(), actor=actor)
    return source


def _refuse_others(actor: User) -> None:
    if not actor.allows(Permission.ADMINISTER):
        raise NotAllowed("This needs the Admin role.")
