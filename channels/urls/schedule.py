"""Addresses: planned changes, freeze windows."""

from django.urls import URLPattern, path

from channels.views import freezes, schedule

urlpatterns: list[URLPattern] = [
    path("channels/schedule/", schedule.schedule_list, name="schedule_list"),
    path("channels/schedule/<int:number>/", schedule.schedule_detail, name="schedule_detail"),
    path("channels/schedule/<int:number>/cancel/", schedule.schedule_cancel, name="schedule_cancel"),
    path(
        "agents/<slug:slug>/versions/<int:number>/live/later/",
        schedule.schedule_live_dialog,
        name="schedule_live_dialog",
    ),
    path("channels/schedule/freezes/", freezes.freeze_list, name="freeze_list"),
    path("channels/schedule/freezes/new/", freezes.freeze_create_dialog, name="freeze_create_dialog"),
    path("channels/schedule/freezes/<int:number>/lift/", freezes.freeze_lift, name="freeze_lift"),
]
