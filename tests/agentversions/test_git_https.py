"""A repository over HTTPS, both ways: git's own server behind TLS, a token, a certificate nobody else knows."""

import base64
import logging

import pytest
from django.apps import apps
from django.core import serializers

from agentversions.models import AgentVersion, GitSource
from agentversions.services.git.errors import GitFailed
from agentversions.services.git.source import SourceSettings, configure_source
from agentversions.services.git.writing import write_published
from tests.factories import make_agent, make_user, make_version

from .git_hosts import https_host, make_certificate
from .git_repository import names, run, sync

pytestmark = pytest.mark.django_db
TOKEN = "ghp_right0000000000000000000000000000"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def host(tmp_path, certificate, settings, repository):
    """The repository behind a host that wants the token; the server has the token and knows the certificate."""
    settings.GIT_SYNC_CA, settings.GIT_SYNC_TOKEN = str(certificate), TOKEN
    repository.put("agents/clinic")
    repository.save("Begin")
    with https_host(tmp_path, certificate, token=TOKEN) as host:
        yield host


def follow(host, repository, **fields):
    wanted = SourceSettings(host.address(repository.remote), "main", "agents", **fields)
    return configure_source(wanted=wanted, actor=make_user("admin"))


def refused():
    with pytest.raises(GitFailed) as failed:
        sync()
    assert str(failed.value) == GitSource.objects.get().error
    return str(failed.value)


def assert_secret_is_nowhere(host, tmp_path, *texts):
    """Neither the token nor what it becomes in a header."""
    stored = [row for model in apps.get_models() for row in serializers.serialize("jsonl", model.objects.all())]
    kept = [
        file.read_text("utf-8", "replace")
        for file in (tmp_path / "mirrors").rglob("*")
        if file.is_file() and file.suffix not in {".pack", ".idx", ".rev"}
    ]
    everything = "\n".join([*host.processes, *texts, *kept, "".join(stored)])
    assert "git-remote-https" in everything
    for secret in (TOKEN, base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()):
        assert secret not in everything


def test_the_token_opens_the_repository_and_is_written_nowhere(host, repository, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    follow(host, repository)
    assert sync().versions == 1
    assert {given for _, given in host.asked} == {
        f"Basic {base64.b64encode(f'x-access-token:{TOKEN}'.encode()).decode()}"
    }
    assert sync().versions == 0
    assert_secret_is_nowhere(host, tmp_path, caplog.text)


@pytest.mark.parametrize(
    ("token", "words"),
    [("ghp_wrong", "The host refuses the token. Check GIT_SYNC_TOKEN"), ("", "Set GIT_SYNC_TOKEN on the server")],
)
def test_a_wrong_or_missing_token_is_said_and_what_to_do(host, repository, settings, tmp_path, caplog, token, words):
    settings.GIT_SYNC_TOKEN = token
    follow(host, repository)
    said = refused()
    assert words in said
    assert "ghp_" not in said + caplog.text
    settings.GIT_SYNC_TOKEN = TOKEN
    assert sync().versions == 1


def test_nobody_is_followed_elsewhere_with_the_token(host, repository, certificate, tmp_path):
    follow(host, repository)
    with https_host(tmp_path, certificate) as elsewhere:
        host.sends_to = f"https://127.0.0.1:{elsewhere.port}"
        assert "sends us to another address" in refused()
        assert elsewhere.asked == []
    assert AgentVersion.objects.count() == 0


def test_a_certificate_that_nobody_vouches_for_is_refused_before_the_token_is_sent(host, repository, settings):
    settings.GIT_SYNC_CA = ""
    follow(host, repository)
    assert "GIT_SYNC_CA" in refused()
    assert host.asked == []


@pytest.mark.parametrize(
    ("status", "words"),
    [(403, "may not"), (404, "There is no repository at this address, or the token may not see it"), (503, "503")],
)
def test_what_the_host_refuses_is_said_in_words(host, repository, status, words):
    host.status = status
    follow(host, repository)
    assert words in refused()


def test_a_published_version_is_pushed_over_https_and_comes_back_once(host, repository, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    follow(host, repository, write_branch="agent-versions")
    sync()
    pm = make_user("editor", username="pm", first_name="Grace", last_name="Hopper")
    make_version(make_agent(pm, slug="hotel", name="Hotel"), pm, name="Welcome guests")
    assert write_published() == 1
    said = run("log", "-1", "--format=%s|%an", "agent-versions", folder=repository.remote).strip()
    assert said == "Welcome guests|Grace Hopper"
    repository.git("fetch", "--quiet", "origin")
    repository.git("merge", "--quiet", "--no-ff", "--message", "Take it (#1)", "origin/agent-versions")
    repository.push()
    assert sync().versions == 0
    assert names("hotel") == ["Welcome guests"]
    assert write_published() == 0
    assert_secret_is_nowhere(host, tmp_path, caplog.text)


def test_a_push_that_the_host_refuses_waits_and_is_tried_again(host, repository, settings):
    source = follow(host, repository, write_branch="agent-versions")
    sync()
    make_version(make_agent(slug="hotel", name="Hotel"), name="Welcome guests")
    hook = repository.remote / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'protected branch hook declined' >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(GitFailed, match="protects the branch"):
        write_published()
    source.refresh_from_db()
    assert "protects the branch" in source.write_error
    hook.unlink()
    assert write_published() == 1
    source.refresh_from_db()
    assert source.write_error == ""
