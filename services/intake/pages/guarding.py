"""What the pages about personal data share: who may open them, and how what is in them is called."""

from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.datastructures import FormData

from services.intake import policy
from services.intake.domain.references import LONGEST
from services.intake.domain.refusals.identities import ReferenceUnfit
from services.intake.pages import labels
from services.intake.store.persons import Case
from services.intake.store.trails import Step
from shared.contracts import codes
from shared.kit import identity, web, words
from shared.kit.actor import Actor
from shared.kit.words import Language, msg

Protector = Annotated[Actor, Depends(identity.require(policy.PROTECTION_ROLE))]
Acting = Annotated[Actor, Depends(identity.require_recent(policy.PROTECTION_ROLE))]
"""For what cannot be taken back and for what shows an identity: signed in within the last five minutes."""

ZONE = "Asia/Jakarta"
"""Where no port is meant, times are Western Indonesian Time."""

STEPS = {
    "intake.arrival_recorded.v1": msg("Landed and screened"),
    "intake.identity_disclosed.v1": msg("Identity shown to the agency that accepted"),
    "intake.disclosure_refused.v1": msg("Identity asked for and refused"),
    "intake.person_erased.v1": msg("Person erased"),
    "intake.erasure_refused.v1": msg("Erasure refused, a legal hold stands"),
    "intake.legal_hold_placed.v1": msg("Legal hold placed"),
    "intake.legal_hold_lifted.v1": msg("Legal hold lifted"),
    "intake.person_sought.v1": msg("Person looked for by a number"),
    "intake.person_record_read.v1": msg("What is kept of the person looked at"),
    "intake.person_data_exported.v1": msg("Own data handed out to the person"),
    "intake.correction_requested.v1": msg("Correction asked for"),
    "intake.correction_rejected.v1": msg("Correction rejected"),
    "intake.identity_corrected.v1": msg("Identity corrected"),
    "intake.identities_compared.v1": msg("Compared with earlier returns, in memory"),
    "intake.match_read.v1": msg("Two identities looked at side by side"),
    "intake.return_matched.v1": msg("Came before: found to be the same person"),
    "intake.return_unmatched.v1": msg("Came before: taken back"),
    "intake.return_ruled_out.v1": msg("Found to be different people"),
    "intake.return_ruled_in.v1": msg("Different people: taken back"),
    "intake.return_postponed.v1": msg("Same person or not: to be decided later"),
    "intake.return_dropped.v1": msg("Same person or not: ended, one was entered in error"),
    "intake.consent_recorded.v1": msg("Asked for consent"),
    "intake.consent_withdrawn.v1": msg("Consent withdrawn"),
    "intake.lawful_basis_named.v1": msg("Lawful basis named, whatever the person says"),
    "intake.lawful_basis_ended.v1": msg("Lawful basis stands no longer"),
    "intake.age_corrected.v1": msg("Age group corrected"),
    "intake.age_proposed.v1": msg("Asked that the person count as of age"),
    "intake.age_proposal_ended.v1": msg("Not confirmed that the person is of age"),
    "intake.sex_corrected.v1": msg("Sex corrected"),
    "intake.origin_corrected.v1": msg("Origin corrected"),
    "intake.needs_corrected.v1": msg("Needs corrected"),
    "intake.arrival_entered_in_error.v1": msg("Arrival entered in error"),
    "intake.person_died.v1": msg("Death recorded"),
    "intake.household_changed.v1": msg("Household changed"),
    "intake.guardian_linked.v1": msg("Adult linked who answers for the child"),
    "intake.guardian_described.v1": msg("Said what the adult is to the child"),
    "intake.guardian_unlinked.v1": msg("Adult answers for the child no longer"),
    "intake.guardian_proposed.v1": msg("Asked to link an adult to the child"),
    "intake.guardian_proposal_ended.v1": msg("Asking to link an adult came to nothing"),
}
PURPOSES = {
    "service_delivery": msg("giving help that was accepted"),
    "reception": msg("reception at the port"),
    "manifest": msg("taking in a name list"),
    "read_identity": msg("giving help that was accepted"),
    "service": msg("giving help that was accepted"),
    "erase": msg("erasing a person"),
    "export": msg("handing a person their own data"),
    "protect": msg("protection of personal data"),
    "correct": msg("correcting what is kept"),
    "compare": msg("finding out whether somebody came before"),
    "match": msg("finding out whether somebody came before"),
    "consent": msg("asking for consent"),
    "retain": msg("keeping the periods of retention"),
}


def describe_case(language: Language, case: Case) -> list[tuple[str, str]]:
    """The coded facts of a case in words."""
    port = codes.ports()[case.port]
    needs = labels.needs(language)

    def say(text: str) -> str:
        return words.translate(language, text)

    return [
        (say(msg("Port of entry")), f"{port.name}, {port.city}"),
        (say(msg("Landed")), words.moment(language, case.arrived_at, port.zone)),
        (say(msg("Sex")), say(labels.SEXES[case.sex])),
        (say(msg("Age group")), say(labels.AGE_BANDS[case.age_band])),
        (
            say(msg("Origin")),
            codes.regencies()[case.origin_regency].name if case.origin_regency else say(msg("not known")),
        ),
        (say(msg("Needs")), ", ".join(needs[need] for need in case.needs)),
        (say(msg("Wish")), say(labels.WISHES[case.onward_wish])),
    ]


def describe_step(language: Language, step: Step, zone: str) -> dict[str, Any]:
    """One thing that was done with the data, in words. A code without words is shown as it is."""
    fields = step.facts.get("fields") or ()
    names = {**labels.IDENTITY_FIELDS, "consent_words": msg("What was said of consent")}
    return {
        "when": step.at,
        "zone": zone,
        "what": words.translate(language, STEPS.get(step.type, step.type)),
        "who": step.facts.get("agency_id") or step.organisation,
        "fields": ", ".join(words.translate(language, names[field]) if field in names else field for field in fields),
        "purpose": words.translate(language, PURPOSES.get(step.purpose, step.purpose)),
        "shows": step.type == "intake.identity_disclosed.v1",
    }


def zone_of(case: Case) -> str:
    """The time zone of where somebody landed."""
    return codes.ports()[case.port].zone


def reference_of(form: FormData) -> str:
    return str(form.get("reference", "")).strip().upper()[: LONGEST + 1]


def unfit_reference(request: Request) -> web.FieldProblem:
    """What to say of a number that looks like a name, or like nothing."""
    say = words.translate
    language = web.language_of(request)
    title = say(language, msg("This is not a number of a request"))
    return web.FieldProblem("reference", f"{title}.", say(language, ReferenceUnfit.detail))
