"""`python -m bench.verify`: re-checking stored configurations of 20 kB per core, beside a bare SHA-256 of the bytes."""

import hashlib
import secrets
import sys
import time
from statistics import median

from bench.scratch import scratch_database, start_django

CONFIGURATIONS = 20_000
ROUNDS = 3
BAR = 3_000


def main() -> int:
    """Run the bench and print its table; 1 when the bar is missed."""
    start_django()
    with scratch_database():
        return _run()


def _run() -> int:
    from agentversions.core.reading import write_body
    from agentversions.models import Configuration
    from agentversions.services.verification import verify_all
    from tests.factories import make_configuration

    prompt = "\n".join(f"- Rule {number}: {secrets.token_hex(40)}" for number in range(190))
    bodies = [
        write_body(make_configuration(system_prompt=prompt, welcome_message=str(number)))
        for number in range(CONFIGURATIONS)
    ]
    rows = [Configuration(digest=hashlib.sha256(body.encode()).hexdigest(), body=body) for body in bodies]
    Configuration.objects.bulk_create(rows, batch_size=500)
    bare: list[float] = []
    single: list[float] = []
    double: list[float] = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for body in bodies:
            hashlib.sha256(body.encode()).hexdigest()
        bare.append(CONFIGURATIONS / (time.perf_counter() - start))
        for processes, rates in ((1, single), (2, double)):
            start = time.perf_counter()
            progress = list(verify_all(processes=processes))
            rates.append(CONFIGURATIONS / (time.perf_counter() - start))
            assert progress[-1].checked == CONFIGURATIONS, progress[-1]
            assert not any(each.damaged for each in progress)
    print(f"{CONFIGURATIONS:,} configurations of {len(bodies[0]) / 1000:.1f} kB, {ROUNDS} rounds, alternating")
    print(f"{'':44}{'median':>10}{'min–max':>20}")
    for label, rates in (
        ("bare SHA-256 in memory, one core", bare),
        ("verify, one process (its start included)", single),
        ("verify, two processes (their start included)", double),
    ):
        print(f"{label:44}{median(rates):8,.0f}/s{min(rates):10,.0f}–{max(rates):,.0f}/s")
    verdict = "pass" if median(single) >= BAR else "FAIL"
    print(f"bar: at least {BAR:,} per second and core: {verdict}")
    return 0 if verdict == "pass" else 1


if __name__ == "__main__":
    sys.exit(main())
