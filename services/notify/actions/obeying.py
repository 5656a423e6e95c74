"""What a person says of being told of: who is told by consent only hears no more of the case, but that it has ended.

A law that is named decides whatever the person says, until it is ended.
"""

from collections.abc import Sequence

from services.notify import store
from services.notify.actions import deliveries as sending
from services.notify.actions import notices as telling
from services.notify.domain import consents, deliveries
from services.notify.domain.deliveries import Notice
from services.notify.store.stops import Law, Stop
from shared.contracts.intake.consents import (
    ConsentExpired,
    ConsentRecorded,
    ConsentWithdrawn,
    LawfulBasisEnded,
    LawfulBasisNamed,
)
from shared.contracts.notify import NoticesQueued, QueuedNotice
from shared.contracts.referral.recipients import CorrectionOverdue, ErasureOverdue, WithdrawalOverdue
from shared.kit.heard import Heard
from shared.kit.ids import new_id
from shared.kit.work import Work

Word = Heard[ConsentRecorded] | Heard[ConsentWithdrawn] | Heard[ConsentExpired]
OfLaw = Heard[LawfulBasisNamed] | Heard[LawfulBasisEnded]
HeardOf = Word | OfLaw
Overdue = Heard[WithdrawalOverdue] | Heard[ErasureOverdue] | Heard[CorrectionOverdue]


async def obey(work: Work, heard: Sequence[HeardOf]) -> None:
    """Keep what was said, end what waits for delivery, and tell those who had been told of the case that it is over.

    What came of a word that lets be told may have been heard of before the word: that is queued now.
    """
    relevant = [
        h for h in heard if h.fact.purpose == consents.PURPOSE and h.fact.recipient_class in consents.BY_CONSENT
    ]
    if not relevant:
        return
    await work.lock_cases(h.case_id for h in relevant)
    said = [h for h in relevant if not isinstance(h.fact, LawfulBasisNamed | LawfulBasisEnded)]
    await store.stops.keep(work, [stop for h in said for stop in _stops(h)])
    await store.stops.keep_laws(work, [law for h in relevant for law in _laws(h)])
    await sending.suppress_stopped(work)
    organisations = await store.subscriptions.list_organisations(work)
    for h in filter(_lets_be_told, relevant):
        theirs = [one for one in organisations if consents.recipient_class(one) == h.fact.recipient_class]
        await _let_out(work, h, theirs)
    for h in said:
        if _stops_telling(h):
            told = [one for one in organisations if consents.recipient_class(one) == h.fact.recipient_class]
            await _tell_whoever_was_told(work, h, told, h.fact.needs)


async def _let_out(work: Work, h: HeardOf, organisations: Sequence[str]) -> None:
    """Queue what has come of this word and was not sent, because it was heard of first."""
    let_out = [
        one
        for need in h.fact.needs or (consents.ALL_NEEDS,)
        for one in await store.notices.let_out(
            work,
            organisations,
            case_id=h.case_id,
            recipient_class=h.fact.recipient_class,
            need=need,
            said_by=h.event_id,
        )
    ]
    for start in range(0, len(let_out), telling.MOST_IN_ONE_FACT):
        part = tuple(let_out[start : start + telling.MOST_IN_ONE_FACT])
        work.record(NoticesQueued(case_id=h.case_id, notices=part), cause=h)


async def remind(work: Work, heard: Sequence[Overdue]) -> None:
    """Tell each agency that is late, where it had been told of the case; nobody else learns of it."""
    for h in heard:
        await _tell_whoever_was_told(work, h, [h.fact.agency_id], ())


async def _tell_whoever_was_told(
    work: Work, h: Word | Overdue, organisations: Sequence[str], needs: Sequence[str]
) -> None:
    """A notice to each subscription that has been sent something about the case, whatever it had asked to hear."""
    past = {
        one.subscription_id: one
        for need in needs or (consents.ALL_NEEDS,)
        for one in await store.notices.list_told(work, h.case_id, organisations, need)
    }
    notices = [
        Notice(
            delivery_id=new_id(),
            subscription_id=one.subscription_id,
            organisation=one.organisation,
            event_id=h.event_id,
            event_type=h.type,
            case_id=h.case_id,
            need=one.need,
            province=one.province,
            body=deliveries.body(
                event_type=h.type,
                event_id=h.event_id,
                case_id=h.case_id,
                need=one.need,
                province=one.province,
                state=consents.STATES[h.type],
                occurred_at=h.occurred_at,
            ),
            traceparent=h.traceparent,
        )
        for one in past.values()
    ]
    if not notices:
        return
    added = await store.notices.add_notices(work, notices)
    said = tuple(
        QueuedNotice(
            delivery_id=notice.delivery_id,
            subscription_id=notice.subscription_id,
            event_id=notice.event_id,
            event_type=notice.event_type,
        )
        for notice in notices
        if added.get(notice.delivery_id)
    )
    for notice in notices:
        if added.get(notice.delivery_id) is False:
            work.record(telling.suppressed(notice), cause=h)
    if said:
        work.record(NoticesQueued(case_id=h.case_id, notices=said), cause=h)


def _lets_be_told(h: HeardOf) -> bool:
    return isinstance(h.fact, LawfulBasisNamed) or (isinstance(h.fact, ConsentRecorded) and h.fact.given)


def _stops_telling(h: Word) -> bool:
    return not _lets_be_told(h)


def _stops(h: Word) -> list[Stop]:
    return [
        Stop(h.case_id, h.fact.recipient_class, need, h.case_seq, _stops_telling(h))
        for need in h.fact.needs or (consents.ALL_NEEDS,)
    ]


def _laws(h: HeardOf) -> list[Law]:
    """Laws that let be told. Not a best interest: it is a child's, of whom nothing is sent, and ends with its age."""
    fact = h.fact
    if not isinstance(fact, LawfulBasisNamed | LawfulBasisEnded):
        return []
    if isinstance(fact, LawfulBasisNamed) and fact.basis == "best_interest":
        return []
    return [
        Law(fact.basis_id, need, h.case_id, fact.recipient_class, isinstance(fact, LawfulBasisEnded))
        for need in fact.needs or (consents.ALL_NEEDS,)
    ]
