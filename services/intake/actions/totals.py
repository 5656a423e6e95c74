"""Keeping what letters, minutes and counts say of a voyage."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from services.intake.actions.arrivals import port_of
from services.intake.domain.refusals.totals import PartTwice, PartUnknown, TotalsUnknown, TotalsWithdrawn
from services.intake.domain.refusals.voyages import VoyageUnknown
from services.intake.domain.totals import Kind, Part, Totals, WithdrawReason, checked
from services.intake.store import totals as store
from services.intake.store import voyages
from shared.contracts.intake.voyages import VoyageTotalsRecorded, VoyageTotalsWithdrawn
from shared.kit import words
from shared.kit.ids import new_id
from shared.kit.words import Language, msg
from shared.kit.work import Work


@dataclass(frozen=True, slots=True)
class Said:
    """What one paper or one count says; the fields are those of `Totals`."""

    kind: Kind
    heads: int
    number: str = ""
    dated: date | None = None
    issued_by: str = ""
    depot: str = ""
    parts: Sequence[Part] = ()


async def record_totals(work: Work, voyage_id: str, said: Said, *, replaces: str | None = None) -> Totals:
    """Keep what a paper says of a voyage of the actor's port; it may take the place of what was kept before.

    Raises `NotAllowed`, `VoyageUnknown`, `PartUnknown`, `PartTwice`, `TotalsUnknown`, `TotalsWithdrawn`.
    """
    port_of(work.actor)
    if await voyages.find(work, voyage_id) is None:
        raise VoyageUnknown
    if replaces is not None:
        replaced = await _withdraw(work, replaces, "replaced")
        if replaced.voyage_id != voyage_id:
            raise TotalsUnknown
    return await keep(work, voyage_id, said)


async def keep(work: Work, voyage_id: str, said: Said) -> Totals:
    """Keep what is said of a voyage that the caller knows to be the actor's port's."""
    totals = Totals(
        source_id=new_id(),
        voyage_id=voyage_id,
        kind=said.kind,
        heads=said.heads,
        recorded_by=work.actor.id,
        recorded_at=work.now,
        number=said.number,
        dated=said.dated,
        issued_by=said.issued_by,
        depot=said.depot,
        parts=checked(said.parts),
    )
    await store.add(work, totals)
    work.record(
        VoyageTotalsRecorded(case_id=voyage_id, source_id=totals.source_id, kind=totals.kind, heads=totals.heads)
    )
    return totals


async def withdraw_totals(work: Work, source_id: str, *, reason: WithdrawReason) -> Totals:
    """Let a paper count no more. Raises `NotAllowed`, `TotalsUnknown`, `TotalsWithdrawn`."""
    port_of(work.actor)
    return await _withdraw(work, source_id, reason)


async def _withdraw(work: Work, source_id: str, reason: WithdrawReason) -> Totals:
    totals = await store.find(work, source_id)
    if totals is None:
        raise TotalsUnknown
    if not await store.withdraw(work, source_id, reason=reason):
        raise TotalsWithdrawn
    work.record(VoyageTotalsWithdrawn(case_id=totals.voyage_id, source_id=source_id, reason=reason))
    return totals


def problem_of_part(language: Language, wrong: PartUnknown | PartTwice) -> tuple[str, str]:
    """What is wrong with a part of a head count, and the remedy, in words."""
    if isinstance(wrong, PartTwice):
        told = msg("“%(value)s” stands there twice.")
        return (
            words.translate(language, told, value=wrong.value),
            words.translate(language, msg("Add the numbers up and write it once.")),
        )
    return (
        words.translate(language, msg("“%(value)s” is nothing that heads are counted by here."), value=wrong.value),
        words.translate(language, msg("Use one of: %(known)s."), known=wrong.known),
    )
