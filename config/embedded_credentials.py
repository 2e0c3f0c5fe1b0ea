"""Port and passwords of the embedded PostgreSQL, drawn once and kept in the data folder with mode 0600."""

import json
import secrets
import socket
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from config.data_folder import data_folder, read_or_create_private, write_private
from config.problem import Problem

DATABASE = "agent_versions"
OWNER = "agent_versions_owner"
APP = "agent_versions_app"
SUPERUSER = "postgres"
NOT_LENT = range(20_000, 32_768)


@dataclass(frozen=True)
class Credentials:
    """What a client needs; passwords are URL-safe, so that they need no quoting anywhere."""

    port: int
    superuser_password: str
    owner_password: str
    app_password: str

    def url(self, role: str, database: str = DATABASE) -> str:
        """The address for one of the three roles."""
        passwords = {OWNER: self.owner_password, APP: self.app_password, SUPERUSER: self.superuser_password}
        return f"postgres://{role}:{passwords[role]}@127.0.0.1:{self.port}/{database}"


def credentials_file() -> Path:
    """Where the credentials are kept."""
    return data_folder() / "postgres.json"


def load_credentials() -> Credentials:
    """The credentials of this copy of the project, made at the first call; nothing has to run for that."""
    return Credentials(**json.loads(read_or_create_private(credentials_file(), _new_credentials)))


def move_to_free_port(credentials: Credentials) -> Credentials:
    """Store another port, when somebody else took ours while the server was down."""
    moved = replace(credentials, port=free_port())
    write_private(credentials_file(), json.dumps(asdict(moved), indent=1))
    return moved


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody has, below those that Linux lends to outgoing connections.

    A lent one could be taken from a server by any connection while the server restarts.
    """
    for port in secrets.SystemRandom().sample(NOT_LENT, len(NOT_LENT)):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise Problem(f"No port from {NOT_LENT.start} to {NOT_LENT.stop - 1} of 127.0.0.1 is free.")


def _new_credentials() -> str:
    passwords = {f"{role}_password": secrets.token_urlsafe(32) for role in ("superuser", "owner", "app")}
    return json.dumps({"port": free_port(), **passwords}, indent=1)
