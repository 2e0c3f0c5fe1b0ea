"""How fast two texts are compared: `python -m bench.compare`; ends with 1 when a bar is missed."""

import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from agentversions.core.text_diff import diff_text

from .calibration import Result, bare_line_diff, measure, print_table

_LETTERS = "aaabcdeeeeefghiiijklmnnnooopqrrrsssttttuuvwxyz"


@dataclass(frozen=True)
class Case:
    """Two texts, and the time their comparison may take in ms."""

    name: str
    base: str
    head: str
    bar: float
    repeats: int = 9


def cases() -> Iterator[Case]:
    """The texts of the bars, then inputs made to be as bad as possible; the same on every machine."""
    prompt = _prompt(random.Random(1), 100_000, (4, 24))
    essay = _prompt(random.Random(2), 100_000, (60, 200))
    big = _prompt(random.Random(3), 690_000, (4, 24))
    rng = random.Random(4)
    yield Case("100 kB, 3 edits", prompt, _with_edited_lines(rng, prompt, 3), 15, 25)
    yield Case("100 kB of long paragraphs, 3 edits", essay, _with_edited_lines(rng, essay, 3), 15, 25)
    yield Case("100 kB, 10 % of the words changed", prompt, _with_other_words(rng, prompt, 0.1), 200)
    yield Case("100 kB of long paragraphs, 10 % of the words changed", essay, _with_other_words(rng, essay, 0.1), 200)
    yield Case("100 kB completely rewritten", prompt, _prompt(random.Random(5), 100_000, (4, 24)), 400)
    yield Case(
        "100 kB of long paragraphs completely rewritten", essay, _prompt(random.Random(6), 100_000, (60, 200)), 400
    )
    yield Case("690 kB, 900 changed lines", big, _with_edited_lines(rng, big, 900), 1500, 5)
    yield Case("690 kB completely rewritten", big, _prompt(random.Random(7), 690_000, (4, 24)), 2000, 3)
    yield Case("100,000 equal lines, other ones", "yes\n" * 100_000, "no\n" * 100_000, 2000, 3)
    yield Case("100,000 equal lines, every second one new", "yes\n" * 100_000, "yes\nno\n" * 100_000, 2000, 3)
    yield Case("100,000 blank lines, text between", "\n" * 100_000, "\nyes\n" * 50_000, 2000, 3)
    line, other_line = big.replace("\n", " "), _with_other_words(rng, big, 0.1).replace("\n", " ")
    yield Case("one line of 690 kB, 10 % of the words changed", line, other_line, 2000, 3)
    yield Case("one line of 690 kB, every letter a word", "a " * 345_000, "b a " * 172_500, 2000, 3)
    shuffled = big.splitlines(keepends=True)
    rng.shuffle(shuffled)
    yield Case("690 kB, all lines shuffled", big, "".join(shuffled), 2000, 3)
    words = [f"{rng.randrange(1000)}\n" for _ in range(100_000)]
    yield Case("100,000 short lines shuffled", "".join(words), "".join(rng.sample(words, len(words))), 2000, 3)
    yield Case("690 kB, new line ends", big, big.replace("\n", "\r\n"), 2000, 3)


def _vocabulary(rng: random.Random) -> list[str]:
    return ["".join(rng.choices(_LETTERS, k=rng.randint(2, 9))) for _ in range(4000)]


def _prompt(rng: random.Random, size: int, words_per_line: tuple[int, int]) -> str:
    """Text like a prompt's: common and rare words, list items, headings and blank lines."""
    words = _vocabulary(random.Random(0))
    weights = [1 / (rank + 3) for rank in range(len(words))]
    lines: list[str] = []
    length = 0
    while length < size:
        kind = rng.random()
        sentence = " ".join(rng.choices(words, weights, k=rng.randint(*words_per_line))).capitalize() + "."
        line = "\n" if kind < 0.12 else f"## {sentence}\n" if kind < 0.16 else f"- {sentence}\n"
        lines.append(line)
        length += len(line)
    return "".join(lines)[:size]


def _with_edited_lines(rng: random.Random, text: str, count: int) -> str:
    """So many lines with one word replaced."""
    lines = text.split("\n")
    with_text = [at for at, line in enumerate(lines) if " " in line]
    for at in rng.sample(with_text, count):
        words = lines[at].split(" ")
        words[rng.randrange(1, len(words))] = f"changed{at}"
        lines[at] = " ".join(words)
    return "\n".join(lines)


def _with_other_words(rng: random.Random, text: str, share: float) -> str:
    """This share of the words replaced, wherever they stand."""
    words = _vocabulary(random.Random(0))
    return "\n".join(
        " ".join(rng.choice(words) if word and rng.random() < share else word for word in line.split(" "))
        for line in text.split("\n")
    )


def main() -> int:
    """Measure every case beside a bare line difference of the first two texts."""
    results: list[Result] = []
    for case in cases():
        if not results:
            calibration = measure(bare_line_diff(case.base, case.head), repeats=9)
            results.append(Result("calibration: difflib on the lines of 100 kB, 3 edits", calibration))
        timing = measure(lambda case=case: diff_text(case.base, case.head), repeats=case.repeats)  # type: ignore[misc]
        results.append(Result(case.name, timing, case.bar))
    return 0 if print_table(results) else 1


if __name__ == "__main__":
    sys.exit(main())
