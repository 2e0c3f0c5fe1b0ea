"""How the versions of agents are numbered beside their commits, asked for many agents at once."""

from collections.abc import Collection

from django.db.models import Exists, OuterRef, Q, Subquery

from agentversions.core.git.numbering import Numbering
from agentversions.models import Agent, AgentVersion, GitVersion


def numberings_of(keys: Collection[int]) -> dict[int, Numbering]:
    """By primary key of the agent: its versions from the newest that git knows on, by digest. Two queries."""
    # What was only written to a branch of its own is not in the followed one yet.
    ties = GitVersion.objects.filter(version=OuterRef("pk")).exclude(kind=GitVersion.Kind.WRITTEN)
    # Backwards over the unique index on (agent, number): the newest version is the one, nearly always.
    newest = AgentVersion.objects.filter(Exists(ties), agent=OuterRef("pk")).newest_first()
    found = Agent.objects.filter(pk__in=keys).values_list("pk", Subquery(newest.values("number")[:1]))
    linked = {key: number or 0 for key, number in found}
    digests: dict[int, dict[int, str]] = {key: {} for key in linked}
    if linked:
        since = Q(*(Q(agent=key, number__gte=number) for key, number in linked.items()), _connector=Q.OR)
        rows = AgentVersion.objects.filter(since).values_list("agent", "number", "configuration").order_by()
        for key, number, digest in rows:
            digests[key][number] = digest
    return {key: Numbering(number, digests[key]) for key, number in linked.items()}
