"""Database addresses as one URL, the form every hosting service hands out."""

from typing import TypedDict
from urllib.parse import parse_qsl, quote, unquote, urlsplit


class DatabaseAddress(TypedDict):
    """The parts Django wants; `OPTIONS` goes to libpq as it stands (sslmode, connect_timeout, …)."""

    NAME: str
    USER: str
    PASSWORD: str
    HOST: str
    PORT: str
    OPTIONS: dict[str, str]


class BadDatabaseUrl(ValueError):
    """The URL cannot be used; the message says what to write and never repeats the password."""


EXAMPLE = "postgres://user:password@host:5432/database"


def parse_database_url(url: str) -> DatabaseAddress:
    """Split `postgres://user:password@host:port/database?option=value`; a socket folder is the host, as %2F."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise BadDatabaseUrl(
            f"The database URL has a port or host that cannot be read; write it like {EXAMPLE}."
        ) from error
    if parts.scheme not in {"postgres", "postgresql"}:
        raise BadDatabaseUrl(f"The database URL must start with postgres:// ; write it like {EXAMPLE}.")
    name = unquote(parts.path.removeprefix("/"))
    if not name or "/" in name:
        raise BadDatabaseUrl(f"The database URL names no database; write it like {EXAMPLE}.")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    host = options.pop("host", "") or _host(parts.netloc)
    return {
        "NAME": name,
        "USER": unquote(parts.username or options.pop("user", "")),
        "PASSWORD": unquote(parts.password or options.pop("password", "")),
        "HOST": host,
        "PORT": str(port or options.pop("port", "")),
        "OPTIONS": options,
    }


def with_database(url: str, name: str) -> str:
    """The same server and role, another database."""
    return urlsplit(url.strip())._replace(path=f"/{quote(name, safe='')}").geturl()


def _host(netloc: str) -> str:
    """The host as written: `urlsplit` lowers it, which would break the path of a socket folder."""
    address = netloc.rpartition("@")[2]
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return unquote(address.partition(":")[0])
