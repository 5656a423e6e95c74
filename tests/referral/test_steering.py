"""The edges of asking the port, handing on, undoing, holding and passing over, on a real database."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from services.referral import clock as clocks
from services.referral.actions import answering, asking, disclosing, keeping, passing, pausing, steering
from services.referral.actions.answering import Answer
from services.referral.actions.asking import Reply
from services.referral.actions.cancelling import confirm_cancellations, confirm_for_agency
from services.referral.actions.steering import Error, Hold, Recall, Resumption
from services.referral.actions.supervising import Closing
from services.referral.domain.refusals import (
    AlreadyAnswered,
    AttemptStillLive,
    CancellationUnknown,
    IdentityWithheld,
    MoveNotAllowed,
    NotUndoable,
    PauseUnknown,
    QuestionClosed,
    QuestionUnknown,
    ReferralUnknown,
    VersionChanged,
)
from shared.kit.actor import system
from tests.conftest import DatabaseUrls
from tests.referral.commands import OFFICER, by_agency, by_officer, by_supervisor
from tests.referral.conftest import PEOPLE, Desk, turn
from tests.referral.factories import an_agency, an_arrival
from tests.referral.test_returns import WAITING
from tests.waiting import until

HOME = "DINSOS-73.06"
OTHER = "DINSOS-32.04"


async def asked(desk: Desk, *needs: str) -> str:
    """The assignment of one need that the agency at home is asked to meet."""
    await desk.open(an_arrival(*(needs or ("ELDER",))))
    [row] = await desk.rows("UPDATE assignments SET agency_id = $1 RETURNING assignment_id::text", HOME)
    return str(row["assignment_id"])


async def helped(desk: Desk) -> str:
    """The same, accepted."""
    assignment_id = await asked(desk)
    await desk.answer("accept", HOME, Answer(assignment_id))
    return assignment_id


async def handing_on(desk: Desk) -> tuple[str, str]:
    """A need that is helped with, and the attempt of the agency that is to take it over."""
    first = await helped(desk)
    await by_agency(desk, HOME, passing.transfer_assignments, Answer(first, agency_id=OTHER), routed=True)
    [row] = await desk.rows("SELECT assignment_id::text FROM assignments WHERE attempt = 2")
    return first, str(row["assignment_id"])


async def ask(desk: Desk, assignment_id: str, agency_id: str = HOME, code: str = "company") -> str:
    await by_agency(desk, agency_id, asking.ask_port, Answer(assignment_id, question=code), routed=True)
    [row] = await desk.rows("SELECT question_id::text FROM questions WHERE assignment_id = $1", assignment_id)
    return str(row["question_id"])


async def standing(desk: Desk) -> list[str]:
    rows = await desk.rows("SELECT reason FROM escalations WHERE closed_at IS NULL ORDER BY reason")
    return [row["reason"] for row in rows]


class TestQuestions:
    async def test_a_late_answer_closes_what_the_silence_opened_and_is_the_only_one(self, desk: Desk) -> None:
        question_id = await ask(desk, await asked(desk))
        desk.clock.advance(timedelta(hours=4))
        await desk.chase()
        assert await standing(desk) == ["question_unanswered"]

        [answered] = await by_officer(desk, Reply(question_id, "alone"))
        [again] = await by_officer(desk, Reply(question_id, "with_family"))

        assert answered.answer == "alone"
        assert isinstance(again, QuestionClosed)
        assert await standing(desk) == []

    async def test_an_answer_leaves_before_the_supervisor_whose_help_is_overdue(self, desk: Desk) -> None:
        first = await helped(desk)
        desk.clock.advance(timedelta(days=200))
        await desk.chase()
        await by_agency(desk, HOME, passing.transfer_assignments, Answer(first, agency_id=OTHER), routed=True)
        [row] = await desk.rows("SELECT assignment_id::text FROM assignments WHERE attempt = 2")
        assert await standing(desk) == ["service_overdue"]

        await by_officer(desk, Reply(await ask(desk, row["assignment_id"], OTHER), "alone"))

        assert await standing(desk) == ["service_overdue"]

    async def test_what_falls_due_of_two_attempts_at_once_is_kept_of_both(self, desk: Desk) -> None:
        first, second = await handing_on(desk)
        await ask(desk, second, OTHER)
        desk.clock.advance(timedelta(days=200))

        await desk.chase()

        [row] = await desk.rows(
            "SELECT overdue_told_at, answer_due_at FROM assignments WHERE assignment_id = $1", first
        )
        assert row["overdue_told_at"] is not None
        assert await standing(desk) == ["question_unanswered", "service_overdue"]

    async def test_another_port_answers_nothing(self, desk: Desk) -> None:
        question_id = await ask(desk, await asked(desk))

        [refused] = await by_officer(desk, Reply(question_id, "alone"), officer=replace(OFFICER, port="BTM"))
        [nowhere] = await by_officer(desk, Reply(question_id, "alone"), officer=replace(OFFICER, port=None))

        assert isinstance(refused, QuestionUnknown)
        assert isinstance(nowhere, QuestionUnknown)

    async def test_nobody_answers_what_the_agency_has_decided_without(self, desk: Desk) -> None:
        assignment_id = await asked(desk)
        question_id = await ask(desk, assignment_id)
        await desk.answer("accept", HOME, Answer(assignment_id))

        [refused] = await by_officer(desk, Reply(question_id, "alone"))

        assert isinstance(refused, QuestionClosed)


class TestUndoing:
    async def undo(self, desk: Desk, assignment_id: str) -> Any:
        [result] = await by_agency(desk, HOME, answering.undo_acceptances, Answer(assignment_id))
        return result

    async def test_not_once_the_identity_was_read(self, desk: Desk) -> None:
        assignment_id = await helped(desk)
        await self.read(desk, assignment_id)

        assert isinstance(await self.undo(desk, assignment_id), NotUndoable)
        assert [state for _, _, state in await desk.attempts()] == ["accepted"]

    async def test_nor_after_ten_seconds(self, desk: Desk) -> None:
        assignment_id = await helped(desk)
        desk.clock.advance(timedelta(seconds=11))

        assert isinstance(await self.undo(desk, assignment_id), NotUndoable)

    async def test_an_identity_is_not_read_once_it_is_undone(self, desk: Desk) -> None:
        assignment_id = await helped(desk)
        undone = await self.undo(desk, assignment_id)

        assert undone.state == "acknowledged"
        with pytest.raises(IdentityWithheld):
            await self.read(desk, assignment_id)

    async def read(self, desk: Desk, assignment_id: str) -> None:
        class Intake:
            async def disclose(self, *_: Any, **__: Any) -> dict[str, str]:
                return {}

        intake: Any = Intake()
        token: Any = None
        await disclosing.read_identity(desk.database, intake, token, an_agency(HOME), assignment_id)


class TestHandingOn:
    async def test_declined_the_need_stays_with_who_helps(self, desk: Desk) -> None:
        _, second = await handing_on(desk)

        await desk.answer("decline", OTHER, Answer(second, reason="no_capacity"))

        assert [state for _, _, state in await desk.attempts()] == ["accepted", "declined"]
        assert await standing(desk) == []

    async def test_unanswered_the_need_stays_with_who_helps(self, desk: Desk) -> None:
        _, second = await handing_on(desk)
        await desk.rows(
            "UPDATE assignments SET answer_due_at = $2 WHERE assignment_id = $1 RETURNING 1", second, desk.clock.now()
        )

        await desk.chase()

        assert [state for _, _, state in await desk.attempts()] == ["accepted", "expired"]

    async def test_who_comes_second_learns_what_stood_first(self, desk: Desk) -> None:
        first, _ = await handing_on(desk)

        [again] = await by_agency(desk, HOME, passing.transfer_assignments, Answer(first, agency_id=OTHER), routed=True)

        assert isinstance(again, AttemptStillLive)

    async def test_who_forwards_twice_learns_that_it_has_answered(self, desk: Desk) -> None:
        forward = Answer(await asked(desk), reason="outside_region", agency_id=OTHER)

        await by_agency(desk, HOME, passing.forward_assignments, forward, routed=True)
        [again] = await by_agency(desk, HOME, passing.forward_assignments, forward, routed=True)

        assert isinstance(again, AlreadyAnswered)
        assert [state for _, _, state in await desk.attempts()] == ["declined", "sent"]


class TestSteering:
    async def test_what_a_supervisor_takes_back_stands_before_nobody_any_more(self, desk: Desk) -> None:
        await ask(desk, await asked(desk))
        desk.clock.advance(timedelta(hours=4))
        await desk.chase()
        assert await standing(desk) == ["question_unanswered"]

        await by_supervisor(desk, steering.recall_assignments, Recall(await desk.referral(), "WRONG_AGENCY"))

        assert [state for _, _, state in await desk.attempts()] == ["recalled", "sent"]
        assert await standing(desk) == []

    async def test_decides_on_what_it_saw(self, desk: Desk) -> None:
        await asked(desk)
        id_, until = await desk.referral(), desk.clock.now() + timedelta(days=2)

        refused = [
            *await by_supervisor(desk, steering.recall_assignments, Recall(id_, "NEW_FACTS", version=1)),
            *await by_supervisor(desk, steering.note_errors, Error(id_, 1, version=1)),
            *await by_supervisor(desk, steering.hold_needs, Hold(id_, "IN_HOSPITAL", until, version=1), routed=False),
            *await by_supervisor(desk, steering.resume_needs, Resumption(id_, version=1)),
        ]

        assert [type(one) for one in refused] == [VersionChanged] * 4

    async def test_another_regions_needs_look_like_none(self, desk: Desk) -> None:
        await asked(desk)
        id_, until = await desk.referral(), desk.clock.now() + timedelta(days=2)

        refused = [
            *await by_supervisor(desk, steering.recall_assignments, Recall(id_, "NEW_FACTS"), by="makassar"),
            *await by_supervisor(desk, steering.note_errors, Error(id_, 1), by="unplaced"),
            *await by_supervisor(
                desk, steering.hold_needs, Hold(id_, "IN_HOSPITAL", until), routed=False, by="makassar"
            ),
            *await by_supervisor(desk, steering.resume_needs, Resumption(id_), by="makassar"),
        ]

        assert [type(one) for one in refused] == [ReferralUnknown] * 4
        assert [state for _, _, state in await desk.attempts()] == ["sent"]

    async def test_a_hold_ends_by_itself_once(self, desk: Desk) -> None:
        await asked(desk)
        until = desk.clock.now() + timedelta(days=2)
        hold = Hold(await desk.referral(), "IN_HOSPITAL", until)
        await by_supervisor(desk, steering.hold_needs, hold, routed=False)
        assert await turn(clocks.resume(desk.database, desk.routing)) == 0
        desk.clock.advance(timedelta(days=2))

        assert await turn(clocks.resume(desk.database, desk.routing)) == 1
        assert await turn(clocks.resume(desk.database, desk.routing)) == 0

        assert [state for _, _, state in await desk.attempts()] == ["recalled", "sent"]
        [again] = await by_supervisor(desk, steering.resume_needs, Resumption(await desk.referral()))
        assert isinstance(again, MoveNotAllowed)


class TestPauses:
    async def test_are_lifted_by_who_oversees_the_agency_as_often_as_one_likes(self, desk: Desk) -> None:
        await desk.answer("decline", HOME, Answer(await asked(desk), reason="no_capacity"))
        [row] = await desk.rows("SELECT pause_id::text FROM pauses")
        pause_id = row["pause_id"]

        [foreign] = await by_supervisor(desk, pausing.lift_pauses, pause_id, routed=False, by="makassar")
        assert isinstance(foreign, PauseUnknown)
        assert await desk.rows("SELECT FROM pauses WHERE lifted_at IS NULL")

        for _ in range(2):
            [lifted] = await by_supervisor(desk, pausing.lift_pauses, pause_id, routed=False)
            assert lifted.pause_id == pause_id
        assert (await desk.told()).count("pause_lifted") == 1

    async def test_that_are_read_while_the_directory_changes_bring_no_earlier_one_back(
        self, desk: Desk, database_urls: DatabaseUrls
    ) -> None:
        async def look(*, at_pauses: bool = True) -> frozenset[str]:
            async with desk.database.work(system("referral", "clock"), purpose="look") as work:
                router = await desk.routing.router(work)
                return await desk.routing.open_for(work, "ELDER") if at_pauses else router.directory.available

        assert HOME in await look(at_pauses=False)
        desk.clock.advance(timedelta(seconds=1))
        async with desk.database.work(system("referral", "test"), purpose="test") as work:
            await keeping.suspend_agency(work, HOME)
        owner = await asyncpg.connect(database_urls("referral").owner)
        async with owner.transaction():
            await owner.execute("LOCK TABLE pauses IN ACCESS EXCLUSIVE MODE")
            reading = asyncio.create_task(look())
            await until(lambda: desk.rows(WAITING))
            desk.clock.advance(timedelta(seconds=1.5))
            assert HOME not in await look(at_pauses=False)
        await owner.close()

        await reading
        assert HOME not in await look()


class TestCancellations:
    async def test_is_confirmed_once_by_the_agency_alone_and_after_a_day_by_who_oversees_it(self, desk: Desk) -> None:
        assignment_id = await helped(desk)
        await desk.close(Closing(await desk.referral(), "PERSON_LEFT"))
        [foreign] = await by_agency(desk, OTHER, confirm_cancellations, assignment_id)
        assert isinstance(foreign, CancellationUnknown)
        assert isinstance(await self.confirm(desk, "supervisor", assignment_id), CancellationUnknown)
        desk.clock.advance(timedelta(days=1))
        assert await desk.remind() == 1
        assert await desk.remind() == 0

        assert isinstance(await self.confirm(desk, "makassar", assignment_id), CancellationUnknown)
        assert await self.confirm(desk, "supervisor", assignment_id) is None
        [late] = await by_agency(desk, HOME, confirm_cancellations, assignment_id)

        assert late.confirmed_by == "penyelia.73"
        assert (await desk.told())[-2:] == ["cancellation_overdue", "cancellation_confirmed"]

    async def confirm(self, desk: Desk, by: str, assignment_id: str) -> Exception | None:
        try:
            async with desk.database.work(PEOPLE[by], purpose="supervise") as work:
                await confirm_for_agency(work, assignment_id)
        except CancellationUnknown as refused:
            return refused
        return None
