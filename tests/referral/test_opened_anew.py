"""What had ended is open again where it ended for what was not so; help that was given stays given."""

import os
import random
from itertools import permutations
from typing import Any

import orjson
import pytest

from services.referral import rules
from services.referral.actions import refusing
from services.referral.actions.answering import Answer
from services.referral.actions.refusing import Signed
from services.referral.actions.supervising import Closing
from services.referral.domain.needs import Need
from shared.contracts.intake.arrivals import (
    AgeCorrected,
    DeathUndone,
    NeedsCorrected,
    OriginCorrected,
    PersonDied,
    SexCorrected,
)
from shared.kit.heard import Heard
from tests.referral.conftest import Desk
from tests.referral.factories import a_consent, a_withdrawal, an_agency, an_arrival
from tests.referral.test_correction_orders import Person
from tests.referral.test_corrections import a_correction, attempts, hear, live_of, states
from tests.referral.test_lock_order import hear_consent

CHILD: dict[str, Any] = {"age_band": "child", "added": ("UAC",)}


async def sign_refusals(desk: Desk) -> None:
    """Whoever is asked has the person sign that it wants no help; what is refused changes nothing."""
    now = desk.clock.now()
    signed = Signed("PNL/1", "self", "village", "73.06", "id", ("help_offered", "what_follows"), now, now)
    for row in await desk.rows("SELECT assignment_id::text, agency_id FROM assignments WHERE ended_at IS NULL"):
        async with desk.database.work(an_agency(row["agency_id"]), purpose="serve") as work:
            await refusing.record_refusals(work, [Answer(row["assignment_id"])], signed=signed)


async def close(desk: Desk, need: str, reason: str) -> None:
    [row] = await desk.rows("SELECT referral_id::text FROM referrals WHERE need = $1", need)
    closed = await close_all(desk, Closing(row["referral_id"], reason, personally=True))
    assert len(closed) == 1


async def close_all(desk: Desk, *closings: Closing) -> list[Need]:
    """Supervisors of two offices close what they may: none does what its own office is asked for."""
    done = [one for by in ("supervisor", "gowa") for one in await desk.close(*closings, by=by)]
    return [one for one in done if isinstance(one, Need)]


async def complete(desk: Desk, need: str) -> str:
    """The agency that is asked helps, and the need is met; answers which it was."""
    assignment_id, agency_id = await live_of(desk, need), (await attempts(desk, need))[-1][0]
    await desk.answer("accept", agency_id, Answer(assignment_id))
    await desk.answer("complete", agency_id, Answer(assignment_id, outcome="SERVICE_DELIVERED"))
    return agency_id


async def reasons(desk: Desk) -> list[tuple[str, str]]:
    """Each need that was opened again, and why, in order."""
    rows = await desk.rows("SELECT payload FROM journal WHERE type = 'referral.referral_reopened.v1' ORDER BY position")
    said = [orjson.loads(row["payload"])["data"] for row in rows]
    return [(one["need"], one["reason"]) for one in said]


class TestChildAfterAll:
    async def test_what_it_had_refused_in_writing_is_asked_again_for_the_case_team_alone(self, desk: Desk) -> None:
        landed = an_arrival("NEED")
        await desk.open(landed)
        await sign_refusals(desk)
        assert await states(desk) == {"NEED": "refused"}

        await hear(desk, a_correction(AgeCorrected, landed, needs=("UAC", "NEED"), **CHILD))

        assert await states(desk) == {"NEED": "open", "UAC": "open"}
        assert (await attempts(desk))[-1][1] == "sent"
        assert await reasons(desk) == [("NEED", "CHILD_AFTER_ALL")]
        rows = await desk.rows("SELECT restricted, age_band, statement FROM referrals WHERE need = 'NEED'")
        assert [tuple(row) for row in rows] == [(True, "child", None)]

    @pytest.mark.parametrize("said", ["refused", "withdrawn"])
    async def test_nor_does_what_it_had_said_at_the_port_end_anything(self, desk: Desk, said: str) -> None:
        landed = an_arrival("WAGE")
        await desk.open(landed)
        if said == "refused":
            await hear_consent(desk, a_consent(landed.case_id, to="state", given=False))
        else:
            await hear_consent(desk, a_withdrawal(landed.case_id, to="state"))
        before = await states(desk)

        await hear(desk, a_correction(AgeCorrected, landed, needs=("UAC", "WAGE"), **CHILD))

        assert before["WAGE"] in ("refused", "consent_withdrawn")
        assert await states(desk) == {"WAGE": "open", "UAC": "open"}

    async def test_what_was_closed_because_it_refused_is_open_again_and_what_is_needless_is_not(
        self, desk: Desk
    ) -> None:
        landed = an_arrival("NEED", "SICK", "WAGE")
        await desk.open(landed)
        await close(desk, "NEED", "PERSON_REFUSED")
        await close(desk, "SICK", "NO_LONGER_NEEDED")
        await close(desk, "WAGE", "PERSON_LEFT")

        await hear(desk, a_correction(AgeCorrected, landed, needs=("UAC", "NEED", "SICK", "WAGE"), **CHILD))

        assert await states(desk) == {"NEED": "open", "SICK": "cancelled", "WAGE": "unfulfilled", "UAC": "open"}

    async def test_help_that_was_given_stays_given(self, desk: Desk) -> None:
        landed = an_arrival("NEED")
        await desk.open(landed)
        await complete(desk, "NEED")

        await hear(desk, a_correction(AgeCorrected, landed, needs=("UAC", "NEED"), **CHILD))

        assert await states(desk) == {"NEED": "fulfilled", "UAC": "open"}
        assert await reasons(desk) == []

    async def test_of_somebody_whose_need_was_struck_opens_nothing(self, desk: Desk) -> None:
        landed = an_arrival("NEED")
        await desk.open(landed)
        await sign_refusals(desk)

        await hear(desk, a_correction(AgeCorrected, landed, needs=("UAC",), **CHILD))

        assert await states(desk) == {"NEED": "refused", "UAC": "open"}

    async def test_its_protection_that_was_given_up_before_is_due_again(self, desk: Desk) -> None:
        landed = an_arrival("UAC", age_band="unknown")
        await desk.open(landed)
        await close(desk, "UAC", "COULD_NOT_CONTACT")
        before = await states(desk)
        of_age: dict[str, Any] = {"was": "unknown", "age_band": "adult", "struck": ("UAC",), "needs": ()}

        await hear(desk, a_correction(AgeCorrected, landed, **of_age))
        await hear(desk, a_correction(AgeCorrected, landed, version=3, needs=("UAC",), **CHILD))

        assert before == {"UAC": "unfulfilled"}
        assert await states(desk) == {"UAC": "open"}
        assert await reasons(desk) == [("UAC", "FOUND_AFTER_ALL")]


class TestOthersToAsk:
    @pytest.mark.parametrize("reason", ["NO_CAPACITY", "NOT_ELIGIBLE"])
    async def test_what_nobody_could_do_is_asked_of_whom_the_corrected_origin_proposes(
        self, desk: Desk, reason: str
    ) -> None:
        landed = an_arrival("NEED")
        await desk.open(landed)
        await close(desk, "NEED", reason)

        await hear(desk, a_correction(OriginCorrected, landed, origin_regency="53.01"))

        assert await states(desk) == {"NEED": "open"}
        assert (await attempts(desk))[-1][:2] == ("BP3MI-53", "sent")
        assert await reasons(desk) == [("NEED", "OTHERS_TO_ASK")]

    @pytest.mark.parametrize("reason", ["PERSON_LEFT", "COULD_NOT_CONTACT", "PERSON_REFUSED"])
    async def test_what_ended_with_the_person_stays_ended(self, desk: Desk, reason: str) -> None:
        landed = an_arrival("NEED")
        await desk.open(landed)
        await close(desk, "NEED", reason)

        await hear(desk, a_correction(OriginCorrected, landed, origin_regency="53.01"))

        assert await states(desk) == {"NEED": "unfulfilled"}

    async def test_where_the_same_are_proposed_it_stays_ended(self, desk: Desk) -> None:
        landed = an_arrival("NEED")
        await desk.open(landed)
        everybody = len(rules.read(bytes((await desk.rows("SELECT body FROM explanations"))[0]["body"])).candidates)
        for _ in range(everybody):
            assignment_id, agency_id = await live_of(desk, "NEED"), (await attempts(desk))[-1][0]
            await desk.answer("decline", agency_id, Answer(assignment_id, reason="no_capacity"))
        await close(desk, "NEED", "NO_CAPACITY")

        await hear(desk, a_correction(SexCorrected, landed, sex="M"))

        assert await states(desk) == {"NEED": "unfulfilled"}

    async def test_for_somebody_who_has_died_nobody_is_asked_but_for_the_remains(self, desk: Desk) -> None:
        landed = an_arrival("NEED")
        await desk.open(landed)
        await close(desk, "NEED", "NO_CAPACITY")
        dead = ("NEED", "REMAINS")
        await hear(desk, a_correction(PersonDied, landed, needs=dead))
        await close(desk, "REMAINS", "NO_CAPACITY")

        await hear(desk, a_correction(OriginCorrected, landed, version=3, origin_regency="53.01", needs=dead))

        assert await states(desk) == {"NEED": "unfulfilled", "REMAINS": "open"}

    @pytest.mark.parametrize("is_moved", [True, False], ids=["corrected_meanwhile", "as_it_was"])
    async def test_of_an_origin_that_was_corrected_while_somebody_counted_as_dead_once_that_is_undone(
        self, desk: Desk, is_moved: bool
    ) -> None:
        landed, home = an_arrival("NEED"), "53.01" if is_moved else "73.06"
        await desk.open(landed)
        await close(desk, "NEED", "NO_CAPACITY")
        await hear(desk, a_correction(PersonDied, landed, needs=("NEED", "REMAINS")))
        if is_moved:
            moved: dict[str, Any] = {"origin_regency": home, "needs": ("NEED", "REMAINS")}
            await hear(desk, a_correction(OriginCorrected, landed, version=3, **moved))

        undone = a_correction(DeathUndone, landed, version=4 if is_moved else 3, origin_regency=home, needs=("NEED",))
        await hear(desk, undone)

        assert (await states(desk))["NEED"] == ("open" if is_moved else "unfulfilled")
        assert await reasons(desk) == ([("NEED", "OTHERS_TO_ASK")] if is_moved else [])


def struck(landed: Heard[Any], need: str, *left: str) -> Heard[Any]:
    return a_correction(NeedsCorrected, landed, struck=(need,), strike_reason="screened_again", needs=left)


def found(landed: Heard[Any], need: str, *others: str) -> Heard[Any]:
    return a_correction(NeedsCorrected, landed, version=3, added=(need,), reason="assessed", needs=(need, *others))


class TestFoundOnceMore:
    async def test_a_need_that_was_met_and_is_found_again_is_asked_again_and_what_was_done_stays(
        self, desk: Desk
    ) -> None:
        landed = an_arrival("NEED", "SICK")
        await desk.open(landed)
        agency_id = await complete(desk, "SICK")
        await hear(desk, struck(landed, "SICK", "NEED"))

        await hear(desk, found(landed, "SICK", "NEED"))

        assert (await states(desk))["SICK"] == "open"
        assert [one[:2] for one in await attempts(desk, "SICK")] == [(agency_id, "completed"), (agency_id, "sent")]
        assert await reasons(desk) == [("SICK", "FOUND_AFTER_ALL")]

    async def test_a_need_that_the_person_has_refused_ends_again_by_the_same_word(self, desk: Desk) -> None:
        landed = an_arrival("WAGE")
        await desk.open(landed)
        await hear_consent(desk, a_consent(landed.case_id, to="state", given=False))
        before = await states(desk)
        await hear(desk, struck(landed, "WAGE"))

        await hear(desk, found(landed, "WAGE"))

        assert before == await states(desk) == {"WAGE": "refused"}


class Somebody(Person):
    """Also people end needs here; what follows from each correction is looked at when it has been heard."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.given: set[str] = set()

    async def complete(self) -> None:
        await self._answer("accept")
        await self._answer("complete", outcome="SERVICE_DELIVERED")

    async def refuse(self) -> None:
        await sign_refusals(self.desk)

    async def give_up(self) -> None:
        await self._close("NO_CAPACITY")

    async def leave(self) -> None:
        await self._close("PERSON_LEFT")

    async def _close(self, reason: str) -> None:
        rows = await self.desk.rows(
            "SELECT referral_id::text FROM referrals WHERE case_id = $1 AND ended_at IS NULL", self.landed.case_id
        )
        await close_all(self.desk, *(Closing(row["referral_id"], reason, personally=True) for row in rows))

    async def owes_nothing(self, event: str, found: set[str]) -> None:
        """Nothing is silently absent, and nothing that was given is taken back.

        `found`: the needs that `event` added.
        """
        needs = {
            row["need"]: row
            for row in await self.desk.rows("SELECT * FROM referrals WHERE case_id = $1", self.landed.case_id)
        }
        done = await self.desk.rows(
            "SELECT a.assignment_id::text AS id, a.agency_id, r.need FROM assignments a JOIN referrals r"
            " USING (referral_id) WHERE r.case_id = $1 AND a.state = 'completed'",
            self.landed.case_id,
        )
        assert self.given <= {row["id"] for row in done}
        self.given = {row["id"] for row in done}
        assert self.needs <= needs.keys()
        for code in self.needs:
            need = needs[code]
            assert need["state"] != "entered_in_error"
            if self.facts["age_band"] == "child":
                assert need["state"] not in ("refused", "consent_withdrawn")
            if event in ("origin", "sex", "age") and need["outcome"] == "NO_CAPACITY":
                assert await self._untried(need) == set()
            if code in found:
                assert need["ended_at"] is None or (event, need["state"]) == ("age", "fulfilled")

    async def _untried(self, need: Any) -> set[str]:
        [stored] = await self.desk.rows("SELECT body FROM explanations WHERE digest = $1", need["explanation"])
        asked = await self.desk.rows("SELECT agency_id FROM assignments WHERE referral_id = $1", need["referral_id"])
        return {c.agency_id for c in rules.read(bytes(stored["body"])).candidates} - {row["agency_id"] for row in asked}


EVENTS = ("origin", "sex", "age", "need", "accept", "complete", "refuse", "give_up", "leave")
SAMPLE = 50


@pytest.mark.timeout(900)
async def test_whatever_had_ended_no_correction_leaves_a_duty_silently_absent(desk: Desk) -> None:
    seed, orders = random.randrange(10**6), list(permutations(EVENTS, 4))
    if os.environ.get("HYPOTHESIS_PROFILE") != "soak":
        orders = random.Random(seed).sample(orders, SAMPLE)
    for order in orders:
        person = Somebody(desk)
        await desk.open(person.landed)
        for event in order:
            before = set(person.needs)
            await getattr(person, event)()
            try:
                await person.owes_nothing(event, person.needs - before)
            except AssertionError as wrong:
                raise AssertionError(f"seed {seed}: {order}, after {event}") from wrong
