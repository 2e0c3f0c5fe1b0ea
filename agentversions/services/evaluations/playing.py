"""Plays the cases of a run in an event loop of its own thread; everything that is kept goes through the keeper.

The loop never touches the database: it sends what it needs over a line to the thread that does, and waits. So every
answer is committed before the next question of its case is asked, and no answer waits for the commit of another's. A
result is only told: whoever takes up a killed run makes it anew from the answers that were kept.
"""

import asyncio
import secrets
from concurrent.futures import Future
from contextlib import AsyncExitStack
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from ssl import SSLContext
from typing import Any

import httpx2
from openai import AsyncOpenAI, DefaultAsyncHttpxClient

from agentversions.core.configuration import Json
from agentversions.core.evaluations.conversation import GoesInCircles, Message, Played
from agentversions.core.evaluations.expectations import Golden, Judged, check_all
from agentversions.core.evaluations.judging import (
    RESPONSE_FORMAT,
    RUBRIC,
    deliberate,
    judge_messages,
    read_verdict,
    transcript_text,
)
from agentversions.core.evaluations.scoring import outcome_of
from agentversions.core.evaluations.verdicts import Verdict
from agentversions.models import CaseResult, PaidAnswer

from .asking import NoReply, Reply, answer_of, ask, key_of
from .endpoints import Endpoint
from .lines import Job, Line, Stop, Work, first_key

WAITING_PER_SLOT = 3
"""Cases in work for each question in flight: while one's answer is committed, another asks."""


def play_in_thread(job: Job, line: Line, ended: "Future[None]") -> None:
    """The thread's main: play until there is no case left; tells how it ended."""

    async def main() -> None:
        line.main, line.loop = asyncio.current_task(), asyncio.get_running_loop()
        await _play_all(job, line)

    try:
        asyncio.run(main())
    except BaseException as error:
        ended.set_exception(error)
    else:
        ended.set_result(None)
    finally:
        line.asked.put(None)


@cache
def _certificates() -> SSLContext:
    """Whom connections trust; read once per process, because it takes a tenth of a second."""
    return httpx2.create_ssl_context()


async def _play_all(job: Job, line: Line) -> None:
    async with AsyncExitStack() as stack:
        lanes: asyncio.Queue[_Lane] = asyncio.Queue()
        for _ in range(job.concurrency):
            connection = await stack.enter_async_context(DefaultAsyncHttpxClient(verify=_certificates()))
            judge = job.judge.client(connection) if job.judge else None
            lanes.put_nowait(_Lane(job.endpoint.client(connection), judge))
        player = _Player(job, line, lanes)
        async with asyncio.TaskGroup() as group:
            for _ in range(job.concurrency * WAITING_PER_SLOT):
                group.create_task(player.work())


@dataclass(frozen=True)
class _Lane:
    """One question in flight, with a connection of its own that is kept open.

    A pool for all would look at each of its connections for every request: a fifth of the processor time of a run.
    """

    agent: AsyncOpenAI
    judge: AsyncOpenAI | None


class _Player:
    def __init__(self, job: Job, line: Line, lanes: "asyncio.Queue[_Lane]") -> None:
        self.job, self.line, self.lanes = job, line, lanes

    async def work(self) -> None:
        """One case after the other."""
        try:
            while (work := await self.line.send("next")) is not None:
                self.line.tell("keep", await self._result(work))
        except Stop:
            return

    async def _result(self, work: Work) -> CaseResult:
        try:
            played = await self._play(work)
        except (NoReply, GoesInCircles) as error:
            if isinstance(error, NoReply) and error.is_lasting:
                await self.line.send("give up", str(error))
            return self._grade(work, None, (), str(error))
        verdicts = [
            verdict or await self._judge(work, expectation, played)
            for expectation, verdict in zip(work.case.expect, check_all(work.case.expect, played.said), strict=True)
        ]
        return self._grade(work, played, tuple(verdicts), "")

    async def _play(self, work: Work) -> Played:
        messages, key = work.messages, work.key
        while True:
            kept = await self._ask(work, (key,), self.job.request, messages)
            work.latencies.append(kept.latency_ms)
            try:
                messages = work.conversation.send(answer_of(kept.answer, self.job.configuration))
            except StopIteration as end:
                played: Played = end.value
                return played
            key = first_key(self.job, work.case, messages)

    async def _judge(self, work: Work, expectation: Any, played: Played) -> Verdict:
        assert isinstance(expectation, Golden | Judged)
        assert self.job.judge is not None
        judge, transcript = self.job.judge, transcript_text(played.transcript)
        request = {"model": judge.model, "temperature": 0, "response_format": RESPONSE_FORMAT}
        deliberation = deliberate()
        number = next(deliberation)
        while True:
            key = key_of("judge", RUBRIC, judge.identity, expectation.criterion, transcript, number, self.job.salt)
            messages = judge_messages(expectation.criterion, transcript, secrets.token_hex(16))
            # What is no verdict is kept for this run only: the next run asks again.
            mine = key_of(key, self.job.run)
            try:
                kept = await self._ask(work, (key, mine), request, messages, is_judge=True)
                verdict = read_verdict(kept.answer["text"])
            except NoReply as error:
                verdict = Verdict("invalid", f"The judge did not answer. {error}")
            try:
                number = deliberation.send(verdict)
            except StopIteration as end:
                final: Verdict = end.value
                return final

    async def _ask(
        self,
        work: Work,
        keys: tuple[str, ...],
        request: Json,
        messages: list[Message],
        *,
        is_judge: bool = False,
    ) -> PaidAnswer:
        """The kept answer under one of the keys, or a new one, which is committed before this returns."""
        kept: PaidAnswer | None = await self.line.send("may", keys)
        if kept is None:
            lane = await self.lanes.get()
            try:
                client = lane.judge if is_judge else lane.agent
                assert client is not None
                reply = await ask(client, request, messages, keys[0])
            except NoReply:
                await self.line.send("unpaid", keys[0])
                raise
            finally:
                self.lanes.put_nowait(lane)
            is_verdict = not is_judge or read_verdict(reply.document["text"]).outcome != "invalid"
            endpoint = self.job.judge if is_judge else self.job.endpoint
            kept = self._paid(keys[0] if is_verdict else keys[-1], endpoint, reply)
            await self.line.send("paid", (keys[0], kept))
            work.paid += 1
        work.used.append(kept)
        return kept

    def _paid(self, key: str, endpoint: Endpoint | None, reply: Reply) -> PaidAnswer:
        return PaidAnswer(
            key=key,
            run_id=self.job.run,
            answer=reply.document,
            input_tokens=reply.input_tokens,
            output_tokens=reply.output_tokens,
            cost=endpoint.price.cost(reply.input_tokens, reply.output_tokens) if endpoint and endpoint.price else None,
            latency_ms=reply.latency_ms,
        )

    def _grade(self, work: Work, played: Played | None, verdicts: tuple[Verdict, ...], error: str) -> CaseResult:
        case, used = work.case, work.used
        judged = [verdict for one, verdict in zip(case.expect, verdicts, strict=False) if one.is_judged]
        costs = [one.cost for one in used]
        return CaseResult(
            run_id=self.job.run,
            case_id=work.case_id,
            name=work.name,
            position=work.position,
            tags=list(case.tags),
            weight=case.weight,
            must_pass=case.must_pass,
            outcome="error" if played is None else outcome_of(verdicts),
            judged=outcome_of(judged) if judged else "",
            transcript=list(played.transcript) if played else work.messages[1:],
            checks=[
                {"kind": one.kind, "words": one.words, "outcome": verdict.outcome, "reason": verdict.words}
                for one, verdict in zip(case.expect, verdicts, strict=False)
            ],
            error=error,
            calls=len(used),
            paid_calls=work.paid,
            input_tokens=sum(one.input_tokens for one in used),
            output_tokens=sum(one.output_tokens for one in used),
            cost=sum((cost for cost in costs if cost is not None), Decimal(0)) if None not in costs else None,
            latency_ms=max(work.latencies, default=None),
        )
