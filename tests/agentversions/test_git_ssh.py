"""A repository over SSH: a real sshd on loopback, a key of ours, a host that has to be known."""

import pytest

from agentversions.models import GitSource
from agentversions.services.git.errors import GitFailed
from agentversions.services.git.source import SourceSettings, configure_source
from agentversions.services.git.writing import write_published
from tests.factories import make_agent, make_user, make_version

from .git_hosts import ssh_host
from .git_repository import run, sync

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    with ssh_host(tmp_path_factory.mktemp("ssh")) as host:
        yield host


@pytest.fixture
def known_hosts(host, repository, settings, tmp_path):
    """A repository that is followed over SSH with the key, and the file of hosts that are known: none yet."""
    file = tmp_path / "known hosts"
    settings.GIT_SYNC_SSH_KEY, settings.GIT_SYNC_KNOWN_HOSTS = str(host.key), str(file)
    repository.put("agents/clinic")
    repository.save("Begin")
    wanted = SourceSettings(host.address(repository.remote), "main", "agents", "agent-versions")
    configure_source(wanted=wanted, actor=make_user("admin"))
    return file


def test_the_key_opens_a_repository_of_a_host_that_is_known_both_ways(host, known_hosts, repository):
    known_hosts.write_text(host.known)
    assert sync().versions == 1
    make_version(make_agent(slug="hotel", name="Hotel"), name="Welcome guests")
    assert write_published() == 1
    assert run("log", "-1", "--format=%s", "agent-versions", folder=repository.remote).strip() == "Welcome guests"


def test_an_unknown_host_is_refused_with_what_to_do(known_hosts):
    with pytest.raises(GitFailed, match=r"The host's key is not known\. .*GIT_SYNC_KNOWN_HOSTS.*ssh-keyscan"):
        sync()
    assert "ssh-keyscan" in GitSource.objects.get().error
    # Nothing was learnt by asking.
    assert not known_hosts.exists()


def test_a_host_whose_key_changed_is_refused(host, known_hosts):
    kind, _, key = host.known.partition(" ")[2].strip().partition(" ")
    other = key[:-8] + ("AAAAAAAA" if key[-8:] != "AAAAAAAA" else "BBBBBBBB")
    known_hosts.write_text(f"[127.0.0.1]:{host.port} {kind} {other}\n")
    with pytest.raises(GitFailed, match="The host's key is another than the known one"):
        sync()


def test_a_key_that_the_host_does_not_take_is_said(host, known_hosts, settings):
    known_hosts.write_text(host.known)
    settings.GIT_SYNC_SSH_KEY = str(host.key.with_name("host key"))
    with pytest.raises(GitFailed, match=r"The host refuses the SSH key\. Check GIT_SYNC_SSH_KEY"):
        sync()
