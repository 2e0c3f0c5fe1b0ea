"""The form of what answers a channel: one version, or an A/B test with its variants."""

from dataclasses import dataclass, field

from django.http import QueryDict

from channels.core.routes import Follow, RoutePlan, Target, WantedVariant, single
from channels.core.shares import NotAShare, percent, read_percent, sum_in_words
from channels.services.choices import Choice, answers_of, read_choice
from channels.services.errors import RouteRefused
from channels.services.routes import plan_test

MOST_ROWS = 20
LETTERS = "ABCDEFGHIJKLMNOPQRST"


@dataclass
class Row:
    """One line of the form as it was typed, with what is wrong in it."""

    name: str = ""
    agent: str = ""
    answers: str = "draft"
    share: str = ""
    errors: list[str] = field(default_factory=list)

    @property
    def choices(self) -> list[Choice]:
        """What of the chosen agent may answer."""
        return answers_of(self.agent, self.answers)

    def target(self) -> Target:
        """What the line chooses. Raises ValueError with a sentence."""
        if not self.agent:
            raise ValueError("Choose an agent.")
        follow, number = read_choice(self.agent, self.answers)
        if not follow:
            raise ValueError("Choose what of the agent answers.")
        return Target(self.agent, Follow(follow), number)


class RouteForm:
    """Reads and shows a route. Nothing that was typed is lost: a refused form shows it again, with words beside it."""

    def __init__(self, plan: RoutePlan, data: QueryDict | None = None) -> None:
        self.before = plan
        self.is_bound = data is not None
        self.errors: list[str] = []
        self.reason = ""
        if data is None:
            self.is_test = plan.is_test
            self.rows = [_row_of(target, plan, index) for index, target in enumerate(plan.targets)]
        else:
            self.is_test = data.get("mode") == "test"
            self.rows = _rows_in(data)
            self.reason = data.get("reason", "").replace("\x00", "").strip()[:2000]

    @property
    def shown_rows(self) -> list[Row]:
        """The lines to show: all of a test's, the first of a plan with one version."""
        return self.rows if self.is_test else self.rows[:1]

    @property
    def hint(self) -> str:
        """What is missing to 100 %, while a test's shares can be read."""
        try:
            return sum_in_words([read_percent(row.share) for row in self.rows]) if self.is_test else ""
        except NotAShare:
            return ""

    def become_test(self) -> None:
        """Show the form of a test, beginning with what answers now at 100 %."""
        self.is_test = True
        self.rows = self.rows or [Row()]
        if not self.rows[0].name:
            self.rows[0].name, self.rows[0].share = "Control", "100"
        if len(self.rows) < 2:
            self.add_row()

    def add_row(self) -> None:
        """One more variant, of the last one's agent, without a share: nobody's share moves by itself."""
        taken = {row.name for row in self.rows}
        free = [f"Variant {letter}" for letter in LETTERS if f"Variant {letter}" not in taken]
        if len(self.rows) < MOST_ROWS:
            self.rows.append(Row(free[0], self.rows[-1].agent if self.rows else "", "draft", ""))

    def remove_row(self, index: int) -> None:
        """Without one variant; its share becomes free."""
        if len(self.rows) > 1 and 0 <= index < len(self.rows):
            del self.rows[index]

    def plan(self) -> RoutePlan | None:
        """The route that was chosen; None with words beside the lines when it cannot be made."""
        wanted: list[WantedVariant] = []
        for row in self.shown_rows:
            share = 0
            try:
                share = read_percent(row.share) if self.is_test else 0
            except NotAShare as error:
                row.errors.append(str(error))
            try:
                wanted.append(WantedVariant(row.name.strip(), row.target(), share))
            except ValueError as error:
                row.errors.append(str(error))
        if not self.shown_rows:
            self.errors.append("Choose what answers.")
        if self.errors or any(row.errors for row in self.shown_rows):
            return None
        if not self.is_test:
            return single(wanted[0].target)
        try:
            return plan_test(wanted, before=self.before)
        except RouteRefused as refusal:
            self.refuse(refusal)
            return None

    def refuse(self, refusal: RouteRefused) -> None:
        """Put the words of a refusal beside the lines they belong to."""
        for index, words in refusal.problems:
            if index is not None and index < len(self.shown_rows):
                self.shown_rows[index].errors.append(words)
            else:
                self.errors.append(words)


def _row_of(target: Target, plan: RoutePlan, index: int) -> Row:
    answers = str(target.version) if target.version is not None else str(target.follow)
    if not plan.is_test:
        return Row("", target.agent, answers, "")
    variant = plan.variants[index]
    return Row(variant.name, target.agent, answers, percent(variant.share))


def _rows_in(data: QueryDict) -> list[Row]:
    columns: list[list[str]] = [data.getlist(name) for name in ("name", "agent", "answers", "share")]
    count = min(max(map(len, columns)), MOST_ROWS)
    padded = [column + [""] * (count - len(column)) for column in columns]
    # PostgreSQL refuses NUL, and no name, agent, version or share has one.
    lines = [[value.replace("\x00", "")[:200] for value in values] for values in zip(*padded, strict=False)]
    return [Row(name, agent, answers, share) for name, agent, answers, share in lines[:count]]
