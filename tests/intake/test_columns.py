"""Lists of which nobody knows what their columns are: kept, asked about, remembered; named after complaints."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from services.intake.domain.headings import keys_of
from services.intake.gateways.workbooks import XLSX, workbook
from shared.kit.database import Database
from tests.intake.conftest import Browser
from tests.intake.factories import a_voyage
from tests.reading import said

Site = Callable[[str], Browser]

NO_SEX = b"No;Nama;Kel.;Usia\n1;Bala;L;30\n2;Siti;P;31\n"
FOREIGN = b"DAFTAR KAPAL;;\nNaam;Geslacht;Jaren\nBala;L;30\nSiti;P;31\n"
BARE = b"Bala;L;30\nSiti;P;31\n"
TWICE = b"Nama;Nama;L/P;Umur\nAminah;Bala;L;30\n"
NAMES, PLACES = {"0": "full_name", "1": "sex", "2": "age"}, {0: "full_name", 1: "sex", 2: "age"}


class Desk:
    """Somebody at the quay who uploads lists through the API."""

    def __init__(self, site: Site, voyage_id: str) -> None:
        self.officer = site("officer")
        self.voyage_id = voyage_id

    async def upload(self, content: bytes, sender: str = "", kind: str = "text/csv") -> dict[str, Any]:
        answer = await self.officer.post(
            f"/api/voyages/{self.voyage_id}/drafts?sender={sender}", content=content, kind=kind
        )
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def see(self, draft: dict[str, Any], **query: Any) -> dict[str, Any]:
        return dict((await self.officer.get(f"/api/drafts/{draft['draft_id']}", **query)).json())

    async def say(self, draft: dict[str, Any], columns: dict[str, str], **more: Any) -> httpx2.Response:
        return await self.officer.post(f"/api/drafts/{draft['draft_id']}/columns", json={"columns": columns, **more})


@pytest.fixture
async def desk(site: Site, database: Database) -> Desk:
    return Desk(site, (await a_voyage(database)).voyage_id)


@pytest.mark.invariant("I157")
class TestComplaint:
    """Each as a test of ours."""

    async def test_complaint_a_list_is_turned_away_for_the_words_above_its_columns(self, desk: Desk) -> None:
        draft = await desk.upload(NO_SEX)
        found = await desk.see(draft)

        assert (draft["asks"], draft["counts"]["mend"], draft["counts"]["ready"]) == (["sex"], 2, 0)
        assert [(one["letter"], one["heading"], one["field"], one["values"]) for one in found["choose"]] == [
            ("A", "No", "seq", ["1", "2"]),
            ("B", "Nama", "full_name", ["Bala", "Siti"]),
            ("C", "Kel.", None, ["L", "P"]),
            ("D", "Usia", "age", ["30", "31"]),
        ]
        assert "sex" in found["fields"]
        told = (await desk.say(draft, {"2": "sex"})).json()
        assert (told["asks"], told["counts"]["ready"]) == ([], 2)
        assert (await desk.see(told))["choose"] == []

    async def test_complaint_rows_are_judged_before_anybody_said_what_is_in_them(self, desk: Desk) -> None:
        draft = await desk.upload(b"Nama;Kel.;Tgl Lahir\nBala;Q;31-02-1987\n;;\n")
        [line, blank] = (await desk.see(draft))["items"]
        sent = await desk.officer.post(f"/api/drafts/{draft['draft_id']}/sendings", json={"version": draft["version"]})

        assert [one["code"] for one in line["problems"]] == ["columns_unsaid"]
        assert (blank["standing"], blank["problems"]) == ("empty", [])
        assert sent.status_code == 422
        assert "Belum ada yang mengatakan" in sent.json()["errors"][0]["message"]

    async def test_complaint_nobody_remembers_what_this_sender_calls_it(self, desk: Desk) -> None:
        await desk.say(await desk.upload(NO_SEX, "KJRI Tawau"), {"2": "sex"})
        next_week = await desk.upload(NO_SEX + b"3;Rudi;L;32\n", "kjri tawau")
        of_others = await desk.upload(NO_SEX + b"4;Umar;L;33\n", "KRI Tawau")

        assert (next_week["asks"], next_week["counts"]["ready"]) == ([], 3)
        assert of_others["asks"] == ["sex"]

    async def test_complaint_headings_in_another_language_are_no_headings(self, desk: Desk) -> None:
        draft = await desk.upload(FOREIGN, "Konsulat")
        assert draft["asks"] == ["heading", "full_name", "sex", "birth_date"]
        assert draft["counts"]["lines"] == 4
        unsaid = await desk.say(draft, NAMES)
        told = (await desk.say(draft, NAMES, heading_row=2)).json()
        found = await desk.see(told)

        assert unsaid.status_code == 422
        assert "baris" in unsaid.json()["errors"][0]["message"]
        assert (told["counts"]["ready"], told["counts"]["lines"]) == (2, 2)
        assert (found["heading"], found["items"][0]["row"]) == (["Naam", "Geslacht", "Jaren"], 3)
        assert (await desk.upload(FOREIGN + b"Rudi;L;32\n", "Konsulat"))["counts"]["ready"] == 3

    @pytest.mark.parametrize("kind", ["text/csv", XLSX])
    async def test_complaint_a_list_without_a_heading_cannot_be_read(self, desk: Desk, kind: str) -> None:
        cells = [line.split(";") for line in BARE.decode().split()]
        content, more = BARE, BARE + b"Rudi;L;32\n"
        if kind == XLSX:
            content, more = workbook(cells), workbook([*cells, ["Rudi", "L", "32"]])
        draft = await desk.upload(content, "Konsulat", kind)
        told = (await desk.say(draft, NAMES, heading_row=0)).json()
        next_one = await desk.upload(more, "Konsulat", kind)
        proposed = {one["column"]: one["field"] for one in (await desk.see(next_one))["choose"]}

        assert draft["asks"][0] == "heading"
        assert (told["counts"]["ready"], (await desk.see(told))["items"][0]["row"]) == (2, 1)
        assert next_one["asks"] == ["heading"], "without headings nothing says that the columns are in the same order"
        assert proposed == PLACES

    async def test_complaint_two_columns_of_one_name_are_a_dead_end(self, desk: Desk) -> None:
        draft = await desk.upload(TWICE, "KJRI Tawau")
        silent = await desk.say(draft, {"0": "full_name"})
        told = (await desk.say(draft, {"0": "mother_name", "1": "full_name"})).json()
        next_one = await desk.upload(TWICE + b"Halimah;Rudi;L;31\n", "KJRI Tawau")

        assert draft["asks"] == ["doubled"]
        assert silent.status_code == 422
        assert (told["counts"]["ready"], (await desk.see(told))["columns"]["full_name"]) == (1, 1)
        assert (next_one["asks"], (await desk.see(next_one))["columns"]["mother_name"]) == ([], 0)

    async def test_complaint_a_list_without_ages_makes_everybody_a_child_unasked(
        self, desk: Desk, database: Database
    ) -> None:
        draft = await desk.upload(b"Nama;L/P\nBala;L\n")
        refused = await desk.say(draft, {})
        told = (await desk.say(draft, {}, no_birth_dates=True)).json()
        await desk.officer.post(f"/api/drafts/{draft['draft_id']}/sendings", json={"version": told["version"]})

        assert (draft["asks"], refused.status_code) == (["birth_date"], 422)
        assert await database.pool.fetchval("SELECT age_band FROM arrivals") == "unknown"

    async def test_complaint_a_corrected_file_has_to_be_explained_again(self, desk: Desk) -> None:
        for content, columns, row in ((NO_SEX, {"2": "sex"}, None), (FOREIGN, NAMES, 2), (BARE, NAMES, 0)):
            draft = await desk.upload(content)
            await desk.say(draft, columns, heading_row=row)
            more = content + content.splitlines()[-1].replace(b"Siti", b"Sari").replace(b"2;", b"3;") + b"\n"
            again = await desk.officer.post(f"/api/drafts/{draft['draft_id']}/uploads", content=more, kind="text/csv")
            told = (await desk.see(draft))["differences"]

            assert (again.json()["asks"], again.json()["counts"]["ready"]) == ([], 3), content
            assert (told["same"], len(told["new"]), told["gone"]) == (2, 1, [])

    async def test_complaint_an_interface_says_only_that_it_will_not(self, desk: Desk) -> None:
        answer = await desk.officer.post(f"/api/voyages/{desk.voyage_id}/manifest", content=NO_SEX)

        assert answer.status_code == 422
        assert "draf" in answer.json()["errors"][0]["remedy"]


class TestPage:
    async def test_asks_with_the_first_values_and_reads_the_list_then(self, site: Site, desk: Desk) -> None:
        draft = await desk.upload(TWICE + b"Halimah;Rudi;L;31\n", "KJRI Tawau")
        link = f"/id/draf/{draft['draft_id']}"
        asked = await site("officer").get(link)
        columns = {"k0": "?", "k1": "full_name", "k2": "sex", "k3": "age"}
        unsaid = await site("officer").post(f"{link}/kolom", data=columns)
        told = await site("officer").post(f"{link}/kolom", data={**columns, "k0": "mother_name"})

        assert "Berisi: Aminah · Halimah" in said(asked)
        assert "Pilih artinya" in said(asked)
        assert unsaid.status_code == 422
        assert 'value="full_name" selected' in unsaid.text
        assert told.status_code == 303
        assert "Kirim semua 2" in said(await site("officer").get(link))

    async def test_asks_which_row_holds_the_headings(self, site: Site, desk: Desk) -> None:
        draft = await desk.upload(FOREIGN)
        link = f"/id/draf/{draft['draft_id']}"
        columns = {f"k{n}": field for n, field in NAMES.items()}
        unsaid = await site("officer").post(f"{link}/kolom", data=columns)
        await site("officer").post(f"{link}/kolom", data={**columns, "heading_row": "2"})

        assert "Baris 2: Naam · Geslacht · Jaren" in said(await site("officer").get(link)) or unsaid.status_code == 422
        assert "Baris 2: Naam · Geslacht · Jaren" in said(unsaid)
        assert 'href="#f-heading_row"' in unsaid.text
        assert "Kirim semua 2" in said(await site("officer").get(link))

    async def test_of_a_list_without_headings_names_the_fields(self, site: Site, desk: Desk) -> None:
        draft = await desk.upload(BARE)
        await desk.say(draft, NAMES, heading_row=0)
        page = await site("officer").get(f"/id/draf/{draft['draft_id']}", tampil="siap")

        assert '<th scope="col"></th>' not in page.text
        assert "Baris Nama lengkap Jenis kelamin Umur Ubah" in said(page)


def test_columns_of_one_heading_are_remembered_by_their_place() -> None:
    assert keys_of(["No", "Nama", "", "NAMA"]) == ["no", "nama#1", "", "nama#2"]
    assert keys_of(["", " "]) == ["#2:1", "#2:2"]
