"""What agencies confirm once data was erased, corrected or consent withdrawn."""

from shared.contracts.fact import AwareDatetime, Code, Fact, Id


class ErasureConfirmed(Fact):
    """An agency that had been shown an identity says that it has erased its copy."""

    agency_id: Code


class ErasureOverdue(Fact):
    """An agency has not confirmed in time that it erased its copy; its supervisor has to see to it."""

    agency_id: Code
    confirm_by: AwareDatetime


class CorrectionConfirmed(Fact):
    """An agency that had been shown an identity has what was corrected in it."""

    agency_id: Code
    by_reading: bool
    """True: it has read the identity again. False: somebody says so by name."""


class CorrectionOverdue(Fact):
    """An agency has neither read a corrected identity again in time nor said that its copy is right."""

    agency_id: Code
    confirm_by: AwareDatetime


class WithdrawalConfirmed(Fact):
    """An agency that had been shown an identity has ended its use, because the consent was taken back or refused."""

    withdrawal_id: Id
    """Of the withdrawal that intake told, or of the refusal."""
    agency_id: Code


class WithdrawalOverdue(Fact):
    """An agency has not confirmed in time that it ended the use of an identity; its supervisor has to see to it."""

    withdrawal_id: Id
    agency_id: Code
    confirm_by: AwareDatetime
