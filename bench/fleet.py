"""Numbers for benches: as many channels as asked for on one agent with a 4 kB configuration."""

from urllib.parse import quote

from django.db import connection

FIRST = 33_170_000_000
SECRET = "bench"


def fill(count: int) -> tuple[str, list[str]]:
    """Channels in consecutive numbers, a tenth of them on the draft, the others pinned; a token and the numbers."""
    from agentversions.services.tokens import make_token
    from tests.factories import make_agent, make_user, make_version

    admin = make_user("admin")
    agent = make_agent(admin, slug="bench", system_prompt="# Role\n" + "You answer the phone. " * 160)
    make_version(agent)
    numbers = add_channels(0, count)
    made = make_token(name="bench", roles=["viewer"], scopes=["resolve"], owner=admin, actor=admin)
    return made.secret, numbers


def add_channels(first: int, last: int) -> list[str]:
    """The channels from one place to before another, made by PostgreSQL itself: a million takes seconds."""
    from agentversions.models import User
    from channels.core.routes import Follow, Target, single
    from channels.services.routes import store_route

    admin = User.objects.order_by("pk").first()
    assert admin is not None
    draft, pinned = (store_route(single(target)) for target in (Target("bench"), Target("bench", Follow.VERSION, 1)))
    return add_numbers(first, last, [draft.digest, *[pinned.digest] * 9], admin.pk)


def add_numbers(first: int, last: int, routes: list[str], actor: int) -> list[str]:
    """Channels from one place to before another on these routes (digests) in turn."""
    from channels.models import Channel

    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO {Channel._meta.db_table}
                (kind, address, label, time_zone, is_enabled, route_id, route_changed_by_id, created_by_id)
            SELECT 'phone', '+' || ({FIRST} + place), 'Branch ' || place, 'Europe/Paris', true,
                   (%s::text[])[1 + place %% %s], %s, %s
            FROM generate_series(%s, %s) AS place
            """,
            [routes, len(routes), actor, actor, first, last - 1],
        )
    return [f"+{FIRST + place}" for place in range(first, last)]


def session_cookie() -> str:
    """The session of an operator who signed in, as a Cookie header's value; made with the servers' own secret."""
    from django.conf import settings
    from django.test import Client

    from tests.factories import make_user

    settings.SECRET_KEY = SECRET
    client = Client()
    client.force_login(make_user("operator"))
    return f"sessionid={client.cookies['sessionid'].value}"


def database_url() -> str:
    """The address of the scratch database, as the application's role."""
    values = connection.settings_dict
    return f"postgres://{values['USER']}:{quote(values['PASSWORD'])}@{values['HOST']}:{values['PORT']}/{values['NAME']}"
