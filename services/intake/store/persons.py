"""People as the data-protection officer sees them: by case, wherever they landed, in codes."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from services.intake.domain.lookups import Kind
from services.intake.store import match_keys
from services.intake.store.matches import ONE_PERSON
from shared.kit.work import Work


class Person(NamedTuple):
    """One person and all cases of theirs that share the person's key."""

    person_id: str
    case_ids: tuple[str, ...]


async def find(work: Work, case_id: str) -> Person | None:
    """The person of a case.

    # unscoped: an officer for the protection of data sees every port; policy says who that is.
    """
    row = await work.connection.fetchrow(
        "SELECT a.person_id, array_agg(a.case_id ORDER BY a.case_id) AS case_ids FROM arrivals a"
        " WHERE a.person_id = (SELECT person_id FROM arrivals WHERE case_id = $1) GROUP BY a.person_id",
        case_id,
    )
    return None if row is None else Person(str(row["person_id"]), tuple(map(str, row["case_ids"])))


async def find_by_end(work: Work, tail: str) -> list[str]:
    """The people of cases whose id ends with this; nearly always one.

    All cases are gone through, 0.6 s of a million: row security lets no index of a part of a column be used.

    # unscoped: an officer for the protection of data sees every port; policy says who that is.
    """
    rows = await work.connection.fetch(
        "SELECT DISTINCT person_id FROM arrivals WHERE right(case_id::text, 10) = $1 ORDER BY person_id", tail
    )
    return [str(row["person_id"]) for row in rows]


async def all_as_one(work: Work, person: Person) -> list[Person]:
    """The person, and whoever was decided to be the same one, each with the cases under their own key; in order.

    # unscoped: an officer for the protection of data sees every port; policy says who that is.
    """
    rows = await work.connection.fetch(
        f"{ONE_PERSON} SELECT a.person_id, array_agg(a.case_id ORDER BY a.case_id) AS case_ids"  # noqa: S608 - a constant
        " FROM arrivals a JOIN one USING (person_id) GROUP BY a.person_id ORDER BY a.person_id",
        [person.person_id],
    )
    return [Person(str(row["person_id"]), tuple(map(str, row["case_ids"]))) for row in rows]


class Case(NamedTuple):
    """What is kept of one case, in codes, and the sealed identity. `wrapped_key` is None once the person was erased."""

    case_id: str
    person_id: str
    port: str
    origin_regency: str | None
    sex: str
    age_band: str
    needs: tuple[str, ...]
    onward_wish: str
    channel: str
    arrived_at: datetime
    recorded_at: datetime
    sealed: bytes
    wrapped_key: bytes | None
    ended_as: str | None = None
    """`died` or `entered_in_error`; None while neither is known."""

    @property
    def is_erased(self) -> bool:
        return self.wrapped_key is None


async def list_cases(work: Work, person_ids: Sequence[str]) -> list[Case]:
    """All cases of these people, in the order of landing.

    # unscoped: an officer for the protection of data sees every port; policy says who that is.
    """
    rows = await work.connection.fetch(
        "SELECT a.case_id, a.person_id, a.port, a.origin_regency, a.sex, a.age_band, a.needs, a.onward_wish, a.channel,"
        " a.arrived_at, a.recorded_at, a.sealed, k.wrapped_key, a.ended_as"
        " FROM arrivals a LEFT JOIN person_keys k USING (person_id)"
        " WHERE a.person_id = ANY($1::uuid[]) ORDER BY a.case_id",
        person_ids,
    )
    return [
        Case(
            **{**row, "case_id": str(row["case_id"]), "person_id": str(row["person_id"]), "needs": tuple(row["needs"])}
        )
        for row in rows
    ]


async def reseal(work: Work, case_id: str, sealed: bytes) -> None:
    """Put a corrected identity, sealed under the person's same key, in the place of the one before.

    By what it says now, earlier returns are looked for anew.
    """
    await match_keys.forget(work, [case_id])
    await work.connection.execute("UPDATE arrivals SET sealed = $2 WHERE case_id = $1", case_id, sealed)


async def reindex(work: Work, person_id: str, kind: Kind, digest: bytes | None) -> None:
    """Let a person be found by another number than before, or by none of this kind."""
    if digest is None:
        await work.connection.execute("DELETE FROM blind_indexes WHERE person_id = $1 AND kind = $2", person_id, kind)
        return
    await work.connection.execute(
        "INSERT INTO blind_indexes (person_id, kind, digest) VALUES ($1, $2, $3)"
        " ON CONFLICT (person_id, kind) DO UPDATE SET digest = excluded.digest",
        person_id,
        kind,
        digest,
    )


async def destroy(work: Work, people: Sequence[Person]) -> None:
    """Destroy the keys of these people and blank whatever else in intake leads to who they were.

    With a key go its blind indexes (a trigger). What is left of an arrival are codes, and nobody is asked to complete
    it. Rows of theirs in lists that are not done with are emptied by `emptied_rows`.
    """
    case_ids = [case_id for person in people for case_id in person.case_ids]
    await work.connection.execute(
        "WITH keys AS (DELETE FROM person_keys WHERE person_id = ANY($1::uuid[])),"
        " identities AS (UPDATE arrivals SET sealed = '', manifest_row = NULL, unfinished = FALSE"
        " WHERE case_id = ANY($2::uuid[])),"
        " said AS (UPDATE requests SET content = '' WHERE case_id = ANY($2::uuid[])),"
        " proposed AS ("
        " UPDATE corrections SET decision = 'erased', decided_by = $4, decided_at = $3, sealed = ''"
        " WHERE person_id = ANY($1::uuid[]) AND decision IS NULL),"
        " ages AS (UPDATE age_proposals SET ended_as = 'erased', ended_by = $4, ended_at = $3, sealed = ''"
        " WHERE person_id = ANY($1::uuid[]) AND ended_as IS NULL),"
        " answered AS (UPDATE screenings SET sealed = '', place = '', language = '' WHERE person_id = ANY($1::uuid[])"
        " AND octet_length(sealed) > 0),"
        " spoken AS (UPDATE consents SET sealed = '' WHERE person_id = ANY($1::uuid[]) AND octet_length(sealed) > 0)"
        " UPDATE disclosure_grants SET ended_at = coalesce(ended_at, $3), completed = FALSE"
        " WHERE case_id = ANY($2::uuid[]) AND (ended_at IS NULL OR completed)",
        [person.person_id for person in people],
        case_ids,
        work.now,
        work.actor.id,
    )
