"""Addresses: the libraries, and picking from them into a draft."""

from django.urls import URLPattern, path

from agentversions.views import libraries, library_keeping, library_picking

urlpatterns: list[URLPattern] = [
    path("tools/", libraries.tool_list, name="tool_list"),
    path("tools/new/", libraries.tool_create, name="tool_create"),
    path("tools/<slug:slug>/", libraries.tool_detail, name="tool_detail"),
    path("tools/<slug:slug>/revisions/<int:number>/", libraries.tool_revision, name="tool_revision"),
    path("tools/<slug:slug>/archive/", libraries.library_archive, {"kind": "tool"}, name="tool_archive"),
    path("knowledge/", libraries.knowledge_list, name="knowledge_list"),
    path("knowledge/new/", libraries.knowledge_create, name="knowledge_create"),
    path("knowledge/<slug:slug>/", libraries.knowledge_detail, name="knowledge_detail"),
    path("knowledge/<slug:slug>/revisions/<int:number>/", libraries.knowledge_revision, name="knowledge_revision"),
    path("knowledge/<slug:slug>/archive/", libraries.library_archive, {"kind": "knowledge"}, name="knowledge_archive"),
    path("agents/<slug:slug>/tools/pick/", library_picking.tool_pick_dialog, name="tool_pick_dialog"),
    path("agents/<slug:slug>/knowledge/pick/", library_picking.knowledge_pick_dialog, name="knowledge_pick_dialog"),
    path("agents/<slug:slug>/tools/keep/", library_keeping.tool_keep_dialog, name="tool_keep_dialog"),
    path("agents/<slug:slug>/library-updates/", library_picking.library_updates, name="library_updates"),
    path(
        "agents/<slug:slug>/library-updates/take/", library_picking.library_update_dialog, name="library_update_dialog"
    ),
]
