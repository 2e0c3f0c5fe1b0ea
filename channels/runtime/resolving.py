"""One question, one answer: from the bytes of a request to the bytes of the decision."""

import json
import secrets
import time
from dataclasses import dataclass
from typing import Any

from channels.core.phone_numbers import LONGEST_CALLER, Caller, NotANumber, is_withheld, read_caller, read_number, shown
from channels.core.resolution import LIFETIME, sign
from channels.core.routing import Decision, Unit, choose, unit_of

from .facts import ChannelFacts, RouteFacts
from .misses import Misses
from .world import World

MOST_BYTES = 64 * 1024
LONGEST_CALL_ID = 256
MOST_DIGESTS = 200
_EXAMPLE = '{"number": "+33198765432", "caller": "+33612345678", "call_id": "…"}'


class Refusal(Exception):
    """A question that gets no decision: the kind of problem, and a sentence that says what to do."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail


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


class Resolver:
    """Answers questions from one worker's memory."""

    def __init__(self, world: World, misses: Misses, *, region: str | None) -> None:
        self._world = world
        self._misses = misses
        self._region = region

    def resolve(self, question: Question) -> bytes:
        """The answer's JSON. Raises Refusal, or Unavailable when nothing is known."""
        world = self._world
        is_stale = not world.is_fresh()
        channel = self._channel(question.number)
        route = world.route(channel.route)
        if route is None:
            raise Refusal("not-found", f"What answers {shown(channel.address)} cannot be found. Save its route again.")
        unit, counted = self._unit(question, channel, route)
        decision = choose(route.plan, unit)
        answer = route.answers[decision.index]
        if answer.digest is None:
            why = f"“{answer.agent}” has no live version. Make one live, or choose what answers the number."
            self._misses.note(channel.address, why)
            raise Refusal("not-live", why)
        parts = [
            b'{"number":',
            json.dumps(channel.address).encode(),
            b",",
            route.pieces[decision.index],
            b',"unit":"%s","sticky":%s' % (counted.encode(), b"true" if counted == Unit.CALLER else b"false"),
            b',"resolution":',
            self._resolution(question, channel, route, decision, counted),
            b',"generation":%d,"stale":%s' % (world.generation, b"true" if is_stale else b"false"),
        ]
        if answer.digest not in question.have:
            parts += [b',"configuration":', world.body(answer.digest)]
        parts.append(b"}")
        return b"".join(parts)

    @staticmethod
    def _unit(question: Question, channel: ChannelFacts, route: RouteFacts) -> tuple[str, Unit]:
        """What counts for a split. Reading a number takes 50 µs, so it is read only where something is split."""
        if not route.plan.is_test:
            known = question.caller if question.caller and not is_withheld(question.caller) else None
            return unit_of(known, question.call_id, "")
        caller = read_caller(question.caller, channel.region) if question.caller else Caller(None)
        unit, counted = unit_of(caller.unit, question.call_id, "")
        return (secrets.token_hex(8), counted) if counted == Unit.CHANCE else (unit, counted)

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
        self, question: Question, channel: ChannelFacts, route: RouteFacts, decision: Decision, counted: Unit
    ) -> bytes:
        """The signed token as JSON; null for a preview, which has no `call_id`."""
        keys = self._world.keys
        if question.call_id is None or not keys:
            return b"null"
        answer, now = route.answers[decision.index], int(time.time())
        payload = {
            "n": channel.address,
            "c": question.call_id,
            "a": answer.agent,
            "v": answer.version,
            "d": answer.digest,
            "r": route.digest,
            "t": decision.variant,
            "b": decision.bucket,
            "s": decision.share,
            "w": decision.reason,
            "u": counted,
            "iat": now,
            "exp": now + LIFETIME,
        }
        name = next(reversed(keys))
        return b'"%s"' % sign(payload, key_id=name, key=keys[name]).encode()
