"""How a rollout is judged is a value: read back as written, and refused with words where it cannot be."""

from hypothesis import given
from hypothesis import strategies as st

from channels.core.rollout_judging import (
    Counts,
    Figures,
    Guardrail,
    Judging,
    Rule,
    errors_in_judging,
    read_judging,
    write_judging,
)


@given(
    st.builds(
        Judging,
        rule=st.sampled_from(Rule),
        figures=st.sampled_from(Figures),
        counts=st.sampled_from(Counts),
        guardrails=st.lists(st.sampled_from(Guardrail), unique=True).map(tuple),
        least_sample=st.integers(1, 10_000),
    )
)
def test_it_is_read_back_as_it_was_written(judging: Judging) -> None:
    assert read_judging(write_judging(judging)) == judging


def test_what_cannot_be_judged_is_named_at_its_field() -> None:
    assert errors_in_judging(Judging()) == ()
    twice = Judging(guardrails=(Guardrail.LATENCY, Guardrail.LATENCY), least_sample=0)
    assert [error.path for error in errors_in_judging(twice)] == ["least_sample", "guardrails"]
    beyond = Judging(figures=Figures.PROMETHEUS, guardrails=(Guardrail.DURATION,))
    assert "Leave the guardrails out" in errors_in_judging(beyond)[0].message
