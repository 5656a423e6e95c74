"""What is told of a need that moves, in order: what was taken back where it had been asked, then that it is there."""

from datetime import timedelta

import orjson

from shared.contracts.intake.arrivals import AgeCorrected, OriginCorrected
from shared.kit.ids import new_id
from tests.referral.conftest import Desk, Site
from tests.referral.factories import an_arrival
from tests.referral.test_actions import suspend
from tests.referral.test_corrections import a_correction, hear
from tests.referral.test_households import a_change, a_family, land
from tests.referral.test_households import hear as hear_households

Said = tuple[str, str, bool]


async def told(desk: Desk, since: int) -> list[Said]:
    """Of each fact that was told since then its kind, its province, and whether it is the case team's alone."""
    rows = await desk.rows("SELECT type, payload FROM journal WHERE position > $1 ORDER BY position", since)
    facts = [(row["type"].split(".")[1], orjson.loads(row["payload"])["data"]) for row in rows]
    return [(kind, fact["province"], fact["restricted"]) for kind, fact in facts if "province" in fact]


async def now(desk: Desk) -> int:
    [row] = await desk.rows("SELECT max(position) AS position FROM journal")
    return int(row["position"])


async def test_who_is_asked_elsewhere_after_a_correction(desk: Desk) -> None:
    landed = an_arrival("NEED")
    await desk.open(landed)
    before = await now(desk)

    await hear(desk, a_correction(OriginCorrected, landed, origin_regency="53.01"))

    assert await told(desk, before) == [
        ("assignment_recalled", "73", False),
        ("referral_corrected", "53", False),
        ("assignment_sent", "53", False),
    ]


async def test_of_whom_nobody_serves_where_help_is_due_now(desk: Desk) -> None:
    landed = an_arrival("NEED")
    await desk.open(landed)
    before = await now(desk)
    everybody = await desk.rows("SELECT agency_id FROM agencies WHERE agency_id ~ '^(BP3MI|DISNAKER|KP2MI)'")
    await suspend(desk, *(row["agency_id"] for row in everybody))
    desk.clock.advance(timedelta(minutes=1))

    await hear(desk, a_correction(OriginCorrected, landed, origin_regency="53.01"))

    found = await told(desk, before)
    assert found[:3] == [
        ("assignment_recalled", "73", False),
        ("referral_corrected", "53", False),
        ("gap_opened", "53", False),
    ]


async def test_of_who_is_a_child_no_more_nobody_hears_what_the_case_team_had_asked(desk: Desk) -> None:
    landed = an_arrival("NEED", age_band="child")
    await desk.open(landed)
    before = await now(desk)
    await suspend(desk, "BP3MI-73")
    desk.clock.advance(timedelta(minutes=1))

    await hear(desk, a_correction(AgeCorrected, landed, was="child", age_band="adult"))

    found = await told(desk, before)
    assert found[:2] == [("assignment_recalled", "73", True), ("referral_corrected", "73", False)]


async def test_who_comes_to_a_household_elsewhere(desk: Desk) -> None:
    lead, other = an_arrival("ELDER"), an_arrival("NOFAM", origin="32.04")
    await desk.open(lead, other)
    before = await now(desk)

    home = new_id()
    both = a_change(lead, home, "joined", other.case_id), a_change(other, home, "joined", lead.case_id)
    await hear_households(desk, *both)

    assert await told(desk, before) == [
        ("assignment_recalled", "32", False),
        ("referral_corrected", "73", False),
        ("assignment_sent", "73", False),
    ]


async def test_who_is_brought_together_with_the_household(desk: Desk, site: Site) -> None:
    ill, injured = a_family(("MENTAL", {}), ("SICK", {}))
    await land(desk, ill, injured)
    [row] = await desk.rows("SELECT referral_id::text FROM referrals WHERE need = 'SICK'")
    away = {"referral_id": row["referral_id"], "reason": "NEW_FACTS", "agency_id": "DINKES-65.03"}
    await site("supervisor").send("POST", "/api/referrals/recalls", json={"items": [{**away, "split": "persons_wish"}]})
    [apart] = (await site("supervisor").get("/api/reunifications")).json()["items"]
    before = await now(desk)

    join = {"task_id": apart["task_id"], "version": apart["version"]}
    await site("supervisor").send("POST", "/api/reunifications/joins", json={"items": [join]})

    assert [kind for kind, *_ in await told(desk, before)] == [
        "assignment_recalled",
        "referral_corrected",
        "assignment_sent",
    ]
