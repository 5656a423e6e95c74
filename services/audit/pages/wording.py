"""What codes are called on a trail. A code that has no words here is shown as it is: nothing is left out."""

from datetime import datetime
from typing import Any

from shared.contracts import codes
from shared.kit import words
from shared.kit.words import Language, msg

HIDDEN = frozenset({"case_id"})
"""Fields that every entry of a trail shares."""

SERVICES = {
    "intake": msg("Intake"),
    "referral": msg("Referral"),
    "notify": msg("Notices"),
    "audit": msg("Audit"),
}

EVENTS = {
    "intake.voyage_announced.v1": msg("Voyage announced"),
    "intake.manifest_confirmed.v1": msg("Name list taken in"),
    "intake.arrival_recorded.v1": msg("Landed and screened"),
    "intake.identity_disclosed.v1": msg("Identity shown to the agency that accepted"),
    "intake.disclosure_refused.v1": msg("Identity asked for and refused"),
    "intake.erasure_refused.v1": msg("Erasure refused, a legal hold stands"),
    "intake.legal_hold_placed.v1": msg("Legal hold placed"),
    "intake.legal_hold_lifted.v1": msg("Legal hold lifted"),
    "intake.person_sought.v1": msg("Person looked for by a number"),
    "intake.person_record_read.v1": msg("What is kept of the person looked at"),
    "intake.person_data_exported.v1": msg("Own data handed out to the person"),
    "intake.correction_requested.v1": msg("Correction asked for"),
    "intake.correction_rejected.v1": msg("Correction rejected"),
    "intake.identity_corrected.v1": msg("Identity corrected"),
    "intake.retention_applied.v1": msg("What had reached its period removed"),
    "intake.keys_rewrapped.v1": msg("Keys of the vault wrapped anew"),
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
    "referral.referral_closed.v1": msg("Need closed by a supervisor"),
    "referral.referral_reopened.v1": msg("Need opened again"),
    "referral.referral_fulfilled.v1": msg("Need met"),
    "referral.referral_escalated.v1": msg("Supervisor called in"),
    "referral.gap_opened.v1": msg("Nobody can serve the need"),
    "referral.gap_closed.v1": msg("Somebody can serve the need now"),
    "referral.directory_changed.v1": msg("Directory of agencies changed"),
    "referral.case_read.v1": msg("Case read"),
    "referral.erasure_confirmed.v1": msg("An agency erased its copy"),
    "referral.erasure_overdue.v1": msg("An agency has not erased its copy in time"),
    "referral.correction_confirmed.v1": msg("An agency has what was corrected"),
    "referral.correction_overdue.v1": msg("An agency has not taken over a correction in time"),
    "referral.glass_broken.v1": msg("Case opened in an emergency"),
    "referral.glass_looked_through.v1": msg("Case read under an emergency opening"),
    "referral.glass_reviewed.v1": msg("Emergency opening judged"),
    "referral.glass_review_overdue.v1": msg("Emergency opening not judged in time"),
    "notify.subscription_created.v1": msg("Subscription made"),
    "notify.subscription_paused.v1": msg("Subscription paused"),
    "notify.subscription_resumed.v1": msg("Subscription resumed"),
    "notify.subscription_changed.v1": msg("Subscription changed"),
    "notify.subscription_ended.v1": msg("Subscription ended"),
    "notify.subscription_tested.v1": msg("Test notice sent"),
    "notify.task_dismissed.v1": msg("Task closed by a person"),
    "notify.notice_suppressed.v1": msg("Notice not sent any more"),
    "notify.notices_queued.v1": msg("Notices waiting for delivery"),
    "notify.notice_delivered.v1": msg("Notice delivered"),
    "notify.notice_failed.v1": msg("Delivery tried in vain"),
    "notify.notice_dead_lettered.v1": msg("Notice given up, a person's task now"),
    "notify.notice_replayed.v1": msg("Notice sent again by a person"),
    "audit.trail_read.v1": msg("Trail read"),
    "audit.proof_exported.v1": msg("Proof taken away"),
    "audit.case_found.v1": msg("Found by a search"),
    "access.signed_in.v1": msg("Signed in"),
    "access.signed_out.v1": msg("Signed out"),
    "access.access_denied.v1": msg("Access refused"),
    "access.access_revoked.v1": msg("Access taken away"),
    "access.access_restored.v1": msg("Access given back"),
    "access.mass_reading.v1": msg("Alarm: read about very many people"),
    "access.record_released.v1": msg("A parked record was released"),
    "access.record_discarded.v1": msg("A parked record was discarded"),
    "intake.person_erased.v1": msg("Person erased"),
}

FIELDS = {
    "rule": msg("Rule"),
    "removed": msg("Removed"),
    "hold_id": msg("Legal hold"),
    "held": msg("Kept by a legal hold"),
    "found": msg("Found"),
    "form": msg("Form"),
    "decide_by": msg("Decide by"),
    "correction_id": msg("Correction"),
    "by": msg("Looked for by"),
    "by_reading": msg("By reading the identity again"),
    "parked_id": msg("Parked record"),
    "accepted": msg("Accepted rows"),
    "age_band": msg("Age group"),
    "agency_id": msg("Agency"),
    "announced": msg("Announced"),
    "answer_due_at": msg("Answer due"),
    "arrived_at": msg("Landed"),
    "assignment_id": msg("Assignment"),
    "attempt": msg("Attempt"),
    "bars": msg("Kept out until given back"),
    "change": msg("What was done"),
    "channel": msg("Way in"),
    "code": msg("Code"),
    "confirm_by": msg("To be confirmed by"),
    "count": msg("How many"),
    "decided_at": msg("Decided"),
    "decision": msg("Judgement"),
    "delivery_id": msg("Delivery"),
    "entries": msg("Entries"),
    "event_id": msg("Event"),
    "event_type": msg("Kind of event"),
    "expected_at": msg("Expected"),
    "expires_at": msg("Open until"),
    "explanation": msg("Address of the explanation"),
    "fields": msg("Fields"),
    "gap_id": msg("Gap"),
    "glass_id": msg("Emergency opening"),
    "known": msg("Known before"),
    "left": msg("Left under other keys"),
    "listed": msg("Listed"),
    "manifest_id": msg("Manifest"),
    "matter": msg("What was opened"),
    "modality": msg("Way of return"),
    "need": msg("Need"),
    "needs": msg("Needs"),
    "next_attempt_at": msg("Next attempt"),
    "notices": msg("Notices"),
    "onward_wish": msg("Wish"),
    "origin_regency": msg("Home regency"),
    "outcome": msg("Outcome"),
    "port": msg("Port"),
    "port_regency": msg("Regency of the port"),
    "province": msg("Province"),
    "reader": msg("Read by"),
    "reason": msg("Reason"),
    "reference": msg("Reference"),
    "referral_id": msg("Referral"),
    "regency": msg("Regency"),
    "rejected": msg("Rejected rows"),
    "restricted": msg("For the case team only"),
    "review_by": msg("To be judged by"),
    "rewrapped": msg("Wrapped anew"),
    "rules_version": msg("Version of the rules"),
    "run_id": msg("Run"),
    "scope": msg("Whose access"),
    "service": msg("Service"),
    "service_due_at": msg("Help due"),
    "sex": msg("Sex"),
    "side": msg("Whose decision"),
    "state": msg("State"),
    "status": msg("Answer of the server"),
    "subscription_id": msg("Subscription"),
    "suspended": msg("Suspended"),
    "supervisor": msg("Supervisor"),
    "takes_referrals": msg("Referrals are sent there by themselves"),
    "task_id": msg("Task"),
    "thing": msg("What was asked for"),
    "told": msg("Whose task it is"),
    "tree_size": msg("Leaves under the checkpoint"),
    "trouble": msg("Trouble"),
    "voyage_id": msg("Voyage"),
    "why": msg("Why"),
    "window_s": msg("Within so many seconds"),
    "recipients": msg("Agencies that had been shown the identity"),
}

VALUES = {
    "F": msg("Female"),
    "M": msg("Male"),
    "X": msg("Not stated"),
    "child": msg("Child"),
    "adult": msg("Adult"),
    "elderly": msg("60 or older"),
    "unknown": msg("Not known"),
    "deportation": msg("Deportation"),
    "repatriation": msg("Repatriation"),
    "vulnerable_flight": msg("Flight for vulnerable people"),
    "single": msg("One by one"),
    "batch": msg("Several at once"),
    "manifest": msg("Name list"),
    "go_home": msg("Go home"),
    "stay_local": msg("Stay near the port"),
    "PERSON": msg("The person's"),
    "AGENCY": msg("The agency's"),
    "no_capacity": msg("No capacity"),
    "outside_region": msg("Outside the region"),
    "wrong_service": msg("Wrong service"),
    "duplicate": msg("Duplicate"),
    "insufficient_facts": msg("Too few facts"),
    "person_refused": msg("The person refused"),
    "SERVICE_DELIVERED": msg("Service given"),
    "HANDED_TO_FAMILY": msg("Handed over to the family"),
    "HANDED_TO_SOCIAL_MINISTRY": msg("Handed over to the social ministry"),
    "HANDED_TO_AGENCY": msg("Handed over to another agency"),
    "REFERRED_ONWARD": msg("Referred onward"),
    "PERSON_REFUSED": msg("The person refused"),
    "COULD_NOT_CONTACT": msg("Could not be reached"),
    "NOT_ELIGIBLE": msg("Not eligible"),
    "NO_CAPACITY": msg("No capacity"),
    "PERSON_LEFT": msg("The person left"),
    "DECEASED": msg("Deceased"),
    "DUPLICATE": msg("Duplicate"),
    "NO_LONGER_NEEDED": msg("The need is gone"),
    "ENTERED_IN_ERROR": msg("The need was entered in error"),
    "NEED_REMAINS": msg("The need remains"),
    "PERSON_FOUND": msg("The person was found again"),
    "PERSON_AGREES": msg("The person wants help now"),
    "CLOSED_IN_ERROR": msg("The need was closed in error"),
    "added": msg("added"),
    "changed": msg("changed"),
    "suspended": msg("suspended"),
    "resumed": msg("resumed"),
    "unfulfilled": msg("not met"),
    "cancelled": msg("cancelled"),
    "entered_in_error": msg("entered in error"),
    "no_candidate_left": msg("No agency left to ask"),
    "service_overdue": msg("Help is overdue"),
    "unroutable_child": msg("Nobody serves this child there"),
    "outcome_failed": msg("The help did not come about"),
    "subscription_ended": msg("The subscription had ended"),
    "webhook": msg("Webhook"),
    "not_accepted": msg("Not accepted yet"),
    "other_agency": msg("Another agency's case"),
    "ended": msg("Ended already"),
    "unknown_case": msg("No such case"),
    "erased": msg("Identity erased"),
    "by_subscriber": msg("By the subscriber"),
    "gone": msg("The server is gone"),
    "timeout": msg("No answer in time"),
    "connection": msg("Not reachable"),
    "tls": msg("No valid certificate"),
    "address_refused": msg("Address not allowed"),
    "redirect": msg("Answered with a redirect"),
    "client_error": msg("Refused by the server"),
    "server_error": msg("Error of the server"),
    "throttled": msg("Asked to be called less often"),
    "no_session": msg("Not signed in"),
    "bad_token": msg("Bad access token"),
    "role": msg("The role"),
    "not_yours": msg("Belongs to others"),
    "csrf": msg("Not from a page of ours"),
    "too_many": msg("Too often in a minute"),
    "revoked": msg("Access was taken away"),
    "person": msg("A person"),
    "client": msg("A system"),
    "organisation": msg("An organisation"),
    "own_wish": msg("Own wish"),
    "left": msg("No longer works there"),
    "lost_device": msg("A device was lost"),
    "misuse": msg("Misuse"),
    "precaution": msg("As a precaution"),
    "help": msg("Help and protection"),
    "custody": msg("Police and narcotics matters"),
    "danger_to_life": msg("Danger to life"),
    "child_at_risk": msg("A child is at risk"),
    "agency_silent": msg("The agency does not answer and it cannot wait"),
    "lawful_order": msg("A lawful order"),
    "justified": msg("It was justified"),
    "not_justified": msg("It was not justified"),
    "court": msg("A court wants it kept"),
    "investigation": msg("Needed for an investigation"),
    "claim": msg("Needed for a claim"),
    "inspection": msg("Needed for an inspection"),
    "hold_ended": msg("The reason to keep it has ended"),
    "placed_in_error": msg("Placed in error"),
    "case": msg("Number of the case"),
    "nik": msg("NIK"),
    "document": msg("Document number"),
    "page": msg("Page to print"),
    "json": msg("JSON file"),
    "no_proof": msg("Nothing proves it"),
    "not_this_person": msg("Not this person's data"),
    "already_so": msg("It is so already"),
    "withdrawn": msg("Asked for no more"),
    "request": msg("The person asked for it"),
    "retention": msg("The period of retention ended"),
    "order": msg("Ordered by a court or the authority"),
}

PURPOSES = {
    "accept": msg("answering a referral"),
    "access": msg("access to the system"),
    "audit": msg("audit"),
    "chase": msg("keeping deadlines"),
    "deliver": msg("delivering notices"),
    "dismiss": msg("closing tasks"),
    "give_up": msg("ending delivery after the last attempt"),
    "hear": msg("following from another event"),
    "keep_directory": msg("keeping the directory"),
    "look": msg("looking at own work"),
    "manifest": msg("taking in a name list"),
    "read_case": msg("deciding on a referral"),
    "read_identity": msg("giving help that was accepted"),
    "service_delivery": msg("giving help that was accepted"),
    "reception": msg("reception at the port"),
    "replay": msg("sending a notice again"),
    "reroute": msg("finding another agency"),
    "restore": msg("giving access back"),
    "revoke": msg("taking access away"),
    "screening": msg("screening at the port"),
    "settle_copy": msg("erasing or correcting an own copy"),
    "sign_in": msg("signing in"),
    "sign_out": msg("signing out"),
    "subscribe": msg("managing subscriptions"),
    "supervise": msg("supervision"),
    "suppress": msg("ending what nobody waits for"),
    "test": msg("trying a subscription"),
    "erase": msg("erasing a person"),
    "export": msg("handing a person their own data"),
    "protect": msg("protection of personal data"),
    "correct": msg("correcting what is kept"),
    "retain": msg("keeping the periods of retention"),
}


def service(language: Language, source: str) -> str:
    """What a service is called."""
    return words.translate(language, SERVICES[source]) if source in SERVICES else source


def event(language: Language, type_: str) -> str:
    """What happened, in words."""
    return words.translate(language, EVENTS[type_]) if type_ in EVENTS else type_


def purpose(language: Language, code: str) -> str:
    """Why it was done."""
    return words.translate(language, PURPOSES[code]) if code in PURPOSES else code


def field(language: Language, name: str) -> str:
    """What a field of a fact is called."""
    return words.translate(language, FIELDS[name]) if name in FIELDS else name


def value(language: Language, name: str, value_: Any, zone: str) -> str:
    """A field's value as people read it: labels for codes, names for regions, times at the place."""
    if value_ is None:
        return words.translate(language, "Not known")
    if isinstance(value_, list):
        return ", ".join(value(language, name, one, zone) for one in value_) or "–"
    if isinstance(value_, dict):
        return "; ".join(f"{field(language, part)} {value(language, part, one, zone)}" for part, one in value_.items())
    if isinstance(value_, bool):
        return words.translate(language, msg("yes") if value_ else msg("no"))
    if isinstance(value_, int):
        return str(value_) if name == "status" else words.number(language, value_)
    text = str(value_)
    if name.endswith("_at"):
        return _moment(language, text, zone)
    return _place_or_need(language, name, text) or (
        words.translate(language, VALUES[text]) if text in VALUES else event(language, text)
    )


def _moment(language: Language, text: str, zone: str) -> str:
    try:
        return words.moment(language, datetime.fromisoformat(text), zone)
    except ValueError:
        return text


def _place_or_need(language: Language, name: str, code: str) -> str | None:
    if name in ("need", "needs") and code in codes.needs():
        need = codes.needs()[code]
        return need.label_id if language == "id" else need.label_en
    if name == "province" and code in codes.provinces():
        province = codes.provinces()[code]
        return province.name if language == "id" else province.name_en
    if name.endswith("regency") and code in codes.regencies():
        return codes.regencies()[code].name
    if name == "port" and code in codes.ports():
        return codes.ports()[code].name
    return None
