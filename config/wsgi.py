"""The WSGI application that gunicorn serves: the runtime answers calls, everything else goes to Django."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
pages = get_wsgi_application()

from django.conf import settings  # noqa: E402  after Django is set up

from channels.runtime.application import Runtime  # noqa: E402

application = Runtime(
    database_url=settings.DATABASE_APP_URL,
    store=settings.RUNTIME_STORE,
    memory=settings.RUNTIME_MEMORY,
    region=settings.PHONE_REGION,
    behind=pages,
)
