"""Single cases: found in a suite, saved, taken out, and made of what was said in a call or while trying."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction

from agentversions.core.canonical_json import NotCanonicalisable, parse
from agentversions.core.configuration import Json
from agentversions.core.evaluations.cases import Case, read_case
from agentversions.models import EvaluationSuite, SuiteEntry, SuiteRevision, User

from .errors import SuiteRefused
from .suites import change_cases

CALLER_ROLES = frozenset({"user", "caller", "customer", "human"})
AGENT_ROLES = frozenset({"assistant", "agent", "bot", "ai"})


def find_entry(suite: EvaluationSuite, name: str) -> SuiteEntry | None:
    """The entry of a name that the suite holds now."""
    found: SuiteEntry | None = SuiteEntry.objects.current(suite).select_related("case").filter(name=name).first()
    return found


@transaction.atomic
def save_case(
    *, suite: EvaluationSuite, document: Json, replaces: str = "", seen: int | None = None, actor: User
) -> tuple[Case, SuiteRevision]:
    """Put one case in. `replaces` is its former name (empty: it is new). Raises BadCase, SuiteRefused, SuiteMoved."""
    case = read_case(document)
    if case.name != replaces and find_entry(suite, case.name) is not None:
        raise SuiteRefused(f"The suite has a case “{case.name[:100]}” already. Choose another name.", "name")
    remove = [replaces] if replaces and replaces != case.name else []
    revision, _ = change_cases(suite=suite, put=[case], remove=remove, seen=seen, actor=actor)
    return case, revision


def case_from_turns(turns: Iterable[Mapping[str, Any]], *, name: str = "", note: str = "") -> Json:
    """The beginning of a case from what was said: `role`, `text`, and for tools `tool` with `data` as they answered.

    The agent's own words after the caller's last are left out, because that is what a run asks anew; they become the
    golden answer, to be judged by its meaning. Tool calls become fixtures. Other roles (system) are left out.
    """
    found: list[Json] = []
    fixtures: list[Json] = []
    for turn in turns:
        role, text = str(turn.get("role", "")).lower(), str(turn.get("text") or "").strip()
        if tool := turn.get("tool"):
            if turn.get("data") is not None or text:
                fixtures.append(_fixture(str(tool), turn, text))
        elif text and role in CALLER_ROLES | AGENT_ROLES:
            found.append({"role": "user" if role in CALLER_ROLES else "assistant", "text": text})
    last = max((index for index, turn in enumerate(found) if turn["role"] == "user"), default=-1)
    golden = "\n".join(turn["text"] for turn in found[last + 1 :]) if last >= 0 else ""
    document: Json = {"name": name[:200], "turns": found[: last + 1], "note": note}
    if fixtures:
        document["fixtures"] = fixtures
    if golden:
        document["expect"] = [{"kind": "golden", "text": golden, "match": "meaning"}]
    return document


def _fixture(tool: str, turn: Mapping[str, Any], text: str) -> Json:
    """What a tool answered, to calls with these arguments where they are known."""
    fixture: Json = {"name": tool[:200], "result": _value(turn.get("data"), text)}
    arguments = _value(turn.get("arguments"), "")
    return {**fixture, "arguments": arguments} if isinstance(arguments, dict) else fixture


def _value(data: Any, text: str) -> Any:
    """A JSON value, read from its text where it is one."""
    if data is not None and not isinstance(data, str):
        return data
    try:
        return parse(data or text)
    except NotCanonicalisable:
        return data or text
