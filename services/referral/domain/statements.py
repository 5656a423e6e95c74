"""Statements of refusal (*surat pernyataan penolakan*): in codes and numbers. Names stay on the paper that was signed.

Source: Permen P2MI 32/2025 Art. 39 and Annex III: who refuses help signs that, the family where the person cannot
decide itself; a witness signs too. It is an adult's: a child's help does not depend on what it or anybody says.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.referral.domain.assignments import is_handover_ref
from services.referral.domain.handovers import WITNESSES
from services.referral.domain.refusals import (
    ConsentIsNoBasis,
    PlaceUnknown,
    ReasonMissing,
    RefuserUnfit,
    SignatureMissing,
    StatementMissing,
    StatementRecorded,
)
from shared.contracts import codes

REFUSERS = frozenset({"self", "family"})
EXPLAINED = frozenset({"help_offered", "who_helps", "what_follows", "may_ask_again", "what_is_kept"})
"""What was explained before somebody refused."""
LEAST_EXPLAINED = frozenset({"help_offered", "what_follows"})
"""Who was not told this cannot refuse it."""
LANGUAGE = re.compile(r"[a-z]{2,3}")
"""ISO 639."""
MOST_OLD = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Statement:
    """What was signed about one need."""

    referral_id: str
    number: str
    case_id: str
    agency_id: str
    recorded_by: str
    refuser: str
    incapacity: str | None
    """Number of the document that says that the person cannot decide itself; with `family` only."""
    witness: str
    place: str
    """Regency."""
    language: str
    explained: tuple[str, ...]
    refused_at: datetime
    signed_at: datetime
    """Since when both signatures stand on it: of who refuses, and of the witness."""


def expect_sound(statement: Statement, *, child: bool, now: datetime) -> Statement:
    """The statement, if it says everything and is lawful.

    Raises `ConsentIsNoBasis` of a child, `StatementMissing` without a number, `ReasonMissing` for a code that is none
    or when too little was explained, `RefuserUnfit`, `PlaceUnknown`, `SignatureMissing` when it was signed before the
    refusal or is still to be.
    """
    if child:
        raise ConsentIsNoBasis
    if not is_handover_ref(statement.number):
        raise StatementMissing
    codes_are_known = (
        statement.refuser in REFUSERS
        and statement.witness in WITNESSES
        and LANGUAGE.fullmatch(statement.language)
        and LEAST_EXPLAINED <= set(statement.explained) <= EXPLAINED
    )
    if not codes_are_known:
        raise ReasonMissing
    if (statement.refuser == "family") != (statement.incapacity is not None):
        raise RefuserUnfit
    if statement.incapacity is not None and not is_handover_ref(statement.incapacity):
        raise RefuserUnfit
    if statement.place not in codes.regencies():
        raise PlaceUnknown
    if not now - MOST_OLD < statement.refused_at <= statement.signed_at <= now:
        raise SignatureMissing
    return statement


def expect_new(statement: Statement, recorded: Sequence[Statement]) -> None:
    """Raises `StatementRecorded`: statements are signed, so nobody writes them again."""
    if any(one.number == statement.number for one in recorded):
        raise StatementRecorded
