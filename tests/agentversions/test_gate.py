"""The gate before live: required suites on exactly this digest; overrides by another than the author, with a reason."""

import pytest
from django.db import IntegrityError, transaction

from agentversions.models import (
    AuditEntry,
    CaseResult,
    Configuration,
    EvaluationRun,
    EvaluationSuite,
    ReleaseOverride,
)
from agentversions.models.database import database_now
from agentversions.services.deployments import live_version, make_live, promote
from agentversions.services.errors import NotAllowed, NotReady, OwnWork, ReasonMissing, RequestRefused, RulesRefused
from agentversions.services.evaluations.suites import change_cases, file_suite
from agentversions.services.readiness import override_readiness, readiness_of
from agentversions.services.release_rules import rules_of, set_rules
from tests.factories import make_agent, make_user, make_version

from .evaluations import case, suite_of
from .releases import Release, make_release

pytestmark = pytest.mark.django_db


@pytest.fixture
def suite() -> EvaluationSuite:
    return suite_of(case("a", must_pass=True), case("b"))


@pytest.fixture
def release(suite: EvaluationSuite) -> Release:
    return make_release(suites=(suite.slug,))


def ran(suite: EvaluationSuite, release: Release, configuration: Configuration, *outcomes: str) -> EvaluationRun:
    """A run of the newest revision that has ended like this, as its rows say it; nobody was asked."""
    suite.refresh_from_db()
    run: EvaluationRun = EvaluationRun.objects.create(
        revision=suite.latest,
        agent=release.agent,
        configuration=configuration,
        environment="production",
        settings={},
        created_by=release.editor,
    )
    for entry, outcome in zip(suite.entries.filter(until=None).order_by("position"), outcomes, strict=True):
        CaseResult.objects.create(
            run=run,
            case_id=entry.case_id,
            name=entry.name,
            position=entry.position,
            outcome=outcome,
            must_pass=entry.case.load().must_pass,
        )
    EvaluationRun.objects.filter(pk=run.pk).update(state="running")
    EvaluationRun.objects.filter(pk=run.pk).update(state="done", ended_at=database_now())
    return run


def test_what_was_not_run_fails(suite: EvaluationSuite, release: Release) -> None:
    with pytest.raises(NotReady, match="has not been run to its end on exactly this configuration") as refusal:
        make_live(version=release.second, actor=release.operator)
    assert refusal.value.members["missing"][0]["suite"] == suite.slug


def test_a_version_that_is_as_good_as_live_passes_and_a_newer_revision_asks_again(
    suite: EvaluationSuite, release: Release
) -> None:
    ran(suite, release, release.first.configuration, "pass", "pass")
    ran(suite, release, release.second.configuration, "pass", "pass")
    assert readiness_of(release.second).is_ready
    change_cases(suite=suite, put=[case("c")], actor=release.editor)
    with pytest.raises(NotReady, match="revision 3"):
        make_live(version=release.second, actor=release.operator)


def test_a_must_pass_case_that_fell_holds_it_and_a_tolerance_lets_others_fall(
    suite: EvaluationSuite, release: Release
) -> None:
    ran(suite, release, release.first.configuration, "pass", "pass")
    ran(suite, release, release.second.configuration, "fail", "pass")
    with pytest.raises(NotReady, match="must pass, did on the live version, and no longer does"):
        make_live(version=release.second, actor=release.operator)
    third = make_version(release.agent, release.editor, welcome_message="Other")
    ran(suite, release, third.configuration, "pass", "fail")
    with pytest.raises(NotReady, match=r"scores 50\.0%"):
        make_live(version=third, actor=release.operator)
    set_rules(agent=release.agent, approvals=0, tolerance=0.5, suites=[suite.slug], actor=release.admin)
    make_live(version=third, actor=release.operator)
    assert live_version(release.agent) == third


def test_an_approver_overrides_with_a_reason_that_stays_in_the_history(release: Release) -> None:
    with pytest.raises(NotAllowed, match="Only an approver"):
        make_live(version=release.second, override_reason="Now", actor=release.operator)
    with pytest.raises(ReasonMissing):
        override_readiness(version=release.second, reason=" ", actor=release.approver)
    override_readiness(version=release.second, reason="Outage of the provider", actor=release.approver)
    deployment = make_live(version=release.second, actor=release.operator)
    assert deployment.override is not None
    assert (deployment.override.reason, deployment.override.created_by) == ("Outage of the provider", release.approver)
    actions = list(AuditEntry.objects.filter(subject="clinic").order_by("-id").values_list("action", "reason")[:2])
    assert actions == [("made live", ""), ("gate overridden", "Outage of the provider")]


def test_nobody_overrides_for_what_they_wrote(release: Release) -> None:
    mine = make_version(release.agent, release.admin, welcome_message="Mine")
    with pytest.raises(OwnWork):
        make_live(version=mine, override_reason="Trust me", actor=release.admin)
    with pytest.raises(IntegrityError, match="wrote themselves"), transaction.atomic():
        ReleaseOverride.objects.create(version=mine, keys=[], words="", reason="x", created_by=release.admin)


def test_an_override_stands_for_what_was_missing_beside_what_was_live(suite: EvaluationSuite, release: Release) -> None:
    override_readiness(version=release.second, reason="Outage", actor=release.approver)
    assert readiness_of(release.second).is_ready
    with pytest.raises(RequestRefused, match="nothing to override"):
        override_readiness(version=release.second, reason="Again", actor=release.approver)
    set_rules(agent=release.agent, approvals=1, tolerance=0, suites=[suite.slug], actor=release.admin)
    assert not readiness_of(release.second).is_ready
    set_rules(agent=release.agent, approvals=0, tolerance=0, suites=[suite.slug], actor=release.admin)
    third = make_version(release.agent, release.editor, welcome_message="Other")
    make_live(version=third, override_reason="Both", actor=make_user("operator", "approver"))
    assert not readiness_of(release.second).is_ready


def test_promoting_asks_nothing_again(release: Release) -> None:
    assert promote(version=release.second, reason="Canary was fine", actor=release.operator).version == release.second


def test_only_an_admin_sets_the_rules_and_they_are_recorded(suite: EvaluationSuite, release: Release) -> None:
    with pytest.raises(NotAllowed):
        set_rules(agent=release.agent, approvals=0, tolerance=0, suites=[], actor=release.editor)
    other = suite_of(case("x"), name="Other")
    foreign = make_agent(slug="other")
    EvaluationSuite.objects.filter(pk=other.pk).update(agent=foreign)
    for wrong, field in (
        ({"approvals": 3}, "approvals"),
        ({"tolerance": 1.5}, "tolerance"),
        ({"suites": [other.slug]}, "suites"),
    ):
        with pytest.raises(RulesRefused) as refusal:
            set_rules(
                **{"agent": release.agent, "approvals": 0, "tolerance": 0, "suites": [], "actor": release.admin} | wrong
            )
        assert refusal.value.field == field
    entry = AuditEntry.objects.filter(action="release rules changed").get()
    assert entry.after == {"approvals": 0, "tolerance": 0, "suites": [suite.slug]}


def test_an_archived_suite_stays_required_until_an_admin_says_otherwise(
    suite: EvaluationSuite, release: Release
) -> None:
    file_suite(suite=suite, is_archived=True, actor=release.editor)
    assert rules_of(release.agent).suites == (suite,)
    with pytest.raises(NotReady):
        make_live(version=release.second, actor=release.operator)
    set_rules(agent=release.agent, approvals=1, tolerance=0, suites=[suite.slug], actor=release.admin)
    set_rules(agent=release.agent, approvals=0, tolerance=0, suites=[], actor=release.admin)
    make_live(version=release.second, actor=release.operator)
