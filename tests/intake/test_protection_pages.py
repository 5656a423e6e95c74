"""The pages of the officer for the protection of data, by plain forms: no script is needed, no number is in a URL."""

import html
import re
from collections.abc import Callable
from datetime import timedelta

import httpx2
import pytest

from shared.kit.clock import FixedClock
from shared.kit.database import Database
from shared.kit.short_codes import short_code
from tests.intake.conftest import Browser
from tests.intake.factories import a_disclosure, an_accepted
from tests.intake.test_corrections import a_request
from tests.intake.test_erasures import PERSON, a_case, told
from tests.intake.test_holds import a_hold
from tests.reading import said

Site = Callable[[str], Browser]

REFERENCE = "PPID/2026/0113"


def printed(answer: httpx2.Response) -> str:
    body = answer.text.partition("<main>")[2]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


class TestSearch:
    async def test_leads_to_the_person_without_a_name(self, site: Site) -> None:
        case_id = await a_case(site)
        answer = await site("dpo").post("/id/data-pribadi", data={"by": "nik", "value": PERSON["nik"]})

        assert answer.status_code == 200
        assert "1 kasus ditemukan" in said(answer)
        assert short_code(case_id) in said(answer)
        assert f'href="/id/data-pribadi/{case_id}"' in answer.text
        assert "Kenari" not in answer.text
        assert PERSON["nik"] not in answer.text

    async def test_in_vain_says_so(self, site: Site) -> None:
        answer = await site("dpo").post("/id/data-pribadi", data={"by": "nik", "value": "7306991901910009"})

        assert "Tidak ada yang datang dengan nomor ini" in said(answer)

    async def test_asks_for_a_number(self, site: Site) -> None:
        answer = await site("dpo").post("/id/data-pribadi", data={"by": "nik", "value": " "})

        assert answer.status_code == 422
        assert "Nomor belum diisi." in said(answer)

    async def test_is_where_the_officer_begins(self, site: Site) -> None:
        answer = await site("dpo").get("/id/")

        assert (answer.status_code, answer.headers["location"]) == (303, "/id/data-pribadi")


class TestPerson:
    async def test_is_shown_in_codes_with_who_has_seen_it(self, site: Site, database: Database) -> None:
        case_id = await a_case(site)
        await a_disclosure(site("referral"), case_id, await an_accepted(database, case_id), "DINKES-73.06")
        page = await site("dpo").get(f"/id/data-pribadi/{case_id}")

        assert "Identitas tersegel" in said(page)
        assert "DINKES-73.06 · memberi bantuan yang sudah diterima" in said(page)
        assert "Isian: Nama lengkap, Lahir" in said(page)
        assert "Kenari" not in page.text
        assert len(await told(database, case_id, "intake.person_record_read.v1")) == 1

    @pytest.mark.parametrize("actor", ["officer", "worker", "referral"])
    async def test_is_for_the_officer_for_data_alone(self, site: Site, actor: str) -> None:
        case_id = await a_case(site)

        for path in ("", "/salinan", "/hapus", "/penangguhan"):
            assert (await site(actor).get(f"/id/data-pribadi/{case_id}{path}")).status_code == 403
        for path in ("/id/data-pribadi", "/id/penghapusan", "/id/penangguhan", "/id/perbaikan", "/id/masa-simpan"):
            assert (await site(actor).get(path)).status_code == 403

    async def test_gets_everything_on_paper(self, site: Site, database: Database) -> None:
        case_id = await a_case(site, family_contact="+62 811 2", country_from="MY")
        await a_disclosure(site("referral"), case_id, await an_accepted(database, case_id), "DINKES-73.06")
        page = await site("dpo").post(f"/id/data-pribadi/{case_id}/salinan", data={"reference": REFERENCE})
        english = await site("dpo").post(f"/en/data-pribadi/{case_id}/salinan", data={"reference": REFERENCE})

        assert "Nama lengkap Kenari Kuning" in printed(page)
        assert "+62 811 2" in printed(page)
        assert "Lahir antara 24 Nov 1995 dan 23 Nov 1996" in printed(page)
        assert "Kembali dari Malaysia" in printed(page)
        assert "DINKES-73.06" in printed(page)
        assert "Full name Kenari Kuning" in printed(english)
        assert "Your data and who has seen them" in printed(english)
        assert page.text.count("<script") == 1  # which takes it away when the session has ended
        assert page.headers["cache-control"] == "no-store"
        [handed, _] = await told(database, case_id, "intake.person_data_exported.v1")
        assert (handed["form"], handed["reference"]) == ("page", REFERENCE)

    async def test_gets_nothing_without_the_number_of_the_request(self, site: Site) -> None:
        case_id = await a_case(site)
        page = await site("dpo").post(f"/id/data-pribadi/{case_id}/salinan", data={"reference": "untuk Siti"})

        assert page.status_code == 422
        assert "Ini bukan nomor permintaan." in said(page)
        assert "Kenari" not in page.text


class TestErasing:
    async def test_says_what_it_does_and_asks_for_the_code(self, site: Site, database: Database) -> None:
        case_id = await a_case(site)
        await a_disclosure(site("referral"), case_id, await an_accepted(database, case_id), "DINKES-73.06")
        path = f"/id/data-pribadi/{case_id}/hapus"
        form = await site("dpo").get(path)
        wrong = await site("dpo").post(path, data={"reason": "request", "reference": REFERENCE, "code": "0000-0000"})

        assert "mengonfirmasi dalam 72 jam: DINKES-73.06." in said(form)
        assert wrong.status_code == 422
        assert "Ini bukan kode kasus ini." in said(wrong)
        assert await database.pool.fetchval("SELECT count(*) FROM person_keys") == 1

    async def test_leads_to_what_is_left_and_to_the_confirmations(
        self, site: Site, database: Database, clock: FixedClock
    ) -> None:
        case_id = await a_case(site)
        await a_disclosure(site("referral"), case_id, await an_accepted(database, case_id), "DINKES-73.06")
        data = {"reason": "request", "reference": REFERENCE, "code": short_code(case_id).lower()}
        answer = await site("dpo").post(f"/id/data-pribadi/{case_id}/hapus", data=data)
        assert answer.status_code == 303
        clock.advance(timedelta(hours=1))
        page = await site("dpo").get(answer.headers["location"])
        listed = await site("dpo").get("/id/penghapusan")

        assert "Identitas orang ini sudah dihapus." in said(page)
        assert f"Orangnya meminta, nomor {REFERENCE}" in said(page)
        assert "1 instansi belum mengonfirmasi" in said(page)
        assert "DINKES-73.06 menunggu instansi" in said(page)
        assert "0 dari 1 sudah mengonfirmasi" in said(listed)

    async def test_is_refused_where_a_hold_stands(self, site: Site, database: Database) -> None:
        case_id = await a_case(site)
        await a_hold(site, case_id)
        data = {"reason": "request", "reference": REFERENCE, "code": short_code(case_id)}
        answer = await site("dpo").post(f"/id/data-pribadi/{case_id}/hapus", data=data)

        assert answer.status_code == 409
        assert "Orang ini masih dalam penangguhan hukum" in said(answer)
        assert await database.pool.fetchval("SELECT count(*) FROM person_keys") == 1


class TestHolds:
    async def test_are_placed_listed_and_lifted(self, site: Site) -> None:
        case_id = await a_case(site)
        data = {"reason": "court", "reference": "PN-JKT/112/2026"}
        placed = await site("dpo").post(f"/id/data-pribadi/{case_id}/penangguhan", data=data)
        page = await site("dpo").get(placed.headers["location"])
        assert "Penangguhan berlaku." in said(page)
        assert "PN-JKT/112/2026" in said(await site("dpo").get("/id/penangguhan"))
        found = re.search(r'action="(/id/penangguhan/[^"]+/cabut)"', page.text)
        assert found

        lifted = await site("dpo").post(found[1], data={"reason": "hold_ended"})

        assert "Dicabut oleh dpo" in said(await site("dpo").get(lifted.headers["location"]))
        assert "Tidak ada penangguhan hukum yang berlaku" in said(await site("dpo").get("/id/penangguhan"))

    async def test_need_a_reason_and_a_number(self, site: Site) -> None:
        path = f"/id/data-pribadi/{await a_case(site)}/penangguhan"

        assert "Alasan belum diisi." in said(await site("dpo").post(path, data={"reference": REFERENCE}))
        assert "Ini bukan nomor permintaan." in said(
            await site("dpo").post(path, data={"reason": "court", "reference": "SITI"})
        )


class TestCorrections:
    async def test_are_asked_for_at_the_port_and_decided_with_both_values_in_view(
        self, site: Site, database: Database
    ) -> None:
        case_id = await a_case(site)
        data = {"field": "full_name", "value": "Kenanga Putih", "reference": "P4MI-NNK/2026/17"}
        asked = await site("officer").post(f"/id/data-pribadi/{case_id}/perbaikan", data=data)
        assert "Perbaikan data sudah diminta." in said(await site("officer").get(asked.headers["location"]))
        listed = await site("dpo").get("/id/perbaikan")
        found = re.search(r'href="(/id/perbaikan/[^"]+)"', listed.text)
        assert found
        assert "Kenanga" not in listed.text

        page = await site("dpo").get(found[1])
        assert "Isinya sekarang Kenari Kuning Akan menjadi Kenanga Putih" in said(page)
        seen = re.search(r'name="seen" value="([^"]+)"', page.text)
        assert seen
        decided = await site("dpo").post(found[1], data={"decision": "accepted", "seen": seen[1]})

        assert "Perbaikan data disetujui." in said(await site("dpo").get(decided.headers["location"]))
        assert await database.pool.fetchval("SELECT decision FROM corrections") == "accepted"

    async def test_are_rejected_with_a_reason(self, site: Site, database: Database) -> None:
        correction_id = await a_request(site, await a_case(site))
        data = {"decision": "rejected", "reason": "not_this_person"}
        await site("dpo").post(f"/id/perbaikan/{correction_id}", data=data)

        assert await database.pool.fetchval("SELECT reason FROM corrections") == "not_this_person"

    async def test_say_what_is_wrong_and_keep_what_was_typed(self, site: Site) -> None:
        data = {"field": "nik", "value": "123", "reference": REFERENCE}
        answer = await site("officer").post(f"/id/data-pribadi/{await a_case(site)}/perbaikan", data=data)

        assert answer.status_code == 422
        assert 'value="123"' in answer.text

    async def test_that_are_overdue_are_said_first(self, site: Site, clock: FixedClock) -> None:
        await a_request(site, await a_case(site))
        clock.advance(timedelta(hours=73))

        assert "1 perbaikan data seharusnya sudah diputuskan." in said(await site("dpo").get("/id/perbaikan"))


async def test_the_periods_are_shown_with_what_would_go(site: Site) -> None:
    page = said(await site("dpo").get("/id/masa-simpan"))

    assert "Identitas orang dewasa 1.825 0 0" in page
    assert "Belum ada yang dihapus." in page
