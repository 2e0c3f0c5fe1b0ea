"""What was published stays: refused to the application by privilege, to the owner by trigger, to everybody by CHECK."""

from collections.abc import Callable

import pytest
from django.db import DatabaseError, connection, models, transaction
from django.db.models import ProtectedError

from agentversions.models import (
    Agent,
    AgentVersion,
    AuditCheck,
    AuditEntry,
    AuditSeal,
    Configuration,
    Deployment,
    LibraryRevision,
    User,
)
from agentversions.services.deployments import make_live
from agentversions.services.libraries import create_entry
from tests.database import as_owner
from tests.factories import make_agent, make_user, make_version

pytestmark = pytest.mark.django_db
APPEND_ONLY: list[type[models.Model]] = [
    Configuration,
    AgentVersion,
    Deployment,
    AuditEntry,
    AuditSeal,
    AuditCheck,
    LibraryRevision,
    Agent.history.model,
]
STATEMENTS = ["UPDATE {table} SET {column} = {column}", "DELETE FROM {table}", "TRUNCATE {table} CASCADE"]


def fill() -> None:
    """A row in every append-only table."""
    agent, admin = make_agent(), make_user("admin")
    make_live(version=make_version(agent), actor=admin)
    create_entry(kind="tool", content={"name": "sms", "endpoint": "https://example.com"}, actor=admin)
    AuditSeal.objects.create(position=1, entry=AuditEntry.objects.earliest("id"), hash="1" * 64, previous="0" * 64)
    AuditCheck.objects.create(position=1, head="1" * 64)


def statement_on(model: type[models.Model], statement: str) -> str:
    return statement.format(table=model._meta.db_table, column=model._meta.pk.column)  # type: ignore[union-attr]


@pytest.mark.parametrize("statement", STATEMENTS)
@pytest.mark.parametrize("model", APPEND_ONLY, ids=lambda model: model.__name__)
def test_the_application_may_only_read_and_append(model: type[models.Model], statement: str) -> None:
    fill()
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement_on(model, statement))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("statement", STATEMENTS)
def test_triggers_refuse_it_to_the_owner_as_well(statement: str) -> None:
    fill()
    with as_owner():
        for model in APPEND_ONLY:
            with pytest.raises(DatabaseError, match="is append-only"), connection.cursor() as cursor:
                cursor.execute(statement_on(model, statement))


CHANGES: list[Callable[[AgentVersion], object]] = [
    lambda version: AgentVersion.objects.filter(pk=version.pk).update(name="Other"),
    lambda version: AgentVersion.objects.filter(pk=version.pk).delete(),
    lambda version: version.save(),
    lambda version: version.delete(),
    lambda version: AgentVersion.objects.bulk_update([version], ["name"]),
]


@pytest.mark.parametrize("change", CHANGES)
def test_the_orm_cannot_change_a_version(change: Callable[[AgentVersion], object]) -> None:
    version = make_version(make_agent(), name="First")
    with pytest.raises(DatabaseError), transaction.atomic():
        change(version)
    assert AgentVersion.objects.get().name == "First"


def test_ignoring_triggers_from_sql_does_not_help_without_the_privilege() -> None:
    make_version(make_agent())
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('pgtrigger.ignore', '{agentversions_agentversion:append_only_rows}', true)")
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM agentversions_agentversion")


def test_the_application_role_is_neither_owner_nor_superuser() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolsuper, rolcreatedb, rolcreaterole, rolbypassrls, pg_has_role(tableowner, 'MEMBER')"
            " FROM pg_roles, pg_tables WHERE rolname = current_user AND tablename = 'agentversions_agentversion'"
        )
        assert cursor.fetchone() == (False, False, False, False, False)


def test_a_configuration_under_a_wrong_digest_is_refused() -> None:
    with pytest.raises(DatabaseError, match="digest_is_sha256_of_body"), transaction.atomic():
        Configuration.objects.create(digest="0" * 64, body="{}")


@pytest.mark.parametrize("number", [1, 3, 0])
def test_a_number_that_does_not_follow_the_last_is_refused(number: int) -> None:
    first = make_version(make_agent())
    with pytest.raises(DatabaseError), transaction.atomic():
        AgentVersion.objects.create(
            agent=first.agent,
            number=number,
            name="Gap",
            configuration_id=first.configuration_id,
            created_by=first.created_by,
        )


def test_a_version_without_a_name_is_refused() -> None:
    first = make_version(make_agent())
    with pytest.raises(DatabaseError, match="version_has_a_name"), transaction.atomic():
        AgentVersion.objects.create(
            agent=first.agent,
            number=2,
            name="",
            configuration_id=first.configuration_id,
            created_by=first.created_by,
        )


def test_whoever_authored_a_version_is_not_deleted() -> None:
    author = make_user()
    make_version(make_agent(author), author)
    with pytest.raises(ProtectedError):
        author.delete()
    assert User.objects.filter(pk=author.pk).exists()


def test_a_configuration_is_stored_once() -> None:
    assert make_agent().draft_id == make_agent().draft_id
    assert Configuration.objects.count() == 1
