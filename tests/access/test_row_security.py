"""Row-level security, generated from each service's migrated database: every table, verb and scope."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from shared.kit.actor import Actor
from shared.kit.database import beginning
from tests.access.walls import (
    ACTOR,
    ORGANISATION,
    PORT,
    REGION,
    ROLES,
    SCOPE,
    SERVICE_ONLY,
    SIGNED_IN,
    WALLS,
    Acting,
    Owned,
    Parent,
)
from tests.conftest import Background, PostgresServer, application_role

SETTINGS = (SCOPE, ACTOR, ORGANISATION, PORT, REGION, ROLES)
VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE")
UNGUARDED = "schema_migrations"
"""The list of migrations: names of files, for the application to read alone."""

PLACES: list[dict[str, str | None]] = [
    {ACTOR: "sari", ORGANISATION: "SBMI", PORT: "NNK", REGION: "73.06"},
    {ACTOR: "budi", ORGANISATION: "LBH", PORT: "ETK", REGION: "64.71"},
    {ACTOR: "tini", ORGANISATION: "DINSOS-73.71", PORT: "BTM", REGION: "73.71"},
    {ACTOR: None, ORGANISATION: None, PORT: None, REGION: None},
]
"""Whose the rows are: one each, a neighbour of the same province, and nobody's."""

GARBAGE = [
    *("", " ", "'", "''", "'; RESET ALL; --", "' OR TRUE --", "%", "_", "*", "NULL", "{}", "$1", "service"),
    *("SBMI ", "sbmi", "SBMI/LBH", "{SBMI,LBH}", "SBMI','LBH", "7", "73.", "73%", "64/73", "x" * 100_000),
]


def said(place: dict[str, str | None], *roles: str, **more: str) -> dict[str, str]:
    return {name: value for name, value in place.items() if value} | {ROLES: "/".join(roles)} | more


def scopes() -> Iterator[Acting]:
    """Who may ask: each role in each place, nobody, and settings that are none."""
    yield Acting()
    yield Acting({SCOPE: "service"})
    for role in SIGNED_IN:
        for place in PLACES:
            yield Acting(said(place, role))
    yield Acting(said(PLACES[0]))
    yield Acting(said(PLACES[0], "operator", "ngo_member"))
    yield Acting(said(PLACES[0] | {REGION: "73"}, "agency_supervisor"))
    yield Acting(said(PLACES[0] | {ORGANISATION: "LBH"}, "agency_supervisor"))
    for garbage in GARBAGE:
        yield Acting(dict.fromkeys((ACTOR, ORGANISATION, PORT, REGION, ROLES), garbage))
        yield Acting(said(PLACES[0], garbage))
        yield Acting(said(dict.fromkeys(PLACES[0], garbage), *SIGNED_IN))
        if garbage != "service":
            yield Acting({SCOPE: garbage})
    yield Acting({SCOPE: " service"})
    yield Acting({SCOPE: "SERVICE"})


SCOPES = list(scopes())

TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
COLUMNS = """
SELECT a.attname AS name, format_type(a.atttypid, NULL) AS kind, a.attnotnull AS needed
FROM pg_attribute a
WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
"""
POLICIES = """
SELECT p.polname AS name, p.polpermissive AS permissive, p.polroles = '{0}' AS for_all,
    CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE'
        ELSE 'SELECT INSERT UPDATE DELETE' END AS verbs,
    pg_get_expr(p.polqual, p.polrelid) AS seen, pg_get_expr(p.polwithcheck, p.polrelid) AS written
FROM pg_policy p WHERE p.polrelid = $1::regclass
"""
ITSELF = "( SELECT acting_as_service() AS acting_as_service)"


async def complaints(connection: asyncpg.Connection, walls: dict[str, Owned]) -> list[str]:
    """What is missing or too much in the walls of a database, a sentence each that says what to do."""
    found = []
    tables = [table for (table,) in await connection.fetch(TABLES) if table != UNGUARDED]
    found += [f"{table} is no table any more: take it out of walls.py" for table in sorted({*walls} - {*tables})]
    for table in sorted(tables):
        enabled, forced = await connection.fetchrow(
            "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = $1::regclass", table
        )
        policies = {row["name"]: row for row in await connection.fetch(POLICIES, table)}
        itself = policies.pop("service_itself", None)
        if not (enabled and forced):
            found.append(f"{table} is not under ENABLE and FORCE ROW LEVEL SECURITY: run `migrate` again")
        if itself is None or (itself["seen"], itself["written"]) != (ITSELF, ITSELF):
            found.append(f"{table} has not the policy service_itself as the kit makes it: run `migrate` again")
        if table not in walls:
            found.append(f"{table} has no entry: say in tests/access/walls.py who owns its rows")
            continue
        opened = {verb for row in policies.values() for verb in row["verbs"].split()}
        if opened != walls[table].verbs():
            found.append(
                f"{table} is open for {sorted(opened) or 'nothing'}, but walls.py says"
                f" {sorted(walls[table].verbs()) or 'service only'}: change one of the two"
            )
        found += [
            f"{table}: policy {row['name']} is restrictive or for some roles of PostgreSQL: they are not what we act by"
            for row in policies.values()
            if not (row["permissive"] and row["for_all"])
        ]
    for (view,) in await connection.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('v', 'm')"
        " AND NOT coalesce(reloptions @> '{security_invoker=true}', FALSE)"
    ):
        found.append(f"the view {view} reads with its maker's rights: make it WITH (security_invoker = TRUE)")
    for (function,) in await connection.fetch(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND (prosecdef OR proleakproof)"
    ):
        found.append(f"the function {function} is SECURITY DEFINER or LEAKPROOF: let it act as who calls it")
    return found


@dataclass(frozen=True)
class Bare:
    """A copy of a service's database without its other laws, with a row for each place in each table."""

    url: str
    rows: dict[str, list[dict[str, Any]]]


def value_of(kind: str, name: str, n: int) -> Any:
    """Something of this type; the same for the same name and row, so that keys meet."""
    values: dict[str, Callable[[], Any]] = {
        "uuid": lambda: uuid.uuid5(uuid.NAMESPACE_OID, f"{name}-{n}"),
        "text": lambda: f"{name}-{n}",
        "bytea": f"{name}-{n}".encode,
        "boolean": lambda: False,
        "timestamp with time zone": lambda: datetime(2026, 11, 23, tzinfo=UTC) + timedelta(days=n),
        "date": lambda: datetime(2026, 11, 23 + n, tzinfo=UTC).date(),
        "interval": lambda: timedelta(hours=n),
        "jsonb": lambda: "{}",
        "text[]": lambda: [f"{name}-{n}"],
        "uuid[]": lambda: [uuid.uuid5(uuid.NAMESPACE_OID, f"{name}-{n}")],
    }
    numbers = dict.fromkeys(("smallint", "integer", "bigint", "real", "double precision", "numeric"), lambda: n + 1)
    arrays = dict.fromkeys(("smallint[]", "integer[]", "bigint[]"), lambda: [n + 1])
    known = values | numbers | arrays
    assert kind in known, f"{name} is of a type these tests make no values of ({kind}): add one"
    return known[kind]()


async def strip(url: str, service: str) -> dict[str, list[dict[str, Any]]]:
    """Take every law but the policies from the tables, and every limit but them from the application's role."""
    connection = await asyncpg.connect(url)
    await connection.execute("SET rujukan.scope = 'service'; SET session_replication_role = replica")
    await connection.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {application_role(service)}")
    for table, name in await connection.fetch(
        "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace"
        " AND contype IN ('f', 'c', 'p', 'u', 'x') ORDER BY contype <> 'f'"
    ):
        await connection.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    for (index,) in await connection.fetch(
        "SELECT indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
        " WHERE c.relnamespace = 'public'::regnamespace AND indisunique"
    ):
        await connection.execute(f"DROP INDEX {index}")
    await connection.execute(PROBE)
    rows: dict[str, list[dict[str, Any]]] = {}
    for (table,) in await connection.fetch(TABLES):
        if table == UNGUARDED:
            continue
        await connection.execute(f"ALTER TABLE {table} ADD COLUMN which integer, ADD COLUMN marked boolean")
        await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        await connection.execute(f"DELETE FROM {table}")
        columns = WALLS[service].get(table, SERVICE_ONLY).columns
        rows[table] = []
        for n, place in enumerate(PLACES):
            row: dict[str, Any] = {}
            for name, kind, needed in await connection.fetch(COLUMNS, table):
                if name in columns:
                    nobody = "" if needed else None
                    row[name] = place[columns[name]] or nobody
                elif name not in ("which", "marked"):
                    row[name] = value_of(kind, name, n)
            row["which"] = n
            rows[table].append(row)
            names, places = ", ".join(f'"{name}"' for name in row), ", ".join(f"${n}" for n in range(1, len(row) + 1))
            await connection.execute(
                f"INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE VALUES ({places})",
                *row.values(),
            )
        await connection.execute(f"CREATE TABLE probing.{table} AS SELECT {names} FROM {table}")
    await connection.execute(
        f"GRANT USAGE ON SCHEMA probing TO {application_role(service)};"
        f" GRANT SELECT ON ALL TABLES IN SCHEMA probing TO {application_role(service)}"
    )
    await connection.close()
    return rows


PROBE = """
CREATE SCHEMA probing;
-- What `look` finds after `act` was done by who has said `acting`, each time anew; NULL where it was refused.
CREATE FUNCTION probing.reached(acting jsonb[], act text, look text, looks_as_service boolean)
RETURNS TABLE (rows integer[]) LANGUAGE plpgsql AS $$
DECLARE one jsonb;
BEGIN
    FOREACH one IN ARRAY acting LOOP
        BEGIN
            PERFORM set_config('rujukan.' || s.key, s.value, TRUE) FROM jsonb_each_text(one) s;
            EXECUTE act;
            IF looks_as_service THEN
                PERFORM set_config('rujukan.scope', 'service', TRUE);
            END IF;
            EXECUTE 'SELECT coalesce(array_agg(n), ARRAY[]::integer[]) FROM (' || look || ') AS l (n)' INTO rows;
            RAISE EXCEPTION 'enough' USING ERRCODE = 'RJ000';
        EXCEPTION
            WHEN SQLSTATE 'RJ000' THEN NULL;
            WHEN insufficient_privilege THEN rows := NULL;
        END;
        RETURN NEXT;
    END LOOP;
END $$;
"""


@pytest.fixture(scope="module")
def bare(postgres_server: PostgresServer, background: Background) -> Iterator[Callable[[str], Bare]]:
    """`bare("notify")` is the stripped copy of that service's database, made once."""
    made: dict[str, tuple[str, Bare]] = {}

    def copy(service: str) -> Bare:
        if service not in made:
            name, urls = postgres_server.fresh(service)
            rows = background.run(strip(f"{postgres_server.url.rsplit('/', 1)[0]}/{name}", service))
            made[service] = name, Bare(urls.application, rows)
        return made[service][1]

    yield copy
    for name, _ in made.values():
        postgres_server.drop(name)


async def reached(
    connection: asyncpg.Connection, act: str, look: str, *, looks_as_service: bool = True
) -> list[set[int] | None]:
    """For each of the scopes, what was found after the act; None where that was refused."""
    acting = [json.dumps(dict(scope.settings)) for scope in SCOPES]
    rows = await connection.fetch("SELECT * FROM probing.reached($1, $2, $3, $4)", acting, act, look, looks_as_service)
    return [None if found is None else set(found) for (found,) in rows]


async def touched(connection: asyncpg.Connection, table: str, verb: str, rows: list[Any]) -> list[set[int]]:
    """For each of the scopes, the rows that this verb, without any condition of its own, reaches."""
    if verb == "SELECT":
        found = await reached(connection, "SELECT 1", f"SELECT which FROM {table}", looks_as_service=False)
    elif verb == "UPDATE":
        found = await reached(
            connection,
            f"UPDATE {table} SET marked = TRUE",
            f"SELECT which FROM {table} WHERE marked",
        )
    elif verb == "DELETE":
        found = await reached(
            connection,
            f"DELETE FROM {table}",
            f"SELECT n FROM generate_series(0, 3) n WHERE n NOT IN (SELECT which FROM {table})",
        )
    else:
        names = ", ".join(f'"{name}"' for name in rows[0])
        each = [
            await reached(
                connection,
                f"INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE"
                f" SELECT {names} FROM probing.{table} WHERE which = {n}",
                f"SELECT {n}",
            )
            for n in range(len(PLACES))
        ]
        found = [set().union(*(one or () for one in of_scope)) for of_scope in zip(*each, strict=True)]
    return [one or set() for one in found]


def allowed(service: str, table: str, verb: str, acting: Acting, rows: dict[str, list[Any]], n: int) -> bool:
    """What walls.py says of the row of a place."""
    if acting.is_service:
        return True
    for one in WALLS[service][table].open:
        if verb not in one.verbs.split() or (one.roles and not acting.has(*one.roles)):
            continue
        if isinstance(one.law, Parent):
            parent = one.law
            if allowed(service, parent.table, "SELECT", acting, rows, n) and (
                parent.law is None or parent.law(rows[parent.table][n], acting)
            ):
                return True
        elif one.law(rows[table][n], acting):
            return True
    return False


@pytest.mark.parametrize("service", WALLS)
async def test_every_table_is_walled_as_it_is_written_down(service: str, bare: Callable[[str], Bare]) -> None:
    connection = await asyncpg.connect(bare(service).url)

    found = await complaints(connection, WALLS[service])

    await connection.close()
    assert found == []


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(("service", "table"), [(service, table) for service in WALLS for table in WALLS[service]])
async def test_a_row_is_reached_by_who_may_and_by_nobody_else(
    service: str, table: str, verb: str, bare: Callable[[str], Bare]
) -> None:
    copy = bare(service)
    connection = await asyncpg.connect(copy.url, server_settings={"jit": "off"})  # as the services have it

    found = await touched(connection, table, verb, copy.rows[table])
    wrong = []
    for acting, reached_ in zip(SCOPES, found, strict=True):
        expected = {n for n in range(len(PLACES)) if allowed(service, table, verb, acting, copy.rows, n)}
        if reached_ != expected:
            wrong.append(({k: v[:40] for k, v in acting.settings.items()}, reached_, expected))

    await connection.close()
    assert wrong == [], "(who, what was reached, what may be)"


@pytest.mark.parametrize(
    ("service", "table"),
    [(s, t) for s in WALLS for t, owned in WALLS[s].items() if owned.columns and "UPDATE" in owned.verbs()],
)
async def test_no_row_is_given_to_who_could_not_have_been_given_it(
    service: str, table: str, bare: Callable[[str], Bare]
) -> None:
    copy, owned = bare(service), WALLS[service][table]
    connection = await asyncpg.connect(copy.url, server_settings={"jit": "off"})  # as the services have it
    names = ", ".join(owned.columns)

    for n, other in ((0, 1), (1, 0), (0, 2)):
        found = await reached(
            connection,
            f"UPDATE {table} SET marked = TRUE, ({names}) ="
            f" (SELECT {names} FROM probing.{table} WHERE which = {other}) WHERE which = {n}",
            f"SELECT which FROM {table} WHERE marked",
        )
        for acting, moved in zip(SCOPES, found, strict=True):
            may = [allowed(service, table, "UPDATE", acting, copy.rows, at) for at in (n, other)]
            assert moved == ({n} if all(may) else None if may[0] else set()), acting.settings

    await connection.close()


NGO = Actor("sari", "SBMI", frozenset({"ngo_member"}))
STRANGER = Actor("budi", "LBH", frozenset({"ngo_member"}))


class TestComplaints:
    """The check of the walls finds each kind of hole; see it fail here rather than there."""

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ("CREATE TABLE extra (extra_id uuid)", "extra has no entry"),
            ("CREATE TABLE extra (extra_id uuid)", "extra is not under ENABLE and FORCE"),
            ("ALTER TABLE tasks NO FORCE ROW LEVEL SECURITY", "tasks is not under ENABLE and FORCE"),
            ("ALTER TABLE tasks DISABLE ROW LEVEL SECURITY", "tasks is not under ENABLE and FORCE"),
            ("DROP POLICY service_itself ON tasks", "tasks has not the policy service_itself"),
            ("CREATE POLICY all_see ON journal USING (TRUE)", "journal is open for"),
            ("CREATE POLICY all_see ON journal FOR SELECT USING (TRUE)", "says service only"),
            ("CREATE POLICY hidden ON tasks AS RESTRICTIVE USING (TRUE)", "policy hidden is restrictive"),
            ("CREATE VIEW all_tasks AS SELECT * FROM tasks", "the view all_tasks reads with its maker's rights"),
            ("CREATE MATERIALIZED VIEW kept AS SELECT * FROM tasks", "the view kept reads with its maker's rights"),
            (
                "CREATE FUNCTION seen() RETURNS bigint SECURITY DEFINER LANGUAGE sql"
                " RETURN (SELECT count(*) FROM tasks)",
                "the function seen is SECURITY DEFINER",
            ),
            ("DROP TABLE heard_counts", "heard_counts is no table any more"),
        ],
    )
    async def test_name_the_hole(self, owner: asyncpg.Connection, change: str, said: str) -> None:
        await owner.execute(change)

        assert any(said in sentence for sentence in await complaints(owner, WALLS["notify"]))


@pytest.fixture
async def owner(database_urls: Any) -> AsyncIterator[asyncpg.Connection]:
    """The owner of notify's tables, who has not said that it acts as the service."""
    connection = await asyncpg.connect(database_urls("notify").owner.partition("?")[0])
    yield connection
    await connection.close()


@pytest.fixture
async def application(database_urls: Any, owner: asyncpg.Connection) -> AsyncIterator[asyncpg.Connection]:
    """The application's role in a database with a subscription of each of two organisations."""
    async with owner.transaction():
        await owner.execute("SET LOCAL rujukan.scope = 'service'")
        for organisation, n in (("SBMI", 1), ("LBH", 2)):
            await owner.execute(
                "INSERT INTO subscriptions VALUES ($1, $2, 'Posko', 'webhook', 'https://ngo.example/', '{}', '{}',"
                " '{}', '', 'active', NULL, now(), now())",
                uuid.UUID(int=n),
                organisation,
            )
    connection = await asyncpg.connect(database_urls("notify").application)
    yield connection
    await connection.close()


@asynccontextmanager
async def work_of(connection: asyncpg.Connection, actor: Actor) -> AsyncIterator[None]:
    await connection.execute(beginning(actor))
    try:
        yield
    finally:
        await connection.execute("ROLLBACK")


ORGANISATIONS = "SELECT organisation FROM subscriptions"


class TestOffSwitches:
    """Ways around policies that PostgreSQL has, each tried."""

    async def test_the_owner_sees_nothing_either(
        self, application: asyncpg.Connection, owner: asyncpg.Connection
    ) -> None:
        assert await owner.fetch(ORGANISATIONS) == []
        async with work_of(owner, NGO):
            assert await owner.fetch(ORGANISATIONS) == [("SBMI",)]

    async def test_a_view_or_function_of_the_owner_shows_what_its_asker_may_see(
        self, application: asyncpg.Connection, owner: asyncpg.Connection
    ) -> None:
        await owner.execute(
            "CREATE VIEW around AS SELECT organisation FROM subscriptions;"
            "CREATE FUNCTION around() RETURNS SETOF text SECURITY DEFINER LANGUAGE sql"
            " BEGIN ATOMIC SELECT organisation FROM subscriptions; END;"
            "GRANT SELECT ON around TO PUBLIC"
        )

        async with work_of(application, NGO):
            assert await application.fetch("SELECT organisation FROM around") == [("SBMI",)]
            assert await application.fetch("SELECT * FROM around()") == [("SBMI",)]

    async def test_copy_takes_out_what_the_actor_sees(self, application: asyncpg.Connection) -> None:
        copied = bytearray()

        async def take(data: bytes) -> None:
            copied.extend(data)

        async with work_of(application, NGO):
            await application.copy_from_table("subscriptions", columns=["organisation"], output=take)
            await application.copy_from_query(ORGANISATIONS, output=take)

        assert bytes(copied) == b"SBMI\n" * 2

    async def test_a_plan_that_is_kept_serves_each_actor_its_own(self, application: asyncpg.Connection) -> None:
        await application.execute("SET plan_cache_mode = force_generic_plan")
        kept = await application.prepare("SELECT organisation FROM subscriptions WHERE status = $1")

        for _ in range(7):
            async with work_of(application, NGO):
                assert await kept.fetch("active") == [("SBMI",)]
            async with work_of(application, STRANGER):
                assert await kept.fetch("active") == [("LBH",)]
            assert await kept.fetch("active") == []

    async def test_statistics_show_no_values(self, application: asyncpg.Connection, owner: asyncpg.Connection) -> None:
        await owner.execute("ANALYZE subscriptions")

        async with work_of(application, NGO):
            assert await application.fetch("SELECT attname FROM pg_stats WHERE tablename = 'subscriptions'") == []
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await application.fetch("SELECT starelid FROM pg_statistic")

    async def test_a_function_that_tells_on_its_arguments_is_asked_after_the_policies(
        self, application: asyncpg.Connection
    ) -> None:
        told: list[str] = []
        application.add_log_listener(lambda _, message: told.append(message.message))

        async with work_of(application, NGO):
            await application.execute(
                "CREATE FUNCTION pg_temp.tell(t text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS"
                " $$ BEGIN RAISE NOTICE '%', t; RETURN TRUE; END $$"
            )
            await application.fetch(ORGANISATIONS + " WHERE pg_temp.tell(organisation)")
        await asyncio.sleep(0)

        assert told == ["SBMI"]

    @pytest.mark.parametrize(
        "statement",
        [
            "SET ROLE rujukan_test_notify_owner",
            "SET SESSION AUTHORIZATION rujukan_test_notify_owner",
            "ALTER TABLE subscriptions DISABLE ROW LEVEL SECURITY",
            "ALTER TABLE subscriptions NO FORCE ROW LEVEL SECURITY",
            "CREATE POLICY all_see ON subscriptions USING (TRUE)",
            "DROP POLICY seen ON subscriptions",
            "ALTER FUNCTION acting_as_service() OWNER TO CURRENT_USER",
            "CREATE OR REPLACE FUNCTION public.acting_as_service() RETURNS boolean LANGUAGE sql RETURN TRUE",
            "TRUNCATE subscriptions CASCADE",
            "SET row_security = off; SELECT organisation FROM subscriptions",
        ],
    )
    async def test_the_application_cannot_switch_them_off(
        self, application: asyncpg.Connection, statement: str
    ) -> None:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await application.execute(statement)

    async def test_a_name_put_before_ours_changes_no_policy(self, application: asyncpg.Connection) -> None:
        async with work_of(application, NGO):
            await application.execute(
                "CREATE FUNCTION pg_temp.acting_as_service() RETURNS boolean LANGUAGE sql RETURN TRUE;"
                "SET LOCAL search_path = pg_temp, public"
            )

            assert await application.fetch("SELECT organisation FROM public.subscriptions") == [("SBMI",)]

    async def test_a_conflict_says_that_a_key_is_taken_and_nothing_of_the_row(
        self, application: asyncpg.Connection
    ) -> None:
        """That much PostgreSQL tells: so no key is chosen by who asks, unless its owner is part of it (`answers`)."""
        async with work_of(application, NGO):
            with pytest.raises(asyncpg.UniqueViolationError) as refused:
                await application.execute(
                    "INSERT INTO subscriptions VALUES ($1, 'SBMI', 'Posko', 'webhook', 'https://ngo.example/', '{}',"
                    " '{}', '{}', '', 'active', NULL, now(), now())",
                    uuid.UUID(int=2),
                )

        assert refused.value.detail is None

    async def test_a_row_that_breaks_a_law_is_not_repeated_in_the_error(self, application: asyncpg.Connection) -> None:
        async with work_of(application, NGO):
            with pytest.raises(asyncpg.CheckViolationError) as refused:
                await application.execute("UPDATE subscriptions SET name = ''")

        assert refused.value.detail is None
