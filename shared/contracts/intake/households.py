"""What intake says of households, and of the adults who answer for children."""

from typing import Literal

from shared.contracts.fact import Code, Fact, Id

HouseholdReason = Literal["listed", "said_by_family", "guardian_linked", "not_of_it", "family_parted", "in_error"]
"""Why somebody belongs to a household (the first three), or no longer does."""
Relation = Literal["mother", "father", "grandparent", "sibling", "aunt_or_uncle", "legal_guardian", "other_relative",
                   "not_stated"]  # fmt: skip
"""What the adult is to the child."""
RelationProof = Literal["birth_certificate", "family_card", "travel_document", "statement_of_both", "none"]
UnlinkReason = Literal["not_related", "child_at_risk", "adult_elsewhere", "statement_withdrawn", "in_error", "died"]
"""Why an adult answers for a child no longer."""


class HouseholdChanged(Fact):
    """This person joined a household that stays together, or parted from it. Nobody is in two at a time."""

    household_id: Id
    change: Literal["joined", "parted"]
    reason: HouseholdReason
    members: tuple[Id, ...]
    """The cases of all others who are in it now."""


class GuardianLinked(Fact):
    """An adult of the household answers for this child. What the child is due as long as it is alone stays due."""

    link_id: Id
    household_id: Id
    adult_case_id: Id
    relation: Relation
    proof: RelationProof
    proposed_by: Code | None
    """Who asked for it; somebody else, who says this, confirmed it. None: the name list had it."""


class GuardianUnlinked(Fact):
    """An adult answers for this child no longer; one person is enough for that, and it counts at once."""

    link_id: Id
    adult_case_id: Id
    reason: UnlinkReason
    unaccompanied: bool
    """Nobody else answers for it."""


class GuardianDescribed(Fact):
    """What the adult who answers for this child is to it, or what shows that, was said after they were linked."""

    for_audit = True

    link_id: Id
    adult_case_id: Id
    relation: Relation
    proof: RelationProof


class GuardianProposed(Fact):
    """Somebody asks that an adult count as answering for a child; another person has to confirm it."""

    for_audit = True

    link_id: Id
    adult_case_id: Id
    relation: Relation
    proof: RelationProof


class GuardianProposalEnded(Fact):
    """Nothing came of a proposal: a second person refused it, who made it took it back, nobody confirmed it in time,
    or what was corrected of one of the two has overtaken it.
    """

    for_audit = True

    link_id: Id
    how: Literal["refused", "withdrawn", "expired", "overtaken"]
