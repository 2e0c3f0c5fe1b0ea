"""Addresses: making a version live, rolling back, pinning after publishing."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
