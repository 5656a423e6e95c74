"""Parts of statements that ask the kit's `revocations` which organisations are told nothing."""

IS_KEPT_OUT = """EXISTS (SELECT FROM revocations v
    WHERE v.scope = 'organisation' AND v.code = s.organisation
        AND v.barred_at > coalesce(v.restored_at, '-infinity'))"""
"""True for a subscription `s` of such an organisation. Its notices are held back as by a pause."""
LET_IN_AT = """(SELECT v.restored_at FROM revocations v
    WHERE v.scope = 'organisation' AND v.code = s.organisation)"""
"""When the organisation of a subscription `s` was let in again, NULL where it never was."""
