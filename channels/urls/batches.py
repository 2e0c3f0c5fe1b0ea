"""Addresses: the fleet board, batches of changes, taking back, numbers that nothing answered."""

from django.urls import URLPattern, path

from channels.views import batches, fleet, missed

urlpatterns: list[URLPattern] = [
    path("channels/fleet/", fleet.fleet_board, name="fleet_board"),
    path("channels/fleet/<str:digest>/numbers/", fleet.fleet_group, name="fleet_group"),
    path("channels/fleet/repin/", fleet.fleet_repin, name="fleet_repin"),
    path("channels/fleet/take-back/", fleet.fleet_take_back, name="fleet_take_back"),
    path("channels/batches/", batches.batch_list, name="batch_list"),
    path("channels/batches/<int:number>/", batches.batch_detail, name="batch_detail"),
    path("channels/batches/<int:number>/undo/", batches.batch_undo, name="batch_undo"),
    path("channels/missed/", missed.missed_list, name="missed_list"),
    path("channels/missed/forget/", missed.missed_forget, name="missed_forget"),
]
