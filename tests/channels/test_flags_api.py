"""Flags over the API: the same rules as on the pages; callers in clear only for tokens that may see them."""

from typing import Any

import pytest

from agentversions.models import Agent
from channels.models import Channel, Flag
from channels.services.flags import newest_revision
from tests.agentversions.api_client import ApiClient
from tests.channels.flagged import ME, YOU, off_for

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("agent")]
ONE = "/flags/no-transfer"


def new(**fields: Any) -> dict[str, Any]:
    return {
        "key": "no-transfer", "type": "tool", "agent": "clinic", "subject": "transfer_to_human", "default": "on",
        "when_disabled": "on", **fields,
    }  # fmt: skip


def body(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in new(**fields).items() if name not in ("key", "type", "agent")}


@pytest.fixture
def api() -> ApiClient:
    return ApiClient("operator")


@pytest.fixture
def admin() -> ApiClient:
    """A token that may see callers."""
    return ApiClient("admin", ("read", "write", "listen"))


def test_a_flag_is_made_read_changed_and_switched(api: ApiClient, agent: Agent) -> None:
    made = api.post("/flags", new(rules=[{"name": "VIPs", "gives": "off", "callers": ["+33 6 12 34 56 78"]}]))
    assert (made.status_code, made["Location"], made["ETag"]) == (201, "/api/v1/flags/no-transfer", '"1"')
    read = api.get(ONE)
    (rule,) = read.json()["rules"]
    assert (rule["callers"], rule["caller_count"], rule["callers_shown"]) == (None, 1, ["•••• 5678"])
    assert rule["words"] == "1 caller on a list"
    schedule = {"days": [1, 2], "start": "18:00", "stop": "24:00", "last": "2026-12-24"}
    rules = [{"gives": "off", "place": 0, "share": "33.333", "schedule": schedule}]
    changed = api.call("PUT", ONE, body(rules=rules, description="Tonight"), if_match=read["ETag"])
    assert (changed.status_code, changed["ETag"]) == (200, '"2"')
    (rule,) = changed.json()["rules"]
    assert rule["caller_count"] == 1
    assert rule["schedule"] == {**schedule, "first": None}
    assert newest_revision(Flag.objects.get()).value.rules[0].callers == off_for(ME).callers
    off = api.post(f"{ONE}/switch", {"is_enabled": False, "reason": "CRM down"}).json()
    assert (off["is_enabled"], off["revision"], off["reason"]) == (False, 3, "CRM down")
    assert api.post(f"{ONE}/archive", {}).json()["is_archived"]
    assert api.get("/flags").json()["items"] == []
    assert not api.post(f"{ONE}/unarchive", {}).json()["is_archived"]
    said = api.get(f"{ONE}/history").json()["items"]
    assert [each["changes"] for each in said][2:] == [
        ["Switched off"],
        ["Rule 1: without a name", "Rule 1: 100 % → 33.333 % of callers",
         "Rule 1: always → Monday and Tuesday 18:00 to 24:00, until 24 Dec 2026", "Description changed"],
        ["Created"],
    ]  # fmt: skip


def test_what_is_read_can_be_sent_again(admin: ApiClient) -> None:
    rules = [{"gives": "off", "callers": [ME, YOU], "share": "50"}, {"gives": "on", "variants": ["B"]}]
    admin.post("/flags", new(rules=rules))
    read = admin.get(ONE).json()
    assert read["rules"][0]["callers"] == [ME, YOU]
    kept = ("name", "gives", "place", "callers", "channels", "variants", "schedule", "share")
    again = {name: read[name] for name in ("subject", "description", "variants", "default", "when_disabled")}
    again["rules"] = [{name: rule[name] for name in kept} for rule in read["rules"]]
    assert admin.call("PUT", ONE, again, if_match='"1"').json() == read


def test_a_save_names_the_revision_that_was_seen(api: ApiClient) -> None:
    api.post("/flags", new())
    assert api.call("PUT", ONE, body(default="off")).status_code == 428
    assert api.call("PUT", ONE, body(default="off"), if_match='"1"').status_code == 200
    refused = api.call("PUT", ONE, body(when_disabled="off"), if_match='"1"')
    assert (refused.status_code, refused.json()["revision"]) == (412, 2)
    assert refused.json()["type"].endswith("#flag-moved")
    assert api.call("PUT", ONE, body(when_disabled="off"), if_match="*").json()["default"] == "on"


def test_a_list_of_callers_is_replaced_only_by_who_may_see_it(api: ApiClient, admin: ApiClient) -> None:
    api.post("/flags", new(rules=[{"gives": "off", "callers": [ME]}]))
    replaced = body(rules=[{"gives": "off", "place": 0, "callers": [YOU]}])
    refused = api.call("PUT", ONE, replaced, if_match="*")
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, "rules.0.callers")
    added = api.call("PUT", ONE, body(rules=[{"gives": "off", "place": 0, "add_callers": [YOU]}]), if_match="*")
    assert added.json()["rules"][0]["caller_count"] == 2
    assert admin.call("PUT", ONE, replaced, if_match="*").json()["rules"][0]["callers"] == [YOU]


@pytest.mark.parametrize(
    ("sent", "path", "words"),
    [
        (new(key="new"), "key", "address of a page"),
        (new(subject="fax"), "subject", "No version has a tool “fax”"),
        (new(rules=[{"gives": "off", "callers": [ME, "+33 6"]}]), "rules.0.callers.1", "Line 2: "),
        (new(rules=[{"gives": "off", "share": "lots"}]), "rules.0.share", "in per cent"),
        (new(rules=[{"gives": "off", "channels": ["+33100000000"]}]), "rules.0.channels", "no channel"),
        (new(rules=[{"gives": "off"}, {"gives": "off"}]), "rules.1", "can never apply"),
        (new(rules=[{"gives": "off", "place": 0}]), "rules.0.place", "no rule 0"),
        (new(rules=[{"gives": "off", "schedule": {"start": "25:00"}}]), "rules[0].schedule.start", "match pattern"),
        (new(type="color"), "type", "tool"),
        (new(colour="red"), "colour", "not known here"),
    ],
)
def test_what_cannot_work_is_named_by_its_path(api: ApiClient, sent: Any, path: str, words: str) -> None:
    answer = api.post("/flags", sent)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == path
    assert words in answer.json()["errors"][0]["detail"]
    assert not Flag.objects.exists()


def test_a_switch_needs_a_reason_and_an_unknown_flag_is_not_found(api: ApiClient) -> None:
    api.post("/flags", new())
    refused = api.post(f"{ONE}/switch", {"is_enabled": False, "reason": " "})
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, "reason")
    assert api.get("/flags/gone").status_code == 404


def test_explain_tells_what_a_call_gets(api: ApiClient, channels: list[Channel]) -> None:
    api.post("/flags", new(rules=[{"gives": "off", "callers": [ME]}]))
    said = api.get(f"{ONE}/explain?caller=%2B33612345678&channel={channels[0].address.replace('+', '%2B')}").json()
    assert (said["variant"], said["value"], said["reason"], said["rule"]) == ("off", False, "TARGETING_MATCH", 0)
    assert said["rules"] == [{"rule": 0, "outcome": "decided", "words": "Every condition is met."}]
    assert len(said["effective_digest"]) == 64
    other = api.get(f"{ONE}/explain?caller=%2B33687654321").json()
    assert (other["variant"], other["reason"], other["effective_digest"]) == ("on", "DEFAULT", None)


def test_flags_are_listed_page_by_page(api: ApiClient) -> None:
    for key in ("a", "b", "c"):
        api.post("/flags", new(key=key))
    first = api.get("/flags?limit=2&agent=clinic").json()
    assert [each["key"] for each in first["items"]] == ["a", "b"]
    assert [each["key"] for each in api.get(first["next"].removeprefix("/api/v1")).json()["items"]] == ["c"]
