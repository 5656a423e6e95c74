"""The service as it runs: from Kafka to a signed checkpoint within a second; its command line; its settings."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from click.testing import CliRunner, Result

from services.audit.__main__ import build, cli
from services.audit.settings import Settings
from shared.contracts import access
from shared.contracts.intake.voyages import VoyageAnnounced
from shared.kit import broker, clock
from shared.kit.actor import Actor
from shared.kit.database import Database, connect
from shared.kit.ids import new_id
from shared.kit.relay import Relay
from shared.kit.service import SERVICES, heard_topics
from shared.kit.settings import KitSettings, load
from tests.audit import factories
from tests.audit.ledger import ORIGIN, Ledger
from tests.conftest import DatabaseUrls
from tests.waiting import until

KEY = base64.urlsafe_b64encode(b"k" * 32).decode()
OFFICER = Actor("officer", "BP3MI-65", frozenset({"port_officer"}), port="NNK")


class SpeakerSettings(KitSettings):
    service = "intake"


@asynccontextmanager
async def running(settings: Settings, database: Database) -> AsyncIterator[None]:
    """Audit's consumer and clock, on the real broker."""
    async with AsyncExitStack() as stack:
        service = await build(settings, database, stack)
        consuming = broker.consuming(settings)
        broker.subscribe(
            consuming,
            heard_topics(service),
            group=f"{settings.kafka_topic_prefix}audit",
            handle=service.inbox.receive,
        )
        tasks = [
            asyncio.create_task(broker.run(consuming)),
            *(asyncio.create_task(clock.every(r.every_s, r.do, name=r.name)) for r in service.clocks),
        ]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_row_is_under_a_signed_checkpoint_within_a_second_of_reaching_kafka(
    ledger: Ledger, database_urls: DatabaseUrls, kafka_server: str, topic_prefix: str
) -> None:
    shared = {
        "environment": "development",
        "kafka_bootstrap_servers": kafka_server,
        "kafka_topic_prefix": topic_prefix,
        "kafka_partitions": 4,
    }
    speaker_settings = SpeakerSettings(**shared, database_url=database_urls("speaker").application)
    settings = Settings(**shared, database_url=ledger.database.url, ledger_key=KEY, ledger_origin=ORIGIN)
    await broker.make_topics(settings, SERVICES)
    speaker = await connect(speaker_settings.database_url, service="intake")
    relay = Relay(speaker, speaker_settings)
    relaying = asyncio.create_task(relay.run())

    async def say(count: int) -> None:
        async with speaker.work(OFFICER, purpose="screening") as work:
            for n in range(count // 2):
                work.emit(
                    VoyageAnnounced(
                        case_id=new_id(), port="NNK", modality="deportation", announced=n, expected_at=factories.NOON
                    )
                )
                work.record(access.SignedIn(case_id=new_id(), service="intake"))

    async def covered(count: int) -> bool:
        return bool(
            await ledger.database.pool.fetchval("SELECT count(*) FROM checkpoints WHERE tree_size >= $1", count)
        )

    async with running(settings, ledger.database):
        await say(10)
        await until(lambda: covered(10), within_s=30)
        waits = []
        for turn in range(1, 8):
            sent = relay.sent
            await say(10)
            await until(lambda sent=sent: relay.sent >= sent + 10)  # type: ignore[misc]
            began = time.monotonic()
            await until(lambda turn=turn: covered(10 + 10 * turn))  # type: ignore[misc]
            waits.append(time.monotonic() - began)
            await asyncio.sleep(0.13)

    assert max(waits) <= 1.0, waits
    assert await ledger.problems() == []
    relaying.cancel()
    await asyncio.gather(relaying, return_exceptions=True)
    await speaker.aclose()


async def test_hears_every_topic_of_every_service(ledger: Ledger) -> None:
    settings = Settings(
        environment="development", database_url="postgresql://", roles="http", ledger_key=KEY, ledger_origin=ORIGIN
    )
    async with AsyncExitStack() as stack:
        service = await build(settings, ledger.database, stack)

    assert heard_topics(service) == [f"{name}.{kind}" for name in SERVICES for kind in ("events", "audit")]


class TestCommandLine:
    @pytest.fixture
    def run(self, ledger: Ledger) -> Callable[..., Awaitable[Result]]:
        environment = {
            "ENVIRONMENT": "development",
            "ROLES": "http",
            "DATABASE_URL_AUDIT": ledger.database.url,
            "LEDGER_KEY": KEY,
            "LEDGER_ORIGIN": ORIGIN,
        }

        async def run(*arguments: str) -> Result:
            return await asyncio.to_thread(CliRunner().invoke, cli, arguments, env=environment)

        return run

    async def test_prints_the_key(self, run: Callable[..., Awaitable[Result]], ledger: Ledger) -> None:
        assert (await run("ledger", "key")).stdout.strip() == ledger.signer.verifier_key

    async def test_verifies_the_whole_ledger(
        self,
        run: Callable[..., Awaitable[Result]],
        ledger: Ledger,
        superuser: asyncpg.Connection,
        tmp_path: Path,
    ) -> None:
        await ledger.hear_cases(300)
        await ledger.seal()
        [row] = await superuser.fetch("SELECT note FROM checkpoints")
        kept = tmp_path / "kept"
        kept.write_text(row["note"], encoding="utf-8")

        fine = await run("ledger", "verify", "--checkpoint", str(kept))
        await superuser.execute("UPDATE leaves SET payload = '{}' WHERE leaf_index = 7")
        spoilt = await run("ledger", "verify")

        assert (fine.exit_code, fine.stdout) == (0, "audit: 300 leaves (0 redacted), 1 checkpoints: verified\n")
        assert spoilt.exit_code == 1
        assert "the payload of leaf 7 (intake 1) is not what was committed to" in spoilt.stderr


class TestSettings:
    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"ledger_key": "short"}, "LEDGER_KEY is not 32 bytes in base64url"),
            ({"ledger_key": "ä" * 43}, "LEDGER_KEY is not 32 bytes in base64url"),
            ({"ledger_origin": "two words"}, "LEDGER_ORIGIN needs visible ASCII characters"),
            ({"ledger_origin": "a+b"}, "LEDGER_ORIGIN needs visible ASCII characters"),
            ({"ledger_origin": ""}, "LEDGER_ORIGIN needs visible ASCII characters"),
        ],
    )
    def test_refuses_to_start_and_says_why(
        self, given: dict[str, str], said: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        fine = {"database_url": "postgresql://", "roles": "http", "ledger_key": KEY, "ledger_origin": ORIGIN}
        load(Settings, environment="development", **fine)

        with pytest.raises(SystemExit):
            load(Settings, environment="development", **(fine | given))
        assert said in capsys.readouterr().err

    def test_the_key_is_not_in_its_text(self) -> None:
        settings = Settings(
            environment="development",
            database_url="postgresql://",
            roles="http",
            ledger_key=KEY,
            ledger_origin=ORIGIN,
        )

        assert KEY not in repr(settings)
