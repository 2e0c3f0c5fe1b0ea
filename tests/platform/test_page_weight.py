"""What a browser loads for the first page, compressed as it goes over the wire."""

import re
from pathlib import Path

import brotli
import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from agentversions.models import User
from config.frontend import VENDOR

LIMIT = 300_000


def static_file(address: str) -> Path:
    """The source of a static file."""
    found = finders.find(address.partition("#")[0].partition("?")[0].removeprefix("/static/"))
    assert isinstance(found, str), f"{address} is linked but does not exist"
    return Path(found)


def loaded_files(page: str) -> set[Path]:
    """Every static file that a page links, with the modules that its scripts import."""
    files = {static_file(address) for address in re.findall(r'(?:href|src)="(/static/[^"]+)"', page)}
    waiting = [file for file in files if file.suffix == ".js"]
    while waiting:
        script = waiting.pop()
        for name in re.findall(r'(?:from|import\()\s*"(\./[^"]+)"', script.read_text(encoding="utf-8")):
            module = (script.parent / name).resolve()
            if module not in files:
                files.add(module)
                waiting.append(module)
    return files


def weight(page: bytes, files: set[Path]) -> int:
    """Bytes over the wire, brotli."""
    return len(brotli.compress(page)) + sum(len(brotli.compress(file.read_bytes())) for file in files)


@pytest.mark.skipif(not VENDOR.exists(), reason="The front-end libraries are not installed (make test does it).")
@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/accounts/login/", "/agents/"])
def test_the_first_page_weighs_at_most_300_kilobytes(client: Client, address: str) -> None:
    if address != "/accounts/login/":
        client.force_login(User.objects.create(username="reader"), backend="django.contrib.auth.backends.ModelBackend")
    response = client.get(address)
    assert response.status_code in {200, 403}
    files = loaded_files(response.content.decode())
    assert any(file.name == "tabler.min.css" for file in files)
    assert weight(response.content, files) <= LIMIT
