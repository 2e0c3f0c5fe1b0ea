"""Addresses: what answers a channel, what a caller would get, what answered when."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
