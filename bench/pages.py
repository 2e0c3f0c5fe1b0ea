"""`python -m bench.pages`: server time of the pages people wait for, beside a bare view and a bare query."""

import json
import secrets
import sys
import time
from collections.abc import Callable
from statistics import median

from bench.scratch import scratch_database, start_django

ROUNDS = 40
VERSIONS = 10_000
BARS_MS = {
    "version panel, 10,000 versions": 150.0,
    "editor page": 120.0,
    "autosave": 60.0,
}


def main() -> int:
    """Run the bench and print its table; 1 when a bar is missed."""
    start_django()
    from django.conf import settings

    settings.ALLOWED_HOSTS = ["*"]
    with scratch_database():
        return _run()


def _run() -> int:
    from django.db import connection
    from django.http import HttpResponse
    from django.test import Client, RequestFactory
    from django.test.utils import CaptureQueriesContext
    from django.urls import reverse

    from agentversions.models import Agent
    from tests.factories import make_agent, make_user

    actor = make_user("editor")
    big, small = make_agent(actor, slug="big", **_twenty_kilobytes()), make_agent(actor, slug="small")
    _publish_many(big, actor, VERSIONS)
    _publish_many(small, actor, 10)
    client = Client()
    client.force_login(actor)
    panel = reverse("agentversions:version_panel", args=["big"])
    small_panel = reverse("agentversions:version_panel", args=["small"])

    def get(address: str) -> None:
        response = client.get(address, headers={"HX-Request": "true"})
        assert response.status_code == 200, response.status_code

    def autosave() -> None:
        draft = Agent.objects.values_list("draft_id", flat=True).get(slug="big")
        edit = {"op": "set", "path": "welcome_message", "value": secrets.token_hex(20)}
        response = client.post(
            reverse("agentversions:draft_save", args=["big"]),
            json.dumps({"base": draft, "person": actor.pk, "edits": [edit]}),
            content_type="application/json",
        )
        assert response.status_code == 200, response.content[:300]

    request = RequestFactory().get("/")
    cases: dict[str, Callable[[], object]] = {
        "bare view": lambda: HttpResponse(request.path),
        "bare query": lambda: list(Agent.objects.filter(slug="big").values_list("pk")),
        "version panel, 10 versions": lambda: get(small_panel),
        "version panel, 10,000 versions": lambda: get(panel),
        "version panel, search": lambda: get(f"{panel}?q=change+9"),
        "editor page": lambda: get(reverse("agentversions:agent_editor", args=["big"])),
        "agent list": lambda: get(reverse("agentversions:agent_list")),
        "compare page": lambda: get(reverse("agentversions:version_compare", args=["big", "1", "draft"])),
        "publish dialog": lambda: get(reverse("agentversions:publish_dialog", args=["big"])),
        "autosave": autosave,
    }
    for work in cases.values():
        work()
    times: dict[str, list[float]] = {label: [] for label in cases}
    for _ in range(ROUNDS):
        for label, work in cases.items():
            times[label].append(timed(work))
    queries = []
    for address in (small_panel, panel):
        with CaptureQueriesContext(connection) as captured:
            get(address)
        queries.append(len(captured))
    print(f"{ROUNDS} rounds, alternating; server time in one process, warm")
    print(f"{'':34}{'median':>10}{'min–max':>20}{'bar':>10}")
    missed = queries[0] != queries[1]
    for label, values in times.items():
        bar = BARS_MS.get(label)
        verdict = "" if bar is None else ("pass" if median(values) <= bar else "FAIL")
        missed = missed or verdict == "FAIL"
        limit = "" if bar is None else f"{bar:7.0f} ms {verdict}"
        print(f"{label:34}{median(values):7.2f} ms{min(values):9.2f}–{max(values):.2f} ms  {limit}")
    verdict = "pass" if queries[0] == queries[1] else "FAIL"
    print(f"queries of the panel with 10 and {VERSIONS:,} versions: {queries[0]} and {queries[1]}: {verdict}")
    return 1 if missed else 0


def _twenty_kilobytes() -> dict[str, str]:
    return {"system_prompt": "\n".join(f"- Rule {number}: {secrets.token_hex(40)}" for number in range(200))}


def _publish_many(agent: "Agent", actor: "User", count: int) -> None:  # type: ignore[name-defined]  # noqa: F821
    """Insert versions in order, as the services would, without 10,000 transactions; all share a body."""
    from agentversions.models import AgentVersion

    AgentVersion.objects.bulk_create(
        [
            AgentVersion(
                agent=agent,
                number=number,
                name=f"Change {number}",
                description="What was changed and why, in a sentence.",
                configuration_id=agent.draft_id,
                created_by=actor,
            )
            for number in range(1, count + 1)
        ],
        batch_size=1000,
    )


def timed(work: Callable[[], object]) -> float:
    """Milliseconds of one call."""
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


if __name__ == "__main__":
    sys.exit(main())
