"""Addresses: the list of channels, one channel, its settings."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
