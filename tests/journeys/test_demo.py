"""The demo from end to end, on the session's PostgreSQL and Kafka with services of its own."""

import io
import os
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import aiohttp
import asyncpg
import pytest

from deploy.local import ports, stack
from deploy.local.demo import ngo, stage, story
from deploy.local.demo.progress import Progress
from deploy.local.postgres import Urls
from tests.conftest import DatabaseUrls

Start = Callable[[], AbstractAsyncContextManager[stack.Running]]


@pytest.fixture
def environment(database_urls: DatabaseUrls, kafka_server: str) -> dict[str, str]:
    """What makes the stack use the session's servers, and ports that nobody else will take."""
    given = {**os.environ, "KAFKA_BOOTSTRAP_SERVERS": kafka_server}
    given |= {f"PORT_{name.upper()}": str(ports.free()) for name in stack.PORTS}
    for service in stack.SERVICES:
        urls = database_urls(service)
        given[f"DATABASE_URL_{service.upper()}"] = urls.application
        given[f"MIGRATION_DATABASE_URL_{service.upper()}"] = urls.owner
    return given


@pytest.fixture
def start(tmp_path: Path, environment: dict[str, str], topic_prefix: str) -> Start:
    """`async with start()` runs a stack for the demo, always on the same data."""

    def settings(data: Path) -> dict[str, dict[str, str]]:
        wanted = stage.settings(data)
        return {s: {"KAFKA_TOPIC_PREFIX": topic_prefix, **wanted.get(s, {})} for s in stack.SERVICES}

    return lambda: stack.running(tmp_path, settings=settings, environment=environment, say=lambda _: None)


class TestDemo:
    @pytest.mark.timeout(180)
    async def test_loses_and_doubles_nothing_and_imports_nothing_again_after_a_restart(
        self, start: Start, database_urls: DatabaseUrls
    ) -> None:
        async with start() as running:
            first = await play(running)
            counted = await count(database_urls)
        async with start() as running:
            again = await play(running)
            counted_again = await count(database_urls)
            moved = await move_the_dead_receiver(running)

        assert first.ok, first.text
        assert first.line["lost"] == first.line["doubled"] == 0
        assert first.line["announced"] == 204
        assert first.line["listed"] == first.line["arrived"] + first.line["rejected_rows"] == 200
        assert first.line["needs"] <= first.line["assignments"]
        assert min(first.line["accepted"], first.line["declined"], first.line["deliveries"]) > 0
        assert first.line["ledger_verified"] is True
        assert again.ok, again.text
        for name in ("listed", "arrived", "needs", "assignments", "accepted", "declined"):
            assert again.line[name] == first.line[name], name
        assert counted_again == counted
        assert moved.endswith("/elsewhere")

    @pytest.mark.timeout(180)
    async def test_counts_a_referral_that_is_lost_while_others_wait_for_it(
        self, start: Start, tmp_path: Path, database_urls: DatabaseUrls
    ) -> None:
        manifest = tmp_path / "three.csv"
        manifest.write_text("".join(story.SAMPLE.read_text(encoding="utf-8").splitlines(keepends=True)[:4]))
        async with start() as running:
            sound = await play(running, manifest)
            await lose_a_referral(database_urls("referral"))
            (tmp_path / "demo" / "played").unlink()
            await running.stop(f"receiver-{stage.LISTENING}")

            result = await play(running, manifest, limit_s=1)

        assert sound.ok, sound.text
        assert not result.ok
        assert "there were still 1 needs not referred yet" in result.text
        assert list(result.line) == list(sound.line)
        assert result.line["lost"] >= 1
        assert result.line["ledger_verified"] is True
        assert not (tmp_path / "demo" / "played").exists()


async def play(running: stack.Running, manifest: Path = story.SAMPLE, *, limit_s: float = 60) -> story.Result:
    progress = Progress(io.StringIO())
    return await story.run(running, manifest, began=time.monotonic(), limit_s=limit_s, progress=progress)


COUNTED = {
    "intake": ("voyages", "manifests", "manifest_problems", "held_rows", "person_keys", "arrivals", "referred_needs"),
    "referral": ("referrals", "assignments"),
    "notify": ("subscriptions", "deliveries"),
}


async def count(database_urls: DatabaseUrls) -> dict[str, int]:
    """How many rows there are of everything that a second import would add to."""
    counted = {}
    for service, tables in COUNTED.items():
        connection = await asyncpg.connect(database_urls(service).owner)
        for table in tables:
            counted[table] = await connection.fetchval(f"SELECT count(*) FROM {table}")
        await connection.close()
    return counted


async def lose_a_referral(urls: Urls) -> None:
    """As no service may: the owner takes a row away."""
    connection = await asyncpg.connect(urls.owner)
    await connection.execute(
        "DELETE FROM referrals WHERE referral_id = (SELECT min(referral_id::text)::uuid FROM referrals)"
    )
    await connection.close()


async def move_the_dead_receiver(running: stack.Running) -> str:
    """Subscribe again under another address; returns where notify sends now."""
    async with aiohttp.ClientSession() as http:
        place = stage.Stage(running, http)
        client = place.client(stage.DEAD, "notify")
        wish = ngo.Wish("All", f"{place.address(stage.DEAD)}/elsewhere", provinces=[], needs=[], events=[])
        subscription = await ngo.subscribe(client, wish, place.known(stage.DEAD))
        told: str = (await client.get(f"/api/subscriptions/{subscription.subscription_id}"))["url"]
        return told
