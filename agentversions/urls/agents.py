"""Addresses: the list of agents, and one agent as a whole."""

from django.urls import URLPattern, path

from agentversions.views import agents

urlpatterns: list[URLPattern] = [
    path("agents/", agents.agent_list, name="agent_list"),
    path("agents/new/", agents.agent_create, name="agent_create"),
    path("agents/<slug:slug>/duplicate/", agents.agent_duplicate_dialog, name="agent_duplicate_dialog"),
    path("agents/<slug:slug>/folder/", agents.agent_folder_dialog, name="agent_folder_dialog"),
    path("agents/<slug:slug>/archive/", agents.agent_archive_dialog, name="agent_archive_dialog"),
    path("agents/<slug:slug>/unarchive/", agents.agent_unarchive, name="agent_unarchive"),
]
