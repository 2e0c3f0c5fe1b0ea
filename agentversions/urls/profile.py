"""Addresses: a person's own settings."""

from django.urls import URLPattern, path

from agentversions.views import profile

urlpatterns: list[URLPattern] = [path("profile/", profile.profile, name="profile")]
