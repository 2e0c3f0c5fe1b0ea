"""Imports a file of cases into a suite: all of it in one revision, or nothing with every problem named."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from django.db import transaction

from agentversions.core.evaluations.cases import BadCase, Case
from agentversions.core.evaluations.files import BadFile, read_cases
from agentversions.models import EvaluationSuite, SuiteRevision, User

from .errors import CasesRefused
from .suites import Changed, change_cases

MOST_PROBLEMS = 50


@dataclass(frozen=True)
class Imported:
    """What an import did, and the cases that were left out."""

    revision: SuiteRevision
    changed: Changed
    problems: tuple[str, ...]


@transaction.atomic
def import_cases(
    *,
    suite: EvaluationSuite,
    name: str,
    stream: BinaryIO,
    is_whole: bool = False,
    skips_bad: bool = False,
    seen: int | None = None,
    actor: User,
) -> Imported:
    """Put the cases of a file in, read as a stream; `is_whole`: the suite holds nothing else afterwards.

    A case that cannot be kept refuses the file, unless `skips_bad`. Raises CasesRefused with the problems, and what
    `change_cases` raises.
    """
    problems: list[str] = []
    refused = 0

    def good() -> Iterator[Case]:
        nonlocal refused
        for found in read_cases(name, stream):
            if found.case is not None:
                yield found.case
            else:
                refused += 1
                if len(problems) < MOST_PROBLEMS:
                    problems.append(found.problem)

    try:
        revision, changed = change_cases(suite=suite, put=good(), is_whole=is_whole, seen=seen, actor=actor)
    except (BadFile, BadCase) as error:
        raise CasesRefused(str(error), tuple(problems)) from error
    if refused and not skips_bad:
        count = "1 case" if refused == 1 else f"{refused:,} cases"
        raise CasesRefused(f"{count} of the file cannot be kept, so nothing was imported.", tuple(problems))
    return Imported(revision, changed, tuple(problems))
