"""The folder that holds what belongs to this installation and to no other: keys, ports, the embedded database."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent


def data_folder() -> Path:
    """The folder for local state, `.data` beside the code unless AGENT_VERSIONS_DATA names another, for its owner."""
    folder = Path(os.environ.get("AGENT_VERSIONS_DATA") or PROJECT / ".data").resolve()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def read_or_create_private(path: Path, make: Callable[[], str]) -> str:
    """The text of a file with mode 0600, made once; two processes that start together end with the same text."""
    if not path.exists():
        write_private(path, make(), replace=False)
    return path.read_text(encoding="utf-8")


def write_private(path: Path, text: str, *, replace: bool = True) -> None:
    """Write a file with mode 0600 in one step, so that a reader never sees half of it or a wider mode."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    if replace:
        draft.replace(path)
        return
    try:
        os.link(draft, path)  # fails when another process was first: its text wins
    except FileExistsError:
        pass
    finally:
        draft.unlink()
