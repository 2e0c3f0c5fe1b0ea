"""The live version is the newest deployment; rolling back adds a row and needs a reason."""

import pytest

from agentversions.models import AuditEntry, Deployment
from agentversions.services.deployments import live_version, make_live, require_live_version, roll_back
from agentversions.services.errors import NotLive, ReasonMissing
from tests.factories import make_agent, make_user, make_version

pytestmark = pytest.mark.django_db


def test_an_agent_has_no_live_version_until_somebody_makes_one_live() -> None:
    agent = make_agent()
    make_version(agent)
    assert live_version(agent) is None
    with pytest.raises(NotLive, match="no live version yet"):
        require_live_version(agent)


def test_the_newest_deployment_is_live_and_rolling_back_adds_a_row() -> None:
    agent, operator = make_agent(), make_user("operator")
    first, second = make_version(agent), make_version(agent, welcome_message="Hi")
    make_live(version=first, actor=operator)
    make_live(version=second, actor=operator)
    roll_back(agent=agent, to=first, reason="Transfers failed", actor=operator)
    assert live_version(agent) == first
    rows = Deployment.objects.order_by("id")
    assert [(row.version.number, row.is_rollback) for row in rows] == [(1, False), (2, False), (1, True)]
    newest = AuditEntry.objects.order_by("-id").first()
    assert newest is not None
    assert (newest.action, newest.reason) == ("rolled back", "Transfers failed")
    assert (newest.before, newest.after) == ({"version": 2}, {"version": 1})


def test_rolling_back_needs_a_reason_and_something_live() -> None:
    agent, operator = make_agent(), make_user("operator")
    version = make_version(agent)
    with pytest.raises(ReasonMissing):
        roll_back(agent=agent, to=version, reason=" ", actor=operator)
    with pytest.raises(NotLive):
        roll_back(agent=agent, to=version, reason="Try", actor=operator)


def test_going_live_leaves_the_draft_and_the_version_alone() -> None:
    agent = make_agent()
    version, draft = make_version(agent), agent.draft_id
    make_live(version=version, actor=make_user("operator"))
    agent.refresh_from_db()
    assert agent.draft_id == draft
    assert agent.history.count() == 1
