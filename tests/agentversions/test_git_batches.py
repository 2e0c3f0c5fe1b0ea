"""Many commits, killed syncs and two at once: each batch is stored whole, once, with a fixed number of queries."""

import threading

import pytest
from django.db import connection

from agentversions.models import AgentVersion, AuditEntry
from agentversions.services.git import syncing
from agentversions.services.git.object_reader import ObjectReader
from agentversions.services.git.storing import store_steps

from .git_repository import Repository, follow, names, sync

pytestmark = pytest.mark.django_db


@pytest.mark.django_db(transaction=True)
def test_two_syncs_at_once_have_one_result(repository):
    follow(repository)
    for number in range(6):
        repository.put("agents/clinic", welcome_message=f"Number {number}")
        repository.put("agents/hotel", welcome_message=f"Room {number}")
        repository.commit(f"Change {number}")
    repository.push()
    found, errors = [], []

    def work() -> None:
        try:
            found.append(sync().versions)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert sorted(found) == [0, 0, 12]
    assert names("clinic") == [f"Change {number}" for number in range(6)]


def fill(repository: Repository, commits: int, agents: int = 3) -> None:
    """Commits that change every agent."""
    for number in range(commits):
        for agent in range(agents):
            repository.put(f"agents/agent-{agent}", welcome_message=f"Number {number}")
        repository.commit(f"Change {number}")
    repository.push()


@pytest.mark.parametrize("commits", [4, 16])
def test_queries_do_not_grow_with_commits_and_versions(repository, commits, django_assert_max_num_queries):
    """The bench reads 500 commits of 20 agents; here the shape of its cost."""
    follow(repository)
    fill(repository, 1)
    sync()
    fill(repository, commits + 1)
    with django_assert_max_num_queries(40):
        assert sync().versions == commits * 3
    with django_assert_max_num_queries(15):
        assert sync().commits == 0
    assert AuditEntry.objects.filter(action="version published").count() == (commits + 1) * 3


def test_git_is_waited_for_a_few_times_for_each_commit_not_for_each_file(repository, monkeypatch):
    asked = []
    real = ObjectReader._ask
    monkeypatch.setattr(ObjectReader, "_ask", lambda self, some: [asked.append(len(some)), real(self, some)][1])
    follow(repository)
    fill(repository, 8, agents=6)
    assert sync().versions == 48
    assert sum(asked) > 48 * 2
    assert len(asked) < 8 * 6


@pytest.mark.parametrize("bound", [{"STEPS_AT_ONCE": 6}, {"BYTES_AT_ONCE": 10_000}])
def test_a_killed_sync_goes_on_after_the_last_batch_it_stored(repository, monkeypatch, bound):
    for name, value in bound.items():
        monkeypatch.setattr(syncing, name, value)
    source = follow(repository)
    fill(repository, 7)
    stored = []

    def die(**fields):
        if len(stored) == 2:
            raise KeyboardInterrupt
        stored.append(fields["seen"])
        return store_steps(**fields)

    monkeypatch.setattr(syncing, "store_steps", die)
    with pytest.raises(KeyboardInterrupt):
        sync()
    monkeypatch.setattr(syncing, "store_steps", store_steps)
    source.refresh_from_db()
    there = AgentVersion.objects.count()
    assert source.seen_commit == stored[-1]
    assert 0 < there < 21
    assert there % 3 == 0
    assert sync().versions == 21 - there
    for agent in range(3):
        assert names(f"agent-{agent}") == [f"Change {number}" for number in range(7)]
