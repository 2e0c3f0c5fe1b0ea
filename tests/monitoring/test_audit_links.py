"""Where the audit log leads: every kind of thing that the code records has its page, or is said to have none."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from agentversions.core.release import Verdict
from agentversions.models import ApprovalRequest, AuditEntry, LibraryEntry, User
from agentversions.services.approval_comments import comment
from agentversions.services.deployments import make_live
from agentversions.services.evaluations import starting
from agentversions.services.evaluations.results import mark_result
from agentversions.services.git.source import SourceSettings, configure_source
from agentversions.services.libraries import create_entry
from agentversions.services.tokens import make_token
from channels.core.routes import Follow, Target
from channels.models import Channel
from channels.services.batches import apply_moves, plan_moves
from channels.services.channel_import import dry_run, import_channels
from channels.services.routes import pin
from monitoring.core.call_filter import CallFilter
from monitoring.core.records import read_record
from monitoring.services.call_page import find_call, read_call
from monitoring.services.exporting import export_calls
from monitoring.services.ingest import ingest
from monitoring.services.saved_views import save_view
from monitoring.views.audit_links import (
    FOR_ADMINS,
    LISTS,
    PAGES,
    PERSON,
    RESULT,
    WITHOUT_PAGE,
    named_links,
    subject_address,
)
from tests.agentversions.evaluations import run_of_one_case
from tests.agentversions.releases import ask, make_release, say
from tests.channels.flagged import make_flag
from tests.channels.running_rollouts import make_rollout
from tests.channels.scheduled import V1, freeze, plan_route
from tests.factories import make_agent, make_channel, make_user, make_version
from tests.monitoring.audit_log import page_of, write

pytestmark = pytest.mark.django_db
PROJECT = Path(__file__).resolve().parents[2]
RECORDERS = {"record", "record_once_per_sitting", "entry_of"}
THEMSELVES = Path("agentversions/services/audit.py")
OF_LIBRARY = {"locked.kind", "entry.kind"}
"""What a library entry is: the only kinds that no text of the code names."""


def recorded() -> Iterator[tuple[str, ast.expr | None]]:
    """Every place of the code that records something, with the kind of the thing as it is written there."""
    for app in ("agentversions", "channels", "monitoring", "config"):
        for path in sorted((PROJECT / app).rglob("*.py")):
            source = path.read_text(encoding="utf-8")
            if (
                not any(f"{name}(" in source for name in RECORDERS)
                or path == PROJECT / "agentversions/services/audit.py"
            ):
                continue
            for call in ast.walk(ast.parse(source)):
                if isinstance(call, ast.Call) and ast.unparse(call.func).rpartition(".")[2] in RECORDERS:
                    kinds = {each.arg: each.value for each in call.keywords}
                    yield f"{path.relative_to(PROJECT)}:{call.lineno}", kinds.get("subject_kind")


def test_every_kind_that_is_recorded_anywhere_has_its_page_or_is_said_to_have_none() -> None:
    found, unknown = set(), []
    for place, kind in recorded():
        if isinstance(kind, ast.Constant):
            found.add(kind.value)
        elif kind is not None and ast.unparse(kind) in OF_LIBRARY:
            found |= set(LibraryEntry.Kind.values)
        else:
            unknown.append(place)
    assert unknown == [], "Write the kind as a text there, so that this test knows it."
    groups = [set(PAGES), set(LISTS), set(FOR_ADMINS), {PERSON, RESULT}, WITHOUT_PAGE]
    known = set().union(*groups)
    assert found == known
    assert sum(map(len, groups)) == len(known)


def test_an_agents_entry_leads_to_the_agent_and_its_versions(client: Client) -> None:
    agent = make_agent(slug="clinic")
    make_live(version=make_version(agent), actor=make_user("admin"))
    page = page_of(client, "?action=made+live")
    assert 'href="/agents/clinic/"' in page
    assert 'href="/agents/clinic/versions/1/"' in page


def test_things_without_a_page_have_no_link_and_tokens_only_for_admins(client: Client) -> None:
    write(subject="5 numbers", action="channels imported")
    write(subject_kind="caller", subject="00ff")
    write(subject_kind="token", subject="7")
    page = page_of(client)
    assert 'href="/channels/5' not in page
    assert 'href="/tokens/"' not in page
    boss = Client()
    boss.force_login(make_user("admin"))
    assert page_of(boss).count('href="/tokens/"') == 2  # in the navigation, and at the entry


@pytest.fixture
def boss() -> User:
    return make_user("admin", "approver", is_superuser=True, is_staff=True)


@pytest.fixture
def _things(boss: User) -> None:
    """What is written down of one thing of every kind that has a page, by the services that people reach."""
    release = make_release(approvals=2)
    agent, request = release.agent, ask(release)
    comment(request=request, text="Good", actor=boss)
    say(request, Verdict.APPROVE, boss)
    run = run_of_one_case(agent)
    starting._audit("evaluation started", run, boss)
    mark_result(result=run.results.get(), is_pass=True, note="It greets", actor=boss)
    for kind, content in (("tool", {"name": "sms", "kind": "client"}), ("knowledge_base", {"name": "sms"})):
        create_entry(kind=kind, content=content, actor=boss)
    channel = make_channel(agent, address="+33198765432")
    apply_moves(moves=plan_moves(Channel.objects.all(), V1), summary="Everything to V1", actor=boss)
    pin(channel=channel, target=Target("clinic", Follow.LIVE), actor=boss)
    import_channels(run=dry_run("number,agent\n+33198765499,clinic\n"), actor=boss)
    plan_route([channel], boss)
    make_flag(actor=boss)
    make_rollout(actor=boss)
    freeze()
    ingest([read_record({"id": "call-1"})], source="api")
    call = find_call("call-1")
    assert call is not None
    read_call(call=call, may_listen=True, actor=boss)
    list(export_calls(wanted=CallFilter(), actor=boss))
    write(subject_kind="person", subject=release.editor.username)
    save_view(name="Errors", query="outcome=error", is_shared=True, actor=boss)
    make_token(name="first", roles=["viewer"], scopes=["read"], owner=boss, actor=boss)
    configure_source(wanted=SourceSettings("https://git.example.com/agents.git", "main", "agents"), actor=boss)


@pytest.mark.usefixtures("_things")
def test_every_link_of_the_log_opens(boss: User) -> None:
    kinds = set(AuditEntry.objects.values_list("subject_kind", flat=True))
    assert kinds >= {*PAGES, *LISTS, *FOR_ADMINS, PERSON, RESULT}
    browser = Client()
    browser.force_login(boss)
    entries = list(AuditEntry.objects.order_by("id"))
    found = {subject_address(entry, boss) for entry in entries}
    found |= {address for entry in entries for _, address in named_links(entry)}
    assert "" not in found
    page = page_of(browser)
    for address in found:
        assert f'href="{address}"' in page, address
        answer = browser.get(address)
        assert answer.status_code == 200, address
    named = {words for entry in entries for words, _ in named_links(entry)}
    assert named >= {"V1", "V2", f"Request {ApprovalRequest.objects.get().pk}", "Run 1", "clinic"}


def test_a_mark_says_why_and_leads_to_its_result() -> None:
    result = run_of_one_case(make_agent()).results.get()
    mark_result(result=result, is_pass=False, note="It greets nobody", actor=make_user("editor"))
    entry = AuditEntry.objects.get(action="result marked")
    assert entry.reason == "It greets nobody"
    reader = make_user("viewer")
    assert subject_address(entry, reader) == "/evaluations/runs/1/results/0/"
    entry.after = {"run": 1}
    assert subject_address(entry, reader) == "/evaluations/runs/1/"


@pytest.mark.parametrize("side", [None, 7, "V1", [1], {"version": True, "run": -1, "suite": 7, "request": "x"}])
def test_whatever_an_entry_names_its_page_is_shown(client: Client, side: Any) -> None:
    """An entry of an earlier release, or one that somebody forged, may hold anything."""
    for kind in (*PAGES, *LISTS, *FOR_ADMINS, PERSON, RESULT, *WITHOUT_PAGE, "moon"):
        write(subject_kind=kind, subject="no/such ?", before=side, after=side)
    assert "no/such ?" in page_of(client)
