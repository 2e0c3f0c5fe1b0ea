"""An evaluation whose worker is killed with -9: another takes it up, and no case is paid twice."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scripted_llm import ScriptedModel, scripted_model

from .installation import Installation, until

CASES = 120
PREPARE = f"""
from agentversions.services.evaluations.starting import start_run
from tests.agentversions.evaluations import case, suite_of
from tests.factories import make_agent, make_user
boss = make_user("admin", is_superuser=True)
agent = make_agent(boss, slug="clinic")
suite = suite_of(*(case(str(number), f"Question {{number}}") for number in range({CASES})))
start_run(suite=suite, agent=agent, concurrency=4, actor=boss)
"""


@pytest.fixture
def model(tmp_path: Path) -> Iterator[ScriptedModel]:
    with scripted_model() as model:
        model.script({"answers": [{"text": "yes"}], "delay_ms": 150})
        yield model


def test_a_killed_worker_s_run_is_taken_up_and_no_case_is_paid_twice(
    installation: Installation, model: ScriptedModel
) -> None:
    installation.environment["LLM_ENDPOINTS"] = json.dumps(model.endpoints())
    installation.manage("shell", "--verbosity=0", "-c", PREPARE)

    def done() -> int:
        return int(installation.rows("SELECT count(*) FROM agentversions_caseresult")[0][0])

    installation.start_worker()
    until(lambda: done() >= 20, seconds=60)
    installation.kill_first_worker()
    before = done()
    assert before < CASES
    installation.start_worker()
    # The hold of the killed one ends after 20 s, and the minute's look defers the run anew.
    until(lambda: done() > before, seconds=150)
    installation.kill_first_worker()
    installation.start_worker()
    until(lambda: done() == CASES, seconds=200)
    until(lambda: installation.rows("SELECT state FROM agentversions_evaluationrun") == [("done",)])

    outcomes = installation.rows("SELECT outcome, count(*) FROM agentversions_caseresult GROUP BY 1")
    assert outcomes == [("pass", CASES)]
    assert installation.rows("SELECT count(DISTINCT position) FROM agentversions_caseresult") == [(CASES,)]
    log = model.log()
    # Each question was charged once; only what was in flight at a kill was sent again, under its own key.
    assert (len(log["charged"]), set(log["charged"].values())) == (CASES, {1})
    assert len(log["asked"]) <= CASES + 2 * 2 * 4
