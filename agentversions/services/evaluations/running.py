"""Works on a run until it ends: feeds its cases to the loop that asks, and commits whatever comes back at once.

A runner holds the run by a name of its own that it renews; whoever lost the run writes nothing more. What a killed one
left is taken up where the last commit was: finished cases are not played again, kept answers are not paid again.
"""

import secrets
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from datetime import timedelta
from decimal import Decimal
from itertools import islice
from queue import Empty
from threading import Thread

from django.db import transaction
from django.db.models import Count, Q, Sum

from agentversions.core.evaluations.conversation import play
from agentversions.models import CaseResult, EvaluationRun, PaidAnswer, SuiteEntry
from agentversions.models.database import ClockTimestamp
from agentversions.models.evaluation_runs import RunState

from .endpoints import find_endpoint, find_judge
from .errors import NoEndpoint
from .lines import Asked, Job, Line, Stop, Work, first_key
from .playing import WAITING_PER_SLOT, play_in_thread
from .spending import Spent

HOLD = timedelta(seconds=20)
RENEW = 2.0
"""Seconds after which a runner renews its hold, and looks whether the run was cancelled."""
FEED = 100
"""Cases read at once; few enough that a suite of 50,000 takes no more memory than one of 500."""
PAUSE = 0.25
LINGER = 0.025
"""Seconds that an answer waits for others to be committed with; other cases ask meanwhile."""
MOST_TOGETHER = 100


class Lost(Exception):
    """Another runner has the run now."""


class Interrupted(Exception):
    """This worker has to end; another takes the run up."""


def run_suite(pk: int, *, say: Callable[[], None] = lambda: None, must_end: Callable[[], bool] = lambda: False) -> bool:
    """Work on a run; False when another runner has it, or it has ended.

    Every two seconds `say` is called, and `must_end` asked whether this process goes down: then the run stays
    unfinished, and Interrupted is raised.
    """
    runner = secrets.token_hex(16)
    if not _take(pk, runner):
        return False
    run = EvaluationRun.objects.select_related("revision", "configuration").get(pk=pk)
    try:
        _Keeper(run, runner, say, must_end).work()
    except Lost:
        return False
    except (Interrupted, KeyboardInterrupt):
        EvaluationRun.objects.filter(pk=pk, runner=runner).update(held_until=None)
        raise
    except NoEndpoint as refusal:
        _end(run, runner, RunState.STOPPED, str(refusal))
    return True


def _take(pk: int, runner: str) -> bool:
    free = Q(held_until=None) | Q(held_until__lt=ClockTimestamp())
    taken: int = (
        EvaluationRun.objects.unfinished()
        .filter(free, pk=pk)
        .update(runner=runner, held_until=ClockTimestamp() + HOLD, state=RunState.RUNNING)
    )
    EvaluationRun.objects.filter(pk=pk, runner=runner, started_at=None).update(started_at=ClockTimestamp())
    return bool(taken)


def _end(run: EvaluationRun, runner: str, state: str, words: str) -> None:
    EvaluationRun.objects.filter(pk=run.pk, runner=runner, ended_at=None).update(
        state=state, stopped_by=words, ended_at=ClockTimestamp(), held_until=None
    )


def job_of(run: EvaluationRun) -> Job:
    """What a run asks of whom. Raises NoEndpoint."""
    configuration = run.configuration.load()
    model = configuration.model
    return Job(
        run=run.pk,
        digest=run.configuration_id,
        configuration=configuration,
        endpoint=find_endpoint(environment=run.environment, provider=model.provider, model=model.name),
        judge=find_judge(run.environment) if run.settings.get("judge") else None,
        concurrency=run.concurrency,
        salt=f"run {run.pk}" if run.is_fresh else "",
    )


class _Keeper:
    def __init__(self, run: EvaluationRun, runner: str, say: Callable[[], None], must_end: Callable[[], bool]) -> None:
        self.run, self.runner, self.say, self.must_end = run, runner, say, must_end
        self.job, self.line = job_of(run), Line()
        paid = PaidAnswer.objects.filter(run=run).aggregate(calls=Count("key"), cost=Sum("cost"))
        self.spent = Spent(run.max_calls, run.max_cost, paid["calls"], paid["cost"] or Decimal(0))
        self.kept: dict[str, PaidAnswer] = {}
        self.absent: set[str] = set()
        self.asking: dict[str, list[Asked]] = {}
        self.pending: list[Asked] = []
        self.commit_at = 0.0
        self.ready: deque[Work] = deque()
        self.source = self._works()
        self.has_loop_ended = False
        self.renew_at = 0.0
        self.why_stop: tuple[str, str] | None = None

    def work(self) -> None:
        """Until the run ends, in whatever way."""
        ended: Future[None] = Future()
        thread = Thread(
            target=play_in_thread, args=(self.job, self.line, ended), name=f"run-{self.run.pk}", daemon=True
        )
        thread.start()
        try:
            while not self.has_loop_ended:
                self._serve(self._drain())
            self._commit()
        except BaseException:
            self.line.abort()
            raise
        finally:
            thread.join()
        ended.result()
        state, words = self.why_stop or (RunState.DONE, "")
        _end(self.run, self.runner, state, words)
        self.say()

    def _drain(self) -> list[Asked]:
        """What was asked meanwhile, at once or after a pause with nothing."""
        batch: list[Asked] = []
        try:
            pause = max(0.0, self.commit_at - time.monotonic()) if self.pending else PAUSE
            asked = self.line.asked.get(timeout=pause) if pause else self.line.asked.get_nowait()
            while asked is not None:
                batch.append(asked)
                asked = self.line.asked.get_nowait()
            self.has_loop_ended = True
        except Empty:
            pass
        return batch

    def _serve(self, batch: list[Asked]) -> None:
        self._renew()
        keeping = [asked for asked in batch if asked.kind in ("keep", "paid")]
        if keeping and not self.pending:
            self.commit_at = time.monotonic() + LINGER
        self.pending += keeping
        if time.monotonic() >= self.commit_at or len(self.pending) >= MOST_TOGETHER:
            self._commit()
        self._look([asked for asked in batch if asked.kind == "may"])
        for asked in batch:
            if asked.kind == "next":
                self.line.answer(asked, self._next())
            elif asked.kind == "unpaid":
                self.spent.in_flight -= 1
                self.line.answer(asked, None)
                self._look(self.asking.pop(asked.payload, []))
            elif asked.kind == "give up":
                self._stop(RunState.STOPPED, asked.payload)
                self.line.answer(asked, Stop())
        self.line.flush()

    def _commit(self) -> None:
        """Keep everything that came, then let its cases go on."""
        if not self.pending:
            return
        keeping, self.pending = self.pending, []
        paid = [asked.payload for asked in keeping if asked.kind == "paid"]
        self._keep([asked.payload for asked in keeping if asked.kind == "keep"], [row for _, row in paid])
        for asked in keeping:
            self.line.answer(asked, None)
        for key, row in paid:
            for parked in self.asking.pop(key, []):
                self.line.answer(parked, row)

    def _renew(self) -> None:
        if time.monotonic() < self.renew_at:
            return
        self.renew_at = time.monotonic() + RENEW
        if self.must_end():
            raise Interrupted
        mine = EvaluationRun.objects.filter(pk=self.run.pk, runner=self.runner, ended_at=None)
        if not mine.update(held_until=ClockTimestamp() + HOLD):
            raise Lost
        if mine.filter(cancelled_by__isnull=False).exists():
            self._stop(RunState.CANCELLED, "")
        self.say()

    def _keep(self, results: list[CaseResult], answers: list[PaidAnswer]) -> None:
        with transaction.atomic():
            # A runner that was paused and lost the run must not write beside the one that has it now.
            held = EvaluationRun.objects.select_for_update(no_key=True).filter(pk=self.run.pk, runner=self.runner)
            if not held.values_list("pk", flat=True).first():
                raise Lost
            if answers:
                PaidAnswer.objects.bulk_create(answers, ignore_conflicts=True)
            if results:
                CaseResult.objects.bulk_create(results)
        for row in answers:
            self.spent.pay(row.cost)

    def _look(self, asking: list[Asked]) -> None:
        """The kept answer for each question; without one it may be asked, while the budget lasts.

        A question that another case is asking at this moment waits for that answer, and is not paid twice.
        """
        if not asking:
            return
        unknown = {key for asked in asking for key in asked.payload} - self.kept.keys() - self.absent
        if unknown:
            self.kept |= {row.key: row for row in PaidAnswer.objects.filter(key__in=unknown)}
        self.absent.difference_update(key for asked in asking for key in asked.payload)
        for asked in asking:
            found = next((self.kept[key] for key in asked.payload if key in self.kept), None)
            for key in asked.payload:
                self.kept.pop(key, None)
            if found is None and asked.payload[0] in self.asking:
                self.asking[asked.payload[0]].append(asked)
                continue
            if found is None and (words := self.spent.over_budget):
                self._stop(RunState.STOPPED, words)
            if found is None and self.why_stop:
                self.line.answer(asked, Stop())
                continue
            if found is None:
                self.spent.in_flight += 1
                self.asking[asked.payload[0]] = []
            self.line.answer(asked, found)

    def _stop(self, state: str, words: str) -> None:
        self.why_stop = self.why_stop or (state, words)

    def _next(self) -> Work | None:
        if self.why_stop:
            return None
        if not self.ready:
            self.ready.extend(islice(self.source, FEED))
            if self.ready:
                found = PaidAnswer.objects.filter(key__in=[work.key for work in self.ready])
                # Only what the cases ahead need is held; a question that is asked lets go of its own.
                self.absent = {work.key for work in self.ready} - {row.key for row in found}
                self.kept = {row.key: row for row in found} | dict(islice(self.kept.items(), FEED * WAITING_PER_SLOT))
        return self.ready.popleft() if self.ready else None

    def _works(self) -> Iterator[Work]:
        """The cases without a result, each standing at its first question."""
        after = -1
        entries = SuiteEntry.objects.at(self.run.revision).select_related("case")
        while batch := list(entries.filter(position__gt=after)[:FEED]):
            after = batch[-1].position
            done = set(
                CaseResult.objects.filter(
                    run=self.run, position__gte=batch[0].position, position__lte=after
                ).values_list("position", flat=True)
            )
            for entry in batch:
                if entry.position not in done:
                    yield self._work(entry)

    def _work(self, entry: SuiteEntry) -> Work:
        case = entry.case.load()
        conversation = play(self.job.configuration, case)
        messages = next(conversation)
        key = first_key(self.job, case, messages)
        return Work(entry.position, entry.name, entry.case_id, case, conversation, messages, key)
