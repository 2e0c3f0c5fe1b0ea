"""Database addresses are read as every hosting service writes them."""

import pytest

from config.database_url import BadDatabaseUrl, parse_database_url, with_database


def test_every_part_of_an_address_is_read() -> None:
    assert parse_database_url("postgres://ann:secret@db.example:6432/versions?sslmode=require") == {
        "NAME": "versions",
        "USER": "ann",
        "PASSWORD": "secret",
        "HOST": "db.example",
        "PORT": "6432",
        "OPTIONS": {"sslmode": "require"},
    }


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_both_names_of_the_scheme_work(scheme: str) -> None:
    assert parse_database_url(f"{scheme}://localhost/versions")["HOST"] == "localhost"


def test_signs_in_a_password_are_decoded() -> None:
    address = parse_database_url("postgres://a%40b:p%40ss%2Fw%3Ard%25@h/d%20b")
    assert (address["USER"], address["PASSWORD"], address["NAME"]) == ("a@b", "p@ss/w:rd%", "d b")


@pytest.mark.parametrize(
    "url",
    ["postgres:///versions?host=/run/PostgreSQL&port=5433", "postgres://%2Frun%2FPostgreSQL:5433/versions"],
)
def test_a_socket_folder_keeps_its_capitals(url: str) -> None:
    address = parse_database_url(url)
    assert (address["HOST"], address["PORT"], address["NAME"]) == ("/run/PostgreSQL", "5433", "versions")


def test_an_ipv6_address_loses_its_brackets() -> None:
    address = parse_database_url("postgres://u:p@[2001:db8::1]:5432/v")
    assert (address["HOST"], address["PORT"]) == ("2001:db8::1", "5432")


def test_missing_parts_are_empty_so_that_libpq_decides() -> None:
    address = parse_database_url("postgres:///versions")
    assert (address["HOST"], address["PORT"], address["USER"], address["PASSWORD"]) == ("", "", "", "")


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:hidden@h/d",
        "versions",
        "postgres://u:hidden@h",
        "postgres://u:hidden@h:port/d",
        "postgres://u:hidden@h:99999/d",
        "postgres://u:hidden@[::1/d",
        "",
    ],
)
def test_an_unusable_address_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(BadDatabaseUrl, match="write it like") as refusal:
        parse_database_url(url)
    assert "hidden" not in str(refusal.value)


def test_another_database_keeps_the_rest_of_the_address() -> None:
    assert with_database("postgres://u:p@h:1/d?sslmode=require", "a b") == "postgres://u:p@h:1/a%20b?sslmode=require"
