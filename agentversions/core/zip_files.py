"""Zip archives from outside, read within limits; written so that equal content gives equal bytes."""

import io
import re
import stat
import zipfile
import zlib
from pathlib import PurePosixPath

MAX_FILES = 20_000
MAX_EXPANDED_BYTES = 100_000_000
MAX_RATIO = 100
RATIO_COUNTS_FROM_BYTES = 10_000_000
"""Below this an archive may be as tight as it likes: a prompt of one repeated letter is no bomb."""
BORN = (1980, 1, 1, 0, 0, 0)


class BadArchive(ValueError):
    """An archive that is not opened; the message says why."""


def looks_like_zip(content: bytes) -> bool:
    """Whether these bytes begin as a zip archive does."""
    return content[:4] in {b"PK\x03\x04", b"PK\x05\x06"}


def read_zip(content: bytes) -> dict[str, bytes]:
    """The files of an archive by their relative path. Raises BadArchive: nothing outside the archive is ever named."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            _refuse_bombs(members, len(content))
            files: dict[str, bytes] = {}
            seen: set[str] = set()
            for member in members:
                path = _safe_path(member)
                if path.casefold() in seen:
                    raise BadArchive(f"The archive holds “{path}” twice. Keep one of them.")
                seen.add(path.casefold())
                files[path] = archive.read(member)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise BadArchive("The zip archive is damaged, encrypted or of an unusual kind. Pack it again.") from error
    return files


def write_zip(files: dict[str, bytes]) -> bytes:
    """An archive of these files; the same files give the same bytes, so archives can be compared by their hash."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for path in sorted(files):
            member = zipfile.ZipInfo(path, date_time=BORN)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o644 << 16
            archive.writestr(member, files[path])
    return buffer.getvalue()


def _refuse_bombs(members: list[zipfile.ZipInfo], packed: int) -> None:
    """Judge by the declared sizes; the reader stops at them, so that a lie ends in a damaged archive."""
    expanded = sum(member.file_size for member in members)
    if len(members) > MAX_FILES:
        raise BadArchive(f"The archive holds {len(members):,} files; the limit is {MAX_FILES:,}.")
    if expanded > MAX_EXPANDED_BYTES:
        raise BadArchive(
            f"Unpacked, the archive has {expanded / 1e6:,.0f} MB; the limit is {MAX_EXPANDED_BYTES / 1e6:,.0f} MB."
        )
    if expanded > RATIO_COUNTS_FROM_BYTES and expanded > MAX_RATIO * packed:
        raise BadArchive(f"The archive unpacks to more than {MAX_RATIO} times its size, so it is not opened.")


def _safe_path(member: zipfile.ZipInfo) -> str:
    path = member.filename
    if stat.S_ISLNK(member.external_attr >> 16):
        raise BadArchive(f"“{path}” in the archive is a link. Pack the file itself.")
    if "\\" in path or path.startswith("/") or re.match(r"[A-Za-z]:", path) or ".." in PurePosixPath(path).parts:
        raise BadArchive(f"“{path}” in the archive points outside of it. Pack the files with plain relative names.")
    if any(ord(letter) < 32 for letter in path):
        raise BadArchive("A file name in the archive holds control characters. Rename the file.")
    return str(PurePosixPath(path))
