"""Who wrote which line of a version's system prompt: walks back through the prompts to the version that brought it."""

from dataclasses import dataclass
from itertools import groupby

from django.db.models import JSONField
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from agentversions.core.blame import BlameLine, blame
from agentversions.models import AgentVersion, Configuration

VERSIONS_LOOKED_AT = 1_000
PROMPTS_LOOKED_AT = 300
CHARACTERS_LOOKED_AT = 20_000_000
CHUNK = 25


@dataclass(frozen=True)
class BlamedPart:
    """Neighbouring lines that came with one version; `is_older` when they may have come with a version before it."""

    version: AgentVersion
    lines: tuple[BlameLine, ...]
    is_older: bool


@dataclass(frozen=True)
class BlamedPrompt:
    """A prompt's lines by the version that introduced them; `looked_back_to` is set when the search ended early."""

    parts: tuple[BlamedPart, ...]
    looked_back_to: int | None


def blame_prompt(version: AgentVersion) -> BlamedPrompt:
    """Each line of the version's system prompt with the version that introduced it.

    Only versions whose prompt differs from the one before count. The search is bounded; where it ends before V1, the
    lines of the oldest prompt it saw are marked as that old or older.
    """
    prompts, is_complete = _prompts_back_from(version)
    lines = blame(prompts)
    oldest = prompts[0][0]
    authors = version.agent.versions.filter(number__in={line.version for line in lines}).without_body()
    found = {author.number: author for author in authors}
    parts = (
        BlamedPart(found[number], tuple(part), is_older=not is_complete and number == oldest)
        for number, part in groupby(lines, key=lambda line: line.version)
    )
    return BlamedPrompt(tuple(parts), None if is_complete else oldest)


def _prompts_back_from(version: AgentVersion) -> tuple[list[tuple[int, str]], bool]:
    """(number of the version that brought it, prompt) from old to new, each different from the one before; and whether
    the search came back to V1."""
    earlier = version.agent.versions.filter(number__lte=version.number).newest_first()
    rows = list(earlier.values_list("number", "configuration_id")[:VERSIONS_LOOKED_AT])
    steps = [(numbers[-1], digest) for digest, numbers in _runs(rows)]
    found: list[tuple[int, str]] = []
    characters = 0
    for start in range(0, len(steps), CHUNK):
        chunk = steps[start : start + CHUNK]
        texts = _prompts([digest for _, digest in chunk])
        for number, digest in chunk:
            if len(found) == PROMPTS_LOOKED_AT or characters > CHARACTERS_LOOKED_AT:
                return found[::-1], False
            if found and found[-1][1] == texts[digest]:
                found[-1] = (number, texts[digest])
            else:
                found.append((number, texts[digest]))
                characters += len(texts[digest])
    return found[::-1], rows[-1][0] == 1


def _runs(rows: list[tuple[int, str]]) -> list[tuple[str, list[int]]]:
    """Neighbouring versions with the same configuration together."""
    return [(digest, [number for number, _ in run]) for digest, run in groupby(rows, key=lambda row: row[1])]


def _prompts(digests: list[str]) -> dict[str, str]:
    """The system prompts of these configurations, taken out of the stored text by the database."""
    prompt = KeyTextTransform("system_prompt", Cast("body", JSONField()))
    rows = Configuration.objects.filter(digest__in=digests).annotate(prompt=prompt).values_list("digest", "prompt")
    return {digest: text or "" for digest, text in rows}
