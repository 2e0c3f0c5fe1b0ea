"""Where models answer: an OpenAI-compatible address and key per environment and provider, from the settings."""

import os
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from django.conf import settings
from httpx2 import AsyncClient
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agentversions.core.evaluations.prices import Price

from .errors import NoEndpoint

ENVIRONMENTS = ("staging", "production")
RETRIES = 6
"""With the client's back-off (half a second, doubling to eight, or what Retry-After says): half a minute of 429."""


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ProviderSettings(_Settings):
    """One provider: `models` maps a configuration's model to the endpoint's; prices are per million tokens."""

    url: str
    key: str = ""
    key_from: str = ""
    models: dict[str, str] = Field(default_factory=dict)
    prices: dict[str, tuple[Annotated[Decimal, Field(ge=0)], Annotated[Decimal, Field(ge=0)]]] = Field(
        default_factory=dict
    )
    timeout_s: float = Field(60.0, gt=0, le=600)
    retries: int = Field(RETRIES, ge=0, le=20)


class JudgeSettings(_Settings):
    """Which model judges."""

    provider: str
    model: str


class EnvironmentSettings(_Settings):
    """The providers of one environment, and its judge."""

    providers: dict[str, ProviderSettings] = Field(default_factory=dict)
    judge: JudgeSettings | None = None


@dataclass(frozen=True)
class Endpoint:
    """A model that answers: `name` as the configuration calls it, `model` as the endpoint does."""

    environment: str
    provider: str
    name: str
    model: str
    url: str
    key: str
    price: Price | None
    timeout_s: float
    retries: int

    def client(self, connection: AsyncClient) -> AsyncOpenAI:
        """For a run; retries 429, 5xx, time-outs and lost connections with back-off."""
        return AsyncOpenAI(**self._address, timeout=self.timeout_s, max_retries=self.retries, http_client=connection)

    def one_client(self) -> OpenAI:
        """For one person who waits: less patient."""
        return OpenAI(**self._address, timeout=min(self.timeout_s, 40), max_retries=min(self.retries, 2))

    @property
    def _address(self) -> dict[str, Any]:
        return {"base_url": self.url, "api_key": self.key or "none"}

    @property
    def identity(self) -> dict[str, Any]:
        """What an answer depends on, without any key."""
        return {"environment": self.environment, "provider": self.provider, "model": self.model}


def environments() -> tuple[str, ...]:
    """The environments for which any provider is set."""
    return tuple(name for name in ENVIRONMENTS if _read(name).providers)


def find_endpoint(*, environment: str, provider: str, model: str) -> Endpoint:
    """Where a configuration's model answers. Raises NoEndpoint with what to set."""
    found = _read(environment).providers.get(provider)
    if found is None:
        raise NoEndpoint(
            f"No endpoint answers for the provider “{provider}” in {environment}. "
            "An admin sets its address and key in LLM_ENDPOINTS.",
            "environment",
        )
    price = found.prices.get(model)
    return Endpoint(
        environment=environment,
        provider=provider,
        name=model,
        model=found.models.get(model, model),
        url=found.url,
        key=found.key or os.environ.get(found.key_from, ""),
        price=Price(*price) if price else None,
        timeout_s=found.timeout_s,
        retries=found.retries,
    )


def find_judge(environment: str) -> Endpoint:
    """The model that judges in an environment. Raises NoEndpoint."""
    judge = _read(environment).judge
    if judge is None:
        raise NoEndpoint(
            f"Some cases are judged, and {environment} has no judge. An admin names one in LLM_ENDPOINTS.",
            "environment",
        )
    return find_endpoint(environment=environment, provider=judge.provider, model=judge.model)


def _read(environment: str) -> EnvironmentSettings:
    if environment not in ENVIRONMENTS:
        raise NoEndpoint(f"“{environment[:40]}” is no environment. Choose {' or '.join(ENVIRONMENTS)}.", "environment")
    try:
        return EnvironmentSettings.model_validate(settings.LLM_ENDPOINTS.get(environment, {}))
    except ValidationError as error:
        detail = error.errors(include_input=False)[0]
        place = ".".join(str(step) for step in detail["loc"])
        raise NoEndpoint(
            f"LLM_ENDPOINTS cannot be read at {environment}.{place}: {detail['msg']}. An admin puts it right.",
            "environment",
        ) from error
