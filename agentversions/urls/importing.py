"""Addresses: importing and exporting."""

from django.urls import URLPattern, path

from agentversions.views import exporting, importing

urlpatterns: list[URLPattern] = [
    path("agents/import/", importing.agent_import, name="agent_import"),
    path("agents/<slug:slug>/export/", exporting.agent_export, name="agent_export"),
    path("agents/<slug:slug>/versions/<int:number>/export/", exporting.version_export, name="version_export"),
]
