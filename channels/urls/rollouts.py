"""Addresses: rollouts, starting one, moving one, what other pages say about them."""

from django.urls import URLPattern, path

from channels.views import rollout_moves, rollout_starting, rollouts

urlpatterns: list[URLPattern] = [
    path("rollouts/", rollouts.rollout_list, name="rollout_list"),
    path("rollouts/new/", rollout_starting.rollout_create, name="rollout_create"),
    path("rollouts/open/", rollouts.rollout_badge, name="rollout_badge"),
    path("rollouts/<int:number>/", rollouts.rollout_detail, name="rollout_detail"),
    path("rollouts/<int:number>/move/<str:word>/", rollout_moves.rollout_move_dialog, name="rollout_move_dialog"),
    path("agents/<slug:slug>/rollout/", rollouts.agent_rollout, name="agent_rollout"),
    path("agents/<slug:slug>/rollout/marks/", rollouts.rollout_marks, name="rollout_marks"),
]
