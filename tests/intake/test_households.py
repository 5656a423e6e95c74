"""Who travels together stays together: by the name list, in whichever list each of them comes, or by hand."""

import asyncio
from collections.abc import Callable
from typing import Any, get_args

import orjson
import pytest

from services.intake.actions import households, listed_households, recording
from services.intake.actions.manifests import preview_manifest, take_in_manifest
from services.intake.domain import households as domain
from services.intake.domain.households import together
from services.intake.store.vault import Vault
from shared.contracts.intake import households as contract
from shared.kit.database import Database
from tests.intake.conftest import Browser
from tests.intake.correcting import corrected
from tests.intake.factories import OFFICER, START, a_list, a_row, a_voyage

Site = Callable[[str], Browser]

CHILD = {"born": "2018-01-01"}


async def told(database: Database, kind: str) -> list[dict[str, Any]]:
    rows = await database.pool.fetch("SELECT payload FROM journal WHERE type = $1 ORDER BY position", kind)
    return [orjson.loads(row["payload"])["data"] for row in rows]


async def case_of(database: Database, row: int) -> str:
    """The case that stood in this row of the list that recorded it."""
    return str(await database.pool.fetchval("SELECT case_id::text FROM arrivals WHERE manifest_row = $1", row))


async def homes(database: Database) -> dict[str, str]:
    """The household of each case that is in one."""
    rows = await database.pool.fetch(
        "SELECT case_id::text, household_id::text FROM household_members WHERE parted_at IS NULL"
    )
    return {row["case_id"]: row["household_id"] for row in rows}


async def needs_of(database: Database, case_id: str) -> set[str]:
    return set(await database.pool.fetchval("SELECT needs FROM arrivals WHERE case_id = $1", case_id))


class TestTogether:
    def test_follows_rows_to_whom_they_come_back(self) -> None:
        assert together({2: 3, 4: 3, 5: 6, 6: 5, 8: 9, 9: 10}) == [(3, 2, 4), (5, 6), (10, 8, 9)]


class TestCodes:
    @pytest.mark.parametrize("name", ["HouseholdReason", "Relation", "RelationProof", "UnlinkReason"])
    def test_the_domain_and_the_contract_say_the_same(self, name: str) -> None:
        assert get_args(getattr(domain, name)) == get_args(getattr(contract, name))


class TestLists:
    async def test_rows_that_name_each_other_are_one_household(self, database: Database, vault: Vault) -> None:
        voyage = await a_voyage(database)
        content = a_list(a_row(1), a_row(2, **{"with": "001"}), a_row(3, **CHILD, **{"with": "002"}), a_row(4))
        await take_in_manifest(database, vault, OFFICER, voyage, content)

        father, mother, child, single = [await case_of(database, row) for row in (2, 3, 4, 5)]
        found = await homes(database)
        assert set(found) == {father, mother, child}
        [home] = set(found.values())
        recorded = {
            fact["case_id"]: fact["household_id"] for fact in await told(database, "intake.arrival_recorded.v1")
        }
        assert recorded == {father: home, mother: home, child: home, single: None}
        assert await told(database, "intake.household_changed.v1") == []  # their arrivals have named it
        [linked] = await told(database, "intake.guardian_linked.v1")
        assert (linked["case_id"], linked["adult_case_id"], linked["proposed_by"]) == (child, mother, None)
        assert await needs_of(database, child) == {"NEED", "CHILD"}

    async def test_a_list_sent_again_or_longer_keeps_the_household(self, database: Database, vault: Vault) -> None:
        voyage = await a_voyage(database)
        mother, child = a_row(1), a_row(2, **CHILD, **{"with": "001"})
        await take_in_manifest(database, vault, OFFICER, voyage, a_list(mother, child))
        before = await homes(database)
        father = a_row(3, **{"with": "002"})
        await take_in_manifest(
            database, vault, OFFICER, voyage, a_list(father.replace("002", "009"), a_row(1, seq="009"), child + " ")
        )

        after = await homes(database)
        assert before.items() <= after.items()
        assert len(after) == 3
        assert len(set(after.values())) == 1
        assert len(await told(database, "intake.guardian_linked.v1")) == 1

    async def test_two_lists_at_once_part_nobody(
        self, database: Database, vault: Vault, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The mother comes in a list that was read before the one of the father and the child was recorded."""
        voyage = await a_voyage(database)
        theirs = a_list(a_row(1), a_row(2, **CHILD, **{"with": "001"}))
        hers = a_list(a_row(3), a_row(2, **CHILD, **{"with": "003"}))

        async def meanwhile(*said: Any, **also: Any) -> list[listed_households.Group]:
            monkeypatch.undo()
            found = await listed_households.groups_of(*said, **also)
            await take_in_manifest(database, vault, OFFICER, voyage, theirs)
            return found

        monkeypatch.setattr(recording, "groups_of", meanwhile)
        await take_in_manifest(database, vault, OFFICER, voyage, hers)

        found = await homes(database)
        [home] = set(found.values())
        assert len(found) == 3
        [joined] = await told(database, "intake.household_changed.v1")
        assert (joined["household_id"], joined["change"], len(joined["members"])) == (home, "joined", 2)
        links = await told(database, "intake.guardian_linked.v1")
        assert {link["household_id"] for link in links} == {home}

    async def test_a_child_without_an_adult_is_unaccompanied_and_not_held_back(
        self, database: Database, vault: Vault
    ) -> None:
        voyage = await a_voyage(database)
        content = a_list(a_row(1, **CHILD, **{"with": "009"}), a_row(2, **CHILD, **{"with": "003"}), a_row(3, sex="Q"))
        looked = await preview_manifest(database, vault, voyage, content)
        await take_in_manifest(database, vault, OFFICER, voyage, content)

        assert [[w.code for w in row.warnings] for row in looked.rows] == [
            ["companion_unknown"],
            ["companion_held"],
            [],
        ]
        for row in (2, 3):
            assert "UAC" in await needs_of(database, await case_of(database, row))
        assert await homes(database) == {}

    async def test_the_page_offers_nobody_who_has_died_or_never_landed(
        self, database: Database, vault: Vault, site: Site
    ) -> None:
        content = a_list(a_row(1), a_row(2), a_row(3), a_row(4, **CHILD))
        await take_in_manifest(database, vault, OFFICER, await a_voyage(database), content)
        lives, dead, wrong, child = [await case_of(database, row) for row in (2, 3, 4, 5)]
        await corrected(site, dead, "death", died_on=START.date().isoformat(), place="at_port")
        await corrected(site, wrong, "error", reason="never_arrived")

        page = await site("officer").get(f"/id/keluarga/{child}")

        adults, _, together = page.text.partition('name="with"')
        assert [lives in adults, dead in adults, wrong in adults] == [True, False, False]
        assert [dead in together, wrong in together] == [True, False]

    async def test_an_adult_that_a_corrected_list_brings_waits_for_a_second_person(
        self, database: Database, vault: Vault
    ) -> None:
        voyage = await a_voyage(database)
        child = a_row(1, **CHILD, **{"with": "002"})
        await take_in_manifest(database, vault, OFFICER, voyage, a_list(child, a_row(2, sex="Q")))
        taken = await take_in_manifest(database, vault, OFFICER, voyage, a_list(child, a_row(2)))

        case_id = await case_of(database, 2)
        assert (taken.accepted, taken.known, taken.rejected) == (1, 1, 0)
        assert await needs_of(database, case_id) == {"NEED", "UAC"}
        assert len(await homes(database)) == 2
        assert await told(database, "intake.guardian_linked.v1") == []
        [proposed] = await told(database, "intake.guardian_proposed.v1")
        assert proposed["case_id"] == case_id

    @pytest.mark.parametrize(
        ("what", "said"),
        [
            ("death", {"died_on": START.date().isoformat(), "place": "at_port"}),
            ("error", {"reason": "never_arrived"}),
            ("age", {"birth_date": "2010-02-01", "reason": "papers_found"}),
        ],
    )
    async def test_a_child_whose_adult_has_died_or_was_none_since_is_alone(
        self, site: Site, database: Database, vault: Vault, what: str, said: dict[str, Any]
    ) -> None:
        voyage = await a_voyage(database)
        await take_in_manifest(database, vault, OFFICER, voyage, a_list(a_row(1)))
        status, answer = await corrected(site, await case_of(database, 2), what, **said)
        assert status == 200, answer
        longer = a_list(a_row(1), a_row(2, **CHILD, **{"with": "001"}))
        for content in (longer, longer + b"\n"):  # sent again, it changes nothing
            await take_in_manifest(database, vault, OFFICER, voyage, content)

        child = await case_of(database, 3)
        assert "UAC" in await needs_of(database, child)
        [added] = [fact["added"] for fact in await told(database, "intake.needs_corrected.v1")]
        assert added == ["UAC"]
        assert await told(database, "intake.guardian_linked.v1") == []
        assert len(await homes(database)) == (0 if what == "error" else 2)

    async def test_an_adult_whom_a_later_list_leaves_out_still_answers(self, database: Database, vault: Vault) -> None:
        voyage = await a_voyage(database)
        await take_in_manifest(database, vault, OFFICER, voyage, a_list(a_row(1), a_row(2, **CHILD, **{"with": "001"})))
        taken = await take_in_manifest(database, vault, OFFICER, voyage, a_list(a_row(2, **CHILD)))

        assert (taken.known, taken.rejected) == (1, 0)
        assert len(await homes(database)) == 2

    async def test_an_interrupted_list_goes_on_with_the_same_household(
        self, database: Database, vault: Vault, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        voyage = await a_voyage(database)
        content = a_list(a_row(1), a_row(2, **CHILD, **{"with": "001"}))

        async def killed(*_: object) -> None:
            raise RuntimeError("killed")

        with monkeypatch.context() as stopped, pytest.raises(RuntimeError):
            stopped.setattr("services.intake.actions.recording.link_groups", killed)
            await take_in_manifest(database, vault, OFFICER, voyage, content)
        assert await homes(database) == {}
        await take_in_manifest(database, vault, OFFICER, voyage, content)

        [home] = set((await homes(database)).values())
        assert {fact["household_id"] for fact in await told(database, "intake.arrival_recorded.v1")} == {home}

    async def test_many_households_are_linked_in_steps(
        self, database: Database, vault: Vault, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(listed_households, "GROUPS_AT_ONCE", 2)
        monkeypatch.setattr(recording, "GROUPS_AT_ONCE", 2)
        monkeypatch.setattr(recording, "BATCH", 3)
        voyage = await a_voyage(database)
        rows = [a_row(n, **({"with": f"{n - 1:03d}"} if n % 2 == 0 else {})) for n in range(1, 11)]
        await asyncio.gather(*(take_in_manifest(database, vault, OFFICER, voyage, a_list(*rows)) for _ in range(2)))

        found = await homes(database)
        assert (len(found), len(set(found.values()))) == (10, 5)

    async def test_whom_a_person_parted_stays_parted(self, database: Database, vault: Vault) -> None:
        voyage = await a_voyage(database)
        await take_in_manifest(database, vault, OFFICER, voyage, a_list(a_row(1), a_row(2, **{"with": "001"})))
        second = await case_of(database, 3)
        async with database.work(OFFICER, purpose="reception") as work:
            seen = await households.look(work, second)
            await households.part(work, second, version=seen.version, reason="not_of_it")
        longer = a_list(a_row(1), a_row(2, **{"with": "001"}), a_row(3, **{"with": "001"}))
        await take_in_manifest(database, vault, OFFICER, voyage, longer)

        assert second not in await homes(database)
        assert len(await homes(database)) == 2
