"""Members of a household are referred together, by the strictest need; whoever comes to be apart is somebody's task."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any, get_args

import orjson
import pytest

from services.referral import clock, rules
from services.referral.actions import households, trying
from services.referral.actions.answering import Answer
from services.referral.domain import households as domain
from services.referral.domain.agencies import Agency, directory
from services.referral.domain.households import meet, region_of
from services.referral.domain.routing import Facts
from services.referral.pages import labels
from shared.contracts.intake.households import HouseholdChanged
from shared.contracts.referral.households import ReunificationDecision, SaidOfSplit, SplitReason
from shared.kit.actor import system
from shared.kit.heard import Heard
from shared.kit.ids import new_id
from shared.kit.work import _lock_key
from tests.reading import said
from tests.referral.conftest import PEOPLE, Desk, Site, turn
from tests.referral.factories import START, an_arrival, heard
from tests.referral.test_returns import WAITING
from tests.waiting import until

HOME = "73.06"


def a_family(*people: tuple[Any, ...], household_id: str | None = None) -> list[Heard[Any]]:
    """Arrivals of one household: needs and what else is said of each."""
    home = household_id or new_id()
    return [an_arrival(*needs, **{"household_id": home, **said}) for *needs, said in people]


def a_change(arrival: Heard[Any], household_id: str, change: str = "joined", *members: str) -> Heard[Any]:
    reason = "said_by_family" if change == "joined" else "family_parted"
    return heard(
        HouseholdChanged(
            case_id=arrival.case_id, household_id=household_id, change=change, reason=reason, members=members
        )
    )


async def hear(desk: Desk, *changes: Heard[Any]) -> None:
    async with desk.database.work(system("referral", "consumer"), purpose="hear") as work:
        await households.hear_households(work, changes, routing=desk.routing)


async def land(desk: Desk, *arrivals: Heard[Any]) -> None:
    """They are heard of in one batch, and the clock has had its turn."""
    await desk.open(*arrivals)
    await settle(desk)


async def settle(desk: Desk) -> None:
    await turn(clock.settle(desk.database, desk.routing))


async def asked(desk: Desk, arrival: Heard[Any]) -> dict[str, str]:
    """The agency that each need of a case is with."""
    rows = await desk.rows(
        "SELECT r.need, a.agency_id FROM referrals r JOIN assignments a USING (referral_id)"
        " WHERE r.case_id = $1 AND a.ended_at IS NULL",
        arrival.case_id,
    )
    return {row["need"]: row["agency_id"] for row in rows}


async def attempt_of(desk: Desk, arrival: Heard[Any], need: str) -> tuple[str, str]:
    """Assignment and agency of the live attempt at a need."""
    [row] = await desk.rows(
        "SELECT a.assignment_id::text, a.agency_id FROM referrals r JOIN assignments a USING (referral_id)"
        " WHERE r.case_id = $1 AND r.need = $2 AND a.ended_at IS NULL",
        arrival.case_id,
        need,
    )
    return row["assignment_id"], row["agency_id"]


async def tasks(desk: Desk) -> list[tuple[str, str, str | None]]:
    """Case, reason and end of each task, in order."""
    rows = await desk.rows("SELECT case_id::text, reason, closed_as FROM reunifications ORDER BY opened_at, task_id")
    return [(row["case_id"], row["reason"], row["closed_as"]) for row in rows]


async def told(desk: Desk, kind: str) -> list[dict[str, Any]]:
    rows = await desk.rows("SELECT payload FROM journal WHERE type = $1 ORDER BY position", f"referral.{kind}.v1")
    return [orjson.loads(row["payload"])["data"] for row in rows]


class TestRegions:
    @pytest.mark.parametrize(
        ("one", "other", "together"),
        [
            ("DINSOS-73.06", "BP3MI-73", True),
            ("DINSOS-73.06", "DINSOS-73.06", True),
            ("DINSOS-73.06", "DINSOS-73.08", False),
            ("DINSOS-73.06", "DINSOS-65.03", False),
            ("BP3MI-65", "BP3MI-73", False),
            ("KEMENSOS", "DINSOS-73.06", True),
            ("CSO-CHILD", "BP3MI-65", True),
        ],
    )
    def test_meet_where_one_lies_in_the_other(self, one: str, other: str, together: bool) -> None:
        assert meet(region_of(one), region_of(other)) is together


class TestTogether:
    async def test_all_go_where_the_strictest_need_is(self, desk: Desk) -> None:
        mother, child = a_family(("SICK", {}), ("CHILD", "NEED", {"age_band": "child"}))
        await land(desk, mother, child)

        assert await asked(desk, mother) == {"SICK": "DINKES-65.03"}
        assert await asked(desk, child) == {"CHILD": "UPTDPPA-65.03", "NEED": "BP3MI-65"}
        assert await tasks(desk) == []

    async def test_whoever_comes_from_elsewhere_goes_home_with_the_family(self, desk: Desk) -> None:
        mother, father = a_family(("PREG", {}), ("NEED", {"origin": "33.74", "sex": "M"}))
        await land(desk, mother, father)

        assert await asked(desk, mother) == {"PREG": "DINKES-73.06"}
        assert await asked(desk, father) == {"NEED": "BP3MI-73"}
        [row] = await desk.rows("SELECT regency, province FROM referrals WHERE case_id = $1", father.case_id)
        assert tuple(row) == ("73.06", "73")

    async def test_whoever_travels_alone_goes_as_before(self, desk: Desk) -> None:
        alone = an_arrival("NEED", "CHILD", age_band="child")
        [single] = a_family(("NEED", "CHILD", {"age_band": "child"}))
        await land(desk, alone, single)

        assert await asked(desk, alone) == await asked(desk, single) == {"CHILD": "UPTDPPA-73.06", "NEED": "BP3MI-73"}

    @pytest.mark.parametrize("order", list(permutations(range(3))))
    async def test_in_whatever_order_they_are_heard_of(self, desk: Desk, order: tuple[int, ...]) -> None:
        family = a_family(("SICK", "NEED", {}), ("CHILD", "NEED", {"age_band": "child"}), ("NEED", {"origin": "33.74"}))
        for n in order:
            await land(desk, family[n])

        assert [await asked(desk, one) for one in family] == [
            {"SICK": "DINKES-65.03", "NEED": "BP3MI-65"},
            {"CHILD": "UPTDPPA-65.03", "NEED": "BP3MI-65"},
            {"NEED": "BP3MI-65"},
        ]
        assert await tasks(desk) == []

    async def test_who_lands_later_goes_there_at_once_without_the_clock(self, desk: Desk) -> None:
        mother, child = a_family(("SICK", {}), ("CHILD", {"age_band": "child"}))
        await desk.open(mother)
        await desk.open(child)

        assert await asked(desk, child) == {"CHILD": "UPTDPPA-65.03"}
        assert await told(desk, "assignment_recalled") == []
        assert await desk.rows("SELECT FROM households WHERE is_unsettled") == []

    async def test_whoever_has_to_move_for_who_lands_later_is_moved_by_the_clock(self, desk: Desk) -> None:
        child, mother = a_family(("CHILD", {"age_band": "child"}), ("SICK", {}))
        await desk.open(child)
        await desk.open(mother)
        landed = await asked(desk, child)
        await settle(desk)

        assert landed == {"CHILD": "UPTDPPA-73.06"}
        assert await asked(desk, child) == {"CHILD": "UPTDPPA-65.03"}
        assert await desk.rows("SELECT FROM households WHERE is_unsettled") == []

    async def test_who_lands_apart_from_who_is_helped_is_somebodys_task_at_once(self, desk: Desk) -> None:
        child, mother = a_family(("CHILD", {"age_band": "child"}), ("SICK", {}))
        await desk.open(child)
        assignment_id, agency_id = await attempt_of(desk, child, "CHILD")
        await desk.answer("accept", agency_id, Answer(assignment_id))
        await desk.open(mother)

        assert await asked(desk, child) == {"CHILD": "UPTDPPA-73.06"}
        assert await tasks(desk) == [(child.case_id, "helped_before", None)]

    async def test_at_the_same_moment_too(self, desk: Desk) -> None:
        family = a_family(("SICK", {}), *((("CHILD", {"age_band": "child"}),) * 3))
        await asyncio.gather(*(land(desk, one) for one in family))

        assert [set((await asked(desk, one)).values()) for one in family[1:]] == [{"UPTDPPA-65.03"}] * 3
        assert await tasks(desk) == []

    async def test_the_same_office_is_asked_where_it_serves_both(self, desk: Desk) -> None:
        old, ill = a_family(("ELDER", {"age_band": "elderly"}), ("MENTAL", {}))
        await land(desk, old, ill)
        before = await asked(desk, ill)
        assert before == {"MENTAL": "DINKES-73.06"}
        other, pregnant = a_family(("PWD", {}), ("NOFAM", {}))
        await land(desk, other, pregnant)
        assert set((await asked(desk, other)).values()) == set((await asked(desk, pregnant)).values())

    async def test_linked_later_by_hand_they_are_brought_together(self, desk: Desk) -> None:
        mother, child = an_arrival("SICK"), an_arrival("CHILD", age_band="child")
        await land(desk, mother, child)
        assert await asked(desk, child) == {"CHILD": "UPTDPPA-73.06"}
        home = new_id()
        await hear(desk, a_change(mother, home), a_change(child, home, "joined", mother.case_id))

        assert await asked(desk, child) == {"CHILD": "UPTDPPA-65.03"}
        [recalled] = await told(desk, "assignment_recalled")
        assert (recalled["case_id"], recalled["reason"]) == (child.case_id, "NEW_FACTS")

    @pytest.mark.parametrize("which", [0, 1], ids=["the_strictest", "the_other"])
    async def test_who_is_alone_again_goes_where_a_person_alone_goes(self, desk: Desk, which: int) -> None:
        lead, other = an_arrival("ELDER"), an_arrival("NOFAM", origin="32.04")
        await desk.open(lead, other)
        before = await asked(desk, lead), await asked(desk, other)
        home = new_id()
        await hear(desk, a_change(lead, home, "joined", other.case_id), a_change(other, home, "joined", lead.case_id))
        assert await asked(desk, other) == {"NOFAM": "DINSOS-73.06"}

        await hear(desk, a_change((lead, other)[which], home, "parted"))

        assert (await asked(desk, lead), await asked(desk, other)) == before

    async def test_who_is_helped_already_stays_when_parted(self, desk: Desk) -> None:
        lead, other = an_arrival("ELDER"), an_arrival("NOFAM", origin="32.04")
        await desk.open(lead, other)
        home = new_id()
        await hear(desk, a_change(lead, home, "joined", other.case_id), a_change(other, home, "joined", lead.case_id))
        [row] = await desk.rows(
            "SELECT assignment_id::text FROM assignments JOIN referrals USING (referral_id)"
            " WHERE need = 'NOFAM' AND assignments.ended_at IS NULL"
        )
        await desk.answer("accept", "DINSOS-73.06", Answer(row["assignment_id"]))

        await hear(desk, a_change(other, home, "parted"))

        assert await asked(desk, other) == {"NOFAM": "DINSOS-73.06"}

    async def test_who_is_helped_already_stays_and_is_somebodys_task(self, desk: Desk) -> None:
        mother, child = an_arrival("SICK"), an_arrival("CHILD", age_band="child")
        await land(desk, mother, child)
        assignment_id, agency_id = await attempt_of(desk, child, "CHILD")
        await desk.answer("accept", agency_id, Answer(assignment_id))
        home = new_id()
        await hear(desk, a_change(mother, home), a_change(child, home))

        assert await asked(desk, child) == {"CHILD": "UPTDPPA-73.06"}
        assert await tasks(desk) == [(child.case_id, "helped_before", None)]
        await hear(desk, a_change(child, home, "parted"))
        assert await tasks(desk) == [(child.case_id, "helped_before", "parted")]


class TestApart:
    async def test_whom_a_decline_takes_elsewhere_is_before_a_supervisor_until_together_again(self, desk: Desk) -> None:
        lost, child = a_family(("TIP", {}), ("CHILD", {"age_band": "child"}))
        await land(desk, lost, child)
        before = {**await asked(desk, lost), **await asked(desk, child)}
        assert before == {"TIP": "UPTDPPA-73.06", "CHILD": "UPTDPPA-73.06"}
        at_port = await self.decline_while(desk, lost, "TIP")
        assert at_port == "UPTDPPA-65"

        assert await tasks(desk) == [(child.case_id, "declined", None)]
        [opened] = await told(desk, "reunification_opened")
        assert (opened["case_id"], opened["supervisor"]) == (child.case_id, "supervisor-73")
        assert await self.decline_while(desk, lost, "TIP", left="65") in {"LPSK", "KEMENSOS"}
        assert await tasks(desk) == [(child.case_id, "declined", "reunited")]
        [closed] = await told(desk, "reunification_closed")
        assert (closed["how"], closed["decision"]) == ("reunited", None)

    async def decline_while(self, desk: Desk, arrival: Heard[Any], need: str, *, left: str = "73") -> str:
        while True:
            assignment_id, agency_id = await attempt_of(desk, arrival, need)
            if not (region_of(agency_id) or "").startswith(left):
                return agency_id
            await desk.answer("decline", agency_id, Answer(assignment_id, reason="no_capacity", side="AGENCY"))

    async def test_nobody_settling_it_climbs_and_a_person_decides_by_name(self, desk: Desk) -> None:
        lost, child = a_family(("TIP", {}), ("CHILD", {"age_band": "child"}))
        await land(desk, lost, child)
        await self.decline_while(desk, lost, "TIP")
        for rung in ("province", "national", "national"):
            desk.clock.advance(timedelta(hours=73))
            assert await turn(clock.climb_apart(desk.database)) == 1
            assert (await told(desk, "reunification_raised"))[-1]["rung"] == rung
        [row] = await desk.rows("SELECT task_id::text FROM reunifications")
        deciding = [households.Deciding(row["task_id"], "safety"), households.Deciding(new_id(), "safety")]
        results: dict[str, list[str]] = {}
        for who in ("makassar", "coordinator", "supervisor"):
            async with desk.database.work(PEOPLE[who], purpose="supervise") as work:
                results[who] = [type(one).__name__ for one in await households.decide(work, deciding)]

        assert results == {
            "makassar": ["ReunificationUnknown", "ReunificationUnknown"],
            "coordinator": ["Reunification", "ReunificationUnknown"],
            "supervisor": ["ReunificationEnded", "ReunificationUnknown"],
        }
        [closed] = await told(desk, "reunification_closed")
        assert (closed["how"], closed["decision"]) == ("decided", "safety")

    async def test_whose_duty_it_is_is_reminded_once_on_each_rung(self, desk: Desk, site: Site) -> None:
        lost, child = a_family(("TIP", {}), ("CHILD", {"age_band": "child"}))
        await land(desk, lost, child)
        await self.decline_while(desk, lost, "TIP")
        reminded: list[int] = []
        for hours in (17, 2, 1, 6, 35, 2):  # due after 24, then after 48 more
            desk.clock.advance(timedelta(hours=hours))
            await turn(clock.climb_apart(desk.database))
            await turn(clock.remind_apart(desk.database))
            reminded.append(len(await told(desk, "reunification_reminded")))

        assert reminded == [0, 1, 1, 1, 1, 2]
        assert "pengingat" in said(await site("supervisor").get("/id/keluarga-terpisah"))

    async def test_a_supervisor_brings_together_who_is_apart_once_somebody_there_can_be_asked(
        self, desk: Desk, site: Site
    ) -> None:
        ill, injured = a_family(("MENTAL", {}), ("SICK", {}))
        await land(desk, ill, injured)
        [row] = await desk.rows("SELECT referral_id::text FROM referrals WHERE need = 'SICK'")
        away = {"referral_id": row["referral_id"], "reason": "NEW_FACTS", "agency_id": "DINKES-65.03"}
        await site("supervisor").send(
            "POST", "/api/referrals/recalls", json={"items": [{**away, "split": "persons_wish"}]}
        )
        [apart] = (await site("supervisor").get("/api/reunifications")).json()["items"]
        page = await site("supervisor").get("/id/keluarga-terpisah")
        join = {"task_id": apart["task_id"], "version": apart["version"]}

        async def joined(who: str, **other: Any) -> tuple[int, str | None]:
            answer = await site(who).send("POST", "/api/reunifications/joins", json={"items": [{**join, **other}]})
            [item] = answer.json()["items"]
            return item["status"], item["code"]

        assert (apart["agency_id"], apart["would_be_asked"]) == ("DINKES-65.03", "DINKES-73.06")
        assert f"/keluarga-terpisah/{apart['task_id']}/satukan" in page.text
        assert await joined("makassar") == (404, "reunification_unknown")
        assert await joined("supervisor", version=99) == (409, "version_changed")
        assert (await joined("supervisor"))[0] == 200
        assert await joined("supervisor") == (409, "reunification_ended")
        assert await asked(desk, injured) == {"SICK": "DINKES-73.06"}
        assert await tasks(desk) == [(injured.case_id, "persons_wish", "reunited")]

    async def test_two_are_brought_together_while_others_work_on_their_cases(self, desk: Desk, site: Site) -> None:
        family = a_family(("MENTAL", {}), ("SICK", {}), ("SICK", {}))
        await land(desk, *family)
        last, first = sorted((one.case_id for one in family[1:]), key=_lock_key)
        away = {"reason": "NEW_FACTS", "agency_id": "DINKES-65.03", "split": "persons_wish"}
        rows = await desk.rows("SELECT referral_id::text FROM referrals WHERE need = 'SICK'")
        recalls = {"items": [{**away, "referral_id": row["referral_id"]} for row in rows]}
        await site("supervisor").send("POST", "/api/referrals/recalls", json=recalls)
        apart = {one["case_id"]: one for one in (await site("supervisor").get("/api/reunifications")).json()["items"]}
        joins = {"items": [{"task_id": apart[case_id]["task_id"]} for case_id in (first, last)]}

        async with desk.database.work(system("referral", "consumer"), purpose="hear") as work:
            await work.lock_cases([last])
            joining = asyncio.create_task(site("supervisor").send("POST", "/api/reunifications/joins", json=joins))
            await until(lambda: desk.rows(WAITING))
            await work.lock_cases([first])
        answer = await joining

        assert [item["status"] for item in answer.json()["items"]] == [200, 200]

    async def test_who_is_helped_already_is_not_taken_from_there(self, desk: Desk, site: Site) -> None:
        mother, child = an_arrival("SICK"), an_arrival("ELDER", age_band="elderly")
        await land(desk, mother, child)
        assignment_id, agency_id = await attempt_of(desk, child, "ELDER")
        await desk.answer("accept", agency_id, Answer(assignment_id))
        home = new_id()
        await hear(desk, a_change(mother, home), a_change(child, home))
        [apart] = (await site("supervisor").get("/api/reunifications")).json()["items"]
        wanted = {"items": [{"task_id": apart["task_id"]}]}
        answer = await site("supervisor").send("POST", "/api/reunifications/joins", json=wanted)

        assert (apart["version"], apart["would_be_asked"]) == (None, None)
        assert answer.json()["items"][0]["code"] == "already_accepted"
        assert await asked(desk, child) == {"ELDER": "DINSOS-73.06"}

    async def test_what_was_decided_stands_until_one_moves_on(self, desk: Desk) -> None:
        lost, child = a_family(("TIP", {}), ("CHILD", "NEED", {"age_band": "child"}))
        await land(desk, lost, child)
        await self.decline_while(desk, lost, "TIP")
        [row] = await desk.rows("SELECT task_id::text FROM reunifications")
        async with desk.database.work(PEOPLE["supervisor"], purpose="supervise") as work:
            await households.decide(work, [households.Deciding(row["task_id"], "safety")])
        assignment_id, agency_id = await attempt_of(desk, child, "NEED")
        await desk.answer("accept", agency_id, Answer(assignment_id))
        assert len(await tasks(desk)) == 1
        assignment_id, agency_id = await attempt_of(desk, child, "CHILD")
        await desk.answer("decline", agency_id, Answer(assignment_id, reason="no_capacity", side="AGENCY"))

        assert [(case, end) for case, _, end in await tasks(desk)] == [
            (child.case_id, "decided"), (child.case_id, None),
        ]  # fmt: skip

    async def test_a_person_who_parts_a_household_says_why(self, desk: Desk, site: Site) -> None:
        mother, father = a_family(("PREG", {}), ("NEED", {"sex": "M"}))
        await land(desk, mother, father)
        assignment_id, agency_id = await attempt_of(desk, father, "NEED")
        await desk.answer("accept", agency_id, Answer(assignment_id))
        away = {"assignment_id": assignment_id, "agency_id": "BP3MI-33"}
        [refused] = await site(agency_id).answer("transfers", away)
        [done] = await site(agency_id).answer("transfers", {**away, "split": "persons_wish"})

        assert (refused["status"], refused["code"]) == (422, "split_unexplained")
        assert done["ok"], done
        assert await tasks(desk) == [(father.case_id, "persons_wish", None)]

    async def test_an_office_of_the_same_region_takes_no_reason(self, desk: Desk, site: Site) -> None:
        mother, father = a_family(("PREG", {}), ("NEED", {"sex": "M"}))
        await land(desk, mother, father)
        assignment_id, agency_id = await attempt_of(desk, father, "NEED")
        await desk.answer("accept", agency_id, Answer(assignment_id))
        [done] = await site(agency_id).answer(
            "transfers", {"assignment_id": assignment_id, "agency_id": "DISNAKER-73.06"}
        )

        assert done["ok"], done
        assert await tasks(desk) == []


class TestPages:
    async def test_the_case_shows_those_of_the_household_in_the_same_inbox_only(self, desk: Desk, site: Site) -> None:
        hurt, child = a_family(("GBV", {}), ("CHILD", "NEED", {"age_band": "child"}))
        await land(desk, hurt, child)
        assert await asked(desk, hurt) == {"GBV": "UPTDPPA-65.03"}
        assert await asked(desk, child) == {"CHILD": "UPTDPPA-65.03", "NEED": "BP3MI-65"}
        own, _ = await attempt_of(desk, child, "CHILD")
        other, _ = await attempt_of(desk, child, "NEED")

        same = await site("UPTDPPA-65.03").get(f"/en/rujukan/{own}")
        elsewhere = await site("BP3MI-65").get(f"/en/rujukan/{other}")

        assert labels.reference(hurt.case_id) in same.text
        assert "With the household" in same.text
        assert labels.reference(hurt.case_id) not in elsewhere.text
        assert "GBV" not in elsewhere.text
        assert "UPTDPPA" not in elsewhere.text

    async def test_supervisors_decide_about_families_apart(self, desk: Desk, site: Site) -> None:
        lost, child = a_family(("TIP", {}), ("CHILD", {"age_band": "child"}))
        await land(desk, lost, child)
        await TestApart().decline_while(desk, lost, "TIP")
        listed = await site("supervisor").get("/en/keluarga-terpisah")
        assert labels.reference(child.case_id) in listed.text
        assert "Declined by the agency" in listed.text
        assert "UPTDPPA" not in listed.text
        assert labels.reference(child.case_id) not in (await site("makassar").get("/en/keluarga-terpisah")).text
        [row] = (await site("supervisor").get("/api/reunifications")).json()["items"]
        nothing = await site("supervisor").send(
            "POST", f"/en/keluarga-terpisah/{row['task_id']}", data={"decision": ""}
        )
        assert nothing.status_code == 422
        done = await site("supervisor").send(
            "POST", f"/en/keluarga-terpisah/{row['task_id']}", data={"decision": "persons_wish"}
        )
        assert done.status_code == 303
        assert (await site("supervisor").get("/api/reunifications")).json()["items"] == []

    async def test_the_explanation_says_with_the_household_and_not_with_whom(self, desk: Desk, site: Site) -> None:
        hurt, father = a_family(("GBV", {}), ("NEED", {"sex": "M"}))
        await land(desk, hurt, father)
        [row] = await desk.rows("SELECT referral_id::text FROM referrals WHERE case_id = $1", father.case_id)
        await desk.rows("UPDATE referrals SET regency = '73.06' WHERE case_id = $1", father.case_id)
        said = (await site("supervisor").get(f"/api/referrals/{row['referral_id']}/explanation")).json()
        assert said["explanation"]["household"]["en"].startswith("With the household")
        assert "UPTDPPA" not in str(said)


class TestDecisions:
    async def test_made_again_they_are_the_same_to_the_byte(self, desk: Desk) -> None:
        await land(desk, *a_family(("SICK", "NEED", {}), ("CHILD", {"age_band": "child"}), ("ELDER", {"origin": None})))
        await land(desk, an_arrival("NEED"))
        async with desk.database.work(system("referral", "test"), purpose="test") as work:
            assert await trying.replay_all(work, progress=lambda *_: None) == []

    async def test_whoever_travels_alone_is_explained_as_before(self, desk: Desk) -> None:
        await land(desk, an_arrival("NEED"))
        [row] = await desk.rows("SELECT body FROM explanations")
        assert b"household" not in bytes(row["body"])

    def test_who_takes_no_children_with_adults_comes_last_where_both_are(self) -> None:
        found = rules.load(rules.latest())
        facts = Facts(need="ELDER", age_band="elderly", port_regency="65.03", origin_regency="73.06")
        offices = [
            Agency(f"DINSOS-{r}", "DINSOS", level, r, "Dinsos", "Asia/Makassar", True, False, with_children=takes)  # type: ignore[arg-type]
            for r, level, takes in (("73.06", "regency", False), ("73", "province", None))
        ]
        known = directory(offices, START)
        alone, mixed = (found.decide(one, known) for one in (facts, replace(facts, household_mixed=True)))

        assert [c.agency_id for c in alone.candidates] == ["DINSOS-73.06", "DINSOS-73"]
        assert [c.agency_id for c in mixed.candidates] == ["DINSOS-73", "DINSOS-73.06"]


class TestCodes:
    def test_the_domain_and_the_contract_say_the_same(self) -> None:
        assert get_args(domain.SplitReason) == get_args(SplitReason)
        assert get_args(domain.ReunificationDecision) == get_args(ReunificationDecision)
        assert set(get_args(SaidOfSplit)) < set(get_args(SplitReason))
