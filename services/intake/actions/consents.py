"""Writing down what somebody says of handing on an identity, and which law decides without; told within seconds.

For the port where the person landed, and for officers for the protection of data.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from services.intake import policy
from services.intake.actions import protection
from services.intake.domain import consents as domain
from services.intake.domain.consents import CONFIRM_WITHIN, ENDING_SOON, EndReason, Entry, Kind, Person, Scope, Words
from services.intake.domain.erasures import Recipient
from services.intake.domain.refusals.arrival_corrections import ArrivalInError
from services.intake.domain.refusals.arrivals import CaseUnknown
from services.intake.domain.refusals.consents import ConsentNotHeld, ConsentsChanged, ConsentUnknown
from services.intake.domain.refusals.identities import PersonErasedBefore
from services.intake.store import consents as store
from services.intake.store.consents import Kept
from services.intake.store.persons import Case
from services.intake.store.vault import Vault, resealing
from shared.contracts import codes
from shared.contracts.codes import ConsentHow, GivenBy, LawfulBasis, LawfulReason, NeedCode
from shared.contracts.intake.consents import (
    ConsentExpired,
    ConsentRecorded,
    ConsentWithdrawn,
    LawfulBasisEnded,
    LawfulBasisNamed,
)
from shared.contracts.intake.identities import PersonRecordRead
from shared.contracts.referral.recipients import WithdrawalConfirmed, WithdrawalOverdue
from shared.kit import words
from shared.kit.heard import Heard
from shared.kit.ids import new_id
from shared.kit.refusal import Refusal
from shared.kit.words import Language, msg
from shared.kit.work import Work

KINDS: dict[Kind, str] = {
    "given": msg("consent given"),
    "refused": msg("consent refused"),
    "withdrawn": msg("consent withdrawn"),
    "expired": msg("consent has ended"),
    "basis": msg("lawful basis named"),
    "basis_ended": msg("lawful basis ended"),
}


class ChangedMeanwhile(Refusal):
    """`ConsentsChanged` for who reads it: both versions, what was first, by whom and when, and what to do."""

    status = 409
    code = "consents_changed"
    title = msg("More was recorded of consent meanwhile")

    def __init__(self, language: Language, changed: ConsentsChanged, entry: Entry | None, zone: str) -> None:
        told = msg(
            "You looked at version %(expected)s, now it is %(found)s: on %(time)s %(who)s recorded: %(what)s. Look at"
            " what holds now, and decide again."
        )
        super().__init__(
            words.translate(
                language,
                told,
                expected=changed.expected,
                found=changed.found,
                time="–" if entry is None else words.moment(language, entry.recorded_at, zone),
                who="–" if entry is None else entry.recorded_by,
                what="–" if entry is None else words.translate(language, KINDS[entry.kind]),
            )
        )


@dataclass(frozen=True, slots=True)
class Spoken:
    """Who says yes or no, how, in which language, and what of it is sealed."""

    by: GivenBy
    how: ConsentHow
    language: str
    words: Words = field(default_factory=Words)

    @property
    def is_named(self) -> bool:
        """An adult's own name lies in the identity already."""
        return self.by == "self" or bool(self.words.speaker)

    @property
    def is_witnessed(self) -> bool:
        return self.how != "spoken_before_witness" or bool(self.words.witness)


@dataclass(frozen=True, slots=True)
class Consents:
    """A case and all that was recorded for it, in order."""

    case: Case
    kept: Sequence[Kept]

    @property
    def entries(self) -> list[Entry]:
        return [one.entry for one in self.kept]

    @property
    def version(self) -> int:
        return len(self.kept)

    @property
    def person(self) -> Person:
        return Person(self.case.age_band, self.case.needs, has_died=self.case.ended_as == "died")

    def find(self, entry_id: str, *kinds: Kind) -> Kept:
        """Raises `ConsentUnknown`."""
        found = next((k for k in self.kept if k.entry.entry_id == entry_id and k.entry.kind in kinds), None)
        if found is None:
            raise ConsentUnknown
        return found


@dataclass(frozen=True, slots=True)
class Refused:
    """A refusal with its words, as it is printed to be signed."""

    case: Case
    entry: Entry
    words: Words


async def read_consents(work: Work, case_id: str) -> Consents:
    """What was recorded for a case, in codes; on the trail. Raises `CaseUnknown`."""
    found = await _find(work, case_id)
    work.record(PersonRecordRead(case_id=case_id, fields=()))
    return found


async def find_zone(work: Work, case_id: str) -> str:
    """The time zone of the port where a case landed, by which the days of its consents end. Raises `CaseUnknown`."""
    return codes.ports()[(await _find(work, case_id)).case.port].zone


async def record_consent(
    work: Work,
    vault: Vault,
    case_id: str,
    *,
    version: int | None,
    scope: Scope,
    given: bool,
    spoken: Spoken,
    expires_at: datetime | None = None,
) -> Kept:
    """Somebody was asked and says yes or no. A no stops what went on unasked, and reaches who had been shown.

    Raises `CaseUnknown`, `PersonErasedBefore`, `ConsentsChanged`, `ArrivalInError`, `NobodyToConsent`, `SpeakerUnfit`,
    `SpeakerUnnamed`, `NeedsNotOfCase` or `ConsentExpiresBadly`.
    """
    found = await _to_add(work, case_id, version)
    domain.check_speaker(found.person, spoken_by=spoken.by, named=spoken.is_named, witnessed=spoken.is_witnessed)
    domain.check_needs(found.person, scope)
    expires_at = expires_at.astimezone(UTC) if given and expires_at is not None else None
    domain.check_expiry(expires_at, work.now)
    new = _spoken(work, found, "given" if given else "refused", scope, spoken)
    new = replace(new, expires_at=expires_at)
    kept = await _keep(work, vault, found, new, spoken.words)
    work.emit(
        ConsentRecorded(
            case_id=case_id,
            **_scope(scope),
            consent_id=new.entry_id,
            given=given,
            given_by=spoken.by,
            how=spoken.how,
            language=spoken.language,
            expires_at=expires_at,
            statement=None if given else new.entry_id,
            recipients=tuple(one.agency_id for one in kept.recipients),
            confirm_by=new.confirm_by,
        )
    )
    return kept


async def withdraw_consent(
    work: Work,
    vault: Vault,
    consent_id: str,
    *,
    version: int | None,
    spoken: Spoken,
    needs: tuple[NeedCode, ...] = (),
) -> Kept:
    """A consent is taken back, for these of its needs or all; who had been shown the identity ends it and confirms.

    Raises `ConsentUnknown`, `PersonErasedBefore`, `ConsentsChanged`, `NobodyToConsent`, `SpeakerUnfit`,
    `SpeakerUnnamed` or `ConsentNotHeld`.
    """
    found = await _to_write(work, await _case_of(work, consent_id), version)
    consent = found.find(consent_id, "given", "refused").entry
    domain.check_speaker(found.person, spoken_by=spoken.by, named=spoken.is_named, witnessed=spoken.is_witnessed)
    scope = domain.withdrawal_of(found.entries, consent, needs)
    new = replace(_spoken(work, found, "withdrawn", scope, spoken), ends=consent_id)
    kept = await _keep(work, vault, found, new, spoken.words)
    assert new.confirm_by is not None
    work.emit(
        ConsentWithdrawn(
            case_id=new.case_id,
            **_scope(scope),
            withdrawal_id=new.entry_id,
            consent_id=consent_id,
            withdrawn_by=spoken.by,
            how=spoken.how,
            recipients=tuple(one.agency_id for one in kept.recipients),
            confirm_by=new.confirm_by,
        )
    )
    return kept


async def name_basis(
    work: Work,
    vault: Vault,
    case_id: str,
    *,
    version: int | None,
    scope: Scope,
    basis: LawfulBasis,
    reason: LawfulReason,
) -> Kept:
    """Say which law lets the identity be handed on whatever is said, and why.

    Raises `CaseUnknown`, `PersonErasedBefore`, `ConsentsChanged`, `ArrivalInError`, `BasisUnfit` or `NeedsNotOfCase`.
    """
    found = await _to_add(work, case_id, version)
    domain.check_basis(found.person, basis=basis, reason=reason)
    domain.check_needs(found.person, scope)
    new = replace(_entry(work, found, "basis", scope), basis=basis, reason=reason)
    kept = await _keep(work, vault, found, new, Words())
    work.emit(LawfulBasisNamed(case_id=case_id, **_scope(scope), basis_id=new.entry_id, basis=basis, reason=reason))
    return kept


async def end_basis(work: Work, vault: Vault, basis_id: str, *, version: int | None, reason: EndReason) -> Kept:
    """What was named stands no longer; what the person says counts again.

    Raises `ConsentUnknown`, `PersonErasedBefore`, `ConsentsChanged` or `ConsentNotHeld`.
    """
    found = await _to_write(work, await _case_of(work, basis_id), version)
    basis = found.find(basis_id, "basis").entry
    if any(one.ends == basis_id for one in found.entries):
        raise ConsentNotHeld
    new = replace(_entry(work, found, "basis_ended", basis.scope), ends=basis_id, reason=reason)
    kept = await _keep(work, vault, found, new, Words())
    work.emit(LawfulBasisEnded(case_id=new.case_id, **_scope(basis.scope), basis_id=basis_id, reason=reason))
    return kept


async def end_expired(work: Work, vault: Vault, *, since: datetime, limit: int) -> int:
    """Say of consents that have reached their end that nothing rests on them any more; answers how many there were.

    Who had been shown an identity ends its use and confirms, as when a consent is taken back.
    """
    due = await store.list_expired(work, since=since, limit=limit)
    await work.lock_cases({case_id for _, case_id in due})
    for consent_id, case_id in due:
        found = await _look(work, case_id)
        consent = found.find(consent_id, "given").entry
        scope = domain.expiry_of(found.entries, consent)
        if scope is None or found.case.is_erased:
            continue  # somebody was asked, or erased, while the lock was waited for
        new = replace(_entry(work, found, "expired", scope), ends=consent_id, confirm_by=work.now + CONFIRM_WITHIN)
        kept = await _keep(work, vault, found, new, Words())
        assert new.confirm_by is not None
        work.emit(
            ConsentExpired(
                case_id=case_id,
                **_scope(scope),
                expiry_id=new.entry_id,
                consent_id=consent_id,
                recipients=tuple(one.agency_id for one in kept.recipients),
                confirm_by=new.confirm_by,
            )
        )
    return len(due)


async def list_ending(work: Work, *, limit: int) -> list[Entry]:
    """Consents of the own port that end soon, the first to end first: these people are to be asked again.

    Raises `NotAllowed`.
    """
    policy.own_port(work.actor)
    return await store.list_ending(work, until=work.now + ENDING_SOON, limit=limit)


async def find_consent(work: Work, entry_id: str) -> tuple[Consents, Kept]:
    """One entry and what stands around it, in codes; on the trail. Raises `ConsentUnknown`."""
    found = await _find(work, await _case_of(work, entry_id))
    work.record(PersonRecordRead(case_id=found.case.case_id, fields=()))
    return found, found.find(entry_id, "given", "refused", "basis")


async def read_statement(work: Work, vault: Vault, consent_id: str) -> Refused:
    """A refusal as it is printed to be signed; on the trail. Raises `ConsentUnknown` or `PersonErasedBefore`."""
    found = await _find(work, await _case_of(work, consent_id))
    kept = found.find(consent_id, "refused")
    said = open_words(vault, found.case, kept)
    work.record(PersonRecordRead(case_id=found.case.case_id, fields=("consent_words",)))
    return Refused(found.case, kept.entry, said)


def open_words(vault: Vault, case: Case, kept: Kept) -> Words:
    """What of an entry is sealed. Raises `PersonErasedBefore`; who asks puts it on the trail."""
    if case.wrapped_key is None:
        raise PersonErasedBefore
    key, entry_id = case.wrapped_key, kept.entry.entry_id
    return resealing.open_words(vault, kept.sealed, wrapped_key=key, person_id=case.person_id, entry_id=entry_id)


Said = Heard[WithdrawalConfirmed] | Heard[WithdrawalOverdue]


async def note_confirmations(work: Work, heard: Sequence[Said]) -> None:
    """Remember which agencies have ended their use, and which have let the time for it pass."""
    await store.note(
        work,
        [
            store.Said(h.fact.withdrawal_id, h.fact.agency_id, h.occurred_at, None)
            if isinstance(h.fact, WithdrawalConfirmed)
            else store.Said(h.fact.withdrawal_id, h.fact.agency_id, None, h.occurred_at)
            for h in heard
        ],
    )


async def changed(work: Work, language: Language, refused: ConsentsChanged) -> ChangedMeanwhile:
    """The refusal with who was first, of a case that the actor has found as its own."""
    found = await _find(work, refused.case_id)
    last = found.kept[-1].entry if found.kept else None
    return ChangedMeanwhile(language, refused, last, codes.ports()[found.case.port].zone)


async def _case_of(work: Work, entry_id: str) -> str:
    """The case of an entry, where the actor may have it; else it looks like a missing one. Raises `ConsentUnknown`."""
    await work.as_service()  # as in `_find`, which decides
    case_id = await store.find_case_of(work, entry_id)
    if case_id is not None:
        try:
            await _find(work, case_id)
        except CaseUnknown:
            raise ConsentUnknown from None
        return case_id
    raise ConsentUnknown


async def _find(work: Work, case_id: str) -> Consents:
    """A case of the own port, or of any for an officer for data; another looks like a missing one."""
    await work.as_service()  # keys are nobody's; of which port the case has to be, policy says below
    found = await _look(work, case_id)
    if not policy.may_record_consent(work.actor, found.case.port):
        raise CaseUnknown
    return found


async def _look(work: Work, case_id: str) -> Consents:
    case = await protection.find_case(work, case_id)
    return Consents(case, await store.of_cases(work, [case_id]))


async def _to_write(work: Work, case_id: str, version: int | None) -> Consents:
    """The same, locked, of a person that was not erased, as it was looked at."""
    await work.lock_cases([case_id])
    found = await _find(work, case_id)
    if found.case.is_erased:
        raise PersonErasedBefore
    if version is not None and version != found.version:
        raise ConsentsChanged(case_id, expected=version, found=found.version)
    return found


async def _to_add(work: Work, case_id: str, version: int | None) -> Consents:
    """The same, for what lets an identity be handed on or refuses it: not of an arrival that was none."""
    found = await _to_write(work, case_id, version)
    if found.case.ended_as == "entered_in_error":
        raise ArrivalInError
    return found


def _entry(work: Work, found: Consents, kind: Kind, scope: Scope) -> Entry:
    return Entry(new_id(), found.case.case_id, found.version + 1, kind, scope, work.actor.id, work.now)


def _spoken(work: Work, found: Consents, kind: Kind, scope: Scope, spoken: Spoken) -> Entry:
    return replace(
        _entry(work, found, kind, scope),
        spoken_by=spoken.by,
        how=spoken.how,
        language=spoken.language,
        confirm_by=None if kind == "given" else work.now + CONFIRM_WITHIN,
    )


async def _keep(work: Work, vault: Vault, found: Consents, new: Entry, said: Words) -> Kept:
    """Store an entry, its words sealed, and who has to end what it did where this stops it."""
    case = found.case
    assert case.wrapped_key is not None, "nobody writes for who was erased"
    sealed = resealing.seal_words(
        vault, said, wrapped_key=case.wrapped_key, person_id=case.person_id, entry_id=new.entry_id
    )
    await store.add(work, new, person_id=case.person_id, port=case.port, sealed=sealed)
    stopped = await _stopped(work, found, new)
    if stopped:
        await store.add_recipients(work, new.entry_id, stopped)
    return Kept(new, sealed, tuple(Recipient(case.case_id, agency_id) for agency_id in stopped))


async def _stopped(work: Work, found: Consents, new: Entry) -> list[str]:
    """The agencies that had been shown the identity for a need for which it may not be used any more.

    Not those who protect a child, nor those of a need for which a law decides.
    """
    if new.confirm_by is None:
        return []
    entries = [*found.entries, new]
    return sorted(
        {
            agency_id
            for agency_id, need in await store.list_shown(work, new.case_id, new.scope)
            if domain.standing(
                entries,
                purpose=new.scope.purpose,
                recipient_class=new.scope.recipient_class,
                need=need,
                is_child=found.person.is_child,
                now=work.now,
            ).stops
        }
    )


def _scope(scope: Scope) -> dict[str, Any]:
    return {"purpose": scope.purpose, "recipient_class": scope.recipient_class, "needs": scope.needs}
