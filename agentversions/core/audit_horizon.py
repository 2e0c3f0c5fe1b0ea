"""Up to which entry the audit trail is decided: nothing that is still under way can come before it."""

from typing import NamedTuple


class Sample(NamedTuple):
    """At one moment: the last number drawn for an entry was `drawn`, and `writers` had written entries, or were about
    to, and were still under way. Read in this order: whoever holds a number up to `drawn` and has not ended is named.
    """

    drawn: int
    writers: frozenset[str]


def decide(now: Sample, kept: Sample | None) -> tuple[int | None, Sample | None]:
    """The number up to which all is decided (None: nothing new is known), and the sample to keep for the next time.

    A sample is kept until all its writers have ended: were it replaced each time, writers that overlap for ever would
    put everything off for ever.
    """
    if not now.writers:
        return now.drawn, None
    if kept is None:
        return None, now
    if kept.writers.isdisjoint(now.writers):
        return kept.drawn, now
    return None, kept
