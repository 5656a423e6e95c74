"""What a process says of itself: Kafka being away takes nobody out of service."""

import asyncio
from typing import Any

import httpx2
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from starlette.applications import Starlette

from shared.kit import broker, telemetry
from shared.kit.database import Database
from shared.kit.health import FIGURES, Health
from shared.kit.ids import new_id
from tests.kit.conftest import OFFICER, Party, a_voyage
from tests.waiting import until


async def hear(records: Any) -> None:
    """Take the records and do nothing."""


def app_of(health: Health) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=Starlette(routes=health.routes())), base_url="http://service.example"
    )


async def said(health: Health, address: str) -> tuple[int, Any]:
    async with app_of(health) as client:
        answer = await client.get(address)
    return answer.status_code, answer.json()


class TestReady:
    async def test_without_kafka_is_who_serves_people(self, speaker: Party) -> None:
        health = Health(speaker.database)
        health.watch(broker.subscribe(broker.consuming(speaker.settings), ["nowhere"], group="none", handle=hear))

        assert await said(health, "/readyz") == (200, {"ready": True})

    async def test_with_the_consumer_is_who_has_partitions(self, speaker: Party, topic_prefix: str) -> None:
        health, consuming = Health(speaker.database), broker.consuming(speaker.settings)
        [topic, _] = broker.topics_of("intake", topic_prefix)
        health.watch(broker.subscribe(consuming, [topic], group=f"{topic_prefix}health", handle=hear))

        before = await said(health, "/readyz?consumer=1")
        running = asyncio.create_task(broker.run(consuming))
        try:
            await until(lambda: _is_ready(health))
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

        assert before == (503, {"ready": False, "waiting_for": "kafka"})

    async def test_who_hears_nothing_waits_for_no_partitions(self, database: Database) -> None:
        assert await said(Health(database), "/readyz?consumer=1") == (200, {"ready": True})

    @pytest.mark.parametrize("address", ["/readyz", "/readyz?consumer=1"])
    async def test_is_nobody_without_the_database(self, database: Database, address: str) -> None:
        await database.aclose()

        assert await said(Health(database), address) == (503, {"ready": False, "waiting_for": "database"})


class TestFigures:
    async def published(self, health: Health, monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
        reader = InMemoryMetricReader()
        monkeypatch.setattr(telemetry, "meter", MeterProvider([reader]).get_meter("test"))
        health.publish()
        await health.figures()
        data: Any = reader.get_metrics_data()
        metrics = data.resource_metrics[0].scope_metrics[0].metrics
        return {m.name: point.value for m in metrics for point in m.data.data_points}

    async def test_are_published_by_name(self, speaker: Party, monkeypatch: pytest.MonkeyPatch) -> None:
        async with speaker.database.work(OFFICER, purpose="announce") as work:
            work.emit(a_voyage(new_id()))

        async def overdue() -> float:
            return 3.0

        said = await self.published(Health(speaker.database, overdue), monkeypatch)

        assert said.keys() == set(FIGURES) - {"records_behind"}
        assert (said["outbox_rows_unsent"], said["overdue"]) == (1, 3)

    async def test_of_a_consumer_that_is_shut_out_say_nothing_of_records_behind(
        self, speaker: Party, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        health = Health(speaker.database)
        health.watch(broker.subscribe(broker.consuming(speaker.settings), ["nowhere"], group="none", handle=hear))

        assert "records_behind" not in await self.published(health, monkeypatch)


async def test_who_is_not_ready_is_alive(database: Database) -> None:
    await database.aclose()

    status, _ = await said(Health(database), "/livez")

    assert status == 200


async def _is_ready(health: Health) -> bool:
    return await said(health, "/readyz?consumer=1") == (200, {"ready": True})
