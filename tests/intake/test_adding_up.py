"""What is counted of a voyage comes to who arrived, in each way that people are counted; and reasons to differences."""

from collections.abc import Callable

import pytest

from services.intake.actions import held
from services.intake.actions.drafts import list_drafts
from services.intake.actions.endings import enter_in_error
from services.intake.actions.erasures import erase_person
from services.intake.actions.reconciliation import reconcile_voyage
from services.intake.actions.roll_calls import record_absence
from services.intake.actions.voyages import report_voyage
from services.intake.domain.reconciliation import Reconciliation, reconcile
from services.intake.domain.refusals.drafts import LineRecorded
from services.intake.domain.refusals.roll_calls import StaysThere
from services.intake.domain.totals import Part, checked
from services.intake.domain.voyages import Voyage
from services.intake.store.vault import Vault
from shared.kit.clock import FixedClock
from shared.kit.database import Database
from tests.intake.conftest import Browser
from tests.intake.factories import DPO, OFFICER, START, a_list, a_row, a_voyage
from tests.intake.test_drafts import SEX
from tests.intake.test_reconciliation import a_sighting, a_source
from tests.intake.test_roll_calls import LATER, Quay, carried_to

Site = Callable[[str], Browser]


@pytest.fixture
def quay(database: Database, vault: Vault) -> Quay:
    return Quay(database, vault)


def sums(found: Reconciliation) -> dict[str, int]:
    """Who arrived, by dimension; children as a whole are boys and girls once more."""
    counted: dict[str, int] = {}
    for line in found.lines:
        if line.value != "children":
            counted[line.dimension] = counted.get(line.dimension, 0) + line.arrived
    return counted


@pytest.mark.invariant("I181")
async def test_who_was_erased_counts_by_depot_and_reason_as_not_known(
    database: Database, vault: Vault, quay: Quay
) -> None:
    voyage = await a_voyage(database)
    await quay.send(await quay.upload(voyage, a_list(a_row(1), a_row(2))))
    case_id = str(await database.pool.fetchval("SELECT case_id FROM arrivals LIMIT 1"))
    async with database.work(DPO, purpose="erase") as work:
        await erase_person(work, vault, case_id, reason="request", reference="PPID/2026/1")

    found = await reconcile_voyage(database, vault, OFFICER, voyage.voyage_id)
    assert sums(found) == {"group": 2, "depot": 2, "reason": 2, "origin": 2}


@pytest.mark.invariant("I181")
async def test_a_child_of_unknown_sex_counts_as_not_known(database: Database, vault: Vault, quay: Quay) -> None:
    voyage = await a_voyage(database)
    await quay.send(await quay.upload(voyage, a_list(a_row(1), a_row(2, sex="X", born="2020-01-01"))))

    found = await reconcile_voyage(database, vault, OFFICER, voyage.voyage_id)
    assert sums(found)["group"] == 2


async def test_needs_are_of_who_arrived_alone(database: Database, quay: Quay) -> None:
    voyage = await a_voyage(database)
    await quay.send(await quay.upload(voyage, a_list(a_row(1, flags="SICK"), a_row(2, flags="SICK"))))
    case_id = str(await database.pool.fetchval("SELECT case_id FROM arrivals LIMIT 1"))
    async with database.work(OFFICER, purpose="correct") as work:
        await record_absence(work, case_id, version=1, reason="unknown", next_voyage_id=None)

    report = await report_voyage(database, OFFICER, voyage.voyage_id)
    assert (report.counts.arrived, report.needs["SICK"]) == (1, 1)


def test_a_breakdown_that_only_some_of_the_minutes_give_makes_no_difference() -> None:
    told = [Part("group", "women", 20), Part("group", "men", 72)]
    found = reconcile(
        a_sighting(arrived=192),
        [a_source("minutes", 92, *told), a_source("minutes", 100)],
        {"group": {"women": 45, "men": 147}},
        [],
    )

    women = next(line for line in found.lines if line.value == "women")
    assert (women.handed, women.differs) == (20, None)


def test_depots_in_other_letters_are_told_apart() -> None:
    assert checked([Part("depot", "ترحيل الشميسي", 3), Part("depot", "ترحيل جدة", 4)])


@pytest.mark.invariant("I181")
async def test_reasons_between_listed_and_arrived_come_to_the_difference(
    database: Database, vault: Vault, quay: Quay
) -> None:
    """Who went over from a list that is not sent yet is not listed yet either."""
    voyage, following = await a_voyage(database), await a_voyage(database, expected_at=LATER)
    sent = await quay.upload(voyage, a_list(a_row(1), a_row(2)))
    other = await quay.upload(voyage, a_list(a_row(3), a_row(4)))
    await quay.call(sent, 2)
    await quay.send(await quay.absent(sent, 3, "not_boarded"))
    await quay.absent(other, 2, "rolled_over", next_voyage_id=following.voyage_id)

    found = await reconcile_voyage(database, vault, OFFICER, voyage.voyage_id)
    [gap] = [one for one in found.gaps if one.pair == "listed_arrived"]
    assert sum(one.heads for one in found.candidates if "listed_arrived" in one.pairs) == gap.difference


SITTI = {"full_name": "Orang2", "sex": "M", "document_number": "XS9000002", "birth_date": "1990-01-01",
         "origin_regency": "73.06"}  # fmt: skip


async def held_back(database: Database, quay: Quay) -> Voyage:
    """A voyage of whose list one was called as here and recorded, and one was not called."""
    voyage = await a_voyage(database)
    draft = await quay.upload(voyage, a_list(a_row(1), a_row(2)))
    await quay.send(await quay.call(draft, 2))
    return voyage


@pytest.mark.invariant("I181")
class TestLoggedOneByOne:
    """Whoever is logged stands on the list already, and is held back there no longer."""

    @pytest.mark.parametrize("path", ["/api/arrivals", "/api/arrivals/batch"])
    async def test_by_another_system(self, database: Database, site: Site, quay: Quay, path: str) -> None:
        voyage = await held_back(database, quay)
        one = {**SITTI, "voyage_id": voyage.voyage_id}
        sent = {"arrivals": [{**one, "key": "one"}]} if path.endswith("batch") else one
        for _ in range(2):
            answer = await site("officer").post(path, key="one", json=sent)
            assert answer.status_code in (200, 201), answer.text

        counts = await quay.counts(voyage)
        assert (counts.listed, counts.arrived, counts.rejected, counts.unlisted) == (2, 2, 0, 0)

    async def test_by_a_form_that_is_sent_again_because_nobody_answered(
        self, database: Database, site: Site, quay: Quay, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        voyage = await held_back(database, quay)
        form = {"full_name": "Orang2", "sex": "M", "document_number": "XS9000002", "origin": "Gowa",
                "birth_day": "1", "birth_month": "1", "birth_year": "1990"}  # fmt: skip
        with monkeypatch.context() as cut:
            cut.setattr(held, "settle_logged", _cut_off)
            lost = await site("officer").post(f"/id/pelayaran/{voyage.voyage_id}/catat", key="one", data=form)
        assert (lost.status_code, (await quay.counts(voyage)).arrived) == (503, 2)
        await site("officer").post(f"/id/pelayaran/{voyage.voyage_id}/catat", key="one", data=form)

        counts = await quay.counts(voyage)
        assert (counts.listed, counts.arrived, counts.rejected, counts.unlisted) == (2, 2, 0, 0)

    @pytest.mark.parametrize("mark", ["open", "absent"])
    async def test_and_is_here_on_the_roll(self, database: Database, site: Site, quay: Quay, mark: str) -> None:
        voyage = await held_back(database, quay)
        [draft] = await list_drafts(database, OFFICER, voyage_id=voyage.voyage_id)
        if mark == "absent":
            draft = await quay.absent(draft, 3, "rolled_over")
        logged = await site("officer").post("/api/arrivals", json={**SITTI, "voyage_id": voyage.voyage_id})

        roll, entry = await quay.roll(voyage), await quay.entry(voyage, 3)
        assert (roll.here, roll.absent, roll.left, roll.to_call) == (2, 0, 0, 0)
        assert (entry.mark, entry.case_id) == ("here", logged.json()["case_id"])
        assert await quay.rest(voyage, 0) == 0
        with pytest.raises(LineRecorded):
            await quay.absent(draft, 3, version=entry.version)

    async def test_and_was_called_as_here_before_the_row_is_mended(
        self, database: Database, site: Site, quay: Quay
    ) -> None:
        voyage = await a_voyage(database)
        draft = await quay.upload(voyage, a_list(a_row(1), a_row(2, sex="Q")))
        await quay.call(draft, 3)
        draft = (await quay.send(await quay.call(draft, 2))).draft
        await site("officer").post("/api/arrivals", json={**SITTI, "voyage_id": voyage.voyage_id})
        await quay.send(await quay.mend(draft, 3, {SEX: "M"}))

        counts = await quay.counts(voyage)
        assert (counts.listed, counts.arrived, counts.rejected, counts.unlisted) == (2, 2, 0, 0)

    async def test_and_the_list_is_sent_again(self, database: Database, site: Site, quay: Quay) -> None:
        voyage = await held_back(database, quay)
        await site("officer").post("/api/arrivals", json={**SITTI, "voyage_id": voyage.voyage_id})
        [draft] = await list_drafts(database, OFFICER, voyage_id=voyage.voyage_id)
        await quay.send(draft)

        counts = await quay.counts(voyage)
        assert (counts.listed, counts.arrived, counts.rejected, counts.unlisted) == (2, 2, 0, 0)

    async def test_and_stays_with_the_voyage_that_logged_who_was_carried_over(
        self, database: Database, site: Site, quay: Quay, clock: FixedClock
    ) -> None:
        voyage, following = await a_voyage(database), await a_voyage(database, expected_at=LATER)
        draft = await quay.upload(voyage, a_list(a_row(1), a_row(2)))
        for row in (2, 3):
            draft = await quay.absent(draft, row, "rolled_over", next_voyage_id=following.voyage_id)
        clock.advance(LATER - START)
        await quay.send(await quay.call(await carried_to(database, following), 2))
        await site("officer").post("/api/arrivals", json={**SITTI, "voyage_id": following.voyage_id})

        with pytest.raises(StaysThere) as stays:
            await quay.call(draft, 3, "open", version=1)
        assert stays.value.why == "recorded"

    async def test_and_entered_in_error_after_all(self, database: Database, site: Site, quay: Quay) -> None:
        voyage = await held_back(database, quay)
        logged = await site("officer").post("/api/arrivals", json={**SITTI, "voyage_id": voyage.voyage_id})
        async with database.work(OFFICER, purpose="correct") as work:
            await enter_in_error(work, logged.json()["case_id"], version=1, reason="not_a_returnee", duplicate_of=None)

        counts = await quay.counts(voyage)
        assert (counts.listed, counts.arrived, counts.rejected, counts.unlisted) == (2, 1, 1, 0)
        [draft] = await list_drafts(database, OFFICER, voyage_id=voyage.voyage_id)
        await quay.send(await quay.call(draft, 3))
        counts = await quay.counts(voyage)
        assert (counts.listed, counts.arrived, counts.rejected, counts.unlisted) == (2, 2, 0, 0)


async def _cut_off(*_: object) -> None:
    raise ConnectionError
