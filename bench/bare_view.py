"""The bare Django view as benches start it: with the bytes of one answer of the product."""

from pathlib import Path

import httpx

BARE = "bench.bare:application"


def bare_environment(environment: dict[str, str], ours: str, token: str, number: str, folder: Path) -> dict[str, str]:
    """The environment of `bench.bare`; `ours` is the address of a running product."""
    question = {"number": number, "caller": "+33612345678", "call_id": "c-0"}
    headers = {"Authorization": f"Bearer {token}"}
    answer = httpx.post(f"{ours}/api/v1/resolve", json=question, headers=headers, timeout=10)
    assert answer.status_code == 200, answer.text
    (folder / "body").write_bytes(answer.content)
    return {**environment, "BENCH_BODY": str(folder / "body"), "BENCH_DJANGO": "1"}
