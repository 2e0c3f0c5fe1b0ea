"""Every page in a real browser, light and dark, wide and on a phone: no axe violation, no error, nothing cut off."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from agentversions.core.configuration import TABS
from agentversions.models import Agent, User
from agentversions.models.database import database_now
from agentversions.services.deployments import make_live
from agentversions.services.libraries import create_entry, save_revision
from agentversions.services.tokens import make_token
from channels.core.rollout_steps import Preset, preset_steps
from channels.services.rollouts import start_rollout
from config.data_folder import PROJECT
from monitoring.core.records import read_record
from monitoring.services.ingest import ingest
from monitoring.services.saved_views import save_view
from tests.agentversions.test_access_table import TABLE, addresses, ask_first, example
from tests.channels.flagged import ME, make_flag, off_for
from tests.channels.scheduled import freeze, plan_route
from tests.factories import make_agent, make_channel, make_user, make_version
from tests.journeys.conftest import PageAs

pytestmark = pytest.mark.django_db(transaction=True)
AXE = PROJECT / "node_modules" / "axe-core" / "axe.min.js"
NARROW = ["scrollable-region-focusable", "meta-viewport", "button-name", "link-name", "label", "target-size"]
FORMS: tuple[tuple[int, int, str, list[str]], ...] = (
    (1440, 900, "light", []),
    (1440, 900, "dark", ["color-contrast"]),
    (390, 844, "dark", NARROW),
)
"""Width, height, theme and rules; none means all. Colours and structure are the same on a phone, places are not."""
NAVIGATION = ".navbar-vertical"
READ_NAVIGATION = """(selector) => {
  const copy = document.querySelector(selector)?.cloneNode(true);
  for (const hidden of copy?.querySelectorAll("input[type=hidden]") ?? []) hidden.remove();
  return copy?.outerHTML ?? "";
}"""
LOOK = """async ({ theme, rules, without }) => {
  document.documentElement.setAttribute("data-bs-theme", theme);
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  for (const animation of document.getAnimations()) if (animation instanceof CSSTransition) animation.finish();
  const only = rules.length ? { runOnly: { type: "rule", values: rules } } : {};
  const where = without && document.querySelector(without) ? { exclude: [without] } : document;
  const found = await axe.run(where, { ...only, resultTypes: ["violations"] });
  const said = found.violations.map((rule) => `${rule.id}: ${rule.help} ${JSON.stringify(rule.nodes.slice(0, 3).map(
    (node) => [node.target.join(" "), node.failureSummary.split("\\n").slice(1, 2).join("")]))}`);
  const page = document.documentElement;
  return page.scrollWidth > page.clientWidth ? [...said, "wider than the window"] : said;
}"""
ACCOUNT_PAGES = (
    "/accounts/password/change/",
    "/accounts/2fa/",
    "/accounts/2fa/totp/activate/",
    "/accounts/email/",
    "/accounts/logout/",
    "/accounts/3rdparty/",
    "/accounts/reauthenticate/",
)
ANONYMOUS_PAGES = ("/accounts/login/", "/accounts/password/reset/", "/accounts/signup/")


@pytest.fixture
def axe() -> str:
    """The source of axe-core; skips where npm did not fetch it."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed: run python -m config.frontend.")
    return AXE.read_text(encoding="utf-8")


@pytest.fixture
def agent() -> Agent:
    """An agent with everything a page can show, in several versions."""
    author = make_user("editor", username="author")
    agent = make_agent(author, slug="clinic", folder="Health")
    make_live(version=make_version(agent, name="First words"), actor=author)
    workflow = {
        "nodes": [{"id": "greet", "prompt": "Greet"}, {"id": "book", "prompt": "Book"}],
        "edges": [{"id": "e1", "source": "greet", "target": "book", "condition": "wants to book"}],
    }
    make_version(
        agent,
        name="Book by workflow",
        kind="workflow",
        system_prompt="# Role\nYou answer the phone for the clinic at night.\n\n# Style\nShort, warm sentences.\n",
        workflow=workflow,
        variables=[{"name": "caller_name", "default": "you"}],
        guardrails=[{"name": "No advice", "instruction": "Never give medical advice."}],
        call_analysis={"prompt": "Judge the call.", "fields": [{"name": "booked", "type": "boolean"}]},
    )
    ask_first(agent.versions.get(number=2), author)
    entry = create_entry(kind="tool", content={"name": "sms", "kind": "client", "description": "Text"}, actor=author)
    save_revision(entry=entry, content={"name": "sms", "kind": "client", "description": "A text"}, seen=1, actor=author)
    create_entry(kind="knowledge_base", content={"name": "sms"}, actor=author)
    admin = make_user("admin")
    plan_route([make_channel(agent, address="+33198765432", label="Front desk")], admin, reason="Holiday line")
    start_rollout(agent=agent, version=2, steps=preset_steps(Preset.BALANCED), reason="New prompt", actor=admin)
    make_flag(rules=(off_for(ME, name="VIPs"),), callers=(ME,), actor=admin)
    freeze()
    make_calls()
    save_view(name="Errors of the clinic", query="agent=clinic&outcome=error", is_shared=True, actor=author)
    make_token(name="Nightly export", roles=["viewer"], scopes=["read"], owner=admin, actor=admin)
    return Agent.objects.get(pk=agent.pk)


def make_calls() -> None:
    """Enough calls of two versions for every figure; the first has everything a call can have."""
    whole = {
        "summary": "Wants to book.",
        "transcript": [{"role": "user", "text": "Hello"}, {"role": "assistant", "tool": "sms", "data": {"to": "you"}}],
        "analysis": {"booked": True},
        "recording": "https://example.com/call.mp3",
        "caller": "+33612345678",
        "cost": "0.12",
        "currency": "EUR",
    }
    documents = [
        {
            "id": f"call-{at}",
            "agent": "clinic",
            "version": 1 + at % 2,
            "started_at": database_now() - timedelta(minutes=at),
            "duration_s": 60 + at,
            "engaged": True,
            "transferred": at % 7 == 0,
            "sentiment": "positive" if at % 3 else "negative",
            **(whole if at < 2 else {}),
        }
        for at in range(80)
    ]
    ingest([read_record(document) for document in documents], source="api")
    ingest([read_record({"id": "call-1", "summary": "Wants to book an appointment.", "sequence": 1})], source="api")


def pages(person: User, draft: str) -> list[str]:
    """Every address of the product that answers a visit with a page, dialogs as their own pages included."""
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    tabs = [f"/agents/clinic/?tab={tab.key}" for tab in TABS]
    tabs += [
        "/analytics/?agent=clinic",
        "/calls/?agent=clinic&version=V1&outcome=automated",
        "/calls/?version=V1&since=x",
    ]
    # The table has every address that may be asked with GET, as its own test proves.
    readable = {row.removeprefix("GET /") for row in json.loads(TABLE.read_text(encoding="utf-8")) if row[:3] == "GET"}
    found = [*(example(path, draft) for path in sorted(readable & set(addresses()))), *tabs]
    answers = {path: client.get(path) for path in found}
    return [path for path, answer in answers.items() if answer.status_code == 200 and is_page(answer)]


def is_page(answer: Any) -> bool:
    """Whether a browser shows it (and does not save it as a file)."""
    return answer["Content-Type"].startswith("text/html") and "Content-Disposition" not in answer


def problems_of(page: Page, path: str, seen: set[str]) -> list[str]:
    """What axe and the layout say about one page, in both themes and at both sizes.

    A navigation whose colours in the dark were `seen` on another page, letter by letter, is not looked at again.
    """
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(path)
    expect(page.locator(".htmx-request")).to_have_count(0)
    navigation: str = page.evaluate(READ_NAVIGATION, NAVIGATION)
    found: list[str] = []
    for width, height, theme, rules in FORMS:
        if page.viewport_size != {"width": width, "height": height}:
            page.set_viewport_size({"width": width, "height": height})
        without = NAVIGATION if rules == ["color-contrast"] and navigation in seen else ""
        said: list[str] = page.evaluate(LOOK, {"theme": theme, "rules": rules, "without": without})
        found += [f"{path} at {width} px, {theme}: {words}" for words in said]
    seen.add(navigation)
    return found


def visit_all(page: Page, axe: str, paths: list[str] | tuple[str, ...]) -> list[str]:
    """The problems of all these pages; the browser keeps axe for each of them, which is 500 kB."""
    page.add_init_script(axe)
    seen: set[str] = set()
    return [problem for path in paths for problem in problems_of(page, path, seen)]


def superuser() -> User:
    """Whoever may open every page."""
    return make_user("admin", username="ada", is_superuser=True, is_staff=True)


def test_every_page_is_accessible_in_light_and_dark_wide_and_narrow(page_as: PageAs, agent: Agent, axe: str) -> None:
    person = superuser()
    paths = pages(person, agent.draft_id)
    assert len(paths) > 30
    found = visit_all(page_as(person, reduced_motion="reduce"), axe, paths)
    assert found == [], "\n".join(found)


def test_account_pages_are_accessible(page_as: PageAs, axe: str) -> None:
    page = page_as(superuser(), reduced_motion="reduce")
    found = visit_all(page, axe, ACCOUNT_PAGES)
    assert found == [], "\n".join(found)


def test_pages_before_signing_in_are_accessible(page_as: PageAs, axe: str) -> None:
    page = page_as(None, reduced_motion="reduce")
    found = visit_all(page, axe, ANONYMOUS_PAGES)
    assert found == [], "\n".join(found)


def test_error_pages_are_accessible(page_as: PageAs, axe: str) -> None:
    page = page_as(make_user("viewer"), reduced_motion="reduce")
    # The browser reports every answer that is an error; here the page itself is what is looked at.
    page.route("**/*", lambda route: route.fulfill(response=route.fetch(), status=200))
    found = visit_all(page, axe, ("/nowhere/", "/tokens/"))
    assert found == [], "\n".join(found)


def test_templates_hold_no_inline_script_style_or_handler() -> None:
    """The Content-Security-Policy would refuse them; this names the file."""
    inline = re.compile(r"<style|\sstyle=|\son[a-z]+=|javascript:|<script(?![^>]*\ssrc=)(?![^>]*json)", re.IGNORECASE)
    templates = sorted((PROJECT / "templates").rglob("*.html"))
    found = [f"{_short(path)}: {match[0]}" for path in templates if (match := inline.search(path.read_text("utf-8")))]
    assert found == []


def _short(path: Path) -> str:
    return str(path.relative_to(PROJECT))
