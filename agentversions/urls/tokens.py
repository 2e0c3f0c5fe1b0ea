"""Addresses: API tokens."""

from django.urls import URLPattern, path

from agentversions.views import tokens

urlpatterns: list[URLPattern] = [
    path("tokens/", tokens.token_list, name="token_list"),
    path("tokens/new/", tokens.token_create_dialog, name="token_create_dialog"),
    path("tokens/<int:pk>/revoke/", tokens.token_revoke_dialog, name="token_revoke_dialog"),
]
