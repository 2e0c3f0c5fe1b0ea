"""Addresses: numbers from CSV."""

from django.urls import URLPattern, path

from channels.views import importing

urlpatterns: list[URLPattern] = [path("channels/import/", importing.channel_import, name="channel_import")]
