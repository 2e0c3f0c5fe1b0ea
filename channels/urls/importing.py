"""Addresses: numbers from CSV."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
