"""Cases from files and into files, as streams: JSON, NDJSON, CSV, YAML. A file may be larger than the memory.

CSV columns: name, question, golden, contains, not_contains, regex, judged, tool, tags, weight, must_pass, note, and
turns, fixtures, expect, variables as JSON. `text` and `category` (labelled questions) stand for question and golden.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from agentversions.core.canonical_json import MAX_BYTES, NotCanonicalisable, parse
from agentversions.core.yaml_text import read_yaml, write_yaml

from .cases import BadCase, Case, case_document, read_case
from .foreign import own_shape

FORMATS = ("json", "csv", "yaml")
MOST_FILE = 256 * 1024 * 1024
MOST_CASE = 2_000_000
"""Characters of one case in a file."""
CHUNK = 1 << 16
QUESTIONS = ("question", "text", "input", "prompt", "caller")
GOLDEN = ("golden", "answer", "expected", "category", "label", "intent")
SIMPLE = {"contains": "text", "not_contains": "text", "regex": "pattern", "judged": "criterion", "tool_called": "tool"}
JSON_COLUMNS = ("turns", "fixtures", "expect", "variables")
COLUMNS = ("name", "tags", "weight", "must_pass", "note", *JSON_COLUMNS)


class BadFile(ValueError):
    """A file that cannot be read as a whole; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Found:
    """A case of a file, or why there is none at this place."""

    case: Case | None
    problem: str = ""


class _Limited(io.RawIOBase):
    """A stream that ends with BadFile after so many bytes, however long the file says that it is."""

    def __init__(self, stream: BinaryIO, limit: int) -> None:
        self.stream, self.limit, self.left = stream, limit, limit

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: "memoryview[int]") -> int:  # type: ignore[override]
        """The next bytes. Raises BadFile beyond the limit."""
        data = self.stream.read(len(buffer))
        self.left -= len(data)
        if self.left < 0:
            raise BadFile(f"The file has more than {self.limit / 1e6:,.0f} MB. Split it.")
        buffer[: len(data)] = data
        return len(data)


def read_cases(name: str, stream: BinaryIO, *, limit: int = MOST_FILE) -> Iterator[Found]:
    """The cases of a file by its name, one after the other; what cannot be kept is named. Raises BadFile, also for one
    of more than `limit` bytes."""
    documents = _documents(name.lower(), cast(BinaryIO, io.BufferedReader(_Limited(stream, limit), CHUNK)))
    number = 0
    while True:
        try:
            document = next(documents, None)
        except NotCanonicalisable as error:
            raise BadFile(f"{name}: {error}") from error
        except UnicodeDecodeError as error:
            raise BadFile(f"{name} is not UTF-8 text. Save it as UTF-8.") from error
        except csv.Error as error:
            raise BadFile(f"{name} is no CSV: {error}.") from error
        if document is None:
            return
        try:
            shaped = list(own_shape(document))
        except (TypeError, AttributeError, KeyError, ValueError):
            shaped = [None]
        for one in shaped:
            number += 1
            yield _found(one, f"Case {number}")


def _found(document: Any, place: str) -> Found:
    if isinstance(document, dict) and isinstance(problem := document.get("_problem"), str):
        return Found(None, f"{place}: {problem}")
    try:
        return Found(read_case(document, place))
    except BadCase as error:
        return Found(None, str(error))


def _documents(name: str, stream: BinaryIO) -> Iterator[Any]:
    if name.endswith(".csv"):
        return _csv(stream)
    if name.endswith((".yaml", ".yml")):
        return _yaml(stream)
    if name.endswith((".ndjson", ".jsonl")):
        return _lines(stream)
    if name.endswith(".json"):
        return _json(stream)
    raise BadFile("Choose a file whose name ends with .json, .ndjson, .csv or .yaml.")


def _lines(stream: BinaryIO) -> Iterator[Any]:
    while line := stream.readline(MOST_CASE + 1):
        if len(line) > MOST_CASE:
            raise BadFile("One line is longer than 2 MB. Is every case on a line of its own?")
        if line.strip():
            yield parse(line)


def _json(stream: BinaryIO) -> Iterator[Any]:
    """An array is read item by item; anything else (`{"cases": […]}`, one case) whole."""
    text = io.TextIOWrapper(stream, encoding="utf-8-sig")
    try:
        buffer = text.read(CHUNK).lstrip()
        if not buffer.startswith("["):
            buffer += text.read(MOST_CASE + 1)
            yield parse(buffer)
            return
        yield from _items(buffer[1:], text)
    finally:
        if not stream.closed:
            text.detach()


def _items(buffer: str, text: io.TextIOWrapper) -> Iterator[Any]:
    decoder, is_first = json.JSONDecoder(), True
    while True:
        buffer = buffer.lstrip()
        if not is_first and buffer.startswith(","):
            buffer = buffer[1:].lstrip()
        if buffer.startswith("]"):
            return
        try:
            _, end = decoder.raw_decode(buffer)
            # A number or word at the buffer's end may go on in the next chunk.
            is_whole = end < len(buffer)
        except (ValueError, RecursionError):
            is_whole = False
        if not is_whole:
            more = text.read(CHUNK)
            if not more:
                parse(buffer or "[")
                raise BadFile("The JSON ends in the middle. Is the file complete?")
            if len(buffer) > MOST_CASE:
                parse(buffer[:200])
                raise BadFile("One case is longer than 2 MB, or the JSON is broken there. Shorten it.")
            buffer += more
            continue
        yield parse(buffer[:end])
        buffer, is_first = buffer[end:], False


def _yaml(stream: BinaryIO) -> Iterator[Any]:
    """Documents between `---`, each a case, a list of cases or `cases:`; one at a time, within its reader's limits."""
    text = io.TextIOWrapper(stream, encoding="utf-8-sig")
    try:
        lines: list[str] = []
        size = 0
        for line in _text_lines(text):
            if line.rstrip() == "---":
                yield from _yaml_document(lines)
                lines, size = [], 0
                continue
            size += len(line)
            if size > MAX_BYTES:
                raise BadFile(
                    f"More than {MAX_BYTES / 1e6:.0f} MB stand between two lines “---”. Put one before each case."
                )
            lines.append(line)
        yield from _yaml_document(lines)
    finally:
        if not stream.closed:
            text.detach()


def _text_lines(text: io.TextIOWrapper) -> Iterator[str]:
    """The lines of a text, none longer than a case may be."""
    while line := text.readline(MOST_CASE + 1):
        if len(line) > MOST_CASE:
            raise BadFile("One line is longer than 2 MB. Is this the right kind of file?")
        yield line


def _yaml_document(lines: list[str]) -> Iterator[Any]:
    if "".join(lines).strip():
        value = read_yaml("".join(lines))
        yield from value if isinstance(value, list) else [value]


def _csv(stream: BinaryIO) -> Iterator[Any]:
    csv.field_size_limit(MOST_CASE)
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    try:
        for number, row in enumerate(csv.DictReader(_text_lines(text)), 1):
            yield _row({(key or "").strip().lower(): (value or "") for key, value in row.items() if key}, number)
    finally:
        if not stream.closed:
            text.detach()


def _row(row: dict[str, str], number: int) -> dict[str, Any]:
    document: dict[str, Any] = {"name": row.get("name") or f"Row {number}"}
    try:
        for column in JSON_COLUMNS:
            if row.get(column, "").strip():
                document[column] = parse(row[column])
        if row.get("weight", "").strip():
            document["weight"] = float(row["weight"])
    except (NotCanonicalisable, ValueError) as error:
        return {**document, "_problem": f"a column cannot be read: {error}"}
    question = next((row[column] for column in QUESTIONS if row.get(column)), "")
    if question:
        document.setdefault("turns", [{"role": "user", "text": question}])
    expect = list(document.get("expect", []))
    golden = next((row[column] for column in GOLDEN if row.get(column)), "")
    if golden:
        expect.append({"kind": "golden", "text": golden})
    expect += [
        {"kind": kind, field: row[column]} for kind, field in SIMPLE.items() for column in (kind,) if row.get(column)
    ]
    document["expect"] = expect
    if row.get("tags"):
        document["tags"] = row["tags"].replace(",", " ").split()
    document["must_pass"] = row.get("must_pass", "").strip().lower() in ("1", "true", "yes", "x")
    document["note"] = row.get("note", "")
    return document


def write_cases(cases: Iterable[Case], form: str) -> Iterator[str]:
    """The text of a file in pieces; `read_cases` reads exactly these cases back. Form: json, csv or yaml."""
    if form == "csv":
        yield from _write_csv(cases)
    elif form == "yaml":
        for case in cases:
            yield f"---\n{write_yaml(case_document(case))}"
    else:
        start = "[\n"
        for case in cases:
            yield start + json.dumps(case_document(case), ensure_ascii=False)
            start = ",\n"
        yield "[]\n" if start == "[\n" else "\n]\n"


def _write_csv(cases: Iterable[Case]) -> Iterator[str]:
    line = io.StringIO()
    writer = csv.writer(line, lineterminator="\r\n")

    def flush() -> str:
        text = line.getvalue()
        line.seek(0)
        line.truncate()
        return text

    writer.writerow(COLUMNS)
    yield flush()
    for case in cases:
        document = case_document(case)
        cells = [document.get(column, "") for column in ("name", "tags", "weight", "must_pass", "note")]
        cells[1] = " ".join(cells[1])
        parts = [json.dumps(document[key], ensure_ascii=False) if key in document else "" for key in JSON_COLUMNS]
        writer.writerow([*cells, *parts])
        yield flush()
