"""Whatever comes first, corrections or what agencies say: no need is lost, no help broken, no child unprotected.

`make test` tries a sample of the orders that names its seed, `make soak` all of them.
"""

import asyncio
import os
import random
from collections.abc import Awaitable, Callable
from itertools import permutations, product
from typing import Any

import pytest

from services.referral import rules
from services.referral.actions.answering import Answer
from shared.contracts.intake.arrivals import (
    AgeCorrected,
    ArrivalEnteredInError,
    NeedsCorrected,
    OriginCorrected,
    PersonDied,
    SexCorrected,
)
from shared.kit.heard import Heard
from tests.referral.conftest import Desk
from tests.referral.factories import an_arrival
from tests.referral.test_corrections import a_correction, hear


class Person:
    """One case as the port knows it, and what may happen to it; each correction counts as the port would."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.landed: Heard[Any] = an_arrival("NEED", "SICK", "NOFAM")
        self.version = 1
        self.facts: dict[str, Any] = {"sex": "F", "age_band": "adult", "origin_regency": "73.06"}
        self.needs = {"NEED", "SICK", "NOFAM"}
        self.ended = False

    async def correct(self, kind: type, **said: Any) -> None:
        if self.ended and kind is not OriginCorrected:
            return  # intake refuses it
        self.version += 1
        self.facts |= {name: said[name] for name in self.facts if name in said}
        self.needs = (self.needs | set(said.get("added", ()))) - set(said.get("struck", ()))
        self.ended = self.ended or kind in (ArrivalEnteredInError, PersonDied)
        if kind is PersonDied:
            self.needs |= {"REMAINS"}
        await hear(
            self.desk,
            a_correction(
                kind, self.landed, version=self.version, **{**self.facts, **said, "needs": tuple(sorted(self.needs))}
            ),
        )

    async def origin(self) -> None:
        was = self.facts["origin_regency"]
        await self.correct(OriginCorrected, was=was, origin_regency="53.01" if was == "73.06" else "73.06")

    async def sex(self) -> None:
        await self.correct(SexCorrected, was=self.facts["sex"], sex="M" if self.facts["sex"] == "F" else "F")

    async def age(self) -> None:
        if self.facts["age_band"] == "adult":
            await self.correct(AgeCorrected, was="adult", age_band="child", added=("UAC",))
        else:
            await self.correct(
                AgeCorrected, was="child", age_band="adult", struck=("UAC",), proof="identity_card", proposed_by="sari"
            )

    async def need(self) -> None:
        if "SICK" in self.needs:
            await self.correct(NeedsCorrected, added=("WAGE",), reason="assessed", struck=("SICK",),
                               strike_reason="screened_again")  # fmt: skip
        else:
            await self.correct(NeedsCorrected, added=("SICK",), reason="assessed")

    async def error(self) -> None:
        await self.correct(ArrivalEnteredInError)

    async def death(self) -> None:
        await self.correct(PersonDied)

    async def accept(self) -> None:
        await self._answer("accept")

    async def decline(self) -> None:
        await self._answer("decline", reason="no_capacity")

    async def start(self) -> None:
        await self._answer("start")

    async def fail(self) -> None:
        await self._answer("fail", outcome="NO_CAPACITY")

    async def _answer(self, verb: str, **said: Any) -> None:
        """Whoever is asked or helps says so of each need; what is refused changes nothing."""
        rows = await self.desk.rows(
            "SELECT a.assignment_id, a.agency_id FROM assignments a JOIN referrals r USING (referral_id)"
            " WHERE r.case_id = $1 AND a.ended_at IS NULL ORDER BY a.attempt DESC",
            self.landed.case_id,
        )
        for row in rows:
            await self.desk.answer(verb, row["agency_id"], Answer(str(row["assignment_id"]), **said))

    async def is_sound(self) -> None:
        """What holds after every step."""
        needs = await self.desk.rows("SELECT * FROM referrals WHERE case_id = $1", self.landed.case_id)
        attempts = await self.desk.rows(
            "SELECT a.*, r.need FROM assignments a JOIN referrals r USING (referral_id) WHERE r.case_id = $1"
            " ORDER BY a.attempt",
            self.landed.case_id,
        )
        before_people = {
            row["referral_id"]
            for row in await self.desk.rows("SELECT referral_id FROM escalations WHERE closed_at IS NULL")
        }
        gaps = {
            row["referral_id"] for row in await self.desk.rows("SELECT referral_id FROM gaps WHERE closed_at IS NULL")
        }
        stored = await self.desk.rows(
            "SELECT digest, body FROM explanations WHERE digest = ANY($1::bytea[])", [n["explanation"] for n in needs]
        )
        bodies = {row["digest"]: bytes(row["body"]) for row in stored}
        child = self.facts["age_band"] == "child"
        for need in needs:
            own = [a for a in attempts if a["referral_id"] == need["referral_id"]]
            live = [a for a in own if a["ended_at"] is None]
            helping = [a for a in live if a["state"] in ("accepted", "in_progress")]
            asked = [a for a in live if a not in helping]
            assert len(helping) <= 1
            assert len(asked) <= 1
            assert not (helping and asked) or asked[0]["transfer_of"] == helping[0]["assignment_id"]
            assert [a["attempt"] for a in own] == list(range(1, len(own) + 1))
            assert (need["sex"], need["age_band"]) == (self.facts["sex"], self.facts["age_band"])
            assert need["regency"] == self.facts["origin_regency"]
            if need["ended_at"] is not None:
                assert live == []
                continue
            assert need["need"] in self.needs
            assert not child or need["restricted"]
            assert live or need["referral_id"] in before_people or need["referral_id"] in gaps
            right = {c.agency_id for c in rules.read(bodies[need["explanation"]]).candidates}
            assert {a["agency_id"] for a in asked} <= right
            if helping and helping[0]["agency_id"] not in right:
                assert asked or need["referral_id"] in before_people
            if need["state"] == "unroutable":
                assert need["referral_id"] in gaps
        if not self.ended:
            assert self.needs == {need["need"] for need in needs if need["ended_at"] is None}
        if child:
            assert await self.desk.rows("SELECT FROM responsibilities WHERE case_id = $1", self.landed.case_id)


EVENTS = ("origin", "sex", "age", "need", "error", "death", "accept", "decline", "start", "fail")
CORRECTIONS = EVENTS[:6]
SAMPLE = 60
SAID = EVENTS[6:]


@pytest.mark.timeout(900)
async def test_every_order_of_three_leaves_the_case_sound(desk: Desk) -> None:
    seed, orders = random.randrange(10**6), list(permutations(EVENTS, 3))
    if os.environ.get("HYPOTHESIS_PROFILE") != "soak":
        orders = random.Random(seed).sample(orders, SAMPLE)
    for order in orders:
        person = Person(desk)
        await desk.open(person.landed)
        for event in order:
            await getattr(person, event)()
            try:
                await person.is_sound()
            except AssertionError as wrong:
                raise AssertionError(f"seed {seed}: {order}, after {event}") from wrong


@pytest.mark.parametrize(("correction", "said"), list(product(CORRECTIONS, SAID)))
async def test_at_once_with_what_agencies_say_leaves_the_case_sound(desk: Desk, correction: str, said: str) -> None:
    for first in ("nothing", "accept"):
        person = Person(desk)
        await desk.open(person.landed)
        if first == "accept":
            await person.accept()

        both: list[Callable[[], Awaitable[None]]] = [getattr(person, correction), getattr(person, said)]
        await asyncio.gather(*(act() for act in both))

        await person.is_sound()
