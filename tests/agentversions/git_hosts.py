"""Hosts of git on loopback: HTTPS through git's own http-backend behind TLS, SSH through a real sshd."""

import base64
import getpass
import http.server
import ipaddress
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@dataclass
class HttpsHost:
    """A running host: who may come in, where it sends everybody, what it was asked, and what the machine's process
    list held meanwhile."""

    root: Path
    certificate: Path
    token: str = ""
    sends_to: str = ""
    status: int = 0
    port: int = 0
    asked: list[tuple[str, str]] = field(default_factory=list)
    processes: list[str] = field(default_factory=list)

    def address(self, repository: Path) -> str:
        """The address of a repository below the root."""
        return f"https://127.0.0.1:{self.port}/{repository.relative_to(self.root)}"


@contextmanager
def https_host(root: Path, certificate: Path, **fields: Any) -> Iterator[HttpsHost]:
    """Serve the repositories below a folder; `certificate` holds the key as well."""
    host = HttpsHost(root, certificate, **fields)
    handler = type("Handler", (_Handler,), {"host": host})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    # Whoever breaks off the handshake does not trust the certificate: that is what a test is about.
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    host.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield host
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    host: HttpsHost

    def do_GET(self) -> None:
        """What git asks for."""
        host, given = self.host, self.headers.get("Authorization", "")
        host.asked.append((self.path, given))
        host.processes += _command_lines()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if host.sends_to:
            self._answer(302, b"", Location=f"{host.sends_to}{self.path}")
        elif host.status:
            self._answer(host.status, b"remote: no\n")
        elif host.token and given != _basic(host.token):
            self._answer(401, b"", **{"WWW-Authenticate": 'Basic realm="agents"'})
        else:
            self._run(body)

    def do_POST(self) -> None:
        """What git sends."""
        self.do_GET()

    def log_message(self, *words: Any) -> None:
        """Nothing: what was asked is kept."""

    def _run(self, body: bytes) -> None:
        path, _, query = self.path.partition("?")
        headers = {
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        done = subprocess.run(
            ["git", "-c", "http.receivepack=true", "http-backend"],
            input=body,
            capture_output=True,
            check=True,
            env={
                "PATH": os.environ["PATH"],
                "GIT_PROJECT_ROOT": str(self.host.root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_CONFIG_GLOBAL": os.devnull,
                "REQUEST_METHOD": self.command,
                "PATH_INFO": path,
                "QUERY_STRING": query,
                **headers,
            },
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.decode().split(": ", 1) for line in head.split(b"\r\n"))
        self._answer(int(fields.pop("Status", "200").split()[0]), content, **fields)

    def _answer(self, status: int, content: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def make_certificate(folder: Path) -> Path:
    """A certificate of 127.0.0.1 that nobody signed, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "git of the tests")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    file = folder / "certificate.pem"
    file.write_bytes(
        key.private_bytes(pem, plain, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return file


def _basic(token: str) -> str:
    return "Basic " + base64.b64encode(f"x-access-token:{token}".encode()).decode()


def _command_lines() -> list[str]:
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found.append(file.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
    return found


@dataclass(frozen=True)
class SshHost:
    """A running sshd: its port, its line for known_hosts, and a key that it lets in."""

    port: int
    known: str
    key: Path

    def address(self, repository: Path) -> str:
        """The address of a repository on this machine."""
        return f"ssh://{getpass.getuser()}@127.0.0.1:{self.port}{repository}"


@contextmanager
def ssh_host(folder: Path) -> Iterator[SshHost]:
    """Run sshd as this user; skips where the program is not there."""
    program = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
    if program is None or shutil.which("ssh-keygen") is None:
        pytest.skip("sshd is not on this machine: install openssh-server to try repositories over SSH.")
    if os.geteuid() == 0:
        with suppress(OSError):
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # Started by root, sshd wants it.
    for name in ("host key", "our key"):
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(words, check=True, stdin=subprocess.DEVNULL)
    port = _free_port()
    (folder / "sshd_config").write_text(
        f'HostKey "{folder}/host key"\nAuthorizedKeysFile "{folder}/our key.pub"\nPidFile none\nStrictModes no\n'
        f"UsePAM no\nPasswordAuthentication no\nPermitRootLogin prohibit-password\nListenAddress 127.0.0.1:{port}\n"
    )
    log = folder / "sshd.log"
    command = [program, "-D", "-f", str(folder / "sshd_config"), "-E", str(log)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        _wait(port, process, log)
        public = (folder / "host key.pub").read_text().rsplit(" ", 1)[0]
        yield SshHost(port, f"[127.0.0.1]:{port} {public}\n", folder / "our key")
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.skip(f"sshd does not start here: {log.read_text()[-200:]}")
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise AssertionError("sshd did not answer.")
