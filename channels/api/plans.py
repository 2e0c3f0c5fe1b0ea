"""Plans: what a platform needs to decide in its own process, with a signed resolution per answer."""

import time
from collections.abc import Callable
from typing import Any

from channels.core.flag_sets import FlagSet
from channels.core.resolution import LIFETIME, rollout_member, sign
from channels.core.rollout_steps import Arm, Assignment
from channels.core.routing import Reason
from channels.models import Channel, SigningKey
from channels.runtime.facts import Answer, RolloutFacts, RouteFacts

from .schemas import PlanAnswer, PlanRollout, PlanVariant


def plan_answer(channel: Channel, route: RouteFacts, flags_of: Callable[[str], FlagSet]) -> PlanAnswer:
    """A plan: whoever decides for themselves sends the resolution of what they chose back with the call."""
    key = SigningKey.objects.order_by("-id").first()
    variants = []
    for index, answer in enumerate(route.answers):
        variant = route.plan.variants[index] if route.plan.is_test else None
        rollout = route.rollouts[answer.agent] if Arm.CANARY in route.pieces[index] else None
        payload = {
            "n": channel.address,
            "c": None,
            "r": route.digest,
            "t": variant.name if variant else None,
            "s": variant.share if variant else 100_000,
            "w": Reason.SPLIT if variant or rollout else Reason.STATIC,
        }
        flags = flags_of(answer.agent)
        variants.append(
            PlanVariant(
                name=variant.name if variant else None,
                ranges=list(variant.ranges) if variant else [(0, 100_000)],
                agent=answer.agent,
                version=answer.version,
                version_name=answer.version_name,
                digest=answer.digest,
                resolution=_signed(key, payload | _arm(rollout, Arm.STABLE), answer),
                rollout=_rollout(rollout, _signed(key, payload | _arm(rollout, Arm.CANARY), rollout.canary))
                if rollout
                else None,
                flags=flags.constant_values,
                asks_server=not flags.is_constant or flags.may_change,
            )
        )
    return PlanAnswer(
        address=channel.address,
        is_enabled=channel.is_enabled,
        route=route.digest,
        salt=route.plan.salt,
        variants=variants,
    )


def _rollout(rollout: RolloutFacts, resolution: str | None) -> PlanRollout:
    canary, value = rollout.canary, rollout.value
    assert canary.version is not None
    return PlanRollout(
        id=rollout.number,
        salt=value.plan.salt,
        share=value.share,
        version=canary.version,
        version_name=canary.version_name or "",
        digest=canary.digest or "",
        resolution=resolution,
    )


def _arm(rollout: RolloutFacts | None, arm: Arm) -> dict[str, Any]:
    """Not analysed: the server does not hear of a call that is decided elsewhere, should its record never come."""
    if rollout is None:
        return {}
    member = rollout_member(rollout.number, Assignment(arm, 0, rollout.value.share, is_analysed=False))
    return {"o": member | {"b": None}}


def _signed(key: SigningKey | None, payload: dict[str, Any], answer: Answer) -> str | None:
    if key is None or answer.digest is None:
        return None
    now = int(time.time())
    whole = payload | {"a": answer.agent, "v": answer.version, "d": answer.digest, "iat": now, "exp": now + LIFETIME}
    return sign(whole, key_id=key.name, key=bytes(key.secret))
