"""The client: one question per call, with timeouts, retries, and what was known last."""

import os
import random
import time
from typing import Any

import httpx

from .answers import NotFound, Refused, Resolved, Unreachable
from .plans import Plan
from .store import Store

TIMEOUT = 1.5
ATTEMPTS = 3
MEMBER = '"configuration":'
PAUSE = 0.1
"""Seconds before the second attempt, on average; it doubles, and half of it is chance."""


class Client:
    """Safe to share between threads, as httpx's client is."""

    def __init__(
        self,
        address: str,
        token: str,
        *,
        folder: str | os.PathLike[str] | None = None,
        timeout: float = TIMEOUT,
        attempts: int = ATTEMPTS,
        default: dict[str, Any] | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._http = httpx.Client(
            base_url=address,
            headers={"Authorization": f"Bearer {token}"},
            timeout=timeout,
            transport=transport,
        )
        self._attempts = max(attempts, 1)
        self._default = default
        self._store = Store(folder)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def resolve(
        self,
        number: str,
        *,
        caller: str | None = None,
        call_id: str | None = None,
        context: dict[str, Any] | None = None,
    ) -> Resolved:
        """Which configuration to run for a call. Raises NotFound, Refused, Unreachable."""
        question = {
            "number": number,
            "caller": caller,
            "call_id": call_id,
            "context": context or {},
            "have": self._store.digests,
        }
        try:
            response = self._ask("POST", "/api/v1/resolve", question)
        except Unreachable:
            return self._without_server(number)
        answer = response.json()
        configuration = self._store.configuration(answer["digest"])
        if configuration is None:
            configuration = self._received(answer, response.text)
        kept = {name: answer[name] for name in ("agent", "version", "digest", "variant", "reason")}
        self._store.remember_answer(number, kept)
        return Resolved(
            **kept, configuration=configuration, resolution=answer["resolution"], is_stale=bool(answer["stale"])
        )

    def plan(self, number: str) -> Plan:
        """The plan of a number with its configurations, to decide in this process. The token needs the scope read."""
        document = self._ask("GET", f"/api/v1/channels/{number}/plan").json()
        digests = {variant["digest"] for variant in document["variants"] if variant["digest"]}
        return Plan(document, {digest: self.configuration(digest) for digest in digests})

    def configuration(self, digest: str) -> dict[str, Any]:
        """A configuration by its digest, as a webhook names it; fetched once. The token needs the scope read."""
        kept = self._store.configuration(digest)
        if kept is not None:
            return kept
        return self._store.keep(digest, self._ask("GET", f"/api/v1/configurations/{digest}").text)

    def _received(self, answer: dict[str, Any], text: str) -> dict[str, Any]:
        """Keep the configuration that came with an answer: its canonical text is the answer's last member."""
        if "configuration" not in answer:
            return self.configuration(answer["digest"])
        # The name cannot stand in a value before it: quotation marks are escaped there.
        return self._store.keep(answer["digest"], text[text.index(MEMBER) + len(MEMBER) : -1])

    def _without_server(self, number: str) -> Resolved:
        last = self._store.last_answer(number)
        configuration = self._store.configuration(last["digest"]) if last else None
        if last is not None and configuration is not None:
            return Resolved(**last, configuration=configuration, is_stale=True)
        if self._default is not None:
            return Resolved(None, None, None, None, "DEFAULT", self._default, is_stale=True)
        raise Unreachable(f"Nothing is known about {number} from before.")

    def _ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        problem: Exception | None = None
        for attempt in range(self._attempts):
            if attempt:
                pause = PAUSE * 2 ** (attempt - 1)
                time.sleep(pause / 2 + random.random() * pause)  # noqa: S311 spreads callers, hides nothing
            try:
                response = self._http.request(method, path, json=body)
            except httpx.TransportError as error:
                problem = error
                continue
            if response.status_code < 500:
                return _checked(response)
        raise Unreachable(f"The server did not answer ({problem or 'it failed'}).") from problem


def _checked(response: httpx.Response) -> httpx.Response:
    if response.status_code < 400:
        return response
    try:
        words = str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        words = f"The server said {response.status_code}."
    raise (NotFound if response.status_code == 404 else Refused)(words)
