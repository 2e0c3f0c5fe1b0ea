"""Addresses: versions, publishing, restoring and the draft's history."""

from django.urls import URLPattern, path

from agentversions.views import draft_history, publishing, restoring, versions

urlpatterns: list[URLPattern] = [
    path("agents/<slug:slug>/versions/", versions.version_panel, name="version_panel"),
    path("agents/<slug:slug>/versions/list/", versions.version_list, name="version_list"),
    path("agents/<slug:slug>/versions/draft/", versions.version_panel_draft, name="version_panel_draft"),
    path("agents/<slug:slug>/versions/compare/", versions.compare_picked, name="compare_picked"),
    path("agents/<slug:slug>/versions/<int:number>/", versions.version_detail, name="version_detail"),
    path("agents/<slug:slug>/versions/<int:number>/restore/", restoring.restore_dialog, name="restore_dialog"),
    path("agents/<slug:slug>/publish/", publishing.publish_dialog, name="publish_dialog"),
    path("agents/<slug:slug>/publish/name/", publishing.version_name_hint, name="version_name_hint"),
    path("agents/<slug:slug>/draft/history/", draft_history.draft_history, name="draft_history"),
    path(
        "agents/<slug:slug>/draft/history/<str:digest>/take-back/",
        draft_history.draft_take_back,
        name="draft_take_back",
    ),
]
