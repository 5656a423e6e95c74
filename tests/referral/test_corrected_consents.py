"""What was said of consent counts by who the person is found to be: of age after all, or dead."""

import pytest

from services.referral.domain import consents
from services.referral.store import consents as book
from services.referral.store import needs
from shared.contracts.intake.arrivals import AgeCorrected, DeathUndone, PersonDied
from shared.kit.actor import system
from tests.referral.conftest import Desk
from tests.referral.factories import a_basis, a_consent, a_withdrawal, an_arrival, an_expiry
from tests.referral.test_corrections import a_correction, attempts, hear, states
from tests.referral.test_lock_order import hear_consent


@pytest.mark.parametrize("was", ["child", "unknown"])
async def test_the_word_of_who_is_of_age_after_all_counts(desk: Desk, was: str) -> None:
    landed = an_arrival("WAGE", age_band=was)
    await desk.open(landed)
    await hear_consent(desk, a_withdrawal(landed.case_id, to="state"))
    before = await states(desk)

    await hear(desk, a_correction(AgeCorrected, landed, was=was, age_band="adult", needs=("WAGE",)))

    assert before == {"WAGE": "open"}
    assert await states(desk) == {"WAGE": "consent_withdrawn"}
    assert [state for _, state, _ in await attempts(desk, "WAGE")] == ["recalled"]


async def test_of_one_child_age_that_turns_out_to_be_another_it_does_not(desk: Desk) -> None:
    landed = an_arrival("WAGE", age_band="unknown")
    await desk.open(landed)
    await hear_consent(desk, a_withdrawal(landed.case_id, to="state"))

    await hear(desk, a_correction(AgeCorrected, landed, was="unknown", age_band="child", needs=("WAGE",)))

    assert await states(desk) == {"WAGE": "open"}


async def test_of_who_has_died_a_law_that_is_named_opens_nothing_but_the_remains(desk: Desk) -> None:
    landed = an_arrival("WAGE")
    await desk.open(landed)
    await hear_consent(desk, a_consent(landed.case_id, to="state", given=False))
    await hear(desk, a_correction(PersonDied, landed, needs=("WAGE", "REMAINS")))

    await hear_consent(desk, a_basis(landed.case_id, seq=9))

    assert await states(desk) == {"WAGE": "refused", "REMAINS": "open"}


async def test_of_who_lives_after_all_it_opens_what_was_refused(desk: Desk) -> None:
    landed = an_arrival("WAGE")
    await desk.open(landed)
    await hear_consent(desk, a_consent(landed.case_id, to="state", given=False))
    await hear(desk, a_correction(PersonDied, landed, needs=("WAGE", "REMAINS")))
    await hear(desk, a_correction(DeathUndone, landed, version=3, needs=("WAGE",)))

    await hear_consent(desk, a_basis(landed.case_id, seq=9))

    assert await states(desk) == {"WAGE": "open", "REMAINS": "entered_in_error"}


@pytest.mark.parametrize("said", ["refused", "withdrawn", "expired"])
async def test_what_a_parent_had_said_of_who_is_of_age_after_all_ends_nothing(desk: Desk, said: str) -> None:
    landed = an_arrival("WAGE", age_band="child")
    await desk.open(landed)
    by_parent = {
        "refused": [a_consent(landed.case_id, to="state", given=False, given_by="parent")],
        "withdrawn": [a_withdrawal(landed.case_id, to="state", withdrawn_by="guardian")],
        "expired": [
            a_consent(landed.case_id, to="state", given_by="parent"),
            an_expiry(landed.case_id, to="state"),
        ],
    }[said]
    for one in by_parent:
        await hear_consent(desk, one)

    await hear(desk, a_correction(AgeCorrected, landed, was="child", age_band="adult", needs=("WAGE",)))
    before = await states(desk)
    await hear_consent(desk, a_consent(landed.case_id, to="state", given=False, seq=9))

    assert before == {"WAGE": "open"}
    assert await states(desk) == {"WAGE": "refused"}


async def test_the_best_interest_of_a_child_decides_nothing_for_who_is_of_age_after_all(desk: Desk) -> None:
    landed = an_arrival("WAGE", age_band="child")
    await desk.open(landed)
    best_interest = {"basis": "best_interest", "reason": "child_at_risk"}
    await hear_consent(desk, a_basis(landed.case_id, to="state", **best_interest))
    await hear_consent(desk, a_basis(landed.case_id, to="civil_society", seq=5, **best_interest))
    [child] = await allowed(desk, landed.case_id)

    await hear(desk, a_correction(AgeCorrected, landed, was="child", age_band="adult", needs=("WAGE",)))
    [adult] = await allowed(desk, landed.case_id)
    await hear_consent(desk, a_consent(landed.case_id, to="state", given=False, seq=9))

    assert (child, adult) == ({"state", "civil_society"}, {"state"})
    assert await states(desk) == {"WAGE": "refused"}


async def allowed(desk: Desk, case_id: str) -> list[frozenset[str]]:
    """The classes of recipients that may be asked for each need of a case."""
    async with desk.database.work(system("referral", "test"), purpose="test") as work:
        said = (await book.find_consents(work, [case_id]))[case_id]
        found = await needs.find_needs(work, sorted(await needs.find_of_cases(work, [case_id])))
        return [frozenset(consents.open_classes(said, need.referral, None, now=work.now)) for need in found.values()]
