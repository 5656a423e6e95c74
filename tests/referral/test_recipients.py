"""When a person was erased or corrected: who had been shown the identity sees to its copy, or is asked after."""

from datetime import timedelta
from typing import Any

import orjson

from services.referral.actions.answering import Answer
from services.referral.pages import labels
from shared.contracts.intake.arrivals import ArrivalRecorded
from shared.contracts.intake.identities import IdentityCorrected, PersonErased
from shared.kit.heard import Heard
from shared.kit.ids import new_id
from shared.kit.short_codes import short_code
from tests.reading import said
from tests.referral.conftest import Desk, Site
from tests.referral.factories import START, a_consent, a_withdrawal, an_arrival, an_erasure, heard
from tests.referral.forms import posted
from tests.referral.intake_server import IntakeServer
from tests.referral.test_consumers import hear

AGENCY = "DINSOS-73.06"


async def somebody_helped(desk: Desk) -> Heard[ArrivalRecorded]:
    """An elderly person from Gowa whom the social office there has accepted."""
    arrival = an_arrival("ELDER")
    await desk.open(arrival)
    await desk.answer("accept", AGENCY, Answer(await assignment(desk)))
    return arrival


async def assignment(desk: Desk) -> str:
    [row] = await desk.rows("SELECT assignment_id FROM assignments WHERE agency_id = $1", AGENCY)
    return str(row["assignment_id"])


async def task(desk: Desk) -> str:
    [row] = await desk.rows("SELECT task_id FROM recipient_tasks")
    return str(row["task_id"])


async def confirmed(site: Site, actor: str, *task_ids: str, key: str | None = None) -> list[dict[str, Any]]:
    body = {"items": [{"task_id": task_id} for task_id in task_ids]}
    answer = await site(actor).send("POST", "/api/erasures/confirmations", key=key, json=body)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


class TestHearing:
    async def test_gives_each_recipient_one_task_however_often_it_is_heard(self, desk: Desk) -> None:
        erasure: Heard[PersonErased] = an_erasure(new_id(), AGENCY, "DINKES-65.03", AGENCY)

        await hear(desk, erasure)
        await hear(desk, erasure, an_erasure(erasure.case_id, AGENCY))

        rows = await desk.rows("SELECT agency_id, region FROM recipient_tasks ORDER BY agency_id")
        assert [tuple(row) for row in rows] == [("DINKES-65.03", "65.03"), (AGENCY, "73.06")]

    async def test_lays_a_task_of_a_national_agency_where_help_is_due(self, desk: Desk) -> None:
        arrival = await somebody_helped(desk)

        await desk.erase(an_erasure(arrival.case_id, "KEMENSOS"))

        assert [row["region"] for row in await desk.rows("SELECT region FROM recipient_tasks")] == ["73.06"]


class TestAgency:
    async def test_is_asked_on_top_of_its_inbox_in_codes_and_confirms_by_name(self, desk: Desk, site: Site) -> None:
        arrival = await somebody_helped(desk)
        await desk.erase(an_erasure(arrival.case_id, AGENCY))

        inbox = await site("worker").get("/id/")
        done = await posted(site, "worker", f"/id/salinan/{await task(desk)}/konfirmasi", done="1")

        assert "Hapus salinan instansi Anda" in said(inbox)
        assert short_code(arrival.case_id) in said(inbox)
        assert done.status_code == 303
        assert "Hapus salinan" not in said(await site("worker").get("/id/"))
        [row] = await desk.rows("SELECT settled_by FROM recipient_tasks")
        assert row["settled_by"] == "dinsos.7306"
        assert await desk.told() == [*(await desk.told())[:-1], "erasure_confirmed"]

    async def test_has_to_tick_that_the_copy_is_erased(self, desk: Desk, site: Site) -> None:
        await desk.erase(an_erasure(new_id(), AGENCY))

        answer = await posted(site, "worker", f"/id/salinan/{await task(desk)}/konfirmasi")

        assert answer.status_code == 422
        assert await desk.rows("SELECT FROM recipient_tasks WHERE settled_at IS NULL")

    async def test_confirms_by_its_system_once_for_a_key(self, desk: Desk, site: Site) -> None:
        await desk.erase(an_erasure(new_id(), AGENCY))
        [open_] = (await site(AGENCY).get("/api/erasures")).json()["items"]
        assert open_.keys() == {"task_id", "case_id", "asked_at", "confirm_by"}

        first = await confirmed(site, AGENCY, open_["task_id"], key="k")
        desk.clock.advance(timedelta(hours=1))
        again = await confirmed(site, AGENCY, open_["task_id"], key="k")
        anew = await confirmed(site, AGENCY, open_["task_id"])

        assert first == again == anew
        assert first[0]["ok"]
        assert (await site(AGENCY).get("/api/erasures")).json()["items"] == []
        assert (await desk.told()).count("erasure_confirmed") == 1

    async def test_neither_sees_nor_confirms_anothers(self, desk: Desk, site: Site) -> None:
        await desk.erase(an_erasure(new_id(), AGENCY))

        foreign, missing = await confirmed(site, "DINKES-73.71", await task(desk), new_id())

        assert foreign | {"task_id": ""} == missing | {"task_id": ""}
        assert (foreign["ok"], foreign["status"]) == (False, 404)
        assert (await site("DINKES-73.71").get("/api/erasures")).json()["items"] == []
        assert "Hapus salinan" not in said(await site("DINKES-73.71").get("/id/"))


class TestOverdue:
    async def test_is_told_once(self, desk: Desk) -> None:
        await desk.erase(an_erasure(new_id(), AGENCY))
        desk.clock.advance(timedelta(days=3))

        assert [await desk.remind(), await desk.remind()] == [1, 0]
        assert await desk.told() == ["erasure_overdue"]

    async def test_is_not_told_of_what_was_confirmed(self, desk: Desk, site: Site) -> None:
        await desk.erase(an_erasure(new_id(), AGENCY))
        await confirmed(site, AGENCY, await task(desk))
        desk.clock.advance(timedelta(days=3))

        assert await desk.remind() == 0

    async def test_is_before_the_supervisor_of_the_region_who_may_confirm_by_name(self, desk: Desk, site: Site) -> None:
        await desk.erase(an_erasure(new_id(), AGENCY))
        assert "Setiap salinan" in said(await site("gowa").get("/id/pengawasan"))
        desk.clock.advance(timedelta(days=4))

        pages = [said(await site(actor).get("/id/pengawasan")) for actor in ("supervisor", "gowa", "dpo")]
        assert all("Gowa" in page for page in pages)
        done = await posted(site, "supervisor", f"/id/salinan/{await task(desk)}/wakili", done="1")

        assert done.status_code == 303
        [row] = await desk.rows("SELECT agency_id, settled_by FROM recipient_tasks")
        assert (row["agency_id"], row["settled_by"]) == (AGENCY, "penyelia.73")
        assert "erasure_confirmed" in await desk.told()

    async def test_is_nobodys_elsewhere_nor_a_systems_nor_confirmed_for_the_agency_in_time(
        self, desk: Desk, site: Site
    ) -> None:
        await desk.erase(an_erasure(new_id(), AGENCY))
        path = f"/id/salinan/{await task(desk)}/wakili"

        early = await posted(site, "supervisor", path, done="1")
        desk.clock.advance(timedelta(days=4))
        others = [(await posted(site, actor, path, done="1")).status_code for actor in ("makassar", "robot", "worker")]

        assert early.status_code == 404
        assert others == [404, 404, 403]
        assert "Setiap salinan" in said(await site("makassar").get("/id/pengawasan"))


class TestOutstanding:
    async def test_is_before_who_oversees_it_overdue_first_and_before_a_coordinator_only_where_it_is_of_many(
        self, desk: Desk, site: Site
    ) -> None:
        await desk.erase(an_erasure(late := new_id(), AGENCY))
        desk.clock.advance(timedelta(days=4))
        early = new_id()
        await desk.erase(
            an_erasure(early, AGENCY, within=timedelta(days=7)),
            an_erasure(new_id(), "DINSOS-32.04", within=timedelta(days=7)),
        )

        of = {
            who: (await site(who).get("/api/copies/outstanding")).json().get("items")
            for who in ("dpo", "gowa", "makassar", "coordinator")
        }
        counts = {
            who: (await site(who).get("/api/copies/counts")).json()["items"] for who in ("dpo", "gowa", "coordinator")
        }
        pages = {who: said(await site(who).get("/id/pengawasan")) for who in ("dpo", "gowa", "coordinator")}

        assert [(one["case_id"], one["is_overdue"]) for one in of["gowa"]] == [(late, True), (early, False)]
        assert (len(of["dpo"]), of["makassar"], of["coordinator"]) == (3, [], None)
        assert {who: [(n["kind"], n["total"], n["overdue"]) for n in some] for who, some in counts.items()} == {
            "dpo": [("erasure", 3, 1)],
            "gowa": [("erasure", 2, 1)],
            "coordinator": [],
        }
        assert "masih ada waktunya" in pages["dpo"]
        assert labels.reference(early) in pages["gowa"]
        assert labels.reference(late) not in pages["coordinator"]
        assert "terlalu sedikit untuk ditampilkan" in pages["coordinator"]

    async def test_is_rounded_before_a_coordinator_with_times_to_the_day(self, desk: Desk, site: Site) -> None:
        await desk.erase(*(an_erasure(new_id(), AGENCY) for _ in range(12)))
        desk.clock.advance(timedelta(days=4))
        await desk.erase(*(an_erasure(new_id(), AGENCY, within=timedelta(days=7)) for _ in range(16)))

        few = (await site("coordinator").get("/api/copies/counts")).json()["items"]
        page = said(await site("coordinator").get("/id/pengawasan"))
        desk.clock.advance(timedelta(days=4))
        many = (await site("coordinator").get("/api/copies/counts")).json()["items"]

        day = START.replace(hour=0)
        of_all = {"kind": "erasure", "total": 30, "since": day.isoformat()}
        next_by = (day + timedelta(days=4)).isoformat()
        assert few == [{**of_all, "overdue": None, "next_by": next_by}]
        assert many == [{**of_all, "overdue": 30, "next_by": next_by}]
        assert "di bawah 25" in page

    async def test_says_nothing_before_a_coordinator_of_whether_there_is_one_more_or_none(
        self, desk: Desk, site: Site
    ) -> None:
        none = (await site("coordinator").get("/api/copies/counts")).json()["items"]
        for _ in range(24):
            await desk.erase(an_erasure(new_id(), AGENCY))
            assert (await site("coordinator").get("/api/copies/counts")).json()["items"] == none == []

        for _ in range(10):
            await desk.erase(an_erasure(new_id(), AGENCY))
            [one] = (await site("coordinator").get("/api/copies/counts")).json()["items"]
            assert one["total"] == 30


class TestCaseOfAnErasedPerson:
    async def test_says_so_and_never_asks_who_it_was(self, desk: Desk, site: Site, intake: IntakeServer) -> None:
        arrival = await somebody_helped(desk)
        await desk.erase(an_erasure(arrival.case_id, AGENCY))
        assignment_id = await assignment(desk)

        page = said(await site("worker").get(f"/id/rujukan/{assignment_id}"))
        identity = await site(AGENCY).get(f"/api/assignments/{assignment_id}/identity")
        case = (await site(AGENCY).get(f"/api/assignments/{assignment_id}")).json()

        assert "Identitas telah dihapus" in page
        assert (identity.status_code, identity.json()["code"]) == (409, "identity_erased")
        assert case["identity_erased_at"]
        assert intake.asked == []

    async def test_goes_on_to_its_end(self, desk: Desk, site: Site) -> None:
        arrival = await somebody_helped(desk)
        await desk.erase(an_erasure(arrival.case_id, AGENCY))
        assignment_id = await assignment(desk)

        done = await posted(site, "worker", f"/id/rujukan/{assignment_id}/selesai", outcome="SERVICE_DELIVERED")

        assert done.status_code == 303
        assert (1, AGENCY, "completed") in await desk.attempts()


def a_correction(case_id: str, *recipients: str) -> Heard[Any]:
    """Fields of this person's identity were corrected, whom these agencies had been shown."""
    return heard(IdentityCorrected(case_id=case_id, fields=("full_name", "nik"), recipients=recipients))


class TestCorrection:
    async def test_is_settled_by_reading_the_identity_again(self, desk: Desk, site: Site) -> None:
        arrival = await somebody_helped(desk)
        await hear(desk, a_correction(arrival.case_id, AGENCY))

        inbox = said(await site("worker").get("/id/"))
        [open_] = (await site(AGENCY).get("/api/copies")).json()["items"]
        [refused] = await copies_confirmed(site, AGENCY, open_["task_id"])
        read = await site(AGENCY).get(f"/api/assignments/{await assignment(desk)}/identity")

        assert "Perbaiki salinan instansi Anda" in inbox
        assert (open_["kind"], open_["fields"]) == ("correction", ["full_name", "nik"])
        assert (refused["ok"], refused["code"]) == (False, "identity_to_be_read")
        assert read.status_code == 200
        assert (await site(AGENCY).get("/api/copies")).json()["items"] == []
        [row] = await desk.rows("SELECT settled_as, settled_at FROM recipient_tasks")
        assert row["settled_as"] == "read"
        assert (await desk.told()).count("correction_confirmed") == 1

    async def test_is_said_by_name_where_the_identity_is_not_shown_any_more(self, desk: Desk, site: Site) -> None:
        await hear(desk, a_correction(new_id(), AGENCY))

        [done] = await copies_confirmed(site, AGENCY, await task(desk))

        assert done["ok"]
        assert (await desk.told()).count("correction_confirmed") == 1

    async def test_is_followed_up_within_three_days_and_then_before_who_oversees(self, desk: Desk, site: Site) -> None:
        await hear(desk, a_correction(new_id(), AGENCY))
        desk.clock.advance(timedelta(hours=3 * 24, minutes=1))

        assert [await desk.remind(), await desk.remind()] == [1, 0]
        assert "correction_overdue" in await desk.told()
        pages = [said(await site(who).get("/id/pengawasan")) for who in ("supervisor", "gowa", "dpo")]
        assert all("Gowa" in page for page in pages)

    async def test_is_overtaken_by_an_erasure(self, desk: Desk, site: Site) -> None:
        case_id = new_id()
        await hear(desk, a_correction(case_id, AGENCY))
        await hear(desk, an_erasure(case_id, AGENCY))

        [left] = (await site(AGENCY).get("/api/copies")).json()["items"]

        assert left["kind"] == "erasure"


async def copies_confirmed(site: Site, actor: str, *task_ids: str) -> list[dict[str, Any]]:
    body = {"items": [{"task_id": task_id} for task_id in task_ids]}
    answer = await site(actor).send("POST", "/api/copies/confirmations", json=body)
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


class TestWithdrawal:
    async def test_asks_each_that_had_been_shown_the_person_to_use_that_no_longer(self, desk: Desk, site: Site) -> None:
        arrival = await somebody_helped(desk)
        withdrawal = a_withdrawal(arrival.case_id, AGENCY, AGENCY, to="state")
        await hear(desk, withdrawal)
        await hear(desk, withdrawal)

        inbox = said(await site("worker").get("/id/"))
        [open_] = (await site(AGENCY).get("/api/copies")).json()["items"]
        done = await posted(site, "worker", f"/id/salinan/{open_['task_id']}/konfirmasi", done="1")

        assert "Jangan pakai lagi salinan instansi Anda" in inbox
        assert (open_["kind"], open_["fields"]) == ("withdrawal", [])
        assert done.status_code == 303
        [told] = await desk.rows("SELECT payload FROM journal WHERE type = 'referral.withdrawal_confirmed.v1'")
        assert orjson.loads(told["payload"])["data"] == {
            "case_id": arrival.case_id,
            "withdrawal_id": withdrawal.fact.withdrawal_id,
            "agency_id": AGENCY,
        }

    async def test_is_asked_of_a_refusal_too_and_of_each_one_anew(self, desk: Desk) -> None:
        case_id = new_id()
        by = (START + timedelta(days=3)).isoformat()
        refusal = a_consent(case_id, given=False, recipients=(AGENCY,), confirm_by=by)

        await hear(desk, refusal, a_withdrawal(case_id, AGENCY), a_withdrawal(case_id, AGENCY, seq=4))

        rows = await desk.rows("SELECT cause::text FROM recipient_tasks")
        assert len({row["cause"] for row in rows}) == 3
        assert refusal.fact.consent_id in {row["cause"] for row in rows}

    async def test_comes_before_who_oversees_when_it_is_overdue(self, desk: Desk, site: Site) -> None:
        withdrawal = a_withdrawal(new_id(), AGENCY)
        await hear(desk, withdrawal)
        desk.clock.advance(timedelta(hours=3 * 24, minutes=1))

        assert [await desk.remind(), await desk.remind()] == [1, 0]
        [told] = await desk.rows("SELECT payload FROM journal WHERE type = 'referral.withdrawal_overdue.v1'")
        assert orjson.loads(told["payload"])["data"]["withdrawal_id"] == withdrawal.fact.withdrawal_id
        pages = [said(await site(who).get("/id/pengawasan")) for who in ("supervisor", "gowa", "dpo")]
        assert all("Gowa" in page for page in pages)
        done = await posted(site, "supervisor", f"/id/salinan/{await task(desk)}/wakili", done="1")
        assert done.status_code == 303
        assert "withdrawal_confirmed" in await desk.told()
