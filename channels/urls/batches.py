"""Addresses: the fleet board, batches of changes, taking back, numbers that nothing answered."""

from django.urls import URLPattern, path

from channels.views import batches

urlpatterns: list[URLPattern] = [
    path("channels/fleet/", batches.fleet_board, name="fleet_board"),
    path("channels/fleet/<str:digest>/numbers/", batches.fleet_group, name="fleet_group"),
    path("channels/fleet/repin/", batches.fleet_repin, name="fleet_repin"),
    path("channels/fleet/take-back/", batches.fleet_take_back, name="fleet_take_back"),
    path("channels/batches/<int:number>/undo/", batches.batch_undo, name="batch_undo"),
    path("channels/missed/", batches.missed_list, name="missed_list"),
    path("channels/missed/forget/", batches.missed_forget, name="missed_forget"),
]
