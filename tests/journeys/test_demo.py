"""The demo from end to end, on the session's PostgreSQL and Kafka with services of its own."""

import io
import os
import time
from pathlib import Path

import pytest

from deploy.local import stack
from deploy.local.demo import stage, story
from deploy.local.demo.progress import Progress
from tests.conftest import DatabaseUrls


@pytest.fixture
def environment(database_urls: DatabaseUrls, kafka_server: str) -> dict[str, str]:
    """What makes the stack use the session's servers."""
    given = {**os.environ, "KAFKA_BOOTSTRAP_SERVERS": kafka_server}
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
        first = await play(tmp_path, environment, topic_prefix)

        assert first.ok, first.text
        assert first.line["lost"] == first.line["doubled"] == 0
        assert first.line["announced"] == 204
        assert first.line["listed"] == first.line["arrived"] + first.line["rejected_rows"] == 200
        assert first.line["needs"] <= first.line["assignments"]
        assert min(first.line["accepted"], first.line["declined"], first.line["deliveries"]) > 0
        assert first.line["ledger_verified"] is True

        again = await play(tmp_path, environment, topic_prefix)

        assert again.ok, again.text
        assert {name: again.line[name] for name in ("arrived", "needs", "assignments", "accepted", "declined")} == {
            name: first.line[name] for name in ("arrived", "needs", "assignments", "accepted", "declined")
        }


async def play(folder: Path, environment: dict[str, str], prefix: str) -> story.Result:
    began = time.monotonic()
    wanted = stage.settings(folder)
    settings = {service: {"KAFKA_TOPIC_PREFIX": prefix, **wanted.get(service, {})} for service in stack.SERVICES}
    said: list[str] = []
    async with stack.running(folder, settings=settings, environment=environment, say=said.append) as running:
        return await story.run(running, began=began, progress=Progress(io.StringIO()))
