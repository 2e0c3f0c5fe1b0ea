"""A real browser for whole stories: pages of signed-in people, which fail on any error that the browser reports."""

import os
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from agentversions.models import User
from config.browser import find_browser

# Playwright runs an event loop in this thread; Django would otherwise refuse the tests' own queries beside it.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
EXPECTED = ("status of 409", "status of 422", "net::ERR_INTERNET_DISCONNECTED", "net::ERR_ABORTED")
"""What the browser reports although all is well: an answer that asks something back, and a test that goes offline."""

PageAs = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all journeys; they skip where there is none."""
    path = find_browser()
    if path is None:
        pytest.skip("No Chromium was found (install the package chromium, or set CHROMIUM_PATH).")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def page_as(browser: Browser, live_server: LiveServer) -> Iterator[PageAs]:
    """Opens a page as a person, signed in by a session cookie: `page_as(user)`, with more of the browser's options.

    Each call is a browser of its own; `page.context.new_page()` opens a second tab in the same one. When the test ends,
    any script error, console error and violation of the Content-Security-Policy fails it.
    """
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def open_page(user: User | None = None, **options: object) -> Page:
        context = browser.new_context(
            base_url=live_server.url, **{"viewport": {"width": 1440, "height": 900}, **options}
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        if user is not None:
            client = Client()
            client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
            session = client.cookies[settings.SESSION_COOKIE_NAME].value
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
        context.on("console", lambda message: errors.extend(_told(message)))
        context.on("weberror", lambda error: errors.append(str(error.error)))
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()
    assert errors == [], "The browser reported errors."


def _told(message: ConsoleMessage) -> list[str]:
    is_expected = message.type != "error" or any(words in message.text for words in EXPECTED)
    return [] if is_expected else [f"{message.text} ({message.location.get('url', '')})"]
