"""What a person says of handing the case on: who may be asked, who has to stop, and what a need rests on then."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import orjson
import pytest

from services.referral import rules
from services.referral.actions import keeping, trying
from services.referral.actions.answering import Answer
from services.referral.actions.routing import Routing
from services.referral.actions.supervising import Reopening
from services.referral.domain import consents, needs
from services.referral.domain.consents import Consents, Said
from services.referral.domain.refusals import ConsentIsNoBasis, TakenBack
from services.referral.domain.routing import Terms
from shared.contracts.intake.arrivals import DeathUndone, NeedsCorrected, PersonDied
from shared.contracts.intake.consents import LawfulBasisEnded
from shared.kit.actor import system
from shared.kit.heard import Heard
from tests.referral.conftest import Desk
from tests.referral.factories import START, a_basis, a_consent, a_need, a_withdrawal, an_arrival, an_expiry, heard
from tests.referral.test_consumers import hear
from tests.referral.test_corrections import a_correction
from tests.referral.test_rules import TEXT

UNION, OFFICE = "CSO-UNION", "DISNAKER-73.06"


async def takes_referrals(desk: Desk, *agency_ids: str) -> None:
    """These offices of civil society have agreed that requests come by themselves."""
    async with desk.database.work(system("referral", "test"), purpose="test") as work:
        for agency_id in agency_ids:
            await keeping.change_agency(work, agency_id, {"takes_referrals": True})


async def declined_by_all_of_the_state(desk: Desk) -> None:
    """Every office of the state says no to the one need there is, until nobody is asked any more."""
    while rows := await desk.rows("SELECT assignment_id, agency_id FROM assignments WHERE ended_at IS NULL"):
        [row] = rows
        assert not row["agency_id"].startswith("CSO-")
        await desk.answer("decline", row["agency_id"], Answer(str(row["assignment_id"]), reason="outside_region"))


async def state(desk: Desk) -> tuple[str, str | None]:
    [row] = await desk.rows("SELECT state, outcome FROM referrals")
    return row["state"], row["outcome"]


async def union_helps(desk: Desk) -> Heard[Any]:
    """Somebody with unpaid wages whom the union has accepted, after the offices of the state had said no."""
    await takes_referrals(desk, UNION)
    arrival = an_arrival("WAGE")
    await hear(desk, arrival, a_consent(arrival.case_id))
    while (await desk.attempts())[-1][1] != UNION:
        [row] = await desk.rows("SELECT assignment_id, agency_id FROM assignments WHERE ended_at IS NULL")
        await desk.answer("decline", row["agency_id"], Answer(str(row["assignment_id"]), reason="outside_region"))
    await desk.answer("accept", UNION, Answer(await desk.live()))
    return arrival


class TestGiven:
    async def test_lets_civil_society_be_asked_where_nobody_was_left(self, desk: Desk) -> None:
        await takes_referrals(desk, UNION)
        arrival = an_arrival("WAGE")
        await hear(desk, arrival)
        await declined_by_all_of_the_state(desk)

        await hear(desk, a_consent(arrival.case_id))

        assert (await desk.attempts())[-1][1:] == (UNION, "sent")
        [row] = await desk.rows("SELECT closed_at FROM escalations WHERE reason = 'no_candidate_left'")
        assert row["closed_at"] == START

    async def test_closes_the_gap_of_a_need_that_only_civil_society_serves(self, desk: Desk) -> None:
        await takes_referrals(desk, UNION)
        await hear(desk, an_arrival("WAGE"))
        [row] = await desk.rows("SELECT body FROM explanations")
        async with desk.database.work(system("referral", "test"), purpose="test") as work:
            for candidate in rules.read(bytes(row["body"])).candidates:
                await keeping.suspend_agency(work, candidate.agency_id)
        desk.clock.advance(timedelta(seconds=2))
        arrival = an_arrival("WAGE")
        await hear(desk, arrival)
        rows = await desk.rows("SELECT state FROM referrals ORDER BY referral_id")
        assert [row["state"] for row in rows] == ["open", "unroutable"]

        await hear(desk, a_consent(arrival.case_id, "WAGE"))

        assert (await desk.attempts())[-1][1:] == (UNION, "sent")
        assert (await desk.told())[-2:] == ["gap_closed", "assignment_sent"]

    async def test_says_so_in_the_decisions_that_follow_which_can_be_made_again_to_the_byte(self, desk: Desk) -> None:
        await takes_referrals(desk, UNION)
        arrival = an_arrival("WAGE")
        await hear(desk, arrival)
        before = await desk.rows("SELECT digest FROM explanations")

        await hear(desk, a_consent(arrival.case_id))

        [row] = await desk.rows("SELECT e.digest, e.body FROM explanations e JOIN referrals ON explanation = digest")
        decision = rules.read(bytes(row["body"]))
        assert decision.facts.consent
        assert UNION in {c.agency_id for c in decision.candidates}
        assert {bytes(one["digest"]) for one in before} < {
            bytes(one["digest"]) for one in await desk.rows("SELECT digest FROM explanations")
        }
        async with desk.database.work(system("referral", "test"), purpose="test") as work:
            assert await trying.replay_all(work, progress=lambda _done, _total: None) == []

    async def test_for_other_needs_or_other_recipients_changes_nothing(self, desk: Desk) -> None:
        arrival = an_arrival("WAGE")
        await hear(desk, arrival)
        before = await desk.rows("SELECT explanation FROM referrals")

        await hear(
            desk,
            a_consent(arrival.case_id, "DEBT"),
            a_consent(arrival.case_id, to="international", seq=3),
            a_consent(arrival.case_id, seq=4, purpose="prosecution"),
            a_consent(arrival.case_id, seq=5, expires_at=START),
        )

        assert await desk.rows("SELECT explanation FROM referrals") == before


class TestWithdrawn:
    async def test_recalls_a_request_that_is_not_accepted_and_asks_somebody_else(self, desk: Desk) -> None:
        await takes_referrals(desk, UNION)
        arrival = an_arrival("WAGE")
        await hear(desk, arrival)
        await declined_by_all_of_the_state(desk)
        await hear(desk, a_consent(arrival.case_id))

        await hear(desk, a_withdrawal(arrival.case_id))

        assert (await desk.attempts())[-1][1:] == (UNION, "recalled")
        assert await state(desk) == ("open", None)
        [told] = await desk.rows("SELECT payload FROM journal WHERE type = 'referral.assignment_recalled.v1'")
        assert orjson.loads(told["payload"])["data"]["reason"] == "CONSENT_WITHDRAWN"
        assert await desk.rows("SELECT FROM escalations WHERE closed_at IS NULL")
        [row] = await desk.rows("SELECT body FROM explanations JOIN referrals ON explanation = digest")
        assert UNION not in {c.agency_id for c in rules.read(bytes(row["body"])).candidates}

    async def test_ends_help_that_has_begun_which_the_agency_confirms(self, desk: Desk) -> None:
        arrival = await union_helps(desk)
        helping = await desk.live()

        await hear(desk, a_withdrawal(arrival.case_id, UNION))

        assert (await desk.attempts())[-1][1:] == (UNION, "cancelled_by_sender")
        assert [str(row["assignment_id"]) for row in await desk.rows("SELECT * FROM cancellations")] == [helping]
        [refused] = await desk.answer("start", UNION, Answer(helping))
        assert isinstance(refused, TakenBack)

    async def test_for_the_state_ends_a_need_that_rests_on_consent(self, desk: Desk) -> None:
        arrival = an_arrival("WAGE")
        await hear(desk, arrival, a_consent(arrival.case_id, to="state"))

        await hear(desk, a_withdrawal(arrival.case_id, to="state"))

        assert await state(desk) == ("consent_withdrawn", "CONSENT_WITHDRAWN")
        assert [attempt[2] for attempt in await desk.attempts()] == ["recalled"]
        assert (await desk.told())[-2:] == ["assignment_recalled", "referral_closed"]

    async def test_for_the_state_leaves_a_need_alone_that_has_another_basis(self, desk: Desk) -> None:
        arrival = an_arrival("NEED")
        await hear(desk, arrival, a_consent(arrival.case_id, to="state"))

        await hear(desk, a_withdrawal(arrival.case_id, to="state"))

        assert await state(desk) == ("open", None)
        assert [attempt[2] for attempt in await desk.attempts()] == ["sent"]

    @pytest.mark.parametrize("age_band", ["child", "unknown"])
    async def test_of_a_child_ends_nothing_but_what_civil_society_does(self, desk: Desk, age_band: str) -> None:
        await takes_referrals(desk, UNION)
        arrival = an_arrival("WAGE", age_band=age_band)
        await hear(desk, arrival, a_consent(arrival.case_id, given_by="parent"))

        await hear(
            desk,
            a_withdrawal(arrival.case_id),
            a_withdrawal(arrival.case_id, to="state", seq=4),
            a_consent(arrival.case_id, given=False, to="state", seq=5),
        )

        assert await state(desk) == ("open", None)
        assert [attempt[2] for attempt in await desk.attempts()] == ["sent"]
        with pytest.raises(ConsentIsNoBasis):
            needs.withdraw(a_need(age_band), by="petugas", now=START)

    async def test_stops_nothing_that_a_law_allows(self, desk: Desk) -> None:
        arrival = an_arrival("SICK")
        await hear(desk, arrival, a_basis(arrival.case_id, "SICK", seq=2))

        await hear(desk, a_withdrawal(arrival.case_id, to="state"))
        open_still = await state(desk)
        [named] = await desk.rows("SELECT said_id FROM consents WHERE kind = 'basis'")
        ended = LawfulBasisEnded(
            case_id=arrival.case_id,
            purpose="help",
            recipient_class="state",
            basis_id=str(named["said_id"]),
            reason="no_longer_needed",
        )
        await hear(desk, replace(heard(ended), case_seq=9))

        assert open_still == ("open", None)
        assert await state(desk) == ("consent_withdrawn", "CONSENT_WITHDRAWN")

    async def test_and_given_anew_opens_the_need_again(self, desk: Desk) -> None:
        arrival = an_arrival("WAGE")
        await hear(desk, arrival, a_withdrawal(arrival.case_id, to="state", seq=2))

        await hear(desk, a_consent(arrival.case_id, to="state", seq=3))

        assert await state(desk) == ("open", None)
        assert [attempt[2] for attempt in await desk.attempts()] == ["recalled", "sent"]

    async def test_asks_nobody_that_it_rules_out_when_a_supervisor_opens_the_need_again(self, desk: Desk) -> None:
        arrival = await union_helps(desk)
        await hear(desk, a_withdrawal(arrival.case_id), a_withdrawal(arrival.case_id, to="state", seq=4))
        assert (await state(desk))[0] == "consent_withdrawn"

        await desk.reopen(Reopening(await desk.referral(), "PERSON_AGREES"))

        assert [attempt for attempt in await desk.attempts() if attempt[2] == "sent"] == []
        assert await desk.rows("SELECT FROM escalations WHERE closed_at IS NULL")


@pytest.mark.invariant("I154")
class TestExpired:
    @pytest.mark.parametrize("helps", [False, True])
    async def test_is_like_a_withdrawal(self, desk: Desk, helps: bool) -> None:
        if helps:
            arrival = await union_helps(desk)
        else:
            await takes_referrals(desk, UNION)
            arrival = an_arrival("WAGE")
            await hear(desk, arrival)
            await declined_by_all_of_the_state(desk)
            await hear(desk, a_consent(arrival.case_id))
        ended = an_expiry(arrival.case_id, UNION)

        await hear(desk, ended, ended)

        state_of_it = "cancelled_by_sender" if helps else "recalled"
        assert (await desk.attempts())[-1][1:] == (UNION, state_of_it)
        assert [str(row["cause"]) for row in await desk.rows("SELECT cause FROM recipient_tasks")] == [
            ended.fact.expiry_id
        ]

    async def test_for_the_state_ends_a_need_that_rests_on_consent_until_it_is_given_anew(self, desk: Desk) -> None:
        arrival = an_arrival("WAGE")
        await hear(desk, arrival, a_consent(arrival.case_id, to="state"))

        await hear(desk, an_expiry(arrival.case_id, to="state"))
        assert await state(desk) == ("consent_withdrawn", "CONSENT_WITHDRAWN")

        await hear(desk, a_consent(arrival.case_id, to="state", seq=9))
        assert await state(desk) == ("open", None)


class TestRefused:
    async def test_ends_a_need_that_rests_on_consent_by_its_statement(self, desk: Desk) -> None:
        arrival = an_arrival("WAGE")
        refusal = a_consent(arrival.case_id, given=False, to="state")
        await hear(desk, arrival)

        await hear(desk, refusal)

        assert await state(desk) == ("refused", "PERSON_REFUSED")
        [row] = await desk.rows("SELECT statement, closed_by FROM referrals")
        assert tuple(row) == (refusal.fact.statement, "petugas.nnk")

    async def test_is_no_state_without_a_statement_that_is_on_file(self, desk: Desk) -> None:
        await hear(desk, an_arrival("WAGE"))
        await desk.answer("decline", OFFICE, Answer(await desk.live(), reason="duplicate"))

        with pytest.raises(asyncpg.CheckViolationError, match="statement"):
            await desk.rows(
                "UPDATE referrals SET state = 'refused', ended_at = now(), outcome = 'PERSON_REFUSED', closed_by = 'x',"
                " statement = 'PNL/1'"
            )

    async def test_of_the_state_leaves_civil_society_that_was_agreed_to(self, desk: Desk) -> None:
        await takes_referrals(desk, UNION)
        arrival = an_arrival("WAGE")
        await hear(desk, arrival, a_consent(arrival.case_id))

        await hear(desk, a_consent(arrival.case_id, given=False, to="state", seq=3))

        assert [attempt[1:] for attempt in await desk.attempts()] == [(OFFICE, "recalled"), (UNION, "sent")]


def consenting() -> Routing:
    """Rules that let nobody be asked about unpaid wages before the person has agreed."""
    text = orjson.loads(TEXT)
    [terms] = [node for node in text["nodes"] if node["id"] == "terms"]
    for row in terms["content"]["rules"]:
        if row["_id"] in {"terms-wage", "terms-wage-child"}:
            row |= {"consent": '"person_before_asking"', "basis": '"consent"'}
    return Routing(rules.Rules("consenting", orjson.dumps(text)))


class TestWhileDead:
    """A death was noted wrongly, and meanwhile something was said, or the day of a consent came."""

    @pytest.mark.parametrize("said", ["expired", "given"])
    async def test_what_goes_on_is_decided_on_what_holds_by_then(self, desk: Desk, said: str) -> None:
        await takes_referrals(desk, UNION)
        arrival = an_arrival("WAGE")
        await hear(desk, arrival, *([a_consent(arrival.case_id)] if said == "expired" else []))
        await hear(desk, a_correction(PersonDied, arrival, needs=("WAGE", "REMAINS")))
        await hear(desk, an_expiry(arrival.case_id) if said == "expired" else a_consent(arrival.case_id))

        await hear(desk, a_correction(DeathUndone, arrival, version=3))

        [row] = await desk.rows("SELECT e.body FROM explanations e JOIN referrals ON explanation = digest"
                                " WHERE need = 'WAGE'")  # fmt: skip
        assert rules.read(bytes(row["body"])).facts.consent is (said == "given")

    async def test_what_rests_on_a_consent_that_is_over_ends(self, desk: Desk) -> None:
        desk.routing = consenting()
        arrival = an_arrival("WAGE")
        await hear(desk, arrival, a_consent(arrival.case_id, "WAGE", to="state"))
        await hear(desk, a_correction(PersonDied, arrival, needs=("WAGE", "REMAINS")))
        await hear(desk, an_expiry(arrival.case_id, to="state"))

        await hear(desk, a_correction(DeathUndone, arrival, version=3))

        [row] = await desk.rows("SELECT state FROM referrals WHERE need = 'WAGE'")
        assert row["state"] == "consent_withdrawn"
        assert await desk.rows("SELECT FROM escalations WHERE closed_at IS NULL") == []


class TestWaiting:
    """By rules that say so; those that are shipped let nobody wait."""

    async def test_asks_nobody_before_the_person_has_agreed(self, desk: Desk) -> None:
        desk.routing = consenting()
        arrival = an_arrival("WAGE", "NEED")
        await hear(desk, arrival)
        rows = await desk.rows("SELECT need, state FROM referrals ORDER BY need")
        assert [tuple(row) for row in rows] == [("NEED", "open"), ("WAGE", "awaiting_consent")]
        assert "consent_awaited" in await desk.told()
        [row] = await desk.rows("SELECT reason FROM escalations WHERE closed_at IS NULL")
        assert row["reason"] == "consent_awaited"

        await hear(desk, a_consent(arrival.case_id, "WAGE", to="state"))

        rows = await desk.rows("SELECT state FROM referrals")
        assert {row["state"] for row in rows} == {"open"}
        assert await desk.rows("SELECT FROM escalations WHERE closed_at IS NULL") == []
        assert (await desk.told())[-2:] == ["consent_obtained", "assignment_sent"]

    @pytest.mark.parametrize("age_band", ["child", "unknown"])
    async def test_is_never_a_childs(self, desk: Desk, age_band: str) -> None:
        desk.routing = consenting()

        await hear(desk, an_arrival("WAGE", age_band=age_band))

        assert await state(desk) == ("open", None)
        assert await desk.live()

    async def test_ends_where_a_law_decides_or_by_a_no(self, desk: Desk) -> None:
        desk.routing = consenting()
        first, second = an_arrival("WAGE"), an_arrival("WAGE")
        await hear(desk, first, second)

        await hear(desk, a_basis(first.case_id), a_consent(second.case_id, given=False, to="state"))

        rows = await desk.rows("SELECT case_id, state FROM referrals")
        assert {str(row["case_id"]): row["state"] for row in rows} == {
            first.case_id: "open",
            second.case_id: "refused",
        }

    async def test_is_nobodys_by_the_rules_that_are_shipped(self) -> None:
        for text in (rules.shipped(version) for version in rules.versions()):
            assert b"person_before_asking" not in text


ADULT = Terms(1, 3, 24, 3, "working", "person", "normal", "consent")


def some_said(kind: Any, *needs: str, to: Any = "state", seq: int = 1, **other: Any) -> Said:
    return Said("c", seq, kind, str(seq), to, needs, START, "petugas", **other)


LAW = some_said("basis", seq=2, basis="vital_interest")


class TestStanding:
    @pytest.mark.parametrize(
        ("said", "classes"),
        [
            ([], {"state"}),
            ([some_said("given")], {"state"}),
            ([some_said("refused")], set()),
            ([some_said("refused", "WAGE")], {"state"}),
            ([some_said("given"), some_said("withdrawn", seq=2)], set()),
            ([some_said("withdrawn"), some_said("given", seq=2)], {"state"}),
            ([some_said("given", to="civil_society")], {"state", "civil_society"}),
            ([some_said("refused", spoken_by="parent")], {"state"}),
            ([some_said("refused", spoken_by="self"), some_said("given", seq=2, spoken_by="parent")], set()),
            ([some_said("given", to="civil_society", spoken_by="parent")], {"state", "civil_society"}),
            ([some_said("given", to="civil_society", expires_at=START)], {"state"}),
            (
                [some_said("given", to="civil_society"), some_said("withdrawn", "ELDER", to="civil_society", seq=2)],
                {"state"},
            ),
            ([some_said("refused"), LAW], {"state"}),
            ([some_said("refused"), LAW, replace(LAW, kind="basis_ended", basis=None)], set()),
        ],
    )
    def test_is_what_was_said_last_for_this_class_and_need(self, said: list[Said], classes: set[str]) -> None:
        found = consents.open_classes(Consents(tuple(said)), a_need().referral, ADULT, now=START)

        assert found == classes

    @pytest.mark.parametrize("terms", [None, replace(ADULT, basis="public_task"), replace(ADULT, basis=None)])
    def test_of_the_state_stands_where_the_need_has_another_basis(self, terms: Terms | None) -> None:
        refused = Consents((some_said("refused"),))

        assert "state" in consents.open_classes(refused, a_need().referral, terms, now=START)


class TestAddedLater:
    """What was said of all of a case holds for needs that are found later too."""

    async def test_is_not_asked_of_who_must_not_be(self, desk: Desk) -> None:
        arrival = an_arrival("NEED")
        await hear(desk, arrival, a_withdrawal(arrival.case_id, to="state"))

        await hear(desk, a_correction(NeedsCorrected, arrival, added=("WAGE",), reason="person_said"))

        rows = await desk.rows("SELECT need, state FROM referrals ORDER BY need")
        assert [tuple(row) for row in rows] == [("NEED", "open"), ("WAGE", "consent_withdrawn")]

    async def test_is_open_to_whom_the_person_has_let_be_asked(self, desk: Desk) -> None:
        await takes_referrals(desk, UNION)
        arrival = an_arrival("NEED")
        await hear(desk, arrival, a_consent(arrival.case_id))

        await hear(desk, a_correction(NeedsCorrected, arrival, added=("WAGE",), reason="person_said"))

        [row] = await desk.rows(
            "SELECT body FROM explanations JOIN referrals ON explanation = digest WHERE need = 'WAGE'"
        )
        assert UNION in {c.agency_id for c in rules.read(bytes(row["body"])).candidates}
        assert len(await desk.attempts()) == 2
