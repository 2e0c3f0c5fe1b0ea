"""What the runtime is made of, from the settings; for both WSGI modules."""

from typing import Any

from django.conf import settings


def runtime_options() -> dict[str, Any]:
    """The arguments of `Runtime` that both the application and the runtime alone have."""
    from channels.runtime.application import Twilio
    from channels.runtime.routed import RoutedSpool

    twilio = None
    if settings.TWILIO_AUTH_TOKEN and settings.TWILIO_STREAM_URL:
        twilio = Twilio(settings.TWILIO_AUTH_TOKEN, settings.TWILIO_STREAM_URL, settings.PUBLIC_URL.rstrip("/"))
    return {
        "database_url": settings.DATABASE_APP_URL,
        "store": settings.RUNTIME_STORE,
        "memory": settings.RUNTIME_MEMORY,
        "routed": RoutedSpool(settings.ROUTED_SPOOL, limit=settings.ROUTED_SPOOL_LIMIT),
        "region": settings.PHONE_REGION,
        "metrics_are_open": settings.METRICS_ARE_OPEN,
        "caller_secret": settings.CALLER_SECRET,
        "flags_per_second": settings.FLAGS_PER_SECOND,
        "flag_origins": settings.FLAG_ORIGINS,
        "for_twilio": twilio,
    }
