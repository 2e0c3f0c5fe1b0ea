"""The chain over the audit trail: its laws, what a walk says of every kind of tampering, and when all is decided."""

import hashlib
import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from agentversions.core.audit_chain import GENESIS, ChainedEntry, Link, chain, document_of, hash_of
from agentversions.core.audit_check import ChainWalk, Harm, Problem, say_unsealed
from agentversions.core.audit_horizon import Sample, decide

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
numbers = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


def entry(number: int, reason: str = "", after: Any = None) -> ChainedEntry:
    written = None if after is None else json.dumps(after)
    return ChainedEntry(
        number, f"2026-11-21T10:00:00.{number:06d}Z", 7, "route changed", "channel", "+33198765432", reason,
        None, written, "page", "/channels/", "203.0.113.7",
    )  # fmt: skip


entries = st.lists(st.tuples(texts, values), min_size=2, max_size=8).map(
    lambda rows: [entry(3 * at + 1, f"{at} {reason}", after) for at, (reason, after) in enumerate(rows)]
)


def walk(links: list[Link], rows: list[ChainedEntry], *looked_for: str) -> list[Problem]:
    by_id = {row.id: row for row in rows}
    walked = ChainWalk(looked_for)
    found = list(walked.problems((link, by_id.get(link.entry)) for link in links))
    sealed = {link.entry for link in links}
    unsealed = sorted(number for number in by_id if number not in sealed and number <= walked.greatest_entry)
    return [*found, *say_unsealed(unsealed, walked.gaps)]


def test_anybody_can_recompute_a_hash() -> None:
    first = entry(5, "Release", {"b": 1.5, "a": "é"})
    document = {
        "entry": {
            "id": 5, "at": "2026-11-21T10:00:00.000005Z", "actor": 7, "action": "route changed",
            "subject_kind": "channel", "subject": "+33198765432", "reason": "Release", "after": {"b": 1.5, "a": "é"},
            "origin": "page", "origin_name": "/channels/", "client_address": "203.0.113.7",
        },
        "position": 1,
        "previous": "0" * 64,
    }  # fmt: skip
    assert hash_of(first, position=1, previous=GENESIS) == hashlib.sha256(rfc8785.dumps(document)).hexdigest()


@given(values, texts)
def test_the_quick_writer_says_what_rfc_8785_says(after: Any, reason: str) -> None:
    row = entry(1, reason, after)
    document = {"entry": document_of(row), "position": 1, "previous": GENESIS}
    assert hash_of(row, position=1, previous=GENESIS) == hashlib.sha256(rfc8785.dumps(document)).hexdigest()


@pytest.mark.parametrize(
    "text",
    [
        "9007199254740993",
        "0.1000000000000000055511151231257827021181583404541015625",
        "[" * 70 + "]" * 70,
        "[" * 50_000 + "]" * 50_000,
        "1" + "0" * 400 + ".5",
        "9" * 5_000,
    ],
)
def test_json_without_an_exact_form_is_sealed_as_text(text: str) -> None:
    row = entry(1)._replace(after=text)
    assert document_of(row)["after_text"] == text
    assert hash_of(row, position=1, previous=GENESIS) != hash_of(row._replace(after="1"), position=1, previous=GENESIS)


@given(entries)
def test_a_chain_that_nobody_touched_is_whole_however_it_was_cut_into_batches(rows: list[ChainedEntry]) -> None:
    links = list(chain(rows, after=None))
    halves = list(chain(rows[:1], after=None))
    halves += chain(rows[1:], after=halves[-1])
    assert halves == links
    assert walk(links, rows, links[0].hash) == []


@given(entries, st.data())
def test_a_changed_row_is_named_and_no_other(rows: list[ChainedEntry], data: st.DataObject) -> None:
    links = list(chain(rows, after=None))
    at = data.draw(st.integers(0, len(rows) - 1))
    name = data.draw(st.sampled_from(["action", "subject", "reason", "origin_name", "at", "client_address"]))
    tampered = [*rows[:at], rows[at]._replace(**{name: f"{getattr(rows[at], name)}!"}), *rows[at + 1 :]]
    found = walk(links, tampered)
    assert [(each.harm, each.entry) for each in found] == [(Harm.CHANGED, rows[at].id)]


@given(entries, st.data())
def test_a_deleted_row_is_named_and_no_other(rows: list[ChainedEntry], data: st.DataObject) -> None:
    links = list(chain(rows, after=None))
    at = data.draw(st.integers(0, len(rows) - 1))
    found = walk(links, rows[:at] + rows[at + 1 :])
    assert [(each.harm, each.entry) for each in found] == [(Harm.DELETED, rows[at].id)]


@given(entries, st.data())
def test_an_inserted_row_is_named_and_no_other(rows: list[ChainedEntry], data: st.DataObject) -> None:
    links = list(chain(rows, after=None))
    number = rows[data.draw(st.integers(1, len(rows) - 1))].id - 1
    found = walk(links, [*rows, entry(number, "Forged")])
    assert [(each.harm, each.entry) for each in found] == [(Harm.INSERTED, number)]


@given(entries, st.data())
def test_rows_that_changed_places_are_named_and_no_other(rows: list[ChainedEntry], data: st.DataObject) -> None:
    links = list(chain(rows, after=None))
    one, other = data.draw(st.lists(st.integers(0, len(rows) - 1), min_size=2, max_size=2, unique=True))
    tampered = list(rows)
    tampered[one], tampered[other] = (
        rows[other]._replace(id=rows[one].id),
        rows[one]._replace(id=rows[other].id),
    )
    found = walk(links, tampered)
    assert {(each.harm, each.entry) for each in found} == {
        (Harm.REORDERED, rows[one].id),
        (Harm.REORDERED, rows[other].id),
    }


@given(entries, st.data())
def test_an_altered_seal_is_told_from_a_changed_entry(rows: list[ChainedEntry], data: st.DataObject) -> None:
    links = list(chain(rows, after=None))
    at = data.draw(st.integers(0, len(rows) - 2))
    name = data.draw(st.sampled_from(["hash", "previous"]))
    tampered = [*links[:at], links[at]._replace(**{name: "f" * 64}), *links[at + 1 :]]
    assert [(each.harm, each.position) for each in walk(tampered, rows)] == [(Harm.SEAL, at + 1)]


@given(entries, st.data())
def test_an_entry_that_was_changed_and_sealed_anew_is_named(rows: list[ChainedEntry], data: st.DataObject) -> None:
    links = list(chain(rows, after=None))
    at = data.draw(st.integers(0, len(rows) - 2))
    forged = rows[at]._replace(reason="Forged")
    anew = links[at]._replace(hash=hash_of(forged, position=at + 1, previous=links[at].previous))
    found = walk([*links[:at], anew, *links[at + 1 :]], [*rows[:at], forged, *rows[at + 1 :]])
    assert [(each.harm, each.entry) for each in found] == [(Harm.CHANGED, rows[at].id)]


@given(entries, st.data())
def test_a_missing_seal_is_named_with_its_entry(rows: list[ChainedEntry], data: st.DataObject) -> None:
    links = list(chain(rows, after=None))
    at = data.draw(st.integers(0, len(rows) - 2))
    found = walk(links[:at] + links[at + 1 :], rows)
    assert [(each.harm, each.entry, each.position) for each in found] == [
        (Harm.SEAL, None, at + 1),
        (Harm.SEAL, rows[at].id, None),
    ]


def test_a_rewritten_or_shortened_chain_is_whole_but_lacks_the_head_that_was_kept() -> None:
    rows = [entry(number) for number in (1, 2, 3)]
    links = list(chain(rows, after=None))
    cut = ChainWalk([links[-1].hash])
    assert list(cut.problems((link, row) for link, row in zip(links[:2], rows, strict=False))) == []
    assert cut.not_met == {links[-1].hash}
    forged = [rows[0]._replace(reason="Forged"), *rows[1:]]
    rewritten = ChainWalk([links[-1].hash])
    anew = list(chain(forged, after=None))
    assert list(rewritten.problems(zip(anew, forged, strict=True))) == []
    assert rewritten.not_met == {links[-1].hash}


def test_nothing_is_decided_while_a_writer_that_may_hold_a_lower_number_is_under_way() -> None:
    slow = Sample(10, frozenset({"3/17"}))
    assert decide(slow, None) == (None, slow)
    later = Sample(20, frozenset({"3/17", "4/9"}))
    assert decide(later, slow) == (None, slow)
    # The slow one has ended, another has not: what was drawn by then is decided, the rest waits.
    last = Sample(30, frozenset({"4/9"}))
    assert decide(last, slow) == (10, last)
    assert decide(Sample(30, frozenset()), slow) == (30, None)


@given(st.data())
def test_no_entry_is_ever_passed_over(data: st.DataObject) -> None:
    """Writers begin, draw numbers and end in any order; whoever seals by `decide` misses none of them."""
    began, drawn = 0, 0
    kept: Sample | None = None
    running: dict[str, list[int]] = {}
    committed: set[int] = set()
    sealed: list[int] = []
    for _ in range(data.draw(st.integers(1, 40))):
        step = data.draw(st.sampled_from(["begin", "draw", "end", "seal"]))
        if step == "begin":
            began += 1
            running[str(began)] = []
        elif step == "draw" and running:
            drawn += 1
            running[data.draw(st.sampled_from(sorted(running)))].append(drawn)
        elif step == "end" and running:
            committed |= set(running.pop(data.draw(st.sampled_from(sorted(running)))))
        elif step == "seal":
            bound, kept = decide(Sample(drawn, frozenset(running)), kept)
            last = sealed[-1] if sealed else 0
            sealed += sorted(number for number in committed if last < number <= (bound or 0))
    committed |= {number for numbers in running.values() for number in numbers}
    last = sealed[-1] if sealed else 0
    assert sealed == sorted(number for number in committed if number <= last)
