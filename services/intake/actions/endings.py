"""Arrivals that end: entered in error, or the person has died. Who was linked to them is linked no longer."""

from datetime import date

from services.intake.actions import households, matches
from services.intake.actions.arrival_corrections import about, expected, write
from services.intake.actions.arrivals import day_at
from services.intake.domain import arrival_corrections as domain
from services.intake.domain.arrival_corrections import DeathPlace, ErrorReason, Kept
from services.intake.domain.refusals.arrival_corrections import DuplicateUnfit
from services.intake.store import arrival_corrections as store
from services.intake.store import deaths
from shared.contracts import codes
from shared.contracts.intake.arrivals import ArrivalEnteredInError, DeathDoubtEnded, PersonDied
from shared.kit.work import Work


async def enter_in_error(
    work: Work, case_id: str, *, version: int, reason: ErrorReason, duplicate_of: str | None
) -> Kept:
    """The arrival is none; what is going on for it ends. Raises as `expected`, and `DuplicateUnfit`."""
    # Both are locked: of two that are said to be one at once, either way round, one stays.
    kept = await expected(work, case_id, version, beside=duplicate_of)
    duplicate = None if duplicate_of is None else await store.find(work, duplicate_of)
    if duplicate_of is not None and duplicate is None:
        raise DuplicateUnfit
    corrected = domain.enter_in_error(kept, reason=reason, duplicate=duplicate)
    fact = ArrivalEnteredInError(**about(corrected[0]), reason=reason, duplicate_of=duplicate_of)
    after = await write(work, corrected, fact)
    if doubt_id := await deaths.end(work, case_id, "overtaken"):
        work.record(DeathDoubtEnded(case_id=case_id, doubt_id=doubt_id, how="overtaken"))
    await households.end_with_person(work, after, reason="in_error")
    await households.leave_in_error(work, case_id)
    await matches.end_in_error(work, case_id)
    return after


async def note_death(work: Work, case_id: str, *, version: int, died_on: date, place: DeathPlace) -> Kept:
    """Somebody has died; a child whom nobody else answers for is alone. Raises as `expected`, `DeathNotPossible`."""
    kept = await expected(work, case_id, version)
    port = codes.ports()[kept.port]
    corrected = domain.note_death(
        kept,
        died_on=died_on,
        place=place,
        landed_on=day_at(port, kept.arrived_at),
        today=day_at(port, work.now),
    )
    after = await write(work, corrected, PersonDied(**about(corrected[0]), died_on=died_on, place=place))
    await households.end_with_person(work, after, reason="died")
    return after
