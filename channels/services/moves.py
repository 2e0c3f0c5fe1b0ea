"""The lines of a dry run: which channel would answer with what instead; cheap enough for every number at once."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from channels.models import Channel, Route

NAMED = 5
"""Channels named in a sentence; the rest is counted."""
SHOWN = 200
"""Lines of a dry run that are shown; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Move:
    """A channel by its key, with the digests of the route that answers now and of the one that would."""

    channel_id: int
    before: str
    after: str


@dataclass(frozen=True)
class ShownMove:
    """A move as people read it."""

    channel: Channel
    before: Route
    after: Route


def show_moves(moves: Sequence[Move], most: int = SHOWN) -> list[ShownMove]:
    """The first moves, with their channels and routes."""
    shown = moves[:most]
    channels = Channel.objects.in_bulk([move.channel_id for move in shown])
    routes = Route.objects.in_bulk({digest for move in shown for digest in (move.before, move.after)})
    return [ShownMove(channels[move.channel_id], routes[move.before], routes[move.after]) for move in shown]


def digest_of_moves(moves: Iterable[Move]) -> str:
    """A fingerprint of a dry run: whoever confirms it sends it back, and gets exactly what was shown or nothing."""
    lines = sorted(f"{move.channel_id} {move.before} {move.after}" for move in moves)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def in_words(keys: Sequence[int]) -> str:
    """Some of these channels by their numbers: `+33 1 …, +33 2 … and 12 more`."""
    channels = Channel.objects.in_bulk(keys[:NAMED])
    named = ", ".join(str(channels[key]) for key in keys[:NAMED])
    return f"{named} and {len(keys) - NAMED:,} more" if len(keys) > NAMED else named
