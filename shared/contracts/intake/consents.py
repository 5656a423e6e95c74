"""What intake says of consents and lawful bases."""

from typing import Literal

from shared.contracts.codes import (
    ConsentHow,
    ConsentPurpose,
    GivenBy,
    LawfulBasis,
    LawfulReason,
    NeedCode,
    RecipientClass,
)
from shared.contracts.fact import AwareDatetime, Code, Fact, Id


class ConsentFact(Fact):
    """What is said of handing on an identity for one purpose to one class of recipients. `case_id` is the person's.

    `needs`: for which needs; empty for all of the case, those that are found later too. Of all that was said for one
    purpose, class and need, by consent, refusal, withdrawal or expiry, the latest in the order of `case_seq` counts; a
    lawful basis stands besides and is not taken away by a refusal. Help for a child rests on neither.
    """

    purpose: ConsentPurpose
    recipient_class: RecipientClass
    needs: tuple[NeedCode, ...] = ()


class ConsentRecorded(ConsentFact):
    """Somebody was asked and said yes (`given`) or no. A no stops what went on without having been asked."""

    consent_id: Id
    given: bool
    given_by: GivenBy
    how: ConsentHow
    language: Code
    """In which it was explained, ISO 639."""
    expires_at: AwareDatetime | None = None
    """From then on it holds no longer; None where no end was agreed."""
    statement: Id | None = None
    """The statement of refusal that is on file at intake; None with a consent."""
    recipients: tuple[Code, ...] = ()
    """With a refusal: the agencies of the class that had been shown the identity for such a need. Each has to end that
    use and confirm it."""
    confirm_by: AwareDatetime | None = None
    """With `recipients`; else None."""


class ConsentWithdrawn(ConsentFact):
    """A consent was taken back, for some of its needs or all. `needs` says for which, as everywhere."""

    withdrawal_id: Id
    consent_id: Id
    withdrawn_by: GivenBy
    how: ConsentHow
    recipients: tuple[Code, ...]
    """The agencies of the class that had been shown the identity for such a need; each has to end that use and confirm
    it, by this withdrawal's id."""
    confirm_by: AwareDatetime


class ConsentExpired(ConsentFact):
    """A consent has reached the end that was agreed; nobody has to say anything for it. It counts as a withdrawal."""

    expiry_id: Id
    consent_id: Id
    recipients: tuple[Code, ...]
    """As of a withdrawal; each confirms it by this expiry's id."""
    confirm_by: AwareDatetime


class LawfulBasisNamed(ConsentFact):
    """The identity is handed on whatever the person says, and why that is lawful. It stands until it is ended."""

    basis_id: Id
    basis: LawfulBasis
    reason: LawfulReason


class LawfulBasisEnded(ConsentFact):
    """A basis that had been named stands no longer; what was said by the person counts again."""

    basis_id: Id
    reason: Literal["no_longer_needed", "named_in_error"]
