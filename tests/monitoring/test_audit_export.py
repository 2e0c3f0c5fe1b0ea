"""The audit log's exports and API: what stands there is enough to recompute the chain."""

import csv
import hashlib
import io
import json

import pytest
import rfc8785
from django.test import Client

from agentversions.models import AuditEntry, User
from agentversions.models.database import database_now
from agentversions.services.tokens import make_token
from config.origin import Origin, originating
from tests.factories import make_user
from tests.monitoring.audit_log import seal_everything, write

pytestmark = pytest.mark.django_db


def export(client: Client, shape: str, query: str = "") -> str:
    answer = client.get(f"/audit/export/{shape}/{query}")
    assert answer.status_code == 200
    return b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]


def test_the_csv_names_its_filters_and_holds_no_formula(client: Client, reader: User) -> None:
    write("=HYPERLINK(1)", actor=reader, after={"route": "V2"})
    write("@cmd", subject="-1")
    lines = list(csv.reader(io.StringIO(export(client, "csv", "?kind=channel&who=vera"))))
    assert lines[0] == ["Audit log: who vera; kind channel"]
    (row,) = [dict(zip(lines[1], line, strict=True)) for line in lines[2:]]
    assert (row["reason"], row["who"], row["after"]) == ("'=HYPERLINK(1)", "vera", '{"route": "V2"}')
    everything = list(csv.reader(io.StringIO(export(client, "csv"))))
    assert everything[0] == ["Audit log: all"]
    assert {line[5] for line in everything[2:]} == {"+33198765432", "'-1"}
    assert client.get("/audit/export/xml/").status_code == 404


def test_from_json_lines_anybody_recomputes_the_chain(
    client: Client, reader: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    with originating(Origin("page", "/x/", "203.0.113.7")):
        write("one", actor=reader, before={"route": "V1"}, after={"share": 0.5, "é": [1, None]})
        write("two\nlines")
    seal_everything(monkeypatch)
    first, *lines = export(client, "jsonl", "?kind=channel").splitlines()
    assert json.loads(first) == {"filters": {"kind": "channel"}}
    previous = "0" * 64
    for entry in map(json.loads, reversed(lines)):
        seal = entry.pop("seal")
        entry.pop("who")
        assert seal["previous"] == previous
        document = {
            "entry": {name: value for name, value in entry.items() if value is not None and value != ""},
            "position": seal["position"],
            "previous": previous,
        }
        previous = hashlib.sha256(rfc8785.dumps(document)).hexdigest()
        assert seal["hash"] == previous
    assert len(lines) == 2


def test_a_long_export_is_read_in_pages(client: Client) -> None:
    AuditEntry.objects.bulk_create(
        [AuditEntry(action="x", subject_kind="k", subject=str(at), at=database_now()) for at in range(2_100)]
    )
    lines = export(client, "jsonl").splitlines()[1:]
    assert len({json.loads(line)["id"] for line in lines}) == 2_100


def test_the_api_lists_by_filter_and_page(reader: User) -> None:
    boss = make_user("admin", is_superuser=True)
    secret = make_token(name="ci", roles=["viewer"], scopes=["read"], owner=boss, actor=boss).secret
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    for number in range(60):
        write(str(number), actor=reader, before={"route": "V1"})
    page = client.get("/api/v1/audit?who=vera").json()
    assert (len(page["items"]), page["items"][0]["reason"], page["items"][0]["before"]) == (50, "59", {"route": "V1"})
    assert page["items"][0]["seal"] is None
    following = client.get(page["next"]).json()
    assert ([each["reason"] for each in following["items"]][-1], following["next"]) == ("0", None)
    assert client.get("/api/v1/audit?days=x").status_code == 422
    assert client.get("/api/v1/audit?before=x").status_code == 422
    # The admin made the token: that stands there too, with nobody's page around it.
    (made,) = client.get("/api/v1/audit?action=token+made").json()["items"]
    assert made["who"] == boss.username
