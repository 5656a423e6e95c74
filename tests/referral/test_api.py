"""The JSON API: an agency sees its own inbox and nothing else; identity comes after acceptance, through intake."""

import time
from datetime import timedelta
from typing import Any, get_args

import pytest

from services.referral.domain import assignments, referrals
from services.referral.pages import labels
from shared.contracts.referral.assignments import DeclineReason
from shared.contracts.referral.referrals import CloseReason, Outcome, ReopenReason
from shared.kit.ids import new_id
from tests.referral.conftest import Desk, Site
from tests.referral.factories import START, an_arrival
from tests.referral.intake_server import IntakeServer

SOMEWHERE = ".01900000-0000-7000-8000-000000000000"


def test_the_domain_knows_every_reason_and_outcome_of_the_contract() -> None:
    assert set(get_args(DeclineReason)) == assignments.DECLINE_SIDE.keys() == assignments.DECLINE_EFFECT.keys()
    assert set(get_args(Outcome)) == assignments.SUCCESS | assignments.FAIL_EFFECT.keys()
    assert labels.REASONS.keys() == assignments.DECLINE_SIDE.keys()
    assert labels.OUTCOMES.keys() == set(get_args(Outcome))
    assert set(get_args(CloseReason)) == referrals.CLOSINGS.keys() == labels.CLOSINGS.keys()
    assert set(get_args(ReopenReason)) == referrals.REOPENINGS == labels.REOPENINGS.keys()
    assert labels.STATES.keys() == set(assignments.STATES)


class TestInbox:
    async def test_shows_the_own_agencys_soonest_deadline_first(self, desk: Desk, site: Site) -> None:
        await desk.open(an_arrival("ELDER"))
        desk.clock.advance(timedelta(minutes=-30))
        await desk.open(an_arrival("NOFAM"), an_arrival("PWD"), an_arrival("ELDER", origin="73.71"))
        desk.clock.advance(timedelta(minutes=30))

        inbox = (await site("DINSOS-73.06").get("/api/inbox?state=sent")).json()

        assert [item["need"] for item in inbox["items"]] == ["PWD", "ELDER", "NOFAM"]
        assert inbox["next"] is None

    async def test_goes_on_where_the_page_before_ended(self, desk: Desk, site: Site) -> None:
        await desk.open(*(an_arrival("ELDER") for _ in range(7)))
        worker = site("DINSOS-73.06")

        seen, after = [], ""
        while after is not None:
            page = (await worker.get(f"/api/inbox?state=sent&limit=3&after={after}")).json()
            seen += [item["assignment_id"] for item in page["items"]]
            after = page["next"]

        assert len(seen) == len(set(seen)) == 7

    @pytest.mark.parametrize(
        "after", ["1." + 36 * "a", "1.", "." + 36 * "0", "%00", "9" * 18 + SOMEWHERE, "١" + SOMEWHERE]
    )
    async def test_refuses_a_place_that_it_has_not_given(self, site: Site, after: str) -> None:
        worker = site("worker")

        answers = [await worker.get(f"{path}after={after}") for path in ("/api/inbox?", "/id/?", "/id/?tab=selesai&")]

        assert [answer.status_code for answer in answers] == [422, 422, 422]

    async def test_lists_what_is_done_too(self, desk: Desk, site: Site) -> None:
        await desk.open(an_arrival("ELDER"))
        worker = site("DINSOS-73.06")
        await worker.answer("declines", {"assignment_id": await desk.live(), "reason": "no_capacity"})

        done = (await worker.get("/api/inbox?state=declined&state=expired")).json()

        assert [item["state"] for item in done["items"]] == ["declined"]

    async def test_is_closed_to_everybody_who_is_no_agency(self, site: Site) -> None:
        for stranger in ("coordinator", "ngo"):
            assert (await site(stranger).get("/api/inbox")).status_code == 403


class TestOneAgencyAndAnother:
    async def test_never_see_each_others_cases(self, desk: Desk, site: Site) -> None:
        await desk.open(an_arrival("ELDER"), an_arrival("UAC", age_band="child"))
        foreign = [str(row["assignment_id"]) for row in await desk.rows("SELECT assignment_id FROM assignments")]
        stranger = site("DINKES-73.71")

        assert (await stranger.get("/api/inbox")).json()["items"] == []
        for assignment_id in foreign:
            for path in (f"/api/assignments/{assignment_id}", f"/api/assignments/{assignment_id}/identity"):
                missing = path.replace(assignment_id, new_id())
                answers = [await stranger.get(path), await stranger.get(missing)]
                assert [a.status_code for a in answers] == [404, 404]
                assert answers[0].content == answers[1].content
                assert dict(answers[0].headers) == dict(answers[1].headers)

    async def test_cannot_answer_for_each_other(self, desk: Desk, site: Site) -> None:
        await desk.open(an_arrival("ELDER"))
        items = [{"assignment_id": await desk.live()}, {"assignment_id": new_id()}]
        more = {"declines": {"reason": "no_capacity"}, "completions": {"outcome": "SERVICE_DELIVERED"}}

        for verb in ("acknowledgements", "acceptances", "declines", "starts", "completions"):
            foreign, missing = await site("DINKES-73.71").answer(verb, *(i | more.get(verb, {}) for i in items))
            assert foreign | {"assignment_id": ""} == missing | {"assignment_id": ""}
            assert (foreign["ok"], foreign["status"]) == (False, 404)
        assert await desk.attempts() == [(1, "DINSOS-73.06", "sent")]


class TestCase:
    async def test_is_a_coded_summary_and_says_why_it_came_here(self, desk: Desk, site: Site) -> None:
        await desk.open(an_arrival("ELDER", age_band="elderly"))

        case = (await site("DINSOS-73.06").get(f"/api/assignments/{await desk.live()}")).json()

        assert case["summary"]["age_band"] == "elderly"
        assert case["explanation"]["candidates"] == ["DINSOS-73.06", "DINSOS-73", "KEMENSOS"]
        refused = {c["kind"]: c["failed"] for c in case["explanation"]["considered"] if c["why_not"] == "clause"}
        assert refused["CSO-FAITH"] == ["consent"]

    async def test_is_on_the_trail_before_it_is_shown(self, desk: Desk, site: Site) -> None:
        await desk.open(an_arrival("ELDER"))

        await site("DINSOS-73.06").get(f"/api/assignments/{await desk.live()}")

        [row] = await desk.rows("SELECT shared, payload FROM journal WHERE type = 'referral.case_read.v1'")
        assert row["shared"] is False
        assert b'"actor":"DINSOS-73.06"' in row["payload"]


class TestAnswers:
    async def test_the_same_key_gives_the_same_answer_and_changes_nothing(self, desk: Desk, site: Site) -> None:
        await desk.open(an_arrival("ELDER"))
        item = {"assignment_id": await desk.live()}
        worker = site("DINSOS-73.06")

        first = await worker.answer("acceptances", item, key="one")
        again = await worker.answer("acceptances", item, key="one")

        assert first == again
        assert first[0]["ok"] is True
        assert (await desk.told()).count("assignment_accepted") == 1

    async def test_the_loser_of_a_race_learns_who_won(self, desk: Desk, site: Site) -> None:
        await desk.open(an_arrival("ELDER"))
        item = {"assignment_id": await desk.live()}
        await site("worker").answer("acceptances", item)

        [lost] = await site("colleague").answer("acceptances", item)

        assert (lost["status"], lost["code"]) == (409, "already_answered")
        assert lost["answered_by"] == "dinsos.7306"
        assert lost["answered_at"] is not None

    async def test_go_the_whole_way(self, desk: Desk, site: Site) -> None:
        await desk.open(an_arrival("ELDER"))
        item = {"assignment_id": await desk.live()}
        worker = site("DINSOS-73.06")

        for verb in ("acknowledgements", "acceptances", "starts"):
            assert (await worker.answer(verb, item))[0]["ok"]
        minutes = {"number": "BAST/1", "receiver": "family", "witness": "village", "place": "73.06"} | {
            "items": [item | {"documents": ["none"], "condition": "well"}],
            "handed_at": START.isoformat(),
            "signed_at": START.isoformat(),
        }
        recorded = await worker.send("POST", "/api/assignments/handovers", json=minutes)
        assert [one["ok"] for one in recorded.json()["items"]] == [True]
        [done] = await worker.answer("completions", item | {"outcome": "HANDED_TO_FAMILY", "handover_ref": "BAST/1"})

        assert done["state"] == "completed"
        assert await desk.told() == [
            "referral_opened",
            "assignment_sent",
            "assignment_acknowledged",
            "assignment_accepted",
            "service_started",
            "handover_recorded",
            "assignment_completed",
            "referral_fulfilled",
        ]

    @pytest.mark.parametrize("reference", ["Siti Aminah", "ibu siti 0812", "", "x" * 65])
    async def test_a_handover_reference_cannot_hold_a_name(self, site: Site, reference: str) -> None:
        answer = await site("DINSOS-73.06").send(
            "POST",
            "/api/assignments/completions",
            json=[{"assignment_id": new_id(), "outcome": "HANDED_TO_FAMILY", "handover_ref": reference}],
        )

        assert answer.status_code == 422
        assert "Siti" not in answer.text

    async def test_need_a_key_and_a_reason_of_the_list(self, site: Site) -> None:
        worker = site("DINSOS-73.06")

        no_reason = await worker.send("POST", "/api/assignments/declines", json=[{"assignment_id": new_id()}])
        no_key = await worker.send("POST", "/api/assignments/acceptances", key=" ", json=[{"assignment_id": new_id()}])

        assert (no_reason.status_code, no_key.status_code) == (422, 400)


class TestIdentity:
    async def test_is_asked_of_intake_for_each_reading_and_kept_nowhere(
        self, desk: Desk, site: Site, intake: IntakeServer
    ) -> None:
        await desk.open(an_arrival("ELDER"))
        assignment_id = await desk.live()
        worker = site("worker")
        await worker.answer("acceptances", {"assignment_id": assignment_id})

        answers = [await worker.get(f"/api/assignments/{assignment_id}/identity") for _ in range(2)]

        assert [answer.json()["fields"] for answer in answers] == [{"full_name": "Siti Aminah"}] * 2
        assert answers[0].headers["cache-control"] == "no-store"
        assert len(intake.asked) == 2
        assert intake.asked[0] | {"case_id": ""} == {
            "case_id": "",
            "assignment_id": assignment_id,
            "agency_id": "DINSOS-73.06",
            "reader": "dinsos.7306",
            "purpose": "service_delivery",
        }
        assert intake.tokens[0] == "Bearer for-intake"
        for table in ("journal", "answers", "referrals", "assignments", "explanations"):
            [row] = await desk.rows(f"SELECT count(*) FROM {table} t WHERE t::text LIKE '%Siti%'")
            assert row["count"] == 0
        reads = await desk.rows("SELECT 1 FROM journal WHERE type = 'referral.case_read.v1'")
        assert len(reads) == 2

    async def test_is_refused_before_acceptance_without_asking_intake(
        self, desk: Desk, site: Site, intake: IntakeServer
    ) -> None:
        await desk.open(an_arrival("ELDER"))

        answer = await site("worker").get(f"/api/assignments/{await desk.live()}/identity")

        assert answer.status_code == 409
        assert intake.asked == []

    async def test_is_refused_by_name_as_soon_as_the_help_came_to_nothing(
        self, desk: Desk, site: Site, intake: IntakeServer
    ) -> None:
        await desk.open(an_arrival("ELDER"))
        item = {"assignment_id": await desk.live()}
        await site("worker").answer("acceptances", item)
        await site("worker").answer("failures", item | {"outcome": "COULD_NOT_CONTACT"})

        answer = await site("worker").get(f"/api/assignments/{item['assignment_id']}/identity")

        assert (answer.status_code, answer.json()["code"]) == (409, "disclosure_ended")
        assert intake.asked == []

    async def test_is_read_for_thirty_days_after_the_help_was_given(
        self, desk: Desk, site: Site, intake: IntakeServer
    ) -> None:
        await desk.open(an_arrival("ELDER"))
        item = {"assignment_id": await desk.live()}
        await site("worker").answer("acceptances", item)
        await site("worker").answer("completions", item | {"outcome": "SERVICE_DELIVERED"})

        answers = []
        for wait in (timedelta(days=30), timedelta(seconds=1)):
            desk.clock.advance(wait)
            answers.append(await site("worker").get(f"/api/assignments/{item['assignment_id']}/identity"))

        assert [answer.status_code for answer in answers] == [200, 409]
        assert len(intake.asked) == 1

    async def test_waits_a_moment_for_intake_to_hear_of_the_acceptance(
        self, desk: Desk, site: Site, intake: IntakeServer
    ) -> None:
        intake.answers = [409, 409, {"full_name": "Siti Aminah"}]
        await desk.open(an_arrival("ELDER"))
        assignment_id = await desk.live()
        await site("worker").answer("acceptances", {"assignment_id": assignment_id})

        answer = await site("worker").get(f"/api/assignments/{assignment_id}/identity")

        assert answer.status_code == 200
        assert len(intake.asked) == 3

    async def test_follows_when_intake_is_away_and_the_acceptance_stands(
        self, desk: Desk, site: Site, intake: IntakeServer
    ) -> None:
        await desk.open(an_arrival("ELDER"))
        assignment_id = await desk.live()
        await site("worker").answer("acceptances", {"assignment_id": assignment_id})
        await intake.stop()
        began = time.monotonic()

        answer = await site("worker").get(f"/api/assignments/{assignment_id}/identity")

        assert (answer.status_code, answer.json()["code"]) == (503, "identity_follows")
        assert answer.headers["retry-after"] == "2"
        assert time.monotonic() - began < 5
        assert await desk.attempts() == [(1, "DINSOS-73.06", "accepted")]


class TestSupervisor:
    async def given_up_by_all(self, desk: Desk, **person: Any) -> str:
        await desk.open(an_arrival("ELDER", **person))
        for _ in range(3):
            desk.clock.advance(timedelta(hours=20))
            await desk.chase()
        return await desk.referral()

    async def post(self, site: Site, actor: str, path: str, *items: dict[str, Any]) -> list[dict[str, Any]]:
        answer = await site(actor).send("POST", f"/api/referrals/{path}", json={"items": items})
        assert answer.status_code == 200, answer.text
        results: list[dict[str, Any]] = answer.json()["items"]
        return results

    async def test_lists_closes_and_reopens(self, desk: Desk, site: Site) -> None:
        referral_id = await self.given_up_by_all(desk)
        [task] = (await site("supervisor").get("/api/tasks")).json()["items"]
        assert (task["referral_id"], task["kind"], task["need"]) == (referral_id, "no_candidate_left", "ELDER")

        item = {"referral_id": referral_id, "version": task["version"], "reason": "DECEASED"}
        [closed] = await self.post(site, "supervisor", "closures", item)
        assert (closed["ok"], closed["state"]) == (True, "unfulfilled")
        assert (await site("supervisor").get("/api/tasks")).json()["items"] == []

        [task] = (await site("supervisor").get("/api/tasks?closed=true")).json()["items"]
        assert (task["kind"], task["outcome"], task["version"]) == ("unfulfilled", "DECEASED", closed["version"])
        item = {"referral_id": referral_id, "version": task["version"], "reason": "CLOSED_IN_ERROR"}
        [reopened] = await self.post(site, "supervisor", "reopenings", item)
        assert (reopened["ok"], reopened["state"]) == (True, "open")
        assert (await desk.attempts())[-1] == (4, "DINSOS-73.06", "sent")

    async def test_is_told_what_stood_in_the_way(self, desk: Desk, site: Site) -> None:
        referral_id = await self.given_up_by_all(desk, age_band="child")
        seen = {"referral_id": referral_id, "reason": "PERSON_LEFT"}

        [child] = await self.post(site, "supervisor", "closures", seen)
        [stale] = await self.post(site, "supervisor", "closures", seen | {"version": 1, "personally": True})
        [foreign] = await self.post(site, "makassar", "closures", seen | {"personally": True})
        [still_open] = await self.post(site, "supervisor", "reopenings", seen | {"reason": "NEED_REMAINS"})

        refused = [child, stale, foreign, still_open]
        assert [item["code"] for item in refused] == [
            "needs_officer",
            "version_changed",
            "referral_unknown",
            "not_now",
        ]

    async def test_needs_a_reason_of_the_list(self, site: Site) -> None:
        answer = await site("supervisor").send(
            "POST", "/api/referrals/closures", json=[{"referral_id": new_id(), "reason": "Siti is gone"}]
        )

        assert answer.status_code == 422
        assert "Siti" not in answer.text

    async def test_shows_neither_need_nor_agency_of_what_is_restricted(self, desk: Desk, site: Site) -> None:
        await self.given_up_by_all(desk, age_band="child")

        [task] = (await site("supervisor").get("/api/tasks")).json()["items"]

        assert (task["restricted"], task["need"], task["last_agency"]) == (True, None, None)

    async def test_is_the_only_one_who_may(self, site: Site) -> None:
        for other in ("worker", "coordinator", "ngo"):
            assert other == "coordinator" or (await site(other).get("/api/tasks")).status_code == 403
            for path in ("closures", "reopenings"):
                item = {"referral_id": new_id(), "reason": "DUPLICATE" if path == "closures" else "NEED_REMAINS"}
                answer = await site(other).send("POST", f"/api/referrals/{path}", json=[item])
                assert answer.status_code == 403


class TestFiguresAndDirectory:
    async def test_exact_figures_add_up(self, desk: Desk, site: Site) -> None:
        await desk.open(an_arrival("ELDER", "NEED"), an_arrival("NEED", origin="53.01"))
        [elder] = [
            str(row["assignment_id"])
            for row in await desk.rows("SELECT assignment_id FROM assignments WHERE agency_id = 'DINSOS-73.06'")
        ]
        await site("DINSOS-73.06").answer("declines", {"assignment_id": elder, "reason": "no_capacity"})

        figures = (await site("service").get("/api/figures")).json()

        assert figures["totals"]["referrals"] == 3 == sum(row["total"] for row in figures["provinces"])
        assert figures["totals"]["assignments"] == 4 == sum(row["total"] for row in figures["agencies"])
        assert (figures["totals"]["declined"], figures["totals"]["rerouted"]) == (1, 1)
        by_agency = {row["agency_id"]: row for row in figures["agencies"]}
        assert (by_agency["DINSOS-73.06"]["sent"], by_agency["DINSOS-73"]["sent"]) == (0, 1)
        assert (await site("worker").get("/api/figures")).status_code == 403

    @pytest.mark.parametrize("query", ["kind=%00", "after=%00", "kind=dinsos' OR 1=1", "region=73%00"])
    async def test_the_directory_refuses_what_is_no_code(self, site: Site, query: str) -> None:
        assert (await site("ngo").get(f"/api/agencies?{query}")).status_code == 422

    async def test_the_directory_knows_every_office_of_a_region(self, site: Site) -> None:
        found = (await site("ngo").get("/api/agencies?region=73.08")).json()["items"]

        names = {agency["agency_id"]: agency["name"] for agency in found}
        assert names["DINSOS-73.08"] == "Dinas Sosial Kabupaten Bone"
        assert len(names) == 7
