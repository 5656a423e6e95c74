"""What a person has said of handing its case on, and what law says without asking: in codes, as intake has told it.

Of what was said for one class of recipients and one need, the latest counts. Offices of the state help by a duty that
their law gives them, so that nothing has to be said before they are asked; but where the rules name consent as the
basis of a need (UU 27/2022 Art 20(2)(a)), an adult's no, or the withdrawal of a yes, stops them too. Whoever else is
asked only with a recorded consent, or where a law says so. Help for a child rests on neither: its offices go on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal

from services.referral.domain.referrals import CHILDREN, Referral
from services.referral.domain.routing import Terms
from shared.contracts import codes
from shared.contracts.codes import GivenBy, RecipientClass

Kind = Literal["given", "refused", "withdrawn", "expired", "basis", "basis_ended"]
PARENTAL: frozenset[GivenBy] = frozenset({"parent", "guardian"})
SPOKEN: frozenset[Kind] = frozenset({"given", "refused", "withdrawn", "expired"})
"""What counts until the next of them: all that somebody said, and that it has reached its end."""

PURPOSE = "help"
"""What referrals are for; what is said of other purposes changes nothing here."""


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that was said. `seq` orders what was said of a case; `needs`: empty for all of it."""

    case_id: str
    seq: int
    kind: Kind
    said_id: str
    """Of the consent or the refusal, of the withdrawal or the expiry, or of the basis that is named or ended."""
    recipient_class: RecipientClass
    needs: tuple[str, ...]
    said_at: datetime
    by: str
    """Who recorded it, at the port."""
    expires_at: datetime | None = None
    statement: str | None = None
    """Of a refusal: the number of the signed statement."""
    basis: str | None = None
    spoken_by: GivenBy | None = None
    """Whose yes or no it is; None of an expiry, of a law, and of what was heard before this was kept."""

    def is_about(self, need: str, recipient_class: RecipientClass) -> bool:
        return self.recipient_class == recipient_class and (not self.needs or need in self.needs)


@dataclass(frozen=True, slots=True)
class Consents:
    """All that was said of one case, in order."""

    said: tuple[Said, ...] = ()

    def latest(self, need: str, recipient_class: RecipientClass, age_band: str) -> Said | None:
        """What counts of consent, refusal, withdrawal and expiry; None where nobody was asked.

        Who is of age speaks alone. What parents or a guardian said before holds until the person is asked, but for
        their no to offices of the state: it stops no help of somebody who was never asked.
        """
        words = [one for one in reversed(self.said) if one.kind in SPOKEN and one.is_about(need, recipient_class)]
        last = next(iter(words), None)
        if age_band in CHILDREN or last is None:
            return last
        by_themselves = next((one for one in words if _spoken_by(one, words) not in PARENTAL), None)
        stops_an_office = recipient_class == "state" and last.kind != "given"
        return by_themselves or (None if stops_an_office else last)

    def basis(self, need: str, recipient_class: RecipientClass, age_band: str) -> Said | None:
        """The law that decides whatever the person says, if one was named and stands; a best interest is a child's."""
        ended = {one.said_id for one in self.said if one.kind == "basis_ended"}
        return next(
            (
                one
                for one in reversed(self.said)
                if one.kind == "basis"
                and one.said_id not in ended
                and one.is_about(need, recipient_class)
                and (one.basis != "best_interest" or age_band in CHILDREN)
            ),
            None,
        )

    def holds(self, need: str, recipient_class: RecipientClass, age_band: str, *, now: datetime) -> bool:
        """True where a consent stands, or a law that decides without."""
        if self.basis(need, recipient_class, age_band) is not None:
            return True
        found = self.latest(need, recipient_class, age_band)
        return found is not None and found.kind == "given" and (found.expires_at is None or now < found.expires_at)

    def for_civil_society(self, need: str, age_band: str, *, now: datetime) -> bool:
        """The fact of that name that the rules look at."""
        return self.holds(need, "civil_society", age_band, now=now)


def _spoken_by(one: Said, words: Sequence[Said]) -> GivenBy | None:
    """Whose word it is; an expiry is of the consent that has ended. `words`: the last first."""
    if one.kind != "expired":
        return one.spoken_by
    return next((before.spoken_by for before in words if before.kind == "given" and before.seq < one.seq), None)


NOTHING_SAID = Consents()
CLASSES: tuple[RecipientClass, ...] = ("state", "civil_society", "international")
"""Whom rules may ask. The police are told by people, and by no rule."""


def rests_on_consent(terms: Terms | None, age_band: str) -> bool:
    """True for an adult's need of which the rules name no other basis."""
    return age_band not in CHILDREN and terms is not None and terms.basis == "consent"


def latest_no(consents: Consents, need: str, age_band: str) -> Said | None:
    """The last refusal, withdrawal or expiry that still counts for this need, of whatever class."""
    said = [found for one in CLASSES if (found := consents.latest(need, one, age_band)) is not None]
    return max((one for one in said if one.kind != "given"), key=lambda one: one.seq, default=None)


def waits(terms: Terms | None, age_band: str) -> bool:
    """True where the rules let nobody be asked before an adult has consented."""
    return rests_on_consent(terms, age_band) and terms is not None and terms.consent == "person_before_asking"


def open_classes(
    consents: Consents, referral: Referral, terms: Terms | None, *, now: datetime
) -> frozenset[RecipientClass]:
    """The classes of recipients that may be asked to help with this need now."""
    return frozenset(one for one in CLASSES if _is_open(consents, one, referral.need, referral.age_band, terms, now))


def _is_open(
    consents: Consents,
    recipient_class: RecipientClass,
    need: str,
    age_band: str,
    terms: Terms | None,
    now: datetime,
) -> bool:
    if consents.holds(need, recipient_class, age_band, now=now):
        return True
    if recipient_class != "state":
        return False
    if not rests_on_consent(terms, age_band):
        return True
    found = consents.latest(need, "state", age_band)
    return not waits(terms, age_band) and (found is None or found.kind == "given")


@lru_cache(maxsize=64)
def outside(agency_ids: frozenset[str], classes: frozenset[RecipientClass]) -> frozenset[str]:
    """Of these agencies those of no such class; remembered, since directories are large and classes few."""
    return frozenset(id_ for id_ in agency_ids if codes.recipient_class(id_) not in classes)
