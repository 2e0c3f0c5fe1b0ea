"""The API about itself: its OpenAPI document, the JSON Schema of a configuration, and a page of all operations."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from ninja import NinjaAPI, Router

from agentversions.core.configuration import AgentConfiguration

from .authentication import READ_A_PAGE, READ_ALSO_SIGNED_IN
from .problems import KINDS


def router_about(api: NinjaAPI) -> Router:
    """The operations that describe an API; they are not part of the description themselves."""
    router = Router()

    @router.get("/openapi.json", auth=READ_ALSO_SIGNED_IN, include_in_schema=False, url_name="openapi")
    def openapi(request: HttpRequest) -> HttpResponse:
        """The OpenAPI document of every operation."""
        return JsonResponse(api.get_openapi_schema())

    @router.get(
        "/configuration.schema.json", auth=READ_ALSO_SIGNED_IN, include_in_schema=False, url_name="configuration_schema"
    )
    def configuration_schema(request: HttpRequest) -> HttpResponse:
        """The JSON Schema (2020-12) of an agent's configuration."""
        return JsonResponse(AgentConfiguration.model_json_schema(), content_type="application/schema+json")

    @router.get("/docs", auth=READ_A_PAGE, include_in_schema=False, url_name="docs")
    def docs(request: HttpRequest) -> HttpResponse:
        """A page of every operation by tag, with what it needs and takes."""
        schema = api.get_openapi_schema()
        problems = [{"kind": kind, "status": status, "title": title} for kind, (status, title) in KINDS.items()]
        context = {"groups": _by_tag(schema), "says": schema["info"]["description"], "problems": problems}
        return render(request, "agentversions/api_docs.html", context)

    return router


def _by_tag(schema: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            groups.setdefault(operation["tags"][0], []).append(
                {
                    "method": method.upper(),
                    "path": path,
                    "summary": operation.get("summary", ""),
                    "description": operation.get("description", ""),
                    "parameters": operation.get("parameters", []),
                    "fields": _fields(schema, body),
                }
            )
    return groups


def _fields(schema: dict[str, Any], body: dict[str, Any]) -> list[dict[str, Any]]:
    """The fields of a request's body, with whether each must be there."""
    name = str(body.get("$ref", "")).rpartition("/")[2]
    model = schema["components"]["schemas"].get(name, {})
    required = model.get("required", [])
    return [
        {"name": field, "is_required": field in required, "says": about.get("description") or about.get("title", "")}
        for field, about in model.get("properties", {}).items()
    ]
