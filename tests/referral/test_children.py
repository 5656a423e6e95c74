"""A child, or whoever's age is unknown, always has somebody who answers for it by name or by duty."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.referral.actions import answering, escalating
from services.referral.actions.answering import Answer
from services.referral.actions.supervising import Closing
from services.referral.domain import responsibilities
from services.referral.domain.assignments import Assignment
from services.referral.domain.refusals import AssignmentUnknown, ChildNeedsOfficer, MoveNotAllowed
from services.referral.domain.responsibilities import Responsibility
from services.referral.domain.routing import Facts
from shared.contracts import codes
from shared.kit.actor import system
from shared.kit.ids import new_id
from tests.referral.commands import by_agency, by_supervisor
from tests.referral.conftest import Desk, Site
from tests.referral.factories import START, an_agency, an_arrival

PORT = ("petugas.nnk", "BP3MI-65", "arrival")


async def steps(desk: Desk) -> list[tuple[Any, ...]]:
    return [
        tuple(r) for r in await desk.rows("SELECT officer, organisation, reason FROM responsibilities ORDER BY seq")
    ]


async def by_person(desk: Desk, verb: str, agency: str, assignment_id: str, who: str = "petugas") -> Any:
    act: Any = {"accept": answering.accept_assignments, "take_over": answering.take_over_children}[verb]
    more = {"routing": desk.routing} if verb == "accept" else {}
    worker = replace(an_agency(agency, person=True), id=who)
    async with desk.database.work(worker, purpose="answer") as work:
        [result] = await act(work, [Answer(assignment_id)], **more)
    return result


async def live(desk: Desk, need: str) -> tuple[str, str]:
    [row] = await desk.rows(
        "SELECT a.assignment_id::text, a.agency_id FROM assignments a JOIN referrals r USING (referral_id)"
        " WHERE r.need = $1 AND a.ended_at IS NULL",
        need,
    )
    return row["assignment_id"], row["agency_id"]


class TestFromTheFirstSecond:
    @pytest.mark.parametrize("age_band", ["child", "unknown"])
    async def test_who_recorded_the_landing_answers(self, desk: Desk, age_band: str) -> None:
        await desk.open(an_arrival("CHILD", "SICK", age_band=age_band), an_arrival("NEED"))

        assert await steps(desk) == [PORT]

    async def test_the_regions_supervisor_answers_where_a_system_recorded_it(self, desk: Desk) -> None:
        landing = an_arrival("CHILD", age_band="child")
        told = landing.told.model_copy(update={"actor": "port-NNK", "role": "port_system"})

        await desk.open(replace(landing, told=told))

        assert await steps(desk) == [("supervisor-65", "BP3MI-65", "duty")]

    async def test_the_database_takes_no_child_for_whom_nobody_answers(self, desk: Desk) -> None:
        with pytest.raises(asyncpg.CheckViolationError) as refused:
            await desk.rows(
                "INSERT INTO referrals (referral_id, case_id, need, state, version, restricted, regency, port, sex,"
                " age_band, onward_wish, arrived_at, opened_at, explanation) VALUES ($1, $1, 'CHILD', 'open', 1, TRUE,"
                " '73.06', 'NNK', 'F', 'unknown', 'go_home', now(), now(), '')",
                new_id(),
            )

        assert refused.value.constraint_name == "child_has_a_responsible_officer"


class TestPassing:
    async def test_goes_with_the_acceptance_of_its_protection_and_of_nothing_else(self, desk: Desk) -> None:
        await desk.open(an_arrival("CHILD", "SICK", age_band="child"))
        sick, clinic = await live(desk, "SICK")
        await by_person(desk, "accept", clinic, sick, "perawat")
        assert await steps(desk) == [PORT]
        child, office = await live(desk, "CHILD")

        await by_person(desk, "accept", office, child, "pekerja.sosial")

        assert await steps(desk) == [PORT, ("pekerja.sosial", office, "acceptance")]
        assert (await desk.told()).count("responsibility_passed") == 1

    async def test_goes_back_to_who_answered_before_when_the_acceptance_is_undone(self, desk: Desk) -> None:
        await desk.open(an_arrival("CHILD", age_band="child"))
        child, office = await live(desk, "CHILD")
        await by_person(desk, "accept", office, child, "pekerja.sosial")
        desk.clock.advance(timedelta(seconds=5))

        await by_agency(desk, office, answering.undo_acceptances, Answer(child))

        assert await steps(desk) == [PORT, ("pekerja.sosial", office, "acceptance"), (*PORT[:2], "undoing")]
        assert (await desk.told()).count("responsibility_passed") == 2

    async def test_goes_back_to_the_supervisor_on_duty_where_nobody_answered_by_name(self, desk: Desk) -> None:
        landing = an_arrival("CHILD", age_band="child")
        told = landing.told.model_copy(update={"actor": "port-NNK", "role": "port_system"})
        await desk.open(replace(landing, told=told))
        child, office = await live(desk, "CHILD")
        await by_person(desk, "accept", office, child, "pekerja.sosial")

        await by_agency(desk, office, answering.undo_acceptances, Answer(child))

        assert (await steps(desk))[-1] == ("supervisor-65", "BP3MI-65", "duty")

    async def test_does_not_go_back_from_who_has_taken_over_since(self, desk: Desk) -> None:
        await desk.open(an_arrival("CHILD", age_band="child"))
        child, office = await live(desk, "CHILD")
        await by_person(desk, "accept", office, child, "pekerja.sosial")
        desk.clock.advance(timedelta(seconds=5))
        await by_person(desk, "take_over", office, child, "rekan")

        await by_agency(desk, office, answering.undo_acceptances, Answer(child))

        assert [officer for officer, *_ in await steps(desk)] == [PORT[0], "pekerja.sosial", "rekan"]

    async def test_goes_to_who_takes_it_on_where_a_system_recorded_the_landing(self, desk: Desk) -> None:
        """A supervisor before whom the need comes answers by name; of a child that has an officer nothing changes."""
        landing = an_arrival("CHILD", age_band="child")
        told = landing.told.model_copy(update={"actor": "port-NNK", "role": "port_system"})
        await desk.open(replace(landing, told=told), an_arrival("CHILD", age_band="child"))
        for row in await desk.rows("SELECT assignment_id::text, agency_id FROM assignments"):
            await desk.answer("decline", row["agency_id"], Answer(row["assignment_id"], reason="person_refused"))
        waiting = [str(row["referral_id"]) for row in await desk.rows("SELECT referral_id FROM escalations")]

        await by_supervisor(desk, escalating.take_needs, *waiting, routed=False)

        found = await desk.rows("SELECT case_id, officer, reason FROM responsibilities ORDER BY case_id, seq")
        by_case = {
            case_id: [(r["officer"], r["reason"]) for r in found if r["case_id"] == case_id]
            for case_id in {r["case_id"] for r in found}
        }
        assert sorted(by_case.values()) == [
            [("petugas.nnk", "arrival")],
            [("supervisor-65", "duty"), ("penyelia.73", "takeover")],
        ]

    async def test_stays_where_a_system_accepts(self, desk: Desk) -> None:
        await desk.open(an_arrival("CHILD", age_band="child"))
        child, office = await live(desk, "CHILD")

        await desk.answer("accept", office, Answer(child))

        assert await steps(desk) == [PORT]

    async def test_is_taken_over_by_hand_once(self, desk: Desk) -> None:
        await desk.open(an_arrival("CHILD", age_band="child"))
        child, office = await live(desk, "CHILD")
        early = await by_person(desk, "take_over", office, child)
        await by_person(desk, "accept", office, child, "lama")

        for _ in range(2):
            assert isinstance(await by_person(desk, "take_over", office, child, "baru"), Assignment)

        assert isinstance(early, MoveNotAllowed)
        assert (await steps(desk))[1:] == [("lama", office, "acceptance"), ("baru", office, "takeover")]

    async def test_two_at_once_follow_one_another(self, desk: Desk) -> None:
        await desk.open(an_arrival("CHILD", age_band="child"))
        child, office = await live(desk, "CHILD")
        await by_person(desk, "accept", office, child, "lama")

        await asyncio.gather(*(by_person(desk, "take_over", office, child, who) for who in ("satu", "dua")))

        assert {officer for officer, _, _ in (await steps(desk))[2:]} == {"satu", "dua"}

    async def test_nobody_takes_over_who_is_of_age(self, desk: Desk) -> None:
        await desk.open(an_arrival("ELDER"))
        elder, office = await live(desk, "ELDER")
        await by_person(desk, "accept", office, elder)

        assert isinstance(await by_person(desk, "take_over", office, elder), AssignmentUnknown)
        assert await steps(desk) == []

    async def test_shows_who_answers_to_the_case_team(self, desk: Desk, site: Site) -> None:
        await desk.open(an_arrival("ELDER", age_band="unknown"))
        assignment_id = await desk.live()

        page = await site("worker").get(f"/id/rujukan/{assignment_id}")

        assert "Penanggung jawab anak" in page.text
        assert "petugas.nnk, BP3MI-65" in page.text


class TestGivingUp:
    async def test_is_nobodys_but_a_persons(self, desk: Desk) -> None:
        await desk.open(an_arrival("CHILD", age_band="child"))

        [refused] = await desk.close(Closing(await desk.referral(), "PERSON_LEFT"))

        assert isinstance(refused, ChildNeedsOfficer)


REASONS = st.sampled_from(["acceptance", "takeover"])
WHO = st.tuples(st.sampled_from(["satu", "dua", "supervisor-65"]), st.sampled_from(["DINSOS-73", "UPTDPPA-65.03"]))


@given(
    st.sampled_from(["port_officer", "port_system", "agency_system"]), st.lists(st.tuples(WHO, REASONS), max_size=12)
)
def test_whatever_happens_somebody_answers_and_the_steps_are_counted(
    role: str, moves: list[tuple[tuple[str, str], Any]]
) -> None:
    first = responsibilities.at_arrival("c", actor="a", organisation="o", role=role, province="65", now=START)
    known: list[Responsibility] = [first]
    for (officer, organisation), reason in moves:
        step = responsibilities.passed(known, officer=officer, organisation=organisation, reason=reason, now=START)
        known += [step] if step else []
        assert (known[-1].officer, known[-1].organisation) == (officer, organisation)
        assert known[-1].is_named

    assert [step.seq for step in known] == list(range(1, len(known) + 1))
    assert first.is_named == (role == "port_officer")


def everywhere() -> Iterator[tuple[str, str]]:
    """Each regency as a home, with a port far off."""
    for regency in codes.regencies():
        yield "65.03" if regency[:2] != "65" else "31.73", regency


async def test_an_unaccompanied_child_goes_to_the_ports_office_first_then_home(desk: Desk) -> None:
    async with desk.database.work(system("referral", "test"), purpose="test") as work:
        router = await desk.routing.router(work)
    for port, origin in everywhere():
        facts = Facts(need="UAC", age_band="child", port_regency=port, origin_regency=origin, sex="F")
        asked = [candidate.agency_id for candidate in router.decide(facts).candidates]

        at_port = [n for n, id_ in enumerate(asked) if id_.endswith((f"-{port}", f"-{port[:2]}"))]
        at_home = [n for n, id_ in enumerate(asked) if id_.endswith((f"-{origin}", f"-{origin[:2]}"))]
        assert asked[0].endswith(f"-{port}"), (port, origin)
        assert at_home, (port, origin)
        assert max(at_port) < min(at_home), (port, origin, asked)
