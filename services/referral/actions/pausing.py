"""An agency that has said why it cannot is passed over for such needs until a moment; its supervisor can end that."""

from collections.abc import Sequence
from datetime import datetime

from services.referral import policy
from services.referral.actions import telling
from services.referral.domain.assignments import Assignment
from services.referral.domain.needs import Need
from services.referral.domain.pauses import Pause
from services.referral.domain.refusals import PauseUnknown, Refused
from services.referral.store import pauses as store
from shared.kit.ids import new_id
from shared.kit.work import Work

Result = Pause | Refused


def of(need: Need, attempt: Assignment, *, until: datetime, now: datetime) -> Pause:
    """The pause that a decline leads to."""
    assert attempt.decline_reason is not None
    return Pause(
        pause_id=new_id(),
        agency_id=attempt.agency_id,
        need=need.referral.need,
        restricted=need.referral.restricted,
        region=None,
        reason=attempt.decline_reason,
        since=now,
        until=until,
    )


async def begin(work: Work, begun: Sequence[Pause]) -> None:
    """Pass these agencies over. Of several for one agency and need the longest counts."""
    longest = {(pause.agency_id, pause.need): pause for pause in sorted(begun, key=lambda pause: pause.until)}
    if not longest:
        return
    await store.add_pauses(work, [longest[key] for key in sorted(longest)])
    for pause in longest.values():
        work.record(telling.agency_paused(pause))


async def lift_pauses(work: Work, pause_ids: Sequence[str]) -> list[Result]:
    """Let these agencies be asked again; a pause outside the actor's region looks like a missing one."""
    found = {
        pause_id: pause
        for pause_id, pause in (await store.find_overseen(work, pause_ids)).items()
        if policy.may_lift(work.actor, pause)
    }
    await work.as_service()  # an agency's pause is changed by nobody else
    lifted = await store.mark_pauses_lifted(work, sorted(found))
    for pause_id in sorted(lifted):
        work.record(telling.pause_lifted(found[pause_id]))
    return [found.get(pause_id) or PauseUnknown() for pause_id in pause_ids]
