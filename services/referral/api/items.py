"""Many at once: the lists that are sent, and what is said of each item, refusals included."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.referral.actions import importing, keeping
from services.referral.domain import capacity, refusals, rulesets
from services.referral.domain.refusals import (
    AlreadyAnswered,
    AssignmentUnknown,
    AttemptStillLive,
    MoveNotAllowed,
    ReasonMissing,
    Refused,
    TooLate,
    VersionChanged,
)
from shared.kit import words
from shared.kit.actor import Actor
from shared.kit.identity import record_denied
from shared.kit.web import idempotent, json_response, key_of, language_of
from shared.kit.words import Language, msg
from shared.kit.work import Work

MOST_ITEMS = 500

REFUSALS: dict[type[Exception], tuple[int, str, str]] = {
    AssignmentUnknown: (404, "assignment_unknown", msg("There is no such referral in your inbox")),
    AlreadyAnswered: (409, "already_answered", msg("This referral was answered already")),
    TooLate: (409, "too_late", msg("The time to answer is over; another agency is being asked")),
    refusals.TakenBack: (409, "taken_back", msg("The request was taken back")),
    VersionChanged: (409, "version_changed", msg("The referral changed since you read it")),
    AttemptStillLive: (409, "attempt_still_live", msg("Another agency is being asked or already helps")),
    MoveNotAllowed: (409, "not_now", msg("This is not possible in the referral's present state")),
    refusals.NobodyToAsk: (409, "nobody_to_ask", msg("This agency takes nothing at the moment")),
    refusals.SplitUnexplained: (422, "split_unexplained", msg("The household would be parted: say why")),
    refusals.ReunificationUnknown: (404, "reunification_unknown", msg("There is no such family in your region")),
    refusals.ReunificationEnded: (409, "reunification_ended", msg("They are together again, or it is decided")),
    refusals.ReferralUnknown: (404, "referral_unknown", msg("There is no such need in your region")),
    refusals.AlreadyTaken: (409, "already_taken", msg("Somebody else answers for this need already")),
    refusals.AskedYourself: (409, "asked_yourself", msg("Your own agency is asked: decline, or give the need back")),
    refusals.ChildNeedsOfficer: (
        409,
        "needs_officer",
        msg("A restricted need is closed only by a person who answers for it by name"),
    ),
    refusals.AlreadyAccepted: (409, "already_accepted", msg("The agency has accepted it")),
    refusals.NotUndoable: (409, "not_undoable", msg("The acceptance cannot be undone any more")),
    refusals.QuestionOpen: (409, "question_open", msg("The port was asked this already, or is being asked")),
    refusals.QuestionClosed: (409, "question_closed", msg("This question is answered or needed no more")),
    refusals.QuestionUnknown: (404, "question_unknown", msg("There is no such question to your port")),
    refusals.PauseUnknown: (404, "pause_unknown", msg("There is no such pause in your region")),
    refusals.CancellationUnknown: (404, "cancellation_unknown", msg("There is no such cancellation to confirm")),
    refusals.DateMissing: (422, "date_missing", msg("This takes a date to come, and not too far off")),
    rulesets.RulesUnknown: (404, "rules_unknown", msg("There is no such version of the rules")),
    rulesets.RulesKnown: (409, "rules_known", msg("There is a version with this name or with the same tables already")),
    rulesets.RulesNotThere: (
        409,
        "rules_not_there",
        msg("Draft a version, try it, let one person ask for it and another confirm: this step is not due"),
    ),
    rulesets.RulesNeedAnother: (409, "rules_need_another", msg("Somebody else has to confirm what you asked for")),
    keeping.AgencyUnknown: (404, "agency_unknown", msg("The directory has no such office, or it is so already")),
    keeping.AgencyKnown: (409, "agency_known", msg("The directory has this office already")),
    keeping.NotYours: (403, "not_yours", msg("Your office does not keep this: ask a coordinator")),
    keeping.EntryUnusable: (422, "entry_unusable", msg("The entry cannot stand like this")),
    importing.FileUnusable: (
        422,
        "file_unusable",
        msg("This is no directory: send HSDS JSON, or CSV with the headings of an exported file"),
    ),
    importing.FileTooLarge: (413, "file_too_large", msg("A file has at most 10,000 rows and 16 MiB: send it in parts")),
    importing.RowsBad: (422, "rows_bad", msg("Some rows cannot be taken in, so none is: correct them and look again")),
    importing.NotAsSeen: (
        409,
        "not_as_seen",
        msg("The file or the directory is not the one that was looked at: look again, then confirm"),
    ),
    capacity.PlacesTaken: (409, "places_taken", msg("More of these places are taken than would be left")),
    capacity.PlacesUnusable: (
        422,
        "places_unusable",
        msg("Places are published for up to seven days, at most 1,000 of a sort"),
    ),
    refusals.IdentityErased: (409, "identity_erased", msg("The identity was erased")),
    refusals.TaskUnknown: (404, "copy_unknown", msg("There is no such copy to see to")),
    refusals.IdentityToBeRead: (
        409,
        "identity_to_be_read",
        msg("The identity is still shown to your agency: read it again, that settles the correction"),
    ),
    refusals.CaseUnknown: (404, "case_unknown", msg("There is no such case, or it is not yours to open")),
    refusals.GlassUnknown: (404, "glass_unknown", msg("There is no such emergency opening")),
    refusals.GlassExpired: (410, "glass_expired", msg("The time of this emergency opening is over")),
    refusals.OwnGlass: (409, "own_glass", msg("Somebody else has to judge what you opened")),
    refusals.AlreadyReviewed: (409, "already_reviewed", msg("This emergency opening was judged already")),
    refusals.IdentityWithheld: (409, "identity_withheld", msg("The identity is not disclosed")),
    refusals.DisclosureEnded: (409, "disclosure_ended", msg("The identity is not disclosed any more")),
    ReasonMissing: (422, "reason_missing", msg("The reason or outcome does not fit")),
    refusals.HandoverMissing: (422, "handover_missing", msg("A handover needs the number of its minutes")),
    refusals.HandoverUnrecorded: (
        409,
        "handover_unrecorded",
        msg("No minutes of this number are recorded: record them first, then complete with their number"),
    ),
    refusals.HandoverRecorded: (409, "handover_recorded", msg("Minutes of this number are recorded already")),
    refusals.ReceiverUnfit: (409, "receiver_unfit", msg("The minutes name another receiver than the outcome says")),
    refusals.WitnessUnfit: (
        422,
        "witness_unfit",
        msg("Family receives before a witness of the village or the local government"),
    ),
    refusals.PlaceUnknown: (422, "place_unknown", msg("There is no such regency")),
    refusals.StatementRecorded: (409, "statement_recorded", msg("A statement of this number is recorded already")),
    refusals.StatementMissing: (422, "statement_missing", msg("A refusal takes the number of the signed statement")),
    refusals.RefuserUnfit: (
        422,
        "refuser_unfit",
        msg("Family refuses only for whoever cannot decide itself, by a document that says so"),
    ),
    refusals.ConsentIsNoBasis: (409, "consent_is_no_basis", msg("A child's help does not depend on consent")),
    refusals.SignatureMissing: (
        422,
        "signature_missing",
        msg("Record the minutes when both have signed: the handover, then the signatures, then the record"),
    ),
    refusals.GuardianCheckMissing: (
        422,
        "guardian_check_missing",
        msg("A child is handed over with the number of the guardian's check, else to the social ministry or an agency"),
    ),
}
"""How refusals of the domain answer: status, code, title."""


def answer_of(refused: Refused) -> tuple[int, str, str]:
    """Status, code and title (a message id) of a refusal."""
    return next(known for kind, known in REFUSALS.items() if isinstance(refused, kind))


READ_AGAIN = msg("Read it as it is now, and decide on what you see.")
REMEDIES: dict[type[Exception], str] = {
    AlreadyAnswered: msg(
        "Nothing is left to do here: somebody of your agency was first. Look at the case as it is now."
    ),
    TooLate: msg("Nothing is asked of your agency any more. Look into the inbox for what waits."),
    refusals.TakenBack: msg(
        "Stop what you have begun for it; your agency's part has ended. Confirm it in the inbox if asked."
    ),
    refusals.AlreadyAccepted: msg(
        "Ask the agency to give the need back or to hand it on; or close the need with a reason."
    ),
    refusals.NotUndoable: msg("Give the need back with an outcome, or hand it on to another agency."),
    refusals.QuestionOpen: msg("Wait for the port's answer, or decide without it."),
    VersionChanged: READ_AGAIN,
    MoveNotAllowed: READ_AGAIN,
    AttemptStillLive: msg("Wait for its answer, or take the request back first."),
    refusals.NobodyToAsk: msg("Choose another agency, one that serves this need and was not asked before."),
    refusals.AskedYourself: msg("Decline it, or give it back with an outcome."),
}
"""What to do now, by what stood in the way."""

Winner = Literal["your_agency", "agency", "supervisor", "clock", "port"]
"""Who was first. Which agency or person it was is not said of others."""


class Conflict(BaseModel):
    """What stood in the way of one item: who was first, when, how it stands now, and what to do."""

    by: Winner | None = None
    at: datetime | None = None
    state: str | None = None
    remedy: str | None = None


def conflict_of(refused: Refused, language: Language) -> Conflict:
    """Who was first and what to do now, as far as whoever came second may know it."""
    remedy = next((text for kind, text in REMEDIES.items() if isinstance(refused, kind)), None)
    ended_at = getattr(refused, "ended_at", None)
    return Conflict(
        by=_winner(refused),
        at=getattr(refused, "answered_at", None) or ended_at,
        state=getattr(refused, "state", None),
        remedy=words.translate(language, remedy) if remedy else None,
    )


def _winner(refused: Refused) -> Winner | None:
    match refused:
        case AlreadyAnswered():
            return "your_agency"
        case refusals.AlreadyAccepted():
            return "agency"
        case TooLate():
            return "clock"
        case refusals.TakenBack():
            return "supervisor"
        case refusals.QuestionClosed():
            return "port" if refused.answered_by else "agency"
        case MoveNotAllowed(thing="referral", ended_at=at) if at is not None:
            return "agency" if refused.state == "fulfilled" else "supervisor"
    return None


def note_denied(request: Request, work: Work, results: Sequence[object]) -> None:
    """Put on the trail, once for a list, that it named what is not the actor's, or not there."""
    if any(isinstance(result, Refused) and answer_of(result)[0] == 404 for result in results):
        record_denied(request, work)


I = TypeVar("I", bound=BaseModel)  # noqa: E741


class Items(BaseModel, Generic[I]):
    """Up to 500 items; each has its own result. A bare list is taken as well."""

    model_config = ConfigDict(extra="forbid")

    items: list[I] = Field(min_length=1, max_length=MOST_ITEMS)

    @model_validator(mode="before")
    @classmethod
    def _or_a_list(cls, value: Any) -> Any:
        return {"items": value} if isinstance(value, list) else value


class Verdict(BaseModel):
    """What became of one item. `ok` false: `code`, `title` say why, and `conflict` who was first."""

    ok: bool
    status: int
    code: str | None = None
    title: str | None = None
    conflict: Conflict | None = None


V = TypeVar("V", bound=Verdict)
R = TypeVar("R")


def verdict(language: Language, kind: type[V], result: object, **said: Any) -> V:
    """The verdict on an item of which `said` is known whatever became of it."""
    if not isinstance(result, Refused):
        return kind(ok=True, status=200, **said)
    status, code, title = answer_of(result)
    conflict = conflict_of(result, language) if status == 409 else None
    return kind(ok=False, status=status, code=code, title=words.translate(language, title), conflict=conflict, **said)


async def answer_each(
    request: Request,
    actor: Actor,
    purpose: str,
    act: Callable[[Work], Awaitable[Sequence[R]]],
    say: Callable[[Language, int, R], Verdict],
) -> Response:
    """Act on a list once per key; `say` answers what became of the item at a place of it."""
    key, language = await key_of(request), language_of(request)
    async with request.app.state.database.work(actor, purpose=purpose) as work:

        async def respond() -> Response:
            results = await act(work)
            note_denied(request, work, results)
            return json_response({"items": [say(language, n, result) for n, result in enumerate(results)]})

        return await idempotent(request, work, key, respond)
