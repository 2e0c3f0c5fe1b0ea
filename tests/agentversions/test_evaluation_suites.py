"""Suites: every change is a revision that says for ever which cases it held; PostgreSQL keeps it so."""

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from agentversions.core.evaluations.cases import BadCase, Case, read_case
from agentversions.models import AuditEntry, EvaluationCase, EvaluationSuite, SuiteEntry
from agentversions.services.evaluations.errors import SuiteMoved, SuiteRefused
from agentversions.services.evaluations.suites import (
    cases_of,
    change_cases,
    create_suite,
    describe_suite,
    file_suite,
    find_suites,
)
from tests.factories import make_agent, make_user

pytestmark = pytest.mark.django_db


def case(name: str, text: str = "Hi", **fields: Any) -> Case:
    turns = [{"role": "user", "text": text}]
    return read_case({"name": name, "turns": turns, "expect": [{"kind": "contains", "text": "yes"}], **fields})


def suite_with(*names: str) -> EvaluationSuite:
    suite = create_suite(name="Opening hours", actor=make_user())
    change_cases(suite=suite, put=[case(name) for name in names], actor=make_user())
    return EvaluationSuite.objects.get(pk=suite.pk)


def names_at(suite: EvaluationSuite, number: int) -> list[str]:
    return [case.name for case in cases_of(suite.revisions.get(number=number))]


def test_each_revision_keeps_its_cases_in_order() -> None:
    suite = suite_with("a", "b", "c")
    revision, changed = change_cases(
        suite=suite, put=[case("b", "Hello"), case("d")], remove=["a"], seen=2, actor=make_user()
    )
    assert (changed.added, changed.replaced, changed.removed) == (1, 1, 1)
    assert (revision.number, revision.cases) == (3, 3)
    assert names_at(suite, 2) == ["a", "b", "c"]
    assert names_at(suite, 3) == ["b", "c", "d"]
    texts = {number: [one.question for one in cases_of(suite.revisions.get(number=number))] for number in (2, 3)}
    assert texts == {2: ["Hi", "Hi", "Hi"], 3: ["Hello", "Hi", "Hi"]}


def test_the_same_cases_again_make_no_revision_and_the_same_content_has_the_same_digest() -> None:
    suite, other = suite_with("a", "b"), create_suite(name="Other", actor=make_user())
    revision, changed = change_cases(suite=suite, put=[case("a"), case("b")], is_whole=True, actor=make_user())
    assert (revision.number, changed.unchanged) == (2, 2)
    same, _ = change_cases(suite=other, put=[case("a"), case("b")], actor=make_user())
    assert same.digest == revision.digest
    assert EvaluationCase.objects.count() == 2


def test_a_whole_import_takes_out_what_it_does_not_hold() -> None:
    suite = suite_with("a", "b")
    change_cases(suite=suite, put=[case("b"), case("c")], is_whole=True, actor=make_user())
    assert names_at(suite, 3) == ["b", "c"]


def test_a_name_that_comes_twice_changes_nothing() -> None:
    suite = suite_with("a")
    with pytest.raises(BadCase, match="Two cases are called “b”"):
        change_cases(suite=suite, put=[case("b"), case("b", "other")], actor=make_user())
    suite.refresh_from_db()
    assert suite.latest is not None
    assert suite.latest.number == 2


def test_two_people_at_once_are_told_of_one_another() -> None:
    suite = suite_with("a")
    change_cases(suite=suite, put=[case("b")], seen=2, actor=make_user())
    with pytest.raises(SuiteMoved, match="saved revision 3"):
        change_cases(suite=suite, put=[case("c")], seen=2, actor=make_user())


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE agentversions_evaluationcase SET body = '{}'",
        "DELETE FROM agentversions_evaluationcase",
        "UPDATE agentversions_suiterevision SET cases = 9",
        "UPDATE agentversions_suiteentry SET name = 'x'",
        "UPDATE agentversions_suiteentry SET until = NULL WHERE until IS NOT NULL",
        "DELETE FROM agentversions_suiteentry",
        "INSERT INTO agentversions_evaluationcase (digest, body) VALUES (repeat('0', 64), '{}')",
    ],
)
def test_postgresql_refuses_to_change_what_a_suite_held(statement: str) -> None:
    suite = suite_with("a", "b")
    change_cases(suite=suite, remove=["a"], actor=make_user())
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert SuiteEntry.objects.count() == 2


def test_a_suite_is_of_one_agent_or_shared_and_every_step_is_in_the_audit_trail() -> None:
    agent, actor = make_agent(slug="clinic"), make_user()
    suite = create_suite(name="Mine", agent=agent, actor=actor)
    other = make_agent(slug="garage")
    assert list(find_suites(agent=agent)) == [suite]
    assert list(find_suites(agent=other)) == []
    describe_suite(suite=suite, name="Ours", description="For all", agent=None, actor=actor)
    assert list(find_suites(agent=other)) == [suite]
    file_suite(suite=suite, is_archived=True, actor=actor)
    assert list(find_suites()) == []
    with pytest.raises(SuiteRefused, match="archived"):
        change_cases(suite=suite, put=[case("a")], actor=actor)
    actions = AuditEntry.objects.filter(subject_kind="suite", subject="mine").order_by("id")
    assert [entry.action for entry in actions] == ["suite created", "suite described", "suite archived"]


def test_a_slug_is_taken_once_and_a_name_without_one_gets_a_number() -> None:
    create_suite(name="Opening hours", actor=make_user())
    with pytest.raises(SuiteRefused, match="already"):
        create_suite(name="Opening hours", actor=make_user())
    slugs = [create_suite(name=name, actor=make_user()).slug for name in ("مواعيد", "ساعات", "New")]
    assert slugs == ["suite", "suite-2", "new-2"]
