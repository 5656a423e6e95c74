"""A person is handed over only by signed minutes, before the witness of the law, a child only after a check."""

import json
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from services.referral.actions.answering import Answer
from services.referral.actions.handing import Handed
from services.referral.domain import assignments, handovers, needs
from services.referral.domain.assignments import Assignment
from services.referral.domain.refusals import (
    AssignmentUnknown,
    GuardianCheckMissing,
    HandoverRecorded,
    HandoverUnrecorded,
    MoveNotAllowed,
    PlaceUnknown,
    ReasonMissing,
    ReceiverUnfit,
    Refused,
    SignatureMissing,
    WitnessUnfit,
)
from tests.referral.conftest import Desk, Site
from tests.referral.factories import START, an_arrival, an_asked_need, some_minutes

OFFICE = "DINSOS-73.06"
BELONGINGS = {"documents": ("belongings",), "condition": "well"}


class TestMinutes:
    @pytest.mark.parametrize(
        ("said", "refusal"),
        [
            ({"receiver": "neighbour"}, ReasonMissing),
            ({"documents": ()}, ReasonMissing),
            ({"documents": ("none", "passport")}, ReasonMissing),
            ({"condition": "fine"}, ReasonMissing),
            ({"place": "00.00"}, PlaceUnknown),
            ({"witness": "police"}, WitnessUnfit),
            ({"receiver": "guardian", "witness": "agency"}, WitnessUnfit),
            ({"signed_at": START - timedelta(minutes=1)}, SignatureMissing),
            ({"signed_at": START + timedelta(minutes=1)}, SignatureMissing),
            ({"handed_at": START - timedelta(days=61)}, SignatureMissing),
            ({"child": True}, GuardianCheckMissing),
            ({"child": True, "receiver": "guardian"}, GuardianCheckMissing),
            ({"child": True, "receiver": "village"}, GuardianCheckMissing),
        ],
    )
    def test_that_are_not_lawful_are_refused(self, said: dict[str, object], refusal: type[Refused]) -> None:
        with pytest.raises(refusal):
            handovers.expect_sound(some_minutes(**said), now=START)

    @pytest.mark.parametrize(
        "said",
        [
            {},
            {"receiver": "social_ministry", "witness": "police"},
            {"child": True, "guardian_check": "CEK/1"},
            {"child": True, "receiver": "social_ministry", "witness": "police"},
        ],
    )
    def test_that_are_lawful_are_taken(self, said: dict[str, object]) -> None:
        assert handovers.expect_sound(some_minutes(**said), now=START)

    def test_name_no_number_that_is_not_theirs(self) -> None:
        accepted = needs.accept(an_asked_need(), "1", by="w", version=None, now=START)

        with pytest.raises(HandoverUnrecorded):
            assignments.complete(
                accepted.attempts[0],
                outcome="SERVICE_DELIVERED",
                handover_ref="BAST/2",
                now=START,
                minutes=[some_minutes()],
            )

    def test_say_the_outcome_that_is_told(self) -> None:
        accepted = needs.accept(an_asked_need(), "1", by="w", version=None, now=START)

        with pytest.raises(ReceiverUnfit):
            assignments.complete(
                accepted.attempts[0],
                outcome="HANDED_TO_SOCIAL_MINISTRY",
                handover_ref="BAST/1",
                now=START,
                minutes=[some_minutes()],
            )


async def accepted(desk: Desk, *arrivals: object) -> list[str]:
    await desk.open(*arrivals)  # type: ignore[arg-type]
    rows = await desk.rows("SELECT assignment_id, agency_id FROM assignments ORDER BY assignment_id")
    for row in rows:
        await desk.answer("accept", row["agency_id"], Answer(str(row["assignment_id"])))
    return [str(row["assignment_id"]) for row in rows]


class TestRecording:
    async def test_a_handover_waits_for_its_minutes(self, desk: Desk) -> None:
        [one] = await accepted(desk, an_arrival("ELDER"))
        handed = Answer(one, outcome="HANDED_TO_FAMILY", handover_ref="BAST/12/2026")

        [early] = await desk.answer("complete", OFFICE, handed)
        await desk.hand_over(OFFICE, Handed(one, **BELONGINGS))
        [done] = await desk.answer("complete", OFFICE, handed)

        assert isinstance(early, HandoverUnrecorded)
        assert isinstance(done, Assignment)
        assert done.state == "completed"
        [row] = await desk.rows("SELECT handed_by, documents FROM handovers")
        assert tuple(row) == ("petugas.dinsos-73.06", ["belongings"])

    async def test_a_group_shares_its_number_and_each_has_a_result(self, desk: Desk) -> None:
        first, second = await accepted(desk, an_arrival("ELDER"), an_arrival("ELDER"))
        [other] = [
            id_ for id_ in await accepted(desk, an_arrival("ELDER", origin="73.05")) if id_ not in {first, second}
        ]

        results = await desk.hand_over(OFFICE, *(Handed(id_, **BELONGINGS) for id_ in (first, other, second, first)))

        assert [type(result) for result in results] == [Assignment, AssignmentUnknown, Assignment, HandoverRecorded]
        rows = await desk.rows("SELECT assignment_id, number FROM handovers ORDER BY assignment_id")
        assert [(str(row["assignment_id"]), row["number"]) for row in rows] == [
            (first, "BAST/12/2026"),
            (second, "BAST/12/2026"),
        ]
        assert (await desk.told()).count("handover_recorded") == 2

    async def test_is_for_who_helps(self, desk: Desk) -> None:
        await desk.open(an_arrival("ELDER"))

        [early] = await desk.hand_over(OFFICE, Handed(await desk.live(), **BELONGINGS))

        assert isinstance(early, MoveNotAllowed)
        assert await desk.rows("SELECT FROM handovers") == []

    async def test_a_child_goes_to_family_only_after_a_check(self, desk: Desk) -> None:
        [one] = await accepted(desk, an_arrival("CHILD", age_band="child"))
        [row] = await desk.rows("SELECT agency_id FROM assignments")
        agency = row["agency_id"]

        [unchecked] = await desk.hand_over(agency, Handed(one, **BELONGINGS))
        await desk.hand_over(agency, Handed(one, **BELONGINGS, guardian_check="CEK/7"))
        [done] = await desk.answer(
            "complete", agency, Answer(one, outcome="HANDED_TO_FAMILY", handover_ref="BAST/12/2026")
        )

        assert isinstance(unchecked, GuardianCheckMissing)
        assert isinstance(done, Assignment)


class TestDatabase:
    @pytest.mark.parametrize(
        ("change", "constraint"),
        [
            ({"guardian_check": None}, "child_goes_to_who_was_checked"),
            ({"witness": "police"}, "family_receives_before_local_government"),
            ({"signed_at": "2026-11-01T00:00:00Z"}, "minutes_are_recorded_once_signed"),
            ({"number": "Ibu Siti"}, "minutes_have_numbers"),
        ],
    )
    async def test_keeps_no_minutes_that_are_not_lawful(
        self, desk: Desk, change: dict[str, Any], constraint: str
    ) -> None:
        [one] = await accepted(desk, an_arrival("CHILD", age_band="child"))
        [row] = await desk.rows("SELECT agency_id FROM assignments")
        await desk.hand_over(row["agency_id"], Handed(one, **BELONGINGS, guardian_check="CEK/7"))

        with pytest.raises(asyncpg.CheckViolationError) as refused:
            await desk.rows(
                "INSERT INTO handovers SELECT (jsonb_populate_record(h, $1::text::jsonb)).* FROM handovers h",
                json.dumps({"number": "BAST/13"} | change),
            )

        assert refused.value.constraint_name == constraint

    @pytest.mark.parametrize(
        "change",
        [
            "outcome = 'HANDED_TO_SOCIAL_MINISTRY', handover_ref = 'BAST/12/2026'",
            "outcome = 'HANDED_TO_FAMILY', handover_ref = 'BAST/13/2026'",
        ],
    )
    async def test_completes_nothing_as_handed_over_without_minutes_that_say_so(self, desk: Desk, change: str) -> None:
        [one] = await accepted(desk, an_arrival("ELDER"))
        await desk.hand_over(OFFICE, Handed(one, **BELONGINGS))

        with pytest.raises(asyncpg.CheckViolationError) as refused:
            await desk.rows(f"UPDATE assignments SET state = 'completed', ended_at = now(), {change}")

        assert refused.value.constraint_name == "handover_has_minutes"

    async def test_lets_another_number_be_entered_of_the_same_person(self, desk: Desk) -> None:
        [one] = await accepted(desk, an_arrival("ELDER"))

        for number in ("BAST/1", "BAST/2"):
            [taken] = await desk.hand_over(OFFICE, Handed(one, **BELONGINGS), number=number)
            assert isinstance(taken, Assignment)


class TestPaper:
    async def test_shows_who_it_is_and_lines_to_sign_and_is_on_the_trail(self, desk: Desk, site: Site) -> None:
        [one] = await accepted(desk, an_arrival("ELDER"))

        page = await site("worker").get(f"/id/rujukan/{one}/berita-acara/cetak")

        assert page.status_code == 200
        assert "Siti Aminah" in page.text
        assert "Berita acara serah terima" in page.text
        assert page.text.count('class="line"') == 3
        assert page.headers["cache-control"] == "no-store"
        assert "case_read" in await desk.told()

    async def test_leads_back_where_nobody_is_disclosed(self, desk: Desk, site: Site) -> None:
        await desk.open(an_arrival("ELDER"))

        page = await site("worker").get(f"/id/rujukan/{await desk.live()}/berita-acara/cetak")

        assert page.status_code == 303


def test_every_receiver_belongs_to_one_outcome() -> None:
    capacities = [capacity for known in handovers.RECEIVERS.values() for capacity in known]

    assert len(capacities) == len(set(capacities))
    assert set(handovers.RECEIVERS) == {o for o in assignments.SUCCESS if assignments.needs_handover_ref(o)}
