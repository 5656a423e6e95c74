"""Whatever is corrected, found, refused or moved: who tells others hears when only the case team may know of a need."""

import random
from typing import Any

import orjson
import pytest

from services.notify.domain.subscriptions import MOVING, OPENED
from services.referral.actions.supervising import Reopening
from services.referral.domain import referrals
from services.referral.domain.referrals import CHILDREN
from shared.contracts.intake.arrivals import AgeCorrected, DeathUndone, NeedsCorrected
from shared.kit.ids import new_id
from tests.referral.conftest import Desk
from tests.referral.factories import a_basis, a_consent, a_withdrawal, an_arrival
from tests.referral.test_corrections import a_correction, hear
from tests.referral.test_households import a_change, settle
from tests.referral.test_households import hear as hear_households
from tests.referral.test_lock_order import hear_consent
from tests.referral.test_opened_anew import Somebody

OF_AGE: dict[str, frozenset[str]] = {"elderly": frozenset({"ELDER"}), "child": frozenset({"UAC"})}
"""What the port finds by an age alone; of who is of no known age it finds what it finds of a child."""


class Watched(Somebody):
    """Somebody of any age, who may be in a household, refuse, agree and count as dead; the port finds what it finds."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.other = an_arrival("ELDER", age_band="elderly", origin="32.04")
        self.seq = 1
        self.home: str | None = None
        self.position = 0

    async def become(self, band: str) -> None:
        was = self.facts["age_band"]
        if was == band:
            return
        of_age = frozenset().union(*OF_AGE.values())
        wanted = OF_AGE["child" if band in CHILDREN else band] if band != "adult" else frozenset()
        changes = {"added": tuple(sorted(wanted - self.needs)), "struck": tuple(sorted(of_age & self.needs - wanted))}
        two = {} if band in CHILDREN else {"proof": "identity_card", "proposed_by": "sari"}
        await self.correct(AgeCorrected, was=was, age_band=band, **changes, **two)

    async def find_child(self) -> None:
        await self.become("child")

    async def find_adult(self) -> None:
        await self.become("adult")

    async def find_elderly(self) -> None:
        await self.become("elderly")

    async def doubt_age(self) -> None:
        await self.become("unknown")

    async def strike(self) -> None:
        if taken := sorted(self.needs - {"REMAINS", "UAC", "ELDER"})[:1]:
            await self.correct(NeedsCorrected, struck=tuple(taken), strike_reason="screened_again")

    async def find(self) -> None:
        if missing := sorted({"WAGE", "GBV", "SICK", "NEED"} - self.needs)[:1]:
            await self.correct(NeedsCorrected, added=tuple(missing), reason="assessed")

    async def live(self) -> None:
        if "REMAINS" in self.needs:
            self.needs -= {"REMAINS"}
            self.version += 1
            said = {**self.facts, "needs": tuple(sorted(self.needs)), "version": self.version}
            await hear(self.desk, a_correction(DeathUndone, self.landed, **said))
            self.ended = False

    async def say_no(self) -> None:
        await self._say(a_consent(self.landed.case_id, to="state", given=False, seq=self._next()))

    async def take_back(self) -> None:
        await self._say(a_withdrawal(self.landed.case_id, to="state", seq=self._next()))

    async def say_yes(self) -> None:
        await self._say(a_consent(self.landed.case_id, to="state", seq=self._next()))

    async def name_a_law(self) -> None:
        await self._say(a_basis(self.landed.case_id, to="state", seq=self._next()))

    async def _say(self, said: Any) -> None:
        if not self.ended and self.facts["age_band"] not in CHILDREN:
            await hear_consent(self.desk, said)

    def _next(self) -> int:
        self.seq += 1
        return self.seq

    async def join(self) -> None:
        if self.home is None:
            self.home = new_id()
            one = a_change(self.landed, self.home, "joined", self.other.case_id)
            await hear_households(self.desk, one, a_change(self.other, self.home, "joined", self.landed.case_id))
            await settle(self.desk)

    async def part(self) -> None:
        if self.home is not None:
            await hear_households(self.desk, a_change(self.landed, self.home, "parted"))
            self.home = None
            await settle(self.desk)

    async def reopen(self) -> None:
        rows = await self.desk.rows(
            "SELECT referral_id::text FROM referrals WHERE case_id = $1 AND ended_at IS NOT NULL", self.landed.case_id
        )
        wanted = [Reopening(row["referral_id"], min(referrals.REOPENINGS)) for row in rows]
        for by in ("supervisor", "gowa"):
            await self.desk.reopen(*wanted, by=by)

    async def is_told(self) -> None:
        """What only the case team may know by now was told as that, and nothing since as anything else."""
        case_id = self.landed.case_id
        needs = {
            row["need"]: row for row in await self.desk.rows("SELECT * FROM referrals WHERE case_id = $1", case_id)
        }
        rows = await self.desk.rows(
            "SELECT position, type, payload FROM journal WHERE case_id = $1 ORDER BY position", case_id
        )
        was, self.position = self.position, rows[-1]["position"]
        facts = [(row["position"], row["type"], orjson.loads(row["payload"])["data"]) for row in rows]
        for code, need in needs.items():
            own = [(position, type_, fact["restricted"]) for position, type_, fact in facts if fact.get("need") == code]
            assert need["restricted"] or self.facts["age_band"] not in CHILDREN, code
            if need["restricted"] and was:
                assert [told for _, type_, told in own if type_ in MOVING | {OPENED}][-1], code
                late = [type_ for position, type_, told in own if position > was and not told]
                assert late == [], code


EVENTS = (
    "find_child", "find_child", "find_adult", "find_elderly", "doubt_age", "strike", "find", "origin", "sex", "death",
    "live", "say_no", "take_back", "say_yes", "name_a_law", "join", "part", "reopen", "accept", "decline", "complete",
    "refuse", "give_up", "leave",
)  # fmt: skip
STEPS = 14


@pytest.mark.invariant("I185")
@pytest.mark.parametrize("seed", range(24))
async def test_whatever_comes_to_be_the_case_teams_alone_is_told_as_that(desk: Desk, seed: int) -> None:
    draw = random.Random(seed)
    person = Watched(desk)
    await desk.open(person.landed, person.other)
    await person.is_told()
    done: list[str] = []
    for _ in range(STEPS):
        done.append(draw.choice(EVENTS))
        await getattr(person, done[-1])()
        try:
            await person.is_told()
        except AssertionError as wrong:
            raise AssertionError(f"seed {seed}: {done}") from wrong
