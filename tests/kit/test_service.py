"""A service as a process: it says when it is ready, and stops by itself when it is told to."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import pytest

from deploy.local import folder, ports
from shared.kit import broker
from shared.kit.service import SERVICES
from tests.conftest import DatabaseUrls
from tests.kit.conftest import SpeakerSettings
from tests.waiting import until


@dataclass(frozen=True)
class Served:
    process: Process
    port: int

    async def status(self, path: str) -> int | None:
        """What it answers there, None while nobody listens."""
        assert self.process.returncode is None, "it ended before it was told to"
        try:
            async with aiohttp.ClientSession() as client, client.get(f"http://127.0.0.1:{self.port}{path}") as answer:
                return answer.status
        except aiohttp.ClientConnectionError:
            return None

    async def is_ready(self) -> bool:
        return await self.status("/readyz") == 200

    async def hears(self) -> bool:
        return await self.status("/readyz?consumer=1") == 200


def environment(database_url: str, kafka: str, **more: str) -> dict[str, str]:
    return {
        **os.environ,
        "ENVIRONMENT": "development",
        "DATABASE_URL_INTAKE": database_url,
        "KAFKA_BOOTSTRAP_SERVERS": kafka,
        "VAULT_KEK": folder.new_secret(),
        "VAULT_INDEX_KEY": folder.new_secret(),
        "OIDC_ISSUER": "http://127.0.0.1:1",
        "LOG_LEVEL": "error",
        **more,
    }


@asynccontextmanager
async def serving(database_url: str, kafka: str, **more: str) -> AsyncIterator[Served]:
    port = ports.free()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.intake", "serve"),
        env=environment(database_url, kafka, PORT=str(port), **more),
    )
    try:
        yield Served(process, port)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
async def test_stops_cleanly_when_told_to(
    stop: signal.Signals, database_urls: DatabaseUrls, kafka_server: str, topic_prefix: str
) -> None:
    settings = SpeakerSettings(
        environment="development",
        database_url=database_urls("intake").application,
        kafka_bootstrap_servers=kafka_server,
        kafka_topic_prefix=topic_prefix,
    )
    await broker.make_topics(settings, SERVICES)
    async with serving(settings.database_url, kafka_server, KAFKA_TOPIC_PREFIX=topic_prefix) as served:
        await until(served.hears, within_s=60)
        served.process.send_signal(stop)

        assert await asyncio.wait_for(served.process.wait(), 30) == 0


async def test_starts_serves_and_stops_while_kafka_is_away(database_urls: DatabaseUrls) -> None:
    async with serving(database_urls("intake").application, f"127.0.0.1:{ports.free()}") as served:
        await until(served.is_ready, within_s=60)
        alive, hears = await served.status("/livez"), await served.hears()
        served.process.send_signal(signal.SIGTERM)

        assert await asyncio.wait_for(served.process.wait(), 30) == 0
    assert (alive, hears) == (200, False)


@pytest.mark.parametrize(("options", "status"), [([], 1), (["--kafka-may-be-away"], 0)])
async def test_is_brought_to_its_version_without_kafka_where_that_is_allowed(
    database_urls: DatabaseUrls, options: list[str], status: int
) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.intake", "migrate", *options),
        env=environment(database_urls("intake").owner, f"127.0.0.1:{ports.free()}"),
        stderr=PIPE,
    )
    _, said = await process.communicate()

    assert process.returncode == status
    assert "topics were not made: Kafka does not answer" in said.decode()
    assert "Traceback" not in said.decode()


@pytest.mark.parametrize(("command", "status"), [("serve", 78), ("check", 1)])
async def test_neither_serves_nor_is_called_fit_as_a_role_that_policies_do_not_bind(
    database_urls: DatabaseUrls, command: str, status: int
) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.intake", command),
        env=environment(database_urls("intake").owner, f"127.0.0.1:{ports.free()}", PORT=str(ports.free())),
        stdout=PIPE,
        stderr=PIPE,
    )
    _, said = await asyncio.wait_for(process.communicate(), 60)

    assert process.returncode == status
    assert "intake: the database role rujukan_test_intake_owner owns tables" in said.decode()
    assert "Traceback" not in said.decode()
