"""Addresses: the list of channels, adding one, its settings."""

from django.urls import URLPattern, path

from channels.views import channels

urlpatterns: list[URLPattern] = [
    path("channels/", channels.channel_list, name="channel_list"),
    path("channels/new/", channels.channel_create, name="channel_create"),
    path("channels/choices/", channels.answer_choices, name="answer_choices"),
    path("channels/<str:address>/settings/", channels.channel_settings_dialog, name="channel_settings_dialog"),
]
