"""The runtime alone, for a process group of its own: no page can delay a call (docs/operations.md)."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from channels.runtime.application import Runtime  # noqa: E402  after Django is set up
from config.runtime_settings import runtime_options  # noqa: E402

application = Runtime(**runtime_options())
