"""Who may call an operation: each names the permission it needs; one that names none is closed to everybody."""

from typing import Any, cast

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from ninja.security import HttpBearer

from agentversions.core.roles import PERMISSIONS, Permission
from agentversions.models import ApiToken, User
from agentversions.models.people import scope_of
from agentversions.services.tokens import find_token, note_use
from config.origin import came_by_token

from .problems import SignInFirst


class Token(HttpBearer):
    """A bearer token whose roles and scopes allow the permission, and whose owner's roles still do."""

    def __init__(self, permission: Permission) -> None:
        super().__init__()
        self.permission = permission

    def __call__(self, request: HttpRequest) -> Any | None:
        """Nothing (401) for a missing or invalid token, PermissionDenied (403) for one that may not do this."""
        return super().__call__(request)

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken | None:
        """The token, once it is known and allowed to."""
        found = find_token(token.strip())
        if found is None:
            return None
        if not self.lets(found):
            raise PermissionDenied(f"The token “{found.name}” may not do this. It needs {self.needs}.")
        note_use(found)
        came_by_token(found.name)
        return found

    def lets(self, token: ApiToken) -> bool:
        """Whether the token allows what the operation needs."""
        return token.allows(self.permission)

    @property
    def scope(self) -> str:
        """The scope that the permission belongs to."""
        return scope_of(self.permission)

    @property
    def needs(self) -> str:
        """What a token needs, in words: `the scope “write” and the role editor or admin`."""
        roles = [role.value for role, allowed in PERMISSIONS.items() if self.permission in allowed]
        words = "any role" if self.permission == Permission.READ else f"the role {' or '.join(roles)}"
        return f"the scope “{self.scope}” and {words}"


class TokenOrSession(Token):
    """Also lets a signed-in person read: for links that a page shows."""

    def __call__(self, request: HttpRequest) -> Any | None:
        """The token when one is sent, else the person of the session."""
        if "Authorization" in request.headers:
            return super().__call__(request)
        if not request.user.is_authenticated:
            return None
        user = request.user
        if not user.allows(self.permission):
            raise PermissionDenied("Your account has no role yet. Ask an admin for one.")
        return user


class TokenOrPage(TokenOrSession):
    """For a page of the API: a browser without a session is sent to the sign-in page and back."""

    def __call__(self, request: HttpRequest) -> Any | None:
        """The token or the person; raises SignInFirst for neither."""
        found = super().__call__(request)
        if found is None and "Authorization" not in request.headers:
            raise SignInFirst
        return found


def closed(request: HttpRequest) -> None:
    """The default of the whole API: an operation that names no permission is answered to nobody."""


class TokenOfAny(Token):
    """A token that one of several permissions allows, all of them of the scope `write`."""

    def __init__(self, *permissions: Permission) -> None:
        super().__init__(permissions[0])
        self.permissions = permissions

    def lets(self, token: ApiToken) -> bool:
        """Whether one of the permissions is among what the token allows."""
        return any(token.allows(permission) for permission in self.permissions)

    @property
    def needs(self) -> str:
        """What a token needs, in words."""
        roles = [role.value for role, allowed in PERMISSIONS.items() if allowed & set(self.permissions)]
        return f"the scope “{self.scope}” and the role {' or '.join(roles)}"


READ, EDIT, ROUTE = Token(Permission.READ), Token(Permission.EDIT), Token(Permission.ROUTE)
ADMINISTER = Token(Permission.ADMINISTER)
APPROVE = Token(Permission.APPROVE)
ASK = TokenOfAny(Permission.EDIT, Permission.ROUTE)
COMMENT = TokenOfAny(Permission.EDIT, Permission.ROUTE, Permission.APPROVE)
READ_ALSO_SIGNED_IN = TokenOrSession(Permission.READ)
READ_A_PAGE = TokenOrPage(Permission.READ)


def actor_of(request: HttpRequest) -> User:
    """The person for whom the token acts, with no more rights than the token has."""
    token = token_of(request)
    token.owner.acts_through = token
    return token.owner


def token_of(request: HttpRequest) -> ApiToken:
    """The token of this call."""
    return cast(ApiToken, request.auth)  # type: ignore[attr-defined]
