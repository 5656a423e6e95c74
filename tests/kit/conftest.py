"""A pair of services that have only the platform: one that says things, one that hears them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

import pytest_asyncio
import uvicorn

from deploy.local import ports
from deploy.local.identity_provider.app import Provider
from shared.contracts.intake.voyages import VoyageAnnounced
from shared.kit import broker, ids
from shared.kit.actor import Actor
from shared.kit.database import Database, connect
from shared.kit.settings import KitSettings
from tests.conftest import DatabaseUrls
from tests.kit.site import PROVIDER_SECRET, Site, a_site

OFFICER = Actor("officer", "BP3MI-65", frozenset({"port_officer"}), port="NNK")


class SpeakerSettings(KitSettings):
    service: ClassVar[str] = "intake"


class HearerSettings(KitSettings):
    service: ClassVar[str] = "referral"


@dataclass(frozen=True)
class Party:
    settings: KitSettings
    database: Database


def a_voyage(case_id: str | None = None, announced: int = 1) -> VoyageAnnounced:
    return VoyageAnnounced(
        case_id=case_id or ids.new_id(),
        port="NNK",
        modality="deportation",
        announced=announced,
        expected_at=datetime(2026, 11, 23, 9, tzinfo=UTC),
    )


async def _party(settings: KitSettings) -> Party:
    await broker.make_topics(settings, [settings.service])
    return Party(settings, await connect(settings.database_url, service=settings.service))


@pytest_asyncio.fixture
async def speaker(database_urls: DatabaseUrls, kafka_server: str, topic_prefix: str) -> AsyncIterator[Party]:
    """A service called intake, with the kit's tables, topics of its own and nothing else."""
    party = await _party(
        SpeakerSettings(
            environment="development",
            database_url=database_urls("speaker").application,
            kafka_bootstrap_servers=kafka_server,
            kafka_topic_prefix=topic_prefix,
        )
    )
    yield party
    await party.database.aclose()


@pytest_asyncio.fixture
async def hearer(database_urls: DatabaseUrls, kafka_server: str, topic_prefix: str) -> AsyncIterator[Party]:
    """A service called referral, with the kit's tables."""
    party = await _party(
        HearerSettings(
            environment="development",
            database_url=database_urls("hearer").application,
            kafka_bootstrap_servers=kafka_server,
            kafka_topic_prefix=topic_prefix,
        )
    )
    yield party
    await party.database.aclose()


@pytest_asyncio.fixture
async def database(database_urls: DatabaseUrls) -> AsyncIterator[Database]:
    """A database with the kit's tables only."""
    database = await connect(database_urls("speaker").application, service="intake")
    yield database
    await database.aclose()


@pytest_asyncio.fixture
async def issuer() -> AsyncIterator[str]:
    """The address of a running development provider."""
    port = ports.free()
    provider = Provider(issuer=f"http://127.0.0.1:{port}", secret=PROVIDER_SECRET)
    server = uvicorn.Server(uvicorn.Config(provider.app(), port=port, log_level="error", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield provider.issuer
    server.should_exit = True
    await serving


@pytest_asyncio.fixture
async def site(database_urls: DatabaseUrls, issuer: str) -> AsyncIterator[Site]:
    async with a_site(database_urls("identity").application, issuer) as site:
        yield site
