"""The text difference is close to a minimal one: measured on every step of the real histories."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from statistics import quantiles

from agentversions.core.text_diff import diff_text
from agentversions.core.text_tokens import tokenise, word_letters
from tests.core.test_text_diff import steps

LARGEST_DISTANCE = 700


def minimal_changed_words(base: str, head: str) -> int | None:
    """The fewest words that any word-by-word difference changes (Myers' O(ND)); None when the texts differ too much."""
    before, after = _words(base), _words(head)
    start = _shared(before, after)
    before, after = before[start:], after[start:]
    end = _shared(before[::-1], after[::-1])
    return _distance(before[: len(before) - end], after[: len(after) - end])


def _words(text: str) -> list[str]:
    """What the product counts as words: no white space, no punctuation."""
    return [token for token in tokenise(text) if word_letters(token) > 0]


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    pairs = zip(one, other, strict=False)
    return next((at for at, (x, y) in enumerate(pairs) if x != y), min(len(one), len(other)))


def _distance(before: Sequence[str], after: Sequence[str]) -> int | None:
    """The length of the shortest edit script (insertions and deletions), None beyond LARGEST_DISTANCE."""
    furthest = {1: 0}
    for distance in range(LARGEST_DISTANCE + 1):
        for k in range(-distance, distance + 1, 2):
            down = k == -distance or (k != distance and furthest[k - 1] < furthest[k + 1])
            x = furthest[k + 1] if down else furthest[k - 1] + 1
            while x < len(before) and x - k < len(after) and before[x] == after[x - k]:
                x += 1
            furthest[k] = x
            if x >= len(before) and x - k >= len(after):
                return distance
    return None


def test_the_oracle_counts_what_a_person_would() -> None:
    assert minimal_changed_words("use short sentences", "use long sentences") == 2
    assert minimal_changed_words("a b c d", "a c d e") == 2
    assert minimal_changed_words("same", "same") == 0


def test_changed_words_are_close_to_the_minimum_on_real_histories(corpus: Path) -> None:
    ratios, skipped = [], 0
    for _, before, after in itertools.islice(steps(corpus), 0, None, 2):
        minimum = minimal_changed_words(before, after)
        if minimum is None:
            skipped += 1
        elif minimum:
            fewest = diff_text(before, after, time_limit_s=5).fewest
            ratios.append((fewest.added + fewest.removed) / minimum)
    percentiles = quantiles(ratios, n=100)
    assert len(ratios) > 150
    assert skipped < len(ratios) / 4
    assert percentiles[49] <= 1.05
    assert percentiles[94] <= 1.5
