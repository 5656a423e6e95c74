"""What-if questions that are answered while people look on: each once in a process, and told how far it is."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from services.referral.actions import trying
from services.referral.actions.trying import Prepared, Question
from shared.kit.actor import Actor
from shared.kit.database import Database

KEPT_FOR = timedelta(minutes=5)
"""How long an answer stands; whoever asks later has it worked out again."""
MOST_KEPT = 8


@dataclass(slots=True)
class Run:
    """One question being answered. `result` is as people may see it, once it is there."""

    prepared: Prepared
    began_at: datetime
    done: int = 0
    result: dict[str, Any] | None = None
    task: asyncio.Task[None] = field(init=False)

    def __post_init__(self) -> None:
        self.task = asyncio.create_task(self._answer())

    @property
    def total(self) -> int:
        return self.prepared.total

    async def finished(self) -> dict[str, Any]:
        """The result, as soon as it is there."""
        await asyncio.shield(self.task)
        assert self.result is not None
        return self.result

    async def _answer(self) -> None:
        async for done in self.prepared.run():
            self.done = done
        self.result = self.prepared.trial.published()


class Runs:
    """The questions that are being answered, and those that were a moment ago."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._runs: OrderedDict[Question, Run] = OrderedDict()

    async def of(self, actor: Actor, asked: Question) -> Run:
        """The run that answers a question; begins it where there is none. Raises as `trying.prepare`."""
        known, now = self._runs.get(asked), self._database.clock.now()
        if known is not None and now - known.began_at < KEPT_FOR and not _has_failed(known):
            return known
        prepared = await trying.prepare(self._database, actor, asked)
        if known is None or self._runs.get(asked) is known:
            self._runs[asked] = Run(prepared, now)
            self._runs.move_to_end(asked)
        while len(self._runs) > MOST_KEPT:
            self._runs.popitem(last=False)[1].task.cancel()
        return self._runs[asked]

    async def aclose(self) -> None:
        """Give up what is not answered yet."""
        for run in self._runs.values():
            run.task.cancel()
        await asyncio.gather(*(run.task for run in self._runs.values()), return_exceptions=True)


def _has_failed(run: Run) -> bool:
    return run.task.done() and (run.task.cancelled() or run.task.exception() is not None)
