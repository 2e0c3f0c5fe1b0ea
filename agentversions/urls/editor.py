"""Addresses: editor."""

from django.urls import URLPattern, path

from agentversions.views import draft_saving, editor, field_change, presence

urlpatterns: list[URLPattern] = [
    path("agents/<slug:slug>/", editor.agent_editor, name="agent_editor"),
    path("agents/<slug:slug>/workflow/graph/", editor.workflow_graph, name="workflow_graph"),
    path("agents/<slug:slug>/draft/", draft_saving.draft_save, name="draft_save"),
    path("agents/<slug:slug>/draft/change/", field_change.field_change_dialog, name="field_change_dialog"),
    path("agents/<slug:slug>/presence/", presence.draft_presence, name="draft_presence"),
]
