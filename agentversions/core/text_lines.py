"""Which lines of two texts are the same line: the first and coarse step of every comparison of texts."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import pairwise

from .alignment import Budget, Pair, align

# About 150 ms of work at most, whatever the texts; no clock, so that the lines never depend on the machine's load.
_CELLS = 400_000_000
_ANCHOR_LENGTHS = (1, 4)
_RE_INDENTED = 0.8
_AFTER_BLANK_LINE = 100
_LONGEST_SLIDE = 200


def align_lines(base: Sequence[str], head: Sequence[str]) -> tuple[list[Pair], bool]:
    """Pairs of lines equal but for white space, and whether the search was complete.

    Blank lines and lone brackets say nothing about where text belongs, so they only pair up at the edges of others.
    """
    start = _equal_run(base, head, range(min(len(base), len(head))))
    stop = _equal_run(base, head, range(-1, start - min(len(base), len(head)) - 1, -1))
    base_middle, head_middle = base[start : len(base) - stop], head[start : len(head) - stop]
    budget = Budget(_CELLS, out_of_time=lambda: False)
    pairs = [(i, i) for i in range(start)]
    pairs.extend((i + start, j + start) for i, j in _align_middle(base_middle, head_middle, budget))
    pairs.extend((len(base) - k, len(head) - k) for k in range(stop, 0, -1))
    return pairs, not budget.is_spent


def gaps(pairs: Sequence[Pair], base_count: int, head_count: int) -> Iterator[tuple[int, int, int, int]]:
    """The ranges (base from, base to, head from, head to) between neighbouring pairs, empty ones left out."""
    for (i, j), (next_i, next_j) in pairwise([(-1, -1), *pairs, (base_count, head_count)]):
        if next_i - i > 1 or next_j - j > 1:
            yield i + 1, next_i, j + 1, next_j


def pair_equal_edges(
    pairs: Sequence[Pair],
    base: Sequence[str],
    head: Sequence[str],
    may_pair: Callable[[int, int], bool] = lambda i, j: True,
) -> list[Pair]:
    """The pairs, and with them the equal lines (blank ones too) at the edges of each gap."""
    found = list(pairs)
    for base_from, base_to, head_from, head_to in gaps(pairs, len(base), len(head)):
        while base_from < base_to and head_from < head_to:
            if base[base_from] != head[head_from] or not may_pair(base_from, head_from):
                break
            found.append((base_from, head_from))
            base_from, head_from = base_from + 1, head_from + 1
        while base_from < base_to and head_from < head_to:
            if base[base_to - 1] != head[head_to - 1] or not may_pair(base_to - 1, head_to - 1):
                break
            base_to, head_to = base_to - 1, head_to - 1
            found.append((base_to, head_to))
    found.sort()
    return found


def slide_to_paragraphs(
    pairs: Sequence[Pair],
    base: Sequence[str],
    head: Sequence[str],
    fixed_base: Collection[int] = (),
    fixed_head: Collection[int] = (),
) -> list[Pair]:
    """The pairs, with added and removed blocks shifted to where a reader sees them begin: after a blank line, or else
    at the smallest indentation. Which of two equal lines is called the new one is a free choice."""
    slid = list(pairs)
    before = 0
    for base_from, base_to, head_from, head_to in gaps(pairs, len(base), len(head)):
        while before < len(pairs) and pairs[before][0] < base_from and pairs[before][1] < head_from:
            before += 1
        if base_from == base_to and not any(j in fixed_head for j in range(head_from, head_to)):
            found = _best_shift(slid, before, base, head, (head_from, head_to), side=1)
            width = head_to - head_from
            for at in range(before + min(found, 0), before + max(found, 0)):
                slid[at] = (slid[at][0], slid[at][1] + (width if found < 0 else -width))
        elif head_from == head_to and not any(i in fixed_base for i in range(base_from, base_to)):
            found = _best_shift(slid, before, base, head, (base_from, base_to), side=0)
            width = base_to - base_from
            for at in range(before + min(found, 0), before + max(found, 0)):
                slid[at] = (slid[at][0] + (width if found < 0 else -width), slid[at][1])
    return slid


def _best_shift(
    pairs: Sequence[Pair], before: int, base: Sequence[str], head: Sequence[str], block: tuple[int, int], *, side: int
) -> int:
    """By how many lines the block, which stands between pairs[before - 1] and pairs[before], should be shifted."""
    lines = (base, head)[side]
    start, stop = block

    def is_free(at: int, first: int) -> bool:
        """The pair is an equal line and stands without a gap beside the pair `first`."""
        if not 0 <= at < len(pairs) or abs(at - first) >= _LONGEST_SLIDE:
            return False
        (i, j), (first_i, first_j) = pairs[at], pairs[first]
        return i - first_i == j - first_j == at - first and base[i] == head[j]

    up = down = 0
    while is_free(before - 1 - up, before - 1) and lines[start - up - 1] == lines[stop - up - 1]:
        up += 1
    while is_free(before + down, before) and lines[start + down] == lines[stop + down]:
        down += 1
    return max(range(-up, down + 1), key=lambda s: (_edge_score(lines, start + s) + _edge_score(lines, stop + s), s))


def _edge_score(lines: Sequence[str], at: int) -> int:
    """How natural it is for a block to begin or end before this line."""
    after_blank = at == 0 or not lines[at - 1].strip()
    indentation = len(lines[at]) - len(lines[at].lstrip()) if at < len(lines) and lines[at].strip() else 0
    return _AFTER_BLANK_LINE * after_blank - indentation


def _align_middle(base: Sequence[str], head: Sequence[str], budget: Budget) -> list[Pair]:
    base_at, head_at = _with_words(base), _with_words(head)
    base_loose = [" ".join(base[i].split()) for i in base_at]
    head_loose = [" ".join(head[j].split()) for j in head_at]
    base_exact, head_exact = [base[i] for i in base_at], [head[j] for j in head_at]
    # After a change of indentation the few lines that stay exactly equal are accidents.
    if _shared(base_exact, head_exact) < _RE_INDENTED * _shared(base_loose, head_loose):
        found = align(base_loose, head_loose, budget=budget, anchor_lengths=_ANCHOR_LENGTHS)
    else:
        found = align(base_exact, head_exact, budget=budget, anchor_lengths=_ANCHOR_LENGTHS)
        for i, i_to, j, j_to in list(gaps(found, len(base_at), len(head_at))):
            if i < i_to and j < j_to and not budget.is_spent:
                inside = align(base_loose[i:i_to], head_loose[j:j_to], budget=budget, anchor_lengths=_ANCHOR_LENGTHS)
                found += [(i + x, j + y) for x, y in inside]
        found.sort()
    return [(base_at[i], head_at[j]) for i, j in found]


def _with_words(lines: Sequence[str]) -> list[int]:
    return [at for at, line in enumerate(lines) if any(map(str.isalnum, line))]


def _shared(base: Sequence[str], head: Sequence[str]) -> int:
    return (Counter(base) & Counter(head)).total()


def _equal_run(base: Sequence[str], head: Sequence[str], positions: range) -> int:
    """How many of these positions in a row hold the same line on both sides."""
    return next((count for count, at in enumerate(positions) if base[at] != head[at]), len(positions))
