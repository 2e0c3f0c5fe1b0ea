"""Rollouts as they are observed, for the tests of their judge."""

from typing import Any

from monitoring.core.canary_evidence import Labels
from monitoring.core.canary_observations import ArmCalls, Observations
from monitoring.core.canary_policy import HOUR

SHARES = (10_000, 25_000, 50_000)


def seen(failed: tuple[int, int], calls: tuple[int, int], *, step: int = 0, **more: Any) -> Observations:
    """A rollout of callers who called once: (canary, stable) failures and recorded calls, all at the step's share."""
    share = SHARES[step]
    labels = Labels.of({share: failed})
    values: dict[str, Any] = {
        "seconds_in_step": 5 * HOUR,
        "seconds": 5 * HOUR,
        "canary": ArmCalls(calls[0], calls[0], failed[0]),
        "stable": ArmCalls(calls[1], calls[1], failed[1]),
        "callers": Labels.of({share: calls}),
        "labels": labels,
        "labels_or_missing": labels,
    }
    return Observations(step=step, **{**values, **more})
