"""Addresses: when edits of a draft reach callers."""

from django.urls import URLPattern, path

from channels.views import serving

urlpatterns: list[URLPattern] = [
    path("agents/<slug:slug>/draft/followers/", serving.draft_followers, name="draft_followers"),
    path("agents/<slug:slug>/draft/serving/", serving.draft_serving, name="draft_serving"),
]
