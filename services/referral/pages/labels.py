"""Codes in people's words. All sentences are message ids."""

import re
from collections.abc import Mapping

from services.referral.domain import glass
from services.referral.domain.agencies import Directory
from services.referral.domain.deadlines import Clock
from services.referral.domain.matters import Matter
from shared.contracts import codes
from shared.kit import words
from shared.kit.short_codes import NotACode, short_code, tail_of
from shared.kit.words import Language, msg, msg_count, translate, translate_count

ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

STATES: dict[str, tuple[str, str]] = {
    "proposed": (msg("being sent"), "neutral"),
    "sent": (msg("new"), "info"),
    "delivered": (msg("new"), "info"),
    "acknowledged": (msg("opened"), "info"),
    "waitlisted": (msg("on the waiting list"), "warn"),
    "accepted": (msg("accepted"), "ok"),
    "in_progress": (msg("help has begun"), "ok"),
    "completed": (msg("completed"), "ok"),
    "declined": (msg("declined"), "neutral"),
    "expired": (msg("not answered in time"), "warn"),
    "recalled": (msg("taken back"), "neutral"),
    "cancelled_by_sender": (msg("cancelled"), "neutral"),
    "failed": (msg("came to nothing"), "bad"),
    "transferred": (msg("handed on"), "neutral"),
    "entered_in_error": (msg("entered in error"), "neutral"),
}
CLOCKS: dict[Clock, str] = {
    "acknowledge": msg("to open it"),
    "decide": msg("to decide"),
    "question": msg("for the port's answer"),
    "review": msg("until the day of the waiting list"),
    "serve": msg("to help"),
}
"""What the time that runs is for."""
REASONS: dict[str, str] = {
    "no_capacity": msg("No capacity"),
    "outside_region": msg("Outside our region"),
    "wrong_service": msg("Not our service"),
    "duplicate": msg("Already with us"),
    "insufficient_facts": msg("Too little information"),
    "person_refused": msg("The person does not want it"),
}
SUCCESSES: dict[str, str] = {
    "SERVICE_DELIVERED": msg("Service delivered"),
    "HANDED_TO_FAMILY": msg("Handed over to the family"),
    "HANDED_TO_SOCIAL_MINISTRY": msg("Handed over to the social ministry"),
    "HANDED_TO_AGENCY": msg("Handed over to another agency"),
    "REFERRED_ONWARD": msg("Referred onward"),
}
FAILURES: dict[str, str] = {
    "COULD_NOT_CONTACT": msg("The person could not be reached"),
    "PERSON_REFUSED": msg("The person does not want it"),
    "PERSON_LEFT": msg("The person has left"),
    "NOT_ELIGIBLE": msg("Not eligible"),
    "NO_CAPACITY": msg("No capacity"),
    "DUPLICATE": msg("Already with us"),
    "DECEASED": msg("The person has died"),
}
CLOSINGS: dict[str, str] = {
    "PERSON_REFUSED": msg("The person does not want it"),
    "PERSON_LEFT": msg("The person has left"),
    "DECEASED": msg("The person has died"),
    "COULD_NOT_CONTACT": msg("The person could not be reached"),
    "NOT_ELIGIBLE": msg("Not eligible"),
    "NO_CAPACITY": msg("No capacity"),
    "DUPLICATE": msg("The need is recorded twice"),
    "NO_LONGER_NEEDED": msg("The need is gone"),
    "ENTERED_IN_ERROR": msg("The need was entered in error"),
}
REOPENINGS: dict[str, str] = {
    "NEED_REMAINS": msg("The need remains"),
    "PERSON_FOUND": msg("The person was found again"),
    "PERSON_AGREES": msg("The person wants help now"),
    "CLOSED_IN_ERROR": msg("The need was closed in error"),
}
OUTCOMES = {**FAILURES, **SUCCESSES}
BY_THE_PERSON: dict[str, str] = {"CONSENT_WITHDRAWN": msg("Consent withdrawn")}
SEXES: dict[str, str] = {"F": msg("Woman"), "M": msg("Man"), "X": msg("Not stated")}
AGES: dict[str, str] = {
    "child": msg("under 18"),
    "adult": msg("18 to 59"),
    "elderly": msg("60 or older"),
    "unknown": msg("age unknown: treated as a child"),
}
WISHES: dict[str, str] = {
    "go_home": msg("Go home"),
    "stay_local": msg("Stay near the port"),
    "unknown": msg("Not known"),
}
TASKS: dict[str, tuple[str, str]] = {
    "no_candidate_left": (msg("Nobody is left to ask"), "bad"),
    "service_overdue": (msg("The service is overdue"), "warn"),
    "person_refused": (msg("The person does not want it"), "warn"),
    "outcome_failed": (msg("The help came to nothing"), "warn"),
    "question_unanswered": (msg("The port has not answered a question"), "warn"),
    "said_duplicate": (msg("An agency says that it has this already"), "warn"),
    "legal_limit": (msg("A time limit of the law has passed"), "bad"),
    "consent_awaited": (msg("Waits for the person's consent"), "info"),
    "gap": (msg("Nobody serves this there"), "bad"),
}
SPLITS: dict[str, str] = {
    "medical_care": msg("Care in a hospital"),
    "safety": msg("Safety of one of them"),
    "persons_wish": msg("The person's wish"),
    "no_room_together": msg("No room for all of them"),
}
APART: dict[str, str] = {
    **SPLITS,
    "declined": msg("Declined by the agency"),
    "not_answered": msg("No answer in time"),
    "not_helped": msg("The help did not come about"),
    "taken_back": msg("Request taken back"),
    "handed_on": msg("Handed on to another agency"),
    "helped_before": msg("Help had begun before"),
    "not_taken_together": msg("Nobody takes them together"),
}
"""Why somebody is apart from the household."""
FAMILY_DECISIONS: dict[str, str] = {
    "reunited_by_people": msg("Brought together by other means"),
    "persons_wish": msg("The person's wish"),
    "safety": msg("Safety of one of them"),
    "medical_care": msg("Care in a hospital"),
    "no_family": msg("They are no family"),
}
GAPS: dict[str, str] = {
    "no_terms": msg("The rules give no terms for this need"),
    "no_rule": msg("The rules propose nobody for this need"),
    "no_office": msg("The directory has none of the offices that the rules propose"),
    "suspended": msg("The offices that serve this take no referrals now"),
    "never_by_itself": msg("The offices that serve this are asked by people only"),
    "not_eligible": msg("The offices that serve this do not take this person"),
}
"""Why nobody may be asked."""
RUNGS: dict[str, str] = {
    "agency_supervisor": msg("the agency's supervisor"),
    "province": msg("the province"),
    "national": msg("the whole country"),
}
"""Before whom a need is that nobody answers for."""
RECALLS: dict[str, str] = {
    "WRONG_AGENCY": msg("The wrong agency was asked"),
    "PERSON_MOVED": msg("The person is somewhere else"),
    "NEW_FACTS": msg("There are new facts"),
    "SENT_TWICE": msg("It was sent twice"),
}
"""Why a supervisor takes a request back."""
END_REASONS: dict[str, str] = {**RECALLS, "WRONG_ORIGIN": msg("The origin was wrong")}
"""Why the sender took a request back, or wants the help handed on."""
HOLDS: dict[str, str] = {
    "IN_HOSPITAL": msg("The person is in hospital"),
    "IN_CUSTODY": msg("The person is in custody"),
    "AWAITING_PAPERS": msg("Papers are awaited"),
    "PERSON_ASKED_TO_WAIT": msg("The person wants to wait"),
}
QUESTIONS: dict[str, str] = {
    "still_at_port": msg("Is the person still at the port?"),
    "travels_on": msg("When does the person travel on?"),
    "fit_to_travel": msg("Is the person fit to travel?"),
    "company": msg("With whom does the person travel?"),
    "wants_help": msg("Does the person want this help?"),
    "papers": msg("Which papers are at hand?"),
    "interpreter": msg("Is an interpreter needed?"),
}
ANSWERS: dict[str, str] = {
    "yes": msg("Yes"),
    "no": msg("No"),
    "not_known": msg("Not known"),
    "not_asked": msg("Not asked yet"),
    "has_left": msg("Has left"),
    "today": msg("Today"),
    "tomorrow": msg("Tomorrow"),
    "within_a_week": msg("Within a week"),
    "later": msg("Later"),
    "with_escort": msg("With an escort"),
    "alone": msg("Alone"),
    "with_children": msg("With children"),
    "with_family": msg("With family"),
    "identity_card": msg("Identity card"),
    "travel_letter": msg("Passport or travel letter"),
    "none": msg("None"),
    "needed": msg("Needed"),
    "not_needed": msg("Not needed"),
}
RECEIVERS: dict[str, str] = {
    "family": msg("Family"),
    "guardian": msg("Who has the family's power of attorney"),
    "village": msg("Village"),
    "social_ministry": msg("Social ministry"),
    "agency": msg("Another agency"),
}
"""In which capacity somebody receives a person."""
WITNESSES: dict[str, str] = {
    "village": msg("Village"),
    "local_government": msg("Local government"),
    "police": msg("Police"),
    "social_ministry": msg("Social ministry"),
    "agency": msg("Another agency"),
}
REFUSERS: dict[str, str] = {
    "self": msg("The person"),
    "family": msg("The family, since the person cannot decide"),
}
EXPLAINED: dict[str, str] = {
    "help_offered": msg("What help was offered"),
    "who_helps": msg("Who would help"),
    "what_follows": msg("What follows from a refusal"),
    "may_ask_again": msg("That the help can be asked for again"),
    "what_is_kept": msg("What is kept of this"),
}
LANGUAGES: dict[str, str] = {
    "id": msg("Indonesian"),
    "jv": msg("Javanese"),
    "su": msg("Sundanese"),
    "mad": msg("Madurese"),
    "sas": msg("Sasak"),
    "bug": msg("Buginese"),
    "mak": msg("Makassarese"),
    "bjn": msg("Banjarese"),
    "min": msg("Minangkabau"),
    "ace": msg("Acehnese"),
    "ms": msg("Malay"),
    "en": msg("English"),
    "inl": msg("Indonesian sign language"),
}
PAPERS: dict[str, str] = {
    "passport": msg("Passport"),
    "travel_letter": msg("Travel letter (SPLP)"),
    "identity_card": msg("Identity card"),
    "family_card": msg("Family card"),
    "birth_certificate": msg("Birth certificate"),
    "fit_to_travel_letter": msg("Fit-to-travel letter"),
    "medical_record": msg("Medical record"),
    "belongings": msg("Belongings"),
    "none": msg("None"),
}
CONDITIONS: dict[str, str] = {
    "well": msg("Well"),
    "sick_travelling": msg("Sick, fit to travel"),
    "under_treatment": msg("Under treatment"),
    "deceased": msg("Deceased"),
}
FORWARDS: dict[str, str] = {"wrong_service": REASONS["wrong_service"], "outside_region": REASONS["outside_region"]}
DAYS: dict[str, tuple[str, int]] = {
    "1": (msg("tomorrow"), 1),
    "3": (msg("in three days"), 3),
    "7": (msg("in a week"), 7),
    "14": (msg("in two weeks"), 14),
    "30": (msg("in a month"), 30),
}
"""How far off a day is that somebody names on a form."""
NEEDS: dict[str, tuple[str, str]] = {
    "open": (msg("open"), "info"),
    "unroutable": (msg("nobody serves it"), "bad"),
    "on_hold": (msg("on hold"), "neutral"),
    "fulfilled": (msg("met"), "ok"),
    "unfulfilled": (msg("not met"), "warn"),
    "awaiting_consent": (msg("waits for the person's consent"), "info"),
    "refused": (msg("refused by the person"), "neutral"),
    "consent_withdrawn": (msg("consent withdrawn"), "neutral"),
    "cancelled": (msg("cancelled"), "neutral"),
    "entered_in_error": (msg("entered in error"), "neutral"),
}
"""States of a need that a supervisor can come upon."""
MATTERS: dict[Matter, str] = {
    "help": msg("Help and protection"),
    "custody": msg("Police and narcotics matters"),
}
GLASS_REASONS: dict[glass.Reason, str] = {
    "danger_to_life": msg("Danger to life"),
    "child_at_risk": msg("A child is at risk"),
    "agency_silent": msg("The agency does not answer and it cannot wait"),
    "lawful_order": msg("A lawful order"),
}
DECISIONS: dict[glass.Decision, str] = {
    "justified": msg("It was justified"),
    "not_justified": msg("It was not justified"),
}
PLACES: dict[tuple[str, str], str] = {
    ("origin", "regency"): msg("home regency"),
    ("origin", "province"): msg("home province"),
    ("port", "regency"): msg("regency of the port"),
    ("port", "province"): msg("province of the port"),
    ("nation", "national"): msg("whole country"),
}
FIELDS: dict[str, str] = {
    "full_name": msg("Full name"),
    "alias": msg("Also called"),
    "birth": msg("Born"),
    "birthplace": msg("Birthplace"),
    "nik": msg("National identity number (NIK)"),
    "document_type": msg("Document"),
    "document_number": msg("Document number"),
    "origin_village": msg("Home village"),
    "family_contact": msg("Family contact"),
    "language": msg("Language"),
    "employer": msg("Employer"),
    "sector": msg("Work"),
    "country_from": msg("Returned from"),
    "region_from": msg("Region abroad"),
    "detained_at": msg("Held at"),
    "return_reason": msg("Reason for return"),
    "health_note": msg("Health note"),
}
"""Fields that intake may disclose; one it adds later shows under its code."""
DOCUMENTS: dict[str, str] = {
    "passport": msg("Passport"),
    "border_pass_PLB": msg("Border pass (PLB)"),
    "identity_card": msg("Identity card"),
    "other": msg("Other"),
    "none": msg("None"),
}
"""Kinds of documents that are not called as they are coded."""
COVERED: dict[str, int] = {
    "nik": 3,
    "document_number": 3,
    "family_contact": 3,
    "health_note": 0,
    "detained_at": 0,
    "return_reason": 0,
}
"""Those that nobody has to see who only opens the page, with how many letters of their end show what they are."""
EARLIER = (
    msg_count("%(n)s earlier landing, as a port has decided", "%(n)s earlier landings, as a port has decided"),
    "%(n)s earlier landings, as a port has decided",
)


def need(language: Language, code: str) -> str:
    known = codes.needs()[code]
    return known.label_id if language == "id" else known.label_en


def disclosed(language: Language, identity: Mapping[str, str]) -> dict[str, str]:
    """What intake says of a person, by field, as people write it."""
    written = {"birth": words.born, "country_from": words.country, "document_type": _document}
    return {name: written[name](language, value) if name in written else value for name, value in identity.items()}


def _document(language: Language, kind: str) -> str:
    return translate(language, DOCUMENTS.get(kind, kind))


def earlier(language: Language, landings: int) -> list[tuple[str, str]]:
    """The row of a summary that says how often somebody had landed before; none where nothing is known of it."""
    if not landings:
        return []
    return [(msg("Returned before"), translate_count(language, *EARLIER, landings))]


def region(code: str) -> str:
    """A regency or province by name."""
    if "." in code:
        found = codes.regencies().get(code)
        return found.name if found else code
    province = codes.provinces().get(code)
    return province.name if province else code


def port(code: str) -> str:
    found = codes.ports().get(code)
    return f"{found.name}, {found.city}" if found else code


def agency(directory: Directory, agency_id: str) -> str:
    found = directory.agencies.get(agency_id)
    return found.name if found else agency_id


def reference(case_id: str) -> str:
    """What people call a case at the telephone, as it stands on the slip that the person has."""
    return short_code(case_id)


def is_reference(text: str) -> bool:
    """True for text that can be the number of a case; what an address says may be anything."""
    try:
        return bool(tail_of(text))
    except NotACode:
        return False


def as_matter(text: str) -> Matter:
    """The matter that a form says; one of `MATTERS`."""
    return next(code for code in MATTERS if code == text)


def as_reason(text: str) -> glass.Reason:
    """The reason that a form says; one of `GLASS_REASONS`."""
    return next(code for code in GLASS_REASONS if code == text)


def as_decision(text: str) -> glass.Decision | None:
    """The judgement that a form says, None when it says none."""
    return next((code for code in DECISIONS if code == text), None)


def is_id(text: str) -> bool:
    """True for text that can be an id of ours; what a form sends may be anything."""
    return ID.fullmatch(text) is not None
