"""An OpenAI-compatible server as a process on loopback: it answers by a script, slowly, with errors, or not at all.

`python -m tests.scripted_llm PORT`. PUT /script sets the rules, GET /log gives what was asked. A rule applies when
`match` stands in the last message (or anywhere, with `anywhere`), and `prompt`, if given, in the first; each of its
`answers` is given once, the last always: {"text"}, {"calls": [{"name", "arguments"}]}, {"refusal"}, {"status",
"retry_after"}, {"raw"}; `delay_ms` before each.
A question with an `Idempotency-Key` that was answered is answered the same and charged once, as payment services do it.
"""

import asyncio
import contextlib
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from config.embedded_credentials import free_port

PROJECT = Path(__file__).resolve().parents[1]


class Script:
    """The rules, and what was asked under them."""

    def __init__(self) -> None:
        self.rules: list[dict[str, Any]] = []
        self.given: dict[int, int] = {}
        self.asked: list[dict[str, Any]] = []
        self.charged: dict[str, int] = {}
        self.kept: dict[str, dict[str, Any]] = {}
        self.in_flight = self.most_in_flight = 0
        self.keeps_log = True

    def choose(self, messages: list[dict[str, Any]]) -> dict[str, Any]:
        """The next answer to these messages; an echo where no rule applies."""
        first, last = (message.get("content") or "" for message in (messages[0], messages[-1]))
        for index, rule in enumerate(self.rules):
            place = json.dumps(messages, ensure_ascii=False) if rule.get("anywhere") else last
            if rule.get("match", "") in place and rule.get("prompt", "") in first:
                at = self.given.get(index, 0)
                self.given[index] = at + 1
                answers = rule["answers"]
                return {"delay_ms": rule.get("delay_ms", 0), **answers[min(at, len(answers) - 1)]}
        return {"text": f"You said: {last}"}


async def _serve(script: Script, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        while head := await reader.readuntil(b"\r\n\r\n"):
            first, *lines = head.decode().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            body = await reader.readexactly(int(headers.get("content-length") or 0))
            status, answer, extra = await _answer(script, first.split(" ")[1], headers, body)
            start = (
                f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(answer)}\r\n{extra}\r\n"
            )
            writer.write(start.encode() + answer)
            await writer.drain()
    writer.close()


async def _answer(script: Script, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes, str]:
    if path == "/script":
        script.__init__()  # type: ignore[misc]
        sent = json.loads(body)
        script.rules, script.keeps_log = sent["rules"], sent.get("log", True)
        return 200, b"{}", ""
    if path == "/log":
        said = {"asked": script.asked, "charged": script.charged, "most_in_flight": script.most_in_flight}
        return 200, json.dumps(said).encode(), ""
    request = json.loads(body)
    key = headers.get("idempotency-key", "")
    if script.keeps_log:
        script.asked.append({"request": request, "key": key, "authorization": headers.get("authorization", "")})
    chosen = script.kept.get(key) or script.choose(request["messages"])
    kept = script.kept  # an answer that is late for its test must not be kept for the next
    script.in_flight += 1
    script.most_in_flight = max(script.most_in_flight, script.in_flight)
    try:
        await asyncio.sleep(chosen.get("delay_ms", 0) / 1000)
    finally:
        script.in_flight = max(0, script.in_flight - 1)
    if "status" in chosen:
        extra = f"Retry-After: {chosen['retry_after']}\r\n" if "retry_after" in chosen else ""
        words = json.dumps({"error": {"message": chosen.get("message", "scripted")}})
        return chosen["status"], words.encode(), extra
    if "raw" in chosen:
        return 200, chosen["raw"].encode(), ""
    if key and key not in kept and kept is script.kept and script.keeps_log:
        kept[key] = chosen
        script.charged[key] = script.charged.get(key, 0) + 1
    return 200, json.dumps(_completion(request, chosen)).encode(), ""


def _completion(request: dict[str, Any], chosen: dict[str, Any]) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": chosen.get("text"), "refusal": chosen.get("refusal")}
    if "calls" in chosen:
        message["tool_calls"] = [
            {
                "id": f"call_{index}",
                "type": "function",
                "function": {
                    "name": call["name"],
                    "arguments": call["arguments"]
                    if isinstance(call["arguments"], str)
                    else json.dumps(call["arguments"]),
                },
            }
            for index, call in enumerate(chosen["calls"])
        ]
    return {
        "id": "scripted",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": request["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
    }


async def _main(port: int) -> None:
    script = Script()
    server = await asyncio.start_server(lambda r, w: _serve(script, r, w), "127.0.0.1", port, limit=2**24)
    async with server:
        await server.serve_forever()


class ScriptedModel:
    """The server as tests see it."""

    def __init__(self, port: int) -> None:
        self.port, self.url = port, f"http://127.0.0.1:{port}/v1"

    def script(self, *rules: dict[str, Any], log: bool = True) -> None:
        """Forget everything, answer by these rules from now on."""
        self._call("PUT", "/script", {"rules": list(rules), "log": log})

    def log(self) -> dict[str, Any]:
        """What was asked since."""
        said: dict[str, Any] = self._call("GET", "/log")
        return said

    @property
    def asked(self) -> list[dict[str, Any]]:
        """The requests, in order."""
        return [one["request"] for one in self.log()["asked"]]

    def endpoints(self, **provider: Any) -> dict[str, Any]:
        """LLM_ENDPOINTS with this server as OpenAI in both environments, and as the judge."""
        openai = {"url": self.url, "key": "test-key", "retries": 2, "prices": {"gpt-4o": ["2.5", "10"]}, **provider}
        one = {"providers": {"openai": openai}, "judge": {"provider": "openai", "model": "gpt-4o"}}
        return {"staging": one, "production": one}

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        data = json.dumps(body).encode() if body is not None else None
        address = f"http://127.0.0.1:{self.port}{path}"
        with urllib.request.urlopen(urllib.request.Request(address, data, method=method), timeout=30) as answer:
            return json.loads(answer.read())


@contextlib.contextmanager
def scripted_model() -> Iterator[ScriptedModel]:
    """A running server; stopped at the end."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "tests.scripted_llm", str(port)], cwd=PROJECT)
    try:
        model = ScriptedModel(port)
        for _ in range(100):
            with contextlib.suppress(OSError):
                model.script()
                break
            time.sleep(0.1)
        yield model
    finally:
        process.kill()
        process.wait(timeout=30)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main(int(sys.argv[1])))
