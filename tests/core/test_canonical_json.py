"""Canonical JSON is RFC 8785, and what has no canonical form is refused with a sentence."""

import contextlib
import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from agentversions.core.canonical_json import MAX_INTEGER, NotCanonicalisable, canonical, is_canonical, parse
from agentversions.core.digest import digest_of

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-MAX_INTEGER, MAX_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: not MAX_INTEGER < abs(x) < 1e21)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_reading_canonical_text_and_writing_it_again_gives_the_same_bytes(value: Any) -> None:
    text = canonical(value)
    assert canonical(parse(text)) == text


@given(st.dictionaries(TEXTS, VALUES, min_size=2, max_size=5))
def test_the_order_of_keys_does_not_matter(value: dict[str, Any]) -> None:
    turned = dict(reversed(list(value.items())))
    assert digest_of(canonical(turned)) == digest_of(canonical(value))


@given(VALUES)
def test_every_value_is_written_as_the_full_writer_of_the_standard_writes_it(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value).decode()


def test_the_examples_of_rfc_8785_come_out_as_printed_there() -> None:
    source = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": '€$\u000f\nA\'B"\\\\"/',
        "literals": [None, True, False],
    }
    expected = (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )
    assert canonical(source) == expected


def test_keys_are_sorted_by_utf_16_code_units() -> None:
    assert canonical({"\ufb33": 1, "\U0001f600": 2, "\u20ac": 3}) == '{"\u20ac":3,"\U0001f600":2,"\ufb33":1}'


def test_the_digest_of_an_empty_object_is_the_published_sha_256() -> None:
    assert digest_of("{}") == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a":1,"a":2}', "“a” stands twice"),
        ('{"a":NaN}', "NaN is not a JSON number"),
        ('{"a":-Infinity}', "Infinity is not a JSON number"),
        ('{"a":1e999}', "not a finite number"),
        ('{"a":{"b":"\\u0000"}}', "“a.b” holds a NUL"),
        ('{"a":["\\ud800"]}', "half a character"),
        ('{"\\udc00":1}', "half a character"),
        ('{"a":9007199254740992}', "beyond 2^53"),
        ('{"a":9007199254740992.0}', "beyond 2^53"),
        ('{"a":' + "9" * 5000 + "}", "number"),
        ('{"a":1,}', "Line 1, column 8"),
        ("[" * 65 + "]" * 65, "more than 64 levels"),
        ("[" * 100_000 + "]" * 100_000, "more than 64 levels"),
        ('"' + "x" * 2_000_001 + '"', "the limit is 2 MB"),
    ],
)
def test_what_has_no_canonical_form_is_refused_with_a_sentence(text: str, words: str) -> None:
    with pytest.raises(NotCanonicalisable, match=words.replace("^", r"\^")):
        parse(text)


def test_64_levels_are_not_too_deep() -> None:
    assert json.dumps(parse("[" * 64 + "]" * 64)) == "[" * 64 + "]" * 64


def test_bytes_that_are_not_utf_8_are_refused() -> None:
    with pytest.raises(NotCanonicalisable, match="not UTF-8"):
        parse(b'{"a":"\xff"}')


def test_a_byte_order_mark_is_read_over() -> None:
    assert parse(b'\xef\xbb\xbf{"a":1}') == {"a": 1}


@pytest.mark.parametrize("value", [{1: "a"}, {"a": {1, 2}}, object()])
def test_values_that_json_does_not_have_are_refused(value: Any) -> None:
    with pytest.raises(NotCanonicalisable):
        canonical(value)


@given(VALUES)
def test_the_quick_check_agrees_with_the_full_one(value: Any) -> None:
    text = canonical(value)
    assert is_canonical(text)
    for other in (json.dumps(value), json.dumps(value, ensure_ascii=False, separators=(",", ":")), f" {text}"):
        assert is_canonical(other) == (other == text)


@pytest.mark.parametrize(
    "text",
    [
        '{"b":1,"a":2}',
        '{"a":1.0}',
        "[1e-05]",
        "[1.50]",
        '{"a": 1}',
        '["\\u00e9"]',
        '{"\U0001f600":1,"\ufb33":2}',
        "1e+20",
    ],
)
def test_text_in_another_form_is_not_canonical(text: str) -> None:
    with contextlib.suppress(NotCanonicalisable):
        assert is_canonical(text) == (canonical(json.loads(text)) == text)
