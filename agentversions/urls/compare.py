"""Addresses: comparing any two of draft, live and versions, and who wrote which line of a prompt."""

from django.urls import URLPattern, path

from agentversions.views import blame, compare

urlpatterns: list[URLPattern] = [
    path("agents/<slug:slug>/compare/", compare.version_compare_choice, name="version_compare_choice"),
    path("agents/<slug:slug>/compare/<str:base>...<str:head>/", compare.version_compare, name="version_compare"),
    path("agents/<slug:slug>/versions/<int:number>/blame/", blame.version_blame, name="version_blame"),
]
