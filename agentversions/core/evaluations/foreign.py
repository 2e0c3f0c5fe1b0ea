"""Evaluation cases in the shapes that others publish, as ours: τ²-bench tasks, caller scenarios, utterance tests."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

Document = dict[str, Any]


def own_shape(document: Any) -> Iterator[Any]:
    """The cases of a document in our own shape; what nobody knows is given as it is, for its reader to refuse."""
    if isinstance(document, Mapping):
        if isinstance(document.get("cases"), list):
            for one in document["cases"]:
                yield from own_shape(one)
            return
        if isinstance(document.get("tests"), list):
            yield from _utterances(document)
            return
        if "user_scenario" in document:
            yield _task(document)
            return
        if "caller" in document and "turns" not in document:
            yield _scenario(document)
            return
        if "turns" not in document and isinstance(document.get("question"), str):
            yield _plain(document)
            return
    yield document


def _plain(document: Mapping[str, Any]) -> Document:
    """{"question", "answer"}: a golden answer."""
    rest = {key: value for key, value in document.items() if key not in ("question", "answer")}
    rest.setdefault("name", document["question"][:200])
    if isinstance(document.get("answer"), str):
        rest.setdefault("expect", [{"kind": "golden", "text": document["answer"]}])
    return {**rest, "turns": [{"role": "user", "text": document["question"]}]}


def _scenario(document: Mapping[str, Any]) -> Document:
    """{"name", "caller", "expect": [words]}: every expectation is judged."""
    expect = document.get("expect") or []
    return {
        "name": document.get("name"),
        "turns": [{"role": "user", "text": document["caller"]}],
        "expect": [{"kind": "judged", "criterion": one} if isinstance(one, str) else one for one in expect],
    }


def _task(document: Mapping[str, Any]) -> Document:
    """A task of τ²-bench: expected actions are tool calls, assertions in words are judged."""
    criteria = document.get("evaluation_criteria") or {}
    expect: list[Document] = [
        {"kind": "tool_called", "tool": action["name"], "arguments": action.get("arguments") or {}}
        for action in criteria.get("actions") or ()
        if isinstance(action, Mapping) and action.get("requestor", "assistant") == "assistant"
    ]
    expect += [
        {"kind": "contains", "text": str(text), "scope": "all"} for text in criteria.get("communicate_info") or ()
    ]
    expect += [{"kind": "judged", "criterion": text} for text in criteria.get("nl_assertions") or ()]
    state = document.get("initial_state") or {}
    turns = list(_history(state.get("message_history") or ()))
    turns.append({"role": "user", "text": document.get("ticket") or _instructions(document["user_scenario"])})
    note = (document.get("description") or {}).get("purpose") or ""
    return {"name": document.get("id"), "turns": turns, "expect": expect, "note": note}


def _instructions(scenario: Mapping[str, Any]) -> str:
    said = scenario.get("instructions") or ""
    if isinstance(said, str):
        return said
    parts = [said.get(name) for name in ("reason_for_call", "known_info", "unknown_info", "task_instructions")]
    return "\n".join(part for part in parts if part)


def _history(messages: Any) -> Iterator[Document]:
    """Messages before the task; tool results go into the calls that they answer."""
    results = {message.get("id"): message.get("content") for message in messages if message.get("role") == "tool"}
    for message in messages:
        if message.get("role") == "tool":
            continue
        calls = [
            {
                "name": call["name"],
                "arguments": call.get("arguments") or {},
                "result": _parsed(results.get(call.get("id"))),
            }
            for call in message.get("tool_calls") or ()
        ]
        turn: Document = {"role": message.get("role"), "text": message.get("content") or ""}
        yield {**turn, "calls": calls} if calls else turn


def _utterances(document: Mapping[str, Any]) -> Iterator[Document]:
    """Utterance tests: each sentence is a case, the intent with its slots the tool call that it leads to."""
    names: dict[str, int] = {}
    language = str(document.get("language") or "")
    for test in document["tests"]:
        intent = test.get("intent") or {}
        # A slot with a list means any one of its values; a call has one, so such slots are not compared.
        slots = {name: value for name, value in (intent.get("slots") or {}).items() if not isinstance(value, list)}
        for sentence in test.get("sentences") or ():
            names[sentence] = names.get(sentence, 0) + 1
            again = f" ({names[sentence]})" if names[sentence] > 1 else ""
            yield {
                "name": f"{sentence[:190]}{again}",
                "turns": [{"role": "user", "text": sentence}],
                "expect": [{"kind": "tool_called", "tool": intent.get("name"), "arguments": slots}] if intent else [],
                "tags": [tag for tag in (language, intent.get("name")) if tag],
            }


def _parsed(text: Any) -> Any:
    try:
        return json.loads(text) if isinstance(text, str) else text
    except ValueError:
        return text
