"""Calls the API as a program does: with a bearer token and JSON."""

import json
from typing import Any

from django.test import Client

from agentversions.models import User
from agentversions.services.tokens import make_token
from tests.factories import make_user


class ApiClient:
    """A program with a token of this role."""

    def __init__(self, role: str = "editor", scopes: tuple[str, ...] = ("read", "write"), owner: User | None = None):
        self.owner = owner or make_user("admin", "approver")
        made = make_token(name="CI", roles=[role], scopes=list(scopes), owner=self.owner, actor=make_user("admin"))
        self.token, self.secret = made.token, made.secret
        self.http = Client(raise_request_exception=False)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The response to a call below /api/v1; a text or bytes is sent as it is, everything else as JSON."""
        raw = body if isinstance(body, str | bytes) else json.dumps(body) if body is not None else ""
        sent = {"Authorization": f"Bearer {self.secret}", **{name.replace("_", "-"): headers[name] for name in headers}}
        return self.http.generic(method, f"/api/v1{path}", raw, content_type="application/json", headers=sent)

    def get(self, path: str, **headers: str) -> Any:
        """GET."""
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        """POST."""
        return self.call("POST", path, body, **headers)
