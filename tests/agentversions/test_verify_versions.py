"""verify_versions checks every configuration in processes of their own and names every damaged row."""

import io
from collections.abc import Iterator

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from agentversions.core.digest import digest_of
from agentversions.core.verification import damage_of
from agentversions.models import AgentVersion, Configuration
from agentversions.services import verification
from tests.database import as_owner, empty_all_tables
from tests.factories import make_agent, make_version

pytestmark = pytest.mark.django_db(transaction=True)


def verify() -> str:
    out = io.StringIO()
    call_command("verify_versions", processes=2, stdout=out)
    return out.getvalue()


def damage(version: AgentVersion, body: str) -> None:
    """Change a stored text as only the owner of the tables could, with triggers and the CHECK out of the way."""
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE agentversions_configuration DISABLE TRIGGER USER")
        cursor.execute("ALTER TABLE agentversions_configuration DROP CONSTRAINT configuration_digest_is_sha256_of_body")
        cursor.execute(
            "UPDATE agentversions_configuration SET body = %s WHERE digest = %s", [body, version.configuration_id]
        )


@pytest.fixture
def _mended_afterwards() -> Iterator[None]:
    """Put the trigger and the CHECK back, so that the next test finds the real table."""
    yield
    constraint = next(
        each for each in Configuration._meta.constraints if each.name == "configuration_digest_is_sha256_of_body"
    )
    empty_all_tables()
    with as_owner(), connection.schema_editor() as editor:
        editor.add_constraint(Configuration, constraint)


def test_sound_versions_pass_also_over_several_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "BATCH", 2)
    agent = make_agent()
    for number in range(7):
        make_version(agent, welcome_message=f"Hello {number}")
    assert verify() == "8 configurations checked, every digest is right.\n"


@pytest.mark.usefixtures("_mended_afterwards")
def test_every_damaged_row_is_named_with_its_versions() -> None:
    agent = make_agent(slug="clinic")
    sound, broken = make_version(agent), make_version(agent, welcome_message="Hi")
    damage(broken, broken.configuration.body.replace("Hi", "Ho"))
    out = io.StringIO()
    with pytest.raises(CommandError, match="1 of 2 configurations are damaged"):
        call_command("verify_versions", processes=1, stdout=out)
    assert broken.configuration_id in out.getvalue()
    assert "Used by clinic V2." in out.getvalue()
    assert sound.configuration_id not in out.getvalue()


def test_damage_is_said_in_words() -> None:
    body = make_agent().draft.body
    digest = "0" * 64
    assert "SHA-256" in (damage_of(digest, body) or "")
    for text, words in [
        (body.replace(":", ": ", 1), "not canonical"),
        (body[:-1], "cannot be read"),
        ('{"name":""}', "does not fit the schema"),
    ]:
        assert words in (damage_of(digest_of(text), text) or "")
