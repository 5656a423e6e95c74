"""Does row-level security hold for the role a service uses in its database? Asked before it serves, and by `check`."""

from shared.kit.database import Database

STANDING = """
SELECT r.rolname AS role, r.rolsuper AS superuser, r.rolbypassrls AS bypasses,
    (
        SELECT string_agg(c.relname, ', ' ORDER BY c.relname) FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v')
            AND pg_has_role(r.oid, c.relowner, 'MEMBER')
    ) AS owned,
    (
        SELECT string_agg(c.relname, ', ' ORDER BY c.relname) FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname <> 'schema_migrations'
            AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
    ) AS unguarded
FROM pg_roles r WHERE r.rolname = current_user
"""


async def findings(database: Database) -> list[str]:
    """Why row-level security would not hold for this service, a sentence each with the remedy; empty when it does."""
    [row] = await database.fetch(STANDING)
    role = f"the database role {row['role']}"
    found = []
    if row["superuser"]:
        found.append(f"{role} is a superuser, whom no policy binds: make it NOSUPERUSER, or use another")
    if row["bypasses"]:
        found.append(f"{role} has BYPASSRLS, so no policy binds it: make it NOBYPASSRLS, or use another")
    if row["owned"] and not row["superuser"]:
        found.append(
            f"{role} owns tables or belongs to who does ({row['owned']}), so it could switch their policies off:"
            " set DATABASE_URL to a role of its own and MIGRATION_DATABASE_URL to the owner, then run `migrate`"
        )
    if row["unguarded"]:
        found.append(
            f"tables without FORCE ROW LEVEL SECURITY: {row['unguarded']}: run"
            f" `python -m services.{database.service} migrate`"
        )
    return found
