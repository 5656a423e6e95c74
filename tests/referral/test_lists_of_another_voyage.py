"""A list of another voyage is taken back: whatever goes on for each of its people ends, as by one correction."""

from services.referral.actions.answering import Answer
from shared.contracts.intake.arrivals import ArrivalEnteredInError
from tests.referral.conftest import Desk
from tests.referral.factories import an_arrival
from tests.referral.test_corrections import a_correction, hear


async def test_ends_every_need_of_all_of_them_and_whoever_accepted_is_told(desk: Desk) -> None:
    people = [an_arrival("NEED", "SICK") for _ in range(3)]
    await desk.open(*people)
    helping = await desk.rows("SELECT assignment_id::text, agency_id FROM assignments WHERE state = 'sent'")
    await desk.answer("accept", helping[0]["agency_id"], Answer(helping[0]["assignment_id"]))

    await hear(desk, *(a_correction(ArrivalEnteredInError, one, reason="wrong_voyage") for one in people))

    ended = await desk.rows("SELECT state, count(*) FROM referrals GROUP BY state")
    assert [tuple(row) for row in ended] == [("entered_in_error", 6)]
    assert await desk.rows("SELECT FROM assignments WHERE state IN ('sent', 'accepted', 'started')") == []
    [told] = await desk.rows("SELECT assignment_id::text FROM cancellations")
    assert told["assignment_id"] == helping[0]["assignment_id"]
