"""50,000 cases uploaded to a real server, through the page and over the API: it does not grow with the file."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from .installation import Installation, _children_of

CASES = 50_000
LINE = '{"name": "%s %d", "turns": [{"role": "user", "text": "%s"}], "expect": [{"kind": "contains", "text": "yes"}]}\n'
FILLING = "Is the clinic open on Sundays? " * 20
GROWTH_MB = 25
"""The file has 36 MB; what grows with it are the names of its cases, each of which may come once."""
PREPARE = """
from django.test import Client
from agentversions.services.evaluations.suites import create_suite
from agentversions.services.tokens import make_token
from tests.factories import make_user
boss = make_user("admin", "editor")
for name in ("Page", "API"):
    create_suite(name=name, actor=boss)
client = Client()
client.force_login(boss, backend="django.contrib.auth.backends.ModelBackend")
made = make_token(name="CI", roles=["editor"], scopes=["read", "write"], owner=boss, actor=boss)
print(client.cookies["sessionid"].value, made.secret)
"""


def lines(name: str, count: int) -> Iterator[bytes]:
    for number in range(count):
        yield (LINE % (name, number, FILLING)).encode()


def test_a_large_suite_is_uploaded_without_being_held_in_memory(installation: Installation, tmp_path: Path) -> None:
    session, secret = installation.manage("shell", "--verbosity=0", "-c", PREPARE).split()
    forgery = "a" * 32
    cookies = {"sessionid": session, "csrftoken": forgery}
    with httpx.Client(base_url=installation.address, cookies=cookies, timeout=600) as http:

        def by_page(name: str, count: int) -> None:
            file = tmp_path / "cases.ndjson"
            with file.open("wb") as written:
                written.writelines(lines(name, count))
            with file.open("rb") as stream:
                answer = http.post(
                    "/evaluations/page/import/",
                    headers={"X-CSRFToken": forgery},
                    files={"file": ("cases.ndjson", stream)},
                )
            assert (answer.status_code, answer.headers.get("location")) == (302, "/evaluations/page/"), answer.text[
                :500
            ]

        def by_api(name: str, count: int) -> None:
            answer = http.post(
                "/api/v1/evaluations/suites/api/import",
                content=lines(name, count),  # in chunks: nobody knows how long it gets
                headers={"Authorization": f"Bearer {secret}", "Content-Type": "application/x-ndjson"},
            )
            assert (answer.status_code, answer.json().get("added")) == (200, count), answer.text[:500]

        for upload in (by_page, by_api):
            upload("small", 1_000)
            upload("small again", 1_000)
            before = peak_mb(installation)
            upload("large", CASES)
            grown = peak_mb(installation) - before
            print(f"{upload.__name__}: {CASES:,} cases grew the server by {grown:.0f} MB")
            assert grown < GROWTH_MB
    counted = installation.rows(
        "SELECT s.slug, r.cases FROM agentversions_evaluationsuite s "
        "JOIN agentversions_suiterevision r ON r.id = s.latest_id ORDER BY 1"
    )
    assert counted == [("api", CASES + 2_000), ("page", CASES + 2_000)]


@pytest.fixture(autouse=True)
def one_process(installation: Installation) -> None:
    """One gunicorn worker, as in production: with DEBUG, Django would keep the text of every statement."""
    installation.environment |= {"WEB_WORKERS": "1", "DEBUG": ""}
    installation.restart_server()


def peak_mb(installation: Installation) -> float:
    """The most that gunicorn's worker ever had in memory."""
    assert installation.server is not None
    (worker,) = _children_of(installation.server.pid)
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{worker}/status").read_text())
    assert found is not None
    return int(found[1]) / 1024
