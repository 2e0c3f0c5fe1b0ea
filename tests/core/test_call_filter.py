"""The filter of calls: what the address says, what it cannot say, and back."""

from urllib.parse import parse_qs

import pytest

from monitoring.core.call_filter import CallFilter, read_filter


def test_an_address_is_read_and_written_back() -> None:
    query = "version=V7&version=draft&version=unknown&agent=clinic&outcome=error&since=2026-11-01&caller=%2B33612345678"
    wanted = read_filter(parse_qs(query))
    assert wanted.version_numbers == [7, 0, None]
    assert wanted.problems == ()
    assert read_filter(parse_qs(wanted.address)) == wanted
    assert wanted.without("version", "draft").versions == ("V7", "unknown")
    assert "agent" not in wanted.without("agent").address
    assert (CallFilter().is_narrowed, wanted.is_narrowed, wanted.has_more) == (False, True, True)


@pytest.mark.parametrize(
    ("query", "name", "words"),
    [
        ("version=V7", "version", "Choose the agent as well"),
        ("agent=a&version=latest", "version", "“latest” is no version"),
        ("agent=a&" + "&".join(f"version=V{n}" for n in range(40)), "version", "at most 30"),
        ("outcome=great", "outcome", "“great” is no outcome"),
        ("sentiment=furious", "sentiment", "is no sentiment"),
        ("shortest=-1", "shortest", "no number of seconds"),
        ("since=yesterday", "since", "no day or moment"),
        ("until=0001-01-01", "until", "no day or moment"),
        ("rollout=canary", "rollout", "“canary” is no rollout"),
        ("rollout=0", "rollout", "is no rollout"),
        ("arm=canary", "arm", "Choose the rollout as well"),
        ("rollout=7&arm=left", "arm", "“left” is no arm"),
        ("tests=maybe", "tests", "Test calls are left out"),
    ],
)
def test_what_cannot_be_read_is_told_and_stays(query: str, name: str, words: str) -> None:
    wanted = read_filter(parse_qs(query))
    assert any(each == name and words in said for each, said in wanted.problems), wanted.problems
    assert any(each == name for each, _ in wanted.pairs)


def test_a_filter_without_its_rollout_has_no_arm_either() -> None:
    wanted = read_filter({"rollout": ["12"], "arm": ["canary"]})
    assert (wanted.problems, wanted.has_more) == ((), True)
    assert wanted.without("rollout").address == ""
    assert wanted.without("arm").address == "rollout=12"
