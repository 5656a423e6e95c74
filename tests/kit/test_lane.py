"""The lane gathers what waits, and one bad item fails nobody else."""

import asyncio
from collections.abc import Sequence

import pytest

from shared.kit.lane import Lane, LaneFull


async def test_gathers_what_waits_while_a_batch_is_written() -> None:
    batches: list[list[int]] = []
    first = asyncio.Event()

    async def write(items: Sequence[int]) -> list[int]:
        batches.append(list(items))
        if len(batches) == 1:
            await first.wait()
        return [item * 2 for item in items]

    lane: Lane[int, int] = Lane(write)
    answers = [asyncio.create_task(lane.put(0))]
    await asyncio.sleep(0)
    answers += [asyncio.create_task(lane.put(n)) for n in range(1, 6)]
    await asyncio.sleep(0)
    first.set()

    assert await asyncio.gather(*answers) == [0, 2, 4, 6, 8, 10]
    assert batches == [[0], [1, 2, 3, 4, 5]]


async def test_splits_a_failing_batch_until_the_bad_item_stands_alone() -> None:
    async def write(items: Sequence[int]) -> list[int]:
        if 7 in items:
            raise ValueError("seven")
        return list(items)

    lane: Lane[int, int] = Lane(write)

    answers = await asyncio.gather(*(lane.put(n) for n in range(20)), return_exceptions=True)

    assert [a for a in answers if not isinstance(a, BaseException)] == [n for n in range(20) if n != 7]
    assert isinstance(answers[7], ValueError)


async def test_passes_a_refusal_of_one_item_to_its_sender_only() -> None:
    async def write(items: Sequence[int]) -> list[int | Exception]:
        return [KeyError(n) if n == 3 else n for n in items]

    lane: Lane[int, int] = Lane(write)

    answers = await asyncio.gather(*(lane.put(n) for n in range(5)), return_exceptions=True)

    assert [type(a) for a in answers] == [int, int, int, KeyError, int]


async def test_refuses_more_than_it_will_hold() -> None:
    gate = asyncio.Event()

    async def write(items: Sequence[int]) -> list[int]:
        await gate.wait()
        return list(items)

    lane: Lane[int, int] = Lane(write, limit=1, waiting_limit=2)
    held = [asyncio.create_task(lane.put(0))]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    held += [asyncio.create_task(lane.put(n)) for n in (1, 2)]
    await asyncio.sleep(0)

    with pytest.raises(LaneFull):
        await lane.put(3)
    gate.set()

    assert await asyncio.gather(*held) == [0, 1, 2]


async def test_survives_a_sender_that_went_away() -> None:
    gate = asyncio.Event()

    async def write(items: Sequence[int]) -> list[int]:
        await gate.wait()
        return list(items)

    lane: Lane[int, int] = Lane(write)
    gone = asyncio.create_task(lane.put(1))
    await asyncio.sleep(0)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    stays = asyncio.create_task(lane.put(2))
    gate.set()

    assert await stays == 2


async def test_trouble_that_is_no_items_fault_is_told_to_all_at_once() -> None:
    tried = 0

    async def write(_: Sequence[int]) -> list[int]:
        nonlocal tried
        tried += 1
        raise ConnectionResetError

    lane: Lane[int, int] = Lane(write, shared_trouble=(ConnectionError,))
    answers = await asyncio.gather(*(lane.put(n) for n in range(8)), return_exceptions=True)

    assert [type(answer) for answer in answers] == [ConnectionResetError] * 8
    assert tried == 1
