"""Runs the git program, and nothing that a repository could bring along.

The program and not a library, because it is there already (it brought this installation), speaks SSH and HTTPS as the
machine's operator set them up, checks what it receives (`fsckObjects`), and reads packs outside of this process, with a
limit of time and size. The copy of a repository is bare: without a working tree there is nothing to check out, so no
hook, filter, symbolic link or submodule ever comes into play.
"""

import base64
import contextlib
import os
import shlex
import shutil
import signal
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings

from agentversions.core.git.addresses import protocol_of

from .errors import GitFailed

SAFE = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.symlinks=false",
    "core.bigFileThreshold=4m",
    "core.quotePath=false",
    "fetch.fsckObjects=true",
    "fetch.recurseSubmodules=false",
    "submodule.recurse=false",
    "gc.autoDetach=false",
    "http.followRedirects=false",
    "protocol.ext.allow=never",
    "i18n.logOutputEncoding=UTF-8",
)
KEPT_VARIABLES = (
    "PATH",
    "HOME",
    "TMPDIR",
    "SSH_AUTH_SOCK",
    "HTTPS_PROXY",
    "https_proxy",
    "NO_PROXY",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
)
UNKNOWN_CERTIFICATE = (
    "Nobody we know vouches for the host's certificate. Put the certificate of your own CA into a file on the server "
    "and name it in GIT_SYNC_CA."
)
NOTHING_THERE = "There is no repository at this address, or the token may not see it."
WHO_ARE_WE = "The host asks who we are. Set GIT_SYNC_TOKEN on the server."
REASONS = {
    "could not resolve host": "The host's name is not known. Check the address.",
    "could not resolve hostname": "The host's name is not known. Check the address.",
    "authentication failed": "The host refuses the token. Check GIT_SYNC_TOKEN on the server.",
    "could not read username": WHO_ARE_WE,
    "requested url returned error: 30": "The host sends us to another address, and the token goes nowhere but where it "
    "was meant for. Set that address.",
    "requested url returned error: 403": "The token may not do this. Let it read the repository, and write to it if "
    "versions are to be written.",
    "certificate verification failed": UNKNOWN_CERTIFICATE,
    "ssl certificate problem": UNKNOWN_CERTIFICATE,
    "error setting certificate": "The file of GIT_SYNC_CA cannot be read. Check it on the server.",
    "permission denied (publickey": "The host refuses the SSH key. Check GIT_SYNC_SSH_KEY on the server.",
    "host identification has changed": "The host's key is another than the known one: it was replaced, or somebody is "
    "in between. Ask the host, then put its new key into known_hosts.",
    "host key verification failed": "The host's key is not known. Compare it with what the host publishes, then add it "
    "to known_hosts on the server (or to the file of GIT_SYNC_KNOWN_HOSTS); ssh-keyscan prints it.",
    "dubious ownership": "The repository belongs to another user of the server than this program.",
    "does not appear to be a git repository": "There is no git repository at this address.",
    "repository not found": NOTHING_THERE,
    "/' not found": NOTHING_THERE,
    "file size limit exceeded": "The repository is larger than allowed. Raise GIT_SYNC_MB on the server.",
    "connection refused": "The host does not answer. Check the address.",
    "non-fast-forward": "Somebody else pushed to the branch in the same moment. It is tried again.",
    "stale info": "Somebody else pushed to the branch in the same moment. It is tried again.",
    "protected branch": "The host protects the branch. Choose another branch to write to.",
}


def git_command(*arguments: str, folder: Path | None = None) -> list[str]:
    """The command line: fixed options, then the arguments; never a shell line."""
    options = [word for option in SAFE for word in ("-c", option)]
    place = ["-C", str(folder), "-c", f"safe.directory={folder.resolve()}"] if folder else []
    return ["git", "--literal-pathspecs", *options, *place, *arguments]


def environment(address: str = "") -> dict[str, str]:
    """Only what git needs: no configuration of the machine or a user, no prompt, one protocol, no lazy fetching.

    The token goes through the environment, never into the command line or the copy's configuration."""
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    result = {
        **kept,
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "true",
        "SSH_ASKPASS": "true",
        "GIT_ALLOW_PROTOCOL": protocol_of(address) or "none",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_SSH_COMMAND": _ssh_command(),
    }
    if settings.GIT_SYNC_CA:
        result["GIT_SSL_CAINFO"] = settings.GIT_SYNC_CA
    if protocol_of(address) == "https" and settings.GIT_SYNC_TOKEN:
        host = urlsplit(address)
        result |= {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"http.{host.scheme}://{host.netloc}/.extraHeader",
            "GIT_CONFIG_VALUE_0": f"Authorization: Basic {_credentials()}",
        }
    return result


def _ssh_command() -> str:
    """A line for a shell, as git takes it: no question, no host that is not known."""
    words = ["ssh", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", "ConnectTimeout=15"]
    if settings.GIT_SYNC_SSH_KEY:
        words += ["-i", settings.GIT_SYNC_SSH_KEY, "-o", "IdentitiesOnly=yes"]
    if settings.GIT_SYNC_KNOWN_HOSTS:
        words += ["-o", f'UserKnownHostsFile="{settings.GIT_SYNC_KNOWN_HOSTS}"']
    return shlex.join(words)


def _credentials() -> str:
    return base64.b64encode(f"{settings.GIT_SYNC_TOKEN_USER}:{settings.GIT_SYNC_TOKEN}".encode()).decode()


def run_git(
    *arguments: str,
    folder: Path | None = None,
    address: str = "",
    given: bytes = b"",
    accepts: tuple[int, ...] = (0,),
    is_limited: bool = False,
) -> tuple[int, bytes]:
    """The exit code and output of one git command; `is_limited` bounds every file it writes.

    Raises GitFailed with a sentence for any other exit code than those accepted, and when its time is over."""
    if shutil.which("git") is None:
        raise GitFailed("The git program is not on this server. Install it, then sync again.")
    command = git_command(*arguments, folder=folder)
    if is_limited:
        # In blocks of 512 bytes; the limit holds for every program that git starts (index-pack writes the pack).
        blocks = str(max(1, settings.GIT_SYNC_LIMIT // 512))
        command = ["/bin/sh", "-c", 'ulimit -f "$1" && shift && exec "$@"', "sh", blocks, *command]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(address),
        start_new_session=True,
    )
    try:
        output, errors = process.communicate(given, timeout=settings.GIT_SYNC_TIMEOUT)
    except subprocess.TimeoutExpired as error:
        stop(process)
        words = f"The repository did not answer within {settings.GIT_SYNC_TIMEOUT:g} seconds. It is tried again."
        raise GitFailed(words) from error
    if process.returncode not in accepts:
        raise GitFailed(in_words(errors.decode("utf-8", "replace")))
    return process.returncode, output


def stop(process: "subprocess.Popen[bytes]") -> None:
    """End git and everything it started (ssh), which have a process group of their own."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def in_words(errors: str) -> str:
    """What git said as a sentence: a known reason with what to do, else its own last line."""
    lower = errors.lower()
    if "authentication failed" in lower and not settings.GIT_SYNC_TOKEN:
        return WHO_ARE_WE
    for part, sentence in REASONS.items():
        if part in lower:
            return sentence
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    said = next(
        (line for line in lines if line.startswith(("fatal:", "error:", "remote:"))), lines[-1] if lines else ""
    )
    if settings.GIT_SYNC_TOKEN:
        said = said.replace(settings.GIT_SYNC_TOKEN, "…").replace(_credentials(), "…")
    return f"Git says: {said[:300]}" if said else "Git ended without saying why."
