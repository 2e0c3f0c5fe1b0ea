"""Addresses: the fleet board, batches of changes, taking back."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
