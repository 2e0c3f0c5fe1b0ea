"""Grants the application's role exactly what each model allows; run by the owner after every migrate."""

from typing import Any
from urllib.parse import unquote, urlsplit

from django.apps import apps
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from psycopg import sql

EVERYTHING = ("SELECT", "INSERT", "UPDATE", "DELETE")


class Command(BaseCommand):
    """Grant the application's role its privileges, table by table."""

    help = "Grants the application's database role what each table allows. Run as the owner role."

    def handle(self, *args: Any, **options: Any) -> None:
        """Revoke everything, then grant what each model's `database_privileges` says."""
        role = unquote(urlsplit(settings.DATABASE_APP_URL).username or "")
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user")
            owner = cursor.fetchone()[0]
            close_functions(cursor)
            if role == owner:
                self.stdout.write("One role owns and uses the tables; only the triggers guard the versions.")
                return
            grant_to(cursor, role)
        self.stdout.write(f"Privileges of {role} are set.")


def grant_to(cursor: Any, role: str) -> None:
    """Grant a role the privileges of all models. Raises CommandError when there is no such role."""
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
    if cursor.fetchone() is None:
        raise CommandError(f"There is no database role “{role}”. Create it, then run this again.")
    name = sql.Identifier(role)
    cursor.execute(sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {}").format(name))
    cursor.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(name))
    cursor.execute(sql.SQL("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}").format(name))
    for function in owner_functions(cursor):
        cursor.execute(sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {}").format(sql.SQL(function), name))
    for table, privileges in privileges_by_table().items():
        words = sql.SQL(", ").join(sql.SQL(word) for word in privileges)
        cursor.execute(sql.SQL("GRANT {} ON {} TO {}").format(words, sql.Identifier(table), name))


def owner_functions(cursor: Any) -> list[str]:
    """Our functions that run with the owner's rights, each with the types of its arguments."""
    cursor.execute(
        """
        SELECT oid::regprocedure::text FROM pg_proc
        WHERE prosecdef AND pronamespace = 'public'::regnamespace AND pg_get_userbyid(proowner) = current_user
        """
    )
    return [row[0] for row in cursor.fetchall()]


def close_functions(cursor: Any) -> None:
    """What runs with the owner's rights is for the application alone: PostgreSQL opens new functions to everybody."""
    for function in owner_functions(cursor):
        cursor.execute(sql.SQL("REVOKE EXECUTE ON FUNCTION {} FROM PUBLIC").format(sql.SQL(function)))


def privileges_by_table() -> dict[str, tuple[str, ...]]:
    """Every table of every model, with what the application may do to it."""
    tables: dict[str, tuple[str, ...]] = {"django_migrations": ("SELECT",)}
    for model in apps.get_models(include_auto_created=True):
        if not model._meta.proxy:
            tables[model._meta.db_table] = getattr(model, "database_privileges", EVERYTHING)
    return tables
