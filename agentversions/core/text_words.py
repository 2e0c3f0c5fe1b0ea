"""Word by word inside changed lines: which lines belong together, and what is the same in them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

from .alignment import Budget, Pair, align
from .text_tokens import tokenise, word_letters

# Two lines are one line that changed when so much of their text is the same (of the longer, or of the shorter one).
_SHARE_OF_LONGER = 0.3
_SHARE_OF_SHORTER = 0.6
# So many equal words in a row are no accident, even where a line was split or wrapped.
_LONG_RUN = 4
_ANCHOR_LENGTHS = (8, 3)


@dataclass
class Side:
    """The tokens of some lines; `partner[t]` is the equal token's number on the other side, or -1."""

    lines: Sequence[str]
    tokens: list[str] = field(default_factory=list)
    starts: list[int] = field(default_factory=lambda: [0])
    line_of: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        for at, line in enumerate(self.lines):
            tokens = tokenise(line)
            self.tokens.extend(tokens)
            self.line_of.extend([at] * len(tokens))
            self.starts.append(len(self.tokens))
        self.partner = [-1] * len(self.tokens)
        kinds = set(self.tokens)
        letters = {token: word_letters(token) for token in kinds}
        self.letters = [letters[token] for token in self.tokens]
        spaces = {token for token in kinds if token.isspace()}
        self.is_space = [token in spaces for token in self.tokens]

    def is_blank(self, line: int) -> bool:
        """True for a line without anything but white space."""
        return not self.lines[line].strip()

    def changed_words(self) -> int:
        """Words without a partner."""
        return sum(1 for letters, partner in zip(self.letters, self.partner, strict=True) if letters and partner < 0)

    def has_partners(self, line: int) -> bool:
        """True when something in the line is the same on the other side."""
        return any(partner >= 0 for partner in self.partner[self.starts[line] : self.starts[line + 1]])

    def line_letters(self) -> list[int]:
        """Letters in words, per line."""
        totals = list(accumulate(self.letters, initial=0))
        return [totals[stop] - totals[start] for start, stop in pairwise(self.starts)]


@dataclass
class WordAlignment:
    """Both sides with their partners set, and the lines (numbered within the sides) that belong together.

    `runs` are the equal tokens, those that follow each other on both sides together.
    """

    base: Side
    head: Side
    runs: list[list[Pair]]
    lines: list[Pair]


def align_words(base_lines: Sequence[str], head_lines: Sequence[str], *, budget: Budget) -> WordAlignment:
    """The smallest difference in words between some lines and those that replace them."""
    base, head = Side(base_lines), Side(head_lines)
    base_at = [at for at, is_space in enumerate(base.is_space) if not is_space]
    head_at = [at for at, is_space in enumerate(head.is_space) if not is_space]
    found = align(
        [base.tokens[at] for at in base_at],
        [head.tokens[at] for at in head_at],
        budget=budget,
        anchor_lengths=_ANCHOR_LENGTHS,
    )
    runs: list[list[Pair]] = []
    last = (-1, -1)
    for x, y in found:
        if (x, y) != (last[0] + 1, last[1] + 1) or not runs:
            runs.append([])
        last = x, y
        p, q = base_at[x], head_at[y]
        runs[-1].append((p, q))
        base.partner[p], head.partner[q] = q, p
    return WordAlignment(base, head, runs, _pair_lines(runs, base, head))


def is_long(run: Sequence[Pair], base: Side) -> bool:
    """True for so many equal words in a row that they are no accident."""
    return sum(1 for p, _ in run if base.letters[p]) >= _LONG_RUN


def _pair_lines(runs: Sequence[Sequence[Pair]], base: Side, head: Side) -> list[Pair]:
    """The lines that share most text, chosen so that no two pairs cross (weighted chain, in one pass)."""
    if len(base.lines) == len(head.lines) == 1:
        return [(0, 0)]
    shared: dict[Pair, int] = {}
    certain: set[Pair] = set()
    for run in runs:
        (first_p, first_q), (last_p, last_q) = run[0], run[-1]
        if base.line_of[first_p] == base.line_of[last_p] and head.line_of[first_q] == head.line_of[last_q]:
            parts = [run]
        else:
            parts = [[pair] for pair in run]
        run_is_long = is_long(run, base)
        for part in parts:
            link = base.line_of[part[0][0]], head.line_of[part[0][1]]
            shared[link] = shared.get(link, 0) + sum([base.letters[p] for p, _ in part])
            if run_is_long:
                certain.add(link)
    base_letters, head_letters = base.line_letters(), head.line_letters()
    links = [
        (i, j)
        for (i, j), weight in shared.items()
        if weight and ((i, j) in certain or _is_same_line(weight, base_letters[i], head_letters[j]))
    ]
    # The links rise on both sides, so the links that one excludes are the run right before it with its i or its j.
    best = [0]
    compatible: list[int] = []
    i_since = j_since = 0
    for at, (i, j) in enumerate(links):
        before = links[at - 1] if at else (-1, -1)
        i_since = i_since if before[0] == i else at
        j_since = j_since if before[1] == j else at
        compatible.append(min(i_since, j_since))
        best.append(max(best[at], best[compatible[at]] + shared[i, j]))
    chosen: list[Pair] = []
    at = len(links)
    while at:
        if best[at] == best[at - 1]:
            at -= 1
        else:
            chosen.append(links[at - 1])
            at = compatible[at - 1]
    chosen.reverse()
    return chosen


def _is_same_line(shared: int, base: int, head: int) -> bool:
    shorter, longer = min(base, head), max(base, head)
    return shared >= _SHARE_OF_LONGER * longer or (
        shared >= _SHARE_OF_SHORTER * shorter and shared >= _SHARE_OF_LONGER / 2 * longer
    )
