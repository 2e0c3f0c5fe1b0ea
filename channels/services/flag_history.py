"""What a flag did over time: every revision with who, why and what changed."""

from dataclasses import dataclass

from channels.core.flag_changes import changes_in_words
from channels.models import Flag, FlagRevision

PER_PAGE = 20


@dataclass(frozen=True)
class FlagChange:
    """One revision, and what it changed, as sentences."""

    revision: FlagRevision
    words: tuple[str, ...]
    is_current: bool


@dataclass(frozen=True)
class FlagHistory:
    """Some revisions, the newest first; `older` is the number below which there are more."""

    changes: tuple[FlagChange, ...]
    older: int | None


def list_history(flag: Flag, *, below: int | None = None) -> FlagHistory:
    """Twenty revisions, the newest of them first."""
    rows = FlagRevision.objects.filter(flag=flag).select_related("created_by").order_by("-number")
    # One more than is shown: each is compared with the one before it.
    found = list((rows.filter(number__lt=below) if below else rows)[: PER_PAGE + 1])
    changes = tuple(
        FlagChange(row, words_of(before, row), is_current=below is None and index == 0)
        for index, (row, before) in enumerate(zip(found[:PER_PAGE], [*found[1:], None], strict=False))
    )
    return FlagHistory(changes, found[PER_PAGE - 1].number if len(found) > PER_PAGE else None)


def words_of(before: FlagRevision | None, after: FlagRevision) -> tuple[str, ...]:
    """What a revision changed, as sentences."""
    if before is None:
        return ("Created",)
    words = []
    if before.is_archived != after.is_archived:
        words.append("Archived" if after.is_archived else "Brought back")
    words += changes_in_words(before.value, after.value)
    if before.description != after.description:
        words.append("Description changed")
    return tuple(words)
