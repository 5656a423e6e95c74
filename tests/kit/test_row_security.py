"""For whom a transaction acts: said in the round trip that begins it, gone when it ends; and who would not be bound."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import urlsplit

import asyncpg
import pytest
import pytest_asyncio

from shared.kit import row_security
from shared.kit.actor import Actor, system
from shared.kit.database import Database, beginning, connect
from tests.conftest import DatabaseUrls, PostgresServer, application_role, owner_role
from tests.kit.conftest import OFFICER, a_voyage

OTHER = Actor("other", "BP3MI-64", frozenset({"port_officer"}), port="ETK", region="64")
SETTINGS = ("scope", "actor", "organisation", "port", "region", "roles")
SAID = "SELECT " + ", ".join(f"nullif(current_setting('rujukan.{name}', TRUE), '') AS {name}" for name in SETTINGS)


@pytest_asyncio.fixture
async def narrow(database_urls: DatabaseUrls) -> AsyncIterator[Database]:
    """A database whose pools have one connection each, so that every work takes the same."""
    database = await connect(database_urls("speaker").application, service="intake", max_size=1)
    yield database
    await database.aclose()


async def said(database: Database) -> dict[str, str]:
    """What the connection for what people ask for says of itself between two works."""
    async with database.asked.acquire() as connection:
        row = await connection.fetchrow(SAID)
    return {name: value for name, value in row.items() if value}


class TestBeginning:
    def test_says_who_acts_in_codes(self) -> None:
        actor = Actor("sari", "BP3MI-65", frozenset({"port_officer", "operator"}), port="NNK", region="65")

        assert beginning(actor) == (
            "BEGIN;SET LOCAL rujukan.actor = 'sari';SET LOCAL rujukan.organisation = 'BP3MI-65'"
            ";SET LOCAL rujukan.port = 'NNK';SET LOCAL rujukan.region = '65'"
            ";SET LOCAL rujukan.roles = 'operator/port_officer'"
        )

    def test_says_nothing_for_a_part_of_the_service(self) -> None:
        assert beginning(system("intake", "clock")) == "BEGIN"

    @pytest.mark.parametrize("what", ["id", "organisation", "port", "region"])
    @pytest.mark.parametrize("value", ["'", "a'; SET rujukan.scope = 'service", "a b", "a\\", "a\n", "é", "x" * 129])
    def test_refuses_what_is_no_code(self, what: str, value: str) -> None:
        with pytest.raises(ValueError, match="is no code"):
            beginning(replace(OFFICER, **{what: value}))

    def test_refuses_a_role_that_is_no_code(self) -> None:
        with pytest.raises(ValueError, match="roles of an actor is no code"):
            beginning(replace(OFFICER, roles=frozenset({"a'b"})))

    async def test_refuses_before_anything_is_begun(self, narrow: Database) -> None:
        with pytest.raises(ValueError, match="is no code"):
            async with narrow.work(replace(OFFICER, id="'"), purpose="look"):
                pytest.fail("it began")

        assert await said(narrow) == {}


class TestWork:
    async def test_acts_for_its_actor_and_nothing_of_it_stays(self, narrow: Database) -> None:
        async with narrow.work(OTHER, purpose="look") as work:
            inside = dict(await work.connection.fetchrow(SAID))

        assert inside == {
            "scope": None,
            "actor": "other",
            "organisation": "BP3MI-64",
            "port": "ETK",
            "region": "64",
            "roles": "port_officer",
        }
        assert await said(narrow) == {}
        async with narrow.work(OFFICER, purpose="look") as work:
            assert (await work.connection.fetchrow(SAID))["region"] is None

    async def test_the_scope_of_the_service_ends_with_the_work_that_took_it(self, narrow: Database) -> None:
        async with narrow.work(OFFICER, purpose="look") as work:
            await work.as_service()
            assert await work.connection.fetchval("SELECT acting_as_service()")

        assert await said(narrow) == {}
        async with narrow.work(OFFICER, purpose="look") as work:
            assert not await work.connection.fetchval("SELECT acting_as_service()")

    async def test_a_body_that_fails_leaves_nothing_open(self, narrow: Database) -> None:
        with pytest.raises(RuntimeError, match="half way"):
            async with narrow.work(OFFICER, purpose="look") as work:
                await work.as_service()
                raise RuntimeError("half way")

        assert await said(narrow) == {}

    async def test_a_statement_that_fails_leaves_nothing_open(self, narrow: Database) -> None:
        with pytest.raises(asyncpg.DivisionByZeroError):
            async with narrow.work(OFFICER, purpose="look") as work:
                await work.connection.execute("SELECT 1 / 0")

        assert await said(narrow) == {}

    async def test_a_body_that_is_cancelled_leaves_nothing_open(self, narrow: Database) -> None:
        begun = asyncio.Event()

        async def never_done() -> None:
            async with narrow.work(OFFICER, purpose="look") as work:
                await work.as_service()
                begun.set()
                await work.connection.execute("SELECT pg_sleep(60)")

        working = asyncio.create_task(never_done())
        await begun.wait()
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)

        assert working.cancelled()
        assert await said(narrow) == {}

    async def test_two_at_once_act_for_two(self, database: Database) -> None:
        both = asyncio.Barrier(2)

        async def organisation(actor: Actor) -> str:
            async with database.work(actor, purpose="look") as work:
                await both.wait()
                found: str = await work.connection.fetchval("SELECT acting_organisation()")
                await both.wait()
            return found

        assert await asyncio.gather(organisation(OFFICER), organisation(OTHER)) == ["BP3MI-65", "BP3MI-64"]


class TestPools:
    async def test_what_is_asked_for_outside_of_a_work_sees_nothing(self, database: Database) -> None:
        async with database.work(OFFICER, purpose="announce") as work:
            work.emit(a_voyage())

        async with database.asked.acquire() as connection:
            assert await connection.fetchval("SELECT count(*) FROM journal") == 0
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute("INSERT INTO outbox VALUES (99)")

    async def test_a_person_does_not_read_the_journal_that_tells_of_them(self, database: Database) -> None:
        async with database.work(OFFICER, purpose="announce") as work:
            work.emit(a_voyage())

        async with database.work(OFFICER, purpose="look") as work:
            assert await work.connection.fetchval("SELECT count(*) FROM journal") == 0

    async def test_the_service_itself_sees_all(self, database: Database) -> None:
        async with database.work(OFFICER, purpose="announce") as work:
            work.emit(a_voyage())

        assert (await database.fetch("SELECT count(*) FROM journal"))[0][0] == 1
        async with database.work(system("intake", "clock"), purpose="look") as work:
            assert await work.connection.fetchval("SELECT count(*) FROM journal") == 1
        assert database.asked.get_size() == 1  # the officer's alone


@pytest_asyncio.fixture
async def superuser(database_urls: DatabaseUrls, postgres_server: PostgresServer) -> AsyncIterator[asyncpg.Connection]:
    name = urlsplit(database_urls("speaker").application).path.strip("/")
    connection = await asyncpg.connect(postgres_server.url, database=name)
    yield connection
    await connection.close()


class TestFindings:
    """Why a service does not start, each named with the role and what to do."""

    async def test_are_none_of_the_application_role(self, database: Database) -> None:
        assert await row_security.findings(database) == []

    @pytest.mark.parametrize(
        ("attribute", "member_of", "said"),
        [
            ("SUPERUSER", "", "is a superuser, whom no policy binds: make it NOSUPERUSER"),
            ("BYPASSRLS", application_role("speaker"), "has BYPASSRLS, so no policy binds it: make it NOBYPASSRLS"),
            ("NOINHERIT", owner_role("speaker"), "owns tables or belongs to who does (answers, inbox, journal"),
        ],
    )
    async def test_name_the_role_the_reason_and_the_remedy(
        self, database_urls: DatabaseUrls, superuser: asyncpg.Connection, attribute: str, member_of: str, said: str
    ) -> None:
        role = f"rujukan_test_{secrets.token_hex(4)}"
        await superuser.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'test' {attribute}")
        if member_of:
            await superuser.execute(f"GRANT {member_of} TO {role}")
        url = database_urls("speaker").application.replace(application_role("speaker"), role)
        database = await connect(url, service="speaker", max_size=1)
        try:
            [sentence] = await row_security.findings(database)
        finally:
            await database.aclose()
            await superuser.execute(f"DROP ROLE {role}")

        assert sentence.startswith(f"the database role {role} ")
        assert said in sentence

    @pytest.mark.parametrize("change", ["NO FORCE", "DISABLE"])
    async def test_name_the_table_without_its_wall(
        self, database: Database, superuser: asyncpg.Connection, change: str
    ) -> None:
        await superuser.execute(f"ALTER TABLE journal {change} ROW LEVEL SECURITY")

        assert await row_security.findings(database) == [
            "tables without FORCE ROW LEVEL SECURITY: journal: run `python -m services.intake migrate`"
        ]
