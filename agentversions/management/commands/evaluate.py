"""Runs a suite against a version or a draft and says how it goes: `manage.py evaluate SUITE AGENT@VERSION`."""

import sys
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from agentversions.core.evaluations.scoring import ALL
from agentversions.core.gate import decide
from agentversions.management.people import add_actor_argument, find_actor
from agentversions.models import Agent, AgentVersion, EvaluationRun, EvaluationSuite
from agentversions.services.deployments import live_version
from agentversions.services.errors import Refused
from agentversions.services.evaluations.evidence import gather_evidence
from agentversions.services.evaluations.results import compare, live_run_beside, progress_of, scores_of
from agentversions.services.evaluations.running import run_suite
from agentversions.services.evaluations.starting import start_run
from agentversions.services.publishing import get_version

WIDTH = 30


class Command(BaseCommand):
    """Run a suite here, now."""

    help = "Runs an evaluation suite. Exit code 0 when it ran (with --gate: when the gate is open), else 1."

    def add_arguments(self, parser: CommandParser) -> None:
        """What to run against what, and the limits."""
        parser.add_argument("suite", help="the suite's slug")
        parser.add_argument("target", metavar="AGENT@VERSION", help="clinic@3, clinic@draft or clinic@live")
        parser.add_argument("--environment", default="production", help="whose endpoints answer (production)")
        parser.add_argument("--concurrency", type=int, default=5, help="questions in flight (5)")
        parser.add_argument("--max-calls", type=int, help="stop after so many paid calls")
        parser.add_argument("--max-cost", help="stop after so much money, in the currency of the prices")
        parser.add_argument("--fresh", action="store_true", help="take no kept answers")
        parser.add_argument(
            "--gate", action="store_true", help="decide as the gate does, compared with the live version"
        )
        parser.add_argument("--tolerance", type=float, default=0.0, help="points below live that the gate tolerates")
        add_actor_argument(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run, say how it goes, decide."""
        suite = EvaluationSuite.objects.select_related("latest", "agent").filter(slug=options["suite"]).first()
        if suite is None:
            raise CommandError(f"There is no suite “{options['suite']}”.")
        actor = find_actor(options["actor"])
        try:
            agent, version = _target(options["target"])
            run = start_run(
                suite=suite,
                agent=agent,
                version=version,
                environment=options["environment"],
                concurrency=options["concurrency"],
                max_calls=options["max_calls"],
                max_cost=_money(options["max_cost"]),
                is_fresh=options["fresh"],
                is_deferred=False,
                actor=actor,
            )
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        run_suite(run.pk, say=lambda: self._say(run))
        ended = EvaluationRun.objects.with_names().get(pk=run.pk)
        self._say_end(ended)
        if ended.state != "done":
            raise CommandError(f"The run ended early: {ended.stopped_by or 'it was cancelled.'}")
        if options["gate"]:
            self._gate(ended, suite, options["tolerance"] / 100)

    def _say(self, run: EvaluationRun) -> None:
        progress = progress_of(run)
        bar = "█" * (progress.percent * WIDTH // 100)
        start = "\r" if sys.stdout.isatty() else ""
        words = ", ".join(f"{count:,} {name}" for name, count in progress.counts.items() if count)
        self.stdout.write(
            f"{start}{bar:░<{WIDTH}} {progress.done:,} of {progress.cases:,}  {words}", ending="" if start else "\n"
        )
        self.stdout.flush()

    def _say_end(self, run: EvaluationRun) -> None:
        scores = scores_of(run)
        self.stdout.write(f"\nRun {run.pk}: {run.revision} against {run.agent.slug}@{run.title} in {run.environment}")
        for tag, score in scores.items():
            share = "no verdict" if score.share is None else f"{score.share:.1%}"
            self.stdout.write(f"  {tag or 'all cases'}: {share} ({score.passed} passed, {score.failed} failed)")
        for result in run.results.exclude(outcome="pass")[:20]:
            reason = result.error or next((one["reason"] for one in result.checks if one["outcome"] != "pass"), "")
            self.stdout.write(f"  {result.outcome}: {result.name}: {reason[:200]}")
        base = live_run_beside(run)
        if base is not None:
            comparison = compare(base, run)
            for flip in (*comparison.of_kind("broken"), *comparison.of_kind("mended")):
                arrow = "pass → fail" if flip.kind == "broken" else "fail → pass"
                self.stdout.write(f"  {arrow}: {flip.name}")
        if scores[ALL].undecided:
            self.stdout.write(f"  {scores[ALL].undecided} without a verdict")

    def _gate(self, run: EvaluationRun, suite: EvaluationSuite, tolerance: float) -> None:
        evidence = gather_evidence(agent=run.agent, digest=run.configuration_id, suites=[suite])
        decision = decide(evidence, tolerance=tolerance)
        if not decision.is_open:
            raise CommandError(f"The gate is shut. {decision.words}")
        self.stdout.write(self.style.SUCCESS("The gate is open."))


def _target(text: str) -> tuple[Agent, AgentVersion | None]:
    slug, _, which = text.partition("@")
    agent = Agent.objects.with_draft().filter(slug=slug).first()
    if agent is None:
        raise CommandError(f"There is no agent “{slug}”.")
    if which in ("", "draft"):
        return agent, None
    if which == "live":
        live = live_version(agent)
        if live is None:
            raise CommandError(f"“{slug}” has no live version yet.")
        return agent, live
    if not which.removeprefix("V").isdecimal():
        raise CommandError(f"Write a version's number, draft or live after the @, not “{which}”.")
    return agent, get_version(agent, int(which.removeprefix("V")))


def _money(text: str | None) -> Decimal | None:
    try:
        return None if text is None else Decimal(text)
    except InvalidOperation as error:
        raise CommandError(f"Write --max-cost as a number such as 2.50, not “{text}”.") from error
