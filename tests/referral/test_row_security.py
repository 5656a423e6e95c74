"""What the tables themselves show to whom: each connection its own rows, whatever a statement leaves out."""

import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from services.referral import policy
from services.referral.actions.answering import Answer
from services.referral.actions.routing import FRESH_FOR
from services.referral.domain.assignments import LIVE, TERMINAL
from services.referral.domain.needs import Need
from services.referral.domain.referrals import Referral
from services.referral.store import desk as desks
from services.referral.store import needs
from shared.kit.actor import Actor, system
from shared.kit.database import Database
from shared.kit.ids import new_id
from shared.kit.work import Work
from tests.conftest import DatabaseUrls, PostgresServer
from tests.referral.conftest import PEOPLE, Desk
from tests.referral.factories import START, an_agency, an_arrival

GUARDED = ("assignments", "referrals", "escalations", "gaps", "explanations", "agencies", "journal", "outbox", "parked")


async def seen(database: Database, actor: Actor) -> dict[str, list[asyncpg.Record]]:
    """All that a statement without any condition shows to this actor, by table; what shows nothing is left out."""
    async with database.work(actor, purpose="look") as work:
        found = {table: await work.connection.fetch(f"SELECT * FROM {table}") for table in GUARDED}
    return {table: rows for table, rows in found.items() if rows}


@pytest.fixture
async def busy(desk: Desk) -> Desk:
    """Needs in two provinces: children whom nobody serves, an old person who refuses, one need that went on."""
    change = "UPDATE agencies SET suspended_at = $1::timestamptz, changed_at = changed_at + interval '1 second'"
    await desk.rows(change, desk.clock.now())
    await desk.open(*(an_arrival("NEED", age_band="child", origin=origin) for origin in ("73.06", "73.71", "32.04")))
    await desk.rows(change, None)
    desk.clock.advance(FRESH_FOR)
    await desk.open(an_arrival("NEED", "ELDER"), an_arrival("NEED", origin="73.71"), an_arrival("TIP", origin="32.04"))
    await desk.answer("decline", "BP3MI-73", Answer(await asked(desk, "NEED"), reason="no_capacity"))
    await desk.answer("decline", "DINSOS-73.06", Answer(await asked(desk, "ELDER"), reason="person_refused"))
    return desk


async def asked(desk: Desk, need: str) -> str:
    """The attempt at a need in Gowa."""
    [row] = await desk.rows(
        "SELECT assignment_id FROM assignments JOIN referrals USING (referral_id)"
        " WHERE need = $1 AND regency = '73.06'",
        need,
    )
    return str(row["assignment_id"])


class TestAgency:
    async def test_sees_its_own_attempts_and_their_needs_alone(self, busy: Desk) -> None:
        for agency in ("BP3MI-73", "DISNAKER-73.06", "DINSOS-73.06"):
            for actor in (an_agency(agency), an_agency(agency, person=True)):
                found = await seen(busy.database, actor)

                own = await busy.rows("SELECT * FROM assignments WHERE agency_id = $1 ORDER BY 1", agency)
                assert sorted(found["assignments"]) == own != []
                assert {r["referral_id"] for r in found["referrals"]} == {row["referral_id"] for row in own}
                assert found.keys() == {"assignments", "referrals", "agencies"}

    async def test_sees_no_attempt_of_another_agency_at_its_own_need(self, busy: Desk) -> None:
        [second] = (await seen(busy.database, an_agency("DISNAKER-73.06")))["assignments"]

        assert second["attempt"] == 2

    async def test_sees_nothing_when_it_has_nothing(self, busy: Desk) -> None:
        assert (await seen(busy.database, an_agency("DINKES-11"))).keys() == {"agencies"}

    async def test_sees_nothing_without_a_role_that_answers_for_it(self, busy: Desk) -> None:
        for role in ("coordinator", "ngo_member", "nobody"):
            found = await seen(busy.database, Actor("x", "BP3MI-73", frozenset({role}), region="73"))

            assert found.keys() <= {"agencies"}


class TestSupervisor:
    @pytest.mark.parametrize("region", ["73", "73.06", "73.71", "32", "11"])
    async def test_sees_the_needs_of_the_own_region_and_what_waits_there(self, busy: Desk, region: str) -> None:
        found = await seen(busy.database, Actor("x", "NONE", frozenset({"agency_supervisor"}), region=region))

        of_region = await busy.rows("SELECT referral_id FROM referrals WHERE starts_with(regency, $1)", region)
        assert {r["referral_id"] for r in found.get("referrals", [])} == {row["referral_id"] for row in of_region}
        for table in ("escalations", "gaps"):
            there = await busy.rows(
                f"SELECT t.* FROM {table} t JOIN referrals USING (referral_id) WHERE starts_with(regency, $1)",
                region,
            )
            assert sorted(found.get(table, [])) == sorted(there)
        assert "assignments" not in found  # each agency's own; how they stand is looked up by the service

    async def test_of_an_agency_sees_what_is_its_agencys_elsewhere_but_not_what_waits_there(self, busy: Desk) -> None:
        found = await seen(busy.database, Actor("x", "DINSOS-73.06", frozenset({"agency_supervisor"}), region="32"))

        assert {r["agency_id"] for r in found["assignments"]} == {"DINSOS-73.06"}
        assert {r["province"] for r in found["referrals"]} == {"73", "32"}
        waiting = {r["referral_id"] for r in (*found["gaps"], *found["escalations"])}
        assert waiting == {
            r["referral_id"] for r in found["referrals"] if r["province"] == "32" and r["state"] == "unroutable"
        }

    @pytest.mark.parametrize("region", [None, "7", "73.", "73.0", "73.066", "%", "_", "NULL"])
    async def test_sees_no_region_without_a_region(self, busy: Desk, region: str | None) -> None:
        async with busy.database.asked.acquire() as connection, connection.transaction():
            await connection.execute("SELECT set_config('rujukan.roles', 'agency_supervisor', TRUE)")
            await connection.execute("SELECT set_config('rujukan.region', $1, TRUE)", region or "")
            for table in ("assignments", "referrals", "escalations", "gaps"):
                assert not await connection.fetch(f"SELECT * FROM {table}"), table


class TestOthers:
    @pytest.mark.parametrize("who", ["coordinator", "dpo", "ngo"])
    async def test_see_the_directory_alone(self, busy: Desk, who: str) -> None:
        assert (await seen(busy.database, PEOPLE[who])).keys() == {"agencies"}

    async def test_the_service_itself_sees_everything(self, busy: Desk) -> None:
        found = await seen(busy.database, system("referral", "clock"))

        assert found.keys() >= {"assignments", "referrals", "escalations", "gaps", "explanations", "agencies"}
        assert len(found["assignments"]) == len(await busy.attempts())


class TestNobody:
    @pytest.mark.parametrize(
        "settings",
        [
            {},
            {"scope": "Service"},
            {"scope": "service "},
            {"scope": "", "actor": "", "organisation": "", "region": "", "roles": ""},
            {"organisation": "BP3MI-73", "region": "73"},
            {"organisation": "' OR true --", "region": "73' OR true --", "roles": "agency_worker/agency_supervisor"},
            {"organisation": "BP3MI-73", "roles": "agency_workers/xagency_worker"},
            {"organisation": "BP3MI-73", "roles": "agency_worker,agency_supervisor"},
            {"organisation": "bp3mi-73", "region": "%", "roles": "agency_worker"},
        ],
    )
    async def test_sees_no_row_of_any_table(self, busy: Desk, settings: dict[str, str]) -> None:
        async with busy.database.asked.acquire() as connection, connection.transaction():
            for name, value in settings.items():
                await connection.execute("SELECT set_config('rujukan.' || $1, $2, TRUE)", name, value)
            tables = await connection.fetch("SELECT relname FROM pg_class WHERE relforcerowsecurity ORDER BY 1")
            assert len(tables) > len(GUARDED)
            for (table,) in tables:
                if table != "agencies" or "agency_worker" not in settings.get("roles", "").split("/"):
                    assert not await connection.fetch(f"SELECT * FROM {table} LIMIT 1"), table


class TestWriting:
    """People write nothing by themselves: what they ask for is found in their scope, and written by the service."""

    @pytest.mark.parametrize("actor", [an_agency("BP3MI-73"), PEOPLE["supervisor"]])
    @pytest.mark.parametrize("table", ["assignments", "referrals", "escalations", "gaps"])
    async def test_changes_and_takes_away_nothing(self, busy: Desk, actor: Actor, table: str) -> None:
        async with busy.database.work(actor, purpose="test") as work:
            for verb in (f"UPDATE {table} SET referral_id = referral_id", f"DELETE FROM {table}"):
                assert (await work.connection.execute(verb)).endswith(" 0")

    @pytest.mark.parametrize("actor", [an_agency("BP3MI-73"), PEOPLE["supervisor"]])
    @pytest.mark.parametrize(
        "statement",
        [
            "INSERT INTO gaps VALUES (gen_random_uuid(), gen_random_uuid(), now(), now())",
            "INSERT INTO escalations VALUES (gen_random_uuid(), gen_random_uuid(), NULL, 'person_refused', '', now())",
            "INSERT INTO explanations VALUES (sha256('x'), '', 'x')",
            "INSERT INTO assignments (assignment_id, referral_id, attempt, agency_id, state, version, service_hours,"
            " sent_at, answer_due_at) VALUES (gen_random_uuid(), gen_random_uuid(), 1, 'BP3MI-73', 'sent', 1, 1, now(),"
            " now())",
        ],
    )
    async def test_adds_nothing(self, desk: Desk, actor: Actor, statement: str) -> None:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            async with desk.database.work(actor, purpose="test") as work:
                await work.connection.execute(statement)


async def test_policies_name_the_roles_that_policy_py_names(database: Database) -> None:
    named = {
        f"{row['tablename']}.{row['policyname']}": set(re.findall(r"'(\w+)'::text", row["qual"]))
        for row in await database.fetch("SELECT tablename, policyname, qual FROM pg_policies WHERE cmd = 'SELECT'")
    }

    assert named["agencies.everybody"] == set(policy.ANYBODY)
    assert named["assignments.own_agency"] == named["referrals.own_agency"] == set(policy.WORKERS)
    for table in ("referrals", "escalations", "gaps"):
        assert named[f"{table}.own_region"] == set(policy.SUPERVISORS)


FILL = (
    "INSERT INTO referrals (referral_id, case_id, need, state, version, restricted, regency, port, sex, age_band,"
    " onward_wish, arrived_at, opened_at, explanation, outcome, ended_at) SELECT md5('r' || n)::uuid,"
    " md5('c' || n)::uuid, 'WAGE', CASE n % 2 WHEN 0 THEN 'open' ELSE 'fulfilled' END, 1, FALSE,"
    " 70 + n % 5 || '.0' || 1 + n % 9, 'NNK', 'F', 'adult', 'go_home', now(), now(), '',"
    " CASE n % 2 WHEN 1 THEN 'HELPED' END, CASE n % 2 WHEN 1 THEN now() - n * interval '1 minute' END FROM numbers",
    "INSERT INTO assignments (assignment_id, referral_id, agency_id, service_hours, answer_due_at, attempt, state,"
    " version, sent_at, ended_at, answered_at, answered_by, outcome) SELECT md5('a' || n)::uuid, md5('r' || n)::uuid,"
    " 'BP3MI-' || 70 + n % 5, 24, now() + n * interval '1 minute', 1,"
    " CASE n % 2 WHEN 0 THEN 'sent' ELSE 'completed' END, 1, now(), ended, ended, CASE n % 2 WHEN 1 THEN 'x' END,"
    " CASE n % 2 WHEN 1 THEN 'HELPED' END FROM numbers, LATERAL (SELECT CASE n % 2 WHEN 1 THEN now() END) e (ended)",
    "INSERT INTO escalations SELECT md5('e' || n)::uuid, md5('r' || n)::uuid, NULL, 'no_candidate_left', 'x', now(),"
    " CASE n % 10 WHEN 0 THEN NULL ELSE now() END FROM numbers",
    "INSERT INTO gaps SELECT md5('g' || n)::uuid, md5('r' || n)::uuid, now(), now(),"
    " CASE n % 10 WHEN 2 THEN NULL ELSE now() END FROM numbers",
)
"""20,000 needs of five agencies in five provinces, half of them met; some with a supervisor, some that are gaps."""

REFERRAL = "4b43b0ae-e350-45b3-8110-b117cb7e0af6"


class Explained:
    """Stands in for a connection: keeps the plan of each statement and runs none."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.plans: list[dict[str, Any]] = []

    async def fetch(self, statement: str, *arguments: Any) -> list[Any]:
        [row] = await self._connection.fetch(f"EXPLAIN (FORMAT JSON) {statement}", *arguments)
        self.plans.append(json.loads(row[0])[0]["Plan"])
        return []

    async def fetchrow(self, statement: str, *arguments: Any) -> None:
        await self.fetch(statement, *arguments)

    execute = fetchrow


def nodes(plan: dict[str, Any], *, policies: bool) -> Iterator[dict[str, Any]]:
    """The nodes of a plan, those that policies add or all others."""
    for part in plan.get("Plans", []):
        if part["Parent Relationship"] in {"InitPlan", "SubPlan"} and not part["Subplan Name"].startswith("CTE"):
            if policies:
                yield from (*nodes(part, policies=True), *nodes(part, policies=False), part)
        else:
            yield from nodes(part, policies=policies)
            if not policies:
                yield part
    if not policies and "Parent Relationship" not in plan:
        yield plan


def an_opened_need() -> Need:
    return Need(
        Referral(
            referral_id=new_id(),
            case_id=new_id(),
            need="WAGE",
            state="open",
            version=1,
            restricted=False,
            regency="73.06",
            port="NNK",
            sex="F",
            age_band="adult",
            onward_wish="go_home",
            arrived_at=START,
            explanation=b"x",
            opened_at=START,
        )
    )


Read = Callable[[Work], Awaitable[Any]]

WORKER = an_agency("BP3MI-73", person=True)
SUPERVISOR = Actor("penyelia", "BP3MI-73", frozenset({"agency_supervisor"}), region="73")
SERVICE = system("referral", "consumer")

STATEMENTS: dict[str, tuple[Actor, Read]] = {
    "inbox": (WORKER, lambda work: desks.list_inbox(work, sorted(LIVE), limit=201)),
    "inbox, further": (
        WORKER,
        lambda work: desks.list_inbox(work, sorted(LIVE), after=f"1764000000000000.{REFERRAL}", limit=201),
    ),
    "inbox of a supervisor": (SUPERVISOR, lambda work: desks.list_inbox(work, sorted(LIVE), limit=201)),
    "done": (WORKER, lambda work: desks.list_ended(work, sorted(TERMINAL), limit=201)),
    "counts": (WORKER, desks.count_inbox),
    "tasks": (SUPERVISOR, lambda work: desks.list_tasks(work, limit=101)),
    "closed": (SUPERVISOR, lambda work: desks.list_closed(work, limit=101)),
    "task": (SUPERVISOR, lambda work: desks.find_task(work, REFERRAL)),
    "overseen": (SUPERVISOR, lambda work: desks.find_overseen(work, [REFERRAL])),
    "owned": (WORKER, lambda work: needs.find_owned(work, [REFERRAL])),
    "opening": (SERVICE, lambda work: needs.add_opened(work, [an_opened_need()], [], [], directory_at=START)),
    "due": (SERVICE, lambda work: needs.list_due(work, 200, ())),
    "referrals": (SERVICE, lambda work: needs.find_referrals(work, [REFERRAL])),
    "attempts": (SERVICE, lambda work: needs.list_attempts(work, [REFERRAL])),
}


@asynccontextmanager
async def unguarded(postgres_server: PostgresServer, owner_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection that no policy concerns, with the settings of the service's own."""
    place = urlsplit(postgres_server.url)._replace(path=urlsplit(owner_url).path).geturl()
    connection = await asyncpg.connect(place, server_settings={"enable_seqscan": "off", "jit": "off"})
    try:
        yield connection
    finally:
        await connection.close()


async def test_statements_use_the_same_indexes_as_without_policies(
    database: Database, database_urls: DatabaseUrls, postgres_server: PostgresServer
) -> None:
    async with unguarded(postgres_server, database_urls("referral").owner) as free:
        await free.execute("SET session_replication_role = replica")  # the needs refer to no explanation
        await free.execute("CREATE TEMPORARY TABLE numbers AS SELECT generate_series(1, 20000) AS n")
        for statement in FILL:
            await free.execute(statement)
        await free.execute("ANALYZE")
        with_policies, without = {}, {}
        for name, (actor, read) in STATEMENTS.items():
            async with database.work(actor, purpose="look") as work:
                plans = []
                for connection in (work.connection, free):
                    explained = Explained(connection)
                    await read(Work(explained, actor, work.now, "look", "referral"))  # type: ignore[arg-type]
                    plans.append(explained.plans)
            guarded, plain = plans
            with_policies[name] = _scans(guarded)
            without[name] = _scans(plain)
            looked_up = [node for plan in guarded for node in nodes(plan, policies=True) if "Scan" in node["Node Type"]]
            assert all("Index Cond" in node for node in looked_up), name

    for name, scans in without.items():
        assert [index for index, _ in with_policies[name]] == [index for index, _ in scans], name
        assert _whole(with_policies[name]) <= _whole(scans), name
    assert without["inbox"] == [("assignments_of_an_inbox", True), ("referrals_pkey", True)]
    assert without["closed"] == [("referrals_closed", True)]


def _scans(plans: list[dict[str, Any]]) -> list[tuple[str, bool]]:
    """By which index each table of the statement itself is read, and whether by a condition on it, not as a whole."""
    return sorted(
        (node.get("Index Name") or node["Relation Name"], "Index Cond" in node)
        for plan in plans
        for node in nodes(plan, policies=False)
        if node["Node Type"] in {"Seq Scan", "Index Scan", "Index Only Scan", "Bitmap Index Scan"}
    )


def _whole(scans: list[tuple[str, bool]]) -> Counter[str]:
    return Counter(index for index, by_condition in scans if not by_condition)
