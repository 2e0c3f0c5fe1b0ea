"""The runtime alone, for a process group of its own: no page can delay a call (docs/operations.md)."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.conf import settings  # noqa: E402  after Django is set up

from channels.runtime.application import Runtime  # noqa: E402

application = Runtime(
    database_url=settings.DATABASE_APP_URL,
    store=settings.RUNTIME_STORE,
    memory=settings.RUNTIME_MEMORY,
    region=settings.PHONE_REGION,
)
