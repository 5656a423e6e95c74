"""The pages, by plain forms: announce, upload, look, send, log one; nothing needs JavaScript."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from shared.kit import catalogue
from shared.kit.database import Database
from tests.intake.conftest import Browser
from tests.intake.factories import START, a_list, a_row, a_voyage
from tests.reading import said
from tests.waiting import until

Site = Callable[[str], Browser]
ROOT = Path(__file__).parents[2]
DAY = {"expected_day": "23", "expected_month": "Nov", "expected_year": "2026", "time": "14.30"}


async def standing(site: Site, voyage: str) -> tuple[int, int, int]:
    """Listed, held back and arrived, as API and page of a voyage tell them, after a look at whether they add up."""
    found = (await site("officer").get(f"/api/voyages/{voyage.rpartition('/')[2]}")).json()
    assert found["listed"] + found["unlisted"] == found["arrived"] + found["rejected"] + found["waiting"]
    assert {name: found["counts"][name] for name in ("listed", "unlisted", "waiting")}.items() <= found.items()
    figures = re.findall(r"<dd>([0-9.]+)", (await site("officer").get(voyage)).text)
    assert {str(found[name]) for name in ("listed", "arrived", "rejected")} <= set(figures)
    return found["listed"], found["rejected"], found["arrived"]


async def upload(site: Site, voyage: str, content: bytes) -> httpx2.Response:
    """Upload a list at a voyage's page; answers the page of the list."""
    kept = await site("officer").post(f"{voyage}/daftar", files={"file": ("d.csv", content, "text/csv")})
    assert kept.status_code == 303, said(kept)
    return await site("officer").get(kept.headers["location"])


async def send(site: Site, looked: httpx2.Response) -> httpx2.Response:
    """Press the button that sends."""
    version = re.search(r'name="version" value="(\d+)"', looked.text)
    assert version
    return await site("officer").post(f"{looked.url.path}/kirim", data={"version": version[1]})


class TestAnnouncing:
    async def test_leads_to_the_voyage(self, site: Site) -> None:
        form = {"vessel": "KM Purnama", "modality": "deportation", "announced": "312", **DAY}
        answer = await site("officer").post("/id/pelayaran/baru", data=form)

        assert answer.status_code == 303
        page = await site("officer").get(answer.headers["location"])
        assert "Pelayaran telah diumumkan." in said(page)
        assert "312" in said(page)
        assert "23 Nov 2026 14.30 WITA" in said(page)
        today = said(await site("officer").get("/id/"))
        assert "KM Purnama" in today

    async def test_says_what_is_wrong_and_keeps_what_was_typed(self, site: Site) -> None:
        form = {"vessel": "KM Purnama", "announced": "banyak", **DAY, "expected_day": "32"}
        answer = await site("officer").post("/id/pelayaran/baru", data=form)

        assert answer.status_code == 422
        assert "Ini bukan jumlah orang." in said(answer)
        assert "Ini bukan tanggal dan waktu." in said(answer)
        assert "Jenis kepulangan belum diisi." in said(answer)
        assert 'value="KM Purnama"' in answer.text
        assert "<title>Galat:" in answer.text

    @pytest.mark.parametrize(
        ("typed", "words"),
        [
            ({"expected_year": "9" * 20}, "Ini bukan tanggal dan waktu."),
            ({"expected_year": "0001", "expected_month": "1", "expected_day": "1"}, "Hari ini lebih dari setahun"),
            ({"expected_year": "2062"}, "Hari ini lebih dari setahun"),
            ({"announced": "9" * 5000}, "Ini bukan jumlah orang."),
            ({"vessel": "KM Purnama" * 9}, "Ini terlalu panjang. Pakai paling banyak 80 huruf."),
            ({"vessel": "KM \u202ePurnama"}, "Ada karakter yang tidak terlihat di dalamnya. Ketik ulang"),
            ({"number": "12\u200b/KONS"}, "Ada karakter yang tidak terlihat di dalamnya. Ketik ulang"),
        ],
        ids=["no year", "year one", "far off", "no count", "long", "turned round", "unseen"],
    )
    async def test_asks_again_about_what_cannot_be(self, site: Site, typed: dict[str, str], words: str) -> None:
        form = {"vessel": "KM Purnama", "modality": "deportation", "announced": "312", **DAY, **typed}
        answer = await site("officer").post("/id/pelayaran/baru", data=form)

        assert answer.status_code == 422
        assert words in said(answer)
        assert "Project-Id-Version" not in answer.text

    @pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01", "1926-11-23"])
    async def test_of_no_likely_day_are_not_looked_for(self, site: Site, day: str) -> None:
        assert (await site("officer").get("/id/", hari=day)).status_code == 422
        assert (await site("officer").get("/id/", hari="2026-11-23")).status_code == 200

    async def test_an_empty_day_invites(self, site: Site) -> None:
        assert "Tidak ada pelayaran pada hari ini" in said(await site("officer").get("/id/"))

    async def test_another_port_sees_nothing_of_it(self, site: Site, database: Database) -> None:
        voyage = await a_voyage(database)

        assert "KM Purnama" not in said(await site("stranger").get("/id/"))
        for path in ("", "/daftar", "/catat", "/jalannya"):
            assert (await site("stranger").get(f"/id/pelayaran/{voyage.voyage_id}{path}")).status_code == 404
        assert (await site("worker").get("/id/")).status_code == 403

    async def test_leads_a_supervisor_to_what_waits_for_one(self, site: Site) -> None:
        answer = await site("supervisor").get("/id/")

        assert (answer.status_code, answer.headers["location"]) == (303, "/id/usulan-umur")


class TestList:
    async def test_is_chosen_looked_at_and_sent(self, site: Site, database: Database) -> None:
        path = f"/id/pelayaran/{(await a_voyage(database)).voyage_id}"
        looked = await upload(site, path, a_list(a_row(1), a_row(2, sex="Q"), a_row(3)))

        assert "Kirim 2 siap, tahan 1" in said(looked)
        assert "Jenis kelamin ini tidak dikenal. Tulis L atau P (atau M, F, X)." in said(looked)
        assert 'value="Q"' in looked.text
        assert "Orang3" in said(await site("officer").get(looked.url.path, tampil="siap"))
        assert await database.pool.fetchval("SELECT count(*) FROM arrivals") == 0

        sent = await send(site, looked)
        assert sent.status_code == 303
        page = await site("officer").get(sent.headers["location"])
        assert "2 orang tercatat." in said(page)
        page = await site("officer").get(path)
        assert "1 kurang dari yang diumumkan" in said(page)
        assert "sedang dirujuk" in said(page)
        assert "data-refresh" in page.text
        assert "Orang1" not in page.text

        again = await send(site, looked)
        assert again.status_code == 409
        assert "rina mengubahnya" in said(again)
        assert await database.pool.fetchval("SELECT count(*) FROM arrivals") == 2

    async def test_is_mended_in_its_place_and_sent_whole(self, site: Site, database: Database) -> None:
        voyage = f"/id/pelayaran/{(await a_voyage(database)).voyage_id}"
        looked = await upload(site, voyage, a_list(a_row(1), a_row(2, sex="Q")))
        list_ = looked.url.path
        form = {"version": "0", "shown": "perbaiki", "c3_2": "P"}
        saved = await site("officer").post(f"{list_}/baris/3", key="one", data=form)
        await site("officer").post(f"{list_}/baris/3", key="one", data=form)
        other = await site("officer").post(f"{list_}/baris/3", key="one", data={**form, "c3_2": "L"})

        assert saved.status_code == 303
        assert other.status_code == 422
        looked = await site("officer").get(saved.headers["location"])
        assert "Baris tersimpan." in said(looked)
        assert "Kirim semua 2" in said(looked)
        row = await site("officer").get(list_, baris="3")
        assert "Diubah oleh rina; semula: Q" in said(row)
        sent = await send(site, looked)
        assert sent.headers["location"].startswith(voyage)
        assert (await site("officer").get(list_)).status_code == 410
        assert await standing(site, voyage) == (2, 0, 2)

    async def test_shows_who_comes_second_both_values(self, site: Site, database: Database) -> None:
        looked = await upload(site, f"/id/pelayaran/{(await a_voyage(database)).voyage_id}", a_list(a_row(1, sex="Q")))
        path = f"{looked.url.path}/baris/2"
        await site("officer").post(path, data={"version": "0", "c2_2": "P"})
        late = await site("officer").post(path, data={"version": "0", "c2_2": "M", "c2_1": "Ulo"})

        assert late.status_code == 409
        assert "Anda telah mengubah baris ini di halaman lain" in said(late)
        assert "orang lain" not in said(late)
        assert "sex P M" in said(late)
        assert "full_name Orang1 Ulo" in said(late)
        assert 'name="version" value="1"' in late.text
        assert 'value="Ulo"' in late.text

    async def test_is_found_again_after_the_browser_was_closed(self, site: Site, database: Database) -> None:
        voyage = f"/id/pelayaran/{(await a_voyage(database)).voyage_id}"
        looked = await upload(site, voyage, a_list(a_row(1), a_row(2, sex="Q")))

        for path in ("/id/draf", f"{voyage}/daftar"):
            page = await site("officer").get(path)
            assert f'href="{looked.url.path}"' in page.text
            assert "Orang1" not in page.text
        assert looked.url.path not in (await site("stranger").get("/id/draf")).text
        assert (await site("stranger").get(looked.url.path)).status_code == 404

    async def test_may_be_corrected_by_another_file(self, site: Site, database: Database) -> None:
        voyage = f"/id/pelayaran/{(await a_voyage(database)).voyage_id}"
        list_ = (await upload(site, voyage, a_list(a_row(1), a_row(2, sex="Q"), a_row(3)))).url.path
        content = a_list(a_row(1), a_row(2), a_row(4))
        taken = await site("officer").post(f"{list_}/berkas", files={"file": ("d.csv", content, "text/csv")})
        unfit = await site("officer").post(f"{list_}/berkas", files={"file": ("d.csv", b"halo", "text/csv")})

        looked = said(await site("officer").get(taken.headers["location"]))
        assert "Sama 1" in looked
        assert "Baris baru 4" in looked
        assert "Baris yang berubah 3" in looked
        assert "Hilang, menurut nomor sebelumnya 4" in looked
        assert "Kirim semua 3" in looked
        assert unfit.status_code == 422
        assert 'href="#f-file"' in unfit.text

    async def test_says_what_its_columns_mean(self, site: Site, database: Database) -> None:
        voyage = f"/id/pelayaran/{(await a_voyage(database)).voyage_id}"
        list_ = (await upload(site, voyage, b"Nama;L/P;Umur;Rumah\nBala;L;30;Bonto")).url.path
        assert "Kolom yang tidak dipakai: Rumah." in said(await site("officer").get(list_))
        form = {"k0": "full_name", "k1": "sex", "k2": "age", "k3": "origin_village"}
        read = await site("officer").post(f"{list_}/kolom", data=form)
        unfit = await site("officer").post(f"{list_}/kolom", data={**form, "k0": ""})

        assert read.status_code == 303
        assert "Kolom yang tidak dipakai" not in said(await site("officer").get(list_))
        assert unfit.status_code == 422
        assert 'href="#f-k0"' in unfit.text

    async def test_may_be_discarded(self, site: Site, database: Database) -> None:
        voyage = f"/id/pelayaran/{(await a_voyage(database)).voyage_id}"
        list_ = (await upload(site, voyage, a_list(a_row(1)))).url.path
        gone = await site("officer").post(f"{list_}/buang", data={})

        assert "Daftar telah dibuang." in said(await site("officer").get(gone.headers["location"]))
        assert await database.pool.fetchval("SELECT count(*) FROM draft_keys") == 0

    async def test_that_is_being_sent_shows_how_far_it_is_and_can_be_gone_on_with(
        self, site: Site, database: Database
    ) -> None:
        looked = await upload(site, f"/id/pelayaran/{(await a_voyage(database)).voyage_id}", a_list(a_row(1), a_row(2)))
        await database.fetch("UPDATE drafts SET state = 'sending'")
        page = await site("officer").get(looked.url.path)
        progress = await site("officer").get(f"{looked.url.path}/jalannya")

        assert "Lanjutkan pengiriman" in said(page)
        assert "data-refresh" in page.text
        assert "0" in progress.text
        assert (await send(site, page)).status_code == 303
        assert "Daftar ini sudah selesai." in (await site("officer").get(f"{looked.url.path}/jalannya")).text
        assert await database.pool.fetchval("SELECT count(*) FROM arrivals") == 2

    async def test_is_looked_at_but_not_sent_before_the_ship_is_due(self, site: Site, database: Database) -> None:
        voyage = await a_voyage(database, expected_at=START + timedelta(days=2))
        looked = await upload(site, f"/id/pelayaran/{voyage.voyage_id}", a_list(a_row(1)))
        sent = await send(site, looked)

        assert "Daftar dapat dikirim mulai 24 Nov 2026 23.00 WITA" in said(looked)
        assert "Kirim semua" not in said(looked)
        assert sent.status_code == 409
        assert "12 jam" in said(sent)
        assert await database.pool.fetchval("SELECT count(*) FROM arrivals") == 0

    async def test_may_be_pasted(self, site: Site, database: Database) -> None:
        path = f"/id/pelayaran/{(await a_voyage(database)).voyage_id}/daftar"
        kept = await site("officer").post(path, data={"pasted": "Nama\tL/P\tUmur\r\nBala\tL\t30"})
        answer = await site("officer").get(kept.headers["location"])

        assert "Kirim semua 1" in said(answer)
        assert "dibaca dengan tab" in said(answer).lower()

    @pytest.mark.parametrize("language", ["id", "en"])
    async def test_held_rows_are_corrected_in_the_file_they_come_back_in(
        self, site: Site, database: Database, language: str
    ) -> None:
        voyage = f"/{language}/pelayaran/{(await a_voyage(database)).voyage_id}"
        rows = ["Nama;L/P;Umur;Kasus", "Bala;L;30;x", "Siti;P;30-an;x", ";L;20;x", "Ulo;L"]
        looked = await upload(site, voyage, "\n".join(rows).encode())
        await send(site, looked)
        assert await standing(site, voyage) == (4, 3, 1)

        async def held() -> list[str]:
            file = await site("officer").get(f"{looked.url.path}/unduh", bentuk="csv", isi="held")
            return file.content.decode("utf-8-sig").splitlines()

        heading, siti, nobody, cut = await held()
        content = "\n".join([heading, siti.replace("30-an", "tua"), nobody.replace(";;L;", ";Rudi;L;")]).encode()
        await send(site, await upload(site, voyage, content))
        assert await standing(site, voyage) == (4, 2, 2)

        again = await held()
        assert again[0] == heading
        cut = ";".join([*cut.split(";")[:3], "50", "x", "ok"])
        content = "\n".join([heading, again[1].replace("tua", "30"), cut]).encode()
        await send(site, await upload(site, voyage, content))
        assert await standing(site, voyage) == (4, 0, 4)

    @pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"halo\nhalo"])
    async def test_of_no_use_is_asked_for_again(self, site: Site, database: Database, content: bytes) -> None:
        path = f"/id/pelayaran/{(await a_voyage(database)).voyage_id}/daftar"
        answer = await site("officer").post(path, files={"file": ("d.csv", content, "text/csv")})

        assert answer.status_code == 422
        assert 'href="#f-file"' in answer.text

    async def test_of_many_thousands_goes_by_the_form(self, site: Site, database: Database) -> None:
        path = f"/id/pelayaran/{(await a_voyage(database)).voyage_id}"
        looked = await upload(site, path, a_list(*(a_row(n) for n in range(1, 8_001))))
        sent = await send(site, looked)

        assert sent.status_code == 303
        await until(lambda: _recorded(database, 8_000))

    async def test_shows_names_that_try_to_be_markup_as_text(self, site: Site, database: Database) -> None:
        path = f"/id/pelayaran/{(await a_voyage(database)).voyage_id}"
        content = a_list(a_row(1, name="<script>alert(1)</script>"), a_row(2, name='"<b>x', sex="Q"))
        looked = await upload(site, path, content)
        answer = await site("officer").get(looked.url.path, tampil="siap")

        assert "<script>alert" not in answer.text
        assert "&lt;script&gt;" in answer.text
        assert "<b>x" not in looked.text

    async def test_an_empty_one_can_be_downloaded_and_read_back(self, site: Site) -> None:
        file = await site("officer").get("/id/daftar/contoh.csv")

        assert file.content.startswith(b"\xef\xbb\xbfseq;full_name;sex;date_of_birth")


async def _recorded(database: Database, people: int) -> bool:
    return bool(await database.pool.fetchval("SELECT count(*) FROM arrivals") == people)


class TestLoggingOne:
    async def test_saves_and_offers_the_next(self, site: Site, database: Database) -> None:
        path = f"/id/pelayaran/{(await a_voyage(database)).voyage_id}/catat"
        form = {"full_name": "Bala", "sex": "M", "birth_day": "5", "birth_month": "agt", "birth_year": "1987",
                "origin": "Kabupaten Gowa", "needs": ["SICK", "WAGE"], "onward_wish": "go_home"}  # fmt: skip
        empty = await site("officer").get(path)
        answer = await site("officer").post(path, key="one", data=form)
        await site("officer").post(path, key="one", data=form)

        assert "autofocus" in empty.text
        assert answer.status_code == 303
        assert answer.headers["location"].startswith(path)
        assert "Tersimpan. Orang berikutnya." in said(await site("officer").get(answer.headers["location"]))
        [row] = await database.pool.fetch("SELECT * FROM arrivals")
        assert (row["origin_regency"], row["needs"], row["age_band"], row["channel"]) == (
            "73.06", ["SICK", "WAGE", "NEED"], "adult", "single",
        )  # fmt: skip
        assert row["arrived_at"] == START

    @pytest.mark.parametrize(
        ("said_of_age", "band"),
        [({"age": "17"}, "child"), ({"birth_year": "1950"}, "elderly"), ({}, "unknown"),
         ({"birth_month": "8", "birth_year": "1987"}, "adult")],
    )  # fmt: skip
    async def test_takes_what_is_known_of_the_age(
        self, site: Site, database: Database, said_of_age: dict[str, str], band: str
    ) -> None:
        path = f"/id/pelayaran/{(await a_voyage(database)).voyage_id}/catat"
        await site("officer").post(path, data={"full_name": "Bala", "sex": "M", **said_of_age})

        assert await database.pool.fetchval("SELECT age_band FROM arrivals") == band

    async def test_says_what_is_wrong_beside_the_field(self, site: Site, database: Database) -> None:
        path = f"/id/pelayaran/{(await a_voyage(database)).voyage_id}/catat"
        form = {"full_name": "", "birth_day": "31", "birth_month": "2", "birth_year": "1990", "nik": "12",
                "origin": "Bogor", "needs": ["SICK"]}  # fmt: skip
        answer = await site("officer").post(path, data=form)

        assert answer.status_code == 422
        for field in ("full_name", "sex", "birth", "nik", "origin"):
            assert f'id="f-{field}-problem"' in answer.text, field
        assert 'value="31"' in answer.text
        assert re.search(r'value="SICK" checked', answer.text)
        assert await database.pool.fetchval("SELECT count(*) FROM arrivals") == 0

    async def test_takes_the_place_of_a_row_that_was_held_back(self, site: Site, database: Database) -> None:
        voyage = f"/id/pelayaran/{(await a_voyage(database)).voyage_id}"
        for number in ("XS9000002", "XS9000003"):
            content = a_list(a_row(1), a_row(2, sex="Q", number=number))
            await send(site, await upload(site, voyage, content))
        assert await standing(site, voyage) == (3, 2, 1)

        form = {"full_name": "ORANG2", "sex": "F", "document_number": "XS9000002", "origin": "Gowa",
                "birth_day": "1", "birth_month": "1", "birth_year": "1990"}  # fmt: skip
        for _ in range(2):
            await site("officer").post(f"{voyage}/catat", key="one", data=form)
        await site("officer").post(f"{voyage}/catat", data={"full_name": "Bala", "sex": "M"})

        assert await standing(site, voyage) == (3, 1, 3)
        assert "Tidak ada di daftar 1" in said(await site("officer").get(voyage))

    @pytest.mark.parametrize(
        ("said_of_age", "field"),
        [({"birth_year": "2027"}, "birth"), ({"birth_year": "1987", "age": "12"}, "age")],
    )
    async def test_of_an_impossible_birth_is_asked_about(
        self, site: Site, database: Database, said_of_age: dict[str, str], field: str
    ) -> None:
        path = f"/id/pelayaran/{(await a_voyage(database)).voyage_id}/catat"
        answer = await site("officer").post(path, data={"full_name": "Bala", "sex": "M", **said_of_age})

        assert answer.status_code == 422
        assert f'id="f-{field}-problem"' in answer.text

    @pytest.mark.parametrize("year", ["0000", "9999", "9" * 20])
    async def test_a_year_that_never_was_is_asked_about(self, site: Site, database: Database, year: str) -> None:
        path = f"/id/pelayaran/{(await a_voyage(database)).voyage_id}/catat"
        form = {"full_name": "Bala", "sex": "M", "birth_month": "Desember", "birth_year": year}
        answer = await site("officer").post(path, data=form)

        assert answer.status_code == 422
        assert 'id="f-birth-problem"' in answer.text


class TestLanguages:
    def test_nothing_is_left_untranslated(self) -> None:
        package, kit = ROOT / "services/intake", ROOT / "shared/kit"

        assert catalogue.lacking(package, kit) == []
        assert catalogue.unused(package) == []

    async def test_every_page_is_there_in_both(self, site: Site, database: Database) -> None:
        voyage_id = (await a_voyage(database)).voyage_id
        paths = ["/", "/draf", "/pelayaran/baru", *(f"/pelayaran/{voyage_id}{p}" for p in ("", "/daftar", "/catat"))]

        for path in paths:
            for language in ("id", "en"):
                page = await site("officer").get(f"/{language}{path}")
                assert page.status_code == 200
                assert f'<html lang="{language}"' in page.text
        assert "Today's voyages" in said(await site("officer").get("/en/"))
