"""Re-checks every stored configuration in parallel, in batches by digest, and names what is damaged."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing import get_context

from django.db import connection

from agentversions.models import AgentVersion, Configuration

from .verification_worker import check_batch, start_django

BATCH = 500
END = "g"
"""Sorts behind every hexadecimal digest, in every collation."""


@dataclass(frozen=True)
class Damage:
    """A damaged configuration: its digest, what is wrong, and the versions that point at it (`clinic V7`)."""

    digest: str
    message: str
    versions: tuple[str, ...]


@dataclass(frozen=True)
class Progress:
    """How many configurations were checked so far, and the damage found in the last batch."""

    checked: int
    damaged: tuple[Damage, ...]


def verify_all(*, processes: int) -> Iterator[Progress]:
    """Check every configuration; each batch is read and checked by one of several processes."""
    bounds = list(_bounds())
    # Fresh processes: one that is forked would share this one's database connections and threads.
    database = connection.settings_dict["NAME"]
    with ProcessPoolExecutor(
        processes, mp_context=get_context("spawn"), initializer=start_django, initargs=(database,)
    ) as pool:
        checked = 0
        for count, found in pool.map(check_batch, bounds):
            checked += count
            yield Progress(checked, tuple(_named(digest, message) for digest, message in found))


def count_configurations() -> int:
    """How many there are, for the progress bar."""
    return Configuration.objects.count()


def _bounds() -> Iterator[tuple[str, str]]:
    """Ranges (after, up to and including) of digests with about a batch in each; the last is open to the right."""
    digests = Configuration.objects.order_by("digest").values_list("digest", flat=True)
    edges = ["", *(digest for number, digest in enumerate(digests.iterator(), 1) if number % BATCH == 0), END]
    return pairwise(edges)


def _named(digest: str, message: str) -> Damage:
    versions = AgentVersion.objects.filter(configuration=digest).select_related("agent").order_by("agent_id", "number")
    return Damage(digest, message, tuple(f"{version.agent.slug} V{version.number}" for version in versions))
