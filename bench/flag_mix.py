"""Fifty flags as an agent may have them after a year: most give everybody the same, some look at the call."""

from channels.core.flags import OFF, ON, Flag, FlagType, FlagVariant, Rule, Schedule

VALUES = (FlagVariant("one", "A text of some length"), FlagVariant("two", "Another text"))
OFFICE_HOURS = Schedule((1, 2, 3, 4, 5), 9 * 60, 18 * 60)


def fifty_flags(agent: str, tools: list[str]) -> list[Flag]:
    """Of an agent (its slug) with ten tools: 10 switches, 10 places, 30 plain values.

    Callers are listed by 10 (1,000 each), split by 10, hours looked at by 5; 25 give everybody the same.
    """
    lists = [frozenset(f"{number:032x}" for number in range(at * 1000, at * 1000 + 1000)) for at in range(10)]
    flags = []
    for at, tool in enumerate(tools):
        rules = (Rule("", OFF, lists[at]),) if at < 5 else ()
        flags.append(Flag(f"tool-{at}", FlagType.TOOL, ON, ON, agent, tool, rules=rules))
    places = ["model.temperature", "voice.speed", "background_sound.enabled", "model.name", "welcome_message"]
    values = [0.5, 1.1, True, "other", "Hello."]
    for at in range(10):
        rules = (Rule("", "new", share=10_000, salt=f"place {at}"),) if at < 2 else ()
        variants = (FlagVariant("new", values[at % 5]),)
        default = "new" if at in (3, 4) else "version"
        flags.append(Flag(f"place-{at}", FlagType.PATH, default, "version", agent, places[at % 5], variants, rules))
    for at in range(30):
        rules = ()
        if at < 8:
            rules = (Rule("", "two", share=20_000, salt=f"value {at}"),)
        elif at < 13:
            rules = (Rule("", "two", lists[at - 3]),)
        elif at < 18:
            rules = (Rule("", "two", schedule=OFFICE_HOURS),)
        flags.append(Flag(f"value-{at}", FlagType.STRING, "one", "one", agent, "", VALUES, rules))
    return flags


def fill_flagged(first: int, last: int) -> list[str]:
    """Numbers from one place to before another on Live of an agent with a rollout of 10 % and these flags."""
    from agentversions.models import User
    from agentversions.services.deployments import make_live
    from bench.fleet import add_numbers
    from channels.core.routes import Follow, Target, single
    from channels.services.routes import store_route
    from tests.channels.rows import put_flag, put_rollout
    from tests.factories import make_agent, make_version

    admin = User.objects.order_by("pk").first()
    assert admin is not None
    names = [f"tool_{at}" for at in range(10)]
    tools = [{"name": name, "endpoint": "https://example.com/t", "description": "Does it."} for name in names]
    agent = make_agent(admin, slug="flagged", system_prompt="# Role\n" + "You answer the phone. " * 130, tools=tools)
    one, two = (make_version(agent, name=name, welcome_message=f"{name}.") for name in ("One", "Two"))
    make_live(version=one, actor=admin)
    put_rollout(one, two, shares=(10_000,))
    for flag in fifty_flags("flagged", names):
        put_flag(flag, admin)
    route = store_route(single(Target("flagged", Follow.LIVE)))
    return add_numbers(first, last, [route.digest], admin.pk)
