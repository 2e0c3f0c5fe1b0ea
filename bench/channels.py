"""`python -m bench.channels`: server time of the channel list and the fleet board with 300,000 numbers."""

import sys
from statistics import median

from bench.pages import timed
from bench.scratch import scratch_database, start_django

ROUNDS = 15
NUMBERS = 300_000
AGENTS, VERSIONS = 40, 12
BAR_MS = 200.0


def main() -> int:
    """Run the bench and print its table; 1 when a bar is missed."""
    start_django()
    from django.conf import settings

    settings.ALLOWED_HOSTS = ["*"]
    with scratch_database():
        return _run()


def _run() -> int:
    from django.db import connection
    from django.test import Client

    from bench.fleet import FIRST
    from channels.core.routes import Follow, Target, single
    from channels.models import Channel
    from channels.services.routes import pin, store_route
    from tests.factories import make_agent, make_user, make_version

    operator = make_user("operator", "editor")
    for number in range(AGENTS):
        agent = make_agent(operator, slug=f"agent-{number}")
        for version in range(VERSIONS):
            make_version(agent, operator, system_prompt=f"Prompt {version}.")
    targets = [
        Target(f"agent-{number}", Follow.VERSION, version)
        for number in range(AGENTS)
        for version in range(1, VERSIONS + 1)
    ]
    routes = [store_route(single(target)).digest for target in targets]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO channels_channel
                (kind, address, label, time_zone, is_enabled, route_id, route_changed_by_id, created_by_id)
            SELECT 'phone', '+' || ({FIRST} + place), 'Branch ' || place, 'Europe/Paris', place %% 50 <> 0,
                   (%s::text[])[1 + place %% {len(routes)}], %s, %s
            FROM generate_series(1, {NUMBERS}) AS place
            """,
            [routes, operator.pk, operator.pk],
        )
    # One with a history, as every number has that a service made.
    one = Channel.objects.get(address=f"+{FIRST + 4711}")
    pin(channel=one, target=targets[0], actor=operator)
    pin(channel=one, target=targets[1], actor=operator)
    client = Client()
    client.force_login(operator)

    def get(address: str) -> None:
        response = client.get(address, headers={"HX-Request": "true"})
        assert response.status_code == 200, response.status_code

    cases = {
        "channel list": "/channels/",
        "channel list, searched by a number": "/channels/?q=33+17+0123",
        "channel list, searched by a label": "/channels/?q=branch+2999",
        "channel list, of an agent": "/channels/?agent=agent-7",
        "channel list, of a version": "/channels/?agent=agent-7&version=3",
        "channel list, by label": "/channels/?sort=label",
        "channel list, switched off": "/channels/?state=off",
        "fleet board": "/channels/fleet/",
        "one number": f"/channels/{one.address}/",
    }
    times: dict[str, list[float]] = {name: [] for name in cases}
    for round_number in range(ROUNDS + 1):
        for name, address in cases.items():
            taken = timed(lambda address=address: get(address))  # type: ignore[misc]
            if round_number:
                times[name].append(taken)
    print(f"{NUMBERS:,} numbers on {len(routes)} routes; {ROUNDS} rounds, alternating; one process, warm")
    missed = False
    for name, values in times.items():
        is_missed = median(values) > BAR_MS
        missed = missed or is_missed
        verdict = "MISSED" if is_missed else "pass"
        print(f"{name:<38}{median(values):8.1f} ms {min(values):8.1f}–{max(values):.1f} ms  {BAR_MS:.0f} ms {verdict}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
