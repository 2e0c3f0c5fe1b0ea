"""Withheld callers, numbers, shares as people type them, and the signed decision."""

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from channels.core.phone_numbers import NotANumber, read_caller, read_number, read_unit, region_of, shown
from channels.core.resolution import SKEW, BadResolution, sign, verify
from channels.core.routes import Follow, Target, WantedVariant, split
from channels.core.shares import NotAShare, percent, read_percent, sum_in_words


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "anonymous", "Anonymous", "RESTRICTED", "private", "Private Number", "private_number", "unknown",
        "Unavailable", "blocked", "no-caller-id", "null", "+266696687", "266696687", "+7378742833", "+2562533",
        "+8656696", "+86282452253", "sip:anonymous@anonymous.invalid", "0000000000",
    ],
)  # fmt: skip
def test_withheld_callers_are_nobody_and_share_no_bucket(text: str) -> None:
    assert read_caller(text, "FR").unit is None


@pytest.mark.parametrize("text", ["user-8f3a", "a\x00b", "📞", "\ud800", "x" * 1024, "anonymous-coward-7"])
def test_what_is_no_number_counts_as_it_is(text: str) -> None:
    caller = read_caller(text, "FR")
    assert (caller.unit, caller.is_number) == (text, False)


CODES = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
NUMBERS = st.builds(
    lambda code, rest: f"+{code}{rest}", st.sampled_from(CODES), st.from_regex("[0-9]{1,13}", fullmatch=True)
)


@given(
    NUMBERS | st.from_regex(r"\+?[0-9 ]{0,16}", fullmatch=True) | st.text(max_size=12),
    st.sampled_from(["FR", "AR", "US", None]),
)
@settings(max_examples=2_000)
def test_the_fast_way_to_a_unit_is_the_same_unit(text: str, region: str | None) -> None:
    assert read_unit(text, region) == read_caller(text, region).unit


def test_the_fast_way_reads_a_number_of_every_country_as_phonenumbers_does() -> None:
    for region in phonenumbers.SUPPORTED_REGIONS:
        for kind in (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE):
            number = phonenumbers.example_number_for_type(region, kind)
            if number is None:
                continue
            plain = phonenumbers.format_number(number, PhoneNumberFormat.E164)
            for text in (plain, plain.replace(f"+{number.country_code}", f"+{number.country_code}0", 1)):
                assert read_unit(text, "FR") == read_caller(text, "FR").unit


def test_numbers_are_read_with_their_region_and_shown() -> None:
    assert read_number("01 98 76 54 32", "FR") == read_number("+33 1 98 76 54 32") == "+33198765432"
    assert region_of("+33198765432") == "FR"
    assert region_of("+80012345678") in {None, "001"}
    assert shown("+33198765432") == "+33 1 98 76 54 32"
    assert shown("bank-website") == "bank-website"


@pytest.mark.parametrize(
    ("text", "words"), [("01 98 76 54 32", "with its country"), ("hello", "no phone number"), ("+3312", "too few")]
)
def test_what_cannot_be_a_number_says_what_to_type(text: str, words: str) -> None:
    with pytest.raises(NotANumber, match=words):
        read_number(text, None if words != "no phone number" else "FR")


@pytest.mark.parametrize(
    ("text", "buckets"),
    [("50", 50_000), ("33.333", 33_333), ("33,333 %", 33_333), ("0.001", 1), (" 100% ", 100_000), ("7.5", 7_500)],
)
def test_shares_are_read_as_people_type_them(text: str, buckets: int) -> None:
    assert read_percent(text) == buckets
    assert read_percent(percent(buckets)) == buckets


@pytest.mark.parametrize("text", ["", "a lot", "33.3333", "101", "-1", "1e1", "٣٣٫٣", "50 50"])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(NotAShare):
        read_percent(text)


def test_the_sum_says_what_is_missing_or_too_much() -> None:
    assert sum_in_words([50_000, 50_000]) == ""
    assert "0.001 % are still free" in sum_in_words([50_000, 49_999])
    assert "10 % are too much" in sum_in_words([60_000, 50_000])


def test_a_resolution_comes_back_whole_and_only_unchanged() -> None:
    payload = {"n": "+33198765432", "v": 3, "t": "Contrôle", "exp": 1_000}
    token = sign(payload, key_id="k2", key=b"new" * 11)
    keys = {"k1": b"old" * 11, "k2": b"new" * 11}
    assert verify(token, keys=keys, now=999) == payload
    for at in range(len(token)):
        other = "A" if token[at] != "A" else "B"
        with pytest.raises(BadResolution):
            verify(token[:at] + other + token[at + 1 :], keys=keys, now=999)
    assert verify(sign(payload, key_id="k1", key=b"old" * 11), keys=keys, now=999) == payload


@pytest.mark.parametrize("token", ["", "r1", "r1.k1.x.y", "r2.k1.e30.x", "r1.k1.e30.é", "a.b.c.d.e"])
def test_what_was_not_signed_here_is_refused_with_words(token: str) -> None:
    with pytest.raises(BadResolution, match="resolution"):
        verify(token, keys={"k1": b"key"}, now=0)


def test_a_resolution_expires_with_room_for_clocks_that_differ() -> None:
    token = sign({"exp": 1_000}, key_id="k1", key=b"key")
    assert verify(token, keys={"k1": b"key"}, now=1_000 + SKEW)
    with pytest.raises(BadResolution, match="expired"):
        verify(token, keys={"k1": b"key"}, now=1_001 + SKEW)


def test_a_target_has_a_number_exactly_when_it_is_pinned() -> None:
    assert Target("a", Follow.VERSION, 3).word == "V3"
    assert Target("a", Follow.LIVE).word == "Live"
    with pytest.raises(ValueError, match="goes with"):
        Target("a", Follow.VERSION)
    with pytest.raises(ValueError, match="goes with"):
        Target("a", Follow.DRAFT, 1)


def test_two_variants_of_one_name_are_no_plan() -> None:
    with pytest.raises(ValueError, match="name of its own"):
        split([WantedVariant("A", Target("a"), 1), WantedVariant("A", Target("b"), 99_999)], salt="s")
