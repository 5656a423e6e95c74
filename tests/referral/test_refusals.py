"""An adult who wants no help signs that, before a witness; only then the need is refused, and never a child's."""

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from services.referral.actions import refusing, supervising
from services.referral.actions.answering import Answer, Result
from services.referral.actions.refusing import Signed, Signing
from services.referral.domain import needs, statements
from services.referral.domain.assignments import Assignment
from services.referral.domain.refusals import (
    AlreadyAnswered,
    AssignmentUnknown,
    ConsentIsNoBasis,
    PlaceUnknown,
    ReasonMissing,
    ReferralUnknown,
    Refused,
    RefuserUnfit,
    SignatureMissing,
    StatementMissing,
    StatementRecorded,
)
from services.referral.domain.statements import Statement
from tests.reading import said
from tests.referral.conftest import PEOPLE, Desk, Site
from tests.referral.factories import START, a_need, an_agency, an_arrival, an_asked_need
from tests.referral.forms import posted

OFFICE = "DINSOS-73.06"
SIGNED = Signed(
    number="PNL/3/2026",
    refuser="self",
    witness="village",
    place="73.06",
    language="bug",
    explained=("help_offered", "what_follows"),
    refused_at=START,
    signed_at=START,
)


def a_statement(**other: Any) -> Statement:
    values = {field.name: getattr(SIGNED, field.name) for field in fields(SIGNED)}
    return Statement(**{"referral_id": "r", "case_id": "c", "agency_id": OFFICE, "recorded_by": "w", **values, **other})


async def refuse(desk: Desk, agency_id: str, *assignment_ids: str, **other: Any) -> list[Result]:
    async with desk.database.work(an_agency(agency_id, person=True), purpose="serve") as work:
        answers = [Answer(id_) for id_ in assignment_ids]
        return await refusing.record_refusals(work, answers, signed=replace(SIGNED, **other))


async def state(desk: Desk) -> tuple[Any, ...]:
    [row] = await desk.rows("SELECT state, outcome, statement, closed_by FROM referrals")
    return tuple(row)


class TestStatement:
    @pytest.mark.parametrize(
        ("other", "refusal"),
        [
            ({"number": ""}, StatementMissing),
            ({"number": "a name"}, StatementMissing),
            ({"refuser": "neighbour"}, ReasonMissing),
            ({"witness": "passer-by"}, ReasonMissing),
            ({"language": "Bugis"}, ReasonMissing),
            ({"explained": ("help_offered",)}, ReasonMissing),
            ({"explained": ("help_offered", "what_follows", "nothing")}, ReasonMissing),
            ({"refuser": "family"}, RefuserUnfit),
            ({"refuser": "family", "incapacity": "said so"}, RefuserUnfit),
            ({"incapacity": "SK/1"}, RefuserUnfit),
            ({"place": "00.00"}, PlaceUnknown),
            ({"signed_at": START - timedelta(minutes=1)}, SignatureMissing),
            ({"signed_at": START + timedelta(minutes=1)}, SignatureMissing),
            ({"refused_at": START - timedelta(days=61)}, SignatureMissing),
        ],
    )
    def test_that_is_not_lawful_is_refused(self, other: dict[str, Any], refusal: type[Refused]) -> None:
        with pytest.raises(refusal):
            statements.expect_sound(a_statement(**other), child=False, now=START)

    def test_is_the_familys_where_a_document_says_that_the_person_cannot_decide(self) -> None:
        assert statements.expect_sound(a_statement(refuser="family", incapacity="SK/1"), child=False, now=START)

    @pytest.mark.parametrize("age_band", ["child", "unknown"])
    def test_is_never_a_childs(self, age_band: str) -> None:
        with pytest.raises(ConsentIsNoBasis):
            statements.expect_sound(a_statement(), child=True, now=START)
        with pytest.raises(ConsentIsNoBasis):
            needs.refuse(an_asked_need(age_band), statement="PNL/1", by="w", now=START)

    def test_is_what_a_need_is_refused_by(self) -> None:
        with pytest.raises(StatementMissing):
            needs.refuse(a_need(), statement="", by="w", now=START)


class TestRecording:
    async def test_ends_the_need_of_who_is_asked(self, desk: Desk) -> None:
        await desk.open(an_arrival("ELDER"))

        [done] = await refuse(desk, OFFICE, await desk.live())

        assert isinstance(done, Assignment)
        assert (done.state, done.decline_reason, done.decline_side) == ("declined", "person_refused", "PERSON")
        assert await state(desk) == ("refused", "PERSON_REFUSED", "PNL/3/2026", "petugas.dinsos-73.06")
        assert (await desk.told())[-3:] == ["refusal_recorded", "assignment_declined", "referral_closed"]
        assert await desk.rows("SELECT FROM escalations") == []

    async def test_ends_the_need_of_who_helps(self, desk: Desk) -> None:
        await desk.open(an_arrival("ELDER"))
        one = await desk.live()
        await desk.answer("accept", OFFICE, Answer(one))

        [done] = await refuse(desk, OFFICE, one)

        assert isinstance(done, Assignment)
        assert (done.state, done.outcome) == ("failed", "PERSON_REFUSED")
        assert (await state(desk))[0] == "refused"

    async def test_answers_each_of_a_group_and_takes_none_twice(self, desk: Desk) -> None:
        first, second, child = an_arrival("ELDER"), an_arrival("ELDER"), an_arrival("ELDER", age_band="child")
        await desk.open(first, second, child)
        rows = await desk.rows(
            "SELECT assignment_id::text AS id, case_id::text FROM assignments JOIN referrals USING (referral_id)"
        )
        of = {row["case_id"]: row["id"] for row in rows}
        ids = [of[arrival.case_id] for arrival in (first, second, child, first)]

        results = await refuse(desk, OFFICE, *ids)
        [other] = await refuse(desk, "DINSOS-73.05", of[second.case_id])

        assert [type(result) for result in results] == [Assignment, Assignment, AssignmentUnknown, AlreadyAnswered]
        assert isinstance(other, AssignmentUnknown)
        rows = await desk.rows("SELECT case_id::text FROM refusal_statements")
        assert {row["case_id"] for row in rows} == {first.case_id, second.case_id}

    def test_takes_no_number_twice(self) -> None:
        with pytest.raises(StatementRecorded):
            statements.expect_new(a_statement(), [a_statement(witness="police")])

    async def test_is_needed_for_a_need_to_end_so(self, desk: Desk) -> None:
        await desk.open(an_arrival("ELDER"))
        await desk.answer("decline", OFFICE, Answer(await desk.live(), reason="person_refused"))

        with pytest.raises(asyncpg.CheckViolationError, match="statement"):
            await desk.rows(
                "UPDATE referrals SET state = 'refused', ended_at = now(), outcome = 'PERSON_REFUSED', closed_by = 'x',"
                " statement = 'PNL/1', version = version + 1"
            )


async def refuse_as(desk: Desk, who: str, referral_id: str, **other: Any) -> supervising.Result:
    async with desk.database.work(PEOPLE[who], purpose="supervise") as work:
        [result] = await refusing.record_as_supervisor(work, [Signing(referral_id)], signed=replace(SIGNED, **other))
        return result


class TestBeforeASupervisor:
    @pytest.mark.parametrize(
        ("who", "office"), [("gowa", OFFICE), ("supervisor", "BP3MI-73"), ("coordinator", "KP2MI")]
    )
    async def test_ends_the_need_and_tells_who_was_asked(self, desk: Desk, who: str, office: str) -> None:
        await desk.open(an_arrival("ELDER"))

        done = await refuse_as(desk, who, await desk.referral())

        assert not isinstance(done, Refused)
        assert await state(desk) == ("refused", "PERSON_REFUSED", "PNL/3/2026", PEOPLE[who].id)
        assert (await desk.told())[-3:] == ["refusal_recorded", "assignment_recalled", "referral_closed"]
        [row] = await desk.rows("SELECT agency_id, recorded_by FROM refusal_statements")
        assert tuple(row) == (office, PEOPLE[who].id)

    async def test_ends_what_has_been_before_a_person(self, desk: Desk) -> None:
        await desk.open(an_arrival("ELDER"))
        await desk.answer("decline", OFFICE, Answer(await desk.live(), reason="person_refused"))

        await refuse_as(desk, "gowa", await desk.referral())

        assert (await state(desk))[0] == "refused"
        assert await desk.rows("SELECT FROM escalations WHERE closed_at IS NULL") == []

    async def test_is_asked_to_confirm_where_help_had_begun(self, desk: Desk) -> None:
        await desk.open(an_arrival("ELDER"))
        await desk.answer("accept", OFFICE, Answer(await desk.live()))

        await refuse_as(desk, "gowa", await desk.referral())

        assert [one for *_, one in await desk.attempts()] == ["cancelled_by_sender"]
        assert len(await desk.rows("SELECT FROM cancellations WHERE confirmed_at IS NULL")) == 1

    @pytest.mark.parametrize("said", [{"need": "ELDER", "age_band": "child"}, {"need": "TIP", "age_band": "adult"}])
    @pytest.mark.parametrize("who", ["gowa", "coordinator"])
    async def test_looks_the_same_of_a_child_and_of_whatever_is_restricted(
        self, desk: Desk, site: Site, who: str, said: dict[str, str]
    ) -> None:
        await desk.open(an_arrival(said["need"], age_band=said["age_band"]))
        id_ = await desk.referral()

        assert isinstance(await refuse_as(desk, who, id_), ReferralUnknown)
        assert (await site(who).get(f"/id/eskalasi/{id_}/penolakan")).status_code == 404
        assert (await site(who).get(f"/id/eskalasi/{id_}/penolakan/cetak")).status_code == 404
        assert f"/eskalasi/{id_}/penolakan" not in (await site(who).get(f"/id/eskalasi/{id_}/alasan")).text

    async def test_is_of_the_own_region_and_of_the_version_that_was_looked_at(self, desk: Desk, site: Site) -> None:
        await desk.open(an_arrival("ELDER"))
        path = f"/id/eskalasi/{await desk.referral()}/penolakan"
        desk.clock.advance(timedelta(hours=1))

        answers = {
            "elsewhere": await posted(site, "makassar", path, **FORM),
            "stale": await posted(site, "gowa", path, **FORM | {"version": "99"}),
            "unsigned": await posted(site, "gowa", path, **FORM | {"signed_at": ""}),
            "done": await posted(site, "gowa", path, **FORM),
            "again": await posted(site, "gowa", path, **FORM | {"number": "PNL/4"}),
        }

        assert {name: answer.status_code for name, answer in answers.items()} == {
            "elsewhere": 404, "stale": 409, "unsigned": 422, "done": 303, "again": 409,
        }  # fmt: skip
        assert "Keduanya menandatangani: Isi tanggal dan jam." in said(answers["unsigned"])
        assert "PNL/3/2026" in said(await site("gowa").get(path))
        assert "PNL/3/2026" in said(await site("coordinator").get(f"{path}/cetak"))

    async def test_is_found_from_why_the_need_is_there(self, desk: Desk, site: Site) -> None:
        await desk.open(an_arrival("ELDER"))
        path = f"/id/eskalasi/{await desk.referral()}"

        assert f'"{path}/penolakan"' in (await site("coordinator").get(f"{path}/alasan")).text
        assert f'"{path}/penolakan/cetak"' in (await site("coordinator").get(f"{path}/penolakan")).text


FORM = {
    "number": "PNL/3/2026",
    "refuser": "self",
    "witness": "village",
    "place": "73.06",
    "language": "bug",
    "explained": ["help_offered", "what_follows"],
    "refused_at": "2026-11-23T10:00",
    "signed_at": "2026-11-23T10:30",
}


class TestPages:
    async def test_lead_from_the_case_to_the_form_and_the_paper(self, desk: Desk, site: Site) -> None:
        await desk.open(an_arrival("ELDER"))
        path = f"/id/rujukan/{await desk.live()}"
        desk.clock.advance(timedelta(hours=1))

        case = (await site("worker").get(path)).text
        form = said(await site("worker").get(f"{path}/penolakan"))
        blank = said(await site("worker").get(f"{path}/penolakan/cetak"))

        assert f"{path}/penolakan" in case
        assert "Surat pernyataan penolakan" in form
        assert "Pasal 39 dan Lampiran III" in blank
        assert "Lanjut usia" in blank

    async def test_keep_what_was_typed_and_say_what_is_missing(self, desk: Desk, site: Site) -> None:
        await desk.open(an_arrival("ELDER"))
        path = f"/id/rujukan/{await desk.live()}/penolakan"
        desk.clock.advance(timedelta(hours=1))

        unsigned = await posted(site, "worker", path, **FORM | {"signed_at": "", "refuser": ""})
        unexplained = await posted(site, "worker", path, **FORM | {"explained": ["who_helps"]})
        done = await posted(site, "worker", path, **FORM)
        case = (await site("worker").get(path.removesuffix("/penolakan"))).text

        assert (unsigned.status_code, unexplained.status_code, done.status_code) == (422, 422, 303)
        assert "PNL/3/2026" in said(unsigned)
        assert "tidak dijelaskan" in said(unexplained)
        assert (await state(desk))[0] == "refused"
        assert f"{path}" not in case

    async def test_show_the_recorded_statement_on_paper(self, desk: Desk, site: Site) -> None:
        await desk.open(an_arrival("ELDER"))
        one = await desk.live()
        await refuse(desk, OFFICE, one)

        paper = said(await site("worker").get(f"/id/rujukan/{one}/penolakan/cetak"))

        assert "PNL/3/2026" in paper
        assert "Bugis" in paper

    async def test_offer_none_of_it_for_a_child(self, desk: Desk, site: Site) -> None:
        await desk.open(an_arrival("ELDER", age_band="child"))
        path = f"/id/rujukan/{await desk.live()}"

        case, form = [(await site("worker").get(one)).text for one in (path, f"{path}/penolakan")]
        signed = {"refused_at": "2026-11-23T09:00", "signed_at": "2026-11-23T09:30"}
        refused = await posted(site, "worker", f"{path}/penolakan", **FORM | signed)

        assert f"{path}/penolakan" not in case
        assert "tidak ada yang menolaknya" in form
        assert refused.status_code == 404

    async def test_answer_systems_item_by_item(self, desk: Desk, site: Site) -> None:
        await desk.open(an_arrival("ELDER"))
        body = {
            "items": [{"assignment_id": await desk.live()}],
            "number": "PNL/3/2026",
            "refuser": "family",
            "witness": "village",
            "place": "73.06",
            "explained_in": "id",
            "explained": ["help_offered", "what_follows"],
            "refused_at": START.isoformat(),
            "signed_at": START.isoformat(),
        }

        unfit = await site(OFFICE).send("POST", "/api/assignments/refusals", json=body)
        done = await site(OFFICE).send("POST", "/api/assignments/refusals", json=body | {"incapacity": "SK/4"})

        assert unfit.json()["items"][0]["code"] == "refuser_unfit"
        assert done.json()["items"][0]["ok"]
