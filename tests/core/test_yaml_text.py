"""YAML: what is written is read back exactly, what a person wrote stays what it is, bombs do not explode."""

import pytest
from hypothesis import given, settings

from agentversions.core.canonical_json import NotCanonicalisable
from agentversions.core.yaml_text import read_yaml, write_yaml
from tests.configurations import json_values


@settings(max_examples=300, deadline=None)
@given(json_values)
def test_every_json_value_survives_yaml(value):
    assert read_yaml(write_yaml(value)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("on", "on"), ("yes", "yes"), ("2024-01-01", "2024-01-01"), ("12:30", "12:30"), ("+33612345678", "+33612345678"),
     ("007", "007"), ("0x1f", "0x1f"), ("~", None), ("1e3", 1000.0), ("-4", -4), ("=", "="), ("TRUE", True)],
)  # fmt: skip
def test_a_scalar_stays_what_was_written(text, value):
    assert read_yaml(f"a: {text}") == {"a": value}


def test_long_texts_are_written_as_blocks():
    assert write_yaml({"prompt": "# Role\nAnswer.\n"}) == "prompt: |\n  # Role\n  Answer.\n"


BOMB = "a: &a [1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BOMB, "aliases written out"),
        ("a: &a [*a]", "names nothing before it"),
        ("[" * 70 + "]" * 70, "nested more than 64"),
        ("a: 1\nb: 2\na: 3", "stands twice"),
        ("a: .inf", "not a finite number"),
        ("a: 99999999999999999999", "beyond 2"),
        ("!!python/object/apply:os.system [x]", "could not determine a constructor"),
        ("a: [", "Line 2"),
        ("? [1]\n: 2", "plain text"),
        ("a\n---\nb", "another document"),
        ("a: \x00", "not allowed"),
    ],
)
def test_what_cannot_arrive_whole_is_refused_with_its_place(text, words):
    with pytest.raises(NotCanonicalisable, match=words):
        read_yaml(text)


def test_ordinary_aliases_and_merges_are_written_out():
    assert read_yaml("a: &x {b: 1}\nc: *x\nd: {<<: *x, e: 2}") == {"a": {"b": 1}, "c": {"b": 1}, "d": {"b": 1, "e": 2}}
