"""`make schema`: write each service's schema.sql, the result of its migrations, as PostgreSQL itself describes it.

pg_dump's text differs from version to version; this one does not.
"""

import asyncio
import os
import tempfile
from pathlib import Path

import asyncpg

from deploy.local import folder, ports, postgres, supervisor
from shared.kit.database import migrate

SERVICES = Path(__file__).parents[1] / "services"
NAMES = ("intake", "referral", "notify", "audit")

TABLES = """
SELECT c.oid, c.relname, obj_description(c.oid) AS said
FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname <> 'schema_migrations'
ORDER BY c.relname COLLATE "C"
"""
COLUMNS = """
SELECT a.attname, format_type(a.atttypid, a.atttypmod) AS kind, a.attnotnull, a.attidentity,
    pg_get_expr(d.adbin, d.adrelid) AS fallback
FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
"""
# NOT NULL stands beside the column; newer servers list it as a constraint too.
CONSTRAINTS = """
SELECT conname, pg_get_constraintdef(oid) AS law FROM pg_constraint
WHERE conrelid = $1 AND contype IN ('p', 'u', 'f', 'c', 'x')
ORDER BY array_position(ARRAY['p', 'u', 'x', 'f', 'c'], contype::text), conname COLLATE "C"
"""
INDEXES = """
SELECT pg_get_indexdef(i.indexrelid) AS made FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = $1
    AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype <> 'f')
ORDER BY c.relname COLLATE "C"
"""
TRIGGERS = """
SELECT pg_get_triggerdef(oid) AS made FROM pg_trigger
WHERE tgrelid = $1 AND NOT tgisinternal ORDER BY tgname COLLATE "C"
"""
GUARDS = """
SELECT 'ALTER TABLE ' || c.relname || ' ' || said.what || ' ROW LEVEL SECURITY' AS made
FROM pg_class c, (VALUES (1, 'ENABLE'), (2, 'FORCE')) AS said (n, what)
WHERE c.oid = $1 AND CASE said.n WHEN 1 THEN c.relrowsecurity ELSE c.relforcerowsecurity END
ORDER BY said.n
"""
POLICIES = """
SELECT concat_ws(
    ' ',
    'CREATE POLICY ' || p.polname || ' ON ' || c.relname,
    CASE WHEN NOT p.polpermissive THEN 'AS RESTRICTIVE' END,
    'FOR ' || CASE p.polcmd
        WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL'
    END,
    'TO ' || (
        SELECT string_agg(CASE r.who WHEN 0 THEN 'PUBLIC' ELSE r.who::regrole::text END, ', ')
        FROM unnest(p.polroles) AS r (who)
    ),
    'USING (' || pg_get_expr(p.polqual, p.polrelid) || ')',
    'WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')'
) AS made
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
WHERE p.polrelid = $1 ORDER BY p.polname COLLATE "C"
"""
VIEWS = """
SELECT relname, oid, ' WITH (' || array_to_string(reloptions, ', ') || ')' AS options FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind = 'v'
ORDER BY relname COLLATE "C"
"""
FUNCTIONS = """
SELECT pg_get_functiondef(p.oid) AS made FROM pg_proc p
WHERE p.pronamespace = 'public'::regnamespace
    AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
ORDER BY p.proname COLLATE "C"
"""


async def described(connection: asyncpg.Connection) -> str:
    """The tables, constraints, indexes, triggers, policies, views and functions of a database, as text."""
    parts = ["-- Generated from the migrations by `make schema`; do not edit.\n"]
    for table in await connection.fetch(TABLES):
        lines = []
        for column in await connection.fetch(COLUMNS, table["oid"]):
            identity = " GENERATED ALWAYS AS IDENTITY" if column["attidentity"] == b"a" else ""
            needed = " NOT NULL" if column["attnotnull"] else ""
            fallback = f" DEFAULT {column['fallback']}" if column["fallback"] else ""
            lines.append(f"    {column['attname']} {column['kind']}{needed}{identity}{fallback}")
        for constraint in await connection.fetch(CONSTRAINTS, table["oid"]):
            lines.append(f"    CONSTRAINT {constraint['conname']} {constraint['law']}")  # noqa: PERF401
        said = f"-- {table['said']}\n" if table["said"] else ""
        parts.append(f"{said}CREATE TABLE {table['relname']} (\n" + ",\n".join(lines) + "\n);")
        parts += [f"{row['made']};" for row in await connection.fetch(INDEXES, table["oid"])]
        parts += [f"{row['made']};" for row in await connection.fetch(TRIGGERS, table["oid"])]
        parts += [f"{row['made']};" for row in await connection.fetch(GUARDS, table["oid"])]
        parts += [f"{row['made']};" for row in await connection.fetch(POLICIES, table["oid"])]
        parts.append("")
    for view in await connection.fetch(VIEWS):
        body = await connection.fetchval("SELECT pg_get_viewdef($1::oid)", view["oid"])
        parts.append(f"CREATE VIEW {view['relname']}{view['options'] or ''} AS\n{body}\n")
    parts += [f"{row['made'].rstrip()};\n" for row in await connection.fetch(FUNCTIONS)]
    return "\n".join(parts).replace("public.", "").rstrip() + "\n"


async def write() -> None:
    """Start a PostgreSQL, migrate a database per service, and write what came of it."""
    with tempfile.TemporaryDirectory(prefix="rujukan-schema-") as name:
        scratch = Path(name)
        scratch.chmod(0o755)
        server = await postgres.prepare(
            *(scratch / "postgres", scratch / "initdb.log"),
            port=ports.free(),
            password=folder.new_secret(),
            environment=os.environ,
            durable=False,
        )
        child = server.child()
        process = supervisor.spawn(child, scratch / "postgres.log")
        try:
            await supervisor.wait_ready(child, process, scratch / "postgres.log")
            for service in NAMES:
                admin = await asyncpg.connect(server.url())
                await admin.execute(f"CREATE DATABASE {service}")
                await admin.close()
                await migrate(server.url(database=service), [SERVICES / service / "migrations"])
                connection = await asyncpg.connect(server.url(database=service))
                (SERVICES / service / "schema.sql").write_text(await described(connection), encoding="utf-8")
                await connection.close()
        finally:
            await supervisor.end(process, child.stop_signal, child.stop_s)


if __name__ == "__main__":
    asyncio.run(write())
