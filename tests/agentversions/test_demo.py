"""The demo is real: it goes through the services, reads well, and is loaded once."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from agentversions.core.problems import blocking, find_problems
from agentversions.core.release import Verdict
from agentversions.demo.stories import read_stories
from agentversions.models import (
    Agent,
    AgentVersion,
    ApprovalRequest,
    CaseResult,
    EvaluationRun,
    LibraryEntry,
    User,
)
from agentversions.services.approval_discussion import discuss
from agentversions.services.approvals import decide
from agentversions.services.comparison import changes_since_latest
from agentversions.services.deployments import live_version
from agentversions.services.readiness import readiness_of


@pytest.fixture
def embedded(settings):
    """The embedded PostgreSQL, also where the tests run on a server."""
    settings.USES_EMBEDDED_POSTGRES = True


def load() -> str:
    out = StringIO()
    call_command("load_demo", stdout=out)
    return out.getvalue()


@pytest.mark.django_db
@pytest.mark.usefixtures("embedded")
def test_the_clinic_has_seven_versions_and_a_draft_with_three_changes():
    load()
    agent = Agent.objects.get(slug="clinic-receptionist")
    assert agent.versions.count() == 7
    assert live_version(agent).number == 7
    assert len(changes_since_latest(agent)[1].changes) == 3


@pytest.mark.django_db
@pytest.mark.usefixtures("embedded")
def test_versions_are_spread_over_the_past_weeks_in_their_order():
    load()
    for agent in Agent.objects.all():
        times = list(agent.versions.order_by("number").values_list("created_at", flat=True))
        assert times == sorted(times)
        assert times[-1] < timezone.now()
        assert times[-1] - times[0] > timedelta(days=10)


@pytest.mark.django_db
@pytest.mark.usefixtures("embedded")
def test_what_the_agents_picked_stands_in_the_libraries_and_one_tool_moved_on():
    load()
    entries = {(entry.kind, entry.slug): entry for entry in LibraryEntry.objects.select_related("latest")}
    picked = []
    for agent in Agent.objects.all():
        draft = agent.draft.load()
        picked += [("tool", tool.name, tool.library) for tool in draft.tools if tool.library]
        picked += [("knowledge_base", base.id, base.library) for base in draft.knowledge_bases if base.library]
    assert len(picked) == 3
    for kind, _, link in picked:
        assert entries[kind, link.entry].revisions.filter(number=link.revision).exists()
    assert entries["tool", "book_appointment"].latest.number == 2


@pytest.mark.django_db
@pytest.mark.usefixtures("embedded")
def test_loading_again_changes_nothing():
    said = load()
    before = (User.objects.count(), Agent.objects.count(), AgentVersion.objects.count())
    assert "loaded before" in load()
    assert (User.objects.count(), Agent.objects.count(), AgentVersion.objects.count()) == before
    assert "pm@example.com" in said


@pytest.mark.django_db
@pytest.mark.usefixtures("embedded")
def test_the_printed_password_signs_in(client):
    password = load().splitlines()[0].split()[-1]
    assert User.objects.get(username="pm").check_password(password)
    assert User.objects.get(username="admin").is_superuser


@pytest.mark.django_db
def test_a_database_of_your_own_gets_no_demo_sign_ins(settings):
    settings.USES_EMBEDDED_POSTGRES = False
    with pytest.raises(CommandError, match="DATABASE_URL is set"):
        load()
    assert not User.objects.exists()


def test_every_step_of_the_demo_could_be_published_and_changes_something():
    for story in read_stories():
        assert all(not blocking(find_problems(step.content)) for step in story.steps)
        assert len({step.content.model_dump_json() for step in story.steps}) == len(story.steps)


@pytest.mark.django_db
@pytest.mark.usefixtures("embedded")
def test_a_version_waits_for_approval_with_its_evidence_and_a_comment_on_a_line():
    load()
    request = ApprovalRequest.objects.open().get()
    readiness = readiness_of(request.version)
    assert [one.key for one in readiness.missing] == ["approval"]
    runs = EvaluationRun.objects.order_by("pk")
    assert [(run.version.number, run.state) for run in runs] == [(3, "done"), (4, "done")]
    assert [run.results.filter(outcome="fail").count() for run in runs] == [1, 0]
    assert not CaseResult.objects.exclude(error="").exists()
    (said,) = discuss(request, request.created_by).comments
    assert said.quoted.startswith("Si tu entends une annonce")
    decide(
        request=request,
        verdict=Verdict.APPROVE,
        digest=request.digest,
        seen_live=3,
        actor=User.objects.get(username="approver"),
    )
    assert live_version(request.agent) == request.version


@pytest.mark.django_db
@pytest.mark.usefixtures("embedded")
def test_an_evaluation_of_the_demo_leaves_the_settings_as_they_were(settings):
    settings.LLM_ENDPOINTS = {"production": {"providers": {}}}
    load()
    assert settings.LLM_ENDPOINTS == {"production": {"providers": {}}}
