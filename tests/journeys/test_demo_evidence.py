"""What the checker reads is really read: rows are put, taken away and repeated in real databases and topics."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer

from deploy.local.demo import checker, evidence, leaks
from shared.kit import broker
from shared.kit.ids import new_id
from shared.kit.settings import KitSettings
from tests.conftest import DatabaseUrls

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
CASE, PERSON, MANIFEST, REFERRAL, ASSIGNMENT, SUBSCRIPTION = (new_id() for _ in range(6))


@dataclass(frozen=True, slots=True)
class World:
    """Four databases, written by their owners, and the topics beside them."""

    connections: dict[str, asyncpg.Connection]
    producer: AIOKafkaProducer
    bootstrap: str
    prefix: str

    async def verdict(self) -> checker.Verdict:
        seen = await evidence.gather(
            self.connections,
            self.bootstrap,
            manifest_id=MANIFEST,
            listed=[2],
            shown=frozenset(),
            prefix=self.prefix,
        )
        return checker.check(seen)

    async def run(self, service: str, statement: str, *arguments: Any) -> None:
        """Change what no service may change: the owner takes the guards off first."""
        connection = self.connections[service]
        table = next(word for word in statement.split() if word in TABLES)
        await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        await connection.execute(statement, *arguments)

    async def tell(self, sender: str, type_: str, seq: int, *, send: bool = True, **data: Any) -> str:
        """A journal row, its leaf and its record."""
        event_id, payload = new_id(), json.dumps({"actor": "a", "data": {"case_id": CASE, **data}}).encode()
        at = NOW + timedelta(seconds=seq)
        await self.connections[sender].execute(
            "INSERT INTO journal (event_id, shared, type, case_id, case_seq, occurred_at, payload)"
            " VALUES ($1, TRUE, $2, $3, $4, $5, $6)",
            *(event_id, type_, CASE, seq, at, payload),
        )
        await self.connections["audit"].execute(
            "INSERT INTO leaves (leaf_index, event_id, source, type, case_id, case_seq, occurred_at, commitment,"
            " leaf_hash, salt, payload, received_at)"
            " SELECT count(*), $1, $2, $3, $4, $5, $6, $7, $7, $7, $8, $6 FROM leaves",
            *(event_id, sender, type_, CASE, seq, at, bytes(32), payload),
        )
        if send:
            await self.send(sender, event_id, type_, seq, payload)
        return event_id

    async def send(self, sender: str, event_id: str, type_: str, seq: int, payload: bytes) -> None:
        headers = [("ce_id", event_id.encode()), ("ce_type", type_.encode()), ("ce_sequence", str(seq).encode())]
        await self.producer.send_and_wait(f"{self.prefix}{sender}.events", payload, key=CASE.encode(), headers=headers)


TABLES = {"journal", "leaves", "arrivals", "referrals", "assignments", "deliveries", "outbox", "referred_needs"}


class Settings(KitSettings):
    service: ClassVar[str] = "intake"


@pytest.fixture
async def world(database_urls: DatabaseUrls, kafka_server: str, topic_prefix: str) -> AsyncIterator[World]:
    settings = Settings(
        environment="development",
        database_url="",
        kafka_bootstrap_servers=kafka_server,
        kafka_topic_prefix=topic_prefix,
        kafka_partitions=4,
    )
    await broker.make_topics(settings, evidence.SERVICES)
    connections = {s: await asyncpg.connect(database_urls(s).owner) for s in evidence.SERVICES}
    producer = AIOKafkaProducer(bootstrap_servers=kafka_server)
    await producer.start()
    yield World(connections, producer, kafka_server, topic_prefix)
    await producer.stop()
    for connection in connections.values():
        await connection.close()


FILLERS = {
    "text": "x",
    "integer": 1,
    "smallint": 1,
    "boolean": False,
    "bytea": b"{}",
    "timestamp with time zone": NOW,
    "ARRAY": [],
}
REQUIRED = """
SELECT column_name, data_type FROM information_schema.columns
WHERE table_name = $1 AND is_nullable = 'NO' AND column_default IS NULL AND is_generated = 'NEVER'
"""


async def put(connection: asyncpg.Connection, table: str, **given: Any) -> None:
    """Add a row; required columns that the checker does not look at are filled by their type."""
    required = {name: FILLERS.get(kind) for name, kind in await connection.fetch(REQUIRED, table)}
    row = {**required, **given}
    places = ", ".join(f"${n}" for n in range(1, len(row) + 1))
    await connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", *row.values())


async def fill(world: World) -> None:
    """One person, one need, one agency that was asked, one NGO that was told."""
    intake, referral, notify = (world.connections[s] for s in ("intake", "referral", "notify"))
    await put(
        intake,
        "arrivals",
        case_id=CASE,
        person_id=PERSON,
        manifest_id=MANIFEST,
        manifest_row=2,
        sex="M",
        age_band="adult",
        needs=["NEED"],
        channel="manifest",
    )
    await world.tell("intake", "intake.arrival_recorded.v1", 1)
    await put(intake, "referred_needs", case_id=CASE, need="NEED")
    await put(referral, "referrals", referral_id=REFERRAL, case_id=CASE, need="NEED", state="open")
    await put(referral, "assignments", assignment_id=ASSIGNMENT, referral_id=REFERRAL, state="sent")
    told = {"referral_id": REFERRAL, "need": "NEED", "province": "73", "restricted": False}
    await world.tell("referral", "referral.referral_opened.v1", 1, **told)
    sent = await world.tell("referral", "referral.assignment_sent.v1", 2, assignment_id=ASSIGNMENT, **told)
    await put(
        notify,
        "subscriptions",
        subscription_id=SUBSCRIPTION,
        channel="webhook",
        url="https://ngo.example/",
        events=["referral.assignment_sent.v1"],
        status="active",
        created_at=NOW - timedelta(hours=1),
        changed_at=NOW - timedelta(hours=1),
    )
    await put(
        notify,
        "deliveries",
        delivery_id=new_id(),
        subscription_id=SUBSCRIPTION,
        event_id=sent,
        case_id=CASE,
        status="delivered",
        ended_at=NOW,
    )


class TestEvidence:
    async def test_of_a_sound_world_has_no_findings(self, world: World) -> None:
        await fill(world)

        assert (await world.verdict()).findings == ()

    @pytest.mark.parametrize(
        ("service", "statement", "place"),
        [
            ("intake", "DELETE FROM arrivals", "manifest row"),
            ("intake", "DELETE FROM referred_needs", "has not heard of"),
            ("intake", "DELETE FROM journal", "arrival not told"),
            ("intake", "INSERT INTO outbox (position) VALUES (1)", "outbox"),
            ("referral", "DELETE FROM referrals", "need without"),
            ("referral", "DELETE FROM assignments", "open referral without"),
            ("referral", "DELETE FROM journal WHERE case_seq = 1", "number in referral's journal"),
            ("notify", "DELETE FROM deliveries", "notice to subscription"),
            ("audit", "DELETE FROM leaves WHERE leaf_index = 2", "journal row without its leaf"),
        ],
    )
    async def test_shows_what_was_taken_away(self, world: World, service: str, statement: str, place: str) -> None:
        await fill(world)
        await world.run(service, statement)

        verdict = await world.verdict()

        assert verdict.lost >= 1
        assert any(place in finding.place for finding in verdict.findings), verdict.findings

    @pytest.mark.parametrize(
        ("service", "statement", "place"),
        [
            (
                "intake",
                "INSERT INTO arrivals SELECT gen_random_uuid(), person_id, voyage_id, manifest_id, manifest_row, port,"
                " origin_regency, sex, age_band, needs, onward_wish, channel, arrived_at, recorded_at, sealed"
                " FROM arrivals",
                "manifest row",
            ),
            (
                "intake",
                "INSERT INTO journal (event_id, shared, type, case_id, case_seq, occurred_at, payload)"
                " SELECT gen_random_uuid(), shared, type, case_id, 2, occurred_at, payload FROM journal",
                "arrival not told",
            ),
            (
                "referral",
                "INSERT INTO assignments (assignment_id, referral_id, attempt, agency_id, state, version,"
                " service_hours, sent_at, answer_due_at) SELECT gen_random_uuid(), referral_id, 2, agency_id, state,"
                " version, service_hours, sent_at, answer_due_at FROM assignments",
                "two live assignments",
            ),
            (
                "audit",
                "INSERT INTO leaves SELECT 3, gen_random_uuid(), source, type, case_id, case_seq, occurred_at,"
                " commitment, leaf_hash, salt, payload, received_at, redacted_at FROM leaves WHERE leaf_index = 0",
                "journal row without its leaf",
            ),
        ],
    )
    async def test_shows_what_was_repeated(self, world: World, service: str, statement: str, place: str) -> None:
        await fill(world)
        await world.run(service, statement)

        verdict = await world.verdict()

        assert verdict.doubled >= 1
        assert any(place in finding.place for finding in verdict.findings), verdict.findings

    @pytest.mark.parametrize(
        ("statement", "at"),
        [
            ("UPDATE subscriptions SET events = '{}', changed_at = $1", NOW + timedelta(hours=1)),
            ("UPDATE subscriptions SET status = 'ended', changed_at = $1, ended_at = $1", NOW - timedelta(minutes=1)),
        ],
        ids=["before it was widened", "after it was ended"],
    )
    async def test_asks_for_nothing_that_a_subscription_did_not_want_then(
        self, world: World, statement: str, at: datetime
    ) -> None:
        await fill(world)
        await world.run("notify", "DELETE FROM deliveries")
        await world.connections["notify"].execute(statement, at)

        assert (await world.verdict()).findings == ()

    async def test_compares_kafka_with_the_journals(self, world: World) -> None:
        await fill(world)
        await world.tell("referral", "referral.assignment_expired.v1", 3, send=False, restricted=True)
        await world.send("referral", new_id(), "referral.gap_opened.v1", 4, b"{}")

        places = [finding.place for finding in (await world.verdict()).findings]

        assert sorted(places) == [
            "record in referral.events that is in no journal",
            "row of referral's journal not in Kafka",
        ]


class TestLeaks:
    async def test_are_found_in_topics_and_in_any_column(self, world: World, database_urls: DatabaseUrls) -> None:
        await world.tell("intake", "intake.arrival_recorded.v1", 1, name="Shakila binti Balangga")
        await world.connections["referral"].execute(
            "INSERT INTO answers (actor, key, request_digest, status, body, created_at)"
            " VALUES ('a', '6503996912850002', '\\x00', 200, $1, $2)",
            *(b'{"number":"X9000002"}', NOW),
        )

        found = await leaks.leaks(
            ["Shakila binti Balangga", "6503996912850002", "X9000002", "X9000003"],
            databases={service: database_urls(service).owner for service in evidence.SERVICES},
            bootstrap=world.bootstrap,
            prefix=world.prefix,
        )

        assert {(leak.place.removeprefix(world.prefix), leak.value) for leak in found} == {
            ("intake.events", "Shakila binti Balangga"),
            ("intake.journal.payload", "Shakila binti Balangga"),
            ("audit.leaves.payload", "Shakila binti Balangga"),
            ("referral.answers.key", "6503996912850002"),
            ("referral.answers.body", "X9000002"),
        }
