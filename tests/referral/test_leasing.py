"""Places that offices publish: taken by who is sent there, never given twice, unknown when the publication is old."""

import asyncio
import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from services.referral.actions import keeping, leasing
from services.referral.actions.answering import Answer
from services.referral.actions.leasing import Rooms
from services.referral.actions.routing import Routing
from services.referral.actions.supervising import Closing
from services.referral.domain import capacity, needs
from services.referral.domain.capacity import Place, PlacesTaken, PlacesUnusable
from shared.contracts.intake.arrivals import NeedsCorrected, SexCorrected
from shared.kit.actor import Actor
from shared.kit.clock import FixedClock
from shared.kit.ids import new_id
from tests.conftest import DatabaseUrls
from tests.referral.conftest import PEOPLE, Desk
from tests.referral.factories import BY_THE_CLOCK, CANDIDATES, START, a_need, an_agency, an_arrival, an_asked_need
from tests.referral.test_corrections import a_correction, hear, live_of

MIGRATIONS = Path(leasing.__file__).parents[1] / "migrations"
SHELTER, NEXT = "DINSOS-73.06", "DINSOS-73"
TOMORROW = START + timedelta(days=1)


def some_places(offered: int = 1, **other: Any) -> Place:
    """Places for anybody at the office that is asked first for an elderly person from Gowa."""
    said = {"agency_id": SHELTER, "sex": "any", "age_band": "any", "accessible": False, "offered": offered}
    return Place(**{**said, "taken": 0, "expires_at": TOMORROW, **other})


async def publish(desk: Desk, *places: Place, by: Actor | None = None) -> None:
    async with desk.database.work(by or an_agency(SHELTER), purpose="publish") as work:
        await leasing.publish_places(work, places)
    desk.clock.advance(timedelta(seconds=3))  # routing looks again after two


async def counts(desk: Desk) -> list[tuple[str, int, int]]:
    """Sort, taken, and how many people really have one: each with as many live attempts as are counted."""
    lodged = await desk.rows(
        "SELECT a.agency_id, r.case_id, count(*)::integer AS attempts FROM assignments a JOIN referrals r"
        " USING (referral_id) WHERE a.place IS NOT NULL AND a.ended_at IS NULL GROUP BY 1, 2 ORDER BY 1, 2"
    )
    assert await desk.rows("SELECT agency_id, case_id, attempts FROM beds ORDER BY 1, 2") == lodged
    rows = await desk.rows(
        "SELECT p.place, p.taken, count(b.case_id) AS held FROM places p LEFT JOIN beds b"
        " ON b.agency_id = p.agency_id AND b.place = p.place GROUP BY 1, 2 ORDER BY 1"
    )
    return [(row["place"], row["taken"], row["held"]) for row in rows]


class TestChoice:
    """A pure function of the places and the person."""

    REFERRAL = a_need().referral

    @pytest.mark.parametrize(
        ("place", "person", "fits"),
        [
            ({"sex": "F"}, {"sex": "F"}, True),
            ({"sex": "F"}, {"sex": "M"}, False),
            ({"sex": "F"}, {"sex": "X"}, False),
            ({}, {"sex": "X"}, True),
            ({"age_band": "child"}, {"age_band": "unknown"}, True),
            ({"age_band": "adult"}, {"age_band": "unknown"}, False),
            ({}, {"need": "PWD"}, False),
            ({"accessible": True}, {"need": "PWD"}, True),
            ({"accessible": True}, {"need": "ELDER"}, True),
        ],
    )
    def test_keeps_to_sex_age_and_access(self, place: dict[str, Any], person: dict[str, Any], fits: bool) -> None:
        assert some_places(**place).fits(replace(self.REFERRAL, **person)) is fits

    def test_leaves_the_rarer_places_to_who_needs_them(self) -> None:
        women, anybody, accessible = some_places(sex="F"), some_places(), some_places(sex="F", accessible=True)

        assert capacity.choice([accessible, anybody, women], self.REFERRAL, START) == women
        assert capacity.choice([accessible, anybody], self.REFERRAL, START) == anybody
        assert capacity.choice([accessible, women], replace(self.REFERRAL, need="PWD"), START) == accessible

    def test_does_not_take_old_publications_for_free_ones_nor_for_full_ones(self) -> None:
        old = some_places(expires_at=START)

        assert old.free(START) is None
        assert capacity.choice([old], self.REFERRAL, START) is None
        assert capacity.may_have_room([old], self.REFERRAL, START)
        assert not capacity.may_have_room([some_places(offered=0)], self.REFERRAL, START)
        assert capacity.may_have_room([some_places(sex="M", expires_at=START)], self.REFERRAL, START)
        assert not capacity.may_have_room([some_places(sex="M")], self.REFERRAL, START)


class TestPublishing:
    async def test_fewer_than_are_taken_is_refused_with_the_numbers(self, desk: Desk) -> None:
        await publish(desk, some_places(2))
        await desk.open(an_arrival("ELDER"), an_arrival("ELDER"))

        with pytest.raises(PlacesTaken) as refused:
            await publish(desk, some_places(1))

        assert str(refused.value) == ("any/any/other: 2 taken, 1 offered; publish at least 2, or let one go first")
        assert await counts(desk) == [("any/any/other", 2, 2)]

    @pytest.mark.parametrize(
        "wrong",
        [{"sex": "X"}, {"age_band": "old"}, {"offered": -1}, {"offered": 1001}, {"expires_at": START},
         {"expires_at": START + timedelta(days=8)}],
    )  # fmt: skip
    async def test_what_makes_no_sense_is_refused(self, desk: Desk, wrong: dict[str, Any]) -> None:
        with pytest.raises(PlacesUnusable):
            await publish(desk, replace(some_places(), **wrong))

    async def test_is_the_offices_own(self, desk: Desk) -> None:
        for stranger in (an_agency(NEXT), PEOPLE["coordinator"]):
            with pytest.raises(keeping.NotYours):
                await publish(desk, some_places(), by=stranger)

        assert await counts(desk) == []

    async def test_is_on_the_trail(self, desk: Desk) -> None:
        await publish(desk, some_places(3))

        assert await desk.told() == ["places_published"]


class TestTaking:
    async def test_who_is_sent_takes_a_place_and_the_next_one_goes_elsewhere_when_it_is_full(self, desk: Desk) -> None:
        await publish(desk, some_places(1))

        await desk.open(an_arrival("ELDER"), an_arrival("ELDER"))

        assert sorted(agency for _, agency, _ in await desk.attempts()) == [NEXT, SHELTER]
        assert await counts(desk) == [("any/any/other", 1, 1)]

    async def test_who_does_not_need_a_bed_takes_none(self, desk: Desk) -> None:
        await publish(desk, some_places(0, agency_id="BP3MI-73"), by=an_agency("BP3MI-73"))

        await desk.open(an_arrival("NEED"))

        assert [agency for _, agency, _ in await desk.attempts()] == ["BP3MI-73"]

    async def test_an_old_publication_blocks_nobody_and_gives_no_place(self, desk: Desk) -> None:
        await publish(desk, some_places(1), some_places(0, sex="F", expires_at=START + timedelta(seconds=2)))

        await desk.open(an_arrival("ELDER", sex="M"), an_arrival("ELDER", sex="F"))

        assert [agency for _, agency, _ in await desk.attempts()] == [SHELTER, SHELTER]
        assert await counts(desk) == [("F/any/other", 0, 0), ("any/any/other", 1, 1)]

    async def test_of_an_old_publication_is_kept_by_who_has_it_whatever_is_corrected_that_does_not_matter(
        self, desk: Desk
    ) -> None:
        await publish(desk, some_places(1))
        landed = an_arrival("ELDER")
        await desk.open(landed)
        desk.clock.advance(timedelta(days=2))

        await hear(desk, a_correction(SexCorrected, landed, sex="M"))

        assert [(agency, state) for _, agency, state in await desk.attempts()] == [(SHELTER, "sent")]
        assert await counts(desk) == [("any/any/other", 1, 1)]

    async def test_who_goes_with_the_household_takes_one_too_or_goes_elsewhere(self, desk: Desk) -> None:
        await publish(desk, some_places(2, agency_id="DINSOS-32.04"), by=an_agency("DINSOS-32.04"))
        home = new_id()
        await desk.open(an_arrival("ELDER", origin="32.04", household_id=home))

        for _ in range(2):
            await desk.open(an_arrival("NOFAM", household_id=home))

        assert await counts(desk) == [("any/any/other", 2, 2)]
        assert [agency for _, agency, _ in await desk.attempts()].count("DINSOS-32.04") == 2

    async def test_where_nobody_publishes_nothing_is_read_of_places(self, desk: Desk, monkeypatch: Any) -> None:
        asked: list[object] = []
        monkeypatch.setattr(leasing.store, "lock_places", lambda *arguments: asked.append(arguments))

        await desk.open(an_arrival("ELDER"))
        await desk.answer("decline", SHELTER, Answer(await desk.live(), reason="no_capacity"))

        assert asked == []

    async def test_when_all_are_full_a_supervisor_decides(self, desk: Desk) -> None:
        agencies = ["DINSOS-73.06", "DINSOS-73", "KEMENSOS"]
        for agency in agencies:
            await publish(desk, some_places(0, agency_id=agency), by=an_agency(agency))

        await desk.open(an_arrival("ELDER"))

        assert not {agency for _, agency, _ in await desk.attempts()} & set(agencies)


ENDINGS = ["declined", "expired", "closed", "completed", "failed"]


class TestEnding:
    @pytest.mark.parametrize("how", ENDINGS)
    async def test_of_the_attempt_gives_the_place_back(self, desk: Desk, how: str) -> None:
        await publish(desk, some_places(1))
        await desk.open(an_arrival("ELDER"))
        attempt = await desk.live()

        if how == "declined":
            await desk.answer("decline", SHELTER, Answer(attempt, reason="no_capacity"))
        elif how == "expired":
            desk.clock.advance(timedelta(days=3))
            await desk.chase()
        elif how == "closed":
            await desk.close(Closing(await desk.referral(), "PERSON_LEFT"))
        else:
            await desk.answer("accept", SHELTER, Answer(attempt))
            assert await counts(desk) == [("any/any/other", 1, 1)]
            if how == "completed":
                await desk.answer("complete", SHELTER, Answer(attempt, outcome="SERVICE_DELIVERED"))
            else:
                await desk.answer("fail", SHELTER, Answer(attempt, outcome="NO_CAPACITY"))

        assert await counts(desk) == [("any/any/other", 0, 0)]


@pytest.mark.invariant("I101")
class TestOneBed:
    """A person sleeps in one, whatever many needs are with the office."""

    async def test_is_taken_for_two_needs_and_free_when_the_last_ends(self, desk: Desk) -> None:
        await publish(desk, some_places(2))
        await desk.open(an_arrival("ELDER", "NOFAM"))
        assert await counts(desk) == [("any/any/other", 1, 1)]

        for left in (1, 0):
            [attempt, *_] = await desk.rows("SELECT assignment_id FROM assignments WHERE agency_id = $1"
                                            " AND ended_at IS NULL", SHELTER)  # fmt: skip
            await desk.answer("decline", SHELTER, Answer(str(attempt["assignment_id"]), reason="wrong_service"))
            assert await counts(desk) == [("any/any/other", left, left)]

    async def test_is_free_once_when_both_end_at_once(self, desk: Desk) -> None:
        await publish(desk, some_places(2))
        await desk.open(an_arrival("ELDER", "NOFAM"), an_arrival("ELDER"))

        rows = await desk.rows("SELECT assignment_id FROM assignments WHERE agency_id = $1", SHELTER)
        answers = [Answer(str(row["assignment_id"]), reason="wrong_service") for row in rows]
        await desk.answer("decline", SHELTER, *answers)

        assert len(answers) == 3
        assert await counts(desk) == [("any/any/other", 0, 0)]

    async def test_lets_who_has_the_last_one_bring_a_further_need(self, desk: Desk) -> None:
        await publish(desk, some_places(1))
        landed = an_arrival("ELDER")
        await desk.open(landed)

        await hear(desk, a_correction(NeedsCorrected, landed, added=("NOFAM",), reason="person_said",
                                      needs=("ELDER", "NOFAM")))  # fmt: skip

        assert [agency for _, agency, _ in await desk.attempts()] == [SHELTER, SHELTER]
        assert await counts(desk) == [("any/any/other", 1, 1)]

    async def test_is_left_for_one_that_does_for_the_further_need(self, desk: Desk) -> None:
        await publish(desk, some_places(1), some_places(1, accessible=True))
        landed = an_arrival("ELDER")
        await desk.open(landed)
        assert await counts(desk) == [("any/any/accessible", 0, 0), ("any/any/other", 1, 1)]

        await hear(desk, a_correction(NeedsCorrected, landed, added=("PWD",), reason="person_said",
                                      needs=("ELDER", "PWD")))  # fmt: skip
        assert await counts(desk) == [("any/any/accessible", 1, 1), ("any/any/other", 0, 0)]

        await desk.answer("decline", SHELTER, Answer(await live_of(desk, "PWD"), reason="wrong_service"))
        assert await counts(desk) == [("any/any/accessible", 1, 1), ("any/any/other", 0, 0)]
        await desk.answer("decline", SHELTER, Answer(await live_of(desk, "ELDER"), reason="wrong_service"))
        assert await counts(desk) == [("any/any/accessible", 0, 0), ("any/any/other", 0, 0)]

    def test_is_one_sort_of_place_for_all_needs_that_are_asked_at_once(self) -> None:
        """In whatever order the database writes them; and what is left by it, nobody takes in the same breath."""
        rooms = Rooms(START, {SHELTER: [some_places(1), some_places(1, accessible=True)]})
        asked, shelter = an_asked_need(), replace(CANDIDATES[0], agency_id=SHELTER)
        for n, code in enumerate(("ELDER", "PWD")):
            need = replace(a_need(), referral=replace(asked.referral, referral_id=code, need=code))
            rooms.take(needs.ask(need, shelter, assignment_id=str(n), times=BY_THE_CLOCK, now=START))
        another = replace(a_need(), referral=replace(asked.referral, case_id="another"))

        assert rooms.leases == {"0": "any/any/accessible", "1": "any/any/accessible"}
        assert rooms.open_to(another, frozenset({SHELTER})) == frozenset()

    async def test_is_counted_again_where_an_earlier_version_gave_some_while_beds_were_counted(
        self, desk: Desk, database_urls: DatabaseUrls
    ) -> None:
        await publish(desk, some_places(2))
        await desk.open(an_arrival("ELDER", "NOFAM"), an_arrival("ELDER"))
        owner = await asyncpg.connect(database_urls("referral").owner)
        async with owner.transaction():
            await owner.execute("SET LOCAL rujukan.scope = 'service'")
            await owner.execute("DELETE FROM beds WHERE attempts = 2")
            await owner.execute("UPDATE places SET taken = 1, offered = 1")
            await owner.execute((MIGRATIONS / "0034_count_beds_again.sql").read_text(encoding="utf-8"))
        await owner.close()

        assert await counts(desk) == [("any/any/other", 2, 2)]
        rows = await desk.rows("SELECT assignment_id FROM assignments WHERE agency_id = $1", SHELTER)
        await desk.answer(
            "decline", SHELTER, *[Answer(str(row["assignment_id"]), reason="no_capacity") for row in rows]
        )
        assert await counts(desk) == [("any/any/other", 0, 0)]


class TestNeverGivenTwice:
    async def test_the_database_itself_refuses_the_one_too_many(self, desk: Desk) -> None:
        await publish(desk, some_places(1))
        await desk.open(an_arrival("ELDER"), an_arrival("ELDER"))

        with pytest.raises(asyncpg.CheckViolationError, match="places_are_never_given_twice"):
            await desk.rows(
                "UPDATE assignments SET agency_id = $1, place = 'any/any/other' WHERE place IS NULL RETURNING 1",
                SHELTER,
            )
        with pytest.raises(asyncpg.CheckViolationError, match="has published no place"):
            await desk.rows("UPDATE assignments SET place = 'F/any/other' WHERE place IS NULL RETURNING 1")

    @pytest.mark.parametrize("seed", range(4))
    async def test_whatever_many_do_at_once(self, desk: Desk, clock: FixedClock, routing: Routing, seed: int) -> None:
        chance = random.Random(seed)
        offered = chance.randint(1, 4)
        await publish(desk, some_places(offered), some_places(1, sex="F"), some_places(1, accessible=True))

        async def arrive() -> None:
            needs = chance.choice([("ELDER",), ("ELDER", "NOFAM"), ("NOFAM", "ELDER", "PWD")])
            people = [an_arrival(*needs, sex=chance.choice("FM")) for _ in range(chance.randint(1, 3))]
            await desk.open(*people)

        async def answer() -> None:
            rows = await desk.rows(
                "SELECT assignment_id FROM assignments WHERE agency_id = $1 AND ended_at IS NULL", SHELTER
            )
            some = [str(row["assignment_id"]) for row in rows if chance.random() < 0.5]
            verb, more = chance.choice([("decline", {"reason": "no_capacity"}), ("accept", {})])
            await desk.answer(verb, SHELTER, *(Answer(attempt, **more) for attempt in some))

        for _ in range(6):
            await asyncio.gather(*(chance.choice([arrive, answer])() for _ in range(6)))
            found = await counts(desk)
            assert [taken for _, taken, _ in found] == [held for _, _, held in found]
            assert [taken <= most for (_, taken, _), most in zip(found, (1, 1, offered), strict=True)] == [True] * 3

        [row] = await desk.rows("SELECT count(*) AS n FROM assignments WHERE place IS NOT NULL")
        assert row["n"] > 0
