"""Statements on the kit's `revocations`: which organisations are told nothing, because their access was taken away."""

from shared.kit.work import Work

KEPT_OUT = "v.barred_at > coalesce(v.restored_at, '-infinity')"
IS_KEPT_OUT = f"""EXISTS (SELECT FROM revocations v
    WHERE v.scope = 'organisation' AND v.code = s.organisation AND {KEPT_OUT})"""
"""True for a subscription `s` of such an organisation. Its notices are held back as by a pause."""
LET_IN_AT = """(SELECT v.restored_at FROM revocations v
    WHERE v.scope = 'organisation' AND v.code = s.organisation)"""
"""When the organisation of a subscription `s` was let in again, NULL where it never was."""


async def list_kept_out(work: Work) -> list[str]:
    """The organisations whose access was taken away. # unscoped: the clock acts for all organisations"""
    rows = await work.connection.fetch(
        f"SELECT v.code FROM revocations v WHERE v.scope = 'organisation' AND {KEPT_OUT}"  # noqa: S608 - a constant piece
    )
    return [row["code"] for row in rows]
