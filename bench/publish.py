"""`python -m bench.publish`: publishing a 20 kB configuration against the bare SQL of the same bytes, in one run."""

import hashlib
import secrets
import sys
import threading
import time
from collections.abc import Callable
from statistics import median

from bench.scratch import scratch_database, start_django

ROUNDS = 300
WRITERS = 50
BAR = 4.0


def main() -> int:
    """Run the bench and print its table; 1 when a bar is missed."""
    start_django()
    with scratch_database():
        return _run()


def _run() -> int:
    from agentversions.core.edits import Edit
    from agentversions.models import Agent
    from agentversions.services.drafts import edit_draft
    from agentversions.services.publishing import publish
    from tests.factories import make_agent, make_user

    actor = make_user("editor")
    agent = make_agent(actor, system_prompt=_prompt())
    size = len(agent.draft.body.encode())
    bare, published = [], []
    for number in range(ROUNDS):
        # The edit that precedes a publish is not timed; it makes each version a configuration of its own.
        edits = (Edit("set", "welcome_message", f"Hello {number}"),)
        edit_draft(agent=agent, base=agent.draft_id, edits=edits, actor=actor)
        agent = Agent.objects.get(pk=agent.pk)
        body = agent.draft.body
        bare.append(_timed(lambda body=body: _bare(body)))  # type: ignore[misc]
        published.append(_timed(lambda agent=agent: publish(agent=agent, name="A change", actor=actor)))  # type: ignore[misc]
    ratio = median(published) / median(bare)
    errors, seconds = _at_once(agent, actor)
    print(f"{ROUNDS} rounds, configuration of {size / 1000:.1f} kB, one database, alternating")
    print(f"{'':34}{'median':>10}{'min–max':>20}")
    for label, times in (("SHA-256 + INSERT + COMMIT, bare", bare), ("publish, through the service", published)):
        print(f"{label:34}{median(times):7.2f} ms{min(times):9.2f}–{max(times):.2f} ms")
    print(f"ratio of medians {ratio:.2f} (bar ≤ {BAR:.0f}): {'pass' if ratio <= BAR else 'FAIL'}")
    print(f"{WRITERS} publishes at once: {errors} errors, {seconds:.2f} s: {'pass' if not errors else 'FAIL'}")
    return 0 if ratio <= BAR and not errors else 1


def _prompt() -> str:
    return "\n".join(f"- Rule {number}: {secrets.token_hex(40)}" for number in range(200))


def _bare(body: str) -> None:
    from django.db import connection, transaction

    text = body + " "
    with transaction.atomic(), connection.cursor() as cursor:
        digest = hashlib.sha256(text.encode()).hexdigest()
        cursor.execute("INSERT INTO agentversions_configuration (digest, body) VALUES (%s, %s)", [digest, text])


def _timed(work: Callable[[], object]) -> float:
    """Milliseconds of one call."""
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def _at_once(agent: object, actor: object) -> tuple[int, float]:
    """Publish one agent from many threads at once; how many failed, and how long it took in all."""
    from django.db import connection

    from agentversions.services.publishing import publish

    errors: list[Exception] = []

    def work() -> None:
        try:
            publish(agent=agent, name="At once", actor=actor)  # type: ignore[arg-type]
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(WRITERS)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    for error in errors[:3]:
        print(f"  {type(error).__name__}: {error}")
    return len(errors), time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
