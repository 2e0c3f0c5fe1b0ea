"""Numbers from a CSV file: first a dry run that says line by line what would happen, then all of it or nothing."""

import csv
import io
from collections import Counter
from dataclasses import dataclass

from django.db import transaction

from agentversions.models import User
from agentversions.services.audit import record
from channels.core.routes import Follow, RoutePlan, Target, single
from channels.models import Channel, Route
from channels.models.channels import ChannelKind

from .channels import read_address, read_label, read_time_zone
from .errors import ChannelRefused, ImportRefused, RouteRefused
from .routes import store_route

MOST_LINES = 200_000
FIRST_LINE = "The first line names the columns: number, label, time_zone, agent, answers."
COLUMNS = {
    "number": {"number", "phone", "phone number", "phone_number", "address", "did"},
    "label": {"label", "name", "description"},
    "time_zone": {"time_zone", "time zone", "timezone", "tz"},
    "agent": {"agent", "agent slug", "agent_slug"},
    "answers": {"answers", "version", "route"},
}


@dataclass(frozen=True)
class NewChannel:
    """A line that can be added."""

    line: int
    address: str
    label: str
    time_zone: str
    plan: RoutePlan


@dataclass(frozen=True)
class RefusedLine:
    """A line that cannot be added, with why and what to do."""

    line: int
    text: str
    why: str


@dataclass(frozen=True)
class DryRun:
    """What an import would do; lines count from 1 with the header."""

    new: list[NewChannel]
    there: list[NewChannel]
    refused: list[RefusedLine]

    @property
    def by_route(self) -> list[tuple[str, int]]:
        """How many new numbers each route would get."""
        return Counter(str(channel.plan) for channel in self.new).most_common()


def read_text(content: bytes) -> str:
    """The text of a file: UTF-8 (with or without a mark). Raises ImportRefused."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ImportRefused(
            f"The file is not UTF-8 (byte {error.start + 1:,}). Save it as “CSV UTF-8”, then choose it again."
        ) from error


def dry_run(text: str, *, region: str | None = None, agent: str = "") -> DryRun:
    """What importing this text would do. `agent` answers (with its draft) where a line names none.

    Raises ImportRefused when the file as a whole cannot be read.
    """
    columns, rows = _table(text)
    new: list[NewChannel] = []
    refused: list[RefusedLine] = []
    seen: dict[str, int] = {}
    plans: dict[str, str] = {}
    for line, row in rows:
        try:
            channel = _read(line, row, columns, region, agent)
            if channel.address in seen:
                raise ChannelRefused(f"Line {seen[channel.address]} has this number already.", "number")
            if why := _why_not(channel.plan, plans):
                raise ChannelRefused(why, "answers")
        except ChannelRefused as refusal:
            refused.append(RefusedLine(line, ", ".join(row)[:100], str(refusal)))
        else:
            seen[channel.address] = line
            new.append(channel)
    known = set(Channel.objects.filter(address__in=list(seen)).values_list("address", flat=True))
    return DryRun(
        [channel for channel in new if channel.address not in known],
        [channel for channel in new if channel.address in known],
        refused,
    )


@transaction.atomic
def import_channels(*, run: DryRun, reason: str = "Imported", actor: User) -> int:
    """Add the new numbers of a dry run, all or none; gives how many. Numbers that are there stay as they are."""
    routes: dict[RoutePlan, Route] = {plan: store_route(plan) for plan in {channel.plan for channel in run.new}}
    channels = [
        Channel(
            kind=ChannelKind.PHONE,
            address=channel.address,
            label=channel.label,
            time_zone=channel.time_zone,
            route=routes[channel.plan],
            route_changed_by=actor,
            created_by=actor,
        )
        for channel in run.new
    ]
    known = Channel.objects.filter(address__in=[channel.address for channel in channels]).count()
    if known:
        raise ImportRefused(f"{known} of these numbers were added by somebody else meanwhile. Look at the list again.")
    made = Channel.objects.bulk_create(channels, batch_size=2000)
    Channel.history.bulk_history_create(made, batch_size=2000, default_user=actor, default_change_reason=reason)
    record(
        action="channels imported",
        subject_kind="channel",
        subject=f"{len(made)} numbers",
        reason=reason,
        after={"channels": len(made), "routes": {str(plan): route.digest for plan, route in routes.items()}},
        actor=actor,
    )
    return len(made)


def _table(text: str) -> tuple[dict[str, int], list[tuple[int, list[str]]]]:
    """Where each column is, and the lines with something in them."""
    if "\x00" in text:
        raise ImportRefused("The file holds characters that no CSV file has. Save it as “CSV UTF-8”.")
    first = text.lstrip("\r\n").split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise ImportRefused(f"Line {reader.line_num} cannot be read ({error}). Is a quotation mark missing?") from error
    if not rows:
        raise ImportRefused(f"The file is empty. {FIRST_LINE}")
    if len(rows) > MOST_LINES:
        raise ImportRefused(f"The file has more than {MOST_LINES:,} lines. Import it in parts.")
    header = [cell.strip().casefold() for cell in rows[0][1]]
    columns = {column: at for column, names in COLUMNS.items() for at, cell in enumerate(header) if cell in names}
    if "number" not in columns:
        raise ImportRefused(f"No column is named number. {FIRST_LINE}")
    return columns, rows[1:]


def _read(line: int, row: list[str], columns: dict[str, int], region: str | None, agent: str) -> NewChannel:
    def cell(name: str) -> str:
        at = columns.get(name)
        return row[at].strip() if at is not None and at < len(row) else ""

    answers = cell("answers").casefold() or "draft"
    slug = cell("agent") or agent
    if not slug:
        raise ChannelRefused("The line names no agent. Fill the column agent, or choose one for all.", "agent")
    if answers in {"draft", "live"}:
        target = Target(slug, Follow(answers))
    elif answers.removeprefix("v").isdecimal() and len(answers) < 9:
        target = Target(slug, Follow.VERSION, int(answers.removeprefix("v")))
    else:
        raise ChannelRefused(f"“{cell('answers')[:20]}” is not draft, live or a version such as V3.", "answers")
    return NewChannel(
        line,
        read_address(ChannelKind.PHONE, cell("number"), region),
        read_label(cell("label")),
        read_time_zone(cell("time_zone") or "UTC"),
        single(target),
    )


def _why_not(plan: RoutePlan, known: dict[str, str]) -> str:
    """What keeps a plan from answering; looked up once per plan. A dry run leaves nothing behind."""
    key = str(plan)
    if key not in known:
        try:
            with transaction.atomic():
                store_route(plan)
                transaction.set_rollback(True)
            known[key] = ""
        except RouteRefused as refusal:
            known[key] = str(refusal)
    return known[key]
