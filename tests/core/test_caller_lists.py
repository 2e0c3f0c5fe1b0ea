"""Pasted lists of callers: every form of a number, each bad line named, nothing taken for what it is not."""

import pytest

from channels.core import caller_lists
from channels.core.caller_lists import read_callers
from channels.core.phone_numbers import read_caller


def test_ten_thousand_lines_with_typos_name_each_bad_line() -> None:
    lines = [f"+33 6 {number // 10000:02d} {number // 100 % 100:02d} {number % 100:02d} 07" for number in range(10_000)]
    typos = {17: "+33 6 12", 4_000: "hello", 9_998: "+33 6 12 34 56 7O"}
    for index, text in typos.items():
        lines[index] = text
    found = read_callers("\n".join(lines), "FR")
    assert [(bad.line, bad.text) for bad in found.bad] == [(index + 1, text) for index, text in typos.items()]
    assert len(found.callers) == 10_000 - len(typos)
    assert found.callers[0] == "+33600000007"
    assert str(found.bad[0]).startswith("Line 18: “+33 6 12” has too few")


@pytest.mark.parametrize(
    "line",
    ["+33612345678", " 06 12 34 56 78 ", "06.12.34.56.78,", '"+33 6 12 34 56 78";', "tel:+33612345678",
     "sip:+33612345678@example.com", "0033612345678"],
)  # fmt: skip
def test_a_line_is_the_caller_that_the_runtime_sees(line: str) -> None:
    found = read_callers(line, "FR")
    assert (found.callers, found.bad) == (("+33612345678",), ())
    assert read_caller("06 12 34 56 78", "FR").unit in found.callers


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("+33 6 12", "too few or too many"),
        ("+33 6 12 34 56 78 90 12 34 56", "too few or too many"),
        ("+33 6 12 34 56 7O", "has letters in it"),
        ("Maria", "has letters in it"),
        ("anonymous", "withheld number"),
        ("+266696687", "withheld number"),
        ("+33612345678, +33687654321", "one caller per line"),
        ("Maria\t+33612345678", "one caller per line"),
        ("?!", "no phone number"),
        ("sip:maria@example.com", "no phone number"),
        ("1" * 1025, "more than 1024 bytes"),
    ],
)
def test_a_line_that_names_no_caller_says_why(line: str, words: str) -> None:
    found = read_callers(f"+33612345678\n\n{line}", "FR")
    assert found.callers == ("+33612345678",)
    assert [bad.line for bad in found.bad] == [3]
    assert words in found.bad[0].words


def test_a_national_form_needs_a_country() -> None:
    assert "with its country" in read_callers("06 12 34 56 78", None).bad[0].words


def test_repeated_callers_count_once() -> None:
    found = read_callers("+33612345678\n06 12 34 56 78\n\n+33687654321\n", "FR")
    assert (found.callers, found.bad, found.repeated) == (("+33612345678", "+33687654321"), (), 1)


def test_ids_of_chat_users_are_taken_as_they_are_where_they_are_meant() -> None:
    found = read_callers("user-7\nanonymous\n06 12 34 56 78", "FR", are_numbers=False)
    assert found.callers == ("user-7", "+33612345678")
    assert [bad.line for bad in found.bad] == [2]


def test_a_list_ends_where_it_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caller_lists, "MOST_CALLERS", 2)
    found = read_callers("+33612345678\n+33612345679\n+33612345678\n+33612345670\n+33612345671", "FR")
    assert found.callers == ("+33612345678", "+33612345679")
    assert [(bad.line, "at most 2 callers" in bad.words) for bad in found.bad] == [(4, True)]


def test_no_text_is_an_empty_list() -> None:
    assert read_callers(" \n\n", "FR").callers == ()
