"""Composition root of intake: what it is built of, and its command line."""

import os
import sys
import time
from contextlib import AsyncExitStack, aclosing
from dataclasses import asdict
from functools import partial
from pathlib import Path

import click
import orjson
import uvloop

from services.intake import api, clock, consumers, pages, policy
from services.intake.actions import comparing, keys
from services.intake.actions.arrivals import Desk
from services.intake.actions.sending import Runs
from services.intake.domain.refusals import (
    NotAllowed,
    arrival_corrections,
    arrivals,
    consents,
    drafts,
    households,
    identities,
    manifests,
    matches,
    reconciliation,
    roll_calls,
    screening,
    totals,
    voyages,
)
from services.intake.gateways import kms
from services.intake.settings import KmsSettings, Settings
from services.intake.store.vault import KEY_BYTES, Keyring, SameMark, Vault
from shared.kit.commands import command_line
from shared.kit.database import TRANSIENT, Database, connect
from shared.kit.inbox import Inbox
from shared.kit.lane import LaneFull
from shared.kit.service import Repeated, Service
from shared.kit.settings import load
from shared.kit.web import Nav
from shared.kit.words import msg

FOLDER = Path(__file__).parent

REFUSALS: dict[type[Exception], tuple[int, str, str]] = {
    NotAllowed: (403, "denied", msg("You may not do this")),
    voyages.PortUnknown: (403, "port_unknown", msg("There is no such port of entry")),
    voyages.VoyageUnknown: (404, "voyage_unknown", msg("There is no such voyage")),
    voyages.VoyageMoved: (409, "voyage_changed", msg("This voyage was corrected meanwhile")),
    voyages.ExpectedFarOff: (422, "expected_far_off", msg("This voyage is not expected on such a day")),
    totals.TotalsUnknown: (404, "totals_unknown", msg("There is no such head count")),
    totals.TotalsWithdrawn: (409, "totals_withdrawn", msg("This head count was withdrawn")),
    reconciliation.DifferenceUnknown: (404, "difference_unknown", msg("There is no such difference")),
    reconciliation.RollsOverElsewhere: (422, "rolls_over_elsewhere", msg("Nobody comes with this voyage")),
    manifests.VoyageNotDue: (409, "voyage_not_due", msg("This voyage is not due yet")),
    manifests.ListUnknown: (404, "list_unknown", msg("There is no such list")),
    manifests.ListBeingRecorded: (409, "list_being_recorded", msg("This list is being recorded")),
    manifests.ListTakenBack: (409, "list_taken_back", msg("This list is taken back")),
    drafts.DraftUnknown: (404, "draft_unknown", msg("There is no such list")),
    drafts.DraftEnded: (410, "draft_ended", msg("This list is done with")),
    drafts.DraftSending: (409, "draft_sending", msg("This list is being sent")),
    drafts.DraftCarried: (409, "draft_carried", msg("The people of this list stand on no other")),
    drafts.DraftMoved: (409, "draft_moved", msg("This list was changed meanwhile")),
    drafts.DraftChanged: (409, "list_changed", msg("This list was changed meanwhile")),
    drafts.DraftOfThisFile: (409, "file_known", msg("This file was uploaded before")),
    drafts.RowUndecided: (409, "row_undecided", msg("A list has a row that may be this person")),
    drafts.LineUnknown: (404, "row_unknown", msg("There is no such row")),
    drafts.LineChanged: (409, "row_changed", msg("Somebody else has changed this row")),
    roll_calls.RowCalled: (409, "row_called", msg("Somebody else has called this person")),
    roll_calls.ColumnsUnsaid: (409, "columns_unsaid", msg("The columns of this list are not known yet")),
    manifests.RollBegun: (409, "roll_begun", msg("The roll of this voyage is being called")),
    roll_calls.RowCarried: (409, "row_carried", msg("This person was carried over")),
    roll_calls.RowTakenBack: (409, "row_taken_back", msg("This person was taken back")),
    roll_calls.StaysThere: (409, "stays_there", msg("This person stays with the later voyage")),
    roll_calls.RollMoved: (409, "roll_moved", msg("The roll has changed meanwhile")),
    roll_calls.ComesFromThere: (409, "comes_from_there", msg("This person came over from that voyage")),
    roll_calls.NextVoyageUnknown: (422, "next_voyage_unknown", msg("This is no voyage to roll over to")),
    roll_calls.NotOnAList: (409, "not_on_a_list", msg("This person stands on no list")),
    roll_calls.DeathToRecord: (409, "death_to_record", msg("A death is to be recorded")),
    drafts.LineRecorded: (409, "row_recorded", msg("This person is recorded")),
    drafts.ColumnUnknown: (422, "column_unknown", msg("There is no such column")),
    drafts.NothingToSend: (409, "nothing_to_send", msg("Nothing is left to be sent")),
    arrivals.ArrivalInFuture: (422, "arrival_in_future", msg("This arrival is in the future")),
    arrivals.ArrivalLongAgo: (422, "arrival_long_ago", msg("This arrival is more than a year old")),
    arrivals.RecordedDifferently: (
        422,
        "idempotency_key_reused",
        msg("This key was used for another arrival"),
    ),
    arrivals.CaseIdTaken: (409, "case_id_taken", msg("This id belongs to another case")),
    arrivals.RecordedAndErased: (410, "identity_erased", msg("The identity was erased")),
    arrivals.CaseUnknown: (404, "case_unknown", msg("There is no such case")),
    identities.PersonErasedBefore: (410, "identity_erased", msg("The identity was erased")),
    identities.HoldUnknown: (404, "hold_unknown", msg("There is no such legal hold")),
    identities.HoldLifted: (409, "hold_lifted", msg("This legal hold has ended")),
    screening.QuestionnaireUnknown: (422, "questionnaire_unknown", msg("There is no such version of the questions")),
    screening.ScreeningUnknown: (404, "screening_unknown", msg("There is no such screening")),
    screening.AnswerUnknown: (422, "answer_unknown", msg("There is no such question or answer")),
    screening.LevelNotDecided: (422, "level_not_decided", msg("Nobody decided on the indicators of trafficking")),
    screening.DecisionNeedsReason: (422, "decision_needs_reason", msg("The decision needs a reason")),
    arrivals.SlipTooLate: (409, "slip_too_late", msg("No slip is printed any more")),
    identities.FieldFilled: (409, "field_filled", msg("Something else stands there already")),
    identities.NothingToComplete: (422, "nothing_to_complete", msg("Nothing to complete")),
    identities.FieldUnknown: (422, "field_unknown", msg("There is no such field")),
    identities.AgeBandWouldChange: (409, "age_band_would_change", msg("The age group would change")),
    matches.MatchUnknown: (404, "match_unknown", msg("There is no such possible match")),
    matches.MatchDecided: (409, "match_decided", msg("This was decided")),
    matches.MatchEnded: (409, "match_ended", msg("Nothing is to be decided any more")),
    matches.MatchNotDecided: (409, "match_not_decided", msg("Nothing was decided")),
    matches.MatchContradicts: (409, "match_contradicts", msg("Another decision contradicts this")),
    identities.CorrectionUnknown: (404, "correction_unknown", msg("There is no such correction")),
    identities.IdentityChanged: (409, "identity_changed", msg("This field was corrected meanwhile")),
    identities.CorrectionDecided: (409, "correction_decided", msg("This correction was decided before")),
    identities.ReferenceUnfit: (422, "reference_unfit", msg("This is not a number of a request")),
    arrival_corrections.ArrivalInError: (409, "arrival_in_error", msg("This arrival was entered in error")),
    arrival_corrections.PersonHasDied: (409, "person_has_died", msg("This person has died")),
    arrival_corrections.NothingToCorrect: (409, "nothing_to_correct", msg("Nothing would change")),
    arrival_corrections.AgeStaysSame: (409, "age_stays_same", msg("The age group stays the same")),
    arrival_corrections.ProofMissing: (422, "proof_missing", msg("The proof is missing")),
    arrival_corrections.NotTwoPeople: (403, "not_two_people", msg("This takes a second person")),
    arrival_corrections.AgeAlreadyProposed: (409, "age_already_proposed", msg("This was asked for before")),
    arrival_corrections.NotDead: (409, "not_dead", msg("Nobody noted a death")),
    arrival_corrections.DoubtedAlready: (409, "doubted_already", msg("This was said before")),
    arrival_corrections.ProposalUnknown: (404, "proposal_unknown", msg("There is no such proposal")),
    arrival_corrections.ProposalEnded: (409, "proposal_ended", msg("This proposal is decided")),
    arrival_corrections.NeedFollowsAge: (422, "need_follows_age", msg("This need follows from the age")),
    arrival_corrections.ReasonMissing: (422, "reason_missing", msg("The reason is missing")),
    arrival_corrections.DuplicateUnfit: (422, "duplicate_unfit", msg("The other case does not fit")),
    arrival_corrections.DeathNotPossible: (422, "death_not_possible", msg("Nobody can have died then")),
    consents.ConsentsChanged: (409, "consents_changed", msg("More was recorded of consent meanwhile")),
    consents.NobodyToConsent: (409, "nobody_to_consent", msg("Nobody can consent")),
    consents.SpeakerUnfit: (422, "speaker_unfit", msg("This one does not speak for the person")),
    consents.SpeakerUnnamed: (422, "speaker_unnamed", msg("A name is missing")),
    consents.NeedsNotOfCase: (422, "needs_not_of_case", msg("These needs are not of this case")),
    consents.ConsentExpiresBadly: (422, "consent_expires_badly", msg("A consent does not end on such a day")),
    consents.BasisUnfit: (422, "basis_unfit", msg("This basis does not fit")),
    consents.ConsentUnknown: (404, "consent_unknown", msg("There is no such consent")),
    consents.ConsentNotHeld: (409, "consent_not_held", msg("This holds no longer")),
    households.AlreadyTogether: (409, "already_together", msg("They belong together already")),
    households.InTwoHouseholds: (409, "in_two_households", msg("They belong to two households")),
    households.NotInHousehold: (409, "not_in_household", msg("There is no household")),
    households.StillAnswersForChild: (409, "still_answers_for_child", msg("An adult answers for a child")),
    households.GuardianUnfit: (422, "guardian_unfit", msg("This adult does not fit")),
    households.OneHasDied: (409, "one_has_died", msg("One of the two has died")),
    households.LinkedBefore: (409, "linked_before", msg("They are linked already")),
    households.LinkUnknown: (404, "link_unknown", msg("There is no such link")),
    households.LinkNotProposed: (409, "link_not_proposed", msg("This was confirmed before")),
    households.LinkEnded: (409, "link_ended", msg("This link has ended")),
    households.NobodyAnswers: (409, "nobody_answers", msg("No adult answers for this person")),
    households.NobodyElseConfirms: (403, "nobody_else_confirms", msg("This takes a second person")),
    identities.DisclosureNotAllowed: (403, "disclosure_refused", msg("The identity is not released")),
    identities.IdentityErased: (410, "identity_erased", msg("The identity was erased")),
    LaneFull: (503, "busy", msg("Too many arrivals are waiting to be recorded")),
}


async def build(settings: Settings, database: Database, stack: AsyncExitStack) -> Service:
    """Put intake together."""
    vault = await vault_of(settings)
    inbox = Inbox(database)
    consumers.subscribe(inbox)
    sendings = Runs()
    stack.push_async_callback(sendings.aclose)
    protectors = frozenset({policy.PROTECTION_ROLE})
    return Service(
        settings=settings,
        database=database,
        folder=FOLDER,
        inbox=inbox,
        routers=[api.router, pages.router],
        hot_routes=api.hot_routes,
        refusals=REFUSALS,
        navigation=[
            Nav("/", msg("Voyages"), frozenset(policy.PORT_ROLES)),
            Nav("/usulan-umur", msg("Age proposals"), frozenset({"port_officer", policy.SUPERVISOR_ROLE})),
            Nav("/wali", msg("Adults to confirm"), frozenset({"port_officer"})),
            Nav(
                "/ternyata-hidup", msg("People who live after all"), frozenset({"port_officer", policy.SUPERVISOR_ROLE})
            ),
            Nav("/persetujuan-berakhir", msg("Consents that end soon"), frozenset({"port_officer"})),
            Nav("/kecocokan", msg("Earlier returns"), frozenset({"port_officer"})),
            Nav("/data-pribadi", msg("Personal data"), protectors),
            Nav("/perbaikan", msg("Corrections"), protectors),
            Nav("/penghapusan", msg("Erasures"), protectors),
            Nav("/penangguhan", msg("Legal holds"), protectors),
            Nav("/masa-simpan", msg("Retention"), protectors),
        ],
        state={"vault": vault, "desk": Desk(database, vault), "sendings": sendings},
        clocks=[
            Repeated("intake.retain", clock.RETAIN_EVERY_S, clock.Retention(database, vault)),
            Repeated("intake.compare", clock.COMPARE_EVERY_S, clock.Comparing(database, vault)),
            Repeated("intake.lapse", clock.LAPSE_EVERY_S, clock.Lapsing(database)),
            Repeated("intake.expire", clock.EXPIRE_EVERY_S, clock.Expiring(database, vault)),
        ],
        overdue=partial(clock.count_overdue, database),
        unfit=partial(keys.list_missing_keys, database, vault.ring),
    )


async def vault_of(settings: Settings) -> Vault:
    """The vault with its keys in memory; waits while the KMS is away. Ends the process on a key that is no use."""
    try:
        current, *old, index = await kms.unwrap_all(settings.kms, settings.keys, bytes_wanted=KEY_BYTES)
    except kms.KeyUnusable as unusable:
        raise refused(str(unusable)) from None
    try:
        return Vault(Keyring(current, old), index)
    except SameMark:
        raise refused("VAULT_KEK_OLD has a key twice, or that of VAULT_KEK") from None


def refused(why: str) -> SystemExit:
    """The end of a process that must not go on with these settings."""
    click.echo(f"intake: {why}", err=True)
    return SystemExit(78)


cli = command_line(Settings, build, FOLDER)


@cli.command("rewrap")
def rewrap_command() -> None:
    """Put all persons' keys under VAULT_KEK; exit 1 while VAULT_KEK_OLD is needed. The service may go on meanwhile."""
    sys.exit(uvloop.run(_rewrap(load(Settings))))


async def _rewrap(settings: Settings) -> int:
    vault = await vault_of(settings)
    said_at = 0.0

    def progress(rewrapped: int) -> None:
        nonlocal said_at
        if time.monotonic() - said_at >= 1:
            said_at = time.monotonic()
            click.echo(f"intake: {rewrapped} persons' keys rewrapped so far", err=True)

    try:
        database = await connect(settings.database_url, service="intake", max_size=2)
        async with aclosing(database):
            done = await keys.rewrap_keys(database, vault.ring, progress=progress)
    except TRANSIENT as error:
        click.echo(f"intake: the database is away ({type(error).__name__}); run this again, it goes on", err=True)
        return 1
    click.echo(orjson.dumps({**asdict(done), "old_keys_may_go": done.old_keys_may_go}))
    needed = f"VAULT_KEK_OLD is still needed: {done.left + done.unknown} persons' keys are under other keys"
    said = "VAULT_KEK_OLD may go" if done.old_keys_may_go else needed
    click.echo(f"intake: {done.rewrapped} persons' keys rewrapped; {said}", err=True)
    return 0 if done.old_keys_may_go else 1


@cli.command("recompare")
def recompare_command() -> None:
    """Have everybody compared with earlier returns anew; after the rules of comparing or VAULT_INDEX_KEY changed."""
    uvloop.run(_recompare(load(Settings)))


async def _recompare(settings: Settings) -> None:
    database = await connect(settings.database_url, service="intake", max_size=2)
    async with aclosing(database):
        forgotten = await comparing.compare_all_anew(database)
    click.echo(f"intake: {forgotten} cases will be compared anew, at the latest within six hours", err=True)


@cli.command("new-key")
def new_key_command() -> None:
    """Print a new key for VAULT_KEK or VAULT_INDEX_KEY, wrapped by the KMS when KMS_URL is set."""
    click.echo(uvloop.run(_new_key(load(KmsSettings))))


async def _new_key(settings: KmsSettings) -> str:
    try:
        return await settings.kms.wrap(os.urandom(KEY_BYTES))
    except kms.KeyUnusable as unusable:
        raise refused(str(unusable)) from None
    except kms.KmsAway as away:
        raise refused(f"KMS_URL does not answer now ({away})") from None


if __name__ == "__main__":
    cli()
