"""After an erasure nothing that is left anywhere yields the person: files of the databases, WAL, dumps, Kafka, logs.

What can be looked for must be found before: a search that finds nothing at all proves nothing.
"""

import asyncio
import base64
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from deploy.local import postgres
from deploy.local.demo import leaks, ledger, person
from deploy.local.demo.stage import Stage
from services.intake.store.vault import Damaged, Keyring, Sealed, Vault
from tests.conftest import Background, PostgresServer
from tests.faults import playing
from tests.faults.playing import Landing
from tests.faults.rig import Rig
from tests.waiting import until

CANARY = {
    "full_name": "Siti Kanarifajar binti Rajafiranak",
    "nik": "6503094407880001",
    "document_number": "KFJR88431",
    "family_contact": "+62 811 9074 7738",
    "health_note": "kanarifajardemam",
    "origin_village": "kanarifajardesa",
}
OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"


@dataclass(frozen=True, slots=True)
class Kept:
    """What intake holds of one person, as a backup made in time would."""

    person_id: str
    case_id: str
    sealed: bytes
    wrapped_key: bytes
    digests: Sequence[bytes]

    @property
    def secrets(self) -> dict[str, bytes]:
        """Without the first bytes, which name the key-encryption key and are everybody's."""
        return {"wrapped key": self.wrapped_key[16:], **{f"digest {n}": d for n, d in enumerate(self.digests)}}


@pytest.mark.timeout(300)
def test_nothing_that_is_left_yields_an_erased_person(
    rig: Rig, background: Background, postgres_server: PostgresServer
) -> None:
    background.run(_erase_and_search(rig, postgres_server))


@dataclass(frozen=True, slots=True)
class Place:
    """Where to look: the server's files, those of intake's database, and that database as a superuser reaches it."""

    data: Path
    base: Path
    intake: str


async def _erase_and_search(rig: Rig, server: PostgresServer) -> None:
    superuser = await asyncpg.connect(server.url)
    data = Path(await superuser.fetchval("SHOW data_directory"))
    if not os.access(data / "base", os.R_OK):
        pytest.skip("the files of this PostgreSQL are not here to be searched")
    name = urlsplit(rig.owners["intake"]).path
    number = await superuser.fetchval("SELECT oid FROM pg_database WHERE datname = $1", name.strip("/"))
    place = Place(data, data / "base" / str(number), urlsplit(server.url)._replace(path=name).geturl())
    agencies = playing.Agencies(rig)
    port = rig.client(playing.PORT, "intake")
    landing = Landing(frozenset())
    canary = {**CANARY, "sex": "F", "age": 38, "needs": ["SICK"], "origin_regency": "73.06"}
    for n in range(3):
        await playing.record(
            port, landing, {"full_name": f"Tetap {n}", "sex": "M", "age": 40, "nik": f"650309440788100{n}"}
        )
    case_id = await playing.record(port, landing, canary)
    await agencies.tend()
    await rig.settle()
    kept = await _kept(rig, case_id)
    await _have_it_sampled_and_recycled(place, superuser)
    before = await _found(rig, place, kept)
    assert {what for what, _ in before} >= {"wrapped key", "digest 0", "digest 1"}, "there is nothing to look for"
    assert {place for _, place in before} >= {"base", "pg_wal", "dump"}, "not every place was looked at"

    await _erase(rig, case_id)
    await rig.settle()
    await _forget(superuser, rig.owners["intake"])

    assert await _found(rig, place, kept) == []
    await _no_key_opens(rig, kept)
    proof = await ledger.verify(Stage(rig.running, rig.http), rig.databases.connections)
    assert proof.verified, proof.said
    await superuser.close()


async def _kept(rig: Rig, case_id: str) -> Kept:
    row = await rig.databases.connections["intake"].fetchrow(
        "SELECT a.person_id::text, a.sealed, k.wrapped_key,"
        " ARRAY(SELECT digest FROM blind_indexes b WHERE b.person_id = a.person_id ORDER BY kind) AS digests"
        " FROM arrivals a JOIN person_keys k USING (person_id) WHERE case_id = $1",
        case_id,
    )
    assert row is not None
    return Kept(row["person_id"], case_id, row["sealed"], row["wrapped_key"], row["digests"])


async def _erase(rig: Rig, case_id: str) -> None:
    async with person.signed_in(rig.running.urls["intake"], "dpo") as dpo:
        token = re.search(r'name="csrf" value="([^"]+)"', await dpo.get("/id/data-pribadi"))
        assert token
        async with dpo.http.post(
            f"{dpo.url}/api/cases/{case_id}/erasure",
            json={"reason": "request", "reference": "PPID/2026/0113"},
            headers={"X-CSRF-Token": token[1], "Idempotency-Key": case_id},
        ) as answer:
            assert answer.status == 200, await answer.text()


async def _forget(superuser: asyncpg.Connection, owner: str) -> None:
    """What docs/operations.md has an operator do after erasures, line by line as it stands there."""
    section = OPERATIONS.read_text().partition("\nAfter erasures,")[2]
    as_owner, as_superuser = re.findall(r"```sql\n(.+?)```", section, re.DOTALL)[:2]
    connection = await asyncpg.connect(owner)
    passed_over: list[str | None] = []  # VACUUM only warns of a table that is not the owner's to rewrite
    connection.add_log_listener(lambda _, message: passed_over.append(message.message))
    for statement in _statements(as_owner):
        await connection.execute(statement)
    await connection.close()
    assert not passed_over

    async def is_not_recycled() -> bool:
        return await superuser.fetchval("SHOW wal_recycle") == "off"

    try:
        for statement in _statements(as_superuser):
            if statement == "CHECKPOINT":
                await until(is_not_recycled)
            await superuser.execute(statement)
    finally:
        await superuser.execute("ALTER SYSTEM RESET wal_recycle")
        await superuser.execute("SELECT pg_reload_conf()")


def _statements(block: str) -> list[str]:
    return [one.strip() for one in block.split(";") if one.strip()]


async def _have_it_sampled_and_recycled(place: Place, superuser: asyncpg.Connection) -> None:
    """As a server does of itself: statistics keep samples of columns, a used segment of the WAL becomes a later one."""
    intake = await asyncpg.connect(place.intake)
    await intake.execute("ANALYZE")
    await intake.close()
    await superuser.execute("SELECT pg_switch_wal()")
    await superuser.execute("CHECKPOINT")


async def _found(rig: Rig, place: Place, kept: Kept) -> list[tuple[str, str]]:
    """What of the person is found, and in which place."""
    needles = {what: (secret, secret.hex().encode()) for what, secret in kept.secrets.items()}
    needles |= {field: (value.encode(),) for field, value in CANARY.items()}
    folders = {
        "base": place.base,
        "pg_wal": place.data / "pg_wal",
        "kafka": rig.broker.broker.folder,
        "logs": rig.running.data / "logs",
    }
    found = _in(await _dump(place), "dump", needles)
    for name, folder in folders.items():
        # In a thread: the loop here carries what the services say to Kafka and PostgreSQL.
        found |= await asyncio.to_thread(_below, folder, name, needles)
    return sorted(found)


def _below(folder: Path, name: str, needles: Mapping[str, Sequence[bytes]]) -> set[tuple[str, str]]:
    return {one for _, content in leaks.files(folder) for one in _in(content, name, needles)}


def _in(content: bytes, name: str, needles: Mapping[str, Sequence[bytes]]) -> set[tuple[str, str]]:
    return {(what, name) for what, forms in needles.items() if any(form in content for form in forms)}


async def _dump(place: Place) -> bytes:
    """What pg_dump takes of intake's database, as a backup would hold it; under policies it dumps nothing."""
    program = postgres.find(os.environ).folder / "pg_dump"
    process = await asyncio.create_subprocess_exec(
        str(program), place.intake, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, wrong = await process.communicate()
    assert process.returncode == 0, wrong.decode()
    return out


async def _no_key_opens(rig: Rig, kept: Kept) -> None:
    """The sealed bytes of a backup stay shut under every key that is left."""
    vault = _vault_of(rig)
    opened = vault.open(Sealed(kept.wrapped_key, kept.sealed), person_id=kept.person_id, case_id=kept.case_id)
    assert opened.full_name == CANARY["full_name"], "the bytes are not those of the person"
    remaining = await rig.databases.connections["intake"].fetch("SELECT person_id::text, wrapped_key FROM person_keys")
    assert len(remaining) >= 3
    for row in remaining:
        for person_id in (row["person_id"], kept.person_id):
            with pytest.raises(Damaged):
                vault.open(Sealed(row["wrapped_key"], kept.sealed), person_id=person_id, case_id=kept.case_id)


def _vault_of(rig: Rig) -> Vault:
    """A vault with the keys that the running intake has."""
    kek, index = (
        base64.urlsafe_b64decode(rig.running.environments["intake"][name] + "==")
        for name in ("VAULT_KEK", "VAULT_INDEX_KEY")
    )
    return Vault(Keyring(kek), index)
