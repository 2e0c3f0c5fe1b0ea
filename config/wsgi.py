"""The WSGI application that gunicorn serves: the runtime answers calls, everything else goes to Django."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
pages = get_wsgi_application()

from channels.runtime.application import Runtime  # noqa: E402  after Django is set up
from config.runtime_settings import runtime_options  # noqa: E402
from monitoring.services.spool import the_spool  # noqa: E402

application = Runtime(**runtime_options(), behind=pages, facts=lambda: the_spool().facts())
