"""What has been kept for long enough goes by itself: batch by batch, never with an open need, never under a hold."""

import asyncio
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from services.intake.actions.holds import place_hold
from services.intake.clock import Retention
from services.intake.domain.retention import BY_CODE, RULES, YEAR, first_id_at
from shared.contracts.referral.referrals import ReferralClosed, ReferralFulfilled, ReferralOpened, ReferralReopened
from shared.kit.clock import FixedClock, SystemClock
from shared.kit.database import Database
from tests.intake.conftest import Browser
from tests.intake.factories import DPO, a_list, a_referral_fact, a_row, a_vault, a_voyage, hear
from tests.intake.test_erasures import PERSON, a_case, told
from tests.intake.test_holds import a_hold
from tests.waiting import until

Site = Callable[[str], Browser]

OPENED = {"port": "NNK", "regency": "73.06", "rules_version": "1", "explanation": "0" * 64}
HOUR = timedelta(hours=1)
ROOT = Path(__file__).parents[2]


async def open_needs(database: Database, case_id: str, *needs: str) -> None:
    await hear(database, *(a_referral_fact(ReferralOpened, case_id, need=need, **OPENED) for need in needs))


async def end_needs(database: Database, case_id: str, *needs: str) -> None:
    await hear(
        database,
        *(a_referral_fact(ReferralFulfilled, case_id, need=need, outcome="SERVICE_DELIVERED") for need in needs),
    )


async def a_helped_case(site: Site, database: Database, **said: Any) -> str:
    """Somebody for whom every need has been met."""
    case_id = await a_case(site, **said)
    needs = await database.pool.fetchval("SELECT needs FROM arrivals WHERE case_id = $1", case_id)
    await open_needs(database, case_id, *needs)
    await end_needs(database, case_id, *needs)
    return case_id


async def a_round(database: Database) -> None:
    """Everything that the clock does until it rests."""
    retain = Retention(database, a_vault())
    while await retain():
        pass


async def kept(database: Database) -> set[str]:
    """The cases whose identity can still be opened."""
    rows = await database.pool.fetch("SELECT case_id::text FROM arrivals JOIN person_keys USING (person_id)")
    return {row["case_id"] for row in rows}


async def waits_for_a_case(database: Database) -> bool:
    waiting = "SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()"
    return bool(await database.fetch(f"{waiting} WHERE l.locktype = 'advisory' AND NOT l.granted"))


class TestIdentities:
    @pytest.mark.parametrize(
        ("said", "rule"),
        [
            ({}, "identity_adult"),
            ({"needs": ["TIP"]}, "identity_victim"),
            ({"age": 9}, "identity_child"),
            ({"age": None}, "identity_child"),
        ],
        ids=["adult", "victim", "child", "age unknown"],
    )
    async def test_go_when_their_own_period_ends_and_not_before(
        self, site: Site, database: Database, clock: FixedClock, said: dict[str, Any], rule: str
    ) -> None:
        case_id = await a_helped_case(site, database, **said)
        clock.advance(BY_CODE[rule].after - HOUR)
        await a_round(database)
        assert await kept(database) == {case_id}

        clock.advance(2 * HOUR)
        await a_round(database)

        assert await kept(database) == set()
        [fact] = await told(database, case_id, "intake.person_erased.v1")
        assert fact["reason"] == "retention"

    async def test_stay_under_a_hold_that_is_placed_while_they_are_about_to_go(
        self, site: Site, database: Database, clock: FixedClock
    ) -> None:
        case_id = await a_helped_case(site, database)
        clock.advance(5 * YEAR + HOUR)
        async with database.work(DPO, purpose="protect") as work:
            await place_hold(work, case_id, reason="court", reference="PN-JKT/112/2026")
            going = asyncio.create_task(a_round(database))
            await until(lambda: waits_for_a_case(database))
        await going

        assert await kept(database) == {case_id}

    async def test_stay_while_a_need_is_open(self, site: Site, database: Database, clock: FixedClock) -> None:
        open_, reopened, untaken = [await a_case(site) for _ in range(3)]
        for case_id in (open_, reopened):
            await open_needs(database, case_id, "NEED", "SICK")
        await end_needs(database, open_, "NEED")
        await end_needs(database, reopened, "NEED", "SICK")
        await hear(database, a_referral_fact(ReferralReopened, reopened, need="SICK", reason="NEED_REMAINS"))
        clock.advance(50 * YEAR)

        await a_round(database)

        assert await kept(database) == {open_, reopened, untaken}

    async def test_go_when_the_last_need_was_closed_for_long_enough(
        self, site: Site, database: Database, clock: FixedClock
    ) -> None:
        case_id = await a_case(site)
        await open_needs(database, case_id, "NEED", "SICK")
        clock.advance(20 * YEAR)
        await end_needs(database, case_id, "NEED")
        closed = {"state": "unfulfilled", "reason": "PERSON_LEFT"}
        await hear(database, a_referral_fact(ReferralClosed, case_id, need="SICK", **closed))
        clock.advance(5 * YEAR - HOUR)
        await a_round(database)
        assert await kept(database) == {case_id}

        clock.advance(2 * HOUR)
        await a_round(database)

        assert await kept(database) == set()

    async def test_stay_under_a_hold_and_go_when_it_is_lifted(
        self, site: Site, database: Database, clock: FixedClock
    ) -> None:
        held, free = [await a_helped_case(site, database) for _ in range(2)]
        hold = await a_hold(site, held)
        clock.advance(6 * YEAR)
        await a_round(database)
        assert await kept(database) == {held}
        assert free not in await kept(database)

        await site("dpo").post(f"/api/holds/{hold['hold_id']}/lift", json={"reason": "hold_ended"})
        await a_round(database)

        assert await kept(database) == set()

    async def test_are_claimed_so_that_two_clocks_erase_nobody_twice(
        self, site: Site, database: Database, clock: FixedClock
    ) -> None:
        case_ids = [await a_helped_case(site, database) for _ in range(3)]
        clock.advance(6 * YEAR)
        first, second = Retention(database, a_vault()), Retention(database, a_vault())

        while await first() or await second():
            pass

        for case_id in case_ids:
            assert len(await told(database, case_id, "intake.person_erased.v1")) == 1


class TestReport:
    async def test_says_what_would_go_and_then_what_went(
        self, site: Site, database: Database, clock: FixedClock
    ) -> None:
        due, held = [await a_helped_case(site, database) for _ in range(2)]
        await a_hold(site, held)
        clock.advance(5 * YEAR - timedelta(days=20))
        before = (await site("dpo").get("/api/retention")).json()
        shorter = (await site("dpo").get("/api/retention", days=10)).json()
        clock.advance(timedelta(days=21))
        await a_round(database)
        after = (await site("dpo").get("/api/retention")).json()

        adult = {one["code"]: one for one in before["rules"]}["identity_adult"]
        assert adult == {"code": "identity_adult", "kind": "identity", "days": 1825, "due": 1, "held": 1}
        assert {one["code"]: one["due"] for one in shorter["rules"]}["identity_adult"] == 0
        assert await kept(database) == {held}
        assert due not in await kept(database)
        assert [(one["rule"], one["removed"]) for one in after["reports"] if one["rule"] == "identity_adult"] == [
            ("identity_adult", 1)
        ]
        rows = await database.pool.fetch("SELECT payload FROM journal WHERE type = 'intake.retention_applied.v1'")
        assert any(b'"rule":"identity_adult","removed":1,"held":1' in row["payload"] for row in rows)

    @pytest.mark.parametrize("actor", ["officer", "system", "worker", "referral"])
    async def test_is_for_the_data_protection_officer_alone(self, site: Site, actor: str) -> None:
        assert (await site(actor).get("/api/retention")).status_code == 403


class TestSweeps:
    @pytest.fixture(autouse=True)
    def _ids_tell_the_time(self, clock: FixedClock) -> None:
        """What is swept by its id was made by the machine's own clock."""
        clock.advance(SystemClock().now() - clock.now())

    async def test_forget_what_no_write_can_repeat_any_more(
        self, site: Site, database: Database, clock: FixedClock
    ) -> None:
        await a_case(site, "tablet-7")
        landed = clock.now().isoformat()
        clock.advance(timedelta(days=399))
        await a_round(database)
        assert await database.pool.fetchval("SELECT count(*) FROM requests") == 1

        clock.advance(timedelta(days=2))
        await a_round(database)

        assert await database.pool.fetchval("SELECT count(*) FROM requests") == 0
        late = await site("officer").post("/api/arrivals", json={**PERSON, "arrived_at": landed})
        assert late.json()["code"] == "arrival_long_ago"

    @pytest.mark.parametrize("wrong", [timedelta(days=-900), timedelta(days=900)], ids=["late", "early"])
    async def test_forget_it_by_our_clock_whatever_the_clock_of_a_tablet_says(
        self, site: Site, database: Database, clock: FixedClock, wrong: timedelta
    ) -> None:
        made = first_id_at(clock.now() + wrong)
        case_id = f"{made[:14]}7{made[15:19]}8{made[20:]}"
        sent = await site("officer").post("/api/arrivals", key="one", json={**PERSON, "case_id": case_id})
        assert sent.status_code == 201, sent.text
        clock.advance(timedelta(days=399))
        await a_round(database)
        assert await database.pool.fetchval("SELECT count(*) FROM requests") == 1

        clock.advance(timedelta(days=2))
        await a_round(database)
        assert await database.pool.fetchval("SELECT count(*) FROM requests") == 0

    async def test_forget_by_its_id_what_was_kept_before_our_clock_was(
        self, site: Site, database: Database, owner: asyncpg.Connection, clock: FixedClock
    ) -> None:
        await a_case(site)
        async with owner.transaction():
            await owner.execute("SET LOCAL rujukan.scope = 'service'")
            await owner.execute("UPDATE requests SET kept_on = NULL")
        clock.advance(timedelta(days=399))
        await a_round(database)
        assert await database.pool.fetchval("SELECT count(*) FROM requests") == 1

        clock.advance(timedelta(days=2))
        await a_round(database)
        assert await database.pool.fetchval("SELECT count(*) FROM requests") == 0

    async def test_forget_first_answers_after_thirty_days(
        self, site: Site, database: Database, clock: FixedClock
    ) -> None:
        await a_hold(site, await a_case(site))
        assert await database.pool.fetchval("SELECT count(*) FROM answers") == 1
        clock.advance(timedelta(days=31))

        await a_round(database)

        assert await database.pool.fetchval("SELECT count(*) FROM answers") == 0

    async def test_forget_what_a_held_row_says_and_keep_its_count(
        self, site: Site, database: Database, clock: FixedClock
    ) -> None:
        voyage = await a_voyage(database, expected_at=clock.now())
        content = a_list(a_row(1), a_row(2, sex="?"))
        await site("officer").post(f"/api/voyages/{voyage.voyage_id}/manifest", content=content)
        assert await database.pool.fetchval("SELECT said <> '{}' FROM held_rows")
        clock.advance(timedelta(days=401))

        await a_round(database)

        row = await database.pool.fetchrow("SELECT said, mark, settled_at FROM held_rows")
        assert tuple(row) == ([], bytes(16), None)


class TestDocument:
    def test_names_every_table_of_every_service(self) -> None:
        document = (ROOT / "docs/retention.md").read_text(encoding="utf-8")
        named = set(re.findall(r"`(\w+)`", document))

        for schema in (ROOT / "services").glob("*/schema.sql"):
            tables = set(re.findall(r"^CREATE TABLE (\w+)", schema.read_text(encoding="utf-8"), re.MULTILINE))
            assert tables
            assert tables <= named, schema.parent.name

    def test_says_the_periods_that_are_kept(self) -> None:
        document = (ROOT / "docs/retention.md").read_text(encoding="utf-8")
        periods = [f"{rule.after.days // 365} years" if rule.after >= 2 * YEAR else f"{rule.after.days} days"
                   for rule in RULES]  # fmt: skip

        assert all(f"| {period} |" in document or f"else {period} |" in document for period in periods)
