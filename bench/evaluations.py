"""`python -m bench.evaluations`: 1,000 cases of 50 ms each, 20 in flight, against a scripted endpoint over HTTP.

The ideal is cases × delay / in flight. Memory is the growth of this process's peak while eight times as many cases run.
"""

import resource
import sys
import time
from statistics import median
from typing import Any

from bench.scratch import scratch_database, start_django

CASES, DELAY_MS, IN_FLIGHT, ROUNDS = 1_000, 50, 20, 3
TIMES_MORE = 8
BAR = 1.3
MEMORY_BAR_MB = 30


def main() -> int:
    """Run the bench and print its table; 1 when a bar is missed."""
    start_django()
    from tests.scripted_llm import scripted_model

    with scratch_database(), scripted_model() as model:
        return _run(model)


def _run(model: Any) -> int:
    from django.conf import settings

    from tests.factories import make_agent

    settings.LLM_ENDPOINTS = model.endpoints()
    model.script({"answers": [{"text": "yes"}], "delay_ms": DELAY_MS}, log=False)
    agent = make_agent()
    ideal = CASES * DELAY_MS / 1000 / IN_FLIGHT
    small = _suite("small", CASES)
    _timed(agent, small)
    processor = time.process_time()
    times = [_timed(agent, small) for _ in range(ROUNDS)]
    processor = (time.process_time() - processor) / ROUNDS / CASES * 1000
    before = _peak_mb()
    large_suite = _suite("large", CASES * TIMES_MORE)
    made = _peak_mb()
    large = _timed(agent, large_suite)
    grown = _peak_mb() - made
    ratio = median(times) / ideal
    print(f"{CASES:,} cases of {DELAY_MS} ms, {IN_FLIGHT} in flight, fresh answers; {ROUNDS} rounds after a warm one")
    print(f"ideal {ideal:.2f} s, median {median(times):.2f} s ({min(times):.2f}–{max(times):.2f} s)")
    print(f"{processor:.2f} ms of this process's processor time per case")
    print(f"ratio {ratio:.2f} (bar ≤ {BAR}): {'pass' if ratio <= BAR else 'FAIL'}")
    print(f"{CASES * TIMES_MORE:,} cases: {large:.1f} s, {large / ideal / TIMES_MORE:.2f} × ideal")
    print(f"peak {before:.0f} MB after {CASES:,} cases; {TIMES_MORE} × as many cases grew it by {grown:.0f} MB")
    print(f"memory (bar ≤ {MEMORY_BAR_MB} MB): {'pass' if grown <= MEMORY_BAR_MB else 'FAIL'}")
    return 0 if ratio <= BAR and grown <= MEMORY_BAR_MB else 1


def _suite(name: str, count: int) -> Any:
    from tests.agentversions.evaluations import case, suite_of

    return suite_of(*(case(f"{name} {number}", f"Question {name} {number}") for number in range(count)), name=name)


def _timed(agent: Any, suite: Any) -> float:
    from tests.agentversions.evaluations import run_of

    start = time.perf_counter()
    run = run_of(suite, agent, concurrency=IN_FLIGHT, is_fresh=True)
    taken = time.perf_counter() - start
    assert run.results.filter(outcome="pass").count() == suite.latest.cases
    return taken


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main())
