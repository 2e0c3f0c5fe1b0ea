"""Whether two versions met the same conditions: a difference between them may be one of their callers or hours."""

import math
from collections.abc import Hashable, Mapping

LEAST = 0.1
"""Shares that differ by less than a tenth in all are not worth a warning."""
_Z = 3.090
"""The normal quantile of 99.9 %."""


def imbalance(head: Mapping[Hashable, int], base: Mapping[Hashable, int]) -> float | None:
    """The total variation distance of two distributions of calls (0: the same, 1: nothing in common).

    None while it is below a tenth, or could be chance: Pearson's chi-square with Wilson and Hilferty's approximation of
    its 99.9 % quantile (Proceedings of the National Academy of Sciences 17, 1931), rare categories added up.
    """
    one, other = sum(head.values()), sum(base.values())
    if not one or not other:
        return None
    distance = sum(abs(head.get(key, 0) / one - base.get(key, 0) / other) for key in {*head, *base}) / 2
    return distance if distance >= LEAST and _is_clear(head, base, one, other) else None


def _is_clear(head: Mapping[Hashable, int], base: Mapping[Hashable, int], one: int, other: int) -> bool:
    cells: list[tuple[int, int]] = []
    rare = [0, 0]
    for key in {*head, *base}:
        pair = (head.get(key, 0), base.get(key, 0))
        if sum(pair) * min(one, other) / (one + other) >= 5:
            cells.append(pair)
        else:
            rare[0] += pair[0]
            rare[1] += pair[1]
    if sum(rare) * min(one, other) / (one + other) >= 5:
        cells.append((rare[0], rare[1]))
    freedom = len(cells) - 1
    if freedom < 1:
        return False
    statistic = 0.0
    for mine, theirs in cells:
        expected = (mine + theirs) * one / (one + other)
        statistic += (mine - expected) ** 2 / expected
        expected = (mine + theirs) * other / (one + other)
        statistic += (theirs - expected) ** 2 / expected
    part = 2 / (9 * freedom)
    return statistic > freedom * (1 - part + _Z * math.sqrt(part)) ** 3
