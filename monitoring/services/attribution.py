"""Which configuration handled a call: by the resolution that came back with it, else by the number's route then."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any

from agentversions.models import Agent, AgentVersion
from channels.core.phone_numbers import NotANumber, read_number
from channels.core.resolution import BadResolution, verify
from channels.models import Channel, SigningKey
from monitoring.core.figures import DRAFT, UNATTRIBUTED
from monitoring.core.merging import CallState
from monitoring.models.calls import Attribution

from .route_history import Answer, RouteHistory

KEPT = ("r", "b", "s", "w", "u", "t", "c", "iat")
"""Members of every resolution that stay with the call."""
KEPT_IF_THERE = ("o", "e", "x")
"""What a rollout and flags add: arm and share; effective digest; revision and variant of each flag."""


@dataclass(frozen=True)
class Attributed:
    """Agent, version and the rest of the decision. `version` is None where nobody knows, 0 for the draft."""

    how: str = Attribution.NONE
    agent: int = UNATTRIBUTED
    version: int | None = None
    digest: str | None = None
    variant: str = ""
    channel: str = ""
    decision: dict[str, Any] | None = None


class Attributor:
    """Attributes the calls of a batch; what it reads it reads once, and only what these calls need."""

    def __init__(self, states: Iterable[CallState]) -> None:
        self._states = list(states)
        self._digests: dict[tuple[int, int], str | None] = {}

    @cached_property
    def _keys(self) -> dict[str, bytes]:
        return {key.name: bytes(key.secret) for key in SigningKey.objects.all()}

    @cached_property
    def _agents(self) -> dict[str, int]:
        return dict(Agent.objects.values_list("slug", "pk"))

    @cached_property
    def _channels(self) -> dict[str, Channel]:
        wanted = {_called(state) for state in self._states} - {""}
        return {channel.address: channel for channel in Channel.objects.filter(address__in=wanted)}

    @cached_property
    def _history(self) -> RouteHistory:
        return RouteHistory(self._channels.values())

    def attribute(self, state: CallState, *, sender_id: str, started_at: datetime) -> Attributed:
        """By the token when one came (forged ones are not believed), else by the number's route at the start."""
        token = state.fields.get("resolution")
        if token is None and "agent" in state.fields:
            return self._believe(state)
        if token is None:
            return self._infer(state, sender_id, started_at)
        try:
            said = verify(token, keys=self._keys, now=time.time())
        except (BadResolution, ValueError, KeyError):
            return Attributed(Attribution.FORGED, channel=_called(state))
        agent = self._agents.get(said["a"])
        if agent is None:
            return Attributed(Attribution.FORGED, channel=said["n"])
        version = said["v"] if said["v"] is not None else DRAFT
        # A platform that decides for itself has a resolution per variant, which says nothing of the caller.
        kept = {name: said.get(name) for name in KEPT}
        kept |= {name: said[name] for name in KEPT_IF_THERE if name in said}
        return Attributed(Attribution.TOKEN, agent, version, said["d"], said["t"] or "", said["n"], kept)

    def _believe(self, state: CallState) -> Attributed:
        """What the sender states, if there is such an agent and version (0: the draft, whose state is unknown)."""
        slug, number = state.fields["agent"], state.fields.get("version")
        stated, channel = {"agent": slug, "version": number}, _called(state)
        agent = self._agents.get(slug)
        digest = self._digest(agent, number) if agent is not None and number else None
        if agent is None or (number and digest is None):
            return Attributed(Attribution.MISTAKEN, channel=channel, decision=stated)
        return Attributed(Attribution.STATED, agent, number, digest, channel=channel, decision=stated)

    def _digest(self, agent: int, number: int) -> str | None:
        """The configuration of a version; None where there is no such version."""
        if (agent, number) not in self._digests:
            found = AgentVersion.objects.filter(agent_id=agent, number=number)
            self._digests[agent, number] = found.values_list("configuration_id", flat=True).first()
        return self._digests[agent, number]

    def _infer(self, state: CallState, sender_id: str, started_at: datetime) -> Attributed:
        channel = self._channels.get(_called(state))
        if channel is None:
            return Attributed(channel=_called(state))
        said = self._history.answer(channel.address, started_at, caller=state.fields.get("caller"), call_id=sender_id)
        if said is None:
            return Attributed(channel=channel.address)
        version = said.version if said.version is not None else DRAFT
        return Attributed(
            Attribution.INFERRED,
            said.agent,
            version,
            said.digest,
            said.variant,
            channel.address,
            _arm_of(said, sender_id, started_at),
        )


def _arm_of(said: Answer, sender_id: str, started_at: datetime) -> dict[str, Any] | None:
    """What a rollout had to say in an inferred answer, in the words of a resolution; the judge leaves it out (`y`),
    because nobody knows that the platform asked."""
    arm = said.assignment
    if arm is None:
        return None
    chosen = {"i": said.rollout, "m": arm.arm.value, "s": arm.share, "b": arm.bucket, "y": False}
    return {"o": chosen, "c": sender_id, "iat": int(started_at.timestamp())}


def _called(state: CallState) -> str:
    """The called number in E.164, or the chat channel's key, as far as it can be read."""
    return _address((state.fields.get("called") or "").strip())


@lru_cache(maxsize=10_000)
def _address(text: str) -> str:
    try:
        return read_number(text) if text.startswith(("+", "00")) else text[:64]
    except NotANumber:
        return text[:64]
