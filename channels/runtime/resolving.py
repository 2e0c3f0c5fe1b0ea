"""One question, one answer: from the bytes of a request to the bytes of the decision."""

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from channels.core.flag_sets import FlagSet
from channels.core.phone_numbers import LONGEST_CALLER, NotANumber, is_withheld, read_number, read_unit, shown
from channels.core.resolution import LIFETIME, rollout_member, sign
from channels.core.rollout_routing import Served
from channels.core.rollout_steps import Assignment
from channels.core.routing import Unit, unit_of

from .facts import Answer, ChannelFacts, RouteFacts
from .flag_snapshot import FlagSnapshot
from .misses import Misses
from .overlays import Overlay
from .world import Unavailable, World

MOST_BYTES = 64 * 1024
LONGEST_CALL_ID = 256
MOST_DIGESTS = 200
_EXAMPLE = '{"number": "+33198765432", "caller": "+33612345678", "call_id": "…"}'


class Refusal(Exception):
    """A question that gets no decision: the kind of problem, and a sentence that says what to do."""

    def __init__(self, kind: str, detail: str, headers: list[tuple[str, str]] | None = None) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.headers = headers


@dataclass(frozen=True, slots=True)
class Question:
    """What a platform asks for one call. Texts are as they came; nothing is normalised yet."""

    number: str
    caller: str | None
    call_id: str | None
    have: frozenset[str]


def read_question(body: bytes) -> Question:
    """The question of a request's body. Raises Refusal."""
    if len(body) > MOST_BYTES:
        raise Refusal("too-large", f"The body has more than {MOST_BYTES // 1024} kB. Send only the call's own facts.")
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refusal("bad-request", f"The body is no JSON. Send an object like {_EXAMPLE}.") from error
    if not isinstance(value, dict):
        raise Refusal("bad-request", f"Send a JSON object like {_EXAMPLE}.")
    number = value.get("number")
    if not isinstance(number, str) or not 0 < len(number) <= 128:
        raise Refusal("invalid", "Send `number`: the number that was called, or the key of a chat channel.")
    if not isinstance(value.get("context", {}), dict | None):
        raise Refusal("invalid", '`context` is an object, such as {"plan": "premium"}.')
    return Question(
        number,
        _text(value, "caller", LONGEST_CALLER),
        _text(value, "call_id", LONGEST_CALL_ID),
        _digests(value.get("have")),
    )


def _text(value: dict[str, Any], name: str, longest: int) -> str | None:
    text = value.get(name)
    if text is None or text == "":
        return None
    if not isinstance(text, str):
        raise Refusal("invalid", f"`{name}` is a text, or left out.")
    if len(text.encode("utf-8", "surrogatepass")) > longest:
        raise Refusal("invalid", f"`{name}` has more than {longest} bytes. Send the plain value.")
    return text


def _digests(value: Any) -> frozenset[str]:
    if value is None:
        return frozenset()
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value) or len(value) > MOST_DIGESTS:
        raise Refusal("invalid", f"`have` is a list of at most {MOST_DIGESTS} digests that you hold.")
    return frozenset(value)


class NoteRouted(Protocol):
    """Keeps who was routed to which arm (see `routed`). Never raises, and no call waits for it."""

    def __call__(
        self,
        rollout: int,
        call_id: str,
        caller_hash: str | None,
        arm: str,
        share: int,
        bucket: int,
        channel: str,
        at: float,
    ) -> None: ...


@dataclass(slots=True)
class _Call:
    """A question with what it came to: the channel, the unit that is counted, the moment (seconds since 1970), and the
    caller's keyed hash once it was needed."""

    question: Question
    channel: ChannelFacts
    unit: str
    counted: Unit
    at: float
    hashed: str | None = None


class Resolver:
    """Answers questions from one worker's memory. `hash_of` gives the keyed hash (hex) by which flags list callers;
    `note` is told of every call that a rollout's split routed, and `count` of its agent, version and arm."""

    def __init__(
        self,
        world: World,
        misses: Misses,
        *,
        region: str | None,
        hash_of: Callable[[str], str],
        note: NoteRouted | None = None,
        count: Callable[[str, int | None, str], None] | None = None,
    ) -> None:
        self._world = world
        self._misses = misses
        self._region = region
        self._hash_of = hash_of
        self._note = note
        self._count = count

    def resolve(self, question: Question) -> bytes:
        """The answer's JSON. Raises Refusal, or Unavailable when nothing is known."""
        world = self._world
        is_stale = not world.is_fresh()
        channel = self._channel(question.number)
        route = world.route(channel.route)
        if route is None:
            raise Refusal("not-found", f"What answers {shown(channel.address)} cannot be found. Save its route again.")
        flags = world.flags
        unit, counted = _unit(question, channel, route, flags)
        served, answer = route.serve(unit, counted)
        if answer.digest is None:
            why = f"“{answer.agent}” has no live version. Make one live, or choose what answers the number."
            self._misses.note(channel.address, why)
            raise Refusal("not-live", why)
        call = _Call(question, channel, unit, counted, time.time())
        members, overlay = self._flagged(call, flags.of(answer.agent), served.route.variant, answer.digest)
        digest = overlay.digest if overlay else answer.digest
        arm = served.assignment.arm if served.assignment else None
        parts = [
            b'{"number":',
            json.dumps(channel.address).encode(),
            b",",
            route.pieces[served.route.index][arm],
            b',"effective_digest":"%s","flags":{%s},"overlay":%s,"unit":"%s","sticky":%s,"resolution":'
            % (
                digest.encode(),
                members,
                overlay.member if overlay else b"{}",
                counted.encode(),
                b"true" if counted == Unit.CALLER else b"false",
            ),
            self._resolution(call, route, served, answer, overlay),
            b',"generation":%d,"stale":%s' % (world.generation, b"true" if is_stale else b"false"),
        ]
        if digest not in question.have:
            parts += [b',"configuration":', overlay.body if overlay and overlay.body else world.body(digest)]
        parts.append(b"}")
        if served.assignment and question.call_id is not None and self._note is not None:
            self._keep(call, route.rollouts[answer.agent].number, served.assignment, self._note)
            if self._count is not None:
                self._count(answer.agent, answer.version, served.assignment.arm)
        return b"".join(parts)

    def _flagged(self, call: _Call, flags: FlagSet, variant: str | None, digest: str) -> tuple[bytes, Overlay | None]:
        """The plain values for this call as JSON members, and what its flags make of the version, if anything."""
        members, wish = flags.give(
            unit=call.unit,
            caller=self._hashed(call) if flags.lists_callers else None,
            channel=call.channel.address,
            variant=variant,
            at=call.at,
            zone=call.channel.time_zone,
        )
        if not wish.changes:
            return members, None
        try:
            overlay = self._world.overlays.of(digest, wish)
        except Unavailable as error:  # whoever holds the version still gets the decision
            self._world.notes.note(wish.changes[0].flag, str(error))
            return members, None
        return members, overlay if overlay.choices else None

    def _hashed(self, call: _Call) -> str | None:
        """The caller's keyed hash, once per call; None for a withheld number."""
        if call.hashed is None and call.counted == Unit.CALLER:
            call.hashed = self._hash_of(call.unit)
        return call.hashed

    def _keep(self, call: _Call, rollout: int, assignment: Assignment, note: NoteRouted) -> None:
        arm, share, bucket = assignment.arm, assignment.share, assignment.bucket
        caller = self._hashed(call)
        note(rollout, call.question.call_id or "", caller, arm, share, bucket, call.channel.address, call.at)

    def _channel(self, number: str) -> ChannelFacts:
        world = self._world
        # Nothing else is ever an address, and PostgreSQL refuses NUL.
        channel = world.channel(number) if number.isascii() and number.isprintable() else None
        address = number
        if channel is None:
            try:
                address = read_number(number, self._region)
            except NotANumber as error:
                self._misses.note(number, "No number or key of a channel")
                raise Refusal("not-found", f"There is no channel “{number[:40]}”. {error}") from error
            channel = world.channel(address) if address != number else None
        if channel is None:
            self._misses.note(address, "Unknown number")
            raise Refusal("not-found", f"There is no channel {shown(address)}. Add it under Channels.")
        if not channel.is_enabled:
            self._misses.note(address, "Switched off")
            raise Refusal("not-found", f"{shown(address)} is switched off. Switch it on under Channels.")
        return channel

    def _resolution(
        self, call: _Call, route: RouteFacts, served: Served, answer: Answer, overlay: Overlay | None
    ) -> bytes:
        """The signed token as JSON; null for a preview, which has no `call_id`."""
        keys = self._world.keys
        if call.question.call_id is None or not keys:
            return b"null"
        now, decision = int(call.at), served.route
        payload: dict[str, Any] = {
            "n": call.channel.address,
            "c": call.question.call_id,
            "a": answer.agent,
            "v": answer.version,
            "d": answer.digest,
            "r": route.digest,
            "t": decision.variant,
            "b": decision.bucket,
            "s": decision.share,
            "w": served.reason,
            "u": call.counted,
            "iat": now,
            "exp": now + LIFETIME,
        }
        if served.assignment:
            payload["o"] = rollout_member(route.rollouts[answer.agent].number, served.assignment)
        if overlay:
            payload["e"] = overlay.digest
            payload["x"] = overlay.choices
        name = next(reversed(keys))
        return b'"%s"' % sign(payload, key_id=name, key=keys[name]).encode()


def _unit(question: Question, channel: ChannelFacts, route: RouteFacts, flags: FlagSnapshot) -> tuple[str, Unit]:
    """What counts for splits and flags. A caller is read only where one of them looks at it."""
    target = route.plan.target
    if target is not None and not route.rollouts and not flags.of(target.agent).looks_at_callers:
        known = question.caller if question.caller and not is_withheld(question.caller) else None
        return unit_of(known, question.call_id, "")
    caller = read_unit(question.caller, channel.region) if question.caller else None
    unit, counted = unit_of(caller, question.call_id, "")
    return (secrets.token_hex(8), counted) if counted == Unit.CHANCE else (unit, counted)
