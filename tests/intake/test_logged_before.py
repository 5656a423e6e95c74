"""Who was logged one by one before a list came that names the same person: known again or asked about, never twice."""

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar

import asyncpg
import pytest

from services.intake.actions import manifests
from services.intake.actions.endings import enter_in_error
from services.intake.actions.manifests import take_in_manifest
from services.intake.domain.doubles import Logged, may_be_one
from services.intake.domain.voyages import Voyage
from services.intake.store.vault import Vault
from shared.kit.database import Database
from tests.intake.conftest import Browser
from tests.intake.factories import OFFICER, a_list, a_row, a_voyage
from tests.intake.test_roll_calls import Quay, add_up

Site = Callable[[str], Browser]
SECOND = {"full_name": "Orang2", "sex": "M", "document_number": "XS9000002", "birth_date": "1990-01-01",
          "origin_regency": "73.06"}  # fmt: skip
"""The person of `a_row(2)`."""


@pytest.fixture
def quay(database: Database, vault: Vault) -> Quay:
    return Quay(database, vault)


async def logged(site: Site, voyage: Voyage, **said: object) -> str:
    told = {name: value for name, value in {**SECOND, **said}.items() if value is not None}
    answer = await site("officer").post("/api/arrivals", json={**told, "voyage_id": voyage.voyage_id})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["case_id"])


class TestWhoMayBeOne:
    SITI: ClassVar = {"full_name": "siti", "sex": "F", "birth": "1990-01-01", "document_number": "X1"}

    def test_by_nik_or_by_name_and_birth(self) -> None:
        assert may_be_one({"nik": "1", "full_name": "a"}, {"nik": "1", "full_name": "b"})
        assert may_be_one({**self.SITI, "document_number": "X2"}, {"full_name": "siti", "birth": "1990-01-01"})

    def test_by_a_document_only_where_all_else_does_not_differ(self) -> None:
        """A family travels on one."""
        assert may_be_one(self.SITI, {"document_number": "X1"})
        assert may_be_one(self.SITI, {"document_number": "X1", "full_name": "sitti", "birth": "1990-01-01"})
        assert not may_be_one(self.SITI, {"document_number": "X1", "full_name": "budi", "birth": "2019-02-02"})

    @pytest.mark.parametrize("born", ["1990", "1990-01", "1989-03-02/1990-03-01", "1990-03-02/1991-03-01", ""])
    def test_by_the_name_where_one_knows_the_birth_less_exactly(self, born: str) -> None:
        """Who is asked on the quay often says an age."""
        siti = {"full_name": "siti", "sex": "F", "origin_regency": "73.06", "birth": "1990-01-01"}
        asked = {field: said for field, said in {"full_name": "Hj. Siti", "sex": "F", "birth": born}.items() if said}

        assert may_be_one(siti, asked)
        assert Logged({"a": asked}).may_be(siti)
        assert not may_be_one({**siti, "birth": "1985-01-01"}, {**asked, "birth": born or "1985-02-01"})
        for other in ({"full_name": "ani"}, {"sex": "M"}, {"origin_regency": "73.71"}):
            assert not may_be_one(siti, {**asked, **other})
        assert not may_be_one({**siti, "document_number": "X1"}, {**asked, "document_number": "X2"})

    def test_only_who_says_nothing_else_and_enough_is_surely_one(self) -> None:
        people = Logged({"a": self.SITI, "b": {"full_name": "budi", "sex": "M"}})

        assert people.find({**self.SITI, "origin_regency": "73.06"}) == "a"
        assert people.find({"full_name": "siti", "sex": "F", "birth": "1990-01-01"}) == "a"
        assert people.find({**self.SITI, "sex": "M"}) is None
        assert people.find({"full_name": "budi", "sex": "M"}) is None

    def test_each_stands_for_one_row(self) -> None:
        people = Logged({"a": self.SITI})
        people.take("a")

        assert people.find(self.SITI) is None
        assert people.may_be(self.SITI)


@pytest.mark.invariant("I190")
class TestLoggedBeforeTheList:
    async def test_is_known_on_it_and_counted_once(self, database: Database, site: Site, quay: Quay) -> None:
        voyage = await a_voyage(database)
        await logged(site, voyage)

        draft = await quay.upload(voyage, a_list(a_row(1, name="Kenari"), a_row(2)))
        assert (draft.ready, draft.known, draft.held) == (1, 1, 0)
        await quay.send(draft)

        counts = await quay.counts(voyage)
        assert (counts.listed, counts.arrived, counts.rejected, counts.unlisted) == (2, 2, 0, 0)
        assert add_up(counts)

    async def test_is_known_to_a_list_that_is_sent_at_once(
        self, database: Database, vault: Vault, site: Site, quay: Quay
    ) -> None:
        voyage = await a_voyage(database)
        await logged(site, voyage)

        for _ in range(2):
            await take_in_manifest(database, vault, OFFICER, voyage, a_list(a_row(1, name="Kenari"), a_row(2)))
        counts = await quay.counts(voyage)
        assert (counts.listed, counts.arrived, counts.rejected, counts.unlisted) == (2, 2, 0, 0)

    async def test_and_on_the_roll(self, database: Database, site: Site, quay: Quay) -> None:
        voyage = await a_voyage(database)
        await logged(site, voyage)
        draft = await quay.upload(voyage, a_list(a_row(1, name="Kenari"), a_row(2)))

        roll = await quay.roll(voyage)
        assert (roll.here, roll.left, roll.in_all) == (1, 1, 2)
        await quay.send(await quay.call(draft, 2))
        counts = await quay.counts(voyage)
        assert (counts.listed, counts.arrived, counts.rejected, counts.unlisted) == (2, 2, 0, 0)

    async def test_is_asked_about_where_the_list_tells_otherwise(
        self, database: Database, site: Site, quay: Quay
    ) -> None:
        voyage = await a_voyage(database)
        await logged(site, voyage, full_name="Orang Dua")

        draft = await quay.upload(voyage, a_list(a_row(1, name="Kenari"), a_row(2)))
        assert (draft.ready, draft.twice) == (1, 1)
        path = f"/id/draf/{draft.draft_id}?baris=3"
        assert "dicatat satu per satu" in (await site("officer").get(path)).text
        await quay.send(draft)

        counts = await quay.counts(voyage)
        assert (counts.listed, counts.arrived, counts.rejected, counts.unlisted) == (2, 2, 1, 1)
        assert add_up(counts)

    @pytest.mark.parametrize("known", [{"birth_date": "1990"}, {"age": 36}, {"unfinished": True, "looks": "adult"}])
    async def test_is_asked_about_where_only_an_age_was_told_on_the_quay(
        self, database: Database, site: Site, quay: Quay, known: dict[str, object]
    ) -> None:
        voyage = await a_voyage(database)
        await logged(site, voyage, **{"birth_date": None, "document_number": None, **known})

        draft = await quay.upload(voyage, a_list(a_row(1, name="Kenari"), a_row(2)))
        assert (draft.ready, draft.twice) == (1, 1)
        await quay.send(draft)

        counts = await quay.counts(voyage)
        assert (counts.arrived, counts.rejected, counts.unlisted) == (2, 1, 1)
        assert add_up(counts)

    async def test_and_held_back_where_nobody_looked_in_between(
        self, database: Database, site: Site, quay: Quay
    ) -> None:
        voyage = await a_voyage(database)
        draft = await quay.upload(voyage, a_list(a_row(1, name="Kenari"), a_row(2), a_row(3, name="Orang Tiga")))
        await logged(site, voyage)
        await logged(site, voyage, full_name="Orang Tiga", document_number="XS9000009")

        await quay.send(draft)
        counts = await quay.counts(voyage)
        assert (counts.listed, counts.arrived, counts.rejected, counts.unlisted) == (3, 3, 1, 1)
        assert add_up(counts)

    async def test_and_the_other_of_two_people_is_logged_by_hand_as_well(
        self, database: Database, site: Site, quay: Quay
    ) -> None:
        voyage = await a_voyage(database)
        await logged(site, voyage, document_number="XS7777777")
        await quay.send(await quay.upload(voyage, a_list(a_row(1, name="Kenari"), a_row(2))))
        await logged(site, voyage)

        counts = await quay.counts(voyage)
        assert (counts.listed, counts.arrived, counts.rejected, counts.unlisted) == (2, 3, 0, 1)
        assert add_up(counts)

    async def test_stands_on_two_lists_and_counts_once(
        self, database: Database, vault: Vault, site: Site, quay: Quay
    ) -> None:
        voyage = await a_voyage(database)
        await logged(site, voyage)

        for rows in ((a_row(1, name="Kenari"), a_row(2)), (a_row(2), a_row(3, name="Merpati"), a_row(4, name="Bayu"))):
            await take_in_manifest(database, vault, OFFICER, voyage, a_list(*rows))
        counts = await quay.counts(voyage)
        assert (counts.listed, counts.arrived, counts.rejected, counts.unlisted) == (4, 4, 0, 0)

    async def test_stands_on_two_lists_at_once_and_counts_once(
        self, database: Database, vault: Vault, site: Site, quay: Quay, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The list that began first ends last, and neither saw what the other holds back."""
        voyage = await a_voyage(database)
        await logged(site, voyage)
        find, begun, ended = manifests.find_logged, asyncio.Event(), asyncio.Event()

        async def after_the_other(*asked: Any) -> Logged:
            if not begun.is_set():
                begun.set()
                await ended.wait()
            return await find(*asked)

        monkeypatch.setattr(manifests, "find_logged", after_the_other)
        first, second = a_list(a_row(1, name="Kenari"), a_row(2)), a_list(a_row(2), a_row(3, name="Merpati"))
        taking = asyncio.create_task(take_in_manifest(database, vault, OFFICER, voyage, first))
        await begun.wait()
        await take_in_manifest(database, vault, OFFICER, voyage, second)
        ended.set()
        await taking

        counts = await quay.counts(voyage)
        assert (counts.listed, counts.arrived, counts.rejected, counts.unlisted) == (3, 3, 0, 0)

    async def test_is_recorded_by_it_once_the_arrival_was_none(
        self, database: Database, site: Site, quay: Quay
    ) -> None:
        voyage = await a_voyage(database)
        case_id = await logged(site, voyage)
        async with database.work(OFFICER, purpose="correct") as work:
            await enter_in_error(work, case_id, version=1, reason="not_a_returnee", duplicate_of=None)

        await quay.send(await quay.upload(voyage, a_list(a_row(1, name="Kenari"), a_row(2))))
        counts = await quay.counts(voyage)
        assert (counts.listed, counts.arrived, counts.unlisted) == (2, 2, 0)

    async def test_and_does_not_open_holds_up_no_list(
        self, database: Database, site: Site, quay: Quay, owner: asyncpg.Connection
    ) -> None:
        voyage = await a_voyage(database)
        case_id = await logged(site, voyage)
        async with owner.transaction():
            await owner.execute("SET LOCAL rujukan.scope = 'service'")
            await owner.execute("UPDATE arrivals SET sealed = sealed || '\\x00' WHERE case_id = $1", case_id)

        draft = await quay.upload(voyage, a_list(a_row(1, name="Kenari"), a_row(2)))
        assert (draft.ready, draft.held) == (2, 0)

    async def test_of_another_voyage_holds_nobody_back(self, database: Database, site: Site, quay: Quay) -> None:
        await logged(site, await a_voyage(database))
        draft = await quay.upload(await a_voyage(database), a_list(a_row(1, name="Kenari"), a_row(2)))

        assert (draft.ready, draft.known, draft.twice) == (2, 0, 0)


@pytest.mark.invariant("I190")
class TestCompletedLater:
    """Who was logged in a hurry and is completed stands on the list that holds the person back."""

    @pytest.mark.parametrize("how", ["api", "page"])
    async def test_is_held_back_no_longer(self, database: Database, site: Site, quay: Quay, how: str) -> None:
        voyage = await a_voyage(database)
        await quay.send(await quay.upload(voyage, a_list(a_row(1, name="Kenari"), a_row(2, sex="Q"))))
        hurried = {"sex": "M", "looks": "adult", "unfinished": True, "voyage_id": voyage.voyage_id}
        officer = site("officer")
        case_id = (await officer.post("/api/arrivals", json=hurried)).json()["case_id"]
        said = {"full_name": "Orang2", "document_number": "XS9000002"}
        if how == "api":
            told = {**said, "birth": "1990-01-01", "origin_regency": "73.06", "version": 1}
            done = await officer.post(f"/api/arrivals/{case_id}/completion", json=told)
        else:
            born = {"birth_day": "1", "birth_month": "1", "birth_year": "1990"}
            form = {**said, **born, "origin": "Gowa", "version": "1"}
            done = await officer.post(f"/id/kedatangan/{case_id}/lengkapi", data=form)
        assert done.status_code in (200, 303), done.text

        counts = await quay.counts(voyage)
        assert (counts.listed, counts.arrived, counts.rejected, counts.unlisted) == (2, 2, 0, 0)
