"""The directory, what is sent where, and by which rules."""

from typing import Literal

from shared.contracts.codes import NeedCode
from shared.contracts.fact import AwareDatetime, Code, Digest, Fact, Version
from shared.contracts.referral.assignments import DeclineReason


class DirectoryChanged(Fact):
    """The directory of agencies was changed, and with it where referrals go. `case_id` stands for the office."""

    for_audit = True

    agency_id: Code
    change: Literal["added", "changed", "suspended", "resumed"]
    fields: tuple[Code, ...]
    """What of it was changed."""
    takes_referrals: bool
    """False: nothing is sent there by itself."""
    suspended: bool


class PauseFact(Fact):
    """An agency is passed over for one kind of need. `case_id` stands for the office."""

    for_audit = True

    agency_id: Code
    need: NeedCode


class AgencyPaused(PauseFact):
    """It said that it has no room, or does not do this; nothing of the kind is sent to it by itself until then."""

    reason: DeclineReason
    until: AwareDatetime


class PauseLifted(PauseFact):
    """Its supervisor lets such needs be sent to it again."""


class RulesChanged(Fact):
    """A version of the rules went one step on, or was retired. `case_id` stands for the version."""

    for_audit = True

    rules_version: Version
    digest: Digest
    """SHA-256 of its decision tables."""
    change: Literal["drafted", "tried", "activation_asked", "activated", "retired"]


class PlacesPublished(Fact):
    """An office said how many places it has, of which sorts. `case_id` stands for the office."""

    for_audit = True

    agency_id: Code
    sorts: tuple[Code, ...]
    offered: int
    """Of all these sorts together."""
