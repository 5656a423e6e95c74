"""Kafka or PostgreSQL is away for a while: what was acknowledged is kept, what was not is refused honestly.

No service is started again for any of it.
"""

import asyncio
import json
import random
import signal
import time
from collections.abc import Sequence
from typing import Any, Literal

import pytest

from deploy.local.demo.client import Client
from deploy.local.stack import SERVICES
from shared.kit.ids import new_id
from tests.conftest import Background
from tests.faults import group, playing
from tests.faults.playing import Landing
from tests.faults.rig import SETTLES_WITHIN_S, Rig
from tests.waiting import until

RECOVERS_WITHIN_S = 30.0
UNSENT = "SELECT count(DISTINCT case_id) FROM outbox JOIN journal USING (position) WHERE case_id = ANY($1::uuid[])"
NOW = "SELECT case_id::text FROM arrivals"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("how", ["killed", "cut off"])
def test_intake_goes_on_accepting_without_kafka(
    rig: Rig, background: Background, how: Literal["killed", "cut off"]
) -> None:
    background.run(_without_kafka(rig, how))


async def _without_kafka(rig: Rig, how: Literal["killed", "cut off"]) -> None:
    await playing.subscribe(rig)
    pids = rig.pids()
    on_the_way = await playing.land(rig)
    if how == "killed":
        await rig.broker.kill()
    else:
        rig.broker.proxy.cut()
    try:
        answers = [await _answer(rig.client(playing.PORT, "intake"), new_id()) for _ in range(5)]
        assert [status for status, _, _ in answers] == [201] * 5, "intake must not need Kafka"
        recorded = [json.loads(body)["case_id"] for _, _, body in answers]
        assert await rig.databases.count("intake", UNSENT, recorded) == 5
        landing = await playing.land(rig)
    finally:
        if how == "killed":
            await rig.broker.start()
        rig.broker.proxy.heal()
    await playing.Agencies(rig).tend()
    await rig.settle()

    assert rig.pids() == pids, "a service had to be started again"
    assert set(recorded) <= set(await _cases(rig))
    assert set(on_the_way.acknowledged) <= set(await _cases(rig))
    assert await playing.judge(rig, landing) == []


@pytest.mark.timeout(300)
def test_a_write_without_postgres_is_refused_and_can_be_repeated(rig: Rig, background: Background) -> None:
    background.run(_intake_without_postgres(rig))


async def _intake_without_postgres(rig: Rig) -> None:
    before, pids = set(await _cases(rig)), rig.pids()
    port = rig.client(playing.PORT, "intake")
    assert await _record(port, "warm") == 201
    rig.postgres["intake"].cut()
    try:
        keys = [f"away-{n}" for n in range(5)]
        answers = [await _answer(port, key) for key in keys]
        assert [status for status, _, _ in answers] == [503] * 5
        for _, headers, body in answers:
            assert headers["Content-Type"].startswith("application/problem+json")
            assert int(headers["Retry-After"]) > 0
            assert json.loads(body)["status"] == 503
        assert (await playing.once(port, "GET", "/api/voyages"))[0] == 503
        assert (await playing.once(port, "GET", "/readyz"))[0] == 503
        assert (await playing.once(port, "GET", "/livez"))[0] == 200
    finally:
        rig.postgres["intake"].heal()
    assert await _repeat(port, keys) == [201] * 5

    assert rig.pids() == pids
    assert len(set(await _cases(rig)) - before) == 6
    await playing.Agencies(rig).tend()


@pytest.mark.timeout(300)
def test_a_connection_cut_in_the_middle_of_writes_promises_nothing_that_is_not_kept(
    rig: Rig, background: Background
) -> None:
    background.run(_cut_in_the_middle(rig))


async def _cut_in_the_middle(rig: Rig) -> None:
    before = set(await _cases(rig))
    port = rig.client(playing.PORT, "intake")
    keys = [f"middle-{n}" for n in range(60)]
    tries = [asyncio.create_task(_answer(port, key)) for key in keys]
    await until(lambda: any(one.done() for one in tries))
    rig.postgres["intake"].cut()
    try:
        answers = await asyncio.gather(*tries)
    finally:
        rig.postgres["intake"].heal()
    promised = [json.loads(body)["case_id"] for status, _, body in answers if status == 201]
    assert {status for status, _, _ in answers} <= {201, 503}
    assert set(promised) <= set(await _cases(rig)) - before, "an arrival was acknowledged and is not there"
    assert await _repeat(port, keys) == [201] * len(keys)

    assert len(set(await _cases(rig)) - before) == len(keys)
    await playing.Agencies(rig).tend()


@pytest.mark.timeout(300)
def test_hearers_wait_for_their_database_and_park_nothing(rig: Rig, background: Background) -> None:
    background.run(_hearers_without_postgres(rig))


async def _hearers_without_postgres(rig: Rig) -> None:
    await playing.subscribe(rig)
    pids = rig.pids()
    away = [rig.postgres[service] for service in ("referral", "notify", "audit")]
    turned_away = [proxy.turned_away for proxy in away]
    for proxy in away:
        proxy.cut()
    try:
        landing = await playing.land(rig)
        await until(
            lambda: all(proxy.turned_away >= n + 5 for proxy, n in zip(away, turned_away, strict=True)), within_s=40
        )
    finally:
        for proxy in away:
            proxy.heal()
    began = time.monotonic()
    await playing.Agencies(rig).tend()
    await rig.settle()

    assert rig.pids() == pids
    assert time.monotonic() - began < RECOVERS_WITHIN_S + SETTLES_WITHIN_S
    parked = [await rig.databases.count(service, "SELECT count(*) FROM parked") for service in SERVICES]
    assert parked == [0, 0, 0, 0]
    assert await playing.judge(rig, landing) == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(10))
def test_services_killed_at_random_lose_nothing(rig: Rig, background: Background, seed: int) -> None:
    background.run(_killed_at_random(rig, random.Random(seed)))


async def _killed_at_random(rig: Rig, draw: random.Random, kills: int = 8) -> None:
    await playing.subscribe(rig)
    agencies = playing.Agencies(rig)

    async def work() -> Landing:
        while True:
            landing = await playing.land(rig)
            await agencies.tend()
            if killing.done():
                return landing

    async def kill() -> None:
        for _ in range(kills):
            service = draw.choice(SERVICES)
            process = await rig.arm(service, "nowhere")
            await asyncio.sleep(draw.uniform(0, 2))
            process.send_signal(signal.SIGKILL)
            await rig.mend(service, process)

    killing = asyncio.create_task(kill())
    landing = await work()
    await rig.settle()

    assert await playing.judge(rig, landing) == []


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_slept_longer_than_its_place_in_the_group_disturbs_nothing(
    rig: Rig, background: Background, service: str
) -> None:
    background.run(_asleep(rig, service))


async def _asleep(rig: Rig, service: str) -> None:
    await playing.subscribe(rig)
    process = await rig.arm(service, "nowhere")
    process.send_signal(signal.SIGSTOP)
    try:
        working = asyncio.create_task(playing.land(rig)) if service != "intake" else None
        await until(lambda: group.is_empty(rig.running.bootstrap, service), within_s=60)
    finally:
        process.send_signal(signal.SIGCONT)
    landing = await (working or playing.land(rig))
    await playing.Agencies(rig).tend()
    await rig.settle()
    wrong = await playing.judge(rig, landing)
    process.send_signal(signal.SIGTERM)
    await rig.mend(service, process)

    assert wrong == []


async def _record(port: Client, key: str) -> int:
    return (await _answer(port, key))[0]


async def _answer(port: Client, key: str) -> tuple[int, Any, str]:
    person = {"full_name": f"Orang {key}", "sex": "F", "age": 41}
    return await playing.once(port, "POST", "/api/arrivals", person, key=key)


async def _repeat(port: Client, keys: Sequence[str]) -> list[int]:
    """Send each again with its key, as a client would, until the service is back."""

    async def is_back() -> bool:
        return (await playing.once(port, "GET", "/readyz"))[0] == 200

    await until(is_back, within_s=RECOVERS_WITHIN_S)
    return [await _record(port, key) for key in keys]


async def _cases(rig: Rig) -> list[str]:
    return [row[0] for row in await rig.databases.connections["intake"].fetch(NOW)]
