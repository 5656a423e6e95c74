"""The register of gaps: what nobody serves, how many, since when; and what happens when somebody does."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import orjson
import pytest

from services.referral import rules
from services.referral.actions import keeping, looking, ruling
from services.referral.actions.answering import Answer
from services.referral.domain.agencies import directory
from services.referral.domain.routing import Facts
from services.referral.rules import checks
from services.referral.store import rulesets
from shared.contracts.intake.arrivals import OriginCorrected
from shared.kit.actor import system
from tests.reading import said
from tests.referral.conftest import PEOPLE, Desk, Site
from tests.referral.factories import START, an_arrival
from tests.referral.test_corrections import a_correction, hear
from tests.referral.test_rules import ANYWHERE, RULES

ELDER = Facts("ELDER", "elderly", "65.03", "73.08")
OPENED = "SELECT payload FROM journal WHERE type = 'referral.gap_opened.v1'"

ELDERS = ("DINSOS-73.06", "DINSOS-73", "KEMENSOS")
SICK = ("DINKES-65.03", "DINKES-65", "DINKES-73.06", "DINKES-73", "KP2MI")


async def change(desk: Desk, act: Any, *agency_ids: str) -> None:
    async with desk.database.work(system("referral", "test"), purpose="test") as work:
        for agency_id in agency_ids:
            await act(work, agency_id)


async def register(desk: Desk, who: str) -> list[dict[str, Any]]:
    async with desk.database.work(PEOPLE[who], purpose="look") as work:
        return await looking.take_gaps(work)


async def test_tells_how_many_wait_where_for_what_since_when_and_of_few_nothing(desk: Desk) -> None:
    await change(desk, keeping.suspend_agency, *ELDERS)
    await desk.open(
        *(an_arrival("ELDER") for _ in range(17)), *(an_arrival("ELDER", age_band="child") for _ in range(3))
    )

    [line] = await register(desk, "coordinator")

    assert (line["province"], line["regency"], line["need"], line["total"]) == ("73", "73.06", "ELDER", 20)
    assert line["since"] == START.date()
    exact = await register(desk, "service")
    assert [(row["need"], row["total"]) for row in exact] == [("ELDER", 20)]


async def test_closes_itself_when_a_service_appears_the_most_urgent_and_then_the_oldest_first(desk: Desk) -> None:
    await change(desk, keeping.suspend_agency, *ELDERS, *SICK)
    for need in ("ELDER", "ELDER", "SICK"):
        await desk.open(an_arrival(need))
        desk.clock.advance(timedelta(minutes=1))
    waiting = await desk.rows("SELECT referral_id FROM referrals WHERE state = 'unroutable' ORDER BY opened_at")
    assert len(waiting) == 3
    await change(desk, keeping.resume_agency, "KEMENSOS", "KP2MI")

    await desk.reroute()

    told = await desk.rows("SELECT type, case_id FROM journal WHERE type = 'referral.gap_closed.v1' ORDER BY position")
    cases = {row["case_id"]: row["need"] for row in await desk.rows("SELECT case_id, need FROM referrals")}
    assert [cases[row["case_id"]] for row in told] == ["SICK", "ELDER", "ELDER"]
    opened = {row["case_id"]: row["opened_at"] for row in await desk.rows("SELECT case_id, opened_at FROM referrals")}
    assert opened[told[1]["case_id"]] < opened[told[2]["case_id"]]
    assert await register(desk, "service") == []


class TestOfficesThatCannotNow:
    """A gap that only these could close is none: a person decides whom to ask in spite of it."""

    async def decline(self, desk: Desk, origin: str, *agency_ids: str) -> None:
        await desk.open(an_arrival("ELDER", origin_regency=origin))
        for agency_id in agency_ids:
            [row] = await desk.rows("SELECT assignment_id FROM assignments WHERE agency_id = $1", agency_id)
            await desk.answer("decline", agency_id, Answer(str(row["assignment_id"]), reason="no_capacity"))
        desk.clock.advance(timedelta(minutes=1))

    async def is_before_a_supervisor(self, desk: Desk, case_id: str) -> None:
        [need] = await desk.rows("SELECT referral_id, state FROM referrals WHERE case_id = $1", case_id)
        tasks = await desk.rows("SELECT reason, closed_at FROM escalations WHERE referral_id = $1", need["referral_id"])
        assert need["state"] == "open"
        assert [(task["reason"], task["closed_at"]) for task in tasks] == [("no_candidate_left", None)]
        assert await register(desk, "service") == []

    async def test_when_they_come_back_into_the_directory(self, desk: Desk) -> None:
        await self.decline(desk, "73.06", *ELDERS)
        await change(desk, keeping.suspend_agency, *ELDERS)
        arrival = an_arrival("ELDER")
        await desk.open(arrival)
        desk.clock.advance(timedelta(minutes=1))
        await change(desk, keeping.resume_agency, *ELDERS)

        await desk.reroute()

        await self.is_before_a_supervisor(desk, arrival.case_id)

    async def test_when_they_serve_the_corrected_origin(self, desk: Desk) -> None:
        await self.decline(desk, "53.01", "DINSOS-53.01", "DINSOS-53")
        await change(desk, keeping.suspend_agency, *ELDERS)
        arrival = an_arrival("ELDER")
        await desk.open(arrival)
        assert len(await register(desk, "service")) == 1

        await hear(desk, a_correction(OriginCorrected, arrival, origin_regency="53.01"))

        await self.is_before_a_supervisor(desk, arrival.case_id)


async def put_in_force(desk: Desk, text: bytes) -> None:
    async with desk.database.work(system("referral", "rules"), purpose="test") as work:
        await rulesets.enter_shipped(work, "with-a-gap", text)


def without_a_row(table: str, need: str) -> bytes:
    """The earlier rules, in which somebody has forgotten a need; the linter would not take them."""
    text = orjson.loads(rules.shipped("2026-11"))
    content = next(node["content"] for node in text["nodes"] if node["id"] == table)
    content["rules"] = [row for row in content["rules"] if need not in row["need"]]
    return orjson.dumps(text)


class TestReason:
    """Each gap says what stood in the way of whoever came nearest."""

    @pytest.mark.parametrize(
        ("change_of", "reason"),
        [
            ({"is_suspended": True}, "suspended"),
            ({"takes_referrals": False}, "never_by_itself"),
            ({"needs": ("WAGE",)}, "not_eligible"),
            (None, "no_office"),
        ],
    )
    def test_is_what_the_directory_lacks(self, change_of: dict[str, Any] | None, reason: str) -> None:
        found = [replace(a, **change_of) for a in ANYWHERE.agencies.values()] if change_of else []

        assert RULES.decide(ELDER, directory(found, START)).why_nobody == reason

    @pytest.mark.parametrize(("table", "reason"), [("hours", "no_terms"), ("candidates", "no_rule")])
    def test_is_what_the_rules_lack(self, table: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(checks, "check", lambda *_: None)

        decision = rules.Rules("holes", without_a_row(table, "ELDER")).decide(ELDER, ANYWHERE)

        assert (decision.candidates, decision.why_nobody) == ((), reason)

    def test_is_none_where_somebody_may_be_asked(self) -> None:
        assert RULES.decide(ELDER, ANYWHERE).why_nobody is None

    async def test_is_told_registered_and_before_the_supervisor(self, desk: Desk, site: Site) -> None:
        await change(desk, keeping.suspend_agency, *ELDERS)
        await desk.open(*(an_arrival("ELDER", age_band="elderly") for _ in range(16)))

        [told] = {orjson.loads(row["payload"])["data"]["reason"] for row in await desk.rows(OPENED)}
        page = said(await site("supervisor").get("/en/eskalasi"))
        listed = (await site("supervisor").get("/api/tasks")).json()["items"]

        assert told == "suspended"
        assert "The offices that serve this take no referrals now" in page
        assert {item["gap_reason"] for item in listed} == {"suspended"}
        assert [line["reason"] for line in await register(desk, "coordinator")] == ["suspended"]

    async def test_of_a_restricted_need_stays_with_the_case_team(self, desk: Desk, site: Site) -> None:
        await change(desk, keeping.suspend_agency, *ELDERS)
        await desk.open(an_arrival("ELDER", age_band="child"))

        [item] = (await site("supervisor").get("/api/tasks")).json()["items"]

        assert (item["kind"], item["gap_reason"]) == ("gap", None)


async def test_other_rules_are_tried_on_what_nobody_served(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as unchecked:
        unchecked.setattr(checks, "check", lambda *_: None)
        await put_in_force(desk, without_a_row("candidates", "ELDER"))
        await desk.open(an_arrival("ELDER", age_band="elderly"))
    [gap] = await desk.rows("SELECT reason FROM gaps WHERE closed_at IS NULL")
    assert gap["reason"] == "no_rule"
    desk.clock.advance(timedelta(days=9_999))  # after the directory's first filling, whatever the clock of a test says
    for who, act in (
        ("ani", partial(ruling.draft_rules, version="whole", body=RULES.text)),
        ("ani", partial(ruling.note_tried, version="whole")),
        ("ani", partial(ruling.ask_activation, version="whole")),
        ("budi", partial(ruling.activate_rules, version="whole")),
    ):
        async with desk.database.work(replace(PEOPLE["coordinator"], id=who), purpose="keep_rules") as work:
            await act(work)

    await desk.reroute()

    assert [state for _, _, state in await desk.attempts()] == ["sent"]
    assert await register(desk, "service") == []


class TestExplanation:
    async def test_is_shown_to_the_supervisor_of_the_region_by_page_and_api(self, desk: Desk, site: Site) -> None:
        await change(desk, keeping.suspend_agency, *ELDERS)
        await desk.open(an_arrival("ELDER", age_band="elderly"))
        need = await desk.referral()

        page = await site("supervisor").get(f"/en/eskalasi/{need}/alasan")
        answer = (await site("supervisor").get(f"/api/referrals/{need}/explanation")).json()["explanation"]

        assert "The office took no referrals at that time." in said(page)
        assert "while the office is open" in said(page)
        assert answer["terms"]["urgency"] == 2
        assert {c["why"]["id"] for c in answer["considered"] if c["why_not"] == "suspended"} == {
            "Instansi tidak menerima rujukan pada waktu itu."
        }
        assert (await site("makassar").get(f"/en/eskalasi/{need}/alasan")).status_code == 404
        assert (await site("makassar").get(f"/api/referrals/{need}/explanation")).status_code == 404

    async def test_of_a_restricted_need_stays_with_the_case_team(self, desk: Desk, site: Site) -> None:
        await desk.open(an_arrival("TIP"))
        need = await desk.referral()

        page = await site("supervisor").get(f"/en/eskalasi/{need}/alasan")
        answer = (await site("supervisor").get(f"/api/referrals/{need}/explanation")).json()

        assert "stays with the case team" in said(page)
        assert "UPTD" not in page.text
        assert (answer["restricted"], answer["explanation"]) == (True, None)
