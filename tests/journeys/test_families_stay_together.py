"""A family on a name list: recorded, linked, referred together; and protected when the adult answers no longer."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest_asyncio

from services.intake.actions import households as at_port
from services.intake.actions.manifests import take_in_manifest
from services.intake.domain.voyages import Voyage
from services.intake.store.vault import Vault
from services.referral import clock, consumers, rules
from services.referral.actions.answering import Answer
from services.referral.actions.routing import Routing
from shared.kit.clock import FixedClock
from shared.kit.database import Database, connect
from shared.kit.inbox import Inbox
from tests.benchmarks.chain import record_of
from tests.conftest import DatabaseUrls
from tests.intake.factories import OFFICER, START, a_vault, a_voyage
from tests.referral.conftest import Desk

HEADING = "No;Nama;L/P;Tgl Lahir;Kab/Kota;Kebutuhan;Pendamping"
MOTHER = "1;Melati;P;1/2/1990;Kabupaten Gowa;sakit;"
CHILD = "2;Kenari;P;5/8/2018;Kabupaten Gowa;;1"
SINGLE = "3;Jati;L;5/8/1980;Kabupaten Gowa;;"
FATHER = "4;Rotan;L;3/3/1988;Kota Semarang;;1"


@dataclass
class Port:
    """Intake with a voyage, and referral, which hears what intake has in its journal."""

    intake: Database
    desk: Desk
    vault: Vault
    voyage: Voyage
    heard: int = 0

    async def send(self, *rows: str) -> None:
        content = "\n".join([HEADING, *rows]).encode()
        await take_in_manifest(self.intake, self.vault, OFFICER, self.voyage, content)
        await self.tell()

    async def tell(self) -> None:
        """Have referral hear all that is new in intake's journal, as Kafka carries it."""
        rows = await self.intake.fetch(
            "SELECT * FROM journal WHERE shared AND position > $1 ORDER BY position", self.heard
        )
        inbox = Inbox(self.desk.database)
        consumers.subscribe(inbox, self.desk.routing)
        await inbox.digest([record_of("intake", row) for row in rows])
        self.heard = rows[-1]["position"] if rows else self.heard
        assert await self.desk.rows("SELECT FROM parked") == []
        await clock.settle(self.desk.database, self.desk.routing)()

    async def case(self, row: int) -> str:
        """The case of who stood in a row of the list that recorded it."""
        [found] = await self.intake.fetch("SELECT case_id::text FROM arrivals WHERE manifest_row = $1", row)
        return str(found["case_id"])

    async def asked(self, case_id: str) -> dict[str, str]:
        rows = await self.desk.rows(
            "SELECT r.need, a.agency_id FROM referrals r JOIN assignments a USING (referral_id)"
            " WHERE r.case_id = $1 AND a.ended_at IS NULL",
            case_id,
        )
        return {row["need"]: row["agency_id"] for row in rows}


@pytest_asyncio.fixture
async def port(database_urls: DatabaseUrls) -> AsyncIterator[Port]:
    standing = FixedClock(START)
    intake, referral = [
        await connect(database_urls(name).application, service=name, clock=standing) for name in ("intake", "referral")
    ]
    desk = Desk(referral, standing, Routing(rules.load(rules.latest())))
    yield Port(intake, desk, a_vault(), await a_voyage(intake))
    await intake.aclose()
    await referral.aclose()


async def test_a_family_of_a_list_is_referred_together(port: Port) -> None:
    await port.send(MOTHER, CHILD, SINGLE)
    mother, child, single = [await port.case(row) for row in (2, 3, 4)]

    assert await port.asked(mother) == {"SICK": "DINKES-65.03", "NEED": "BP3MI-65"}
    assert await port.asked(child) == {"CHILD": "UPTDPPA-65.03", "NEED": "BP3MI-65"}
    assert await port.asked(single) == {"NEED": "BP3MI-73"}

    # A longer list brings the father, who comes from elsewhere: he stays with them.
    await port.send(MOTHER, CHILD, SINGLE, FATHER)
    father = await port.case(5)
    assert await port.asked(father) == {"NEED": "BP3MI-65"}
    assert await port.desk.rows("SELECT FROM reunifications") == []

    # The hospital's office declines, the next one is the home province's: the family is before a supervisor.
    port.desk.clock.advance(timedelta(minutes=1))
    while (await port.asked(mother))["SICK"] != "DINKES-73":
        [row] = await port.desk.rows(
            "SELECT a.assignment_id::text, a.agency_id FROM referrals r JOIN assignments a USING (referral_id)"
            " WHERE r.case_id = $1 AND r.need = 'SICK' AND a.ended_at IS NULL",
            mother,
        )
        answer = Answer(row["assignment_id"], reason="no_capacity", side="AGENCY")
        await port.desk.answer("decline", row["agency_id"], answer)
    tasks = await port.desk.rows("SELECT case_id::text, reason FROM reunifications WHERE closed_at IS NULL")
    assert {(row["case_id"], row["reason"]) for row in tasks} == {(child, "declined"), (father, "declined")}


async def test_a_child_whom_nobody_answers_for_any_more_is_unaccompanied_at_once(port: Port) -> None:
    await port.send(MOTHER, CHILD)
    child = await port.case(3)
    assert set(await port.asked(child)) == {"CHILD", "NEED"}
    async with port.intake.work(OFFICER, purpose="reception") as work:
        [link] = (await at_port.look(work, child)).links
        await at_port.end_guardian(work, link.link_id, version=1, reason="child_at_risk")
    await port.tell()

    assert set(await port.asked(child)) == {"CHILD", "NEED", "UAC"}
