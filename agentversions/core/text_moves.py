"""Paragraphs that stand elsewhere now: lines removed in one place and added in another."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_FEWEST_LETTERS = 20
_FEWEST_WORDS = 6


@dataclass(frozen=True, slots=True)
class Move:
    """`count` lines that stood at `base_from` and stand at `head_from` now (both counted from 0)."""

    base_from: int
    head_from: int
    count: int

    @property
    def base_lines(self) -> range:
        """The lines in the base."""
        return range(self.base_from, self.base_from + self.count)

    @property
    def head_lines(self) -> range:
        """The same lines in the head."""
        return range(self.head_from, self.head_from + self.count)


def find_moves(base: Sequence[str], head: Sequence[str], removed: Iterable[int], added: Iterable[int]) -> list[Move]:
    """Blocks among the removed lines that are also among the added lines, in the base's order.

    A line starts a block when it occurs once among the removed and once among the added ones; neighbours that agree
    but for white space join it. Blocks with little text (a bracket, "yes:") are no moves: they are equal by chance.
    """
    left = {i: " ".join(base[i].split()) for i in removed}
    right = {j: " ".join(head[j].split()) for j in added}
    head_once = _once(right)
    moves: list[Move] = []
    used_base: set[int] = set()
    used_head: set[int] = set()
    for text, i in _once(left).items():
        if text not in head_once or i in used_base or head_once[text] in used_head:
            continue
        move = _grow(left, right, i, head_once[text], used_base, used_head)
        if _is_substantial([left[k] for k in move.base_lines]):
            moves.append(move)
            used_base.update(move.base_lines)
            used_head.update(move.head_lines)
    return sorted(moves, key=lambda move: move.base_from)


def _grow(
    left: dict[int, str], right: dict[int, str], i: int, j: int, used_base: set[int], used_head: set[int]
) -> Move:
    def agree(x: int, y: int) -> bool:
        return x in left and left[x] == right.get(y) and x not in used_base and y not in used_head

    before = after = 0
    while agree(i - before - 1, j - before - 1):
        before += 1
    while agree(i + after + 1, j + after + 1):
        after += 1
    return Move(i - before, j - before, before + after + 1)


def _once(lines: dict[int, str]) -> dict[str, int]:
    """Lines with text that occur exactly once, with their number."""
    first: dict[str, int] = {}
    repeated = {""}
    for at, line in lines.items():
        if first.setdefault(line, at) != at:
            repeated.add(line)
    return {line: at for line, at in first.items() if line not in repeated}


def _is_substantial(lines: Sequence[str]) -> bool:
    text = " ".join(lines)
    return sum(map(str.isalnum, text)) >= _FEWEST_LETTERS or len(text.split()) >= _FEWEST_WORDS
