"""Asks a Prometheus server for one number at a time, over its HTTP API (`/api/v1/query`)."""

import http.client
import json
import math
import time
import urllib.error
import urllib.request
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings

MOST_BYTES = 1024 * 1024
WHERE = "Check PROMETHEUS_URL and that the server runs."


class NoFigures(Exception):
    """The figures could not be read; the message says why, and what to do."""


class Prometheus:
    """The server at `PROMETHEUS_URL`. All questions together may take `PROMETHEUS_TIMEOUT_S` seconds."""

    def __init__(self) -> None:
        if urlsplit(settings.PROMETHEUS_URL).scheme not in ("http", "https"):
            raise NoFigures("the rollout is judged by a Prometheus server, but none is named. Set PROMETHEUS_URL.")
        self._address = settings.PROMETHEUS_URL.rstrip("/")
        self._until = time.monotonic() + settings.PROMETHEUS_TIMEOUT_S
        # No proxy: the server stands beside this one, and its address is set by the operator.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def number(self, query: str, at: datetime) -> float | None:
        """The one number that a query gives at a moment; None without any. Raises NoFigures."""
        document = self._ask(query, at)
        try:
            data = document["data"]
            found = data["result"] if data["resultType"] == "vector" else [{"value": data["result"]}]
            values = [float(each["value"][1]) for each in found]
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise NoFigures(f"what answers at {self._address} is no Prometheus server. {WHERE}") from error
        values = [value for value in values if math.isfinite(value)]
        if len(values) > 1:
            raise NoFigures(f"Prometheus gives {len(values)} numbers for “{query}” where one is needed.")
        return values[0] if values else None

    def _ask(self, query: str, at: datetime) -> Any:
        left = self._until - time.monotonic()
        if left <= 0:
            raise NoFigures(f"Prometheus took longer than {settings.PROMETHEUS_TIMEOUT_S:g} seconds. {WHERE}")
        question = urlencode({"query": query, "time": f"{at.timestamp():.3f}"})
        try:
            with self._opener.open(f"{self._address}/api/v1/query?{question}", timeout=left) as response:
                return json.loads(response.read(MOST_BYTES))
        except urllib.error.HTTPError as error:
            raise NoFigures(f"Prometheus refuses “{query}”: {_said(error)}") from error
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise NoFigures(f"Prometheus at {self._address} cannot be reached ({reason}). {WHERE}") from error
        except ValueError as error:
            raise NoFigures(f"what answers at {self._address} is no Prometheus server. {WHERE}") from error


def _said(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(error.read(MOST_BYTES))["error"])[:300]
    except (OSError, ValueError, KeyError, TypeError):
        return f"HTTP {error.code}."
