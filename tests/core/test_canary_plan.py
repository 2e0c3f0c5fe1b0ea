"""A rollout's plan becomes the judge's policy."""

import pytest

from channels.core.rollout_judging import Counts, Guardrail, Judging, Rule
from channels.core.rollout_steps import Preset, RolloutPlan, Step, preset_steps
from monitoring.core.canary_plan import policy_of
from monitoring.core.canary_policy import PRESETS


def plan(*steps: Step) -> RolloutPlan:
    return RolloutPlan("clinic", 2, 1, "salt", steps, max_duration_s=86_400)


@pytest.mark.parametrize("preset", [Preset.BALANCED, Preset.FAST, Preset.STRICT])
def test_a_preset_asks_for_what_the_bars_were_measured_with(preset: Preset) -> None:
    policy = policy_of(plan(*preset_steps(preset, soak_s=0)), Judging())
    measured = PRESETS[preset.value].steps
    assert [(step.share, step.margin, step.least_calls) for step in policy.steps] == [
        (step.share, step.margin, step.least_calls) for step in measured
    ]
    assert policy.rule == Rule.SEQUENTIAL
    assert policy.rollback_alpha == 0.01


def test_what_was_decided_reaches_the_policy() -> None:
    judging = Judging(
        rule=Rule.THRESHOLD,
        counts=Counts.SUCCESSES,
        guardrails=(Guardrail.SENTIMENT, Guardrail.LATENCY),
        least_sample=7,
    )
    policy = policy_of(plan(Step(1_000, 2.0, 60), Step(2_000, 1.5, 0)), judging)
    assert (policy.rule, policy.counts, policy.least_sample) == (Rule.THRESHOLD, Counts.SUCCESSES, 7)
    assert [step.soak for step in policy.steps] == [60, 0]
    assert [each.name for each in (*policy.rates, *policy.means)] == ["negative calls", "average latency"]
    assert policy.rollback_alpha == 0.005
    assert policy.longest == 86_400


def test_every_guardrail_is_judged() -> None:
    policy = policy_of(plan(Step(1_000, 2.0)), Judging(guardrails=tuple(Guardrail)))
    assert len(policy.rates) + len(policy.means) == len(Guardrail)
    assert not policy.problems()
