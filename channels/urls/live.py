"""Addresses: making a version live, rolling back, pinning after publishing."""

from django.urls import URLPattern, path

from channels.views import live, pinning

urlpatterns: list[URLPattern] = [
    path("agents/<slug:slug>/versions/<int:number>/live/", live.live_dialog, name="live_dialog"),
    path("agents/<slug:slug>/versions/<int:number>/pin/", pinning.pin_dialog, name="pin_dialog"),
    path("agents/<slug:slug>/live/history/", live.live_history, name="live_history"),
    path("agents/<slug:slug>/live/followers/", live.live_followers, name="live_followers"),
    path("agents/<slug:slug>/publish/after/", pinning.after_publish, name="after_publish"),
]
