"""Group commit without a timer: one lane takes all that waits, writes it, answers each, and takes again."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class LaneFull(Exception):
    """More waits than the lane will hold; the client should come back in a moment."""


class Lane(Generic[T, R]):
    """Gathers single items into batches for `write`, which answers one result or exception per item.

    When `write` itself raises, the batch is split in halves until the item at fault stands alone, so that one bad
    item fails nobody else; what `shared_trouble` names is no item's fault and is told to all of them at once. An idle
    lane adds no latency; a busy one writes what came meanwhile.
    """

    def __init__(
        self,
        write: Callable[[Sequence[T]], Awaitable[Sequence[R | Exception]]],
        *,
        shared_trouble: tuple[type[Exception], ...] = (),
        limit: int = 500,
        waiting_limit: int = 20_000,
    ) -> None:
        self._write = write
        self._shared_trouble = shared_trouble
        self._limit = limit
        self._waiting_limit = waiting_limit
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._task: asyncio.Task[None] | None = None

    async def put(self, item: T) -> R:
        """Write one item with whatever else waits; answers its result, raises its refusal."""
        if len(self._waiting) >= self._waiting_limit:
            raise LaneFull(f"{self._waiting_limit} items are waiting to be written; try again in a moment")
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return await answer

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[: self._limit], self._waiting[self._limit :]
                await self._settle(batch)
        finally:
            self._task = None
            if self._waiting:
                self._task = asyncio.create_task(self._run())

    async def _settle(self, batch: list[tuple[T, "asyncio.Future[R]"]]) -> None:
        try:
            results = await self._write([item for item, _ in batch])
        except Exception as error:
            if len(batch) == 1 or isinstance(error, self._shared_trouble):
                for _, answer in batch:
                    if not answer.done():
                        answer.set_exception(error)
                return
            middle = len(batch) // 2
            await self._settle(batch[:middle])
            await self._settle(batch[middle:])
            return
        for (_, answer), result in zip(batch, results, strict=True):
            if answer.done():
                continue
            if isinstance(result, Exception):
                answer.set_exception(result)
            else:
                answer.set_result(result)
