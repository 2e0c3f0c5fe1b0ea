"""Which lines stand opposite each other in the end, and which equal words in them are shown as equal."""

from itertools import accumulate

from .alignment import Pair
from .text_lines import gaps, pair_equal_edges
from .text_words import Side, WordAlignment, is_long


def set_opposite(words: WordAlignment) -> None:
    """Complete `lines`, and keep as partners only what a reader can follow.

    Equal words stay where their lines stand opposite each other or where many stand in a row; then equal white space
    joins them, and lines left over between the same neighbours are put side by side.
    """
    base, head = words.base, words.head
    _set_partners(words)
    # Kept words before each line: two lines may stand opposite each other when nothing kept crosses them.
    base_before, head_before = _kept_before(base), _kept_before(head)

    def may_pair(i: int, j: int) -> bool:
        return base_before[i] == base_before[i + 1] == head_before[j] == head_before[j + 1]

    words.lines = pair_equal_edges(words.lines, base.lines, head.lines, may_pair)
    for i, i_to, j, j_to in list(gaps(words.lines, len(base.lines), len(head.lines))):
        while i < i_to and j < j_to:
            base_is_blank, head_is_blank = base.is_blank(i), head.is_blank(j)
            if base_is_blank != head_is_blank:
                i, j = i + base_is_blank, j + head_is_blank
            elif may_pair(i, j):
                words.lines.append((i, j))
                i, j = i + 1, j + 1
            elif base_before[i + 1] <= head_before[j + 1]:
                i += 1
            else:
                j += 1
    words.lines.sort()
    kept = _set_partners(words)
    for i, j in words.lines:
        if base_before[i] == head_before[j]:
            _join_forward(base, head, base.starts[i], head.starts[j])
        if base_before[i + 1] == head_before[j + 1]:
            _join_backward(base, head, base.starts[i + 1] - 1, head.starts[j + 1] - 1)
    for p, q in kept:
        _join_forward(base, head, p + 1, q + 1)
        if base.partner[p - 1] < 0 and p > base.starts[base.line_of[p]]:
            _join_backward(base, head, p - 1, q - 1)


def _set_partners(words: WordAlignment) -> list[Pair]:
    """Keep equal words of lines that stand opposite each other, and elsewhere only those in long runs."""
    chosen = set(words.lines)
    kept: list[Pair] = []
    for run in words.runs:
        if is_long(run, words.base):
            kept += run
        else:
            kept += [(p, q) for p, q in run if (words.base.line_of[p], words.head.line_of[q]) in chosen]
    words.base.partner, words.head.partner = [-1] * len(words.base.tokens), [-1] * len(words.head.tokens)
    for p, q in kept:
        words.base.partner[p], words.head.partner[q] = q, p
    return kept


def _kept_before(side: Side) -> list[int]:
    totals = list(accumulate((partner >= 0 for partner in side.partner), initial=0))
    return [totals[start] for start in side.starts]


def _join_forward(base: Side, head: Side, p: int, q: int) -> None:
    """Pair equal white space from here on, to the end of the line at most."""
    while p < len(base.tokens) and q < len(head.tokens) and base.is_space[p] and base.tokens[p] == head.tokens[q]:
        if base.partner[p] >= 0 or head.partner[q] >= 0:
            break
        base.partner[p], head.partner[q] = q, p
        p, q = p + 1, q + 1
        if base.tokens[p - 1] == "\n":
            break


def _join_backward(base: Side, head: Side, p: int, q: int) -> None:
    """Pair equal white space before here, to the beginning of the line at most; a line's end only at the start."""
    first = p
    while p >= 0 and q >= 0 and base.is_space[p] and base.tokens[p] == head.tokens[q]:
        if base.partner[p] >= 0 or head.partner[q] >= 0 or (base.tokens[p] == "\n" and p < first):
            break
        base.partner[p], head.partner[q] = q, p
        p, q = p - 1, q - 1
