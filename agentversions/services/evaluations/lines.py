"""The line between a run's event loop, which asks models, and the keeper's thread, which has the database."""

import asyncio
import contextlib
from collections.abc import Generator
from dataclasses import dataclass, field
from functools import cached_property
from queue import SimpleQueue
from typing import Any

from agentversions.core.configuration import AgentConfiguration, Json
from agentversions.core.evaluations.cases import Case
from agentversions.core.evaluations.conversation import Answer, Message, Played
from agentversions.models import PaidAnswer

from .asking import key_of, request_of
from .endpoints import Endpoint


class Stop(Exception):
    """The run ends here: cancelled, or its budget is spent. The case that hears it stays unfinished."""


@dataclass(frozen=True)
class Job:
    """What a run asks of whom."""

    run: int
    digest: str
    configuration: AgentConfiguration
    endpoint: Endpoint
    judge: Endpoint | None
    concurrency: int
    salt: str
    """Makes a fresh run's questions its own, so that no kept answer is taken; empty otherwise."""

    @cached_property
    def request(self) -> Json:
        """Everything of a question but its messages."""
        return request_of(self.endpoint, self.configuration)

    @cached_property
    def parameters(self) -> Json:
        """The same without the tools, which the digest names."""
        return {name: value for name, value in self.request.items() if name != "tools"}


@dataclass
class Work:
    """One case that is being played: its conversation stands at its first question."""

    position: int
    name: str
    case_id: str
    case: Case
    conversation: Generator[list[Message], Answer, Played]
    messages: list[Message]
    key: str
    used: list[PaidAnswer] = field(default_factory=list)
    latencies: list[int] = field(default_factory=list)
    paid: int = 0


@dataclass(frozen=True)
class Asked:
    """What the keeper is asked: `next` (a case), `may` (ask a question with these keys: the kept answer, or None for go
    on), `paid` (an answer), `unpaid` (no answer to a question), `give up` (there will be none); and told, without a
    reply: `keep` (a result).
    """

    kind: str
    payload: Any
    reply: "asyncio.Future[Any] | None" = None


class Line:
    """Between the loop and the keeper's thread."""

    def __init__(self) -> None:
        self.asked: SimpleQueue[Asked | None] = SimpleQueue()
        self.loop: asyncio.AbstractEventLoop | None = None
        self.main: asyncio.Task[Any] | None = None
        self._answers: list[tuple[asyncio.Future[Any], Any]] = []

    def tell(self, kind: str, payload: Any) -> None:
        """Tell the keeper, wait for nothing."""
        self.asked.put(Asked(kind, payload))

    async def send(self, kind: str, payload: Any = None) -> Any:
        """Ask the keeper, wait for its answer. Raises Stop when the run ends."""
        loop = asyncio.get_running_loop()
        reply: asyncio.Future[Any] = loop.create_future()
        self.asked.put(Asked(kind, payload, reply))
        return await reply

    def answer(self, asked: Asked, value: Any) -> None:
        """From the keeper's thread: a value, or an exception to raise; it goes out with the next `flush`."""
        if asked.reply is not None:
            self._answers.append((asked.reply, value))

    def flush(self) -> None:
        """From the keeper's thread: send the answers; all at once, because the loop is woken by a system call."""
        answers, self._answers = self._answers, []
        if answers and self.loop is not None:
            self.loop.call_soon_threadsafe(_settle, answers)

    def abort(self) -> None:
        """From the keeper's thread: end the loop, whatever it waits for."""
        if self.loop is not None and self.main is not None:
            with contextlib.suppress(RuntimeError):  # it has ended meanwhile
                self.loop.call_soon_threadsafe(self.main.cancel)


def _settle(answers: "list[tuple[asyncio.Future[Any], Any]]") -> None:
    for reply, value in answers:
        if reply.done():
            continue
        if isinstance(value, BaseException):
            reply.set_exception(value)
        else:
            reply.set_result(value)


def first_key(job: Job, case: Case, messages: list[Message]) -> str:
    """The key of a question of a case; the system message follows from the digest and the case."""
    return key_of(
        "answer", job.digest, case.conversation_digest, job.endpoint.identity, job.parameters, job.salt, messages[1:]
    )
