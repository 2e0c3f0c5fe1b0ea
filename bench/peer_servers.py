"""Installs and starts the peers of `bench.peers`, each with its question prepared."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from config.bootstrap import UV, run_tool
from config.data_folder import PROJECT
from config.frontend import npm

PEERS = PROJECT / ".venv" / "peers"
NODE = PEERS / "node"
UNLEASH = "unleash-server@8.2.0"
PYTHON_PEERS = {"mlflow": "3.18.0", "arize-phoenix": "20.26.1"}
"""Each in a folder of its own: together they ask for different versions of the same packages."""


@dataclass(frozen=True)
class Peer:
    """A running peer: CALLER in `path` stands for the caller."""

    version: str
    address: str
    path: str
    headers: dict[str, str]


def install_peers() -> None:
    """Install what is not there yet."""
    if not (NODE / "node_modules" / "unleash-server").exists():
        NODE.mkdir(parents=True, exist_ok=True)
        (NODE / "package.json").write_text("{}", encoding="utf-8")
        run_tool([*npm(), "install", "--no-audit", "--no-fund", "--prefix", str(NODE), UNLEASH], "Unleash")
    for package, version in PYTHON_PEERS.items():
        done = PEERS / package / f".{version}"
        if not done.exists():
            command = [str(UV), "pip", "install", "--quiet", "--python", sys.executable, "--target", str(done.parent)]
            run_tool([*command, f"{package}=={version}"], package)
            done.touch()


@contextlib.contextmanager
def unleash(folder: Path, text: str) -> Iterator[Peer]:
    """Unleash with a flag whose two variants carry the text; callers are told apart by their id."""
    from django.db import connection

    from bench.fleet import database_url
    from tests.database import as_owner

    address, admin, frontend = "http://127.0.0.1:8370", "*:*.bench-admin", "default:development.bench-frontend"
    with as_owner():
        values = connection.settings_dict
        with connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE bench_unleash")
        url = f"postgres://{values['USER']}:{values['PASSWORD']}@{values['HOST']}:{values['PORT']}/bench_unleash"
    assert urlsplit(database_url()).port == urlsplit(url).port
    start = (
        "require('unleash-server').start({db: {connectionString: process.env.PEER_DB, ssl: false}, "
        "server: {port: 8370, host: '127.0.0.1'}, logLevel: 'fatal', telemetry: false, versionCheck: {enable: false}})"
    )
    variables = {
        "PEER_DB": url,
        "NODE_ENV": "production",
        "INIT_ADMIN_API_TOKENS": admin,
        "INIT_FRONTEND_API_TOKENS": frontend,
        "CHECK_VERSION": "false",
        "SEND_TELEMETRY": "false",
    }
    try:
        with _running(["node", "-e", start], variables, NODE, f"{address}/health"):
            _prepare_flag(address, admin, text)
            yield Peer(UNLEASH.split("@")[1], address, "/api/frontend?userId=CALLER", {"Authorization": frontend})
    finally:
        with as_owner(), connection.cursor() as cursor:
            cursor.execute("DROP DATABASE bench_unleash WITH (FORCE)")


def _prepare_flag(address: str, admin: str, text: str) -> None:
    features = "/api/admin/projects/default/features"
    variants = [
        {
            "name": name,
            "weight": 500,
            "weightType": "variable",
            "stickiness": "userId",
            "payload": {"type": "json", "value": json.dumps({"system_prompt": text})},
        }
        for name in ("A", "B")
    ]
    parameters = {"rollout": "100", "stickiness": "userId", "groupId": "clinic"}
    strategy = {"name": "flexibleRollout", "parameters": parameters, "variants": variants}
    with httpx.Client(base_url=address, headers={"Authorization": admin}, timeout=30) as client:
        here = f"{features}/clinic/environments/development"
        for path, body in ((features, {"name": "clinic"}), (f"{here}/strategies", strategy), (f"{here}/on", {})):
            answer = client.post(path, json=body)
            assert answer.status_code < 300, answer.text
    until = time.monotonic() + 60
    while "You answer" not in httpx.get(f"{address}/api/frontend?userId=1", headers=_frontend(), timeout=30).text:
        assert time.monotonic() < until, "Unleash does not give the flag."
        time.sleep(0.5)


def _frontend() -> dict[str, str]:
    return {"Authorization": "default:development.bench-frontend"}


@contextlib.contextmanager
def mlflow(folder: Path, text: str) -> Iterator[Peer]:
    """MLflow's server with a prompt that has the alias `production`."""
    address = "http://127.0.0.1:8371"
    server = [
        *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", "8371", "--workers", "2"),
        *("--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--default-artifact-root", str(folder / "artifacts")),
    ]
    prepare = (
        "import mlflow, sys; mlflow.set_tracking_uri(sys.argv[1]); "
        "mlflow.genai.register_prompt(name='clinic', template=sys.argv[2]); "
        "mlflow.genai.set_prompt_alias('clinic', alias='production', version=1)"
    )
    with _running(server, _python("mlflow"), folder, f"{address}/health"):
        command = [sys.executable, "-c", prepare, address, text]
        subprocess.run(command, env={**os.environ, **_python("mlflow")}, check=True, capture_output=True)
        path = "/api/2.0/mlflow/registered-models/alias?name=clinic&alias=production"
        yield Peer(PYTHON_PEERS["mlflow"], address, path, {})


@contextlib.contextmanager
def phoenix(folder: Path, text: str) -> Iterator[Peer]:
    """Phoenix with a prompt, asked for its latest version."""
    address = "http://127.0.0.1:8372"
    variables = {
        **_python("arize-phoenix"),
        "PHOENIX_PORT": "8372",
        "PHOENIX_HOST": "127.0.0.1",
        "PHOENIX_GRPC_PORT": "8373",
        "PHOENIX_WORKING_DIR": str(folder / "phoenix"),
        "PHOENIX_TELEMETRY_ENABLED": "false",
    }
    (folder / "phoenix").mkdir()
    with _running([sys.executable, "-m", "phoenix.server.main", "serve"], variables, folder, f"{address}/healthz"):
        prompt = {
            "prompt": {"name": "clinic"},
            "version": {
                "model_provider": "OPENAI",
                "model_name": "gpt-4o",
                "template": {"type": "chat", "messages": [{"role": "system", "content": text}]},
                "template_type": "CHAT",
                "template_format": "MUSTACHE",
                "invocation_parameters": {"type": "openai", "openai": {"temperature": 0.7}},
            },
        }
        answer = httpx.post(f"{address}/v1/prompts", json=prompt, timeout=60)
        assert answer.status_code < 300, answer.text
        yield Peer(PYTHON_PEERS["arize-phoenix"], address, "/v1/prompts/clinic/latest", {})


def _python(package: str) -> dict[str, str]:
    return {"PYTHONPATH": str(PEERS / package), "DJANGO_SETTINGS_MODULE": ""}


@contextlib.contextmanager
def _running(command: list[str], variables: dict[str, str], where: Path, health: str) -> Iterator[None]:
    """A server with all that it starts, until the end of the block."""
    log = where / "peer.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=where, env={**os.environ, **variables}, stdout=out, stderr=out, start_new_session=True
        )
    try:
        until = time.monotonic() + 120
        while True:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(health, timeout=5).status_code < 500:
                    break
            is_late = time.monotonic() > until or process.poll() is not None
            assert not is_late, log.read_text(encoding="utf-8")[-2000:]
            time.sleep(0.5)
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 15)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(15)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
