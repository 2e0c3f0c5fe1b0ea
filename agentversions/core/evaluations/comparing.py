"""Two runs compared case by case: which flipped, per tag, and how sure the difference is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .scoring import ALL, Graded
from .statistics import Interval, bootstrap_difference, sign_test


@dataclass(frozen=True, slots=True)
class Flip:
    """A case in both runs. `kind`: broken (pass → fail), mended (fail → pass), passes, fails, or unclear."""

    name: str
    kind: str
    base: Graded
    head: Graded

    @property
    def must_pass(self) -> bool:
        """Whether it must pass, as the newer run has it."""
        return self.head.must_pass


@dataclass(slots=True)
class FlipRow:
    """How many cases of a tag did what, and the pairs behind the interval."""

    tag: str
    broken: int = 0
    mended: int = 0
    passes: int = 0
    fails: int = 0
    unclear: int = 0
    pairs: list[tuple[float, bool, bool]] = field(default_factory=list)

    @property
    def decided(self) -> int:
        """Cases with a verdict in both runs."""
        return len(self.pairs)

    @property
    def difference(self) -> float | None:
        """Head's weighted share of passed cases minus base's, over the cases decided in both."""
        whole = sum(weight for weight, _, _ in self.pairs)
        return sum(weight * (head - base) for weight, base, head in self.pairs) / whole if whole else None

    @property
    def interval(self) -> Interval:
        """The 95 % bootstrap interval of the difference."""
        return bootstrap_difference(self.pairs)

    @property
    def p_value(self) -> float:
        """McNemar's exact test: how often chance alone flips as unevenly."""
        return sign_test(self.broken, self.mended)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The flips in order of the newer run, the rows (all cases first, then by tag), and what only one run has."""

    flips: tuple[Flip, ...]
    rows: tuple[FlipRow, ...]
    only_base: tuple[str, ...]
    only_head: tuple[str, ...]

    def of_kind(self, kind: str) -> tuple[Flip, ...]:
        """The flips of one kind."""
        return tuple(flip for flip in self.flips if flip.kind == kind)

    @property
    def broken_must_pass(self) -> tuple[str, ...]:
        """Names of the cases that must pass and no longer do."""
        return tuple(flip.name for flip in self.of_kind("broken") if flip.must_pass)


def compare_runs(base: Iterable[Graded], head: Iterable[Graded]) -> Comparison:
    """The cases of two runs matched by name."""
    before: Mapping[str, Graded] = {case.name: case for case in base}
    flips, only_head, seen = [], [], set[str]()
    for case in head:
        seen.add(case.name)
        if (old := before.get(case.name)) is None:
            only_head.append(case.name)
        else:
            flips.append(Flip(case.name, _kind(old, case), old, case))
    only_base = tuple(name for name in before if name not in seen)
    return Comparison(tuple(flips), _rows(flips), only_base, tuple(only_head))


def _kind(base: Graded, head: Graded) -> str:
    if not base.is_decided or not head.is_decided:
        return "unclear"
    if base.outcome == head.outcome:
        return "passes" if head.outcome == "pass" else "fails"
    return "broken" if head.outcome == "fail" else "mended"


def _rows(flips: list[Flip]) -> tuple[FlipRow, ...]:
    rows = {ALL: FlipRow(ALL)}
    for flip in flips:
        for tag in (ALL, *flip.head.tags):
            row = rows.setdefault(tag, FlipRow(tag))
            setattr(row, flip.kind, getattr(row, flip.kind) + 1)
            if flip.kind != "unclear":
                row.pairs.append((flip.head.weight, flip.base.outcome == "pass", flip.head.outcome == "pass"))
    return (rows.pop(ALL), *(rows[tag] for tag in sorted(rows)))
