"""The workflow of docs/ci.md as it stands there: its commands against a bare repository, a running server, a model."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command

from agentversions.models import Agent, AgentVersion, EvaluationRun
from agentversions.services.deployments import make_live
from agentversions.services.git.syncing import synchronise
from agentversions.services.release_rules import set_rules
from agentversions.services.tokens import make_token
from tests.agentversions.evaluations import case, suite_of
from tests.agentversions.git_repository import Repository, follow, run
from tests.factories import make_user
from tests.scripted_llm import ScriptedModel
from tests.worker import working_on_runs

PROJECT = Path(__file__).resolve().parents[2]
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
GH = '#!/bin/sh\nset -e\nwhile [ "$1" != --body-file ]; do shift; done\ncp "$2" "$RUNNER_TEMP/posted.md"\n'
"""Stands for GitHub's own program: keeps what would be posted."""


class Forge:
    """Runs the steps of the workflow as GitHub does: a checkout of the merge, bash -e, variables and expressions."""

    def __init__(self, folder: Path, repository: Repository, **expressions: str) -> None:
        self.workspace, self.temp, self.repository = folder / "workspace", folder / "temp", repository
        self.expressions = {
            "github.base_ref": "main",
            "github.token": "t",
            "github.event.pull_request.number": "7",
            **expressions,
        }
        fences = re.findall(r"```yaml\n(.*?)```\n", (PROJECT / "docs/ci.md").read_text(), re.DOTALL)
        (self.job,) = yaml.safe_load(fences[0])["jobs"].values()
        self.bin = folder / "bin"
        self.bin.mkdir(parents=True)
        (self.bin / "gh").write_text(GH)
        (self.bin / "gh").chmod(0o755)

    def check(self, branch: str) -> dict[str, int]:
        """The exit code of each step that runs a command of ours; a failed one skips all but those that run always."""
        for folder in (self.workspace, self.temp):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        checkout = self.workspace / "agents"
        run("clone", "--quiet", str(self.repository.remote), str(checkout))
        who = ("-c", "user.name=Forge", "-c", "user.email=forge@example.com")
        run("checkout", "--quiet", "--detach", "origin/main", folder=checkout)
        run(*who, "merge", "--quiet", "--no-ff", "--no-edit", f"origin/{branch}", folder=checkout)
        codes: dict[str, int] = {}
        self.said = ""
        for step in self.job["steps"]:
            if "name" in step and (not any(codes.values()) or step.get("if") == "always()"):
                codes[step["name"]] = self._run(step)
        return codes

    @property
    def comment(self) -> str:
        """What was posted."""
        return (self.temp / "posted.md").read_text()

    def _run(self, step: dict[str, Any]) -> int:
        given = {**self.job["env"], **step.get("env", {})}
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("DATABASE", "LLM_"))},
            # Whoever reaches for a database finds none.
            "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none",
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "GITHUB_WORKSPACE": str(self.workspace),
            "GITHUB_REPOSITORY": "acme/agents",
            "RUNNER_TEMP": str(self.temp),
            **{name: EXPRESSION.sub(lambda found: self.expressions[found[1]], text) for name, text in given.items()},
        }
        script = step["run"].replace(".venv/bin/python", sys.executable)
        folder = PROJECT if step.get("working-directory") == "program" else self.workspace
        command = ["bash", "-e", "-c", script]
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
        )
        self.said += done.stdout + done.stderr
        return done.returncode


@pytest.fixture
def worker() -> Iterator[None]:
    with working_on_runs():
        yield


@pytest.fixture
def repository(tmp_path: Path, settings: Any) -> Repository:
    settings.GIT_SYNC_FOLDER = tmp_path / "mirrors"
    repository = Repository(tmp_path)
    repository.put("agents/clinic")
    repository.save("Open the clinic")
    return repository


def token() -> str:
    owner = make_user("editor")
    return make_token(
        name="CI", roles=["editor"], scopes=["read", "write"], owner=owner, actor=make_user("admin")
    ).secret


def edit(repository: Repository, prompt: str, message: str) -> None:
    repository.put("agents/clinic", system_prompt=prompt)
    repository.commit(message)
    repository.push(branch="work")


@pytest.mark.django_db(transaction=True)
def test_a_pull_request_that_breaks_a_case_is_stopped_and_a_mended_one_goes_live_without_another_run(
    live_server: Any,
    model: ScriptedModel,
    worker: None,
    repository: Repository,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    boss = make_user("admin")
    follow(repository, boss)
    synchronise(trigger="test")
    clinic = Agent.objects.get(slug="clinic")
    make_live(version=clinic.versions.get(), actor=boss)
    suite_of(case("Opening hours | @all", "Open?", must_pass=True), case("Prices", "How much?"), name="Front desk")
    set_rules(agent=clinic, approvals=0, tolerance=0, suites=["front-desk"], actor=boss)
    says_no = {"match": "Say no.", "anywhere": True, "answers": [{"text": "<b>no</b>"}]}
    model.script(says_no, {"answers": [{"text": "yes"}]})
    forge = Forge(
        tmp_path / "forge",
        repository,
        **{"vars.AGENT_VERSIONS_URL": live_server.url, "secrets.AGENT_VERSIONS_TOKEN": token()},
    )

    repository.git("checkout", "--quiet", "-b", "work")
    edit(repository, "Say no.\n", "Say no to everything")
    assert forge.check("work") == {"Plan": 0, "Evaluate": 1, "Comment": 0}, forge.said
    assert "version “Say no to everything”" in forge.comment
    assert "### Clinic: the gate is shut" in forge.comment
    assert f"]({live_server.url}/evaluations/runs/" in forge.comment
    name, reason = "Opening hours &#124; &#64;\u200ball (must pass)", "“&#60;b&#62;no&#60;/b&#62;” does not contain it."
    assert f"| {name} | **pass → fail** | {reason} |" in forge.comment

    edit(repository, "Be brief.\n", "Be brief instead")
    assert forge.check("work") == {"Plan": 0, "Evaluate": 0, "Comment": 0}, forge.said
    assert "### Clinic: the gate is open" in forge.comment
    checked = EvaluationRun.objects.newest_first().first()
    assert checked.title == f"Commit {run('rev-parse', 'HEAD', folder=forge.workspace / 'agents')[:10]}"
    runs, paid = EvaluationRun.objects.count(), len(model.asked)

    repository.git("checkout", "--quiet", "main")
    repository.git("merge", "--quiet", "--no-ff", "--message", "Be brief", "work")
    repository.push()
    synchronise(trigger="test")
    merged = AgentVersion.objects.get(agent=clinic, number=2)
    assert (merged.name, merged.configuration_id) == ("Be brief", checked.configuration_id)
    make_live(version=merged, actor=boss)
    assert (EvaluationRun.objects.count(), len(model.asked)) == (runs, paid)

    monkeypatch.setenv("AGENT_VERSIONS_TOKEN", forge.expressions["secrets.AGENT_VERSIONS_TOKEN"])
    call_command("evaluate", "front-desk", "clinic@live", "--gate", f"--server={live_server.url}")
    said = capsys.readouterr().out
    assert "100.0%, 2 passed, 0 failed" in said
    assert said.endswith("The gate is open.\n")


@pytest.mark.django_db(transaction=True)
def test_a_fork_without_the_token_is_planned_only(repository: Repository, tmp_path: Path) -> None:
    nothing = {"vars.AGENT_VERSIONS_URL": "", "secrets.AGENT_VERSIONS_TOKEN": ""}
    forge = Forge(tmp_path / "forge", repository, **nothing)
    repository.git("checkout", "--quiet", "-b", "work")
    edit(repository, "Say no.\n", "Say no")
    assert forge.check("work") == {"Plan": 0, "Evaluate": 0, "Comment": 0}, forge.said
    assert "gate" not in forge.comment


@pytest.mark.django_db
def test_beside_the_database_the_command_does_the_work_itself(
    model: ScriptedModel, repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    boss = make_user("admin", is_superuser=True)
    follow(repository, boss)
    synchronise(trigger="test")
    suite_of(case("hours", "Open?"), name="Front desk")
    repository.put("agents/clinic", system_prompt="Other.\n")
    repository.put("agents/school")
    repository.commit("Other")
    where = ("--changed", "HEAD~1", "HEAD", f"--repository={repository.work}", "--folder=agents")
    call_command("evaluate", "--gate", *where)
    said = capsys.readouterr().out
    assert "clinic: no suite is required of it." in said
    assert "school: a new agent; its suites run after the merge." in said
    assert not EvaluationRun.objects.exists()
    call_command("evaluate", "front-desk", "--gate", *where)
    assert "Front desk, revision 2, run 1: 100.0%, 1 passed, 0 failed" in capsys.readouterr().out.replace(
        f"run {EvaluationRun.objects.get().pk}:", "run 1:"
    )


@pytest.mark.django_db(transaction=True)
def test_what_could_not_be_run_ends_with_2(
    live_server: Any, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*words: str) -> str:
        with pytest.raises(CommandError) as error:
            call_command("evaluate", "--changed", "HEAD~1", "HEAD", f"--repository={repository.work}", *words)
        assert error.value.returncode == 2
        return str(error.value)

    repository.put("agents/clinic", system_prompt="Other.\n")
    repository.commit("Other")
    folder, server = "--folder=agents", f"--server={live_server.url}"
    assert "Put an API token" in refused(folder, server)
    monkeypatch.setenv("AGENT_VERSIONS_TOKEN", "wrong")
    assert f"{live_server.url} answered 401: " in refused(folder, server)
    assert "cannot be reached" in refused(folder, "--server=http://127.0.0.1:9")
    assert "Write the folder" in refused("--folder=../x", server)
    repository.write("agents/clinic/agent.yaml", "name: Clinic\nmodel: {temperature: 9}\n")
    repository.commit("Too hot")
    assert "Temperature must be at most 2" in refused(folder, server)


@pytest.mark.django_db(transaction=True)
def test_a_server_without_a_worker_is_not_waited_for_longer_than_asked(
    live_server: Any, model: ScriptedModel, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow(repository, make_user("admin"))
    synchronise(trigger="test")
    suite_of(case("hours", "Open?"), name="Front desk")
    monkeypatch.setenv("AGENT_VERSIONS_TOKEN", token())
    with pytest.raises(CommandError, match=r"has not ended after 0 s\. Does a worker run on the server\?") as error:
        call_command("evaluate", "front-desk", "clinic@1", f"--server={live_server.url}", "--wait=0")
    assert error.value.returncode == 2
    assert not model.asked
