"""One comparison of two texts, step by step: lines, moved blocks, words in what is left."""

from collections.abc import Sequence

from .alignment import Budget
from .text_cleanup import make_readable
from .text_lines import align_lines, gaps, pair_equal_edges, slide_to_paragraphs
from .text_moves import Move, find_moves
from .text_rows import Row, RowSource, Run, re_spaced_runs, runs_of
from .text_tokens import count_words
from .text_words import align_words

# Longer gaps are compared as whole lines: so many letters, where each line costs as much as some letters more.
_LARGEST_GAP = 600_000
_LINE_COST = 20


class Comparison:
    """Two texts' lines, and what is known so far about which of them belong together.

    `fewest_*` count words before anything is given up for easier reading, with moved lines as removed and added.
    """

    def __init__(self, base: Sequence[str], head: Sequence[str], budget: Budget) -> None:
        self.base, self.head, self.budget = base, head, budget
        self.base_runs: dict[int, tuple[Run, ...]] = {}
        self.head_runs: dict[int, tuple[Run, ...]] = {}
        self.words_added = self.words_removed = self.fewest_added = self.fewest_removed = 0
        pairs, self.has_every_line = align_lines(base, head)
        self.pairs = pair_equal_edges(pairs, base, head)
        self.moves = self._find_moves()
        self.base_moves = {i: number for number, move in enumerate(self.moves, 1) for i in move.base_lines}
        self.head_moves = {j: number for number, move in enumerate(self.moves, 1) for j in move.head_lines}
        self._compare_re_spaced()
        self._compare_gaps()

    def rows(self) -> tuple[Row, ...]:
        """The side-by-side rows, with added and removed blocks where a reader expects them."""
        fixed_base = self.base_moves.keys() | self.base_runs.keys()
        fixed_head = self.head_moves.keys() | self.head_runs.keys()
        pairs = slide_to_paragraphs(self.pairs, self.base, self.head, fixed_base, fixed_head)
        return RowSource(self.base, self.head, self.base_runs, self.head_runs, self.base_moves, self.head_moves).rows(
            pairs
        )

    def _find_moves(self) -> Sequence[Move]:
        unpaired_base = set(range(len(self.base))).difference(i for i, _ in self.pairs)
        unpaired_head = set(range(len(self.head))).difference(j for _, j in self.pairs)
        return find_moves(self.base, self.head, sorted(unpaired_base), sorted(unpaired_head))

    def _compare_re_spaced(self) -> None:
        """Lines that are equal but for white space, in place or moved."""
        moved = [pair for move in self.moves for pair in zip(move.base_lines, move.head_lines, strict=True)]
        for i, j in [*self.pairs, *moved]:
            if self.base[i] != self.head[j] or i in self.base_moves:
                self.base_runs[i], self.head_runs[j] = re_spaced_runs(self.base[i], self.head[j])
        self.fewest_removed += count_words("".join(self.base[i] for i in self.base_moves))
        self.fewest_added += count_words("".join(self.head[j] for j in self.head_moves))

    def _compare_gaps(self) -> None:
        """Words between paired lines, short gaps first, so that one huge rewritten part cannot use up all the time."""
        two_sided: list[tuple[int, list[int], list[int]]] = []
        whole_base: list[int] = []
        whole_head: list[int] = []
        for base_from, base_to, head_from, head_to in gaps(self.pairs, len(self.base), len(self.head)):
            base_at = [i for i in range(base_from, base_to) if i not in self.base_moves]
            head_at = [j for j in range(head_from, head_to) if j not in self.head_moves]
            if base_at and head_at:
                lines = [*(self.base[i] for i in base_at), *(self.head[j] for j in head_at)]
                two_sided.append((sum(map(len, lines)) + _LINE_COST * len(lines), base_at, head_at))
            else:
                whole_base += base_at
                whole_head += head_at
        for cost, base_at, head_at in sorted(two_sided):
            if cost > _LARGEST_GAP or self.budget.out_of_time():
                self.budget.is_spent = True
                whole_base += base_at
                whole_head += head_at
            else:
                self._compare_words(base_at, head_at)
        removed = count_words("".join([self.base[i] for i in whole_base]))
        added = count_words("".join([self.head[j] for j in whole_head]))
        self.words_removed += removed
        self.fewest_removed += removed
        self.words_added += added
        self.fewest_added += added
        self.pairs.sort()

    def _compare_words(self, base_at: Sequence[int], head_at: Sequence[int]) -> None:
        """Compare lines word by word; they become rows opposite each other where they share enough."""
        words = align_words([self.base[i] for i in base_at], [self.head[j] for j in head_at], budget=self.budget)
        self.fewest_removed += words.base.changed_words()
        self.fewest_added += words.head.changed_words()
        make_readable(words)
        self.words_removed += words.base.changed_words()
        self.words_added += words.head.changed_words()
        equal = [(x, y) for x, y in words.lines if words.base.lines[x] == words.head.lines[y]]
        for at in set(range(len(base_at))).difference(x for x, _ in equal):
            if words.base.has_partners(at):
                self.base_runs[base_at[at]] = runs_of(words.base, at, "removed")
        for at in set(range(len(head_at))).difference(y for _, y in equal):
            if words.head.has_partners(at):
                self.head_runs[head_at[at]] = runs_of(words.head, at, "added")
        self.pairs += [(base_at[x], head_at[y]) for x, y in words.lines]
