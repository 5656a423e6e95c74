"""Households, who belongs to them, and which adult answers for which child; of the actor's port."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple

from services.intake.domain.companions import Landing
from services.intake.domain.households import Household, Link, Member
from shared.contracts.codes import AgeBand
from shared.contracts.intake.households import HouseholdReason
from shared.kit.database import Database
from shared.kit.work import Work

HOUSEHOLD = ", ".join(f"h.{field.name}" for field in fields(Household))
MEMBER = (
    "m.household_id, m.case_id, a.sex, a.age_band, a.needs, m.joined_as, m.joined_by, m.joined_at, m.parted_for,"
    " m.parted_by, m.parted_at"
)
LINK_NAMES = tuple(field.name for field in fields(Link))
LINK = ", ".join(f"l.{name}" for name in LINK_NAMES)
LINKED = (
    "(SELECT * FROM guardian_links WHERE child_case_id = ANY($1::uuid[])"
    " UNION SELECT * FROM guardian_links WHERE adult_case_id = ANY($1::uuid[]) OFFSET 0) l"
)
"""Every link of these cases, of the child or of the adult. Two indexes lead there, where an OR, or what is asked of the
links beside it, may be planned as a walk through all there are.
"""


class Person(NamedTuple):
    """Somebody who landed, as far as belonging together takes it. `household_id`: where the person belongs now."""

    case_id: str
    age_band: AgeBand
    needs: tuple[str, ...]
    household_id: str | None
    ended_as: str | None


async def find_people(work: Work, case_ids: Sequence[str]) -> dict[str, Person]:
    """Those of these cases that landed at the actor's port."""
    rows = await work.connection.fetch(
        "SELECT a.case_id, a.age_band, a.needs, a.ended_as, m.household_id FROM arrivals a"
        " LEFT JOIN household_members m ON m.case_id = a.case_id AND m.parted_at IS NULL"
        " WHERE a.case_id = ANY($1::uuid[]) AND a.port = $2",
        case_ids,
        work.actor.port,
    )
    return {
        str(row["case_id"]): Person(
            str(row["case_id"]),
            row["age_band"],
            tuple(row["needs"]),
            row["household_id"] and str(row["household_id"]),
            row["ended_as"],
        )
        for row in rows
    }


async def list_landings(work: Work, case_ids: Sequence[str]) -> list[Landing]:
    """Those of these cases that landed at the actor's port."""
    rows = await work.connection.fetch(
        "SELECT case_id::text, age_band, voyage_id::text, arrived_at, ended_as FROM arrivals"
        " WHERE case_id = ANY($1::uuid[]) AND port = $2 ORDER BY case_id",
        case_ids,
        work.actor.port,
    )
    return [Landing(**row) for row in rows]


class Landed(NamedTuple):
    """Somebody who landed with a person, as a list offers them: no name."""

    case_id: str
    manifest_row: int | None
    sex: str
    age_band: str
    ended_as: str | None


async def list_landed_with(work: Work, case_id: str, *, limit: int) -> list[Landed]:
    """Who landed with the same voyage as a case of the actor's port, itself included; without a voyage nobody else."""
    rows = await work.connection.fetch(
        "SELECT o.case_id, o.manifest_row, o.sex, o.age_band, o.ended_as FROM arrivals a JOIN arrivals o"
        " ON o.case_id = a.case_id OR (o.voyage_id = a.voyage_id AND o.port = a.port)"
        " WHERE a.case_id = $1 AND a.port = $2 ORDER BY o.case_id = a.case_id DESC, o.manifest_row, o.case_id LIMIT $3",
        case_id,
        work.actor.port,
        limit,
    )
    return [Landed(**{**row, "case_id": str(row["case_id"])}) for row in rows]


async def find_household(work: Work, household_id: str) -> Household | None:
    """A household of the actor's port."""
    row = await work.connection.fetchrow(
        f"SELECT {HOUSEHOLD} FROM households h WHERE h.household_id = $1 AND h.port = $2",  # noqa: S608 - a constant
        household_id,
        work.actor.port,
    )
    return None if row is None else Household(**{**row, "household_id": str(row["household_id"])})


async def list_members(work: Work, household_id: str) -> list[Member]:
    """Who belongs or belonged to a household of the actor's port, those of now first."""
    rows = await work.connection.fetch(
        f"SELECT {MEMBER} FROM household_members m JOIN arrivals a USING (case_id)"  # noqa: S608 - a constant
        " WHERE m.household_id = $1 AND m.port = $2 ORDER BY m.parted_at NULLS FIRST, m.joined_at, m.case_id",
        household_id,
        work.actor.port,
    )
    return [_member(row) for row in rows]


async def list_links(work: Work, case_ids: Sequence[str]) -> list[Link]:
    """Every link of these cases at the actor's port, of the child or of the adult, ended ones too; oldest first."""
    rows = await work.connection.fetch(
        f"SELECT {LINK} FROM {LINKED} WHERE l.port = $2 ORDER BY l.link_id",  # noqa: S608 - constants
        case_ids,
        work.actor.port,
    )
    return [_link(row) for row in rows]


async def is_alone_by_death(work: Work, case_id: str) -> bool:
    """True for a child that nobody answers for any more since a death was noted.

    # unscoped: of a case that was found in the actor's own scope
    """
    found: bool = await work.connection.fetchval(
        "SELECT coalesce(bool_or(ended_for = 'died'), FALSE) AND NOT coalesce(bool_or(state = 'confirmed'), FALSE)"
        " FROM guardian_links WHERE child_case_id = $1",
        case_id,
    )
    return found


async def list_standing(work: Work, case_id: str) -> list[Link]:
    """The links of a case, of the child or of the adult, that are asked for or confirmed.

    # unscoped: of a case that was found in the actor's own scope
    """
    rows = await work.connection.fetch(
        f"SELECT {LINK} FROM {LINKED} WHERE l.ended_at IS NULL ORDER BY l.link_id",  # noqa: S608 - constants
        [case_id],
    )
    return [_link(row) for row in rows]


async def end_link(work: Work, after: Link) -> bool:
    """Write that a link has ended with one of its people, or that nobody confirmed it; the child's case is locked.

    False where somebody else was first.
    # unscoped: found through a case of the actor's own scope
    """
    done: str = await work.connection.execute(
        "UPDATE guardian_links SET state = $2, version = $3, ended_for = $4, ended_by = $5, ended_at = $6"
        " WHERE link_id = $1 AND version = $3 - 1",
        after.link_id,
        after.state,
        after.version,
        after.ended_for,
        after.ended_by,
        after.ended_at,
    )
    return done == "UPDATE 1"


async def find_link(work: Work, link_id: str) -> Link | None:
    """A link of the actor's port."""
    row = await work.connection.fetchrow(
        f"SELECT {LINK} FROM guardian_links l WHERE l.link_id = $1 AND l.port = $2",  # noqa: S608 - a constant
        link_id,
        work.actor.port,
    )
    return None if row is None else _link(row)


async def list_proposed(work: Work, *, limit: int) -> list[Link]:
    """What waits for a second person at the actor's port, the longest first."""
    rows = await work.connection.fetch(
        f"SELECT {LINK} FROM guardian_links l WHERE l.port = $1 AND l.state = 'proposed'"  # noqa: S608 - a constant
        " ORDER BY l.proposed_at, l.link_id LIMIT $2",
        work.actor.port,
        limit,
    )
    return [_link(row) for row in rows]


async def list_lapsed(work: Work, *, before: datetime, limit: int) -> list[Link]:
    """Links asked for before then that still wait for a second person. # unscoped: the clock works for every port"""
    rows = await work.connection.fetch(
        f"SELECT {LINK} FROM guardian_links l WHERE l.state = 'proposed' AND l.proposed_at <= $1"  # noqa: S608
        " ORDER BY l.proposed_at LIMIT $2",
        before,
        limit,
    )
    return [_link(row) for row in rows]


async def current_of(database: Database, case_ids: Sequence[str]) -> dict[str, str]:
    """The household of each of these cases that is in one. # unscoped: cases of a voyage that policy has let pass"""
    rows = await database.fetch(
        "SELECT case_id, household_id FROM household_members WHERE case_id = ANY($1::uuid[]) AND parted_at IS NULL",
        case_ids,
    )
    return {str(row["case_id"]): str(row["household_id"]) for row in rows}


async def list_parted(work: Work, case_ids: Sequence[str]) -> set[str]:
    """Those of these cases of the actor's port that a person has parted from a household once."""
    rows = await work.connection.fetch(
        "SELECT DISTINCT case_id FROM household_members"
        " WHERE case_id = ANY($1::uuid[]) AND parted_at IS NOT NULL AND port = $2",
        case_ids,
        work.actor.port,
    )
    return {str(row["case_id"]) for row in rows}


async def add_households(work: Work, household_ids: Sequence[str]) -> None:
    """Form households at the actor's port; those that are there stay as they are."""
    await work.connection.execute(
        "INSERT INTO households (household_id, port, formed_at, changed_by, changed_at)"
        " SELECT id, $2, $4, $3, $4 FROM unnest($1::uuid[]) AS id ON CONFLICT DO NOTHING",
        household_ids,
        work.actor.port,
        work.actor.id,
        work.now,
    )


async def add_members(work: Work, members: Sequence[tuple[str, str]], reason: HouseholdReason) -> set[str]:
    """Let these (household, case) belong together from now on; answers the cases that belonged nowhere."""
    rows = await work.connection.fetch(
        "INSERT INTO household_members (household_id, case_id, port, joined_as, joined_by, joined_at)"
        " SELECT household_id, case_id, $3, $4, $5, $6 FROM unnest($1::uuid[], $2::uuid[]) AS m (household_id, case_id)"
        " ORDER BY case_id ON CONFLICT (case_id) WHERE parted_at IS NULL DO NOTHING RETURNING case_id",
        [household_id for household_id, _ in members],
        [case_id for _, case_id in members],
        work.actor.port,
        reason,
        work.actor.id,
        work.now,
    )
    return {str(row["case_id"]) for row in rows}


async def part(work: Work, case_id: str, reason: HouseholdReason) -> None:
    """Somebody belongs to a household no longer; it stays known that they did."""
    await work.connection.execute(
        "UPDATE household_members SET parted_for = $2, parted_by = $3, parted_at = $4"
        " WHERE case_id = $1 AND parted_at IS NULL AND port = $5",
        case_id,
        reason,
        work.actor.id,
        work.now,
        work.actor.port,
    )


async def touch(work: Work, household_id: str, *, version: int | None) -> bool:
    """A household is changed by the actor now; False when it is not of this version any more (None: whichever)."""
    return bool(
        await work.connection.fetchval(
            "UPDATE households SET version = version + 1, changed_by = $3, changed_at = $4"
            " WHERE household_id = $1 AND ($2::integer IS NULL OR version = $2) AND port = $5 RETURNING TRUE",
            household_id,
            version,
            work.actor.id,
            work.now,
            work.actor.port,
        )
    )


async def touch_all(work: Work, household_ids: Sequence[str]) -> None:
    """These households are changed by the actor now."""
    await work.connection.execute(
        "UPDATE households SET version = version + 1, changed_by = $2, changed_at = $3"
        " WHERE household_id = ANY($1::uuid[]) AND port = $4",
        household_ids,
        work.actor.id,
        work.now,
        work.actor.port,
    )


async def list_cases_now(work: Work, household_ids: Sequence[str]) -> dict[str, list[str]]:
    """Whose cases belong to each of these households of the actor's port now, in the order of joining."""
    rows = await work.connection.fetch(
        "SELECT m.household_id, m.case_id"
        # OFFSET 0: who belongs to any household now would be gone through for these, by a plan that was made early.
        " FROM (SELECT * FROM household_members WHERE household_id = ANY($1::uuid[]) OFFSET 0) m"
        " WHERE m.port = $2 AND m.parted_at IS NULL"
        " ORDER BY m.household_id, m.joined_at, m.case_id",
        household_ids,
        work.actor.port,
    )
    found: dict[str, list[str]] = {household_id: [] for household_id in household_ids}
    for row in rows:
        found[str(row["household_id"])].append(str(row["case_id"]))
    return found


async def add_links(work: Work, links: Sequence[Link]) -> set[str]:
    """Keep these links; answers the ids of those whose child and adult were not linked already."""
    columns = ", ".join(LINK_NAMES)
    kinds = (
        "uuid", "uuid", "uuid", "text", "text", "text", "text", "integer", "boolean", "text", "timestamptz", "text",
        "timestamptz", "text", "text", "timestamptz",
    )  # fmt: skip
    arrays = ", ".join(f"${n}::{kind}[]" for n, kind in enumerate(kinds, 1))
    rows = await work.connection.fetch(
        f"INSERT INTO guardian_links ({columns}) SELECT * FROM unnest({arrays})"  # noqa: S608 - constants
        " ON CONFLICT (child_case_id, adult_case_id) WHERE ended_at IS NULL DO NOTHING RETURNING link_id",
        *zip(*map(attrgetter(*LINK_NAMES), links), strict=True),
    )
    return {str(row["link_id"]) for row in rows}


async def save_link(work: Work, after: Link) -> None:
    """Write where a link of the actor's port stands; its case is locked."""
    await work.connection.execute(
        "UPDATE guardian_links SET state = $2, version = $3, confirmed_by = $4, confirmed_at = $5, ended_for = $6,"
        " ended_by = $7, ended_at = $8 WHERE link_id = $1 AND version = $3 - 1 AND port = $9",
        after.link_id,
        after.state,
        after.version,
        after.confirmed_by,
        after.confirmed_at,
        after.ended_for,
        after.ended_by,
        after.ended_at,
        work.actor.port,
    )


async def describe_link(work: Work, after: Link) -> None:
    """Write what the adult of a link is to the child and what shows it; the child's case is locked.

    # unscoped: found at the actor's own port
    """
    await work.connection.execute(
        "UPDATE guardian_links SET relation = $2, proof = $3, version = $4 WHERE link_id = $1 AND version = $4 - 1",
        after.link_id,
        after.relation,
        after.proof,
        after.version,
    )


class Belonging(NamedTuple):
    """That somebody belonged to a household, for the person; `others`: how many others belong to it now."""

    case_id: str
    household_id: str
    joined_as: str
    joined_at: Any
    parted_for: str | None
    parted_at: Any
    others: int


async def of_cases(work: Work, case_ids: Sequence[str]) -> tuple[list[Belonging], list[Link]]:
    """All that is kept of the belonging of these cases, oldest first.

    # unscoped: an officer for the protection of data sees every port
    """
    rows = await work.connection.fetch(
        "SELECT m.case_id, m.household_id, m.joined_as, m.joined_at, m.parted_for, m.parted_at,"
        " (SELECT count(*) FROM household_members o WHERE o.household_id = m.household_id AND o.parted_at IS NULL"
        "  AND o.case_id <> m.case_id) AS others"
        " FROM household_members m WHERE m.case_id = ANY($1::uuid[]) ORDER BY m.joined_at, m.case_id",
        case_ids,
    )
    links = await work.connection.fetch(
        f"SELECT {LINK} FROM {LINKED} ORDER BY l.link_id",  # noqa: S608 - constants
        case_ids,
    )
    belonging = [
        Belonging(**{**row, "case_id": str(row["case_id"]), "household_id": str(row["household_id"])}) for row in rows
    ]
    return belonging, [_link(row) for row in links]


def _member(row: Mapping[str, Any]) -> Member:
    ids = {name: str(row[name]) for name in ("household_id", "case_id")}
    return Member(**{**row, **ids, "needs": tuple(row["needs"])})


def _link(row: Mapping[str, Any]) -> Link:
    return Link(**{**row, **{name: str(row[name]) for name in ("link_id", "child_case_id", "adult_case_id")}})
