"""A service as a process: it says when it is ready, and stops by itself when it is told to."""

import asyncio
import os
import signal
import sys

import aiohttp
import pytest

from deploy.local import folder, ports
from shared.kit import broker
from tests.conftest import DatabaseUrls
from tests.kit.conftest import SpeakerSettings
from tests.waiting import until


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
    await broker.make_topics(settings, ["intake", "referral"])
    port = ports.free()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.intake", "serve"),
        env={
            **os.environ,
            "ENVIRONMENT": "development",
            "DATABASE_URL_INTAKE": settings.database_url,
            "KAFKA_BOOTSTRAP_SERVERS": kafka_server,
            "KAFKA_TOPIC_PREFIX": topic_prefix,
            "PORT": str(port),
            "VAULT_KEK": folder.new_secret(),
            "OIDC_ISSUER": "http://127.0.0.1:1",
            "LOG_LEVEL": "error",
        },
    )
    try:
        async with aiohttp.ClientSession() as client:

            async def is_ready() -> bool:
                assert process.returncode is None, "it ended before it was told to"
                try:
                    async with client.get(f"http://127.0.0.1:{port}/readyz") as answer:
                        return answer.status == 200
                except aiohttp.ClientConnectionError:
                    return False

            await until(is_ready, within_s=60)
        process.send_signal(stop)

        assert await asyncio.wait_for(process.wait(), 30) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
