"""What flags made of a call: each flag with what it gave and why, and the configuration that came of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from agentversions.models import Configuration
from channels.core.flag_overlay import changes_of, overlay
from channels.core.flag_rules import Evaluation, FlagReason, Situation, evaluate_all, given_by
from channels.core.flag_sets import FlagInForce
from channels.core.flag_words import acts_on, gives
from channels.core.flags import Flag
from channels.models import FlagRevision


@dataclass(frozen=True)
class FlagSaid:
    """A flag in force and what it gave one call; `changed`: the configuration is another by it; `skipped`: why this
    version could not take its change."""

    in_force: FlagInForce
    evaluation: Evaluation
    changed: bool = False
    skipped: str = ""

    @property
    def flag(self) -> Flag:
        """The flag itself."""
        return self.in_force.flag

    @property
    def words(self) -> str:
        """What it gave: `Tool book: the tool is switched off`."""
        given = self.evaluation.words or gives(self.flag, self.evaluation.variant)
        return f"{acts_on(self.flag)}: {given}{f' ({self.skipped})' if self.skipped else ''}"


@dataclass(frozen=True)
class Overlaid:
    """All flags in force, what they gave, and the digest of the configuration that they left."""

    flags: tuple[FlagSaid, ...]
    digest: str


def overlaid_by(flags: Sequence[FlagInForce], *, digest: str, situation: Situation) -> Overlaid:
    """What these flags make of a stored configuration (by its digest) for one call, by the code that the runtime runs.

    The body is read only where a flag wants a change.
    """
    evaluations = evaluate_all((each.flag for each in flags), situation)
    changes = changes_of((each.flag for each in flags), evaluations)
    changed: frozenset[str] = frozenset()
    skipped: dict[str, str] = {}
    effective = digest
    if changes:
        said = overlay(Configuration.objects.only("body").get(digest=digest).body, changes)
        changed, effective = frozenset(said.flags), said.digest
        skipped = {each.flag: each.words for each in said.skipped}
    return Overlaid(
        tuple(
            FlagSaid(each, evaluations[each.flag.key], each.flag.key in changed, skipped.get(each.flag.key, ""))
            for each in flags
        ),
        effective,
    )


@dataclass(frozen=True)
class Rebuilt:
    """A configuration that flags had changed, made again: its canonical JSON, and what each flag had done. No `body`:
    it cannot be made again, and `why` is a sentence that says what is missing."""

    flags: tuple[FlagSaid, ...] = ()
    body: str | None = None
    why: str = ""


def rebuild(*, digest: str, effective: str, choices: Mapping[str, tuple[int, str]]) -> Rebuilt:
    """The effective configuration of a call, from the version's body and the revision and variant of each flag.

    `choices` stand in the call's resolution: {key: (number of the revision, name of the variant)}. What comes out
    counts only when its digest is the one that was sent.
    """
    found = {
        (row.flag.key, row.number): row
        for row in FlagRevision.objects.filter(
            flag__key__in=choices, number__in={pair[0] for pair in choices.values()}
        ).select_related("flag")
    }
    missing = [key for key, (number, _) in choices.items() if (key, number) not in found]
    if missing:
        return Rebuilt(why=f"The flag {_named(missing)} is not known in this database as it stood then.")
    said = tuple(
        FlagSaid(FlagInForce(flag, number), given_by(flag, variant, FlagReason.STATIC), changed=True)
        for key, (number, variant) in sorted(choices.items())
        for flag in [found[key, number].value]
    )
    stored = Configuration.objects.filter(digest=digest).only("body").first()
    if stored is None:
        return Rebuilt(said, why="The configuration below the flags is not kept any more.")
    changes = changes_of((each.flag for each in said), {each.flag.key: each.evaluation for each in said})
    effect = overlay(stored.body, changes)
    if effect.digest != effective:
        words = f"Made again it would be {effect.digest[:8]}, but {effective[:8]} was sent."
        return Rebuilt(said, why=f"{words} A newer release may write configurations differently.")
    return Rebuilt(said, effect.body)


def _named(keys: Iterable[str]) -> str:
    return ", ".join(f"“{key}”" for key in keys)
