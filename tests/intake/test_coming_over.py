"""Who was carried over from one voyage to another, in the counts of both: shown as such, and nothing made to fit."""

from collections.abc import Callable, Sequence

import pytest

from services.intake.actions.drafts import find_draft
from services.intake.actions.erasures import erase_person
from services.intake.actions.reconciliation import reconcile_voyage
from services.intake.actions.roll_calls import record_absence
from services.intake.domain.reconciliation import Reconciliation, Rolled, reconcile
from services.intake.domain.voyages import Voyage
from services.intake.store.vault import Vault
from shared.kit.clock import FixedClock
from shared.kit.database import Database
from shared.kit.ids import new_id
from tests.intake.conftest import Browser
from tests.intake.factories import DPO, OFFICER, START, STRANGER, a_list, a_row, a_voyage
from tests.intake.test_reconciliation import VOYAGE, a_sighting, a_source
from tests.intake.test_roll_calls import LATER, Quay, carried_to

Site = Callable[[str], Browser]
CHILD = "2020-01-01"


@pytest.fixture
def quay(database: Database, vault: Vault) -> Quay:
    return Quay(database, vault)


async def both_sent(database: Database, quay: Quay, clock: FixedClock) -> tuple[Voyage, Voyage]:
    """Of four who were announced a child and two adults rolled over; of them one arrived, one was absent there too."""
    voyage = await a_voyage(database, announced=4)
    following = await a_voyage(database, announced=1, vessel="KM Lambelu", expected_at=LATER)
    rows = [a_row(n, sex="F" if n == 2 else "M", born=CHILD if n == 2 else "1990-01-01") for n in range(1, 5)]
    draft = await quay.upload(voyage, a_list(*rows))
    for row in (3, 4, 5):
        draft = await quay.absent(draft, row, "rolled_over", next_voyage_id=following.voyage_id)
    await quay.send(await quay.call(draft, 2))

    own = await quay.upload(following, a_list(a_row(9)))
    clock.advance(LATER - START)
    await quay.call(own, 2)
    await quay.send(await find_draft(database, OFFICER, own.draft_id))
    there = await carried_to(database, following)
    await quay.call(there, 2)
    await quay.send(await quay.absent(there, 3, "ill_abroad"))
    return voyage, following


async def counted(database: Database, vault: Vault, voyage: Voyage) -> Reconciliation:
    return await reconcile_voyage(database, vault, OFFICER, voyage.voyage_id)


def candidates(found: Reconciliation) -> list[tuple[str, int, str]]:
    return [(one.code, one.heads, one.about) for one in found.candidates]


def heads(rolled: Sequence[Rolled]) -> list[tuple[str, int, int, int]]:
    return [(one.name, one.carried, one.listed, one.arrived) for one in rolled]


@pytest.mark.invariant("I168")
class TestComingOver:
    async def test_is_a_reason_why_the_later_voyage_has_more(
        self, database: Database, vault: Vault, quay: Quay, clock: FixedClock
    ) -> None:
        _, following = await both_sent(database, quay, clock)
        found = await counted(database, vault, following)

        assert {gap.pair: gap.difference for gap in found.gaps}["announced_listed"] == 3
        assert heads(found.came_over) == [("KM Purnama", 3, 3, 1)]
        said = candidates(found)
        assert ("came_over_listed", 3, "KM Purnama") in said
        assert ("came_over_arrived", 1, "KM Purnama") in said
        assert not any(code == "rolled_over_to_here" for code, *_ in said)

    async def test_counts_who_was_held_back_and_logged_by_hand(
        self, database: Database, vault: Vault, quay: Quay, clock: FixedClock, site: Site
    ) -> None:
        _, following = await both_sent(database, quay, clock)
        said = {"full_name": "Orang3", "sex": "M", "document_number": "XS9000003", "birth_date": "1990-01-01",
                "origin_regency": "73.06", "voyage_id": following.voyage_id}  # fmt: skip
        assert (await site("officer").post("/api/arrivals", json=said)).status_code == 201

        found = await counted(database, vault, following)
        assert heads(found.came_over) == [("KM Purnama", 3, 3, 2)]
        assert ("came_over_arrived", 2, "KM Purnama") in candidates(found)
        assert sum(line.came_over for line in found.lines if line.dimension == "origin") == 2

    async def test_is_the_counterpart_on_the_earlier_one(
        self, database: Database, vault: Vault, quay: Quay, clock: FixedClock
    ) -> None:
        voyage, _ = await both_sent(database, quay, clock)
        found = await counted(database, vault, voyage)

        assert heads(found.went_over) == [("KM Lambelu", 3, 3, 1)]
        assert candidates(found) == [("went_over", -3, "KM Lambelu")]

    async def test_is_told_by_sex_age_depot_and_reason(
        self, database: Database, vault: Vault, quay: Quay, clock: FixedClock
    ) -> None:
        _, following = await both_sent(database, quay, clock)
        lines = (await counted(database, vault, following)).lines

        assert {(one.dimension, one.value): (one.arrived, one.came_over) for one in lines} == {
            ("group", "girls"): (1, 1), ("group", "men"): (1, 0),
            ("depot", "unknown"): (2, 1), ("reason", "unknown"): (2, 1), ("origin", "73"): (2, 1),
        }  # fmt: skip

    async def test_who_was_not_there_after_all_stays_listed(
        self, database: Database, vault: Vault, quay: Quay, clock: FixedClock
    ) -> None:
        _, following = await both_sent(database, quay, clock)
        case_id = await database.pool.fetchval("SELECT case_id::text FROM arrivals WHERE age_band = 'child'")
        async with database.work(OFFICER, purpose="correct") as work:
            await record_absence(work, case_id, version=1, reason="unknown", next_voyage_id=None)

        found = await counted(database, vault, following)
        assert heads(found.came_over) == [("KM Purnama", 3, 3, 0)]
        assert not any(one.came_over for one in found.lines)

    async def test_who_was_erased_since_stays_counted(
        self, database: Database, vault: Vault, quay: Quay, clock: FixedClock
    ) -> None:
        voyage, following = await both_sent(database, quay, clock)
        before = await counted(database, vault, following)
        case_id = str(await database.pool.fetchval("SELECT case_id FROM arrivals WHERE age_band = 'child'"))
        async with database.work(DPO, purpose="erase") as work:
            await erase_person(work, vault, case_id, reason="request", reference="PPID/2026/1")

        found = await counted(database, vault, following)
        assert heads(found.came_over) == heads(before.came_over) == [("KM Purnama", 3, 3, 1)]
        assert candidates(found) == candidates(before)
        assert heads((await counted(database, vault, voyage)).went_over) == [("KM Lambelu", 3, 3, 1)]
        girls = next(one for one in found.lines if one.value == "girls")
        assert (girls.arrived, girls.came_over) == (1, 1)

    async def test_awaits_who_had_been_recorded_before_it_was_known(
        self, database: Database, vault: Vault, site: Site, quay: Quay
    ) -> None:
        voyage = await a_voyage(database, announced=2)
        following = await a_voyage(database, announced=1, vessel="KM Lambelu", expected_at=LATER)
        await quay.send(await quay.upload(voyage, a_list(a_row(1), a_row(2))))
        case_id = str(await database.pool.fetchval("SELECT case_id FROM arrivals LIMIT 1"))
        assert "masih akan datang" in (await site("officer").get(f"/id/tidak-hadir/{case_id}")).text
        async with database.work(OFFICER, purpose="correct") as work:
            await record_absence(work, case_id, version=1, reason="rolled_over", next_voyage_id=following.voyage_id)

        assert candidates(await counted(database, vault, following)) == [("rolled_over_to_here", 1, "")]
        assert candidates(await counted(database, vault, voyage)) == [("called_absent", -1, "rolled_over")]

    async def test_counts_nobody_who_was_taken_back_or_twice(
        self, database: Database, vault: Vault, quay: Quay
    ) -> None:
        voyage, following = await a_voyage(database), await a_voyage(database, actor=STRANGER, expected_at=LATER)
        draft = await quay.upload(voyage, a_list(a_row(1), a_row(2)))
        for row in (2, 3):
            draft = await quay.absent(draft, row, "rolled_over", next_voyage_id=following.voyage_id)
        draft = await quay.upload_again(draft, a_list(a_row(2), a_row(1)))
        assert heads((await counted(database, vault, voyage)).went_over) == [("KM Purnama", 2, 0, 0)]

        await quay.call(draft, 3, "open", version=(await quay.entry(voyage, 3)).version)
        assert heads((await counted(database, vault, voyage)).went_over) == [("KM Purnama", 1, 0, 0)]
        there = await reconcile_voyage(database, vault, STRANGER, following.voyage_id)
        assert heads(there.came_over) == [("KM Purnama", 1, 0, 0)]
        assert candidates(there) == []

    async def test_is_shown_on_both_pages_and_told_by_the_api(
        self, database: Database, site: Site, quay: Quay, clock: FixedClock
    ) -> None:
        voyage, following = await both_sent(database, quay, clock)
        officer = site("officer")
        for language, one, words in (
            ("id", following, "Pindahan dari pelayaran sebelumnya"),
            ("en", following, "Came over from earlier voyages"),
            ("id", voyage, "Pindah ke pelayaran berikutnya"),
            ("en", voyage, "Carried over to KM Lambelu, Pelabuhan Tunon Taka, 26 Nov 2026"),
        ):
            assert words in (await officer.get(f"/{language}/pelayaran/{one.voyage_id}/angka")).text

        said = (await officer.get(f"/api/voyages/{following.voyage_id}/reconciliation")).json()
        assert [(one["voyage_id"], one["carried"], one["arrived"]) for one in said["came_over"]] == [
            (voyage.voyage_id, 3, 1)
        ]
        assert {line["value"]: line["came_over"] for line in said["lines"] if line["dimension"] == "group"}[
            "girls"
        ] == 1


@pytest.mark.invariant("I168")
class TestReasons:
    """Whoever was carried by name is not counted again among those who are said to come later."""

    OTHER = Voyage(new_id(), "NNK", "deportation", "KM Lambelu", 0, LATER)

    def test_that_were_said_and_carried_are_shown_once(self) -> None:
        found = reconcile(
            a_sighting(arrived=12), [a_source("letter", 7)], {}, [],
            rolled_over={self.OTHER.voyage_id: 4, new_id(): 1}, came_over=[Rolled(self.OTHER, 3, 3, 3)],
        )  # fmt: skip

        assert candidates(found) == [
            ("rolled_over_to_here", 2, ""),
            ("came_over_listed", 3, "KM Lambelu"),
            ("came_over_arrived", 3, "KM Lambelu"),
        ]

    def test_that_were_said_of_the_same_people_are_shown_once(self) -> None:
        here = self.OTHER.voyage_id
        for said, awaited, shown in (({here: 4}, {here: 1}, 1), ({}, {here: 2}, 2), ({here: 6}, {here: 1}, 3)):
            found = reconcile(
                a_sighting(arrived=12), [a_source("letter", 7)], {}, [],
                rolled_over=said, awaited=awaited, came_over=[Rolled(self.OTHER, 3)],
            )  # fmt: skip
            assert candidates(found) == [("rolled_over_to_here", shown, "")]

    def test_of_absence_leave_out_who_went_over(self) -> None:
        found = reconcile(
            a_sighting(arrived=2), [a_source("letter", 7)], {}, [],
            absent={"rolled_over": 4, "unknown": 1}, absent_over={self.OTHER.voyage_id: 3},
            went_over=[Rolled(self.OTHER, 3)],
        )  # fmt: skip

        assert VOYAGE.voyage_id != self.OTHER.voyage_id
        assert candidates(found) == [
            ("called_absent", -1, "rolled_over"), ("called_absent", -1, "unknown"), ("went_over", -3, "KM Lambelu"),
        ]  # fmt: skip
