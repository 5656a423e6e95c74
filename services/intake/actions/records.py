"""What is kept of a person: found by a number, looked at, handed out to who it is about. On the trail first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from services.intake.actions import protection
from services.intake.actions.consents import open_words
from services.intake.domain.arrival_corrections import Step as Corrected
from services.intake.domain.consents import Words
from services.intake.domain.erasures import Receipt
from services.intake.domain.holds import Hold
from services.intake.domain.households import Link
from services.intake.domain.lookups import Kind
from services.intake.domain.people import IDENTITY_FIELDS, Identity
from services.intake.domain.references import is_reference
from services.intake.domain.refusals.identities import ReferenceUnfit
from services.intake.store import (
    arrival_corrections,
    consents,
    corrections,
    erasures,
    holds,
    households,
    matches,
    persons,
    screenings,
    trails,
)
from services.intake.store.blind_indexes import find_persons_by
from services.intake.store.consents import Kept
from services.intake.store.corrections import Correction
from services.intake.store.households import Belonging
from services.intake.store.persons import Case
from services.intake.store.trails import Step
from services.intake.store.vault import Sealed, SealedPerson, Vault
from services.intake.store.vault.resealing import open_answers
from shared.contracts.intake.identities import PersonDataExported, PersonRecordRead, PersonSought
from shared.kit.identity import person_stream
from shared.kit.ids import is_id
from shared.kit.short_codes import NotACode, tail_of
from shared.kit.work import Work

By = Literal["case", "nik", "document"]
Form = Literal["page", "json"]


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that is kept of one person, in codes; `cases` are in the order of landing."""

    cases: Sequence[Case]
    holds: Sequence[Hold]
    corrections: Sequence[Correction]
    history: Mapping[str, Sequence[Corrected]]
    """What was corrected of each case's coded facts, by case."""
    receipt: Receipt | None
    steps: Sequence[Step]
    consents: Sequence[Kept]
    """What was recorded of consent, case by case in order."""
    belonging: Sequence[Belonging]
    """The households that the person belongs to or did."""
    screenings: Sequence[screenings.Kept]
    """What the person was asked, in order."""
    links: Sequence[Link]
    """Where the person is a child whom an adult answers for, or the adult; ended ones too."""


@dataclass(frozen=True, slots=True)
class Export:
    """A record with the identity of each case, by its id; without any once the person was erased."""

    record: Record
    identities: Mapping[str, Identity]
    words: Mapping[str, Words]
    """Names and words of each entry about consent that has any, by its id."""
    answers: Mapping[str, Mapping[str, str]]
    """What was answered in each screening, by its id."""
    reference: str


async def find_cases(work: Work, vault: Vault, *, by: By, value: str) -> list[Case]:
    """The cases of whoever came with this number. Raises `NotAllowed`."""
    await protection.act_for_all_ports(work)
    people = await matches.one_person_with(work, await _find_people(work, vault, by, value))
    found = await persons.list_cases(work, people) if people else []
    for case_id in [case.case_id for case in found] or [person_stream(work.actor.id)]:
        work.record(PersonSought(case_id=case_id, by=by, found=len(found)))
    return found


async def read_record(work: Work, case_id: str) -> Record:
    """What is kept of the person of a case, without the identity. Raises `NotAllowed` or `CaseUnknown`."""
    record = await _record_of(work, case_id)
    for case in record.cases:
        work.record(PersonRecordRead(case_id=case.case_id, fields=()))
    return record


async def hand_out(work: Work, vault: Vault, case_id: str, *, reference: str, form: Form) -> Export:
    """Everything that is kept of the person of a case, for that person. It may leave only after the commit.

    Raises `NotAllowed`, `ReferenceUnfit` or `CaseUnknown`.
    """
    record = await _record_of(work, case_id)
    if not is_reference(reference):
        raise ReferenceUnfit
    kept = [
        SealedPerson(case.person_id, case.case_id, Sealed(case.wrapped_key, case.sealed))
        for case in record.cases
        if case.wrapped_key is not None
    ]
    identities = dict(zip((one.case_id for one in kept), vault.open_many(kept), strict=True))
    for case in record.cases:
        fields = filled(identities[case.case_id]) if case.case_id in identities else ()
        work.record(PersonDataExported(case_id=case.case_id, form=form, fields=fields, reference=reference))
    words = {
        kept.entry.entry_id: open_words(vault, case, kept)
        for case in record.cases
        for kept in record.consents
        if kept.entry.case_id == case.case_id and kept.sealed
    }
    return Export(record, identities, words, _answers(vault, record), reference)


def _answers(vault: Vault, record: Record) -> dict[str, Mapping[str, str]]:
    keys = {case.person_id: case.wrapped_key for case in record.cases if case.wrapped_key is not None}
    return {
        kept.screening.screening_id: open_answers(
            vault,
            kept.sealed,
            wrapped_key=keys[kept.person_id],
            person_id=kept.person_id,
            screening_id=kept.screening.screening_id,
        )
        for kept in record.screenings
        if kept.sealed and kept.person_id in keys
    }


def filled(identity: Identity) -> tuple[str, ...]:
    """The names of the fields that have a value."""
    return tuple(name for name in IDENTITY_FIELDS if getattr(identity, name))


async def _find_people(work: Work, vault: Vault, by: By, value: str) -> list[str]:
    if by == "case":
        case_id = value.strip().lower()
        if not is_id(case_id):
            return await _find_by_code(work, value)
        person = await persons.find(work, case_id)
        return [person.person_id] if person else []
    kind: Kind = by
    return await find_persons_by(work, vault, kind, value)


async def _find_by_code(work: Work, typed: str) -> list[str]:
    try:
        return await persons.find_by_end(work, tail_of(typed))
    except NotACode:
        return []


async def _record_of(work: Work, case_id: str) -> Record:
    person = await protection.find_person(work, case_id)
    people = await persons.all_as_one(work, person)
    person_ids = [one.person_id for one in people]
    case_ids = [one for same in people for one in same.case_ids]
    belonging, links = await households.of_cases(work, case_ids)
    return Record(
        cases=await persons.list_cases(work, person_ids),
        holds=await holds.of_people(work, person_ids),
        corrections=[one for person_id in person_ids for one in await corrections.of_person(work, person_id)],
        history=await arrival_corrections.of_cases(work, case_ids),
        receipt=await erasures.find(work, person.person_id),
        steps=await trails.list_steps(work, case_ids),
        consents=await consents.of_cases(work, case_ids),
        belonging=belonging,
        screenings=await screenings.of_people(work, person_ids),
        links=links,
    )
