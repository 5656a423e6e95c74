"""What intake says of identities: shown to whom, looked for, corrected, held, erased."""

from typing import Literal

from shared.contracts.fact import AwareDatetime, Code, Fact, Id


class IdentityDisclosed(Fact):
    """One person's identifying fields were released to the agency that accepted one assignment."""

    for_audit = True

    assignment_id: Id
    agency_id: Code
    fields: tuple[Code, ...]
    reader: Code
    """The person or system at the agency on whose behalf the fields were read."""


class PersonErased(Fact):
    """A person's key was destroyed: nobody can read who this case is any more. The receipt of an erasure."""

    reason: Literal["request", "retention", "order"]
    """Asked for by the person, due by the retention periods, or ordered by a court or the authority."""
    recipients: tuple[Code, ...]
    """The agencies that had been shown the identity; each has to erase its copy and confirm that."""
    confirm_by: AwareDatetime


class KeysRewrapped(Fact):
    """Keys of persons in the vault were put under the current key-encryption key. `case_id` stands for the vault."""

    for_audit = True

    run_id: Id
    rewrapped: int
    """How many in this step of the run."""
    left: int | None = None
    """How many stand under other keys; counted when a run ends, None before."""


class ErasureRefused(Fact):
    """Somebody wanted to erase a person on whom a legal hold stands."""

    for_audit = True

    reason: Literal["request", "retention", "order"]
    hold_id: Id


HoldReason = Literal["court", "investigation", "claim", "inspection"]


class LegalHoldPlaced(Fact):
    """Until it is lifted, the person of this case is not erased, whoever asks."""

    for_audit = True

    hold_id: Id
    reason: HoldReason


class LegalHoldLifted(Fact):
    """A legal hold has ended; others may still stand."""

    for_audit = True

    hold_id: Id
    reason: Literal["hold_ended", "placed_in_error"]


class PersonSought(Fact):
    """Somebody looked for a person by a number. `case_id` is a case that was found, else it stands for who looked."""

    for_audit = True

    by: Literal["case", "nik", "document"]
    found: int


class PersonRecordRead(Fact):
    """Somebody looked at what is kept of a person; `fields` are the identifying ones among it."""

    for_audit = True

    fields: tuple[Code, ...]


class PersonDataExported(Fact):
    """A person's data and the trail of its processing were handed out to the person who asked for it."""

    for_audit = True

    form: Literal["page", "json"]
    fields: tuple[Code, ...]
    reference: Code
    """The number under which the person's request is kept."""


class CorrectionRequested(Fact):
    """Somebody says that a field of an identity is wrong; it has to be decided within 3 x 24 hours."""

    for_audit = True

    correction_id: Id
    fields: tuple[Code, ...]
    decide_by: AwareDatetime


class CorrectionRejected(Fact):
    """What is kept of a person stays as it is."""

    for_audit = True

    correction_id: Id
    fields: tuple[Code, ...]
    reason: Literal["no_proof", "not_this_person", "already_so", "withdrawn"]


class IdentityCorrected(Fact):
    """Fields of an identity were corrected. Whoever had been shown the identity has to read it again."""

    fields: tuple[Code, ...]
    recipients: tuple[Code, ...]


class RetentionApplied(Fact):
    """What had reached its period was erased or deleted. `case_id` stands for the run."""

    for_audit = True

    rule: Code
    removed: int
    held: int
    """People who would have been erased and on whom a legal hold stands."""


class DisclosureRefused(Fact):
    """Somebody asked for an identity and did not get it; `reason` is coded."""

    for_audit = True

    assignment_id: Id
    agency_id: Code
    reason: Literal["not_accepted", "other_agency", "ended", "unknown_case", "erased", "no_consent"]
