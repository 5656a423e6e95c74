"""Completing who somebody is that was logged in a hurry, by the port where they landed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from services.intake.actions import arrival_corrections
from services.intake.actions.arrivals import day_at
from services.intake.actions.held import settle_logged
from services.intake.domain import households as domain
from services.intake.domain.arrival_corrections import Kept, expect_kept
from services.intake.domain.completing import completed
from services.intake.domain.corrections import keeps_age_band
from services.intake.domain.held import who_is
from services.intake.domain.households import NO_PROOF, NOT_STATED, Link, Relation, RelationProof
from services.intake.domain.people import Identity
from services.intake.domain.refusals.identities import AgeBandWouldChange, NothingToComplete, PersonErasedBefore
from services.intake.store import arrivals, disclosures, households, persons
from services.intake.store.arrivals import SealedIdentity, Unfinished
from services.intake.store.vault import Sealed, Vault
from services.intake.store.vault.resealing import reseal
from shared.contracts import codes
from shared.contracts.intake.households import GuardianDescribed
from shared.contracts.intake.identities import IdentityCorrected
from shared.kit.work import Work


@dataclass(frozen=True, slots=True)
class Incomplete:
    """Somebody who was logged in a hurry; of a child whom an adult answers for, the link that is to be described."""

    arrival: Unfinished
    link: Link | None


async def list_incomplete(work: Work, *, after: str | None, limit: int) -> list[Incomplete]:
    """Who is to be completed at the actor's port, in the order of their ids."""
    found = await arrivals.list_unfinished(work, after=after, limit=limit)
    links = await households.list_links(work, [one.case_id for one in found])
    return [Incomplete(one, domain.to_describe(one.case_id, links)) for one in found]


async def find_link(work: Work, case_id: str) -> Link | None:
    """The link of a child at the actor's port of which it is to be said what the adult is to the child."""
    link = domain.to_describe(case_id, await households.list_links(work, [case_id]))
    return None if link is None or (link.has_relation and link.has_proof) else link


async def complete_identity(
    work: Work,
    vault: Vault,
    case_id: str,
    said: Mapping[str, str],
    *,
    version: int,
    origin: str | None = None,
    relation: Relation = NOT_STATED,
    proof: RelationProof = NO_PROOF,
) -> Kept:
    """Fill what is empty of an identity of the actor's port, the origin where none is known, and what the adult is to
    the child.

    `said`: fields as `corrections.read_value` gives them. Nothing of what stands there is shown or overwritten. It is
    complete once there is a name, and of a child with an adult what the adult is to it. A list of the voyage that holds
    this person back does so no longer.
    Raises as `arrival_corrections.expected`, `FieldFilled`, `NothingToComplete`, `NobodyAnswers`,
    `AgeBandWouldChange`, `ArrivalInError`, `PersonErasedBefore`.
    """
    kept = await arrival_corrections.expected(work, case_id, version)
    expect_kept(kept)
    if origin is not None and kept.origin_regency is None:
        kept = await arrival_corrections.correct_origin(work, case_id, version=version, to=origin, reason="person_said")
    links = await households.list_links(work, [case_id])
    await work.as_service()  # the identity is nobody's to read: only what is empty of it is filled, unseen
    described = domain.describe(domain.to_describe(case_id, links), relation=relation, proof=proof)
    if described is not None:
        await _describe(work, described)
        links = [described if one.link_id == described.link_id else one for one in links]
    found = await arrivals.find_sealed(work, case_id)
    if found is None or found.wrapped_key is None:
        raise PersonErasedBefore
    identity = vault.open(Sealed(found.wrapped_key, found.sealed), person_id=kept.person_id, case_id=case_id)
    is_filled = any(said.values())
    if is_filled:
        identity = await _fill(work, vault, kept, found, identity, said)
    link = domain.to_describe(case_id, links)
    is_complete = bool(identity.full_name) and (link is None or link.has_relation)
    was_open = is_complete and await arrivals.finish(work, case_id)
    if found.voyage_id is not None:
        who = who_is(identity, kept.sex, kept.origin_regency)
        await settle_logged(work, vault, found.voyage_id, who, case_id)
    # What was missing may not be asked for any more, as what an adult is who answers no longer.
    if not (is_filled or origin is not None or described is not None or was_open):
        raise NothingToComplete
    return kept


async def _describe(work: Work, link: Link) -> None:
    await households.describe_link(work, link)
    work.record(
        GuardianDescribed(
            case_id=link.child_case_id,
            link_id=link.link_id,
            adult_case_id=link.adult_case_id,
            relation=link.relation,
            proof=link.proof,
        )
    )


async def _fill(
    work: Work, vault: Vault, kept: Kept, found: SealedIdentity, identity: Identity, said: Mapping[str, str]
) -> Identity:
    case_id, wrapped_key = kept.case_id, found.wrapped_key
    assert wrapped_key is not None
    after, fields = completed(identity, said)
    if "birth" in fields and not keeps_age_band(after.birth, band=kept.age_band, on=_landed_on(kept)):
        raise AgeBandWouldChange
    sealed = reseal(vault, after, wrapped_key=wrapped_key, person_id=kept.person_id, case_id=case_id)
    await persons.reseal(work, case_id, sealed)
    if "nik" in fields:
        await persons.reindex(work, kept.person_id, "nik", vault.blind_index("nik", after.nik))
    if "document_number" in fields:
        index = vault.blind_index("document", after.document_number)
        await persons.reindex(work, kept.person_id, "document", index)
    shown = (await disclosures.recipients(work, [case_id])).get(case_id, ())
    work.emit(IdentityCorrected(case_id=case_id, fields=fields, recipients=shown))
    return after


def _landed_on(kept: Kept) -> date:
    return day_at(codes.ports()[kept.port], kept.arrived_at)
