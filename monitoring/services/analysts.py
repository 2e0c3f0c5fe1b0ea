"""The database role of analysts: it reads three views and nothing else."""

import secrets
from typing import Any

from psycopg import sql

GROUP = "agent_versions_analyst"
VIEWS = ("analytics_calls", "analytics_versions", "analytics_assignments")


def may_make_roles(cursor: Any) -> bool:
    """Whether the connected role may create others."""
    cursor.execute("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user")
    return bool(cursor.fetchone()[0])


def role_exists(cursor: Any, name: str) -> bool:
    """Whether the server has a role of this name."""
    cursor.execute("SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = %s)", [name])
    return bool(cursor.fetchone()[0])


def group_statements(group: str) -> list[sql.Composed]:
    """What gives the group its rights; running it again changes nothing."""
    name = sql.Identifier(group)
    views = sql.SQL(", ").join(sql.Identifier(view) for view in VIEWS)
    return [
        sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(name),
        sql.SQL("GRANT SELECT ON {} TO {}").format(views, name),
    ]


def make_group(group: str) -> sql.Composed:
    """The group itself, which nobody signs in as."""
    return sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(group))


def make_login(login: str, group: str, verifier: str) -> list[sql.Composed]:
    """A person's or a tool's own role in the group; `verifier` is PostgreSQL's SCRAM form of the password."""
    name = sql.Identifier(login)
    return [
        sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} IN ROLE {}").format(
            name, sql.Literal(verifier), sql.Identifier(group)
        ),
        sql.SQL("ALTER ROLE {} SET default_transaction_read_only = on").format(name),
        sql.SQL("ALTER ROLE {} SET statement_timeout = '5min'").format(name),
    ]


def draw_password(connection: Any, login: str) -> tuple[str, str]:
    """A new password, and its SCRAM verifier: the password itself reaches neither the server nor its log."""
    password = secrets.token_urlsafe(24)
    encrypted = connection.pgconn.encrypt_password(password.encode(), login.encode(), b"scram-sha-256")
    return password, encrypted.decode()
