"""The roll taken away as a file: every listed row, how it was called, why and when; on the trail, and nobody else's."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta

import openpyxl
import pytest

from services.intake.actions import retention
from services.intake.actions.drafts import discard_draft, find_draft
from services.intake.actions.erasures import erase_person
from services.intake.clock import CLOCK
from services.intake.domain.refusals.drafts import LineRecorded
from services.intake.domain.refusals.roll_calls import RowCalled
from services.intake.domain.retention import BY_CODE
from services.intake.domain.voyages import Voyage
from services.intake.store.vault import Vault
from shared.kit.clock import FixedClock
from shared.kit.database import Database
from tests.intake.conftest import Browser
from tests.intake.factories import DPO, OFFICER, START, a_list, a_row, a_voyage
from tests.intake.test_roll_calls import LATER, Quay

Site = Callable[[str], Browser]


@pytest.fixture
def quay(database: Database, vault: Vault) -> Quay:
    return Quay(database, vault)


def table(content: bytes) -> list[list[str]]:
    return [*csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=";")]


async def taken(site: Site, voyage: Voyage, form: str = "csv") -> list[dict[str, str]]:
    answer = await site("officer").get(f"/api/voyages/{voyage.voyage_id}/roll-call/file", form=form)
    assert answer.status_code == 200, answer.text
    heading, *rows = table(answer.content)
    return [dict(zip(heading, row, strict=True)) for row in rows]


def said(rows: list[dict[str, str]]) -> list[tuple[str, ...]]:
    return [(row["row"], row["name"], row["mark"], row["reason"]) for row in rows]


@pytest.mark.invariant("I170")
class TestTakingAway:
    async def test_has_every_row_with_its_mark_reason_and_time(
        self, database: Database, site: Site, quay: Quay
    ) -> None:
        voyage, following = await a_voyage(database), await a_voyage(database, vessel="KM Lambelu", expected_at=LATER)
        draft = await quay.upload(voyage, a_list(*(a_row(n) for n in range(1, 5)), a_row(5, name="'Aisyah")))
        await quay.call(draft, 2)
        await quay.absent(draft, 3, "ill_abroad")
        await quay.absent(draft, 4, "rolled_over", next_voyage_id=following.voyage_id)
        rows = await taken(site, voyage)

        assert said(rows) == [
            ("2", "Orang1", "here", ""), ("3", "Orang2", "absent", "ill_abroad"),
            ("4", "", "absent", "rolled_over"), ("5", "Orang4", "open", ""), ("6", "''Aisyah", "open", ""),
        ]  # fmt: skip
        assert (rows[2]["sex"], rows[2]["age_band"], rows[2]["next_voyage_id"]) == ("M", "adult", following.voyage_id)
        assert (rows[1]["called_by"], rows[1]["called_at"]) == ("rina", START.isoformat())

    async def test_keeps_who_was_on_lists_that_are_done_with(self, database: Database, site: Site, quay: Quay) -> None:
        voyage = await a_voyage(database)
        draft = await quay.upload(voyage, a_list(a_row(1), a_row(2), a_row(3)))
        for row in (2, 3):
            await quay.call(draft, row)
        await quay.send(await quay.absent(draft, 4, "pending_case"))
        await quay.upload(voyage, a_list(a_row(1), a_row(7)))
        rows = await taken(site, voyage)

        cases = {row["manifest_row"]: str(row["case_id"]) for row in await database.pool.fetch("TABLE arrivals")}
        assert [(row["name"], row["mark"], row["reason"], row["case_id"]) for row in rows] == [
            ("Orang1", "here", "", cases[2]), ("Orang7", "open", "", ""),
            ("", "here", "", cases[3]), ("", "absent", "pending_case", ""),
        ]  # fmt: skip
        assert [row["called_by"] for row in rows] == ["", "", "rina", "rina"]

    async def test_has_each_row_once_however_its_list_ended(self, database: Database, site: Site, quay: Quay) -> None:
        voyage = await a_voyage(database)
        first = await quay.upload(voyage, a_list(a_row(1), a_row(2), a_row(3)))
        second = await quay.upload(voyage, a_list(a_row(1, seq="9")))
        await quay.call(second, 2)
        await quay.call(first, 2)
        await quay.send(await quay.call(first, 3))
        await quay.send(second)
        async with database.work(OFFICER, purpose="manifest") as work:
            await discard_draft(work, first.draft_id)

        assert [(row["row"], row["mark"]) for row in await taken(site, voyage)] == [("2", "here"), ("3", "here")]

    async def test_has_who_was_erased_once_and_without_a_row(
        self, database: Database, site: Site, quay: Quay, clock: FixedClock
    ) -> None:
        voyage = await a_voyage(database)
        draft = await quay.upload(voyage, a_list(a_row(1), a_row(2), a_row(3, sex="Q")))
        for row in (2, 3, 4):
            await quay.call(draft, row)
        draft = (await quay.send(await find_draft(database, OFFICER, draft.draft_id))).draft
        case_id = str(await database.pool.fetchval("SELECT case_id FROM arrivals WHERE manifest_row = 2"))
        async with database.work(DPO, purpose="erase") as work:
            await erase_person(work, quay.vault, case_id, reason="request", reference="PPID/2026/1")
        clock.advance(timedelta(days=40))
        async with database.work(CLOCK, purpose="retain") as work:
            await retention.apply_rule(work, quay.vault, BY_CODE["drafts"])

        rows = await taken(site, voyage)
        assert sorted((row["row"], row["mark"], row["case_id"] == case_id) for row in rows) == [
            ("", "here", True), ("3", "here", False), ("4", "here", False),
        ]  # fmt: skip
        page = await site("officer").get(f"/id/pelayaran/{voyage.voyage_id}/absen/unduh?bentuk=csv")
        assert (page.status_code, "None" in page.text) == (200, False)

    async def test_has_who_was_recorded_once_when_a_corrected_file_came(
        self, database: Database, site: Site, quay: Quay, clock: FixedClock
    ) -> None:
        voyage = await a_voyage(database)
        draft = await quay.upload(voyage, a_list(a_row(1), a_row(2), a_row(3, sex="Q")))
        for row in (2, 3, 4):
            await quay.call(draft, row)
        draft = (await quay.send(await find_draft(database, OFFICER, draft.draft_id))).draft
        draft = await quay.upload_again(draft, a_list(a_row(2), a_row(1), a_row(3, sex="Q")))
        for row in (2, 4):
            with pytest.raises(LineRecorded if row == 2 else RowCalled):
                await quay.call(draft, row, "open", version=2)
        called = [(row["row"], row["mark"], row["called_by"]) for row in await taken(site, voyage)]
        assert called == [("2", "here", "rina"), ("3", "here", "rina"), ("4", "here", "rina")]

        clock.advance(timedelta(days=40))
        async with database.work(CLOCK, purpose="retain") as work:
            await retention.apply_rule(work, quay.vault, BY_CODE["drafts"])
        assert [(row["row"], row["mark"], row["called_by"]) for row in await taken(site, voyage)] == called

    async def test_has_who_was_recorded_by_another_list_first_once(
        self, database: Database, site: Site, quay: Quay
    ) -> None:
        voyage = await a_voyage(database)
        first = await quay.upload(voyage, a_list(a_row(1), a_row(2), a_row(3)))
        second = await quay.upload(voyage, a_list(a_row(1, seq="9")))
        await quay.call(first, 2)
        await quay.send(await quay.call(second, 2))
        await quay.send(await quay.call(first, 3))
        async with database.work(OFFICER, purpose="manifest") as work:
            await discard_draft(work, first.draft_id)

        assert [(row["row"], row["mark"]) for row in await taken(site, voyage)] == [("2", "here"), ("3", "here")]

    async def test_says_why_who_was_recorded_was_not_there(self, database: Database, site: Site, quay: Quay) -> None:
        voyage = await a_voyage(database)
        await quay.send(await quay.upload(voyage, a_list(a_row(1), a_row(2))))
        case_id = str(await database.pool.fetchval("SELECT case_id FROM arrivals WHERE manifest_row = 3"))
        absence = {"version": 1, "reason": "documents_held"}
        await site("officer").post(f"/api/arrivals/{case_id}/absence", json=absence)

        rows = await taken(site, voyage)
        assert [(row["mark"], row["reason"], row["called_at"]) for row in rows] == [
            ("here", "", ""), ("absent", "documents_held", START.isoformat()),
        ]  # fmt: skip

    async def test_is_on_the_trail_as_what_it_was_taken_in(self, database: Database, site: Site, quay: Quay) -> None:
        voyage = await a_voyage(database)
        draft = await quay.upload(voyage, a_list(a_row(1), a_row(2)))
        for path, form in (("api/voyages/{}/roll-call/file?form=csv", "csv"), ("id/pelayaran/{}/absen/unduh", "xlsx")):
            assert (await site("officer").get("/" + path.format(voyage.voyage_id))).status_code == 200
            told = await database.pool.fetchrow("SELECT payload FROM journal ORDER BY position DESC LIMIT 1")
            assert draft.draft_id in str(told["payload"])
            assert f'"form": "{form}"' in str(told["payload"]).replace('":"', '": "')

    async def test_of_another_port_is_a_missing_one(self, database: Database, site: Site, quay: Quay) -> None:
        voyage = await a_voyage(database)
        await quay.upload(voyage, a_list(a_row(1)))

        for path in (
            f"/api/voyages/{voyage.voyage_id}/roll-call/file",
            f"/id/pelayaran/{voyage.voyage_id}/absen/unduh",
        ):
            assert (await site("stranger").get(path)).status_code == 404

    @pytest.mark.parametrize(
        ("language", "heading", "words"),
        [
            ("id", "Alasan tidak hadir", ("Tidak hadir", "Sakit di luar negeri")),
            ("en", "Why not here", ("Absent", "Ill abroad")),
        ],
    )
    async def test_of_a_page_speaks_the_readers_language(
        self, database: Database, site: Site, quay: Quay, language: str, heading: str, words: tuple[str, str]
    ) -> None:
        voyage = await a_voyage(database)
        draft = await quay.upload(voyage, a_list(a_row(1), a_row(2)))
        await quay.absent(draft, 2, "ill_abroad")
        page = await site("officer").get(f"/{language}/pelayaran/{voyage.voyage_id}/absen")
        assert f"/pelayaran/{voyage.voyage_id}/absen/unduh?bentuk=xlsx" in page.text

        answer = await site("officer").get(f"/{language}/pelayaran/{voyage.voyage_id}/absen/unduh", bentuk="xlsx")
        book = openpyxl.load_workbook(io.BytesIO(answer.content))
        head, first, second = book.worksheets[0].iter_rows(values_only=True)
        assert heading in head
        assert (first[2], first[5], first[6]) == ("Orang1", *words)
        assert (second[2], second[6] or "") == ("Orang2", "")
