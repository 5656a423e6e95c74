"""Erasing people: the key goes, and with it everything that led to who they were; codes and the trail stay."""

from collections.abc import Sequence

from services.intake.actions import protection
from services.intake.actions.emptied_rows import empty_rows
from services.intake.domain.erasures import CONFIRM_WITHIN, Reason, Receipt
from services.intake.domain.holds import Hold
from services.intake.domain.references import is_reference
from services.intake.domain.refusals.identities import ReferenceUnfit
from services.intake.store import disclosures, holds, matches, persons
from services.intake.store import erasures as store
from services.intake.store.persons import Person
from services.intake.store.vault import Vault
from shared.contracts.intake.identities import ErasureRefused, PersonErased
from shared.contracts.referral.recipients import ErasureConfirmed, ErasureOverdue
from shared.kit import words
from shared.kit.heard import Heard
from shared.kit.refusal import Refusal
from shared.kit.words import Language, msg
from shared.kit.work import Work


class HeldByLaw(Refusal):
    """A legal hold stands on this person; the answer says which."""

    status = 409
    code = "legal_hold"
    title = msg("A legal hold stands on this person")

    def __init__(self, language: Language, hold: Hold) -> None:
        told = msg(
            "It stands since %(time)s, placed by %(who)s: %(why)s, number %(reference)s. It has to be lifted first."
        )
        time = words.moment(language, hold.placed_at, "Asia/Jakarta")
        super().__init__(
            words.translate(language, told, time=time, who=hold.placed_by, why=hold.reason, reference=hold.reference)
        )


async def erase_person(work: Work, vault: Vault, case_id: str, *, reason: Reason, reference: str) -> Receipt | Hold:
    """Erase the person of a case for good; who was erased before stays so, and the first receipt is the answer.

    Whoever was decided to be the same person goes with it: one key that is left would tell who the others were.
    Answers the hold that stands in the way, and puts that on the trail. Raises `NotAllowed`, `ReferenceUnfit`,
    `CaseUnknown` or `RowUndecided`.
    """
    person = await protection.find_person(work, case_id)
    if not is_reference(reference):
        raise ReferenceUnfit
    await matches.be_alone(work)
    people = await persons.all_as_one(work, person)
    await work.lock_cases(case_id for one in people for case_id in one.case_ids)
    if await store.find(work, person.person_id) is None:
        found = await holds.of_people(work, [one.person_id for one in people])
        hold = next((one for one in found if one.stands), None)
        if hold is not None:
            work.record(ErasureRefused(case_id=case_id, reason=reason, hold_id=hold.hold_id))
            return hold
        await erase(work, vault, people, reason=reason, references=[reference] * len(people))
    receipt = await store.find(work, person.person_id)
    assert receipt is not None
    return receipt


async def erase(
    work: Work, vault: Vault, people: Sequence[Person], *, reason: Reason, references: Sequence[str]
) -> None:
    """Erase people whose cases are locked and tell everybody, those by name who had been shown an identity.

    Raises `RowUndecided`.
    """
    cases = [case_id for person in people for case_id in person.case_ids]
    shown = await disclosures.recipients(work, cases)
    confirm_by = work.now + CONFIRM_WITHIN
    await empty_rows(work, vault, cases)
    await persons.destroy(work, people)
    await store.add(
        work, [person.person_id for person in people], reason=reason, references=references, confirm_by=confirm_by
    )
    await store.add_recipients(work, [(case_id, agency) for case_id in shown for agency in shown[case_id]])
    for case_id in cases:
        work.emit(
            PersonErased(case_id=case_id, reason=reason, recipients=shown.get(case_id, ()), confirm_by=confirm_by)
        )


async def find_receipt(work: Work, case_id: str) -> Receipt | None:
    """The receipt of the erasure of a case's person; None while the identity is kept.

    Raises `NotAllowed` or `CaseUnknown`.
    """
    person = await protection.find_person(work, case_id)
    return await store.find(work, person.person_id)


async def list_receipts(work: Work, *, after: str | None, limit: int) -> tuple[list[Receipt], str | None]:
    """Receipts, the latest first, and the `after` of the next page; None on the last. Raises `NotAllowed`."""
    await protection.act_for_all_ports(work)
    found = await store.list_latest(work, after=after, limit=limit + 1)
    return found[:limit], found[limit - 1].person_id if len(found) > limit else None


Said = Heard[ErasureConfirmed] | Heard[ErasureOverdue]


async def note_confirmations(work: Work, heard: Sequence[Said]) -> None:
    """Remember which agencies have erased their copy, and which have let the time for it pass."""
    await store.note(
        work,
        [
            store.Said(h.fact.case_id, h.fact.agency_id, h.occurred_at, None)
            if isinstance(h.fact, ErasureConfirmed)
            else store.Said(h.fact.case_id, h.fact.agency_id, None, h.occurred_at)
            for h in heard
        ],
    )
