"""OpenFeature's own clients (Python, and Node for web pages) ask our flags over HTTP: each type in each situation."""

import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode, OpenFeatureError

from channels.runtime.application import Runtime
from config.frontend import node
from tests.channels.flag_rows import TYPES, save_all_types
from tests.channels.runtime import resolve_token, running

pytestmark = pytest.mark.django_db(transaction=True)
CALLER = "+33612345678"
DEFAULTS: dict[str, Any] = {"boolean": False, "string": "default", "integer": -1, "float": -1.5, "object": {"is": "x"}}
OTHER_TYPE = {"boolean": "string", "string": "object", "integer": "string", "float": "string", "object": "string"}
WEB = Path(__file__).with_name("openfeature_web.mjs")


class Server(ThreadingMixIn, WSGIServer):
    """Answers several clients at once."""

    daemon_threads = True


class Quiet(WSGIRequestHandler):
    """Logs nothing."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        return


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    save_all_types()
    with running(tmp_path / "store.sqlite3", flags_per_second=1_000) as runtime:
        yield runtime


@pytest.fixture
def address(runtime: Runtime) -> Iterator[str]:
    with make_server("127.0.0.1", 0, runtime, server_class=Server, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def token() -> str:
    return resolve_token("flags")


def nobody() -> str:
    """An address where nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


def provider(address: str, token: str) -> OFREPProvider:
    return OFREPProvider(address, headers_factory=lambda: {"Authorization": f"Bearer {token}"}, timeout=5)


def ask(client: OFREPProvider, name: str, key: str, caller: str | None = CALLER) -> Any:
    resolve = getattr(client, f"resolve_{name}_details")
    return resolve(key, DEFAULTS[name], EvaluationContext(caller))


def refused(client: OFREPProvider, name: str, key: str, caller: str | None = CALLER) -> OpenFeatureError:
    with pytest.raises(OpenFeatureError) as raised:
        ask(client, name, key, caller)
    return raised.value


def web(address: str, token: str, asked: list[tuple[str, str]], caller: str | None = CALLER) -> dict[str, Any]:
    question = {
        "baseUrl": address,
        "token": token,
        "context": {"targetingKey": caller} if caller else {},
        "asked": asked,
    }
    said = subprocess.run(
        [node(), str(WEB), json.dumps(question)], capture_output=True, text=True, timeout=60, check=True
    )
    told: dict[str, Any] = json.loads(said.stdout)
    return told


def test_python_is_given_each_type_with_reason_and_variant(address: str, token: str) -> None:
    client = provider(address, token)
    for name, (_, given, other) in TYPES.items():
        found = ask(client, name, f"{name}-found")
        assert (found.value, type(found.value), found.reason, found.variant) == (given, type(given), "STATIC", "given")
        assert found.flag_metadata["revision"] == 1
        off = ask(client, name, f"{name}-off")
        assert (off.value, off.reason, off.variant) == (other, "DISABLED", "other")
        split = ask(client, name, f"{name}-split")
        assert split.value in (given, other)
        assert split == ask(client, name, f"{name}-split", "+33 6 12-34 56.78")  # the same caller, written otherwise


def test_python_is_told_what_is_wrong(address: str, token: str) -> None:
    client = provider(address, token)
    for name in TYPES:
        missing = refused(client, name, f"{name}-none")
        assert missing.error_code == ErrorCode.FLAG_NOT_FOUND
        assert "There is no flag" in str(missing.error_message)
        assert refused(client, name, f"{OTHER_TYPE[name]}-found").error_code == ErrorCode.TYPE_MISMATCH
        keyless = refused(client, name, f"{name}-split", None)
        assert keyless.error_code == ErrorCode.TARGETING_KEY_MISSING
        assert "targeting key" in str(keyless.error_message)


def test_python_without_a_token_or_its_scope(address: str) -> None:
    for secret, words in (("av_wrong", "unauthorized"), (resolve_token("resolve"), "forbidden")):
        for name in TYPES:
            error = refused(provider(address, secret), name, f"{name}-found")
            assert (error.error_code, error.error_message) == (ErrorCode.GENERAL, words)


def test_python_waits_as_long_as_it_is_told(tmp_path: Path, token: str) -> None:
    save_all_types()
    with (
        running(tmp_path / "store.sqlite3", flags_per_second=0.5) as runtime,
        make_server("127.0.0.1", 0, runtime, server_class=Server, handler_class=Quiet) as server,
    ):
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        client = provider(address, token)
        ask(client, "boolean", "boolean-found")
        for name in TYPES:
            client.retry_after = None
            assert "retry after: 2" in str(refused(client, name, f"{name}-found").error_message)
            assert client.retry_after is not None
            assert "paused" in str(refused(client, name, f"{name}-found").error_message)
        told = web(address, token, [(name, f"{name}-found") for name in TYPES])
        assert [each["value"] for each in told["told"]] == [False, "default", -1, -1.5, {"is": "default"}]
        assert all(each["reason"] == "ERROR" for each in told["told"])
        server.shutdown()


def test_a_server_that_fails_or_is_away_gives_the_default(
    address: str, token: str, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(type(runtime.world), "flags", property(fails))
    for where in (address, nobody()):
        for name in TYPES:
            assert refused(provider(where, token), name, f"{name}-found").error_code == ErrorCode.GENERAL
        told = web(where, token, [(name, f"{name}-found") for name in TYPES])
        assert [each["value"] for each in told["told"]] == [False, "default", -1, -1.5, {"is": "default"}]
        assert all(each["errorCode"] for each in told["told"])
        assert told["failed"]


def test_a_web_page_is_given_each_type(address: str, token: str) -> None:
    asked = [(name, f"{name}-{what}") for name in TYPES for what in ("found", "off", "split")]
    told = web(address, token, asked)
    assert (told["failed"], told["status"]) == (None, "READY")
    answers = {key: each for (_, key), each in zip(asked, told["told"], strict=True)}
    for name, (_, given, other) in TYPES.items():
        found, off, split = (answers[f"{name}-{what}"] for what in ("found", "off", "split"))
        assert (found["value"], found["reason"], found["variant"]) == (given, "STATIC", "given")
        assert (off["value"], off["reason"], off["variant"]) == (other, "DISABLED", "other")
        assert split["value"] in (given, other)


def test_a_web_page_is_told_what_is_wrong(address: str, token: str) -> None:
    names = list(TYPES)
    missing = web(address, token, [(name, f"{name}-none") for name in names])["told"]
    assert {each["errorCode"] for each in missing} == {"FLAG_NOT_FOUND"}
    mismatched = web(address, token, [(name, f"{OTHER_TYPE[name]}-found") for name in names])["told"]
    assert {each["errorCode"] for each in mismatched} == {"TYPE_MISMATCH"}
    keyless = web(address, token, [(name, f"{name}-split") for name in names], caller=None)["told"]
    assert {each["errorCode"] for each in keyless} == {"TARGETING_KEY_MISSING"}
    for secret in ("av_wrong", resolve_token("resolve")):
        barred = web(address, secret, [(name, f"{name}-found") for name in names])
        assert barred["failed"]
        assert [each["value"] for each in barred["told"]] == [False, "default", -1, -1.5, {"is": "default"}]
        assert all(each["errorCode"] for each in barred["told"])
