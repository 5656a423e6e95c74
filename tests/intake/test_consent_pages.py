"""Consent by plain forms, for the port and the officer for data; a refusal is printed in Indonesian to be signed."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from shared.kit.clock import FixedClock
from shared.kit.database import Database
from shared.kit.ids import new_id
from shared.kit.short_codes import short_code
from tests.intake.conftest import Browser
from tests.intake.consenting import CSO, HELP, IN_YEARS, a_consent, named, seen, shown_to, withdrawn
from tests.intake.test_erasures import a_case, erased, told
from tests.intake.test_protection_pages import REFERENCE, printed
from tests.reading import said

Site = Callable[[str], Browser]

TYPED = {**HELP, "answer": "yes", "by": "self", "how": "signed", "language": "id"}
BY_PARENT = {"by": "parent", "speaker": "Melati Ungu", "how": "thumbprint", "language": "bug"}


async def typed(site: Site, case_id: str, actor: str = "officer", **more: Any) -> Any:
    return await site(actor).post(f"/id/data-pribadi/{case_id}/persetujuan/catat", data={**TYPED, **more})


async def looked(site: Site, case_id: str, actor: str = "officer") -> str:
    answer = await site(actor).get(f"/id/data-pribadi/{case_id}/persetujuan")
    assert answer.status_code == 200, answer.text
    return said(answer)


class TestRecording:
    @pytest.mark.parametrize("actor", ["officer", "dpo"])
    async def test_leads_back_to_what_holds(self, site: Site, actor: str) -> None:
        case_id = await a_case(site)
        form = await site(actor).get(f"/id/data-pribadi/{case_id}/persetujuan/catat")
        answer = await typed(site, case_id, actor, needs=["SICK"], version="0")

        assert form.status_code == 200
        assert short_code(case_id) in said(form)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith(f"/id/data-pribadi/{case_id}/persetujuan?said=")
        page = await looked(site, case_id, actor)
        assert "persetujuan diberikan" in page
        assert "belum ditanyakan" in page

    async def test_takes_the_last_day_at_the_port(self, site: Site, database: Database) -> None:
        case_id = await a_case(site)
        await typed(site, case_id, expires_day="17", expires_month="agustus", expires_year="2027")

        [fact] = await told(database, case_id, "intake.consent_recorded.v1")
        assert fact["expires_at"] == "2027-08-17T16:00:00Z"  # midnight at Nunukan, WITA

    @pytest.mark.parametrize(
        ("more", "field", "sentence"),
        [
            ({"answer": ""}, "answer", "Di sini belum ada pilihan."),
            ({"by": "parent"}, "by", "Orang dewasa memberi persetujuan sendiri"),
            ({"how": "spoken_before_witness"}, "speaker", "nama saksi bila persetujuan hanya lisan"),
            ({"expires_day": "31", "expires_month": "2", "expires_year": "2027"}, "expires", "Tanggal itu tidak ada."),
            ({"expires_year": "2019", "expires_month": "1", "expires_day": "1"}, "expires", "sesudah hari ini"),
            ({"needs": ["DRUG"]}, "needs", "Pilih di antara kebutuhan kasus ini"),
        ],
    )
    async def test_says_at_the_field_what_is_wrong_and_loses_nothing(
        self, site: Site, database: Database, more: dict[str, Any], field: str, sentence: str
    ) -> None:
        case_id = await a_case(site)
        answer = await typed(site, case_id, **{"statement": "saya pikir dulu", **more})

        assert answer.status_code == 422
        assert sentence in said(answer)
        assert f'href="#f-{field}"' in answer.text or field == "speaker"
        assert "saya pikir dulu" in answer.text
        assert await database.pool.fetchval("SELECT count(*) FROM consents") == 0

    async def test_shows_who_was_first_and_keeps_what_was_typed(self, site: Site) -> None:
        case_id = await a_case(site)
        await a_consent(site, case_id, given=False)
        answer = await typed(site, case_id, version="0")

        assert answer.status_code == 409
        assert "rina mencatat: persetujuan ditolak" in said(answer)
        assert 'name="version" value="1"' in answer.text
        assert 'value="yes" checked' in answer.text

    async def test_of_a_child_asks_for_the_parent_and_says_that_help_goes_on(self, site: Site) -> None:
        case_id = await a_case(site, **IN_YEARS)
        form = await site("officer").get(f"/id/data-pribadi/{case_id}/persetujuan/catat")
        answer = await typed(site, case_id, **BY_PARENT)

        assert "tetap berjalan apa pun jawaban orang tua atau wali" in said(form)
        assert 'value="self"' not in form.text
        assert answer.status_code == 303
        assert "Melati" not in await looked(site, case_id)

    async def test_of_who_has_died_leads_to_the_law(self, site: Site) -> None:
        case_id = await a_case(site, needs=["REMAINS"])
        form = await site("officer").get(f"/id/data-pribadi/{case_id}/persetujuan/catat")

        assert "Sebutkan dasar hukum" in said(form)
        assert "<form" not in form.text.partition("<main")[2].partition("</main>")[0].replace("/keluar", "")

    async def test_is_for_nobody_else(self, site: Site) -> None:
        case_id = await a_case(site)
        for actor in ("system", "worker", "referral"):
            assert (await typed(site, case_id, actor)).status_code == 403
        assert (await typed(site, case_id, "stranger")).status_code == 404


class TestRefusal:
    async def test_is_printed_in_indonesian_to_be_signed(self, site: Site, database: Database) -> None:
        case_id = await a_case(site, **IN_YEARS)
        answer = await typed(site, case_id, **BY_PARENT, answer="no", statement="Kami pulang sendiri")
        paper = await site("officer").get(answer.headers["location"])

        text = printed(paper)
        assert paper.status_code == 200
        for sentence in ("Surat pernyataan penolakan", "Kami pulang sendiri", "Melati Ungu", "Cap jempol", "Bugis"):
            assert sentence in text
        assert paper.text.count('class="line"') == 3
        assert "Kenari" not in paper.text
        assert [one["fields"] for one in await told(database, case_id, "intake.person_record_read.v1")] == [
            ["consent_words"]
        ]
        link = f'href="/id/persetujuan/{(await seen(site, case_id))["history"][0]["entry_id"]}/pernyataan"'
        assert link in (await site("officer").get(f"/en/data-pribadi/{case_id}/persetujuan")).text

    async def test_is_no_paper_of_a_consent_nor_of_who_was_erased(self, site: Site) -> None:
        case_id = await a_case(site)
        given, refused = await a_consent(site, case_id), await a_consent(site, case_id, given=False)
        await erased(site, case_id)

        answers = [await site("dpo").get(f"/id/persetujuan/{id_}/pernyataan") for id_ in (given, new_id(), refused)]
        assert [answer.status_code for answer in answers] == [404, 404, 410]


class TestWithdrawal:
    async def test_shows_for_each_recipient_whether_it_has_confirmed(
        self, site: Site, database: Database, clock: FixedClock
    ) -> None:
        case_id = await a_case(site)
        consent_id = await a_consent(site, case_id)
        await shown_to(site, database, case_id)
        form = await site("officer").get(f"/id/persetujuan/{consent_id}/cabut")
        answer = await site("officer").post(f"/id/persetujuan/{consent_id}/cabut", data={**TYPED, "version": "1"})
        clock.advance(timedelta(hours=1))
        page = await looked(site, case_id)

        assert form.status_code == 200
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (
            303,
            f"/id/data-pribadi/{case_id}/persetujuan",
        )
        assert "persetujuan dicabut" in page
        assert f"{CSO} menunggu instansi" in page

    async def test_is_made_once(self, site: Site) -> None:
        case_id = await a_case(site)
        consent_id = await a_consent(site, case_id)
        await withdrawn(site, consent_id)
        answer = await site("officer").post(f"/id/persetujuan/{consent_id}/cabut", data=TYPED)

        assert answer.status_code == 422
        assert "sudah dicabut" in said(answer)


class TestBasis:
    async def test_is_named_and_ended(self, site: Site) -> None:
        case_id = await a_case(site)
        path = f"/id/data-pribadi/{case_id}/persetujuan/dasar"
        form = await site("officer").get(path)
        wrong = await site("officer").post(path, data={**HELP, "basis": "best_interest.no_guardian"})
        right = await site("officer").post(path, data={**HELP, "basis": "vital_interest.danger_to_life"})
        named_ = await looked(site, case_id)
        basis_id = (await seen(site, case_id))["history"][0]["entry_id"]
        ended = await site("officer").post(f"/id/dasar-hukum/{basis_id}/akhiri", data={"reason": "no_longer_needed"})

        assert "best_interest" not in form.text
        assert (wrong.status_code, right.status_code, ended.status_code) == (422, 303, 303)
        assert "diputuskan oleh hukum" in named_
        assert "diputuskan oleh hukum" not in await looked(site, case_id)

    async def test_of_another_version_is_not_ended(self, site: Site) -> None:
        case_id = await a_case(site)
        basis_id = (await named(site, case_id)).json()["entry_id"]
        answer = await site("officer").post(f"/id/dasar-hukum/{basis_id}/akhiri", data={"version": "0"})

        assert answer.status_code == 409


class TestHandingOut:
    async def test_has_what_was_said_with_its_words_until_the_person_is_erased(self, site: Site) -> None:
        case_id = await a_case(site, **IN_YEARS)
        said_ = {"by": "parent", "how": "signed", "explained_in": "id", "speaker": "Melati Ungu"}
        await a_consent(site, case_id, spoken=said_, given=False, statement="Kami pulang sendiri")

        async def paper() -> str:
            path = f"/id/data-pribadi/{case_id}/salinan"
            return printed(await site("dpo").post(path, data={"reference": REFERENCE}))

        kept = await paper()
        await erased(site, case_id)
        left = await paper()
        for sentence in ("persetujuan ditolak", "Bantuan dan pelindungan"):
            assert sentence in kept
            assert sentence in left
        assert "Melati Ungu" in kept
        assert "Kami pulang sendiri" in kept
        assert "Melati" not in left

    async def test_as_json_has_the_history_in_codes_and_the_words(self, site: Site) -> None:
        case_id = await a_case(site)
        await a_consent(site, case_id, given=False, statement="saya tidak mau")
        await a_consent(site, case_id)
        answer = await site("dpo").post(f"/api/cases/{case_id}/export", json={"reference": REFERENCE})

        entries = answer.json()["consents"]
        assert [(one["case_id"], one["kind"], one["words"]) for one in entries] == [
            (case_id, "refused", {"statement": "saya tidak mau"}),
            (case_id, "given", {}),
        ]
