"""Lists as they come to the quay, through the page and the API: workbooks, pasted rows, several lists in one file."""

import io
from collections.abc import Callable

import httpx2
import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from services.intake.domain import headings
from services.intake.gateways.workbooks import XLSX
from shared.kit.database import Database
from tests.intake.conftest import Browser
from tests.intake.factories import a_voyage
from tests.intake.test_pages import send, standing, upload
from tests.intake.workbooks import HEADING, a_person, a_workbook, saved
from tests.reading import said

Site = Callable[[str], Browser]


@pytest.fixture
async def voyage(database: Database) -> str:
    return (await a_voyage(database)).voyage_id


def hides_a_row(sheet: Worksheet) -> None:
    sheet.merge_cells("A1:E1")
    sheet.row_dimensions[5].hidden = True
    sheet.column_dimensions["D"].hidden = True


@pytest.fixture
def two_lists() -> bytes:
    """One file with the lists of two handovers."""
    book = openpyxl.load_workbook(io.BytesIO(a_workbook(HEADING, a_person(1), a_person(2), title="BAST 1")))
    second = book.create_sheet("BAST 2")
    for row in (HEADING, a_person(3)):
        second.append(list(row))
    return saved(book)


class TestWorkbook:
    async def test_is_looked_at_and_sent_by_the_page(self, site: Site, voyage: str, database: Database) -> None:
        content = a_workbook(
            ["DAFTAR DEPORTAN KM PURNAMA"], [], HEADING, a_person(1), a_person(2), a_person(3, sex="Q"),
            then=hides_a_row,
        )  # fmt: skip
        looked = await upload(site, f"/id/pelayaran/{voyage}", content)

        assert "Dibaca dari lembar Daftar." in said(looked)
        assert "Baris yang tersembunyi di buku kerja ikut dibaca: 5." in said(looked)
        assert "Kolom yang tersembunyi di buku kerja ikut dibaca: D." in said(looked)
        assert "C L/P" in said(looked)
        assert "Jenis kelamin ini tidak dikenal." in said(looked)
        assert "Kirim 2 siap, tahan 1" in said(looked)

        assert (await send(site, looked)).status_code == 303
        assert await database.pool.fetchval("SELECT count(*) FROM arrivals") == 2

    async def test_is_taken_in_by_the_api(self, site: Site, voyage: str) -> None:
        content = a_workbook(HEADING, a_person(1), a_person(2, name="=A1"))
        looked = (
            await site("officer").post(f"/api/voyages/{voyage}/manifest?preview=1", content=content, kind=XLSX)
        ).json()
        sent = await site("officer").post(f"/api/voyages/{voyage}/manifest", content=content, kind=XLSX)

        assert (looked["worksheet"], looked["separator"], looked["encoding"]) == ("Daftar", "", "")
        problem = looked["problems"][0]
        assert (problem["row"], problem["letter"], problem["column"], problem["code"]) == (3, "B", "Nama", "formula")
        assert (sent.json()["accepted"], sent.json()["rejected"]) == (1, 1)

    async def test_with_two_lists_is_asked_about_and_each_is_a_list(
        self, site: Site, voyage: str, two_lists: bytes
    ) -> None:
        path = f"/id/pelayaran/{voyage}/daftar"

        async def choose(worksheet: str) -> httpx2.Response:
            files = {"file": ("daftar.xlsx", two_lists, XLSX)}
            return await site("officer").post(path, files=files, data={"worksheet": worksheet})

        asked = await choose("")
        assert asked.status_code == 422
        assert "Ada lebih dari satu daftar dalam buku kerja ini: BAST 1, BAST 2." in said(asked)
        assert 'href="#f-worksheet"' in asked.text
        assert "Yang ada: BAST 1, BAST 2." in said(await choose("BAST 3"))

        for name, people in (("BAST 1", 2), ("BAST 2", 1)):
            await choose("BAST 1" if name == "BAST 2" else "BAST 2")
            kept = await choose(name)
            looked = await site("officer").get(kept.headers["location"])
            assert f"Kirim semua {people}" in said(looked)
            assert (await send(site, looked)).status_code == 303
        assert await standing(site, f"/id/pelayaran/{voyage}") == (3, 0, 3)

    async def test_with_two_lists_is_two_lists_through_the_api(self, site: Site, voyage: str, two_lists: bytes) -> None:
        path = f"/api/voyages/{voyage}/manifest"
        asked = await site("officer").post(path, content=two_lists, kind=XLSX)
        sent = [
            await site("officer").post(f"{path}?worksheet={name}", content=two_lists, kind=XLSX)
            for name in ("BAST 1", "BAST 2", "BAST 1")
        ]

        assert asked.status_code == 422
        assert "BAST 1, BAST 2" in asked.json()["errors"][0]["message"]
        assert [one.json()["accepted"] for one in sent] == [2, 1, 2]
        assert sent[0].json()["manifest_id"] == sent[2].json()["manifest_id"]


class TestPastedRows:
    async def test_from_a_spreadsheet_keep_cells_of_several_lines(self, site: Site, voyage: str) -> None:
        rows = 'No\tNama\tL/P\tTgl Lahir\tAlamat\r\n1\tSiti Aminah\tP\t5 Agt 1987\t"Jl. Ratulangi\r\nMakassar"\r\n'
        kept = await site("officer").post(f"/id/pelayaran/{voyage}/daftar", data={"pasted": rows})
        looked = await site("officer").get(kept.headers["location"])
        sent = await site("officer").post(
            f"/api/voyages/{voyage}/manifest",
            content=rows.encode("utf-16"),
            kind="text/tab-separated-values",
        )

        assert "Kirim semua 1" in said(looked)
        assert sent.json()["accepted"] == 1


class TestTemplate:
    async def test_is_a_workbook_whose_columns_are_text_and_that_can_be_sent_back(
        self, site: Site, voyage: str
    ) -> None:
        """The shipped template of another system did not go through its own import."""
        file = await site("officer").get("/id/daftar/contoh.xlsx")
        book = openpyxl.load_workbook(io.BytesIO(file.content))
        sheet = book.worksheets[0]

        assert [cell.value for cell in sheet[1]] == list(headings.TEMPLATE)
        nik = sheet.cell(1, headings.TEMPLATE.index("nik") + 1).column_letter
        assert sheet.column_dimensions[nik].number_format == "@"

        sheet.append(["1", "Bala", "L", "5/8/1987", "9171010508870001", "SPLP", "XS9000001", "91.71"])
        looked = await site("officer").post(f"/api/voyages/{voyage}/manifest?preview=1", content=saved(book), kind=XLSX)
        assert (looked.json()["ready"], looked.json()["problems"]) == (1, [])
