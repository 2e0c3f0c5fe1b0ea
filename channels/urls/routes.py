"""Addresses: what answers a channel, what a caller would get, what answered when."""

from django.urls import URLPattern, path

from channels.views import routes

urlpatterns: list[URLPattern] = [
    path("channels/<str:address>/", routes.channel_detail, name="channel_detail"),
    path("channels/<str:address>/explain/", routes.channel_explain, name="channel_explain"),
    path("channels/<str:address>/answered/", routes.channel_answered, name="channel_answered"),
    path("channels/<str:address>/history/", routes.channel_history, name="channel_history"),
]
