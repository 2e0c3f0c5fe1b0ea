"""The form of a flag. Nothing that was typed is lost: a refused form shows it again, with words beside it."""

from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import Any

from django.http import QueryDict

from agentversions.core.controls import Control, ControlKind
from agentversions.core.paths import UnknownPath, field_of, label_of
from agentversions.core.reading import FieldError, write_document
from agentversions.core.roles import Permission
from agentversions.models import Agent, User
from channels.core.flag_checks import MOST_RULES, MOST_VARIANTS
from channels.core.flag_typing import FieldChoice, NotTyped, field_choices, kind_of_value, read_value, text_of_value
from channels.core.flag_words import TYPES
from channels.core.flags import AS_VERSION, OFF, ON, Flag, FlagType, FlagVariant
from channels.models import FlagRevision
from channels.services.errors import FlagRefused
from channels.services.flag_callers import callers_in_clear
from channels.services.flag_versions import Checked, load, versions_to_check
from channels.services.flag_writing import write_rules

from .flag_rules import RuleRow, row_in, row_of

MOST_OFFERED = 40
"""Configurations from which tools and places are offered; a flag for all agents has more."""
FIELDS = frozenset({"key", "type", "agent", "subject", "description", "default", "when_disabled", "variants", "rules"})


@dataclass
class VariantRow:
    """A variant as typed, with what is wrong in it."""

    name: str = ""
    text: str = ""
    errors: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Typed:
    """What a form means: the flag, its description, and the callers that it names in clear."""

    value: Flag
    description: str
    callers: tuple[str, ...] = field(repr=False)


class FlagForm:
    """Reads and shows a flag. `base` is the revision that it began with (None: a new flag): places of rules count in
    it, and so do callers that its reader may not see."""

    def __init__(self, base: FlagRevision | None, *, actor: User, data: QueryDict | None = None) -> None:
        self.base = base
        self.is_bound = data is not None
        self.may_listen = actor.allows(Permission.LISTEN)
        self.errors: list[str] = []
        # Where the keyboard goes on after a step: a rule or a variant (from 0), and what of it.
        self.focus: tuple[str, int] = ("", -1)
        self.field_errors: dict[str, list[str]] = {}
        before = base.value if base else None
        self.before = before
        if data is not None:
            self._read(data)
        elif base and before:
            self._show(base, before, actor)
        else:
            self._begin()

    def _begin(self) -> None:
        self.key = self.agent = self.subject = self.description = self.reason = ""
        self.type = FlagType.TOOL
        self.default, self.when_disabled = ON, ON
        self.variants: list[VariantRow] = []
        self.rules: list[RuleRow] = []

    def _show(self, base: FlagRevision, before: Flag, actor: User) -> None:
        self.key, self.type, self.agent, self.subject = before.key, before.type, before.agent, before.subject
        self.description, self.reason = base.description, ""
        self.default, self.when_disabled = before.default, before.when_disabled
        self.variants = [
            VariantRow(each.name, text_of_value(before.type, before.subject, each.value)) for each in before.variants
        ]
        self.rules = [
            row_of(
                index,
                rule,
                callers_in_clear(rule.callers, key=before.key, actor=actor) if self.may_listen else None,
            )
            for index, rule in enumerate(before.rules)
        ]

    def _read(self, data: QueryDict) -> None:
        def text(name: str, longest: int = 2_000) -> str:
            # PostgreSQL refuses NUL, and nothing that is typed here has one.
            return data.get(name, "").replace("\x00", "").strip()[:longest]

        before = self.before
        kind = text("type", 20)
        self.key = before.key if before else text("key", 200)
        self.type = before.type if before else (FlagType(kind) if kind in set(FlagType) else FlagType.TOOL)
        self.agent = before.agent if before else text("agent", 200)
        self.subject, self.description = text("subject"), text("description", 1_000)
        self.default, self.when_disabled = text("default", 200), text("when_disabled", 200)
        self.reason = text("reason")
        names, texts = data.getlist("variant_name"), data.getlist("variant_value")
        pairs = islice(zip(names, texts, strict=False), MOST_VARIANTS + 1)
        self.variants = [VariantRow(name.replace("\x00", "").strip()[:200], typed) for name, typed in pairs]
        count = text("rules", 3)
        total = min(int(count), MOST_RULES + 1) if count.isdecimal() else 0
        self.rules = [row_in(data, index, before.rules if before else ()) for index in range(total)]

    # What can be chosen

    @property
    def types(self) -> list[tuple[str, str, bool]]:
        """Each type, what it is called, whether it is chosen."""
        return [(kind.value, words, kind == self.type) for kind, words in TYPES.items()]

    @property
    def variant_names(self) -> list[str]:
        """What a rule may give."""
        if self.type == FlagType.TOOL:
            return [ON, OFF]
        return [*([AS_VERSION] if self.type == FlagType.PATH else []), *(row.name for row in self.variants)]

    @property
    def focus_on(self) -> str:
        """The id of what has the keyboard after a step; empty for what had it."""
        word, index = self.focus
        return f"{word}-{index}" if index >= 0 else ""

    @property
    def kind(self) -> ControlKind:
        """How a variant's value is typed."""
        return kind_of_value(self.type, self.subject)

    @property
    def place(self) -> Control | None:
        """The field that a behaviour acts on, with its words, unit and options."""
        return next((each.control for each in self.places if each.path == self.subject), None)

    def look_at(self, agent: Agent | None) -> None:
        """Find what can be chosen of an agent (None: of all): its tools, the places of its configurations."""
        self.checked: tuple[Checked, ...] = versions_to_check(agent) if self.type.is_overlay else ()
        contents = load(self.checked[:MOST_OFFERED]).values()
        self.tools = list(dict.fromkeys(tool.name for content in contents for tool in content.tools))
        is_path = self.type == FlagType.PATH
        self.places: tuple[FieldChoice, ...] = field_choices(map(write_document, contents)) if is_path else ()
        if self.type == FlagType.TOOL and self.subject and self.subject not in self.tools:
            self.tools.append(self.subject)

    @property
    def grouped_places(self) -> list[tuple[str, list[FieldChoice]]]:
        """The places by the tab of the editor on which they stand."""
        return [(tab, list(group)) for tab, group in groupby(self.places, key=lambda each: each.tab)]

    @property
    def is_subject_known(self) -> bool:
        """Whether what it acts on is among the places to choose from."""
        return any(each.path == self.subject for each in self.places)

    @property
    def subject_label(self) -> str:
        """The place in words; the path itself where it has none."""
        try:
            field_of(self.subject)
        except UnknownPath:
            return self.subject
        return label_of(self.subject)

    # Steps that change the form itself

    def take_step(self, step: str) -> None:
        """Add, remove or move a rule or a variant: `rule-add`, `rule-up:2`, `variant-remove:0`; `look` only looks."""
        word, _, number = step.partition(":")
        index = int(number) if number.isdecimal() and len(number) < 4 else -1
        if word == "rule-add" and len(self.rules) < MOST_RULES:
            self.rules.append(RuleRow(gives=self._other_variant()))
            self.focus = ("rule-name", len(self.rules) - 1)
        elif word == "variant-add" and len(self.variants) < MOST_VARIANTS:
            self.variants.append(VariantRow())
            self.focus = ("variant", len(self.variants) - 1)
        elif word == "rule-remove" and 0 <= index < len(self.rules):
            del self.rules[index]
            self.focus = ("rule-name", min(index, len(self.rules) - 1))
        elif word == "variant-remove" and 0 <= index < len(self.variants):
            del self.variants[index]
        elif word in ("rule-up", "rule-down"):
            other = index - 1 if word == "rule-up" else index + 1
            if min(index, other) >= 0 and max(index, other) < len(self.rules):
                self.rules[index], self.rules[other] = self.rules[other], self.rules[index]
                self.focus = (word if 0 < other < len(self.rules) - 1 else _other_way(other), other)
        if self.before is None:
            self._suit_the_type()

    def _suit_the_type(self) -> None:
        """Begin with variants that the chosen type needs; those that were typed stay."""
        typed = [row for row in self.variants if row.name or row.text]
        if self.type == FlagType.TOOL:
            self.variants = []
        elif not typed:
            yes_or_no = self.kind == "switch"
            rows = [VariantRow("on", "true"), VariantRow("off", "false")] if yes_or_no else [VariantRow("first")]
            self.variants = rows
        names = self.variant_names
        first = names[0] if names else ""
        self.default = self.default if self.default in names else first
        self.when_disabled = self.when_disabled if self.when_disabled in names else first
        for row in self.rules:
            row.gives = row.gives if row.gives in names else self._other_variant()

    def _other_variant(self) -> str:
        """A variant that is not what everybody else gets."""
        names = self.variant_names
        return next((name for name in names if name != self.default), names[0] if names else "")

    # What was typed

    def typed(self) -> Typed | None:
        """The flag that is meant; None with words beside the fields when something cannot be read."""
        variants = tuple(self._variant(row) for row in self.variants)
        wanted = [row.wanted() for row in self.rules]
        if any(row.errors for row in self.variants) or any(row.errors for row in self.rules):
            return None
        try:
            written = write_rules(wanted, self.before, may_listen=self.may_listen)
        except FlagRefused as refusal:
            self.refuse(refusal)
            return None
        value = Flag(
            key=self.key,
            type=self.type,
            agent=self.agent,
            subject=self.subject if self.type.is_overlay else "",
            variants=() if self.type == FlagType.TOOL else variants,
            default=self.default,
            when_disabled=self.when_disabled,
            rules=written.rules,
        )
        return Typed(value, self.description, written.callers)

    def _variant(self, row: VariantRow) -> FlagVariant:
        value: Any = None
        if self.type != FlagType.TOOL:
            try:
                value = read_value(self.type, self.subject, row.text)
            except NotTyped as error:
                row.errors.append(str(error))
        return FlagVariant(row.name, value)

    def refuse(self, refusal: FlagRefused) -> None:
        """Put the words of a refusal beside the fields they belong to."""
        for error in refusal.errors:
            self._refuse(error)

    def _refuse(self, error: FieldError) -> None:
        name, _, rest = error.path.partition(".")
        number, _, part = rest.partition(".")
        if name == "rules" and number.isdecimal() and int(number) < len(self.rules):
            self.rules[int(number)].note(part.partition(".")[0] or "rule", error.message)
        elif name == "variants" and number.isdecimal() and int(number) < len(self.variants):
            self.variants[int(number)].errors.append(error.message)
        elif name in FIELDS:
            self.field_errors.setdefault(name, []).append(error.message)
        else:
            self.errors.append(error.message)


def _other_way(place: int) -> str:
    """The button that is left at an end of the list: the first rule goes down, the last one up."""
    return "rule-down" if place == 0 else "rule-up"
