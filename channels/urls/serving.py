"""Addresses: when edits of a draft reach callers."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
