"""What keeps a flag from being saved: by itself, against the numbers that there are, against its agents' versions."""

from collections.abc import Iterable

from agentversions.core.reading import FieldError
from agentversions.models import Agent
from channels.core.flag_checks import errors_in
from channels.core.flag_fit import conflicts, overlay_errors
from channels.core.flags import Flag as FlagValue
from channels.core.phone_numbers import shown
from channels.models import Channel, FlagRevision, Route

from .errors import FlagRefused
from .flag_versions import load, versions_to_check

MOST_NAMED = 5


def refuse_bad(value: FlagValue, agent: Agent | None) -> None:
    """Raise FlagRefused with everything that is wrong; a flag that acts on a configuration must fit its versions."""
    errors = [*errors_in(value), *_unknown_channels(value)]
    if value.type.is_overlay and not any(error.path.startswith(("subject", "variants")) for error in errors):
        errors += overlay_errors(value, load(versions_to_check(agent)))
    if errors:
        raise FlagRefused(errors)


def _unknown_channels(value: FlagValue) -> Iterable[FieldError]:
    named = {address for rule in value.rules for address in rule.channels}
    known = set(Channel.objects.filter(address__in=named).values_list("address", flat=True))
    for index, rule in enumerate(value.rules):
        if unknown := sorted(rule.channels - known):
            names = ", ".join(map(shown, unknown[:MOST_NAMED]))
            rest = f" and {len(unknown) - MOST_NAMED:,} more" if len(unknown) > MOST_NAMED else ""
            words = f"There is no channel {names}{rest}. Add it under Channels first, or correct it."
            yield FieldError(f"rules.{index}.channels", words)


def warnings_of(value: FlagValue) -> tuple[str, ...]:
    """What does not keep a flag from being saved, but may not be meant."""
    others = (row.value for row in _newest_others(value.key) if not row.is_archived)
    found = [words for other in others for words in conflicts((value, other))] if value.type.is_overlay else []
    if unknown := {name for rule in value.rules for name in rule.variants} - _test_variants():
        names = ", ".join(f"“{name}”" for name in sorted(unknown))
        found.append(f"No A/B test that runs now has the variant {names}: such a rule waits for one.")
    return tuple(found)


def _newest_others(key: str) -> Iterable[FlagRevision]:
    rows = FlagRevision.objects.exclude(flag__key=key).order_by("flag_id", "-number").distinct("flag_id")
    return rows.select_related("flag")


def _test_variants() -> set[str]:
    used = Channel.objects.order_by().values("route_id")
    plans = (route.plan for route in Route.objects.filter(is_test=True, digest__in=used))
    return {variant.name for plan in plans for variant in plan.variants}
