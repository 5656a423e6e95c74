"""The stack that tests of this folder share, and the browser of those who look at it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local import stack
from tests.browser.conftest import browser, see
from tests.conftest import Background, PostgresServer

__all__ = ["browser", "see"]


@pytest.fixture(scope="package")
def running(
    background: Background,
    scratch: Path,
    postgres_server: PostgresServer,
    kafka_server: str,
    topic_prefixes: Callable[[], str],
) -> Iterator[stack.Running]:
    """The four services and the identity provider as processes, on databases and topics of their own."""
    made = {service: postgres_server.fresh(service) for service in stack.SERVICES}
    urls = {service: urls for service, (_, urls) in made.items()}
    environment = {
        **os.environ,
        "KAFKA_BOOTSTRAP_SERVERS": kafka_server,
        **{f"DATABASE_URL_{service.upper()}": urls[service].application for service in stack.SERVICES},
        **{f"MIGRATION_DATABASE_URL_{service.upper()}": urls[service].owner for service in stack.SERVICES},
    }
    prefix = topic_prefixes()
    started = stack.running(
        scratch / "stack",
        settings=lambda _: {service: {"KAFKA_TOPIC_PREFIX": prefix} for service in stack.SERVICES},
        environment=environment,
    )
    yield background.run(started.__aenter__())
    background.run(started.__aexit__(None, None, None))
    for name, _ in made.values():
        postgres_server.drop(name)
