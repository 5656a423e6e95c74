"""Codes and filters in people's words. All sentences are message ids."""

from urllib.parse import urlencode

from services.notify import store
from services.notify.domain.subscriptions import EVENTS as TELLABLE
from services.notify.domain.subscriptions import Filter
from shared.contracts import codes
from shared.kit import words
from shared.kit.words import Language, msg

PAGE_ROWS = 50

EVENTS = {
    "referral.referral_opened.v1": msg("Referral opened"),
    "referral.assignment_sent.v1": msg("Agency asked"),
    "referral.assignment_acknowledged.v1": msg("Opened by the agency"),
    "referral.assignment_accepted.v1": msg("Accepted by the agency"),
    "referral.assignment_declined.v1": msg("Declined by the agency"),
    "referral.assignment_expired.v1": msg("No answer in time"),
    "referral.service_started.v1": msg("Help begun"),
    "referral.assignment_completed.v1": msg("Help given and handed over"),
    "referral.assignment_failed.v1": msg("Help did not come about"),
    "referral.assignment_recalled.v1": msg("Request taken back"),
    "referral.assignment_cancelled.v1": msg("Help ended, the need was closed"),
    "referral.referral_fulfilled.v1": msg("Need met"),
    "referral.referral_closed.v1": msg("Need ended without being met"),
    "referral.referral_reopened.v1": msg("Need opened again"),
    "referral.referral_escalated.v1": msg("Supervisor called in"),
    "referral.gap_opened.v1": msg("Nobody can serve the need"),
    "referral.assignment_reminded.v1": msg("Agency reminded of the deadline"),
    "referral.assignment_waitlisted.v1": msg("Put on the agency's waiting list"),
    "referral.question_asked.v1": msg("Port asked a question"),
    "referral.question_answered.v1": msg("Port answered"),
    "referral.question_lapsed.v1": msg("Port did not answer in time"),
    "referral.acceptance_undone.v1": msg("Acceptance taken back at once"),
    "referral.assignment_transferred.v1": msg("Handed on to another agency"),
    "referral.assignment_entered_in_error.v1": msg("Asking this agency was a mistake"),
    "referral.referral_held.v1": msg("Need waits"),
    "referral.referral_resumed.v1": msg("Need goes on"),
    "referral.escalation_taken.v1": msg("Somebody has taken it on"),
    "referral.escalation_raised.v1": msg("Nobody took it on, brought before the next"),
    "referral.gap_closed.v1": msg("Somebody can serve the need now"),
    "referral.referral_corrected.v1": msg("Recorded wrongly, corrected and decided anew"),
    "referral.consent_awaited.v1": msg("Waits for the person's consent"),
    "referral.consent_obtained.v1": msg("The person has consented"),
    "referral.cancellation_confirmed.v1": msg("Agency confirmed that its help ended"),
    "referral.cancellation_overdue.v1": msg("Agency did not confirm in time that its help ended"),
    "intake.consent_withdrawn.v1": msg("Consent withdrawn: use nothing of this case any more"),
    "intake.consent_expired.v1": msg("Consent has ended: use nothing of this case any more"),
    "intake.consent_recorded.v1": msg("Consent refused: use nothing of this case any more"),
    "referral.withdrawal_overdue.v1": msg(
        "Your organisation did not confirm in time that it ended the use of this case"
    ),
    "referral.erasure_overdue.v1": msg(
        "Your organisation did not confirm in time that it erased its copy of this case"
    ),
    "referral.correction_overdue.v1": msg(
        "Your organisation did not confirm in time that it corrected its copy of this case"
    ),
    "notify.test.v1": msg("Test"),
}
STATUSES = {
    "queued": (msg("waiting"), "info"),
    "sending": (msg("being sent"), "info"),
    "retry_wait": (msg("will be tried again"), "warn"),
    "delivered": (msg("delivered"), "ok"),
    "dead_lettered": (msg("given up"), "bad"),
    "suppressed": (msg("not sent"), "neutral"),
    "expired": (msg("test failed"), "bad"),
}
TROUBLES = {
    "timeout": msg("The server did not answer in 10 seconds."),
    "connection": msg("The server could not be reached: no such name, connection refused or broken off."),
    "tls": msg("The server's certificate is not valid, or it speaks no TLS."),
    "address_refused": msg("The name leads to an address that is not on the open internet. Nothing was sent."),
    "redirect": msg("The server answered with a redirect. Redirects are not followed: give the final address."),
    "client_error": msg("The server refused the notice. It is not sent again until somebody replays it."),
    "server_error": msg("The server reported an error of its own."),
    "throttled": msg("The server asked to be called less often."),
}
SUPPRESSED = {
    "subscription_ended": msg("It was not sent, because the subscription had ended."),
    "consent_withdrawn": msg(
        "It was not sent, because the person does not let your organisation be told of this case."
    ),
}
PAUSES = {
    "by_subscriber": msg("Paused by your organisation. Notices are kept and sent when you resume."),
    "gone": msg("Paused because your server answered 410 Gone. Notices are kept and sent when you resume."),
}


def need(language: Language, code: str) -> str:
    known = codes.needs()[code]
    return known.label_en if language == "en" else known.label_id


def open_needs() -> list[str]:
    """Needs that notices are ever sent about."""
    return [code for code, known in codes.needs().items() if not known.restricted]


def in_words(language: Language, wants: Filter) -> list[str]:
    """A filter as people say it: events, provinces, needs."""
    provinces = codes.provinces()
    events = [words.translate(language, EVENTS[code]) for code in TELLABLE if code in wants.events]
    places = sorted(
        provinces[code].name_en if language == "en" else provinces[code].name
        for code in wants.provinces
        if code in provinces
    )
    needs = [need(language, code) for code in codes.needs() if code in wants.needs]
    return [
        ", ".join(events) or words.translate(language, "all events"),
        ", ".join(places) or words.translate(language, "all provinces"),
        ", ".join(needs) or words.translate(language, "all needs that may be told"),
    ]


def state(overview: store.subscriptions.Overview) -> tuple[str, str]:
    """How a subscription is doing, in a word and a colour."""
    if overview.subscription.status == "ended":
        return msg("ended"), "neutral"
    if overview.subscription.status == "paused":
        return msg("paused"), "neutral"
    failures = overview.circuit.consecutive_failures
    if failures >= 5:
        return msg("keeps failing"), "bad"
    if failures:
        return msg("has trouble"), "warn"
    if overview.circuit.last_delivered_at is None:
        return msg("nothing sent yet"), "info"
    return msg("works"), "ok"


def link(path: str, **query: str) -> str:
    given = {name: value for name, value in query.items() if value}
    return path + ("?" + urlencode(given) if given else "")
