"""The results of an A/B test: each variant's figures, differences to the control, and whether the split is right."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from agentversions.models import Agent
from agentversions.models.database import database_now
from channels.core.routes import Follow, Target
from channels.core.shares import percent
from monitoring.core.comparing import FEWEST, Difference, Estimate
from monitoring.core.measures import BY_KEY
from monitoring.core.sequential import ALPHA, mean, mean_difference, rate, rate_difference
from monitoring.core.sequential_planning import calls_missing
from monitoring.core.sequential_ratio import SplitCheck, check_split

from .ab_counts import LEFT_OUT, AbCounts, VariantCounts, count_test
from .ab_periods import AbTest

POINTS = 3
"""The difference in percentage points that a test should be able to tell, in the words of the page."""
FIGURES = tuple(
    (measure.key, measure.label, measure.meaning, measure.kind)
    for measure in (BY_KEY[key] for key in ("automation", "success", "errors", "duration"))
)
"""Key, label, definition and unit, as analytics has them."""


@dataclass(frozen=True)
class VariantFigure:
    """One figure of a variant, with its difference to the control (None for the control itself)."""

    key: str
    label: str
    kind: str
    estimate: Estimate | None
    difference: Difference | None

    @property
    def is_sure(self) -> bool:
        """Whether there are calls enough to show an interval."""
        return self.estimate is not None and self.estimate.n >= FEWEST


@dataclass(frozen=True)
class VariantResult:
    """One variant. `versions` are what of the agent answered so far; `calls_query` finds its calls."""

    name: str
    agent: Agent
    target: Target
    share: str
    counts: VariantCounts
    figures: list[VariantFigure]
    calls_query: str

    @property
    def versions(self) -> list[str]:
        """`V3`, `Draft`: newest first."""
        numbers = {version for version, _ in self.counts.configurations}
        return [f"V{number}" if number else "Draft" for number in sorted(numbers, reverse=True)]

    @property
    def is_mixed(self) -> bool:
        """Whether more than one configuration answered: the draft was edited, or another version made live."""
        return self.target.follow != Follow.VERSION and len(self.counts.configurations) > 1


@dataclass(frozen=True)
class SplitLine:
    """Of all callers of the check: how many came to a variant, and how many were planned, in per cent."""

    name: str
    found: float
    planned: float


@dataclass(frozen=True)
class AbResults:
    """Everything about a test. `missing`: calls until `POINTS` can be told (0: by now; None: nobody can say yet)."""

    test: AbTest
    variants: list[VariantResult]
    split: SplitCheck
    calls: int
    left_out: list[tuple[str, str, int]]
    is_cut: bool
    missing: int | None
    calls_a_day: float | None

    @property
    def split_lines(self) -> list[SplitLine]:
        """The split of callers, variant by variant."""
        of = max(self.split.callers, 1)
        return [
            SplitLine(name, 100 * self.split.counts.get(name, 0) / of, 100 * self.split.expected.get(name, 0.0) / of)
            for name in self.test.targets
        ]

    @property
    def missing_days(self) -> int | None:
        """In how many days these calls will have come, at the pace of this test."""
        return round(self.missing / self.calls_a_day) if self.missing and self.calls_a_day else None

    @property
    def inferred(self) -> int:
        """Calls whose variant was inferred from the route."""
        return sum(each.counts.inferred for each in self.variants)

    @property
    def shares_changed(self) -> int:
        """How often the shares changed since the test began."""
        return len([period for period in self.test.periods if period.plan]) - 1


def load_results(test: AbTest) -> AbResults:
    """The results of a test so far (of one that ended: for good)."""
    counts = count_test(test)
    agents = {agent.slug: agent for agent in Agent.objects.filter(slug__in=test.plan.agents)}
    control = next(iter(test.targets))
    alpha = ALPHA / (len(test.targets) - 1)
    variants = [
        VariantResult(
            variant.name,
            agents[variant.target.agent],
            variant.target,
            percent(variant.share),
            counts.variants[variant.name],
            _figures(counts.variants, variant.name, control, alpha),
            urlencode(
                {"channel": test.channel.address, "variant": variant.name, "since": f"{test.since:%Y-%m-%dT%H:%M:%S%z}"}
            ),
        )
        for variant in test.plan.variants
    ]
    days = ((test.until or database_now()) - test.since).total_seconds() / 86_400
    return AbResults(
        test,
        variants,
        check_split(counts.strata),
        counts.calls,
        [(key, words, counts.left_out[key]) for key, words in LEFT_OUT.items() if counts.left_out.get(key)],
        counts.is_cut,
        missing=_missing(test, counts) if test.until is None else None,
        calls_a_day=counts.calls / days if days >= 1 else None,
    )


def _figures(variants: Mapping[str, VariantCounts], name: str, control: str, alpha: float) -> list[VariantFigure]:
    """With several variants the 5 % are shared among their differences (Bonferroni): one look at a column errs so."""
    figures = []
    for key, label, _, kind in FIGURES:
        head, base = variants[name].figures[key], variants[control].figures[key]
        estimate = (rate if kind == "rate" else mean)(head.sums)
        difference = None
        if name != control:
            difference = (rate_difference if kind == "rate" else mean_difference)(head, base, alpha=alpha)
        figures.append(VariantFigure(key, label, kind, estimate, difference))
    return figures


def _missing(test: AbTest, counts: AbCounts) -> int | None:
    arms = [counts.variants[name].figures["automation"] for name in test.targets]
    shares = [variant.share / 100_000 for variant in test.plan.variants]
    return calls_missing(arms, shares, POINTS / 100, calls=counts.calls)
