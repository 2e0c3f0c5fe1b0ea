"""How a rollout and flags led to the configuration of a call, from the decision that was kept with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from channels.core.rollout_steps import Arm
from channels.core.shares import percent
from channels.services.overlays import Rebuilt, rebuild
from monitoring.models import Call


@dataclass(frozen=True)
class RolloutArm:
    """A rollout (by its id), the arm that a call was in, the canary's share in per cent and the caller's bucket (None:
    the platform decided by a plan, and did not say). Not `is_analysed`: the judge leaves it out."""

    rollout: int
    arm: str
    share: str
    bucket: int | None
    is_analysed: bool

    @property
    def words(self) -> str:
        """`Canary arm at 10 %`."""
        return f"{'Canary' if self.arm == Arm.CANARY else 'Live'} arm at {self.share} %"


@dataclass(frozen=True)
class FlagApplied:
    """A flag that changed a call's configuration: its key, the number of its revision, its variant, and what that did
    (empty where the revision is not known here)."""

    key: str
    revision: int
    variant: str
    words: str = ""


@dataclass(frozen=True)
class Handling:
    """The rollout and the flags of one call. `effective`: the digest of the configuration that flags had made; empty
    where none changed it, and the version (or draft) answered as it is."""

    rollout: RolloutArm | None = None
    flags: tuple[FlagApplied, ...] = ()
    effective: str = ""
    rebuilt: Rebuilt | None = None


def handling_of(call: Call) -> Handling:
    """What a call's decision says. The configuration is made again where flags had changed it."""
    decision: Mapping[str, Any] = call.decision or {}
    arm, effective = _arm(decision.get("o")), str(decision.get("e") or "")
    choices = {key: (int(number), str(variant)) for key, (number, variant) in (decision.get("x") or {}).items()}
    if not effective or not choices or not call.digest:
        return Handling(arm)
    rebuilt = rebuild(digest=call.digest, effective=effective, choices=choices)
    words = {each.flag.key: each.words for each in rebuilt.flags}
    flags = tuple(FlagApplied(key, *pair, words.get(key, "")) for key, pair in sorted(choices.items()))
    return Handling(arm, flags, effective, rebuilt)


def _arm(said: Mapping[str, Any] | None) -> RolloutArm | None:
    if said is None:
        return None
    return RolloutArm(said["i"], said["m"], percent(said["s"]), said["b"], bool(said["y"]))
