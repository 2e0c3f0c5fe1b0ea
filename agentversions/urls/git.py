"""Addresses: the repository that versions come from."""

from django.urls import URLPattern, path

from agentversions.views import git, git_webhook

urlpatterns: list[URLPattern] = [
    path("git/", git.git_page, name="git_page"),
    path("git/settings/", git.git_settings_dialog, name="git_settings_dialog"),
    path("git/sync/", git.git_sync_now, name="git_sync_now"),
    path("git/suspend/", git.git_suspend_dialog, name="git_suspend_dialog"),
    path("git/resume/", git.git_resume, name="git_resume"),
    path("git/accept/", git.git_accept, name="git_accept"),
    path("git/webhook", git_webhook.git_webhook, name="git_webhook"),
]
