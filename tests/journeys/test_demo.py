"""The demo from end to end, on the session's PostgreSQL and Kafka with services of its own."""

import io
import os
import time
from pathlib import Path

import aiohttp
import pytest

from deploy.local import ports, stack
from deploy.local.demo import ngo, stage, story
from deploy.local.demo.progress import Progress
from tests.conftest import DatabaseUrls


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


class TestDemo:
    @pytest.mark.timeout(180)
    async def test_loses_and_doubles_nothing_and_resumes_without_importing_twice(
        self, tmp_path: Path, environment: dict[str, str], topic_prefix: str
    ) -> None:
        def settings(data: Path) -> dict[str, dict[str, str]]:
            wanted = stage.settings(data)
            return {s: {"KAFKA_TOPIC_PREFIX": topic_prefix, **wanted.get(s, {})} for s in stack.SERVICES}

        said: list[str] = []
        async with stack.running(tmp_path, settings=settings, environment=environment, say=said.append) as running:
            first = await play(running)
            await running.stop(f"receiver-{stage.LISTENING}")
            again = await play(running)
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
        assert moved.endswith("/elsewhere")


async def play(running: stack.Running) -> story.Result:
    return await story.run(running, began=time.monotonic(), progress=Progress(io.StringIO()))


async def move_the_dead_receiver(running: stack.Running) -> str:
    """Subscribe again under another address; returns where notify sends now."""
    async with aiohttp.ClientSession() as http:
        place = stage.Stage(running, http)
        client = place.client(stage.DEAD, "notify")
        wish = ngo.Wish("All", f"{place.address(stage.DEAD)}/elsewhere", provinces=[], needs=[], events=[])
        subscription = await ngo.subscribe(client, wish, place.known(stage.DEAD))
        told: str = (await client.get(f"/api/subscriptions/{subscription.subscription_id}"))["url"]
        return told
