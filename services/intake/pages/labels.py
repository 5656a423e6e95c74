"""What codes are called on pages, in the reader's language."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache

from services.intake.actions.voyage_corrections import NAMES
from services.intake.domain.voyages import Voyage, VoyageStep
from shared.contracts import codes
from shared.contracts.codes import VoyageField
from shared.kit import words
from shared.kit.short_codes import short_code
from shared.kit.words import Language, msg

SEXES = {"F": msg("Female"), "M": msg("Male"), "X": msg("Not stated")}
AGE_BANDS = {
    "child": msg("Child"),
    "adult": msg("Adult"),
    "elderly": msg("60 or older"),
    "unknown": msg("Age unknown, treated as a child"),
}
MODALITIES = {
    "deportation": msg("Deportation"),
    "repatriation": msg("Repatriation"),
    "vulnerable_flight": msg("Flight for vulnerable people"),
}
VOYAGE_REASONS = {
    "rescheduled": msg("It comes earlier or later"),
    "vessel_changed": msg("Another ship or flight brings them"),
    "letter_changed": msg("A new letter says so"),
    "recorded_wrongly": msg("It was recorded wrongly"),
}
SCREENING_GROUPS = {
    "sick": msg("Health"),
    "old": msg("Old age, disability, no family"),
    "pregnant": msg("Pregnancy and infants"),
    "children": msg("Children"),
    "trafficked": msg("Trafficking and violence"),
    "rights": msg("Wages, debt, the law"),
}
ANSWERS = {
    "yes": msg("yes"),
    "no": msg("no"),
    "unknown": msg("does not know"),
    "declined": msg("does not want to say"),
}
ELEMENTS = {
    "act": msg("an act (recruited, moved, harboured, handed over)"),
    "means": msg("a means (force, lie, debt, abuse of a plight)"),
    "purpose": msg("a purpose (exploitation)"),
}
TRAFFICKING_LEVELS = {
    "indicated": msg("The answers point to trafficking"),
    "possible": msg("The answers leave trafficking possible"),
    "none": msg("The answers do not point to trafficking"),
}
TRAFFICKING_DECISIONS = {
    "indicated": msg("Indicated: help as for a victim"),
    "assess_further": msg("To be assessed further"),
    "not_indicated": msg("Not indicated"),
    "not_asked": msg("Not asked"),
}
TRAFFICKING_REASONS = {
    "said_more": msg("The person said more than was asked"),
    "explained_otherwise": msg("There is another explanation"),
    "answers_contradict": msg("The answers contradict each other"),
    "specialist_advises": msg("A specialist advises it"),
    "no_private_room": msg("There was no room to talk alone"),
}
INTERPRETERS = {
    "none": msg("Nobody: the same language"),
    "officer": msg("The officer"),
    "interpreter": msg("An interpreter"),
    "relative": msg("A relative or companion"),
}
ABSENCES = {
    "not_boarded": msg("Did not board"),
    "pending_case": msg("A case is pending abroad"),
    "documents_held": msg("On bail, or the passport is held"),
    "ill_abroad": msg("Ill abroad"),
    "rolled_over": msg("Comes with a later voyage"),
    "died_on_the_way": msg("Died on the way"),
    "other": msg("Another reason"),
    "unknown": msg("Nobody knows why"),
}
LOOKS = {
    "child": msg("A child"),
    "adult": msg("An adult"),
    "elderly": msg("60 or older"),
}
WISHES = {
    "go_home": msg("Go home"),
    "stay_local": msg("Stay near the port"),
    "unknown": msg("Not known yet"),
}
DOCUMENT_TYPES = {
    "SPLP": msg("SPLP (travel document in lieu of a passport)"),
    "passport": msg("Passport"),
    "border_pass_PLB": msg("Border pass (PLB)"),
    "identity_card": msg("Identity card (KTP)"),
    "other": msg("Other"),
    "none": msg("None"),
}

IDENTITY_FIELDS = {
    "full_name": msg("Full name"),
    "alias": msg("Also called"),
    "birth": msg("Born"),
    "birthplace": msg("Birthplace"),
    "mother_name": msg("Mother's name"),
    "nik": msg("National identity number (NIK)"),
    "document_type": msg("Document"),
    "document_number": msg("Document number"),
    "origin_village": msg("Home village"),
    "family_contact": msg("Family contact"),
    "health_note": msg("Health note"),
    "language": msg("Language"),
    "country_from": msg("Returned from"),
    "region_from": msg("Region abroad"),
    "detained_at": msg("Held at"),
    "employer": msg("Employer"),
    "sector": msg("Work"),
    "return_reason": msg("Reason for return"),
}
COLUMNS = {
    "seq": msg("Number in the list"),
    **IDENTITY_FIELDS,
    "sex": msg("Sex"),
    "male": msg("Male, ticked"),
    "female": msg("Female, ticked"),
    "birth_date": msg("Birth date"),
    "birthplace_and_date": msg("Birthplace and date"),
    "age": msg("Age"),
    "origin_regency": msg("Regency or city of origin"),
    "origin_province": msg("Province of origin"),
    "flags": msg("Flags"),
    "companion": msg("Number of the accompanying adult"),
    "onward_wish": msg("Wish"),
}
"""What a column of a list may mean."""

ERASURE_REASONS = {
    "request": msg("The person asked for it"),
    "order": msg("Ordered by a court or the authority"),
    "retention": msg("The period of retention ended"),
}
HOLD_REASONS = {
    "court": msg("A court wants it kept"),
    "investigation": msg("Needed for an investigation"),
    "claim": msg("Needed for a claim"),
    "inspection": msg("Needed for an inspection"),
}
LIFT_REASONS = {
    "hold_ended": msg("The reason to keep it has ended"),
    "placed_in_error": msg("Placed in error"),
}
REJECT_REASONS = {
    "no_proof": msg("Nothing proves it"),
    "not_this_person": msg("Not this person's data"),
    "already_so": msg("It is so already"),
    "withdrawn": msg("Asked for no more"),
}
DECISIONS = {
    "accepted": msg("accepted"),
    "rejected": msg("rejected"),
    "erased": msg("Identity erased"),
}
CONFIRMATIONS = {
    "waiting": msg("waiting for the agency"),
    "overdue": msg("not confirmed in time"),
    "confirmed": msg("copy erased"),
}
RETENTION_RULES = {
    "identity_adult": msg("Identity of an adult"),
    "identity_victim": msg("Identity of a victim of trafficking or sexual violence"),
    "identity_child": msg("Identity of a child"),
    "repeated_writes": msg("What repeated arrivals are known by"),
    "held_rows": msg("Marks of rows that are held back"),
    "first_answers": msg("First answers to repeated requests"),
    "drafts": msg("Uploaded lists that nobody goes on with"),
}

SOURCE_KINDS = {
    "letter": msg("Consular letter"),
    "minutes": msg("Minutes of a handover abroad"),
    "count": msg("Count on the quay"),
}
WITHDRAWALS = {
    "replaced": msg("Another takes its place"),
    "entered_in_error": msg("Entered in error"),
}
GROUPS = {
    "men": msg("Men"),
    "women": msg("Women"),
    "boys": msg("Boys"),
    "girls": msg("Girls"),
    "children": msg("Children in all"),
}
DIMENSIONS = {
    "group": msg("By sex and age"),
    "depot": msg("By depot"),
    "reason": msg("By reason for return"),
    "origin": msg("By home province"),
}
PAIRS = {
    "announced_listed": msg("Listed against announced"),
    "announced_arrived": msg("Arrived against announced"),
    "handed_arrived": msg("Arrived against handed over"),
    "counted_arrived": msg("Arrived against counted on the quay"),
    "listed_arrived": msg("Arrived against listed"),
}
DIFFERENCE_REASONS = {
    "pending_case": msg("A case abroad is not closed"),
    "bail": msg("Set free on bail"),
    "illness": msg("Too ill to travel"),
    "died": msg("Died before landing"),
    "stayed_behind": msg("Stayed behind or was withdrawn"),
    "rolled_over": msg("Comes with a later voyage"),
    "came_without_notice": msg("Came without notice"),
    "on_another_list": msg("Is on the list of another voyage"),
    "counted_twice": msg("Was counted twice"),
    "miscounted": msg("Somebody miscounted"),
    "collected_at_quay": msg("Fetched by family at the quay before logging"),
}
CANDIDATES = {
    "held_back": msg("Rows of the lists are held back and wait to be corrected."),
    "being_recorded": msg("A list is still being recorded."),
    "logged_by_hand": msg("People were logged one by one and stand on no list, or there under another spelling."),
    "depot_missing": msg("Nobody of %(about)s was recorded: its list may not have come."),
    "parts_do_not_add": msg("The numbers of %(about)s do not come to their own sum."),
    "children_counted_inside": msg(
        "The numbers of %(about)s count children among men and women, and again by themselves."
    ),
    "other_voyage": msg("%(about)s, of the same days, differs the other way round: people may have come with it."),
    "called_absent": msg("Called and not there: %(about)s."),
    "rolled_over_to_here": msg("People of earlier voyages are said to come with this one."),
    "came_over_listed": msg("Carried over from %(about)s, and listed here without being announced here."),
    "came_over_arrived": msg("Carried over from %(about)s, and arrived here without being announced here."),
    "went_over": msg("Carried over to %(about)s, and to be looked for there."),
}

JOININGS = {
    "listed": msg("Listed together"),
    "said_by_family": msg("Said by the family"),
    "guardian_linked": msg("An adult was linked to the child"),
}
PARTINGS = {
    "not_of_it": msg("Does not belong to it"),
    "family_parted": msg("The family has parted"),
    "in_error": msg("Entered in error"),
}
RELATIONS = {
    "mother": msg("Mother"),
    "father": msg("Father"),
    "grandparent": msg("Grandparent"),
    "sibling": msg("Brother or sister"),
    "aunt_or_uncle": msg("Aunt or uncle"),
    "legal_guardian": msg("Guardian by law"),
    "other_relative": msg("Other relative"),
    "not_stated": msg("Not stated"),
}
RELATION_PROOFS = {
    "birth_certificate": msg("Birth certificate"),
    "family_card": msg("Family card"),
    "travel_document": msg("Travel document"),
    "statement_of_both": msg("Statement of both"),
    "none": msg("None"),
}
LINK_STATES = {
    "proposed": msg("waits for a second person"),
    "confirmed": msg("confirmed"),
    "ended": msg("ended"),
}
UNLINKINGS = {
    "not_related": msg("Not related"),
    "child_at_risk": msg("A child is at risk"),
    "adult_elsewhere": msg("The adult is elsewhere"),
    "statement_withdrawn": msg("The statement was taken back"),
    "in_error": msg("Entered in error"),
    "died": msg("The person has died"),
}
LINK_ENDS = {
    "refused": msg("Refused by a second person"),
    "withdrawn": msg("Asked for no more"),
    "expired": msg("Nobody confirmed it in time"),
}


def written(language: Language, field: str, value: str) -> str:
    """What a field of an identity says, as people write it."""
    if field == "birth":
        return words.born(language, value)
    if field == "country_from":
        return words.country(language, value)
    if field == "document_type":
        return words.translate(language, DOCUMENT_TYPES.get(value, value))
    return value


def options(language: Language, labels: Mapping[str, str]) -> list[tuple[str, str]]:
    """Codes and what they are called, for chips and selects."""
    return [(code, words.translate(language, text)) for code, text in labels.items()]


@cache
def needs(language: Language) -> dict[str, str]:
    """Each need's name."""
    return {code: n.label_id if language == "id" else n.label_en for code, n in codes.needs().items()}


def voyage_name(language: Language, voyage: Voyage) -> str:
    """A voyage by its ship, its port and when it is expected."""
    port = codes.ports()[voyage.port]
    vessel = voyage.vessel or words.translate(language, msg("Voyage without a name"))
    return f"{vessel}, {port.name}, {words.moment(language, voyage.expected_at, port.zone)}"


def voyage_steps(language: Language, voyage: Voyage, steps: Iterable[VoyageStep]) -> list[dict[str, str]]:
    """What was corrected of a voyage: what, from what to what, why, by whom and when."""

    def say(step: VoyageStep, before: str) -> str:
        return ", ".join(
            voyage_value(language, voyage, field, getattr(step, f"{before}{field}")) for field in step.changed
        )

    return [
        {
            "what": ", ".join(words.translate(language, NAMES[field]) for field in step.changed),
            "was": say(step, "was_"),
            "became": say(step, ""),
            "why": words.translate(language, VOYAGE_REASONS[step.reason]),
            "who": step.corrected_by,
            "when": words.moment(language, step.corrected_at, zone_of(voyage)),
        }
        for step in steps
    ]


def voyage_value(language: Language, voyage: Voyage, field: VoyageField, value: str | datetime) -> str:
    """What a field of a voyage says, in words."""
    if isinstance(value, datetime):
        return words.moment(language, value, zone_of(voyage))
    if field == "modality":
        return words.translate(language, MODALITIES[value])
    return value or words.translate(language, msg("Voyage without a name"))


def zone_of(voyage: Voyage) -> str:
    """The time zone of a voyage's port."""
    return codes.ports()[voyage.port].zone


case_code = short_code
"""What people call a case."""
