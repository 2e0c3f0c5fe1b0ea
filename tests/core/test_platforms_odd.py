"""Whatever odd value a voice platform puts in whatever place, its call is kept."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.core.platforms import read_fitting
from monitoring.core.records import BadRecord
from tests.core import platform_payloads as payloads
from tests.core.platform_payloads import as_body
from tests.core.test_platforms import records

ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(st.characters(exclude_categories=[]), max_size=5),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=3), each, max_size=3),
    max_leaves=5,
)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place inside a JSON value."""
    found = [path] if path else []
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [*found, *(each for step, inner in steps for each in paths(inner, (*path, step)))]


PLACES = [
    (name, body, path)
    for name in ("vapi", "retell", "elevenlabs")
    for body in payloads.ALL[name]()
    for path in paths(json.loads(body))
]


@pytest.mark.parametrize("odd", [None, True, 2**70, -1.5, "", [], [[]], {}, {"a": {}}], ids=repr)
def test_each_place_with_each_kind_of_odd_value_loses_no_call(odd: Any) -> None:
    for place in PLACES:
        reads_or_names_the_id(place, odd)


@given(place=st.sampled_from(PLACES), odd=ODD)
def test_an_odd_value_anywhere_loses_no_call_and_raises_nothing(place: Any, odd: Any) -> None:
    reads_or_names_the_id(place, odd)


def reads_or_names_the_id(place: Any, odd: Any) -> None:
    name, body, path = place
    payload = inside = json.loads(body)
    for step in path[:-1]:
        inside = inside[step]
    inside[path[-1]] = odd
    for document in records(name, as_body(payload)):
        try:
            record, _ = read_fitting(document)
        except BadRecord as error:
            assert "“id”" in str(error)  # noqa: PT017 the id itself was made odd
        else:
            assert record.id == document["id"]
