"""A person is found again by a number of a paper, exactly, and the number itself is written nowhere."""

import pytest

from services.intake.actions.arrivals import Recorded, record_arrivals
from services.intake.domain.lookups import Kind, normalised
from services.intake.store import blind_indexes
from services.intake.store.vault import Vault
from shared.kit.actor import system
from shared.kit.database import Database
from tests.intake.factories import a_new_arrival, a_vault, an_arrival

NIK = "7306991901910001"


async def found(database: Database, vault: Vault, kind: Kind, value: str) -> list[str]:
    async with database.work(system("intake", "test"), purpose="access") as work:
        return await blind_indexes.find_persons_by(work, vault, kind, value)


async def landed(database: Database, vault: Vault, **who: str) -> str:
    """The person id of somebody who landed with these papers."""
    arrival = a_new_arrival(vault, arrival=an_arrival(who=who))
    [recorded] = await record_arrivals(database, [arrival])
    assert isinstance(recorded, Recorded)
    return arrival.person_id


@pytest.mark.parametrize(
    ("kind", "written", "kept"),
    [
        ("nik", NIK, NIK),
        ("nik", " 7306 9919-0191.0001\t", NIK),
        ("nik", "７３０６９９１９０１９１０００１", NIK),  # as some keyboards write digits
        ("nik", "none", ""),
        ("document", "xs 9000-001", "XS9000001"),
        ("document", "XS9000001", "XS9000001"),
        ("document", "B/12.3", "B123"),
        ("document", " -/. ", ""),
    ],
)
def test_a_number_is_compared_without_what_people_write_between(kind: Kind, written: str, kept: str) -> None:
    assert normalised(kind, written) == kept


@pytest.mark.parametrize(
    ("kind", "written"), [("nik", "7306 9919 0191 0001"), ("document", "xs-9000001"), ("document", "XS 9000 001")]
)
async def test_a_person_is_found_however_the_number_is_written(
    database: Database, vault: Vault, kind: Kind, written: str
) -> None:
    person_id = await landed(database, vault, nik=NIK, document_number="XS9000001")
    await landed(database, vault, nik="7306991901910002", document_number="XS9000002")

    assert await found(database, vault, kind, written) == [person_id]


async def test_whoever_landed_twice_is_found_twice_in_the_order_of_landing(database: Database, vault: Vault) -> None:
    landings = [await landed(database, vault, nik=NIK) for _ in range(2)]

    assert await found(database, vault, "nik", NIK) == landings


async def test_a_number_is_found_as_its_own_kind_alone(database: Database, vault: Vault) -> None:
    await landed(database, vault, nik=NIK, document_number="")

    assert await found(database, vault, "document", NIK) == []


@pytest.mark.parametrize("kind", ["nik", "document"])
async def test_nobody_is_found_by_nothing(database: Database, vault: Vault, kind: Kind) -> None:
    await landed(database, vault, nik="", document_number="")

    assert await found(database, vault, kind, " - ") == []
    assert await database.pool.fetchval("SELECT count(*) FROM blind_indexes") == 0


async def test_the_number_cannot_be_read_nor_guessed_without_the_key(database: Database, vault: Vault) -> None:
    await landed(database, vault, nik=NIK)

    rows = str(await database.pool.fetch("SELECT b::text FROM blind_indexes b"))
    assert NIK not in rows
    assert NIK.encode().hex() not in rows
    assert await found(database, a_vault(index_key=bytes(32)), "nik", NIK) == []


async def test_who_was_known_by_the_key_is_not_kept_again(database: Database, vault: Vault) -> None:
    for _ in range(2):
        await record_arrivals(database, [a_new_arrival(vault, key="k1", arrival=an_arrival(who={"nik": NIK}))])

    assert len(await found(database, vault, "nik", NIK)) == 1


async def test_whose_key_was_destroyed_is_found_no_more(database: Database, vault: Vault) -> None:
    gone, stays = [await landed(database, vault, nik=NIK) for _ in range(2)]

    await database.pool.execute("DELETE FROM person_keys WHERE person_id = $1", gone)

    assert await found(database, vault, "nik", NIK) == [stays]
    assert await database.pool.fetchval("SELECT count(*) FROM blind_indexes WHERE person_id = $1", gone) == 0
