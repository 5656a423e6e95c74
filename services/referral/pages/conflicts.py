"""What stood in the way, for who came second: who was first, when, and what to do now."""

from services.referral.domain.refusals import (
    AlreadyAccepted,
    AlreadyAnswered,
    AttemptStillLive,
    ConsentIsNoBasis,
    DateMissing,
    HandoverRecorded,
    HandoverUnrecorded,
    NobodyToAsk,
    NotUndoable,
    QuestionClosed,
    QuestionOpen,
    ReceiverUnfit,
    Refused,
    SplitUnexplained,
    StatementRecorded,
    TakenBack,
    TooLate,
)
from services.referral.pages import labels
from shared.kit import words
from shared.kit.words import Language, msg, translate

SENTENCES: dict[type[Refused], str] = {
    TooLate: msg("The time to answer is over; another agency is being asked."),
    AttemptStillLive: msg("Another agency is being asked or already helps. Wait for its answer."),
    NobodyToAsk: msg("This agency cannot be asked for this need, or was asked before. Choose another one."),
    SplitUnexplained: msg("By this the person is parted from the household. Say why, or choose an office nearby."),
    NotUndoable: msg("The acceptance cannot be undone any more. Give the need back, or hand it on."),
    QuestionOpen: msg("The port was asked this already, or is being asked. Wait, or decide without its answer."),
    QuestionClosed: msg("This question is answered, or nobody needs the answer any more."),
    HandoverUnrecorded: msg(
        "No minutes of this number are recorded for this person. Record the signed minutes first, then complete."
    ),
    HandoverRecorded: msg("Minutes of this number are recorded already. Give other minutes their own number."),
    StatementRecorded: msg("A statement of this number is recorded already. Give another statement its own number."),
    ConsentIsNoBasis: msg("A child's help does not depend on what anybody says: nobody refuses it."),
    ReceiverUnfit: msg("The minutes name another receiver than this outcome. Choose the outcome that they say."),
    DateMissing: msg("This takes a date to come, and not too far off."),
}
CHANGED = msg("The case changed since you opened this page. Look at it as it is now.")


def sentence(language: Language, refused: Refused, zone: str) -> str:
    """Who was first and when, in a sentence."""
    if isinstance(refused, AlreadyAnswered) and refused.answered_at is not None:
        return translate(
            language,
            msg("%(who)s was first: %(state)s, %(when)s."),
            who=refused.answered_by or "–",
            state=translate(language, labels.STATES[refused.state][0]),
            when=words.moment(language, refused.answered_at, zone),
        )
    if isinstance(refused, AlreadyAccepted) and refused.answered_at is not None:
        return translate(
            language,
            msg("The agency accepted it on %(when)s. Ask it to give the need back, or close the need."),
            when=words.moment(language, refused.answered_at, zone),
        )
    if isinstance(refused, TakenBack) and refused.ended_at is not None:
        return translate(
            language,
            msg("It was ended on %(when)s. Stop what you have begun for it."),
            when=words.moment(language, refused.ended_at, zone),
        )
    return translate(language, next((text for kind, text in SENTENCES.items() if isinstance(refused, kind)), CHANGED))
