"""Announcing voyages and telling how they stand."""

from datetime import datetime

from services.intake import policy
from services.intake.actions import totals
from services.intake.actions.arrivals import port_of
from services.intake.actions.totals import Said
from services.intake.domain.refusals.voyages import ExpectedFarOff, VoyageUnknown
from services.intake.domain.voyages import Modality, Report, Voyage, is_near
from services.intake.store import voyage_corrections
from services.intake.store import voyages as store
from shared.contracts.intake.voyages import VoyageAnnounced
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.ids import new_id
from shared.kit.work import Work


async def announce_voyage(
    work: Work, *, modality: Modality, vessel: str, announced: int, expected_at: datetime, letter: Said | None = None
) -> Voyage:
    """Announce a voyage at the actor's port; what is announced is kept as its first letter.

    Raises `NotAllowed`, `ExpectedFarOff`, `PartUnknown`, `PartTwice`.
    """
    port = port_of(work.actor)
    if not is_near(expected_at, work.now):
        raise ExpectedFarOff
    voyage = Voyage(new_id(), port.code, modality, vessel, announced, expected_at)
    await store.add(work, voyage)
    work.emit(
        VoyageAnnounced(
            case_id=voyage.voyage_id, port=port.code, modality=modality, announced=announced, expected_at=expected_at
        )
    )
    if announced or letter is not None:
        await totals.keep(work, voyage.voyage_id, letter or Said("letter", announced))
    return voyage


async def report_voyage(database: Database, actor: Actor, voyage_id: str) -> Report:
    """A voyage of the actor's port with everything that is counted of it. Raises `NotAllowed`, `VoyageUnknown`."""
    port_of(actor)
    async with database.work(actor, purpose="look") as work:
        sighting = await store.sighted(work, voyage_id)
        if sighting is None or not policy.works_at(actor, sighting.voyage.port):
            raise VoyageUnknown
        kinds = await store.needs_by_kind(work, voyage_id)
        steps = await voyage_corrections.list_steps(work, voyage_id)
    return Report(
        sighting.voyage,
        sighting.counts,
        needs={need: people for need, (people, _) in kinds.items()},
        opened={need: opened for need, (_, opened) in kinds.items()},
        steps=steps,
    )


async def find_voyage(database: Database, actor: Actor, voyage_id: str) -> Voyage:
    """A voyage of the actor's port. Raises `NotAllowed`, `VoyageUnknown`."""
    port_of(actor)
    async with database.work(actor, purpose="look") as work:
        voyage = await store.find(work, voyage_id)
    if voyage is None or not policy.works_at(actor, voyage.port):
        raise VoyageUnknown
    return voyage
