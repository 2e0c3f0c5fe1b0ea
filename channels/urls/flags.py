"""Addresses: feature flags."""

from django.urls import URLPattern, path

from channels.views import flag_moves, flags

urlpatterns: list[URLPattern] = [
    path("flags/", flags.flag_list, name="flag_list"),
    path("flags/new/", flags.flag_new, name="flag_new"),
    path("flags/stale/", flags.flag_stale, name="flag_stale"),
    path("flags/<str:key>/", flags.flag_detail, name="flag_detail"),
    path("flags/<str:key>/now/", flags.flag_now, name="flag_now"),
    path("flags/<str:key>/switch/", flag_moves.flag_switch_dialog, name="flag_switch_dialog"),
    path("flags/<str:key>/archive/", flag_moves.flag_archive_dialog, name="flag_archive_dialog"),
    path("flags/<str:key>/explain/", flag_moves.flag_explain, name="flag_explain"),
    path("flags/<str:key>/history/", flag_moves.flag_history, name="flag_history"),
    path("flags/<str:key>/history/<int:number>/", flag_moves.flag_restore_dialog, name="flag_restore_dialog"),
    path("agents/<slug:slug>/flags/", flags.agent_flags, name="agent_flags"),
]
