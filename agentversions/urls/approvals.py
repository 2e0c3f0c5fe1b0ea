"""Addresses: approvals, and what a version needs before callers hear it."""

from django.urls import URLPattern, path

from agentversions.views import approvals, releases

VERSION = "agents/<slug:slug>/versions/<int:number>"

urlpatterns: list[URLPattern] = [
    path("approvals/", approvals.approval_list, name="approval_list"),
    path("approvals/badge/", approvals.approval_badge, name="approval_badge"),
    path("approvals/<int:number>/", approvals.approval_detail, name="approval_detail"),
    path("approvals/<int:number>/decide/", approvals.approval_decide, name="approval_decide"),
    path("approvals/<int:number>/withdraw/", approvals.approval_withdraw, name="approval_withdraw"),
    path("approvals/<int:number>/comment/", approvals.approval_comment, name="approval_comment"),
    path("approvals/rollbacks/<int:number>/review/", approvals.rollback_review, name="rollback_review"),
    path("agents/<slug:slug>/release-rules/", releases.release_rules_dialog, name="release_rules_dialog"),
    path(f"{VERSION}/readiness/", releases.version_readiness, name="version_readiness"),
    path(f"{VERSION}/approval/", releases.approval_ask_dialog, name="approval_ask_dialog"),
    path(f"{VERSION}/override/", releases.override_dialog, name="override_dialog"),
]
