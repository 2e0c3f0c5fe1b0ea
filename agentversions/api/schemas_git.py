"""What the API says about git: the repository, how far it was read, and where agents differ from it."""

from datetime import datetime

from .schemas import Answer


class GitDrift(Answer):
    """One agent (null: a folder that is none yet) beside its folder; `differs` in words, empty where it is the same."""

    agent: str | None
    folder: str
    latest: int | None
    live: int | None
    commit: str
    problem: str
    differs: list[str]


class GitAnswer(Answer):
    """`state` is off, never, well, behind, failing, rewritten or suspended; `behind` counts commits not read yet."""

    state: str
    address: str
    branch: str
    folder: str
    write_branch: str
    seen_commit: str
    head_commit: str
    behind: int
    lag_seconds: int
    waiting_to_be_written: int
    checked_at: datetime | None
    succeeded_at: datetime | None
    error: str
    write_error: str
    drift: list[GitDrift]


class GitAsked(Answer):
    """A sync was asked for; `GET /git` shows what it brings."""

    state: str
