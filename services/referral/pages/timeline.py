"""What has happened to a request, in words for the agency that was asked."""

from collections.abc import Mapping
from typing import Any

from services.referral.domain.assignments import Assignment
from services.referral.domain.needs import Need
from services.referral.pages import labels
from shared.kit.words import Language, msg, translate

TAKEN_BACK = msg("The request was taken back")


def lines(
    language: Language, need: Need, own: Assignment, agency_names: Mapping[str, str], zone: str
) -> list[dict[str, Any]]:
    """What happened, latest first; of other agencies' attempts only that they were asked and how it ended."""
    said: list[tuple[Any, str, str, str]] = [
        (need.referral.opened_at, msg("Referred"), msg("the rules"), ""),
        (own.sent_at, msg("Sent to your agency"), msg("the rules"), ""),
        (own.acknowledged_at, msg("Opened"), "", ""),
        (own.reminded_at, msg("Reminded of the deadline"), msg("the clock"), ""),
        (own.overdue_told_at, msg("Service overdue; supervisor told"), msg("the clock"), ""),
    ]
    answer = msg("Declined") if own.state == "declined" else msg("Accepted")
    said.append((own.answered_at, answer, "", labels.REASONS.get(own.decline_reason or "", "")))
    if own.started_at is not None:
        said.append((own.started_at, msg("Help has begun"), "", ""))
    if own.state in {"completed", "failed"}:
        said.append((own.ended_at, labels.STATES[own.state][0], "", labels.OUTCOMES.get(own.outcome or "", "")))
    if own.state == "expired":
        what = msg("Not opened in time") if own.acknowledged_at is None else msg("Not answered in time")
        said.append((own.ended_at, what, msg("the clock"), ""))
    entries = [_entry(language, zone, own, *each) for each in said if each[0] is not None]
    if own.state in {"recalled", "cancelled_by_sender"}:
        entries.append(
            {
                "when": own.ended_at,
                "zone": zone,
                "what": translate(language, TAKEN_BACK if own.end_reason else msg("The need was closed")),
                "who": translate(language, msg("the sender") if own.end_reason else msg("a supervisor")),
                "why": translate(language, labels.END_REASONS.get(own.end_reason or "", "")) if own.end_reason else "",
                "system": False,
            }
        )
    for other in need.attempts:
        if other.attempt != own.attempt:
            text = translate(language, labels.STATES[other.state][0])
            entries.append(
                {
                    "when": other.ended_at or other.sent_at,
                    "zone": zone,
                    "who": agency_names[other.agency_id],
                    "what": translate(language, msg("Attempt %(n)s: %(state)s"), n=other.attempt, state=text),
                    "why": translate(language, labels.END_REASONS[other.end_reason]) if other.end_reason else "",
                    "system": False,
                }
            )
    # Latest first; what happened in one moment stays in its own order, turned round as well.
    entries.reverse()
    return sorted(entries, key=lambda entry: entry["when"], reverse=True)


def _entry(language: Language, zone: str, own: Assignment, when: Any, what: str, who: str, why: str) -> dict[str, Any]:
    by_person = own.answered_by if when == own.answered_at and own.answered_by else own.agency_id
    return {
        "when": when,
        "zone": zone,
        "what": translate(language, what),
        "who": translate(language, who) if who else by_person,
        "why": translate(language, why) if why else "",
        "system": bool(who),
    }
