"""The forms of evaluations: a suite, a case with its rows, a run with its limits."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.http import QueryDict

from agentversions.core.canonical_json import NotCanonicalisable, parse
from agentversions.core.configuration import Json
from agentversions.core.evaluations.cases import Case, case_document
from agentversions.core.evaluations.expectations import KINDS

from .libraries import WHOLE_NUMBER, too_long

BLANK_ROWS = 2
MOST_ROWS = 200
OPTIONS = {
    "": "as usual",
    "all": "in any answer",
    "meaning": "same meaning (judged)",
    "is_exact": "no other arguments",
}
TEXT_FIELD = {
    "golden": "text",
    "contains": "text",
    "not_contains": "text",
    "regex": "pattern",
    "json_equals": "path",
    "tool_called": "tool",
    "tool_not_called": "tool",
    "judged": "criterion",
}
VALUE_FIELD = {"json_equals": "equals", "tool_called": "arguments"}
OPTION_FIELD = {"all": ("scope", "all"), "meaning": ("match", "meaning"), "is_exact": ("is_exact", True)}


class SuiteForm(forms.Form):
    """A suite's name, what it is for, and whose it is (an agent's slug; empty: shared by all)."""

    name = forms.CharField(max_length=200, error_messages={"required": "Give it a name.", **too_long("name", 200)})
    description = forms.CharField(required=False, max_length=2_000, error_messages=too_long("description", 2_000))
    agent = forms.CharField(required=False, max_length=100)


class ImportForm(forms.Form):
    """A file of cases."""

    file = forms.FileField(error_messages={"required": "Choose a file.", "empty": "The file is empty."})
    is_whole = forms.BooleanField(required=False)
    skips_bad = forms.BooleanField(required=False)


class RunForm(forms.Form):
    """What to run against, where, and the limits."""

    agent = forms.CharField(max_length=100, error_messages={"required": "Choose an agent."})
    target = forms.CharField(max_length=80, error_messages={"required": "Choose the draft or a version."})
    environment = forms.CharField(max_length=20)
    concurrency = forms.IntegerField(error_messages={"required": WHOLE_NUMBER, "invalid": WHOLE_NUMBER})
    max_calls = forms.IntegerField(required=False, error_messages={"invalid": WHOLE_NUMBER})
    max_cost = forms.DecimalField(
        required=False, max_digits=12, decimal_places=6, error_messages={"invalid": "Type an amount such as 2.50."}
    )
    is_fresh = forms.BooleanField(required=False)


@dataclass
class CaseForm:
    """A case as rows of turns and expectations; what was typed stays when it is refused."""

    fields: dict[str, str]
    turns: list[dict[str, str]]
    expect: list[dict[str, str]]
    refusal: str = ""
    kinds: Mapping[str, str] = field(default_factory=lambda: KINDS)
    options: Mapping[str, str] = field(default_factory=lambda: OPTIONS)

    @classmethod
    def of(cls, document: Json) -> "CaseForm":
        """The rows of a case, or of the beginning of one."""
        fields = {name: str(document.get(name, "")) for name in ("name", "note")}
        fields["tags"] = " ".join(document.get("tags", ()))
        fields["weight"] = f"{document.get('weight', 1):g}"
        fields["must_pass"] = "on" if document.get("must_pass") else ""
        for name in ("fixtures", "variables"):
            fields[name] = _json(document[name]) if document.get(name) else ""
        turns = [
            {
                "role": turn["role"],
                "text": turn.get("text", ""),
                "calls": _json(turn["calls"]) if turn.get("calls") else "",
            }
            for turn in document.get("turns", ())
        ]
        return cls(fields, turns, [_expect_row(one) for one in document.get("expect", ())]).with_blanks()

    @classmethod
    def of_case(cls, case: Case) -> "CaseForm":
        """The rows of a case that is there."""
        return cls.of(case_document(case))

    @classmethod
    def of_post(cls, post: QueryDict) -> "CaseForm":
        """What a person typed."""
        fields = {
            name: post.get(name, "").replace("\r\n", "\n")
            for name in ("name", "note", "tags", "weight", "must_pass", "fixtures", "variables")
        }
        turns = _rows(post, "turns", ("role", "text", "calls"))
        return cls(fields, turns, _rows(post, "expect", ("kind", "text", "value", "option"))).with_blanks()

    def with_blanks(self) -> "CaseForm":
        """With empty rows to type into."""
        self.turns = [row for row in self.turns if row["text"].strip() or row["calls"].strip()]
        self.expect = [row for row in self.expect if row["text"].strip() or row["value"].strip()]
        self.turns += [{"role": "user", "text": "", "calls": ""} for _ in range(BLANK_ROWS)]
        self.expect += [{"kind": "contains", "text": "", "value": "", "option": ""} for _ in range(BLANK_ROWS)]
        return self

    def document(self) -> Json:
        """The case as JSON values, for `read_case`. Raises ValueError with a sentence."""
        document: Json = {"name": self.fields["name"].strip(), "note": self.fields["note"]}
        document["tags"] = self.fields["tags"].replace(",", " ").split()
        document["must_pass"] = bool(self.fields["must_pass"])
        try:
            document["weight"] = float(self.fields["weight"] or 1)
        except ValueError as error:
            raise ValueError("The weight must be a number such as 1 or 2.5.") from error
        for name, label in (("fixtures", "What tools answer"), ("variables", "Variables")):
            if self.fields[name].strip():
                document[name] = _parsed(self.fields[name], label)
        document["turns"] = [
            {
                "role": row["role"],
                "text": row["text"],
                **({"calls": _parsed(row["calls"], "Tool calls")} if row["calls"].strip() else {}),
            }
            for row in self.turns
            if row["text"].strip() or row["calls"].strip()
        ]
        document["expect"] = [_expectation(row) for row in self.expect if row["text"].strip() or row["value"].strip()]
        return document


def _expectation(row: Mapping[str, str]) -> Json:
    kind = row["kind"]
    found: Json = {"kind": kind, TEXT_FIELD.get(kind, "text"): row["text"].strip()}
    if row["value"].strip():
        if kind not in VALUE_FIELD:
            raise ValueError(f"“{KINDS.get(kind, kind)}” takes no JSON value. Empty that field.")
        found[VALUE_FIELD[kind]] = _parsed(row["value"], "JSON value")
    if row["option"] in OPTION_FIELD:
        name, value = OPTION_FIELD[row["option"]]
        found[name] = value
    return found


def _expect_row(one: Json) -> dict[str, str]:
    kind = one["kind"]
    value = one.get(VALUE_FIELD[kind]) if kind in VALUE_FIELD else None
    has_value = kind == "json_equals" or value is not None
    option = next((word for word, (name, set_to) in OPTION_FIELD.items() if one.get(name) == set_to), "")
    return {
        "kind": kind,
        "text": str(one.get(TEXT_FIELD[kind], "")),
        "value": _json(value) if has_value else "",
        "option": option,
    }


def _rows(post: QueryDict, name: str, columns: tuple[str, ...]) -> list[dict[str, str]]:
    rows = []
    for index in range(MOST_ROWS):
        if f"{name}-{index}-{columns[0]}" not in post:
            break
        rows.append({column: post.get(f"{name}-{index}-{column}", "").replace("\r\n", "\n") for column in columns})
    return rows


def _parsed(text: str, label: str) -> Any:
    try:
        return parse(text)
    except NotCanonicalisable as error:
        raise ValueError(f"{label} is not JSON. {error}") from error


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1 if isinstance(value, list) else None)
