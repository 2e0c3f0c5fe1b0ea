"""The part of verification that runs in processes of its own: it loads Django before it touches a model."""

import django
from django.apps import apps
from django.db import connection

from agentversions.core.verification import damage_of

CONFIGURATION = ("agentversions", "Configuration")


def start_django(database: str) -> None:
    """Make a fresh process ready, on the database of the one that started it."""
    django.setup()
    connection.settings_dict["NAME"] = database


def check_batch(bounds: tuple[str, str]) -> tuple[int, list[tuple[str, str]]]:
    """How many configurations of a range (after, up to and including) were checked, and (digest, what is wrong)."""
    after, up_to = bounds
    model = apps.get_model(*CONFIGURATION)
    rows = model._default_manager.filter(digest__gt=after, digest__lte=up_to).values_list("digest", "body")
    damaged = [(digest, message) for digest, body in rows if (message := damage_of(digest, body)) is not None]
    return len(rows), damaged
