"""Who has come before, as people at a port decide it. Who returns again after trafficking is at higher risk.

Kept are pairs of cases; whoever may see a case learns how many landings were earlier, and no case. No rule decides by
it: it is known after the arrival, when the first agency has been asked already.
"""

from collections.abc import Sequence

from services.referral.store import returns as store
from services.referral.store.returns import Earlier
from shared.contracts.intake.matches import ReturnMatched, ReturnUnmatched
from shared.kit.heard import Heard
from shared.kit.work import Work

HeardOf = Heard[ReturnMatched] | Heard[ReturnUnmatched]


async def hear_returns(work: Work, heard: Sequence[HeardOf]) -> None:
    """Two cases are of one person, or are so no longer: of what was said of a pair the last counts."""
    last = {one.fact.match_id: one.fact for one in heard}
    await work.lock_cases(case_id for fact in last.values() for case_id in (fact.case_id, fact.earlier_case_id))
    await store.remove(work, [fact.match_id for fact in last.values() if isinstance(fact, ReturnUnmatched)])
    matched = [fact for fact in last.values() if isinstance(fact, ReturnMatched)]
    await store.add(work, [Earlier(fact.match_id, fact.case_id, fact.earlier_case_id) for fact in matched])


async def forget(work: Work, case_ids: Sequence[str]) -> None:
    """Of people who were erased nothing is left that leads from one case to another."""
    await work.lock_cases(case_ids)
    await store.forget(work, case_ids)
