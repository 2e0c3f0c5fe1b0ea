"""Flags for property tests, and the moments and callers that their rules tell apart."""

from datetime import date

from hypothesis import strategies as st

from channels.core.bucketing import BUCKETS
from channels.core.flags import WHOLE_DAY, Flag, FlagType, FlagVariant, Rule, Schedule
from tests.core.documents import JSON, OBJECTS

CALLERS = ("+33612345678", "+33687654321", "user-7")
CHANNELS = ("+33198765432", "website")
VARIANTS = ("A", "B")
HOURS = st.integers(0, 23).map(lambda hour: hour * 60)
DATES = st.none() | st.integers(1, 28).map(lambda day: date(2026, 3, day))


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    """Schedules that begin and end at full hours around the clock change of March 2026."""
    days = tuple(sorted(draw(st.sets(st.integers(1, 7), max_size=4))))
    start = draw(HOURS)
    stop = draw((HOURS | st.just(WHOLE_DAY)).filter(lambda stop: 0 < stop != start))
    first, last = draw(DATES), draw(DATES)
    if first and last and last < first:
        first, last = last, first
    return Schedule(days, start, stop, first, last)


def some(values: tuple[str, ...]) -> st.SearchStrategy[frozenset[str]]:
    return st.frozensets(st.sampled_from(values), max_size=2)


def rules(gives: tuple[str, ...] = ("one", "two")) -> st.SearchStrategy[Rule]:
    """Rules of every kind; a share has the salt of its number, so that no two rules share one."""
    return st.builds(
        Rule,
        st.sampled_from(["", "Night", "École"]),
        st.sampled_from(gives),
        some(CALLERS),
        some(CHANNELS),
        some(VARIANTS),
        st.none() | schedules(),
        st.just(BUCKETS) | st.integers(0, BUCKETS),
        st.just("salt"),
    )


@st.composite
def flags(draw: st.DrawFn) -> Flag:
    """Flags that carry a value, with two variants and up to five rules."""
    kind = draw(st.sampled_from([each for each in FlagType if not each.is_overlay]))
    values = {
        FlagType.BOOLEAN: st.booleans(),
        FlagType.STRING: st.text('aé日\n"', max_size=5),
        FlagType.INTEGER: st.integers(-(2**53) + 1, 2**53 - 1),
        FlagType.NUMBER: st.floats(-1e9, 1e9) | st.integers(-5, 5),
        FlagType.JSON: OBJECTS | st.lists(JSON, max_size=3),
    }[kind]
    listed = draw(st.lists(rules(), max_size=5))
    return Flag(
        key=draw(st.from_regex(r"[a-z0-9._-]{1,20}", fullmatch=True)),
        type=kind,
        default=draw(st.sampled_from(["one", "two"])),
        when_disabled=draw(st.sampled_from(["one", "two"])),
        agent=draw(st.sampled_from(["", "clinic"])),
        variants=(FlagVariant("one", draw(values)), FlagVariant("two", draw(values))),
        rules=tuple(Rule(**{**vars(rule), "salt": f"salt {n}"}) for n, rule in enumerate(listed)),
        is_enabled=draw(st.booleans()),
    )
