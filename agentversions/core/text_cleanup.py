"""Make a smallest difference readable: no confetti of single equal words, edits that begin where sentences begin."""

from dataclasses import dataclass
from itertools import accumulate

from .text_opposites import set_opposite
from .text_words import Side, WordAlignment

# A line is shown as rewritten when less than this share of its text, old and new, survived.
_SHARE_OF_LONGER = 0.2
_SHARE_OF_SHORTER = 0.5
_LONGEST_SLIDE = 200
_SENTENCE_ENDS = frozenset(".!?:;。！？…")


@dataclass(frozen=True, slots=True)
class _Edit:
    """Base tokens p_from..p_to were replaced by head tokens q_from..q_to."""

    p_from: int
    p_to: int
    q_from: int
    q_to: int


def make_readable(words: WordAlignment) -> None:
    """Give up or shift equalities that only confuse, in place; both texts still come out exactly."""
    set_opposite(words)
    base, head = words.base, words.head
    base_offsets = list(accumulate(map(len, base.tokens), initial=0))
    head_offsets = list(accumulate(map(len, head.tokens), initial=0))

    def size(edit: _Edit) -> int:
        return max(
            base_offsets[edit.p_to] - base_offsets[edit.p_from], head_offsets[edit.q_to] - head_offsets[edit.q_from]
        )

    for i, j in words.lines:
        edits = _edits_of(base, head, i, j)
        if not edits:
            continue
        merged: list[_Edit] = []
        for edit in edits:
            merged.append(edit)
            while len(merged) > 1:
                before, after = merged[-2:]
                equal = base_offsets[after.p_from] - base_offsets[before.p_to]
                if equal > size(before) or equal > size(after):
                    break
                _separate(base, head, before.p_to, after.p_from)
                merged[-2:] = [_Edit(before.p_from, after.p_to, before.q_from, after.q_to)]
        if not _separate_rewritten(base, head, i, j):
            for edit in merged:
                _slide(base, head, edit, (base.starts[i], base.starts[i + 1], head.starts[j], head.starts[j + 1]))


def _edits_of(base: Side, head: Side, i: int, j: int) -> list[_Edit]:
    """The edits that turn one line into the other; none when words of it live on in a third line."""
    p, p_end, q, q_end = base.starts[i], base.starts[i + 1], head.starts[j], head.starts[j + 1]
    if _is_split(base.partner[p:p_end], q, q_end) or _is_split(head.partner[q:q_end], p, p_end):
        return []
    edits: list[_Edit] = []
    while p < p_end or q < q_end:
        p_from, q_from = p, q
        while p < p_end and base.partner[p] < 0:
            p += 1
        while q < q_end and head.partner[q] < 0:
            q += 1
        if p > p_from or q > q_from:
            edits.append(_Edit(p_from, p, q_from, q))
        while p < p_end and q < q_end and base.partner[p] == q:
            p, q = p + 1, q + 1
    return edits


def _is_split(partners: list[int], start: int, stop: int) -> bool:
    """True when some of these partners, which rise, are outside of the other line's tokens."""
    rising = [partner for partner in partners if partner >= 0]
    return bool(rising) and (rising[0] < start or rising[-1] >= stop)


def _separate(base: Side, head: Side, p_from: int, p_to: int) -> None:
    """Make equal base tokens, and their partners, count as changed."""
    for p in range(p_from, p_to):
        if base.partner[p] >= 0:
            head.partner[base.partner[p]] = -1
            base.partner[p] = -1


def _separate_rewritten(base: Side, head: Side, i: int, j: int) -> bool:
    """Show a line as replaced, but for its two ends, when hardly anything in it survived; True when so."""
    p, p_end, q, q_end = base.starts[i], base.starts[i + 1], head.starts[j], head.starts[j + 1]
    kept = sum(base.letters[at] for at in range(p, p_end) if base.partner[at] >= 0)
    sizes = sum(base.letters[p:p_end]), sum(head.letters[q:q_end])
    if kept >= _SHARE_OF_LONGER * max(sizes) or kept >= _SHARE_OF_SHORTER * min(sizes):
        return False
    while p < p_end and base.partner[p] == q:
        p, q = p + 1, q + 1
    while p < p_end and base.partner[p_end - 1] == q_end - 1:
        p_end, q_end = p_end - 1, q_end - 1
    _separate(base, head, p, p_end)
    return True


def _slide(base: Side, head: Side, edit: _Edit, line: tuple[int, int, int, int]) -> None:
    """Shift a pure addition or removal to where words and sentences begin: "A. [B. ]C." and not "A[. B]. C."."""
    if edit.p_from == edit.p_to:
        side, other, start, stop, first, last = head, base, edit.q_from, edit.q_to, line[2], line[3]
    elif edit.q_from == edit.q_to:
        side, other, start, stop, first, last = base, head, edit.p_from, edit.p_to, line[0], line[1]
    else:
        return
    tokens, partner = side.tokens, side.partner
    up = down = 0
    while up < _LONGEST_SLIDE and start - up > first and partner[start - up - 1] >= 0:
        if tokens[start - up - 1] != tokens[stop - up - 1]:
            break
        up += 1
    while down < _LONGEST_SLIDE and stop + down < last and partner[stop + down] >= 0:
        if tokens[start + down] != tokens[stop + down]:
            break
        down += 1
    shift = max(range(-up, down + 1), key=lambda s: (_edge_score(tokens, start + s) + _edge_score(tokens, stop + s), s))
    for step in range(shift):
        _hand_over(side, other, stop + step, start + step)
    for step in range(-shift):
        _hand_over(side, other, start - step - 1, stop - step - 1)


def _hand_over(side: Side, other: Side, giver: int, taker: int) -> None:
    """Pair the giver's partner with the equal token `taker` instead."""
    partner = side.partner[giver]
    side.partner[taker], other.partner[partner], side.partner[giver] = partner, taker, -1


def _edge_score(tokens: list[str], at: int) -> int:
    """How natural it is for an edit to begin or end before this token."""
    if at == 0 or at == len(tokens) or tokens[at - 1] == "\n":
        return 6
    if tokens[at - 1].isspace():
        return 5 if at > 1 and tokens[at - 2] in _SENTENCE_ENDS else 4
    if tokens[at].isspace():
        return 3
    return 2 if not (tokens[at - 1][0].isalnum() and tokens[at][0].isalnum()) else 0
