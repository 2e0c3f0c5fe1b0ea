"""The API's frame around django-ninja: strict JSON in, problem documents out, closed unless an operation says who."""

import copy
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import URLPattern, URLResolver
from ninja import NinjaAPI, Router
from ninja.parser import Parser
from pydantic import BaseModel

from agentversions.core.canonical_json import parse

from .authentication import Token, closed
from .problems import problem, register_problems
from .schemas import Problem


class StrictParser(Parser):
    """Reads a body as the pages do: duplicate keys, NaN, NUL, lone surrogates, depth and size are refused by name."""

    def parse_body(self, request: HttpRequest) -> Any:
        """The body's JSON value."""
        return parse(request.body)


class Api(NinjaAPI):
    """The API of the whole product; every app adds its routers."""

    def __init__(self) -> None:
        super().__init__(
            title="Agent Versions",
            version="1",
            description="Agents, drafts, versions and what is live: everything that the pages do, by the same rules.",
            docs_url=None,
            openapi_url="",
            urls_namespace="api",
            parser=StrictParser(),
            auth=closed,
        )
        self._described: dict[str, dict[str, Any]] = {}
        self._described_models: list[type[BaseModel]] = []
        self._schema: dict[str, Any] | None = None
        register_problems(self)

    def add(self, prefix: str, router: Router, *, tag: str) -> None:
        """Mount a router; what each operation needs is written into its description."""
        for view in router.path_operations.values():
            for operation in view.operations:
                needs = [auth.needs for auth in operation.auth_callbacks if isinstance(auth, Token)]
                operation.description = "\n\n".join(
                    [operation.description or "", *(f"Needs {need}." for need in needs)]
                )
        self.add_router(prefix, router, tags=[tag])

    def describe(
        self, path: str, *, tag: str, summary: str, description: str, takes: type[BaseModel], gives: type[BaseModel]
    ) -> None:
        """Put an operation into the OpenAPI document that is answered before Django, outside this frame."""
        self._described[path] = {
            "post": {
                "operationId": summary.lower().replace(" ", "_"),
                "summary": summary,
                "description": description,
                "tags": [tag],
                "parameters": [],
                "requestBody": {"required": True, "content": _content(takes)},
                "responses": {200: {"description": "OK", "content": _content(gives)}},
                "security": [{"Token": []}],
            }
        }
        self._described_models += [takes, gives]

    def _get_urls(self) -> list[URLPattern | URLResolver]:
        urls = super()._get_urls()
        for pattern in urls:
            if isinstance(pattern, URLPattern):
                pattern.callback = _as_api(pattern.callback)
        return urls

    def get_openapi_schema(self) -> dict[str, Any]:  # type: ignore[override]
        """The OpenAPI document; every operation may answer with a problem. It is made once, when first asked for."""
        if self._schema is None:
            self._schema = self._make_schema()
        return self._schema

    def _make_schema(self) -> dict[str, Any]:
        schema = super().get_openapi_schema()
        schema["paths"] |= copy.deepcopy(self._described)
        for model in self._described_models:
            schema["components"].setdefault("schemas", {})[model.__name__] = model.model_json_schema()
        schema["components"].setdefault("schemas", {})["Problem"] = Problem.model_json_schema()
        content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        for methods in schema["paths"].values():
            for operation in methods.values():
                operation["responses"]["default"] = {"description": "A problem, in words", "content": content}
        return dict(schema)


def _content(model: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}}


def _as_api(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """No redirect to a sign-in page, HEAD wherever there is GET, and a problem document for a wrong method."""

    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "HEAD":
            request.method = "GET"
        response = view(request, *args, **kwargs)
        if isinstance(response, HttpResponseNotAllowed):
            allowed = response["Allow"]
            return problem("method-not-allowed", f"Use one of: {allowed}.", headers={"Allow": allowed})
        return response

    answered.csrf_exempt = True  # type: ignore[attr-defined]
    return login_not_required(answered)
