"""Composes the addresses of the apps."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.decorators.http import require_safe
from django.views.generic import RedirectView

import channels.api  # noqa: F401  adds its operations to the API
import monitoring.api  # noqa: F401  adds its operations to the API
from agentversions.api import api

urlpatterns: list[URLPattern | URLResolver] = [
    path("", require_safe(RedirectView.as_view(pattern_name="agentversions:agent_list")), name="home"),
    path("", include("agentversions.urls")),
    path("", include("channels.urls")),
    path("", include("monitoring.urls")),
    path("api/v1/", api.urls),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
]

handler400 = "agentversions.views.errors.bad_request"
handler403 = "agentversions.views.errors.not_allowed"
handler404 = "agentversions.views.errors.not_found"
handler500 = "agentversions.views.errors.failed"
