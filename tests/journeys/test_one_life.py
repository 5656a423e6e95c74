"""One person's way through everything: back three years ago, announced, listed misspelt, rolled over, found again,
screened, consented, corrected, referred, helped. Each step is somebody's at the API; nothing is put there by hand.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest_asyncio

from shared.kit.actor import Actor
from tests.conftest import DatabaseUrls
from tests.journeys.lives import Person, Services, services
from tests.web.served import PEOPLE

LANDED_BEFORE = datetime(2023, 11, 20, 3, 0, tzinfo=UTC)
LANDS = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
NEXT = timedelta(days=3)
OFFICER = PEOPLE["officer"]
PPT = Actor("rahma", "UPTDPPA-73.06", frozenset({"agency_worker"}), region="73.06")
MANIFEST = """No;Nama;L/P;Tgl Lahir;No Paspor/SPLP;Nama Ibu;Kab/Kota;Kebutuhan;Pendamping
1;Soemijati bt. Ngalle;P;12/3/1994;XS1000001;Hasnah;Kota Makassar;;
2;Ayu;P;5/8/2019;XS1000002;Soemijati;Kota Makassar;;1
3;Jafar;L;3/3/1980;XS1000003;Hasnah;Kabupaten Bulukumba;;
"""
TRUE_NAME = "Sumiyati binti Ngalle"


@pytest_asyncio.fixture
async def world(database_urls: DatabaseUrls) -> AsyncIterator[Services]:
    async with services(database_urls, LANDED_BEFORE) as made:
        yield made


async def test_is_one_person_from_the_letter_to_the_witnessed_end(world: Services) -> None:
    port = world.at("intake", OFFICER)

    # Three years ago she came back once, with a passport.
    earlier = await port.post(
        "/api/arrivals",
        {"full_name": TRUE_NAME, "sex": "F", "birth_date": "1994-03-12", "mother_name": "Hasnah",
         "document_type": "passport", "document_number": "A1234567", "origin_regency": "73.06"},
    )  # fmt: skip
    await world.settle()
    world.clock.advance(LANDS - LANDED_BEFORE)

    # A letter announces three people; the list has her name as a clerk abroad heard it. One of them is on the quay.
    first, second = await announced(port, LANDS, 3), await announced(port, LANDS + NEXT, 2)
    draft = await port.post(f"/api/voyages/{first}/drafts", MANIFEST.encode())
    assert draft["counts"]["ready"] == 3, draft
    her, hers, him = (await port.get(f"/api/voyages/{first}/roll-call"))["items"]
    await call(port, him, "here")
    for one in (her, hers):
        await call(port, one, "absent", reason="rolled_over", next_voyage_id=second)
    assert (await sent(port, first))["accepted"] == 1
    counts = (await port.get(f"/api/voyages/{first}"))["counts"]
    assert (counts["listed"], counts["arrived"], counts["absent"]) == (3, 1, 2), counts

    # The next ship brings her and her child.
    world.clock.advance(NEXT)
    for one in (await port.get(f"/api/voyages/{second}/roll-call"))["items"]:
        await call(port, one, "here")
    assert (await sent(port, second))["accepted"] == 2
    people = (await port.get(f"/api/voyages/{second}/arrivals"))["items"]
    woman, child = [one["case_id"] for one in people]
    await world.settle()

    # Her child is hers: referred together, not as a child alone.
    household = await port.get(f"/api/cases/{child}/household")
    assert {member["case_id"] for member in household["members"]} == {woman, child}
    assert "UAC" not in (await state(port, child))["needs"]

    # She is found again, by an officer and not by the machine.
    [match] = (await port.get("/api/matches"))["items"]
    assert (match["case_id"], match["earlier_case_id"], match["state"]) == (woman, earlier["case_id"], "open")
    await port.post(f"/api/matches/{match['match_id']}/decision", {"decision": "same", "version": match["version"]})

    # The talk: two means of control and an act. An officer decides that she is indicated.
    answers = {"recruited_lie": "yes", "sent_by_agent": "yes", "papers_taken": "yes", "locked_in": "yes",
               "unpaid_forced": "yes", "hurt_now": "no"}  # fmt: skip
    trial = await port.post(f"/api/arrivals/{woman}/screening-trial", {"questionnaire": "2026-12", "answers": answers})
    assert (trial["trafficking"]["level"], trial["proposed"]) == ("indicated", ["WAGE"])
    await port.post(
        f"/api/arrivals/{woman}/screenings",
        {"questionnaire": "2026-12", "answers": answers, "version": (await state(port, woman))["version"],
         "needs": trial["proposed"], "decision": "indicated", "place": "ruang 2", "spoken_in": "Bugis",
         "interpreter": "interpreter", "alone": True},
    )  # fmt: skip

    # She agrees that civil society helps, and not that police do.
    for recipients, given in (("civil_society", True), ("police", False)):
        known = await port.get(f"/api/cases/{woman}/consents")
        await port.post(
            f"/api/cases/{woman}/consents",
            {"version": known["version"], "purpose": "help", "recipient_class": recipients, "given": given,
             "spoken": {"by": "self", "how": "signed", "explained_in": "bug"}},
        )  # fmt: skip
    await world.settle()
    assert await asked(world, woman, "TIP") == ["UPTDPPA-73.71"]

    # The list had the wrong regency and the wrong name.
    now = await state(port, woman)
    await port.post(
        f"/api/arrivals/{woman}/origin",
        {"version": now["version"], "origin_regency": "73.06", "reason": "papers_found"},
    )
    request = await port.post(
        f"/api/cases/{woman}/corrections", {"field": "full_name", "value": TRUE_NAME, "reference": "PDP/7/2026"}
    )
    protector = world.at("intake", PEOPLE["protector"])
    await protector.post(f"/api/corrections/{request['correction_id']}/decision", {"decision": "accepted"})
    await world.settle()
    assert await asked(world, woman, "TIP") == ["UPTDPPA-73.06"]

    # The right agency takes her on, reads who she really is, helps, and hands her over before a witness.
    agency = world.at("referral", PPT)
    [item] = [one for one in (await agency.get("/api/inbox"))["items"] if one["case_id"] == woman]
    await act(agency, "acceptances", item)
    await world.settle()
    identity = await agency.get(f"/api/assignments/{item['assignment_id']}/identity")
    assert identity["fields"]["full_name"] == TRUE_NAME, identity
    await act(agency, "starts", item)
    await act(agency, "handovers", item, documents=["travel_letter"], condition="well", minutes={
        "number": "BAST/12/2026", "receiver": "family", "witness": "village", "place": "73.06",
        "handed_at": (LANDS + NEXT).isoformat(), "signed_at": (LANDS + NEXT).isoformat()})  # fmt: skip
    await act(agency, "completions", item, outcome="HANDED_TO_FAMILY", handover_ref="BAST/12/2026")
    await world.settle()

    # The first attempt is in the history, a stranger can follow all of it, and nobody's name is in any of it.
    auditor = world.at("audit", PEOPLE["auditor"])
    trail = await auditor.get(f"/api/cases/{woman}/trail")
    assert not trail["gaps"]
    assert not trail["conflicts"]
    told = [entry["type"].removesuffix(".v1") for entry in trail["entries"]]
    assert told.count("referral.assignment_recalled") == 1
    assert {"intake.return_matched", "intake.arrival_screened", "intake.origin_corrected", "intake.identity_disclosed",
            "referral.handover_recorded", "referral.assignment_completed"} <= set(told)  # fmt: skip
    for site in world.sites.values():
        for word in ("Sumiyati", "Soemijati", "Ngalle", "Hasnah", "XS1000001", "A1234567"):
            named = "SELECT FROM journal WHERE convert_from(payload, 'UTF8') ILIKE '%' || $1 || '%'"
            assert await site.database.fetch(named, word) == [], (site.name, word)


async def announced(port: Person, at: datetime, heads: int) -> str:
    voyage = await port.post(
        "/api/voyages",
        {"modality": "deportation", "vessel": "KM Purnama", "announced": heads, "expected_at": at.isoformat(),
         "letter": {"number": f"{heads}/PK/2026", "dated": "2026-11-21", "issued_by": "KJRI Kota Kinabalu"}},
    )  # fmt: skip
    return str(voyage["voyage_id"])


async def call(port: Person, one: Any, mark: str, **said: str) -> None:
    """Call somebody of a list."""
    await port.post(
        f"/api/drafts/{one['draft_id']}/rows/{one['row']}/call", {"version": one["version"], "mark": mark, **said}
    )


async def sent(port: Person, voyage_id: str) -> Any:
    """What became of the one list of a voyage that was sent."""
    [draft] = [one for one in await port.get("/api/drafts") if one["voyage_id"] == voyage_id]
    answer = await port.post(f"/api/drafts/{draft['draft_id']}/sendings", {"version": draft["version"]})
    return answer["manifest"]


async def state(port: Person, case_id: str) -> Any:
    return await port.get(f"/api/arrivals/{case_id}")


async def asked(world: Services, case_id: str, need: str) -> list[str]:
    """Who is asked or helps with a need now."""
    rows = await world.sites["referral"].database.fetch(
        "SELECT a.agency_id FROM referrals r JOIN assignments a USING (referral_id)"
        " WHERE r.case_id = $1 AND r.need = $2 AND a.ended_at IS NULL",
        case_id,
        need,
    )
    return [row["agency_id"] for row in rows]


async def act(agency: Person, verb: str, item: Any, *, minutes: Any = None, **said: Any) -> None:
    """Do this with an assignment, on the version it is at."""
    current = await agency.get(f"/api/assignments/{item['assignment_id']}")
    one = {"assignment_id": item["assignment_id"], "version": current["version"], **said}
    answer = await agency.post(f"/api/assignments/{verb}", {"items": [one], **(minutes or {})})
    assert answer["items"][0]["ok"], answer
