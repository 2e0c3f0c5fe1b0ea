"""The page of API tokens: made and shown once, revoked, never deleted."""

from datetime import timedelta

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from agentversions.core.roles import Permission
from agentversions.forms.tokens import TokenForm
from agentversions.models import ApiToken
from agentversions.models.people import ROLE_CHOICES, SCOPE_CHOICES
from agentversions.services.errors import Refused
from agentversions.services.tokens import make_token, revoke_token
from config.htmx import done, fragment_or_page

from .access import actor_of, page

FRAGMENTS = "agentversions/fragments"


@page(Permission.ADMINISTER)
def token_list(request: HttpRequest) -> HttpResponse:
    """Every token with what it may do and when it was last used."""
    context = {"tokens": ApiToken.objects.select_related("owner")}
    return fragment_or_page(request, f"{FRAGMENTS}/token_table.html", context, page="agentversions/token_list.html")


@page(Permission.ADMINISTER, "GET", "POST")
def token_create_dialog(request: HttpRequest) -> HttpResponse:
    """Asks what the token is for; afterwards shows it, once."""
    form = TokenForm(request.POST or None, initial={"role": "viewer", "scopes": ["read"]})
    refusal = ""
    if request.method == "POST" and form.is_valid():
        days, actor = form.cleaned_data["days"], actor_of(request)
        try:
            made = make_token(
                name=form.cleaned_data["name"],
                roles=[form.cleaned_data["role"]],
                scopes=form.cleaned_data["scopes"],
                expires_at=timezone.now() + timedelta(days=days) if days else None,
                owner=actor,
                actor=actor,
            )
        except Refused as error:
            refusal = str(error)
        else:
            response = fragment_or_page(
                request, f"{FRAGMENTS}/token_made_dialog.html", {"made": made, "title": "Token"}
            )
            response["HX-Trigger"] = "token-changed"
            response["Cache-Control"] = "no-store"
            return response
    context = {
        "form": form,
        "refusal": refusal,
        "roles": ROLE_CHOICES,
        "scopes": SCOPE_CHOICES,
        "chosen": form["scopes"].value() or [],
        "title": "New API token",
    }
    status = 422 if request.method == "POST" else 200
    return fragment_or_page(request, f"{FRAGMENTS}/token_create_dialog.html", context, status=status)


@page(Permission.ADMINISTER, "GET", "POST")
def token_revoke_dialog(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks, then closes the token for good."""
    token = ApiToken.objects.filter(pk=pk).first()
    if token is None:
        raise Http404("There is no such token.")
    if request.method == "POST":
        revoke_token(token=token, actor=actor_of(request))
        message = f"“{token.name}” opens nothing any more."
        return done(request, message, to=reverse("agentversions:token_list"), event="token-changed")
    context = {"token": token, "title": f"Revoke {token.name}"}
    return fragment_or_page(request, f"{FRAGMENTS}/token_revoke_dialog.html", context)
