"""Everything that can happen to what answers a number, done through the services and kept in plain Python beside it."""

import json
import random
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import connection

from agentversions.core.canonical_json import canonical
from agentversions.core.configuration import AgentConfiguration
from agentversions.core.digest import digest_of
from agentversions.models import Agent, Configuration
from agentversions.services.deployments import live_version, make_live, roll_back
from agentversions.services.drafts import replace_draft
from agentversions.services.publishing import publish
from channels.core.bucketing import bucket_of
from channels.core.flags import Flag as FlagValue
from channels.core.flags import FlagType, FlagVariant, Rule
from channels.core.phone_numbers import read_caller
from channels.core.rollout_states import By, Move
from channels.core.rollout_steps import Step
from channels.core.routes import Follow, RoutePlan, Target, WantedVariant, single
from channels.core.routing import choose
from channels.models import Channel, Flag, Rollout
from channels.services.channels import change_channel
from channels.services.draft_serving import apply_draft, serve_at_once, wait_for_apply
from channels.services.flag_callers import hash_of
from channels.services.flags import archive_flag, create_flag, save_flag, switch_flag
from channels.services.rollouts import allowed_moves, move_rollout, start_rollout
from channels.services.routes import plan_test, save_route
from tests.factories import make_configuration

CALLER = "+33612345678"
SHARES = (20_000, 50_000, 80_000)


def now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (moment,) = cursor.fetchone()
    assert isinstance(moment, datetime)
    return moment


@dataclass
class RolledOut:
    """A rollout as somebody would note it on paper."""

    row: Rollout
    version: int
    baseline: int
    salt: str
    step: int = 0
    is_split: bool = True

    @property
    def share(self) -> int:
        return SHARES[self.step] if self.is_split else 0


@dataclass
class Replay:
    """Everything kept in plain Python: what stands now, and what stood after each step."""

    agent: Agent
    channel: Channel
    plan: RoutePlan
    is_on: bool = True
    draft: str = ""
    applied: str | None = None
    live: int | None = None
    versions: list[str] = field(default_factory=list)
    rollout: RolledOut | None = None
    flags: dict[str, FlagValue] = field(default_factory=dict)
    archived: set[str] = field(default_factory=set)
    log: list[tuple[datetime, str | None, str | None]] = field(default_factory=list)

    def digest(self) -> str | None:
        """That of the version (or draft) that answers the caller."""
        if not self.is_on:
            return None
        target = choose(self.plan, read_caller(CALLER, None).unit or "").target
        if target.version is not None:
            return self.versions[target.version - 1]
        if target.follow == Follow.LIVE:
            if self.rollout and bucket_of(self.rollout.salt, CALLER) < self.rollout.share:
                return self.versions[self.rollout.version - 1]
            return self.versions[self.live - 1] if self.live else None
        return self.applied or self.draft

    def effective(self) -> str | None:
        """That of what flags made of it."""
        digest = self.digest()
        if digest is None:
            return None
        document: dict[str, Any] = json.loads(Configuration.objects.get(digest=digest).body)
        for key in sorted(self.flags.keys() - self.archived):
            flag = self.flags[key]
            variant = self._variant(flag)
            if flag.type == FlagType.TOOL and variant == "off":
                document["tools"] = [each for each in document["tools"] if each["name"] != flag.subject]
            elif flag.type == FlagType.PATH and variant != "version":
                document[flag.subject] = variant
        return digest_of(canonical(document))

    @staticmethod
    def _variant(flag: FlagValue) -> str:
        if not flag.is_enabled:
            return flag.when_disabled
        for rule in flag.rules:
            is_listed = not rule.callers or hash_of(CALLER) in rule.callers
            if is_listed and (rule.share == 100_000 or bucket_of(rule.salt, CALLER) < rule.share):
                return rule.gives
        return flag.default

    def do(self, step: str, rng: random.Random) -> None:
        """One step through the services, and the same in plain Python."""
        actor, name = self.channel.route_changed_by, f"{rng.random()}"
        if step == "edit":
            content: AgentConfiguration = make_configuration(name="Clinic", system_prompt=name)
            self.draft = replace_draft(agent=self.agent, content=content, actor=actor).agent.draft_id
        elif step == "publish":
            publish(agent=self.agent, name=name, actor=actor)
            self.versions.append(self.draft)
        elif step == "live" and self.versions:
            self._go_live(rng)
            make_live(version=self.agent.versions.get(number=self.live), actor=actor)
        elif step == "back" and live_version(self.agent):
            self._go_live(rng)
            roll_back(agent=self.agent, to=self.agent.versions.get(number=self.live), reason=name, actor=actor)
        elif step == "route":
            self.plan = self._some_plan(rng)
            save_route(channel=self.channel, plan=self.plan, actor=actor)
        elif step == "follow live" and self.live:
            self.plan = single(Target(self.agent.slug, Follow.LIVE))
            save_route(channel=self.channel, plan=self.plan, actor=actor)
        elif step == "switch":
            self.is_on = not self.is_on
            change_channel(channel=self.channel, is_enabled=self.is_on, actor=actor)
        elif step == "wait":
            wait_for_apply(agent=self.agent, actor=actor)
            self.applied = self.draft
        elif step == "apply" and self.applied:
            apply_draft(agent=self.agent, actor=actor)
            self.applied = self.draft
        elif step == "at once":
            serve_at_once(agent=self.agent, actor=actor)
            self.applied = None
        elif step == "rollout":
            self._roll(rng)
        elif step == "flag":
            self._flag(rng)
        self.log.append((now(), self.digest(), self.effective()))

    def _go_live(self, rng: random.Random) -> None:
        self.live = rng.randint(1, len(self.versions))
        if self.rollout and self.live != self.rollout.baseline:
            self.rollout = None

    def _roll(self, rng: random.Random) -> None:
        """Start one, or move the one that is open."""
        others = [number for number in range(1, len(self.versions) + 1) if number != self.live]
        actor = self.channel.route_changed_by
        if self.rollout is None:
            if self.live and others:
                version, steps = rng.choice(others), [Step(share, 2.0, 0) for share in SHARES]
                row = start_rollout(agent=self.agent, version=version, steps=steps, actor=actor)
                self.rollout = RolledOut(row, version, self.live, row.plan.salt)
            return
        known = self.rollout
        known.row.refresh_from_db()
        move = rng.choice([*allowed_moves(known.row), Move.FIND_UNHEALTHY])
        if move == Move.FIND_UNHEALTHY:
            if known.row.state != "running":
                return
            move_rollout(rollout=known.row, move=move, by=By.JUDGE, reason="Ends are missing.", actor=None)
        else:
            move_rollout(rollout=known.row, move=move, by=By.PERSON, reason="Because", actor=actor)
        if move == Move.ADVANCE:
            known.step += 1
            known.is_split = True
        elif move == Move.FIND_UNHEALTHY:
            known.is_split = False
        elif move == Move.RESUME:
            known.is_split = True
        elif move in (Move.PROMOTE, Move.ROLL_BACK, Move.CANCEL):
            self.live = known.version if move == Move.PROMOTE else self.live
            self.rollout = None

    def _flag(self, rng: random.Random) -> None:
        """Create one of two flags, or save, switch or archive the one that is there."""
        is_tool = rng.random() < 0.5
        key, actor = f"{'tool' if is_tool else 'welcome'}-{self.agent.pk}", self.channel.route_changed_by
        known = self.flags.get(key)
        value = self._some_flag(key, rng, is_tool=is_tool)
        if known is None:
            self.flags[key] = create_flag(value=value, actor=actor).value
            return
        row = Flag.objects.get(key=key)
        how = rng.choice(("save", "save", "switch", "archive"))
        if how == "save":
            self.flags[key] = save_flag(flag=row, value=value, actor=actor).value
            self.archived.discard(key)
        elif how == "switch":
            switch_flag(flag=row, is_enabled=not known.is_enabled, reason="Because", actor=actor)
            self.flags[key] = replace(known, is_enabled=not known.is_enabled)
        else:
            archive_flag(flag=row, is_archived=key not in self.archived, actor=actor)
            self.archived ^= {key}

    def _some_flag(self, key: str, rng: random.Random, *, is_tool: bool) -> FlagValue:
        gives, stays = ("off", "on") if is_tool else ("Hello from a flag.", "version")
        rules = [
            Rule("Listed", gives, callers=frozenset({hash_of(CALLER), hash_of("+33611111111")})),
            Rule("Others", gives, callers=frozenset({hash_of("+33698765432")})),
            Rule("Some", gives, share=rng.randint(1, 99_999)),
        ]
        default, off = rng.choice(((stays, stays), (gives, stays)))
        return FlagValue(
            key,
            FlagType.TOOL if is_tool else FlagType.PATH,
            default,
            off,
            agent=self.agent.slug,
            subject="transfer_to_human" if is_tool else "welcome_message",
            variants=() if is_tool else (FlagVariant(gives, gives),),
            rules=tuple(rng.sample(rules, rng.randint(0, 2))),
        )

    def _some_plan(self, rng: random.Random) -> RoutePlan:
        targets = [Target(self.agent.slug)]
        targets += [Target(self.agent.slug, Follow.VERSION, n + 1) for n in range(len(self.versions))]
        targets += [Target(self.agent.slug, Follow.LIVE)] if self.live else []
        if len(targets) > 1 and rng.random() < 0.5:
            first, second = rng.sample(targets, 2)
            share = rng.randint(1, 99_999)
            return plan_test([WantedVariant("A", first, share), WantedVariant("B", second, 100_000 - share)])
        return single(rng.choice(targets))
