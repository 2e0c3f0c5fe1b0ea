"""The Python client against the real runtime: keeps configurations, tries again, survives, decides by itself."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from agent_versions_client import Client, NotFound, Plan, Refused, Unreachable

from agentversions.models import Agent
from channels.api.plans import plan_answer
from channels.core.routes import Target, WantedVariant
from channels.core.routing import choose
from channels.models import Channel
from channels.runtime.application import Runtime
from channels.services.explain import load_route
from channels.services.flags_in_force import load_flags
from channels.services.routes import plan_test, save_route
from tests.channels.runtime import resolve_token, running
from tests.factories import make_agent, make_channel, make_user

pytestmark = pytest.mark.django_db(transaction=True)
NUMBER = "+33198765432"


class Line(httpx.BaseTransport):
    """The way to the runtime: counts questions, and can be cut or made to fail so many times."""

    def __init__(self, runtime: Runtime) -> None:
        self._inner = httpx.WSGITransport(app=runtime)
        self.asked: list[dict[str, Any]] = []
        self.is_cut = False
        self.failures = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(json.loads(request.content or b"{}"))
        if self.is_cut:
            raise httpx.ConnectError("cut")
        if self.failures:
            self.failures -= 1
            return httpx.Response(503)
        return self._inner.handle_request(request)


@pytest.fixture
def agent() -> Agent:
    return make_agent(slug="clinic", system_prompt='Grüße, “quoted” "configuration": 0.1 \u2028')


@pytest.fixture
def channel(agent: Agent) -> Channel:
    return make_channel(agent, address=NUMBER)


@pytest.fixture
def line(tmp_path: Path, channel: Channel) -> Iterator[Line]:
    with running(tmp_path / "store.sqlite3") as runtime:
        yield Line(runtime)


def make_client(line: Line, folder: Path | None = None, token: str = "", **options: Any) -> Client:
    return Client("http://server", token or resolve_token(), folder=folder, transport=line, **options)


def test_a_configuration_is_sent_once(line: Line, agent: Agent, tmp_path: Path) -> None:
    client = make_client(line, tmp_path / "kept")
    first = client.resolve(NUMBER, caller="+33612345678", call_id="c-1")
    second = client.resolve(NUMBER, caller="+33612345678", call_id="c-2")
    assert first.configuration == second.configuration == json.loads(agent.draft.body)
    assert (first.agent, first.version, first.digest, first.reason) == ("clinic", None, agent.draft_id, "STATIC")
    assert first.resolution != second.resolution
    assert [question["have"] for question in line.asked] == [[], [agent.draft_id]]


def test_it_tries_again_and_gives_what_it_knew_last_also_after_a_restart(line: Line, tmp_path: Path) -> None:
    client = make_client(line, tmp_path / "kept")
    line.failures = 2
    answer = client.resolve(NUMBER, call_id="c-1")
    assert len(line.asked) == 3
    line.is_cut = True
    for again in (client, make_client(line, tmp_path / "kept")):
        stale = again.resolve(NUMBER, call_id="c-2")
        assert (stale.is_stale, stale.digest, stale.configuration) == (True, answer.digest, answer.configuration)
        assert stale.resolution is None


def test_the_coded_default_is_the_last_resort(line: Line) -> None:
    line.is_cut = True
    answer = make_client(line, default={"system_prompt": "Sorry."}, attempts=1).resolve(NUMBER)
    assert (answer.reason, answer.configuration, answer.digest) == ("DEFAULT", {"system_prompt": "Sorry."}, None)
    with pytest.raises(Unreachable, match="Nothing is known"):
        make_client(line, attempts=1).resolve(NUMBER)


def test_no_is_no_and_never_another_configuration(line: Line, tmp_path: Path) -> None:
    client = make_client(line, tmp_path / "kept", default={"system_prompt": "Sorry."})
    with pytest.raises(NotFound, match="There is no channel"):
        client.resolve("+33198765499")
    with pytest.raises(Refused, match="valid token"):
        make_client(line, token="av_wrong").resolve(NUMBER)
    assert len(line.asked) == 2


def test_a_damaged_file_is_not_used(line: Line, tmp_path: Path, agent: Agent) -> None:
    make_client(line, tmp_path / "kept").resolve(NUMBER)
    (tmp_path / "kept" / "configurations" / agent.draft_id).write_text('{"system_prompt": "Changed"}')
    line.is_cut = True
    with pytest.raises(Unreachable):
        make_client(line, tmp_path / "kept", attempts=1).resolve(NUMBER)


def test_a_plan_decides_as_the_server_does_in_microseconds(line: Line, channel: Channel, agent: Agent) -> None:
    make_agent(slug="other")
    wanted = [WantedVariant("A", Target("clinic"), 33_333), WantedVariant("B", Target("other"), 66_667)]
    saved = save_route(channel=channel, plan=plan_test(wanted), actor=make_user("operator"))
    document = plan_answer(saved, load_route(saved.route_id), load_flags().of).model_dump(mode="json")
    plan = Plan(document, {each["digest"]: {} for each in document["variants"]})
    callers = [f"+3361234{number:04d}" for number in range(2000)]
    assert [plan.resolve(caller).variant for caller in callers] == [
        choose(saved.route.plan, caller).variant for caller in callers
    ]
    started = time.perf_counter()
    for caller in callers:
        plan.resolve(caller)
    assert (time.perf_counter() - started) / len(callers) < 15e-6
