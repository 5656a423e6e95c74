"""Actions on a real database: arrivals open needs, agencies answer, silence is chased."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from services.referral.actions import keeping, opening
from services.referral.actions.answering import Answer
from services.referral.actions.handing import Handed
from services.referral.actions.supervising import Closing, Reopening
from services.referral.domain.assignments import Assignment
from services.referral.domain.needs import Need
from services.referral.domain.refusals import (
    AlreadyAnswered,
    AssignmentUnknown,
    ChildNeedsOfficer,
    MoveNotAllowed,
    NobodyToAsk,
    ReasonMissing,
    ReferralUnknown,
    TakenBack,
    TooLate,
    VersionChanged,
)
from services.referral.store.desk import count_overdue
from shared.kit.actor import system
from shared.kit.ids import new_id
from tests.referral.conftest import Desk
from tests.referral.factories import an_arrival

SERVE_NEED = ("BP3MI-73", "DISNAKER-73.06", "DISNAKER-73", "KP2MI")
"""Everybody who could be asked for the way home to Gowa."""


async def suspend(desk: Desk, *agency_ids: str) -> None:
    async with desk.database.work(system("referral", "test"), purpose="test") as work:
        for agency_id in agency_ids:
            await keeping.suspend_agency(work, agency_id)


class TestOpenReferrals:
    async def test_opens_one_referral_per_need_and_asks_the_first_candidate(self, desk: Desk) -> None:
        await desk.open(an_arrival("NEED", "ELDER"))

        found = await desk.rows("SELECT need, state, regency FROM referrals ORDER BY need")
        assert [tuple(row) for row in found] == [("ELDER", "open", "73.06"), ("NEED", "open", "73.06")]
        asked = await desk.rows("SELECT agency_id, answer_due_at - sent_at AS time FROM assignments ORDER BY 1")
        assert [tuple(row) for row in asked] == [
            ("BP3MI-73", timedelta(hours=21, minutes=30)),  # six hours of its office to open it
            ("DINSOS-73.06", timedelta(hours=1)),
        ]
        assert sorted(await desk.told()) == ["assignment_sent", "assignment_sent", "referral_opened", "referral_opened"]

    async def test_asks_the_port_first_for_a_child_alone(self, desk: Desk) -> None:
        await desk.open(an_arrival("UAC", age_band="child"))

        assert await desk.attempts() == [(1, "DP3AP2KB-65.03", "sent")]

    async def test_keeps_every_need_of_a_child_and_of_unknown_age_to_the_case_team(self, desk: Desk) -> None:
        await desk.open(
            an_arrival("NEED"), an_arrival("NEED", age_band="child"), an_arrival("NEED", age_band="unknown")
        )

        found = await desk.rows("SELECT age_band, restricted FROM referrals ORDER BY age_band")
        assert [tuple(row) for row in found] == [("adult", False), ("child", True), ("unknown", True)]

    async def test_routes_from_the_port_when_home_is_unknown(self, desk: Desk) -> None:
        await desk.open(an_arrival("NEED", origin=None))

        assert await desk.attempts() == [(1, "BP3MI-65", "sent")]
        [row] = await desk.rows("SELECT regency FROM referrals")
        assert tuple(row) == ("65.03",)

    async def test_a_need_that_nobody_serves_is_an_open_gap(self, desk: Desk) -> None:
        await suspend(desk, *SERVE_NEED)

        await desk.open(an_arrival("NEED"))

        [row] = await desk.rows("SELECT state, (SELECT count(*) FROM gaps WHERE closed_at IS NULL) FROM referrals")
        assert tuple(row) == ("unroutable", 1)
        assert (await desk.told())[-2:] == ["referral_opened", "gap_opened"]

    @pytest.mark.parametrize("age_band", ["child", "unknown"])
    async def test_a_child_that_nobody_serves_is_put_before_a_supervisor_at_once(
        self, desk: Desk, age_band: str
    ) -> None:
        await suspend(desk, *SERVE_NEED)

        await desk.open(an_arrival("NEED", age_band=age_band))

        [row] = await desk.rows("SELECT reason, supervisor, closed_at FROM escalations")
        assert tuple(row) == ("unroutable_child", "supervisor-73", None)
        assert (await desk.told())[-3:] == ["referral_opened", "gap_opened", "referral_escalated"]

    async def test_a_child_that_somebody_serves_after_all_leaves_the_supervisors_list(self, desk: Desk) -> None:
        await suspend(desk, *SERVE_NEED)
        await desk.open(an_arrival("NEED", age_band="child"))
        desk.clock.advance(timedelta(minutes=1))
        async with desk.database.work(system("referral", "test"), purpose="test") as work:
            await keeping.resume_agency(work, "DISNAKER-73")

        await desk.reroute()

        [row] = await desk.rows("SELECT closed_at FROM escalations")
        assert row["closed_at"] == desk.clock.now()

    async def test_the_database_itself_refuses_to_let_a_child_depend_on_consent(self, desk: Desk) -> None:
        await desk.open(an_arrival("NEED", age_band="unknown"))

        with pytest.raises(asyncpg.CheckViolationError, match="child_does_not_depend_on_consent"):
            await desk.rows("UPDATE referrals SET state = 'awaiting_consent'")

    async def test_a_gap_closes_when_the_directory_can_serve_it(self, desk: Desk) -> None:
        await suspend(desk, *SERVE_NEED)
        await desk.open(an_arrival("NEED"))
        desk.clock.advance(timedelta(minutes=1))
        async with desk.database.work(system("referral", "test"), purpose="test") as work:
            await keeping.resume_agency(work, "DISNAKER-73")

        await desk.reroute()

        assert await desk.attempts() == [(1, "DISNAKER-73", "sent")]
        [row] = await desk.rows("SELECT state, (SELECT count(*) FROM gaps WHERE closed_at IS NULL) FROM referrals")
        assert tuple(row) == ("open", 0)
        assert (await desk.told())[-2:] == ["gap_closed", "assignment_sent"]

    async def test_caps_the_time_to_answer_in_a_drill(self, desk: Desk) -> None:
        desk.routing.answer_limit = timedelta(seconds=20)

        await desk.open(an_arrival("NEED"))

        [row] = await desk.rows("SELECT answer_due_at - sent_at AS time FROM assignments")
        assert row["time"] == timedelta(seconds=20)

    async def test_explains_the_same_facts_once(self, desk: Desk) -> None:
        await desk.open(*(an_arrival("NEED") for _ in range(50)))

        [row] = await desk.rows("SELECT (SELECT count(*) FROM explanations), (SELECT count(*) FROM referrals)")
        assert tuple(row) == (1, 50)
        [row] = await desk.rows("SELECT count(*) FROM referrals r JOIN explanations e ON e.digest = r.explanation")
        assert row["count"] == 50

    async def test_costs_a_fixed_number_of_statements(self, desk: Desk) -> None:
        await desk.open(an_arrival("NEED"))  # the directory is read once
        counted: list[str] = []

        async with desk.database.work(system("referral", "consumer"), purpose="hear") as work:
            work.connection.add_query_logger(lambda said: counted.append(said.query))
            await opening.open_referrals(
                work, [an_arrival("NEED", "SICK", "ELDER") for _ in range(500)], routing=desk.routing
            )
            await asyncio.sleep(0)  # loggers are called by the loop
            written = len(counted)

        assert written == 1

    async def test_two_batches_with_the_same_new_explanations_do_not_meet(self, desk: Desk) -> None:
        regions = ("73.06", "73.71", "53.01", "52.02", "35.15", "32.04", "74.03", "76.01")

        await asyncio.gather(
            *(desk.open(*(an_arrival("NEED", "ELDER", origin=r) for r in order)) for order in (regions, regions[::-1]))
        )

        [row] = await desk.rows("SELECT count(*) FROM referrals")
        assert row["count"] == 32


class TestAccept:
    async def test_gives_the_need_to_the_agency_with_a_deadline_for_the_service(self, desk: Desk) -> None:
        await desk.open(an_arrival("ELDER"))
        assignment_id = await desk.live()

        [accepted] = await desk.answer("accept", "DINSOS-73.06", Answer(assignment_id))

        assert isinstance(accepted, Assignment)
        assert (accepted.state, accepted.answered_by) == ("accepted", "DINSOS-73.06")
        assert accepted.service_due_at == desk.clock.now() + timedelta(days=2, hours=22, minutes=30)
        assert (await desk.told())[-1] == "assignment_accepted"

    async def test_another_agencys_looks_like_a_missing_one(self, desk: Desk) -> None:
        await desk.open(an_arrival("ELDER"))
        assignment_id = await desk.live()

        results = await desk.answer(
            "accept", "DINSOS-73.71", Answer(assignment_id), Answer("01900000-0000-7000-8000-000000000000")
        )

        assert [type(result) for result in results] == [AssignmentUnknown, AssignmentUnknown]
        assert await desk.attempts() == [(1, "DINSOS-73.06", "sent")]

    async def test_of_two_at_once_one_wins_and_the_other_learns_who(self, desk: Desk) -> None:
        await desk.open(an_arrival("ELDER"))
        assignment_id = await desk.live()

        results = await asyncio.gather(
            *(desk.answer("accept", "DINSOS-73.06", Answer(assignment_id)) for _ in range(8))
        )

        outcomes = [result for [result] in results]
        assert sum(isinstance(result, Assignment) for result in outcomes) == 1
        for loser in (result for result in outcomes if not isinstance(result, Assignment)):
            assert isinstance(loser, AlreadyAnswered)
            assert (loser.answered_by, loser.answered_at) == ("DINSOS-73.06", desk.clock.now())
        assert (await desk.told()).count("assignment_accepted") == 1

    async def test_refuses_what_was_decided_on_an_older_version(self, desk: Desk) -> None:
        await desk.open(an_arrival("ELDER"))
        assignment_id = await desk.live()
        await desk.answer("acknowledge", "DINSOS-73.06", Answer(assignment_id))

        [refused] = await desk.answer("accept", "DINSOS-73.06", Answer(assignment_id, version=1))

        assert isinstance(refused, VersionChanged)

    async def test_one_refused_item_stops_none_of_the_others(self, desk: Desk) -> None:
        await desk.open(*(an_arrival("ELDER") for _ in range(3)))
        ids = [str(row["assignment_id"]) for row in await desk.rows("SELECT assignment_id FROM assignments")]
        await desk.answer("accept", "DINSOS-73.06", Answer(ids[1]))

        results = await desk.answer("accept", "DINSOS-73.06", *(Answer(i) for i in ids))

        assert [isinstance(result, Assignment) for result in results] == [True, False, True]

    async def test_the_database_itself_refuses_a_second_accepted_attempt(self, desk: Desk) -> None:
        await desk.open(an_arrival("ELDER"))
        await desk.answer("accept", "DINSOS-73.06", Answer(await desk.live()))

        with pytest.raises(asyncpg.UniqueViolationError, match="one_accepted_assignment_per_referral"):
            await desk.rows(
                "INSERT INTO assignments (assignment_id, referral_id, attempt, agency_id, state, version,"
                " service_hours, sent_at, answer_due_at, service_due_at, answered_at, answered_by)"
                " SELECT gen_random_uuid(), referral_id, 2, 'DINSOS-73', state, 1, 1, sent_at, answer_due_at,"
                " service_due_at, answered_at, answered_by FROM assignments"
            )


class TestDecline:
    async def test_asks_the_next_candidate_in_the_same_transaction(self, desk: Desk) -> None:
        await desk.open(an_arrival("ELDER"))

        await desk.answer("decline", "DINSOS-73.06", Answer(await desk.live(), reason="no_capacity"))

        assert await desk.attempts() == [(1, "DINSOS-73.06", "declined"), (2, "DINSOS-73", "sent")]
        assert (await desk.told())[-3:] == ["assignment_declined", "assignment_sent", "agency_paused"]

    async def test_passes_over_an_agency_that_was_suspended_meanwhile(self, desk: Desk) -> None:
        await desk.open(an_arrival("ELDER"))
        await suspend(desk, "DINSOS-73")
        desk.clock.advance(timedelta(minutes=1))

        await desk.answer("decline", "DINSOS-73.06", Answer(await desk.live(), reason="no_capacity"))

        assert (await desk.attempts())[-1] == (2, "KEMENSOS", "sent")

    async def test_tells_a_supervisor_when_nobody_is_left_and_keeps_the_need_open(self, desk: Desk) -> None:
        await desk.open(an_arrival("ELDER"))

        for agency_id in ("DINSOS-73.06", "DINSOS-73", "KEMENSOS"):
            await desk.answer("decline", agency_id, Answer(await desk.live(), reason="no_capacity"))

        [row] = await desk.rows(
            "SELECT r.state, e.reason, e.supervisor FROM referrals r JOIN escalations e USING (referral_id)"
        )
        assert tuple(row) == ("open", "no_candidate_left", "supervisor-73")
        assert (await desk.told())[-1] == "referral_escalated"

    async def test_asks_a_supervisor_and_no_further_agency_when_the_person_says_no(self, desk: Desk) -> None:
        await desk.open(an_arrival("ELDER"))

        await desk.answer("decline", "DINSOS-73.06", Answer(await desk.live(), reason="person_refused", side="PERSON"))

        assert await desk.attempts() == [(1, "DINSOS-73.06", "declined")]
        [row] = await desk.rows("SELECT reason FROM escalations")
        assert row["reason"] == "person_refused"

    async def test_refuses_a_reason_on_the_wrong_side(self, desk: Desk) -> None:
        await desk.open(an_arrival("ELDER"))

        [refused] = await desk.answer(
            "decline", "DINSOS-73.06", Answer(await desk.live(), reason="no_capacity", side="PERSON")
        )

        assert isinstance(refused, ReasonMissing)


class TestComplete:
    async def test_fulfils_the_need_and_keeps_the_reference_here(self, desk: Desk) -> None:
        await desk.open(an_arrival("ELDER"))
        assignment_id = await desk.live()
        await desk.answer("accept", "DINSOS-73.06", Answer(assignment_id))

        await desk.hand_over("DINSOS-73.06", Handed(assignment_id, documents=("none",), condition="well"))

        await desk.answer(
            "complete", "DINSOS-73.06", Answer(assignment_id, outcome="HANDED_TO_FAMILY", handover_ref="BAST/12/2026")
        )

        [row] = await desk.rows(
            "SELECT r.state, a.state, a.handover_ref FROM referrals r JOIN assignments a USING (referral_id)"
        )
        assert tuple(row) == ("fulfilled", "completed", "BAST/12/2026")
        assert (await desk.told())[-3:] == ["service_started", "assignment_completed", "referral_fulfilled"]
        payloads = await desk.rows("SELECT payload FROM journal")
        assert not any(b"BAST" in row["payload"] for row in payloads)

    async def test_a_failed_service_goes_to_the_next_agency_or_to_a_person_by_its_outcome(self, desk: Desk) -> None:
        await desk.open(an_arrival("ELDER"))
        first = await desk.live()
        await desk.answer("accept", "DINSOS-73.06", Answer(first))
        await desk.answer("fail", "DINSOS-73.06", Answer(first, outcome="NO_CAPACITY"))
        second = await desk.live()
        await desk.answer("accept", "DINSOS-73", Answer(second))

        await desk.answer("fail", "DINSOS-73", Answer(second, outcome="COULD_NOT_CONTACT"))

        assert await desk.attempts() == [(1, "DINSOS-73.06", "failed"), (2, "DINSOS-73", "failed")]
        [row] = await desk.rows("SELECT r.state, e.reason FROM referrals r JOIN escalations e USING (referral_id)")
        assert tuple(row) == ("open", "outcome_failed")


class TestClose:
    async def test_ends_the_need_and_takes_the_request_back(self, desk: Desk) -> None:
        await desk.open(an_arrival("ELDER"))

        [closed] = await desk.close(Closing(await desk.referral(), "PERSON_LEFT"))

        assert isinstance(closed, Need)
        [row] = await desk.rows("SELECT state, outcome, closed_by FROM referrals")
        assert tuple(row) == ("unfulfilled", "PERSON_LEFT", "penyelia.73")
        assert await desk.attempts() == [(1, "DINSOS-73.06", "recalled")]
        assert (await desk.told())[-2:] == ["assignment_recalled", "referral_closed"]

    async def test_ends_the_part_of_an_agency_that_helps(self, desk: Desk) -> None:
        await desk.open(an_arrival("ELDER"))
        assignment_id = await desk.live()
        await desk.answer("accept", "DINSOS-73.06", Answer(assignment_id))

        await desk.close(Closing(await desk.referral(), "DECEASED"))

        assert await desk.attempts() == [(1, "DINSOS-73.06", "cancelled_by_sender")]
        assert (await desk.told())[-2:] == ["assignment_cancelled", "referral_closed"]
        [late] = await desk.answer("complete", "DINSOS-73.06", Answer(assignment_id, outcome="SERVICE_DELIVERED"))
        assert isinstance(late, TakenBack)

    async def test_leaves_nothing_with_a_supervisor(self, desk: Desk) -> None:
        await desk.open(an_arrival("ELDER"))
        await desk.answer("decline", "DINSOS-73.06", Answer(await desk.live(), reason="person_refused"))

        await desk.close(Closing(await desk.referral(), "PERSON_REFUSED"))

        [row] = await desk.rows("SELECT closed_at FROM escalations")
        assert row["closed_at"] == desk.clock.now()

    async def test_ends_a_gap_that_then_is_never_routed(self, desk: Desk) -> None:
        await suspend(desk, *SERVE_NEED)
        await desk.open(an_arrival("NEED"))

        await desk.close(Closing(await desk.referral(), "NO_LONGER_NEEDED"))
        desk.clock.advance(timedelta(minutes=1))
        async with desk.database.work(system("referral", "test"), purpose="test") as work:
            await keeping.resume_agency(work, "KP2MI")
        await desk.reroute()

        [row] = await desk.rows("SELECT r.state, g.closed_at FROM referrals r JOIN gaps g USING (referral_id)")
        assert row["state"] == "cancelled"
        assert row["closed_at"] is not None
        assert await desk.attempts() == []

    @pytest.mark.parametrize("personally", [True, False])
    async def test_a_childs_need_takes_a_person_who_answers_for_it_by_name(self, desk: Desk, personally: bool) -> None:
        await desk.open(an_arrival("ELDER", age_band="child"))

        [said] = await desk.close(Closing(await desk.referral(), "PERSON_LEFT", personally=personally))

        assert isinstance(said, Need if personally else ChildNeedsOfficer)

    async def test_a_childs_need_is_not_closed_by_a_system(self, desk: Desk) -> None:
        await desk.open(an_arrival("ELDER", age_band="child"))

        [said] = await desk.close(Closing(await desk.referral(), "PERSON_LEFT", personally=True), by="robot")

        assert isinstance(said, ChildNeedsOfficer)

    async def test_of_another_region_looks_like_a_missing_one(self, desk: Desk) -> None:
        await desk.open(an_arrival("ELDER"))

        said = await desk.close(
            Closing(await desk.referral(), "PERSON_LEFT"), Closing(new_id(), "PERSON_LEFT"), by="makassar"
        )

        assert [type(result) for result in said] == [ReferralUnknown, ReferralUnknown]
        assert await desk.attempts() == [(1, "DINSOS-73.06", "sent")]

    async def test_one_refused_item_stops_none_of_the_others(self, desk: Desk) -> None:
        await desk.open(*(an_arrival("ELDER") for _ in range(3)))
        ids = [str(row["referral_id"]) for row in await desk.rows("SELECT referral_id FROM referrals")]

        said = await desk.close(Closing(ids[0], "DECEASED"), Closing(ids[1], "?"), Closing(ids[2], "DECEASED"))

        assert [isinstance(result, Need) for result in said] == [True, False, True]

    async def test_the_database_itself_refuses_a_need_closed_by_nobody(self, desk: Desk) -> None:
        await desk.open(an_arrival("ELDER"))

        with pytest.raises(asyncpg.CheckViolationError, match="closed_need_says_why_and_by_whom"):
            await desk.rows("UPDATE referrals SET state = 'cancelled', outcome = 'DECEASED', ended_at = opened_at")


class TestReopen:
    async def given_up(self, desk: Desk) -> str:
        await desk.open(an_arrival("ELDER"))
        referral_id = await desk.referral()
        await desk.close(Closing(referral_id, "PERSON_LEFT"))
        return referral_id

    async def test_asks_with_the_next_number_in_the_same_transaction(self, desk: Desk) -> None:
        referral_id = await self.given_up(desk)

        await desk.reopen(Reopening(referral_id, "PERSON_FOUND", agency_id="DINSOS-73"))

        assert await desk.attempts() == [(1, "DINSOS-73.06", "recalled"), (2, "DINSOS-73", "sent")]
        [row] = await desk.rows("SELECT state, outcome, ended_at, closed_by FROM referrals")
        assert tuple(row) == ("open", None, None, None)
        assert (await desk.told())[-2:] == ["referral_reopened", "assignment_sent"]

    async def test_a_met_need_can_turn_out_to_be_open(self, desk: Desk) -> None:
        await desk.open(an_arrival("ELDER"))
        assignment_id = await desk.live()
        await desk.answer("accept", "DINSOS-73.06", Answer(assignment_id))
        await desk.answer("complete", "DINSOS-73.06", Answer(assignment_id, outcome="SERVICE_DELIVERED"))

        await desk.reopen(Reopening(await desk.referral(), "NEED_REMAINS"))

        assert await desk.attempts() == [(1, "DINSOS-73.06", "completed"), (2, "DINSOS-73.06", "sent")]

    async def test_stays_with_the_supervisor_when_nobody_can_be_asked(self, desk: Desk) -> None:
        referral_id = await self.given_up(desk)
        await suspend(desk, "DINSOS-73.06", "DINSOS-73", "KEMENSOS")
        desk.clock.advance(timedelta(minutes=1))

        await desk.reopen(Reopening(referral_id, "PERSON_FOUND"))

        [row] = await desk.rows("SELECT reason FROM escalations WHERE closed_at IS NULL")
        assert row["reason"] == "no_candidate_left"

    async def test_refuses_an_agency_that_is_no_candidate(self, desk: Desk) -> None:
        referral_id = await self.given_up(desk)

        [refused] = await desk.reopen(Reopening(referral_id, "PERSON_FOUND", agency_id="DINKES-73"))

        assert isinstance(refused, NobodyToAsk)
        assert (await desk.told())[-1] == "referral_closed"

    async def test_a_cancelled_need_stays_closed(self, desk: Desk) -> None:
        await desk.open(an_arrival("ELDER"))
        await desk.close(Closing(await desk.referral(), "DUPLICATE"))

        [refused] = await desk.reopen(Reopening(await desk.referral(), "CLOSED_IN_ERROR"))

        assert isinstance(refused, MoveNotAllowed)

    async def test_of_two_at_once_one_asks_and_the_other_is_refused(self, desk: Desk) -> None:
        referral_id = await self.given_up(desk)

        said = await asyncio.gather(*(desk.reopen(Reopening(referral_id, "PERSON_FOUND")) for _ in range(4)))

        assert sum(isinstance(result, Need) for [result] in said) == 1
        assert (await desk.told()).count("referral_reopened") == 1


class TestChase:
    async def test_silence_expires_and_the_next_agency_is_asked_until_a_supervisor_must_act(self, desk: Desk) -> None:
        await desk.open(an_arrival("ELDER"))
        assert await desk.chase() == 0

        for hours in (4, 20, 4):  # the second is asked in the afternoon and has the next morning
            desk.clock.advance(timedelta(hours=hours))
            assert await desk.chase() == 1

        assert [state for _, _, state in await desk.attempts()] == ["expired"] * 3
        [row] = await desk.rows("SELECT reason, closed_at FROM escalations")
        assert tuple(row) == ("no_candidate_left", None)
        assert await desk.chase() == 0

    async def test_an_answer_after_the_deadline_is_told_that_it_came_too_late(self, desk: Desk) -> None:
        await desk.open(an_arrival("ELDER"))
        assignment_id = await desk.live()
        desk.clock.advance(timedelta(hours=5))
        await desk.chase()

        [refused] = await desk.answer("accept", "DINSOS-73.06", Answer(assignment_id))

        assert isinstance(refused, TooLate)
        assert refused.state == "expired"

    async def test_late_service_is_escalated_once_and_stays_with_the_agency(self, desk: Desk) -> None:
        await desk.open(an_arrival("ELDER"))
        await desk.answer("accept", "DINSOS-73.06", Answer(await desk.live()))
        assert await count_overdue(desk.database) == 0
        desk.clock.advance(timedelta(days=3))
        assert await count_overdue(desk.database) == 1

        await desk.chase()
        await desk.chase()

        assert await desk.attempts() == [(1, "DINSOS-73.06", "accepted")]
        rows = await desk.rows("SELECT reason FROM escalations")
        assert [row["reason"] for row in rows] == ["service_overdue"]
        assert (await desk.told()).count("referral_escalated") == 1

    async def test_completing_late_service_closes_its_escalation(self, desk: Desk) -> None:
        await desk.open(an_arrival("ELDER"))
        assignment_id = await desk.live()
        await desk.answer("accept", "DINSOS-73.06", Answer(assignment_id))
        desk.clock.advance(timedelta(days=3))
        await desk.chase()

        await desk.answer("complete", "DINSOS-73.06", Answer(assignment_id, outcome="SERVICE_DELIVERED"))

        [row] = await desk.rows("SELECT closed_at FROM escalations")
        assert row["closed_at"] == desk.clock.now()

    async def test_two_clocks_at_once_expire_each_assignment_once(self, desk: Desk) -> None:
        await desk.open(*(an_arrival("ELDER") for _ in range(20)))
        desk.clock.advance(timedelta(hours=5))

        await asyncio.gather(desk.chase(), desk.chase(), desk.chase())

        assert (await desk.told()).count("assignment_expired") == 20
        [row] = await desk.rows("SELECT count(*) FROM assignments WHERE ended_at IS NULL")
        assert row["count"] == 20
