"""From an edit in git to every caller, through the real parts: git pushes, the forge's webhook, a worker, a language
model's endpoint, mail, the runtime that a voice platform asks, and the browsers of four people."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from playwright.sync_api import Page, expect

from agentversions.models import Agent, User
from agentversions.services.deployments import live_version
from channels.core.routes import Follow, Target, single
from channels.models import Rollout
from monitoring.services import canary_calling
from tests.agentversions.evaluations import case, suite_of
from tests.agentversions.git_repository import Repository
from tests.channels.runtime import eventually, resolve_token
from tests.factories import make_channel, make_user
from tests.mailbox import Mailbox, mail_server
from tests.monitoring.platform import Platform, application
from tests.scripted_llm import ScriptedModel, scripted_model

from .conftest import PageAs
from .forge import Forge
from .worker_process import working

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "what the forge signs with"
NUMBER = "+33198765432"
SOON = 30_000
"""Milliseconds within which a worker has done what it was asked for, on a busy machine."""
EMERGENCY = "In an emergency tell the caller to dial 112."
CAREFUL = f"You answer the phone for the clinic.\n{EMERGENCY}\nSay the opening hours."
SHORTER = "You answer the phone for the clinic.\nSay the opening hours."
WARMER = f"{CAREFUL}\nThank the caller for calling."


@dataclass
class World:
    """The people, and everything outside that the product talks to."""

    author: User
    operator: User
    approver: User
    admin: User
    forge: Forge
    platform: Platform
    mailbox: Mailbox


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    """A language model that knows about emergencies only from its prompt."""
    with scripted_model() as model:
        model.script(
            {"match": "chest", "prompt": "dial 112", "answers": [{"text": "Hang up and dial 112 at once."}]},
            {"match": "chest", "answers": [{"text": "I can book you an appointment on Tuesday."}]},
            {"match": "open", "answers": [{"text": "We are open from nine to five."}]},
        )
        yield model


@pytest.fixture
def world(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch, model: ScriptedModel) -> Iterator[World]:
    monkeypatch.setattr(canary_calling, "_called_until", 0.0)
    monkeypatch.setattr(canary_calling, "SECONDS", 0.2)
    settings.GIT_SYNC_FOLDER = tmp_path / "mirrors"
    settings.GIT_SYNC_WEBHOOK_SECRETS = [SECRET]
    settings.LLM_ENDPOINTS = model.endpoints()
    # What the commits of the repository say of their author.
    author = make_user("editor", username="ada")
    people = [author, *(make_user(role) for role in ("operator", "approver", "admin"))]
    with (
        mail_server(settings) as mailbox,
        application(tmp_path / "store.sqlite3", configured.CALLER_SECRET) as (address, _),
        working(
            GIT_SYNC_FOLDER=str(settings.GIT_SYNC_FOLDER),
            LLM_ENDPOINTS=json.dumps(settings.LLM_ENDPOINTS),
            EMAIL_HOST=settings.EMAIL_HOST,
            EMAIL_PORT=str(settings.EMAIL_PORT),
            EMAIL_USE_TLS="no",
        ),
    ):
        forge = Forge(Repository(tmp_path), f"http://{address}/git/webhook", SECRET)
        platform = Platform(address, NUMBER, resolve_token(), resolve_token("calls"))
        yield World(*people, forge, platform, mailbox)


def test_an_edit_in_git_reaches_every_caller_and_the_one_that_broke_a_case_nobody(
    page_as: PageAs, world: World
) -> None:
    world.forge.begin("agents/clinic", "Answer the phone", system_prompt=CAREFUL)
    admin, author, operator, approver = (
        page_as(person) for person in (world.admin, world.author, world.operator, world.approver)
    )
    for page in (admin, author, operator, approver):
        page.set_default_timeout(SOON)

    follow_the_repository(admin, world.forge)
    make_live(operator, "V1")
    make_channel(Agent.objects.get(), address=NUMBER, plan=single(Target("clinic", Follow.LIVE)))
    suite_of(
        case("Chest pain", "My chest hurts", expect=[{"kind": "contains", "text": "112"}], must_pass=True),
        case("Opening hours", "When do you open?", expect=[{"kind": "contains", "text": "nine"}]),
        name="Front desk",
    )
    ask_for_the_suite_and_an_approval(admin)
    evaluate(author, "live")
    expect(author.get_by_text("2 passed")).to_be_visible()

    merged = world.forge.merge("shorter", "agents/clinic", "Shorter prompt (#7)", system_prompt=SHORTER)
    open_version(author, "V2", "Shorter prompt (#7)")
    expect(author.get_by_text(merged[:10])).to_be_visible()
    evaluate(author, "2")
    expect(author.get_by_text("1 failed")).to_be_visible()
    read_what_flipped(author)
    operator.goto("/agents/clinic/versions/")
    operator.get_by_role("link", name=re.compile(r"Make live\s*: V2")).click()
    expect(operator.locator("#dialog")).to_contain_text("V2 may not go to callers yet")
    expect(operator.locator("#dialog")).to_contain_text("Chest pain")
    expect(operator.locator("#dialog").get_by_role("button", name="Make V2 live")).to_have_count(0)

    world.forge.merge("warmer", "agents/clinic", "Warmer, and careful again (#8)", system_prompt=WARMER)
    open_version(author, "V3", "Warmer, and careful again (#8)")
    evaluate(author, "3")
    expect(author.get_by_text("2 passed")).to_be_visible()
    ask_for_approval(author)
    approve(approver)

    start_canary(operator)
    assert answers(world.platform) == {1, 3}
    watch_it_until_promoted(operator, world.platform)
    assert str(live_version(Agent.objects.get())) == "V3"
    eventually(lambda: answers(world.platform) == {3})
    told = {"Clinic V3: ada asks for approval", "Clinic V3: approved", "Clinic V3 is live"}
    eventually(lambda: told <= subjects(world.mailbox), 30)
    assert world.forge.told == [202, 202]


def follow_the_repository(page: Page, forge: Forge) -> None:
    page.goto("/git/")
    page.get_by_role("link", name="Follow a repository").click()
    dialog = page.locator("#dialog")
    dialog.get_by_label("Address").fill(str(forge.repository.remote))
    dialog.get_by_label("Branch that is followed").fill("main")
    dialog.get_by_label("Folder with the agents").fill("agents")
    dialog.get_by_role("button", name="Follow it").click()
    expect(page.get_by_text("Up to date")).to_be_visible(timeout=SOON)
    expect(page.locator("#git-state")).to_contain_text("1 version")


def make_live(page: Page, version: str) -> None:
    page.goto("/agents/clinic/versions/")
    page.get_by_role("link", name=re.compile(rf"Make live\s*: {version}")).click()
    page.locator("#dialog").get_by_role("button", name=f"Make {version} live").click()
    expect(page.locator("#dialog")).to_be_hidden()


def ask_for_the_suite_and_an_approval(page: Page) -> None:
    page.goto("/agents/clinic/release-rules/")
    page.get_by_label("One person other than the author").check()
    page.get_by_label("Front desk").check()
    page.get_by_role("button", name="Save").click()


def evaluate(page: Page, target: str) -> None:
    page.goto("/evaluations/front-desk/run/?agent=clinic")
    page.get_by_label("Version", exact=True).fill(target)
    page.get_by_role("button", name="Start the run").click()
    expect(page.get_by_role("heading", name="Done")).to_be_visible(timeout=SOON)


def open_version(page: Page, version: str, name: str) -> None:
    """A version that a merge just asked for: it is there as soon as the worker has read the repository."""
    agent = Agent.objects.get()
    eventually(lambda: agent.versions.filter(name=name).exists(), SOON / 1_000)
    page.goto("/agents/clinic/versions/")
    page.get_by_role("article", name=f"{version} {name}").get_by_role("link", name=f"View {version}").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(version)


def read_what_flipped(page: Page) -> None:
    page.get_by_role("link", name="Compare with live").click()
    broken = page.get_by_role("region", name="Chest pain", exact=True)
    expect(broken).to_contain_text("pass → fail")
    expect(broken).to_contain_text("Must pass")
    expect(broken.locator("del")).not_to_have_count(0)
    expect(page.get_by_role("region", name="Opening hours")).to_have_count(0)


def ask_for_approval(page: Page) -> None:
    page.goto("/agents/clinic/versions/3/")
    page.get_by_role("link", name="Ask for approval").click()
    dialog = page.locator("#dialog")
    dialog.get_by_label("What it is for").fill("Callers like to be thanked")
    dialog.get_by_role("button", name="Ask for approval").click()
    expect(page.get_by_text("An approver decides on it.")).to_be_visible()


def approve(page: Page) -> None:
    page.goto("/approvals/")
    page.get_by_role("link", name="V3 “Warmer, and careful again (#8)”").click()
    expect(page.get_by_role("region", name="Evaluations")).to_contain_text("Passed.")
    expect(page.get_by_text("1 channel follows Live and moves")).to_be_visible()
    page.get_by_role("link", name="See all side by side").click()
    expect(page.get_by_text("Thank the caller for calling.").first).to_be_visible()
    page.go_back()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Approved")


def start_canary(page: Page) -> None:
    page.goto("/agents/clinic/versions/")
    page.get_by_role("link", name="Roll out V3").click()
    page.get_by_text("Fast", exact=True).click()
    expect(page.get_by_label("Callers at step")).to_have_count(2)
    for label, first, second in (
        ("Callers", "25", "50"),
        ("Ruled out before the next", "5", "3"),
        ("Lasts at least", "0", "0"),
    ):
        page.get_by_label(f"{label} at step 1").fill(first)
        page.get_by_label(f"{label} at step 2").fill(second)
    page.get_by_role("button", name="Start the rollout").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Canary at 25 %")


def answers(platform: Platform) -> set[int]:
    """Which versions answer twenty callers now; nothing is heard of these calls."""
    before = len(platform.taken)
    platform.run(range(20), lambda *_: None)
    return {answer["version"] for answer in platform.taken[before:]}


def watch_it_until_promoted(page: Page, platform: Platform) -> None:
    """Callers of whom every fifth call fails, whoever answers, until the judge has seen enough."""
    rollout = Rollout.objects.get()
    for start in range(100, 4_000, 200):
        platform.run(range(start, start + 200), lambda caller, answer: {"error": caller % 5 == 0})
        page.wait_for_timeout(1_000)
        rollout.refresh_from_db()
        if rollout.value.state.is_over:
            break
    expect(page.get_by_role("heading", level=1)).to_contain_text("Promoted", timeout=SOON)
    expect(page.locator("#rollout-moves")).to_contain_text("Advanced to 50 %")
    page.goto("/agents/clinic/versions/")
    expect(page.get_by_role("article", name="V3 Warmer")).to_contain_text("Live")


def subjects(mailbox: Mailbox) -> set[str]:
    return {str(mail["Subject"]) for _, mail in mailbox.mails}
