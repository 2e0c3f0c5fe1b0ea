"""A rollout judged by a Prometheus server: the real program where it is installed, else one that answers as it does."""

import json
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection

from agentversions.models import Agent
from agentversions.models.database import database_now
from channels.core.rollout_judging import Figures, Judging
from channels.core.rollout_states import By, Move, State
from channels.core.rollout_steps import Step
from channels.models import Rollout
from channels.services.rollouts import move_rollout
from monitoring.models import CanaryEvaluation
from monitoring.services.canary_judge import Judged, judge_rollout
from monitoring.services.prometheus import NoFigures, Prometheus
from tests.factories import make_user

from .canary import begin, route, ship

pytestmark = pytest.mark.django_db
HALF = (Step(50_000, 1.5, 0),)
Answer = Callable[[str], tuple[int, bytes]]
IDLE = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'
"""


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """A server on the loopback whose answers to `GET` are a function of the path with its query."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answer(self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def vector(*values: float) -> bytes:
    """What Prometheus answers to an instant query."""
    result = [{"metric": {}, "value": [1, str(value)]} for value in values]
    return json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}).encode()


def metrics(calls: dict[str, float], rates: dict[str, float]) -> Answer:
    """Calls and error rates by version."""

    def answer(path: str) -> tuple[int, bytes]:
        query = parse_qs(urlsplit(path).query)["query"][0]
        version = query.partition('version="')[2].partition('"')[0]
        found = (rates if "agent_error_rate" in query else calls).get(version)
        return 200, vector() if found is None else vector(found)

    return answer


@pytest.fixture
def rollout(agent: Agent) -> Rollout:
    rollout = begin(agent, judging=Judging(figures=Figures.PROMETHEUS), steps=HALF)
    ship(rollout, route(rollout, range(400)))
    return rollout


def judged(rollout: Rollout, settings: Any, address: str) -> Judged:
    settings.PROMETHEUS_URL = address
    found = judge_rollout(rollout.pk)
    assert found is not None
    rollout.refresh_from_db()
    return found


def test_a_canary_that_fails_more_often_there_is_rolled_back(rollout: Rollout, settings: Any) -> None:
    with serving(metrics({"1": 200, "2": 190}, {"1": 0.05, "2": 0.4})) as address:
        said = judged(rollout, settings, address)
    assert rollout.state == State.ROLLED_BACK
    assert said.evaluation is not None
    seen = json.loads(said.evaluation.body)["seen"]
    assert seen["canary"] == {"due": 190, "failed": 76, "recorded": 190}
    assert seen["stable"]["failed"] == 10
    # Who was split how is known here, whatever the server counts.
    assert sum(seen["callers"]["counts"][0][1:]) == 400


def test_calls_past_the_split_do_not_hide_harm(rollout: Rollout, settings: Any) -> None:
    with serving(metrics({"1": 90_000, "2": 190}, {"1": 0.05, "2": 0.4})) as address:
        judged(rollout, settings, address)
    assert rollout.state == State.ROLLED_BACK


def test_a_canary_that_the_server_never_saw_is_unhealthy_not_promoted(rollout: Rollout, settings: Any) -> None:
    settings.LONGEST_CALL_MINUTES = settings.CALL_GRACE_MINUTES = 0
    with serving(metrics({"1": 250}, {"1": 0.05})) as address:
        judged(rollout, settings, address)
    assert rollout.state == State.UNHEALTHY


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda path: (200, vector(1, 2)), "gives 2 numbers"),
        (lambda path: (200, b"<html>"), "is no Prometheus server"),
        (lambda path: (200, b'{"status": "success"}'), "is no Prometheus server"),
        (lambda path: (400, b'{"status": "error", "error": "parse error: bad"}'), "parse error: bad"),
        (lambda path: (503, b"down"), "HTTP 503"),
        (lambda path: (200, vector() if "agent_error_rate" in path else vector(200)), "has no “agent_error_rate"),
        (metrics({"1": 200, "2": 200}, {"1": 5, "2": 5}), "a rate is from 0 to 1"),
    ],
)
def test_what_cannot_be_read_decides_nothing_and_is_said_once(
    rollout: Rollout, settings: Any, answer: Answer, words: str
) -> None:
    with serving(answer) as address:
        settings.PROMETHEUS_URL = address
        for _ in range(2):
            said = judged(rollout, settings, address)
            assert said.words.startswith("Nothing is decided: ")
            assert words in said.words
    assert rollout.state == State.RUNNING
    assert CanaryEvaluation.objects.count() == 1


def test_a_server_that_is_away_or_not_named_decides_nothing(rollout: Rollout, settings: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{free.getsockname()[1]}"
    assert "cannot be reached" in judged(rollout, settings, closed).words
    assert "Set PROMETHEUS_URL" in judged(rollout, settings, "").words
    assert "Set PROMETHEUS_URL" in judged(rollout, settings, "file:///etc/hostname").words


def test_a_server_that_does_not_answer_is_not_waited_for(rollout: Rollout, settings: Any) -> None:
    settings.PROMETHEUS_TIMEOUT_S = 0.3
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        began = time.monotonic()
        said = judged(rollout, settings, f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert "cannot be reached" in said.words
    assert time.monotonic() - began < 5


@pytest.mark.django_db(transaction=True)
def test_while_the_server_thinks_no_transaction_is_open(rollout: Rollout, settings: Any) -> None:
    open_ones = []
    numbers = metrics({"1": 200, "2": 190}, {"1": 0.05, "2": 0.4})

    def answer(path: str) -> tuple[int, bytes]:
        with closing(connection), connection.cursor() as cursor:
            cursor.execute(IDLE)
            open_ones.append(cursor.fetchone()[0])
        return numbers(path)

    with serving(answer) as address:
        judged(rollout, settings, address)
    assert rollout.state == State.ROLLED_BACK
    assert set(open_ones) == {0}


@pytest.mark.django_db(transaction=True)
def test_what_it_says_of_a_rollout_that_moved_meanwhile_is_not_kept(rollout: Rollout, settings: Any) -> None:
    operator = make_user("operator")

    def answer(path: str) -> tuple[int, bytes]:
        with closing(connection):
            if rollout.moves.count() == 1:
                move_rollout(rollout=rollout, move=Move.HOLD, by=By.PERSON, actor=operator)
        return metrics({}, {})(path)

    with serving(answer) as address:
        settings.PROMETHEUS_URL = address
        assert judge_rollout(rollout.pk) is None
    assert not CanaryEvaluation.objects.exists()


class Counters:
    """Calls and errors as a scraped program shows them."""

    def __init__(self) -> None:
        self.calls = {"1": 0, "2": 0}

    def text(self, path: str) -> tuple[int, bytes]:
        """The page `/metrics`; every second call of V2 fails and every twentieth of V1."""
        lines = []
        for version, rate in (("1", 0.05), ("2", 0.5)):
            labels = f'{{agent="clinic",version="{version}"}}'
            lines += [f"agent_calls_total{labels} {self.calls[version]}", f"agent_error_rate{labels} {rate}"]
        return 200, "\n".join([*lines, ""]).encode()


@contextmanager
def prometheus(folder: Path, target: str) -> Iterator[str]:
    """Debian's Prometheus, scraping a target every second."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("The program `prometheus` is not installed (Debian's package of that name).")
    folder.mkdir()
    (folder / "prometheus.yml").write_text(
        "global: {scrape_interval: 500ms, scrape_timeout: 500ms}\n"
        f"scrape_configs: [{{job_name: agent, static_configs: [{{targets: ['{target}']}}]}}]\n",
        encoding="utf-8",
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [program, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    command += [f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def until(is_so: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "It did not come to be."
        time.sleep(0.1)


def test_the_real_program_gives_the_figures(agent: Agent, settings: Any, tmp_path: Path) -> None:
    settings.PROMETHEUS_TIMEOUT_S = 60
    counters = Counters()
    with serving(counters.text) as target, prometheus(tmp_path / "prometheus", urlsplit(target).netloc) as address:
        settings.PROMETHEUS_URL = address

        def seen(version: str) -> float:
            try:
                return Prometheus().number(f'agent_calls_total{{version="{version}"}}', database_now()) or -1.0
            except NoFigures:
                return -1.0

        def is_ready() -> bool:
            try:
                with urllib.request.urlopen(f"{address}/-/ready", timeout=2) as response:
                    return bool(response.status == 200)
            except OSError:
                return False

        until(is_ready)
        rollout = begin(agent, judging=Judging(figures=Figures.PROMETHEUS), steps=HALF)
        ship(rollout, route(rollout, range(400)))
        # A counter that rises while it is scraped: what it grew by is what counts.
        for calls in (1, 60, 120, 200):
            counters.calls = {"1": calls, "2": calls}
            until(lambda calls=calls: seen("1") == calls == seen("2"))  # type: ignore[misc]
        # A scrape that comes late on a busy machine ends a series for a moment: nothing is decided, it looks again.
        until(lambda: not judged(rollout, settings, address).words.startswith("Nothing is decided"))
    evaluation = CanaryEvaluation.objects.exclude(body="").get()
    body = json.loads(evaluation.body)["seen"]
    assert 150 <= body["canary"]["recorded"] <= 220
    assert body["canary"]["failed"] == pytest.approx(0.5 * body["canary"]["recorded"], abs=1)
    assert body["stable"]["failed"] == pytest.approx(0.05 * body["stable"]["recorded"], abs=1)
    assert rollout.state == State.ROLLED_BACK
