"""Completing who somebody is that was logged in a hurry, by the port where they landed."""

from collections.abc import Mapping
from datetime import date

from services.intake.actions import arrival_corrections
from services.intake.actions.arrivals import day_at
from services.intake.domain.arrival_corrections import Kept, expect_kept
from services.intake.domain.completing import completed
from services.intake.domain.corrections import keeps_age_band
from services.intake.domain.refusals.identities import AgeBandWouldChange, PersonErasedBefore
from services.intake.store import arrivals, disclosures, persons
from services.intake.store.vault import Sealed, Vault
from services.intake.store.vault.resealing import reseal
from shared.contracts import codes
from shared.contracts.intake import IdentityCorrected
from shared.kit.work import Work


async def complete_identity(
    work: Work, vault: Vault, case_id: str, said: Mapping[str, str], *, version: int, origin: str | None = None
) -> Kept:
    """Fill what is empty of an identity of the actor's port, and the origin where none is known.

    `said`: fields as `corrections.read_value` gives them. Nothing of what stands there is shown or overwritten.
    Raises as `arrival_corrections.expected`, `FieldFilled`, `NothingToComplete`, `AgeBandWouldChange`,
    `ArrivalInError`, `PersonErasedBefore`.
    """
    kept = await arrival_corrections.expected(work, case_id, version)
    expect_kept(kept)
    if origin is not None and kept.origin_regency is None:
        kept = await arrival_corrections.correct_origin(work, case_id, version=version, to=origin, reason="person_said")
    if not any(said.values()) and origin is not None:
        return kept
    await work.as_service()  # the identity is nobody's to read: only what is empty of it is filled, unseen
    found = await arrivals.find_sealed(work, case_id)
    if found is None or found.wrapped_key is None:
        raise PersonErasedBefore
    identity = vault.open(Sealed(found.wrapped_key, found.sealed), person_id=kept.person_id, case_id=case_id)
    after, fields = completed(identity, said)
    if "birth" in fields and not keeps_age_band(after.birth, band=kept.age_band, on=_landed_on(kept)):
        raise AgeBandWouldChange
    sealed = reseal(vault, after, wrapped_key=found.wrapped_key, person_id=kept.person_id, case_id=case_id)
    await persons.reseal(work, case_id, sealed)
    if "nik" in fields:
        await persons.reindex(work, kept.person_id, "nik", vault.blind_index("nik", after.nik))
    if "document_number" in fields:
        index = vault.blind_index("document", after.document_number)
        await persons.reindex(work, kept.person_id, "document", index)
    if after.full_name:
        await arrivals.finish(work, case_id)
    shown = (await disclosures.recipients(work, [case_id])).get(case_id, ())
    work.emit(IdentityCorrected(case_id=case_id, fields=fields, recipients=shown))
    return kept


def _landed_on(kept: Kept) -> date:
    return day_at(codes.ports()[kept.port], kept.arrived_at)
