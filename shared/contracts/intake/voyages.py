"""What intake says of voyages: announced, counted by sources, and how the counts were explained."""

from typing import Literal

from shared.contracts.codes import DifferencePair, DifferenceReason, VoyageCorrectionReason, VoyageField
from shared.contracts.fact import AwareDatetime, Code, Fact, Id

Modality = Literal["deportation", "repatriation", "vulnerable_flight"]


class VoyageAnnounced(Fact):
    """A ship or flight with returned people is expected. `case_id` is the voyage."""

    port: Code
    modality: Modality
    announced: int
    """Head count in the consular letter; it often differs from who lands."""
    expected_at: AwareDatetime


class VoyageCorrected(Fact):
    """What was announced of a voyage is corrected. Who was recorded before landed when it was said then."""

    for_audit = True

    version: int
    changed: tuple[VoyageField, ...]
    was_expected_at: AwareDatetime
    expected_at: AwareDatetime
    was_modality: Modality
    modality: Modality
    reason: VoyageCorrectionReason


class VoyageTotalsRecorded(Fact):
    """A letter, the minutes of a handover or a count on the quay said how many heads a voyage has."""

    for_audit = True

    source_id: Id
    kind: Literal["letter", "minutes", "count"]
    heads: int


class VoyageTotalsWithdrawn(Fact):
    """What a letter, minutes or a count said counts no more."""

    for_audit = True

    source_id: Id
    reason: Literal["replaced", "entered_in_error"]


class VoyageDifferenceOpened(Fact):
    """Somebody (`owner`) looks after a part of a difference between two counts of a voyage, or took it over."""

    for_audit = True

    difference_id: Id
    pair: DifferencePair
    heads: int
    """With the sign of the difference: the second count less the first."""
    owner: Code


class VoyageDifferenceSettled(Fact):
    """A part of a difference between two counts of a voyage has its reason."""

    for_audit = True

    difference_id: Id
    pair: DifferencePair
    heads: int
    reason: DifferenceReason


class VoyageReconciled(Fact):
    """The people of a voyage were counted by depot and reason of return, for which their identities were opened.

    Only counts left the vault.
    """

    for_audit = True

    people: int
