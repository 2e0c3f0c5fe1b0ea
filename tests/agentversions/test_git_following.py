"""The branch that is followed: rewritten, missing, suspended, moved elsewhere, and settings that are refused."""

import pytest

from agentversions.models import Agent, GitRun, GitSource, GitVersion
from agentversions.services.git.errors import GitFailed, GitSettingRefused, GitSuspended
from agentversions.services.git.source import (
    SourceSettings,
    accept_rewritten,
    configure_source,
    resume_source,
    suspend_source,
)
from tests.factories import make_user

from .git_repository import Repository, follow, names, sync

pytestmark = pytest.mark.django_db


def test_a_rewritten_branch_waits_for_an_admin_and_loses_nothing(repository):
    source, boss = follow(repository), make_user("admin")
    repository.put("agents/clinic", welcome_message="One")
    begin = repository.commit("One")
    repository.put("agents/clinic", welcome_message="Two")
    seen = repository.save("Two")
    sync()
    repository.git("reset", "--quiet", "--hard", begin)
    repository.put("agents/clinic", welcome_message="Three")
    head = repository.commit("Three")
    repository.push("--force")
    for _ in range(2):
        with pytest.raises(GitFailed, match="force-push"):
            sync()
    source.refresh_from_db()
    assert (source.seen_commit, source.rewritten_head, names("clinic")) == (seen, head, ["One", "Two"])
    assert GitRun.objects.exclude(error="").count() == 1
    with pytest.raises(GitSettingRefused, match="once more"):
        accept_rewritten(head=seen, actor=boss)
    accept_rewritten(head=head, actor=boss)
    sync()
    source.refresh_from_db()
    assert (source.seen_commit, source.error, names("clinic")) == (head, "", ["One", "Two", "Three"])
    # Back to a commit that made a version before: another version, tied to the same commit.
    repository.git("reset", "--quiet", "--hard", begin)
    repository.push("--force")
    with pytest.raises(GitFailed):
        sync()
    accept_rewritten(head=begin, actor=boss)
    sync()
    assert names("clinic") == ["One", "Two", "Three", "One"]
    assert GitVersion.objects.filter(commit=begin).values_list("kind", flat=True).order_by("id").last() == "again"


def test_a_branch_that_is_not_there_and_a_repository_that_cannot_be_reached(repository, tmp_path):
    boss = make_user("admin")
    repository.put("agents/clinic")
    repository.save("Begin")
    follow(repository, boss, branch="release")
    with pytest.raises(GitFailed, match=r"“release” is not in the repository \(there: main\)"):
        sync()
    configure_source(wanted=SourceSettings(str(tmp_path / "nowhere.git"), "main", "agents"), actor=boss)
    with pytest.raises(GitFailed, match="There is no git repository at this address"):
        sync()
    source = GitSource.objects.get()
    assert "no git repository" in source.error
    assert Agent.objects.count() == 0
    follow(repository, boss)
    sync()
    source.refresh_from_db()
    assert (source.error, names("clinic")) == ("", ["Begin"])


def test_a_suspended_sync_does_nothing_and_goes_on_where_it_stopped(repository):
    boss = make_user("admin")
    follow(repository, boss)
    repository.put("agents/clinic")
    repository.save("Begin")
    suspend_source(reason="Release week", actor=boss)
    with pytest.raises(GitSuspended):
        sync()
    resume_source(actor=boss)
    assert sync().versions == 1


def test_another_repository_begins_at_its_head_and_keeps_the_agents(repository, tmp_path):
    boss = make_user("admin")
    follow(repository, boss)
    repository.put("agents/clinic", welcome_message="One")
    repository.save("One")
    sync()
    (tmp_path / "moved").mkdir()
    moved = Repository(tmp_path / "moved")
    for word in ("One", "Two", "Three"):
        moved.put("voice/clinic", welcome_message=word)
        moved.save(word)
    follow(moved, boss, folder="voice")
    sync()
    assert names("clinic") == ["One", "Three"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("address", "ext::sh -c touch% pwned"),
        ("address", "--upload-pack=touch"),
        ("address", "https://ada:secret@git.example.com/agents.git"),
        ("address", "https://token@git.example.com/agents.git"),
        ("address", "http://git.example.com/agents.git"),
        ("address", "-oProxyCommand=x@host:path"),
        ("branch", "--all"),
        ("branch", "main..other"),
        ("folder", "../elsewhere"),
        ("folder", "agents/.git"),
        ("write_branch", "a b"),
    ],
)
def test_settings_that_could_reach_elsewhere_are_refused(field, value):
    fields = {"address": "/srv/agents.git", "branch": "main", field: value}
    with pytest.raises(GitSettingRefused) as refused:
        configure_source(wanted=SourceSettings(**fields), actor=make_user("admin"))
    assert refused.value.field == field
