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
KEPT = ("agent", "version", "digest", "variant", "reason", "effective_digest", "rollout", "flags", "overlay")
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
        try:
            return self.ask_server(number, caller=caller, call_id=call_id, context=context)
        except Unreachable:
            return self._without_server(number)

    def ask_server(
        self,
        number: str,
        *,
        caller: str | None = None,
        call_id: str | None = None,
        context: dict[str, Any] | None = None,
    ) -> Resolved:
        """As `resolve`, but only what the server says now. Raises Unreachable without it."""
        question = {"number": number, "caller": caller, "call_id": call_id, "context": context or {}}
        response = self._ask("POST", "/api/v1/resolve", question | {"have": self._store.digests})
        answer = response.json()
        configuration = self._store.configuration(_effective(answer))
        if configuration is None and MEMBER not in response.text:
            # It was let go of meanwhile, and what flags changed has no address of its own.
            response = self._ask("POST", "/api/v1/resolve", question)
            answer = response.json()
        if configuration is None:
            configuration = self._received(answer, response.text)
        kept = {name: answer[name] for name in KEPT if name in answer}
        # Whoever cannot reach the server gives everybody what was last known: never what only a few were to get.
        if (answer.get("rollout") or {}).get("arm") != "canary":
            self._store.remember_answer(number, kept)
        return Resolved(
            **kept, configuration=configuration, resolution=answer["resolution"], is_stale=bool(answer["stale"])
        )

    def plan(self, number: str) -> Plan:
        """The plan of a number with its configurations, to decide in this process. The token needs the scope read."""
        document = self._ask("GET", f"/api/v1/channels/{number}/plan").json()
        arms = [arm for variant in document["variants"] for arm in (variant, variant.get("rollout")) if arm]
        digests = {arm["digest"] for arm in arms if arm["digest"]}
        return Plan(document, {digest: self.configuration(digest) for digest in digests}, self)

    def configuration(self, digest: str) -> dict[str, Any]:
        """A configuration by its digest, as a webhook names it; fetched once. The token needs the scope read."""
        kept = self._store.configuration(digest)
        if kept is not None:
            return kept
        return self._store.keep(digest, self._ask("GET", f"/api/v1/configurations/{digest}").text)

    def _received(self, answer: dict[str, Any], text: str) -> dict[str, Any]:
        """Keep the configuration that came with an answer: its canonical text is the answer's last member."""
        # The name cannot stand before it: quotation marks in values are escaped, names in flags are written otherwise.
        return self._store.keep(_effective(answer), text[text.index(MEMBER) + len(MEMBER) : -1])

    def _without_server(self, number: str) -> Resolved:
        last = self._store.last_answer(number)
        configuration = self._store.configuration(_effective(last)) if last else None
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


def _effective(answer: dict[str, Any]) -> str:
    """The digest of the configuration that is sent; a server before flags, or a file of its time, has only the one."""
    return str(answer.get("effective_digest") or answer["digest"])


def _checked(response: httpx.Response) -> httpx.Response:
    if response.status_code < 400:
        return response
    try:
        words = str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        words = f"The server said {response.status_code}."
    raise (NotFound if response.status_code == 404 else Refused)(words)
