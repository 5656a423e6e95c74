"""Statements of refusal: recorded when they are signed, and with that the need is refused and nobody is asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.referral import policy
from services.referral.actions import choosing, following, supervising, telling
from services.referral.actions.answering import Answer, Result, each
from services.referral.actions.following import Changes
from services.referral.domain import assignments, needs, statements
from services.referral.domain.needs import Need
from services.referral.domain.refusals import AssignmentUnknown, ReferralUnknown
from services.referral.domain.statements import Statement
from services.referral.store import desk
from services.referral.store import needs as store
from services.referral.store import statements as book
from shared.kit.work import Work


@dataclass(frozen=True, slots=True)
class Signed:
    """What stands on the paper: its number, who refuses and who watched, where, when, and what was explained."""

    number: str
    refuser: str
    witness: str
    place: str
    language: str
    explained: tuple[str, ...]
    refused_at: datetime
    signed_at: datetime
    incapacity: str | None = None


@dataclass(frozen=True, slots=True)
class Signing:
    """One need that a statement was signed about before who oversees it. `version`: the one that was decided on."""

    referral_id: str
    version: int | None = None


async def record_refusals(work: Work, answers: Sequence[Answer], *, signed: Signed) -> list[Result]:
    """An adult wants no help with these needs, as the agency that is asked or helps has on paper: they end refused."""
    known: dict[str, list[Statement]] = {}
    recorded: list[Statement] = []

    async def prepare(changes: Changes) -> None:
        known.update(await book.find_statements(work, list(changes.before)))

    def record(need: Need, answer: Answer) -> Need:
        r, found = need.referral, need.attempt(answer.assignment_id)
        if r.child:
            raise AssignmentUnknown  # there is nobody here who could refuse: a child's help does not depend on that
        statement = _statement(work, need, found.agency_id, signed)
        sent_away = _sent_away(work, need, answer)
        before = known.setdefault(r.referral_id, [])
        statements.expect_new(statement, before)
        before.append(statements.expect_sound(statement, child=r.child, now=work.now))
        refused = needs.refuse(sent_away, statement=statement.number, by=work.actor.id, now=work.now)
        own = refused.attempt(found.assignment_id)
        work.record(telling.refusal_recorded(refused, statement))
        work.emit(telling.declined(refused, own) if own.state == "declined" else telling.failed(refused, own))
        choosing.tell_ends(work, sent_away, refused)
        work.emit(telling.closed(refused))
        recorded.append(statement)
        return refused

    async def follow(_: Changes) -> None:
        if recorded:
            await book.add_statements(work, recorded)

    return await each(work, answers, record, settles=True, prepare=prepare, follow=follow)


async def record_as_supervisor(work: Work, signings: Sequence[Signing], *, signed: Signed) -> list[supervising.Result]:
    """An adult wants no help with these needs, as was signed before who oversees them: they end refused.

    Of the actor's region, or of the country for who answers for it. Of a restricted need only the agency that has it
    records that: whether it can be refused at all would say whether it is a child's.
    """
    everywhere = policy.answers_for_the_country(work.actor)
    if everywhere:
        await work.as_service()  # the whole country is nobody's region: policy has said who answers for it
    overseen = await desk.find_overseen(work, [one.referral_id for one in signings], everywhere=everywhere)
    changes = await supervising.locked(work, overseen)
    known = await book.find_statements(work, list(changes.before))
    recorded: list[Statement] = []
    gaps: list[str] = []

    def record(need: Need, signing: Signing) -> Need:
        r = need.referral
        if r.restricted:
            raise ReferralUnknown
        needs.expect(need, signing.version)
        statement = _statement(work, need, work.actor.organisation, signed)
        before = known.setdefault(r.referral_id, [])
        statements.expect_new(statement, before)
        statements.expect_sound(statement, child=r.child, now=work.now)
        refused = needs.refuse(need, statement=statement.number, by=work.actor.id, now=work.now)
        before.append(statement)
        recorded.append(statement)
        work.record(telling.refusal_recorded(refused, statement))
        choosing.tell_ends(work, need, refused)
        work.emit(telling.closed(refused))
        changes.settled.add(r.referral_id)
        if r.state == "unroutable":
            gaps.append(r.referral_id)
        return refused

    results = supervising.each(signings, overseen, changes, record)
    if recorded:
        await book.add_statements(work, recorded)
    await following.save(work, changes)
    if gaps:
        await store.close_gaps(work, gaps)
    return results


async def find_refusable(work: Work, referral_id: str) -> tuple[Need, list[Statement]]:
    """A need before who oversees it, with its statements. Raises `ReferralUnknown`, also of a restricted one."""
    everywhere = policy.answers_for_the_country(work.actor)
    if everywhere:
        await work.as_service()  # as above
    found = await desk.find_overseen(work, [referral_id], everywhere=everywhere)
    await work.as_service()  # found in the actor's own scope
    need = (await store.find_needs(work, list(found))).get(referral_id)
    if need is None or need.referral.restricted:
        raise ReferralUnknown
    return need, await find_statements(work, need)


def _statement(work: Work, need: Need, agency_id: str, signed: Signed) -> Statement:
    """What was signed, about one need; `agency_id` before whom."""
    return Statement(
        referral_id=need.referral.referral_id,
        number=signed.number,
        case_id=need.referral.case_id,
        agency_id=agency_id,
        recorded_by=work.actor.id,
        refuser=signed.refuser,
        incapacity=signed.incapacity,
        witness=signed.witness,
        place=signed.place,
        language=signed.language,
        explained=signed.explained,
        refused_at=signed.refused_at,
        signed_at=signed.signed_at,
    )


async def find_statements(work: Work, need: Need) -> list[Statement]:
    """The statements about a need that the actor has found as its own."""
    return (await book.find_statements(work, [need.referral.referral_id])).get(need.referral.referral_id, [])


def _sent_away(work: Work, need: Need, answer: Answer) -> Need:
    """The agency's own part ends first: as declined, or as help that did not come about, by the person's wish."""
    found = need.attempt(answer.assignment_id)
    if found.state in assignments.HELPING:
        failed, _ = needs.fail(
            need, found.assignment_id, outcome="PERSON_REFUSED", version=answer.version, now=work.now
        )
        return failed
    declined, _ = needs.decline(
        need,
        found.assignment_id,
        reason="person_refused",
        side="PERSON",
        by=work.actor.id,
        version=answer.version,
        now=work.now,
    )
    return declined
