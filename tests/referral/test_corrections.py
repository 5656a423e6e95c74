"""The port corrects what routing rests on; the needs follow, help does not break, and nobody decides on what was."""

from datetime import timedelta
from typing import Any

import asyncpg
import orjson
import pytest

from services.referral.actions import correcting, leasing
from services.referral.actions.answering import Answer
from services.referral.actions.handing import Handed
from services.referral.actions.supervising import Closing
from services.referral.domain.assignments import Assignment
from services.referral.domain.capacity import Place
from services.referral.domain.refusals import GuardianCheckMissing, TakenBack, VersionChanged
from shared.contracts.intake.arrivals import (
    AgeCorrected,
    ArrivalEnteredInError,
    ArrivalRecorded,
    DeathUndone,
    NeedsCorrected,
    OriginCorrected,
    PersonDied,
    SexCorrected,
)
from shared.kit.actor import system
from shared.kit.heard import Heard
from tests.conftest import DatabaseUrls
from tests.referral.conftest import Desk, Site
from tests.referral.factories import START, an_agency, an_arrival, heard
from tests.referral.test_consumers import hear as hear_all

SAID: dict[type, dict[str, Any]] = {
    AgeCorrected: {"was": "adult", "reason": "papers_found", "proof": None, "proposed_by": None, "added": (),
                   "struck": ()},
    SexCorrected: {"was": "F", "reason": "recorded_wrongly"},
    OriginCorrected: {"was": "73.06", "reason": "family_said"},
    NeedsCorrected: {"added": (), "reason": None, "struck": (), "strike_reason": None},
    ArrivalEnteredInError: {"reason": "test_entry", "duplicate_of": None},
    PersonDied: {"died_on": START.date(), "place": "in_care"},
    DeathUndone: {"reason": "seen_alive", "proposed_by": "sari", "struck": ("REMAINS",)},
}  # fmt: skip


def a_correction(kind: type, of: Heard[Any], *, version: int = 2, **said: Any) -> Heard[Any]:
    """A correction of this arrival, as intake says it."""
    landed: ArrivalRecorded = of.fact
    fact = kind.model_validate(  # type: ignore[attr-defined]
        {
            **{name: getattr(landed, name) for name in (
                "case_id", "port", "port_regency", "origin_regency", "sex", "age_band", "needs", "onward_wish",
                "arrived_at",
            )},
            "version": version,
            **SAID[kind],
            **said,
        }
    )  # fmt: skip
    return heard(fact)


async def hear(desk: Desk, *said: Heard[Any]) -> None:
    async with desk.database.work(system("referral", "consumer"), purpose="hear") as work:
        await correcting.hear_corrections(work, said, routing=desk.routing)


async def states(desk: Desk) -> dict[str, str]:
    """The state of each need."""
    return {row["need"]: row["state"] for row in await desk.rows("SELECT need, state FROM referrals")}


async def attempts(desk: Desk, need: str = "NEED") -> list[tuple[str, str, str | None]]:
    """Agency, state and reason of its end, in order."""
    rows = await desk.rows(
        "SELECT a.agency_id, a.state, a.end_reason FROM assignments a JOIN referrals r USING (referral_id)"
        " WHERE r.need = $1 ORDER BY a.attempt",
        need,
    )
    return [tuple(row) for row in rows]


async def live_of(desk: Desk, need: str) -> str:
    [row] = await desk.rows(
        "SELECT a.assignment_id FROM assignments a JOIN referrals r USING (referral_id)"
        " WHERE r.need = $1 AND a.ended_at IS NULL",
        need,
    )
    return str(row["assignment_id"])


class TestOrigin:
    async def test_that_was_wrong_takes_the_request_back_and_asks_at_home(self, desk: Desk) -> None:
        landed = an_arrival("NEED")
        await desk.open(landed)

        await hear(desk, a_correction(OriginCorrected, landed, origin_regency="53.01"))

        assert await attempts(desk) == [("BP3MI-73", "recalled", "WRONG_ORIGIN"), ("BP3MI-53", "sent", None)]
        [row] = await desk.rows("SELECT regency, province FROM referrals")
        assert tuple(row) == ("53.01", "53")
        assert (await desk.told())[-3:] == ["assignment_recalled", "referral_corrected", "assignment_sent"]

    async def test_that_was_wrong_does_not_break_the_help_that_has_begun(self, desk: Desk) -> None:
        landed = an_arrival("NEED")
        await desk.open(landed)
        helping = await desk.live()
        await desk.answer("accept", "BP3MI-73", Answer(helping))

        await hear(desk, a_correction(OriginCorrected, landed, origin_regency="53.01"))

        assert await attempts(desk) == [("BP3MI-73", "accepted", "WRONG_ORIGIN"), ("BP3MI-53", "sent", None)]
        [row] = await desk.rows("SELECT assignment_id FROM assignments WHERE agency_id = 'BP3MI-53'")
        await desk.answer("accept", "BP3MI-53", Answer(str(row["assignment_id"])))
        assert await attempts(desk) == [("BP3MI-73", "transferred", "WRONG_ORIGIN"), ("BP3MI-53", "accepted", None)]

    async def test_is_asked_of_the_next_when_who_was_to_take_over_says_no(self, desk: Desk) -> None:
        landed = an_arrival("NEED")
        await desk.open(landed)
        await desk.answer("accept", "BP3MI-73", Answer(await desk.live()))
        await hear(desk, a_correction(OriginCorrected, landed, origin_regency="53.01"))
        [row] = await desk.rows("SELECT assignment_id FROM assignments WHERE agency_id = 'BP3MI-53'")

        await desk.answer("decline", "BP3MI-53", Answer(str(row["assignment_id"]), reason="no_capacity"))

        found = await attempts(desk)
        assert found[:2] == [("BP3MI-73", "accepted", "WRONG_ORIGIN"), ("BP3MI-53", "declined", None)]
        assert found[2][1] == "sent"

    async def test_leaves_with_the_port_what_is_the_port_s(self, desk: Desk) -> None:
        landed = an_arrival("SICK")
        await desk.open(landed)
        [before] = await attempts(desk, "SICK")

        await hear(desk, a_correction(OriginCorrected, landed, origin_regency="53.01"))

        assert await attempts(desk, "SICK") == [before]
        assert (await desk.told())[-1] == "referral_corrected"

    async def test_is_seen_by_the_offices_of_the_port_and_of_both_origins(self, desk: Desk, site: Site) -> None:
        landed = an_arrival("NEED")
        await desk.open(landed)
        await hear(desk, a_correction(OriginCorrected, landed, origin_regency="53.01"))

        for office in ("BP3MI-65", "BP3MI-73", "BP3MI-53"):
            [item] = (await site(office).get("/api/origin-corrections")).json()["items"]
            assert (item["was"], item["became"], item["reason"]) == ("73.06", "53.01", "family_said")
            assert "Kabupaten Gowa" in (await site(office).get("/id/asal-dikoreksi")).text
        for office in ("BP3MI-51", "DINSOS-73.06"):
            assert (await site(office).get("/api/origin-corrections")).json()["items"] == []

    async def test_decides_anew_with_an_explanation_that_can_be_made_again_to_the_byte(self, desk: Desk) -> None:
        landed = an_arrival("NEED")
        await desk.open(landed)
        await hear(desk, a_correction(OriginCorrected, landed, origin_regency="53.01"))

        [row] = await desk.rows("SELECT e.body FROM referrals r JOIN explanations e ON e.digest = r.explanation")
        from services.referral import rules  # noqa: PLC0415

        stored = rules.read(bytes(row["body"]))
        router = await _router(desk)
        assert stored.facts.origin_regency == "53.01"
        assert router.decide(stored.facts).body == stored.body


async def _router(desk: Desk) -> Any:
    async with desk.database.work(system("referral", "consumer"), purpose="hear") as work:
        return await desk.routing.router(work)


class TestHearing:
    async def test_twice_or_with_the_landing_in_one_batch_has_one_effect_in_order(self, desk: Desk) -> None:
        landed = an_arrival("NEED")
        said = [
            landed,
            a_correction(OriginCorrected, landed, origin_regency="53.01"),
            a_correction(SexCorrected, landed, version=3, sex="M", origin_regency="53.01"),
        ]

        await hear_all(desk, *said, *said)
        await hear_all(desk, *said)

        assert await attempts(desk) == [("BP3MI-73", "recalled", "WRONG_ORIGIN"), ("BP3MI-53", "sent", None)]
        [row] = await desk.rows("SELECT sex, regency FROM referrals")
        assert tuple(row) == ("M", "53.01")

    async def test_of_a_place_that_is_taken_lets_it_go_and_takes_one_that_fits(self, desk: Desk) -> None:
        await publish(desk, "DINSOS-73.06", F=1, M=1)
        landed = an_arrival("NOFAM")
        await desk.open(landed)
        assert (await taken(desk)) == {"F/any/other": 1, "M/any/other": 0}

        await hear(desk, a_correction(SexCorrected, landed, sex="M"))

        assert (await taken(desk)) == {"F/any/other": 0, "M/any/other": 1}
        assert await attempts(desk, "NOFAM") == [
            ("DINSOS-73.06", "recalled", "NEW_FACTS"),
            ("DINSOS-73.06", "sent", None),
        ]

    async def test_of_an_arrival_that_was_none_lets_the_place_go(self, desk: Desk) -> None:
        await publish(desk, "DINSOS-73.06", F=1)
        landed = an_arrival("NOFAM")
        await desk.open(landed)
        assert await taken(desk) == {"F/any/other": 1}

        await hear(desk, a_correction(ArrivalEnteredInError, landed))

        assert await taken(desk) == {"F/any/other": 0}


async def publish(desk: Desk, agency_id: str, **offered: int) -> None:
    """The office has so many places for people of each sex."""
    offers = [
        Place(agency_id, sex, "any", False, n, 0, desk.clock.now() + timedelta(days=1)) for sex, n in offered.items()
    ]
    async with desk.database.work(an_agency(agency_id), purpose="keep") as work:
        await leasing.publish_places(work, offers)


async def taken(desk: Desk) -> dict[str, int]:
    return {row["place"]: row["taken"] for row in await desk.rows("SELECT place, taken FROM places")}


class TestRecordChangedAfterSending:
    async def test_is_not_accepted_unseen(self, desk: Desk) -> None:
        """The complaint: an agency accepts what it saw, and the record has changed since."""
        landed = an_arrival("SICK")
        await desk.open(landed)
        [row] = await desk.rows("SELECT assignment_id, agency_id, version FROM assignments")
        seen = Answer(str(row["assignment_id"]), version=row["version"])
        await hear(desk, a_correction(SexCorrected, landed, sex="M"))

        [refused] = await desk.answer("accept", row["agency_id"], seen)
        [taken] = await desk.answer("accept", row["agency_id"], Answer(seen.assignment_id, version=row["version"] + 1))

        assert isinstance(refused, VersionChanged)
        assert isinstance(taken, Assignment)

    async def test_stands_on_the_page_of_the_case_with_both_values(self, desk: Desk, site: Site) -> None:
        landed = an_arrival("SICK")
        await desk.open(landed)
        [row] = await desk.rows("SELECT assignment_id, agency_id FROM assignments")
        await hear(desk, a_correction(SexCorrected, landed, sex="M"))

        page = (await site(row["agency_id"]).get(f"/id/rujukan/{row['assignment_id']}")).text
        case = (await site(row["agency_id"]).get(f"/api/assignments/{row['assignment_id']}")).json()

        assert "Perempuan" in page
        assert "Laki-laki" in page
        [corrected] = case["corrections"]
        assert (corrected["kind"], corrected["was"], corrected["became"]) == ("sex", "F", "M")


class TestAge:
    async def test_of_a_child_begins_its_protection_at_once(self, desk: Desk) -> None:
        landed = an_arrival("NEED")
        await desk.open(landed)

        await hear(desk, a_correction(AgeCorrected, landed, age_band="child", added=("UAC",), needs=("UAC", "NEED")))

        assert await states(desk) == {"NEED": "open", "UAC": "open"}
        rows = await desk.rows("SELECT restricted, age_band FROM referrals")
        assert {tuple(row) for row in rows} == {(True, "child")}
        [step] = await desk.rows("SELECT seq, officer, reason FROM responsibilities")
        assert tuple(step) == (1, "petugas.nnk", "correction")

    async def test_of_a_grown_up_ends_what_was_a_child_s(self, desk: Desk) -> None:
        landed = an_arrival("UAC", "NEED", age_band="unknown")
        await desk.open(landed)
        helping = await live_of(desk, "UAC")
        [row] = await desk.rows("SELECT agency_id FROM assignments WHERE assignment_id = $1", helping)
        await desk.answer("accept", row["agency_id"], Answer(helping))

        await hear(
            desk,
            a_correction(AgeCorrected, landed, was="unknown", age_band="adult", struck=("UAC",), needs=("NEED",),
                         proof="birth_certificate", proposed_by="rina"),
        )  # fmt: skip

        assert await states(desk) == {"NEED": "open", "UAC": "entered_in_error"}
        [ended] = await desk.rows("SELECT state FROM assignments WHERE assignment_id = $1", helping)
        assert ended["state"] == "cancelled_by_sender"
        assert await desk.rows("SELECT FROM cancellations WHERE assignment_id = $1", helping)
        [need] = await desk.rows("SELECT restricted, age_band FROM referrals WHERE need = 'NEED'")
        assert tuple(need) == (False, "adult")

    async def test_to_a_child_is_told_of_what_had_ended_too_so_that_nothing_more_of_it_goes_out(
        self, desk: Desk
    ) -> None:
        landed = an_arrival("NEED")
        await desk.open(landed)
        helping = await desk.live()
        await desk.answer("accept", "BP3MI-73", Answer(helping))
        await desk.answer("complete", "BP3MI-73", Answer(helping, outcome="SERVICE_DELIVERED"))

        await hear(desk, a_correction(AgeCorrected, landed, age_band="child", needs=("NEED",)))

        assert await states(desk) == {"NEED": "fulfilled"}
        [row] = await desk.rows("SELECT payload FROM journal WHERE type = 'referral.referral_corrected.v1'")
        told = orjson.loads(row["payload"])["data"]
        assert (told["need"], told["restricted"], told["routed_again"]) == ("NEED", True, False)

    async def test_that_turns_back_finds_what_was_struck_again(self, desk: Desk) -> None:
        landed = an_arrival("UAC", "NEED", age_band="child")
        await desk.open(landed)
        of_age: dict[str, Any] = {"was": "child", "age_band": "adult", "struck": ("UAC",), "needs": ("NEED",)}
        child: dict[str, Any] = {"was": "adult", "age_band": "child", "added": ("UAC",), "needs": ("UAC", "NEED")}

        await hear(desk, a_correction(AgeCorrected, landed, **of_age))
        await hear(desk, a_correction(AgeCorrected, landed, version=3, **child))

        assert await states(desk) == {"NEED": "open", "UAC": "open"}
        assert [state for _, state, _ in await attempts(desk, "UAC")][-1] == "sent"

    async def test_found_after_the_minutes_were_signed_still_takes_a_check_of_the_guardian(
        self, desk: Desk, database_urls: DatabaseUrls
    ) -> None:
        landed = an_arrival("NEED")
        await desk.open(landed)
        helping = await desk.live()
        await desk.answer("accept", "BP3MI-73", Answer(helping))
        await desk.hand_over("BP3MI-73", Handed(helping, documents=("none",), condition="well"))
        await hear(desk, a_correction(AgeCorrected, landed, age_band="child", added=("UAC",), needs=("UAC", "NEED")))

        done = Answer(helping, outcome="HANDED_TO_FAMILY", handover_ref="BAST/12/2026")
        [refused] = await desk.answer("complete", "BP3MI-73", done)

        assert isinstance(refused, GuardianCheckMissing)
        owner = await asyncpg.connect(database_urls("referral").owner)
        await owner.execute("SET rujukan.scope = 'service'")
        with pytest.raises(asyncpg.CheckViolationError, match="has no minutes of it"):
            await owner.execute(
                "UPDATE assignments SET state = 'completed', outcome = 'HANDED_TO_FAMILY', ended_at = now(),"
                " handover_ref = 'BAST/12/2026' WHERE assignment_id = $1",
                helping,
            )
        await owner.close()

    async def test_of_a_child_cannot_be_written_without_who_answers_for_it(
        self, desk: Desk, database_urls: DatabaseUrls
    ) -> None:
        await desk.open(an_arrival("NEED"))
        owner = await asyncpg.connect(database_urls("referral").owner)
        await owner.execute("SET rujukan.scope = 'service'")

        with pytest.raises(asyncpg.CheckViolationError, match="nobody answers for the child"):
            await owner.execute("UPDATE referrals SET age_band = 'child'")
        await owner.close()


class TestNeeds:
    async def test_are_opened_and_end_as_entered_in_error(self, desk: Desk) -> None:
        landed = an_arrival("NEED", "SICK")
        await desk.open(landed)

        await hear(
            desk,
            a_correction(NeedsCorrected, landed, added=("WAGE",), reason="person_said", struck=("SICK",),
                         strike_reason="screened_again", needs=("NEED", "WAGE")),
        )  # fmt: skip

        assert await states(desk) == {"NEED": "open", "SICK": "entered_in_error", "WAGE": "open"}
        assert [state for _, state, _ in await attempts(desk, "SICK")] == ["recalled"]
        assert [state for _, state, _ in await attempts(desk, "WAGE")] == ["sent"]


class TestEnteredInError:
    async def test_ends_all_that_goes_on_and_who_helps_confirms_that_it_knows(self, desk: Desk, site: Site) -> None:
        landed = an_arrival("NEED", "SICK")
        await desk.open(landed)
        helping = await live_of(desk, "NEED")
        await desk.answer("accept", "BP3MI-73", Answer(helping))

        await hear(desk, a_correction(ArrivalEnteredInError, landed))

        assert set((await states(desk)).values()) == {"entered_in_error"}
        assert [state for _, state, _ in await attempts(desk)] == ["cancelled_by_sender"]
        assert [state for _, state, _ in await attempts(desk, "SICK")] == ["recalled"]
        [row] = await desk.rows("SELECT agency_id FROM cancellations WHERE confirmed_at IS NULL")
        assert row["agency_id"] == "BP3MI-73"
        [told] = (await site("BP3MI-73").get("/api/cancellations")).json()["items"]
        assert (told["assignment_id"], told["reason"]) == (helping, "ENTERED_IN_ERROR")
        assert "Kebutuhan salah catat" in (await site("BP3MI-73").get("/id/")).text
        [refused] = await desk.answer("start", "BP3MI-73", Answer(helping))
        assert isinstance(refused, TakenBack)

    async def test_leaves_what_was_done_as_it_was(self, desk: Desk) -> None:
        landed = an_arrival("NEED")
        await desk.open(landed)
        helping = await desk.live()
        await desk.answer("accept", "BP3MI-73", Answer(helping))
        await desk.answer("complete", "BP3MI-73", Answer(helping, outcome="SERVICE_DELIVERED"))

        await hear(desk, a_correction(ArrivalEnteredInError, landed))

        assert await states(desk) == {"NEED": "fulfilled"}


class TestDeath:
    async def test_ends_the_needs_and_opens_that_the_remains_come_home(self, desk: Desk) -> None:
        landed = an_arrival("NEED", "SICK")
        await desk.open(landed)

        await hear(desk, a_correction(PersonDied, landed, needs=("NEED", "SICK", "REMAINS")))

        assert await states(desk) == {"NEED": "cancelled", "SICK": "cancelled", "REMAINS": "open"}
        rows = await desk.rows("SELECT outcome, closed_by FROM referrals WHERE state = 'cancelled'")
        assert {tuple(row) for row in rows} == {("DECEASED", "petugas.nnk")}
        assert [state for _, state, _ in await attempts(desk, "REMAINS")] == ["sent"]

    async def test_of_a_child_takes_no_officer_to_give_it_up(self, desk: Desk) -> None:
        landed = an_arrival("UAC", "NEED", age_band="child")
        await desk.open(landed)

        await hear(desk, a_correction(PersonDied, landed, needs=("UAC", "NEED", "REMAINS")))

        assert await states(desk) == {"NEED": "cancelled", "UAC": "cancelled", "REMAINS": "open"}


@pytest.mark.invariant("I156")
class TestDeathUndone:
    async def test_opens_what_ended_with_it_asks_the_same_office_and_strikes_the_remains(self, desk: Desk) -> None:
        landed = an_arrival("NEED", "SICK", "WAGE")
        await desk.open(landed)
        wage = await live_of(desk, "WAGE")
        await desk.answer("accept", (await attempts(desk, "WAGE"))[-1][0], Answer(wage))
        asked = {need: (await attempts(desk, need))[-1][0] for need in ("NEED", "WAGE")}
        await hear(desk, a_correction(NeedsCorrected, landed, struck=("SICK",), strike_reason="person_said"))
        await hear(desk, a_correction(PersonDied, landed, version=3, needs=("NEED", "WAGE", "REMAINS")))

        await hear(desk, a_correction(DeathUndone, landed, version=4, needs=("NEED", "WAGE")))

        assert await states(desk) == {
            "NEED": "open",
            "SICK": "entered_in_error",
            "WAGE": "open",
            "REMAINS": "entered_in_error",
        }
        for need, agency_id in asked.items():
            assert (await attempts(desk, need))[-1][:2] == (agency_id, "sent")
        reopened = await desk.rows("SELECT payload FROM journal WHERE type = 'referral.referral_reopened.v1'")
        assert {orjson.loads(row["payload"])["data"]["reason"] for row in reopened} == {"DEATH_UNDONE"}

    async def test_leaves_what_a_supervisor_ended_ended(self, desk: Desk) -> None:
        landed = an_arrival("NEED", "SICK")
        await desk.open(landed)
        [row] = await desk.rows("SELECT referral_id FROM referrals WHERE need = 'SICK'")
        await desk.close(Closing(str(row["referral_id"]), "NO_LONGER_NEEDED"))
        await hear(desk, a_correction(PersonDied, landed, needs=("NEED", "SICK", "REMAINS")))

        await hear(desk, a_correction(DeathUndone, landed, version=3))

        assert await states(desk) == {"NEED": "open", "SICK": "cancelled", "REMAINS": "entered_in_error"}
