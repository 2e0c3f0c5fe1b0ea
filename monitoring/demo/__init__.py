"""The calls of the demo: four weeks of two agents' versions, drawn by a seeded chance, so that every demo is alike."""

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from agentversions.core.yaml_text import read_yaml
from agentversions.models import Agent, User
from agentversions.models.database import database_now
from monitoring.core.records import CallRecord, read_record
from monitoring.models import CallLedger
from monitoring.services.ingest import ingest

from .ab_calls import load_test_calls

FILE = Path(__file__).with_name("calls.yaml")
DAYS = 28
ENDED = ("caller hung up", "agent ended the call", "caller hung up", "silence")
CALLERS = "+3319900{:04d}"
"""From a range that is reserved for fiction."""


def load_calls(people: Mapping[str, User]) -> None:
    """Add the calls unless they are there; `people` made the versions that handled them."""
    if CallLedger.objects.filter(sender_id__startswith="demo-").exists():
        return
    chance, now = random.Random(2026), database_now()  # noqa: S311 a demo is no secret
    lines: Any = read_yaml(FILE.read_text(encoding="utf-8"))
    said: Any = read_yaml(FILE.with_name("conversations.yaml").read_text(encoding="utf-8"))
    for line in lines:
        if "number" in line:
            load_test_calls(line, random.Random(line["number"]))  # noqa: S311 a demo is no secret
            continue
        agent = Agent.objects.filter(slug=line["agent"]).first()
        if agent is not None:
            ingest(list(_calls(line, chance, now, said[line["agent"]])), source="demo")


def _calls(line: Mapping[str, Any], chance: random.Random, now: datetime, said: Sequence[Any]) -> Iterator[CallRecord]:
    """The calls of one version: how many, in which of the last days, and how well it does; every third has words."""
    first, last = line["days"]
    for at in range(line["calls"]):
        started = now - timedelta(days=chance.uniform(DAYS - last, DAYS - first), minutes=10)
        seconds = min(chance.lognormvariate(0, 0.6) * line["seconds"], 1_500)
        is_error, is_transferred = chance.random() < line["errors"], chance.random() < line["transfers"]
        mood = chance.choices(("positive", "neutral", "negative"), line["sentiment"])[0]
        yield read_record(
            {
                "id": f"demo-{line['agent']}-{line['version']}-{at}",
                "agent": line["agent"],
                "version": line["version"],
                "called": chance.choice(line["numbers"]),
                "caller": CALLERS.format(chance.randrange(10_000)),
                "direction": "inbound",
                "started_at": started,
                "duration_s": round(seconds, 1),
                "engaged": chance.random() < 0.93,
                "transferred": is_transferred,
                "error": "tool timeout" if is_error else False,
                "ended_reason": "transferred to a person" if is_transferred else chance.choice(ENDED),
                "evaluation": "fail" if is_error or (is_transferred and chance.random() < 0.4) else "success",
                "sentiment": "negative" if is_error else mood,
                "latency_ms": round(chance.lognormvariate(6.5, 0.25)),
                "transcript": said[at % len(said)] if at % 3 == 0 else None,
                "cost": f"{seconds / 60 * 0.09:.4f}",
                "currency": "EUR",
            }
        )
