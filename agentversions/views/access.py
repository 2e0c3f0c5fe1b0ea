"""Who may open a view: every view names the permission it needs, and loads its object while it checks."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_http_methods

from agentversions.core.roles import Permission
from agentversions.models import Agent, AgentVersion, User
from agentversions.services.errors import UnknownVersion
from agentversions.services.publishing import get_version

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]

REASONS = {
    Permission.READ: "Your account has no role yet. Ask an admin for one.",
    Permission.EDIT: "This needs the Editor role. Ask an admin for it.",
    Permission.ROUTE: "This needs the Operator role. Ask an admin for it.",
    Permission.APPROVE: "This needs the Approver role. Ask an admin for it.",
    Permission.LISTEN: "This needs the Call reviewer role. Ask an admin for it.",
    Permission.ADMINISTER: "This needs the Admin role.",
}


def page(permission: Permission, *methods: str, write: Permission | None = None) -> Callable[[View[P]], View[P]]:
    """Declare a view: who may open it, by which methods (GET when none is named), and who may POST to it.

    The declaration is kept on the view (`view.access`), where the test of all addresses finds it.
    """
    allowed = list(methods) or ["GET"]
    needed = {method: (write or permission) if method == "POST" else permission for method in allowed}

    def declare(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            need = needed.get("GET" if request.method == "HEAD" else str(request.method), permission)
            if not actor_of(request).allows(need):
                raise PermissionDenied(REASONS[need])
            return view(request, *args, **kwargs)

        restricted = require_http_methods([*allowed, *(["HEAD"] if "GET" in allowed else [])])(guarded)
        restricted.access = needed  # type: ignore[attr-defined]
        return cast(View[P], restricted)

    return declare


def actor_of(request: HttpRequest) -> User:
    """The signed-in person."""
    return cast(User, request.user)


def agent_or_404(slug: str) -> Agent:
    """The agent with its draft, or a 404 that names it."""
    agent: Agent | None = Agent.objects.with_draft().filter(slug=slug).first()
    if agent is None:
        raise Http404(f"There is no agent “{slug}”.")
    return agent


def version_or_404(slug: str, number: int) -> AgentVersion:
    """The version with its agent and configuration, or a 404 that names it."""
    agent = agent_or_404(slug)
    try:
        version = get_version(agent, number)
    except UnknownVersion as error:
        raise Http404(str(error)) from error
    version.agent = agent
    return version
