"""Numbers for benches: as many channels as asked for on one agent with a 4 kB configuration."""

from urllib.parse import quote

from django.db import connection

FIRST = 33_170_000_000


def fill(count: int) -> tuple[str, list[str]]:
    """Channels in consecutive numbers, a tenth of them on the draft, the others pinned; a token and the numbers."""
    from agentversions.services.tokens import make_token
    from channels.core.routes import Follow, Target, single
    from channels.models import Channel
    from channels.services.routes import store_route
    from tests.factories import make_agent, make_user, make_version

    admin = make_user("admin")
    agent = make_agent(admin, slug="bench", system_prompt="# Role\n" + "You answer the phone. " * 160)
    make_version(agent)
    draft = store_route(single(Target("bench")))
    pinned = store_route(single(Target("bench", Follow.VERSION, 1)))
    numbers = [f"+{FIRST + index}" for index in range(count)]
    Channel.objects.bulk_create(
        [
            Channel(
                kind="phone",
                address=number,
                route=draft if index % 10 == 0 else pinned,
                route_changed_by=admin,
                created_by=admin,
            )
            for index, number in enumerate(numbers)
        ],
        batch_size=5000,
    )
    made = make_token(name="bench", roles=["viewer"], scopes=["resolve"], owner=admin, actor=admin)
    return made.secret, numbers


def database_url() -> str:
    """The address of the scratch database, as the application's role."""
    values = connection.settings_dict
    return f"postgres://{values['USER']}:{quote(values['PASSWORD'])}@{values['HOST']}:{values['PORT']}/{values['NAME']}"
