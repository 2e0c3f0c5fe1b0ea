"""The results of A/B tests over the API: the figures of the page."""

from datetime import datetime

from django.http import Http404, HttpRequest
from ninja import Router

from agentversions.api.authentication import READ
from agentversions.api.schemas import Answer
from channels.services.channels import find_channel
from monitoring.core.comparing import Difference, Estimate
from monitoring.services.ab_periods import find_test
from monitoring.services.ab_results import AbResults, VariantFigure, VariantResult, load_results

router = Router()


class EstimateAnswer(Answer):
    """A value with its 95 % confidence sequence, over `calls` calls. Rates are from 0 to 1, durations in ms."""

    value: float
    low: float
    high: float
    calls: int


class DifferenceAnswer(Answer):
    """The variant less the control, with its interval and the verdict in words."""

    value: float
    low: float
    high: float
    verdict: str


class FigureAnswer(Answer):
    """One figure; null where no call says it. The control has no difference."""

    estimate: EstimateAnswer | None
    difference: DifferenceAnswer | None


class VariantAnswer(Answer):
    """A variant: what answers, its share in per cent, its callers (by their first call) and calls, its figures."""

    name: str
    agent: str
    answers: str
    versions: list[str]
    configurations: int
    share: str
    callers: int
    calls: int
    inferred: int
    figures: dict[str, FigureAnswer]


class SplitAnswer(Answer):
    """Whether callers were split by the shares: broken once `evidence` (an e-value) reaches 1,000."""

    is_broken: bool
    evidence: float
    callers: int
    expected: dict[str, float]


class AbAnswer(Answer):
    """A test, the control first. `until` is null while it runs; `calls_missing` is null where nobody can say."""

    channel: str
    since: datetime
    until: datetime | None
    calls: int
    variants: list[VariantAnswer]
    split: SplitAnswer
    left_out: dict[str, int]
    calls_missing: int | None


@router.get(
    "/channels/{address}/ab", auth=READ, response=AbAnswer, url_name="channel_ab", summary="Results of an A/B test"
)
def read(request: HttpRequest, address: str) -> AbAnswer:
    """The test that runs on a number, else its last one; 404 where there was none.

    Intervals stay valid however often they are read. `calls_missing`: calls until 3 points of automation can be told.
    """
    channel = find_channel(address)
    test = find_test(channel)
    if test is None:
        raise Http404(f"No A/B test was ever on {channel}.")
    return _answer(load_results(test))


def _answer(results: AbResults) -> AbAnswer:
    split = results.split
    return AbAnswer(
        channel=results.test.channel.address,
        since=results.test.since,
        until=results.test.until,
        calls=results.calls,
        variants=[_variant(each) for each in results.variants],
        split=SplitAnswer(
            is_broken=split.is_broken, evidence=split.evidence, callers=split.callers, expected=dict(split.expected)
        ),
        left_out={key: count for key, _, count in results.left_out},
        calls_missing=results.missing,
    )


def _variant(each: VariantResult) -> VariantAnswer:
    return VariantAnswer(
        name=each.name,
        agent=each.target.agent,
        answers=each.target.word,
        versions=each.versions,
        configurations=len(each.counts.configurations),
        share=each.share,
        callers=each.counts.callers,
        calls=each.counts.calls,
        inferred=each.counts.inferred,
        figures={figure.key: _figure(figure) for figure in each.figures},
    )


def _figure(figure: VariantFigure) -> FigureAnswer:
    return FigureAnswer(estimate=_estimate(figure.estimate), difference=_difference(figure.difference))


def _estimate(found: Estimate | None) -> EstimateAnswer | None:
    return EstimateAnswer(value=found.value, low=found.low, high=found.high, calls=found.n) if found else None


def _difference(found: Difference | None) -> DifferenceAnswer | None:
    if found is None:
        return None
    return DifferenceAnswer(value=found.value, low=found.low, high=found.high, verdict=found.verdict)
