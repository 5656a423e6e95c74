"""Whatever is announced, put off, uploaded, called, carried, fetched back, sent, logged and ended: each person is in
one place, and the counts of every voyage come to it."""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from services.intake.actions.arrivals import Submitted, record_arrivals, scope_of, seal_arrival
from services.intake.actions.drafts import find_draft
from services.intake.actions.endings import enter_in_error
from services.intake.actions.erasures import erase_person
from services.intake.actions.reconciliation import reconcile_voyage
from services.intake.actions.roll_calls import record_absence
from services.intake.actions.telling import Telling
from services.intake.actions.totals import Said, record_totals, withdraw_totals
from services.intake.actions.voyage_corrections import correct_voyage
from services.intake.domain.reconciliation import Reconciliation, Rolled
from services.intake.domain.refusals import Refused
from services.intake.domain.voyage_corrections import Said as Correction
from services.intake.domain.voyages import Voyage
from services.intake.store.vault import Vault
from shared.contracts import codes
from shared.kit.clock import FixedClock
from shared.kit.database import Database, connect
from shared.kit.ids import new_id
from tests.conftest import DatabaseUrls
from tests.intake.factories import DPO, OFFICER, START, a_list, a_row, a_vault, a_voyage, an_arrival
from tests.intake.test_roll_calls import Quay
from tests.soaking import examples

FIRST_ROW = 2
MOST_VOYAGES, MOST_PEOPLE = 5, 9
picks = st.integers(0, 60)


@dataclass(eq=False)
class Row:
    """A person on a list. `taken`: on it when it was sent; `counted`: the mark by which the sent list counts the row,
    of a corrected file only once that is sent; `over`: the row of the voyage that the person went over to; `end`: how a
    recorded person's arrival ended."""

    person: int
    voyage: int
    draft: str
    mark: str = "open"
    counted: str = "open"
    taken: bool = False
    arrived: bool = False
    end: str = ""
    over: "Row | None" = None
    came_from: int | None = None


def row_of(person: int) -> str:
    """Every third is a child, every second a woman, every fifth of unknown sex; of every fourth an age is told."""
    sex = "X" if person % 5 == 0 else "MF"[person % 2]
    birth, age = ("2020-01-01", "6 th") if person % 3 == 0 else ("1990-01-01", "36 th")
    return a_row(person, sex=sex, born=age if person % 4 == 1 else birth)


class Landing(RuleBasedStateMachine):
    """A port with its voyages; beside it, who stands where."""

    def __init__(self, runner: asyncio.Runner, database: Database, vault: Vault, clock: FixedClock) -> None:
        super().__init__()
        self.runner, self.database, self.vault, self.clock = runner, database, vault, clock
        self.quay = Quay(database, vault)
        self.voyages: list[Voyage] = []
        self.rows: dict[str, list[Row | None]] = {}
        """Of each list, in its order; None for a row that was taken back from it."""
        self.closed: set[str] = set()
        self.renewed: set[str] = set()
        """Lists of which another file has come since they were sent."""
        self.called: set[int] = set()
        """Voyages of which somebody was called."""
        self.logged: Counter[int] = Counter()
        self.letters: list[tuple[int, str, int]] = []
        """Voyage, id and heads of each that counts."""
        self.people = 0

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    def everybody(self) -> list[Row]:
        return [row for rows in self.rows.values() for row in rows if row is not None]

    def recorded(self) -> list[Row]:
        return [row for row in self.everybody() if row.arrived and not row.end]

    def pick(self, rows: list[Row], n: int) -> Row | None:
        return rows[n % len(rows)] if rows else None

    @initialize()
    def begin(self) -> None:
        self.clock.advance(timedelta(days=30))  # the voyages of others are past
        for _ in range(2):
            self.announce(3)
        self.upload(0, 3)

    @rule(heads=st.integers(0, 9))
    def announce(self, heads: int) -> None:
        if len(self.voyages) < MOST_VOYAGES:
            at = self.clock.now() + timedelta(days=2 * len(self.voyages))
            voyage = self.run(a_voyage(self.database, announced=heads, expected_at=at))
            self.voyages.append(voyage)
            if heads:
                [source] = self.run(self.sums(voyage)).sources
                self.letters.append((len(self.voyages) - 1, source.source_id, heads))

    @rule(n=picks, heads=st.integers(1, 9))
    def announce_again(self, n: int, heads: int) -> None:
        """A letter takes the place of another, or comes beside it, or is none any more."""

        async def act() -> None:
            async with self.database.work(OFFICER, purpose="reconcile") as work:
                if n % 3 == 2 and self.letters:
                    await withdraw_totals(work, self.letters.pop(n % len(self.letters))[1], reason="entered_in_error")
                    return
                before = self.letters.pop(n % len(self.letters)) if n % 3 == 1 and self.letters else None
                voyage = before[0] if before else n % len(self.voyages)
                kept = await record_totals(
                    work, self.voyages[voyage].voyage_id, Said("letter", heads), replaces=before and before[1]
                )
                self.letters.append((voyage, kept.source_id, heads))

        self.run(act())

    @rule(n=picks, hours=st.integers(-60, 60).filter(bool), vessel=st.sampled_from(["KM Purnama", "KM Lambelu"]))
    def correct_voyage(self, n: int, hours: int, vessel: str) -> None:
        """It comes earlier or later, perhaps as another ship."""

        async def act() -> Voyage:
            voyage = self.voyages[n % len(self.voyages)]
            said = Correction(voyage.expected_at + timedelta(hours=hours), vessel)
            async with self.database.work(OFFICER, purpose="correct") as work:
                return await correct_voyage(
                    work, voyage.voyage_id, version=voyage.version, said=said, reason="rescheduled"
                )

        self.voyages[n % len(self.voyages)] = self.run(act())

    @rule(n=picks, people=st.integers(1, 3))
    def upload(self, n: int, people: int) -> None:
        people = min(people, MOST_PEOPLE - self.people)
        if people > 0:
            voyage, new = n % len(self.voyages), range(self.people + 1, self.people + people + 1)
            self.people += people
            draft = self.run(self.quay.upload(self.voyages[voyage], a_list(*map(row_of, new))))
            self.rows[draft.draft_id] = [Row(one, voyage, draft.draft_id) for one in new]

    @rule(n=picks)
    def correct(self, n: int) -> None:
        """The same list the other way round, and somebody more."""
        lists = [one for one, rows in self.rows.items() if one not in self.closed and all(rows)]
        lists = [one for one in lists if all(row is not None and row.came_from is None for row in self.rows[one])]
        if lists and self.people < MOST_PEOPLE:
            one = lists[n % len(lists)]
            rows = [row for row in self.rows[one] if row is not None][::-1]
            self.people += 1
            new = Row(self.people, rows[0].voyage, one)
            draft = self.run(find_draft(self.database, OFFICER, one))
            content = a_list(*(row_of(row.person) for row in (*rows, new)))
            self.run(self.quay.upload_again(draft, content))
            self.rows[one] = [*rows, new]
            self.renewed.add(one)

    @rule(n=picks, mark=st.sampled_from(["here", "open", "absent"]))
    def call(self, n: int, mark: str) -> None:
        if (row := self.pick(self.everybody(), n)) is not None:
            self.say(row, mark, reason="not_boarded" if mark == "absent" else None)

    @rule(n=picks, to=picks, row=picks)
    def carry(self, n: int, to: int, row: int) -> None:
        later = to % len(self.voyages)
        found = self.pick([one for one in self.everybody() if one.draft not in self.closed], n)
        if found is not None:
            self.say(found, "absent", reason="rolled_over", to=later)

    @rule(n=picks, mark=st.sampled_from(["here", "open"]))
    def fetch_back(self, n: int, mark: str) -> None:
        if (row := self.pick([one for one in self.everybody() if one.over is not None], n)) is not None:
            self.say(row, mark, reason=None)

    def say(self, row: Row, mark: str, *, reason: str | None, to: int | None = None) -> None:
        number = FIRST_ROW + self.rows[row.draft].index(row)

        async def act() -> tuple[str, int] | None:
            voyage = self.voyages[row.voyage]
            entries = (await self.quay.roll(voyage)).entries
            version = next((one.version for one in entries if (one.draft_id, one.row) == (row.draft, number)), 0)
            draft = await find_draft(self.database, OFFICER, row.draft)
            next_voyage_id = None if to is None else self.voyages[to].voyage_id
            said: dict[str, Any] = {"reason": reason, "next_voyage_id": next_voyage_id}
            await self.quay.call(draft, number, mark, version=version, **said)
            entries = (await self.quay.roll(voyage)).entries
            call = next(one.call for one in entries if (one.draft_id, one.row) == (row.draft, number))
            if call is not None:
                self.called.add(row.voyage)
            return (call.next_draft_id, call.next_row or 0) if call is not None and call.next_draft_id else None

        try:
            place = self.run(act())
        except Refused:
            return
        if row.over is not None and place != (row.over.draft, FIRST_ROW + self.rows[row.over.draft].index(row.over)):
            there = self.rows[row.over.draft]
            there[there.index(row.over)] = None
            if not any(there):
                self.closed.add(row.over.draft)
            row.over = None
        row.mark = mark
        if row.draft not in self.renewed:
            row.counted = mark
        if place is not None and row.over is None:
            assert to is not None
            row.over = Row(row.person, to, place[0], came_from=row.voyage)
            rows = self.rows.setdefault(place[0], [])
            assert FIRST_ROW + len(rows) == place[1]
            rows.append(row.over)

    @rule(n=picks)
    def send(self, n: int) -> None:
        lists = [one for one in self.rows if one not in self.closed]
        if not lists:
            return
        one = lists[n % len(lists)]
        try:
            sent = self.run(self.send_one(one))
        except Refused:
            return
        for row in filter(None, self.rows[one]):
            row.taken, row.counted = True, row.mark
            if row.over is None and (row.mark == "here" or row.voyage not in self.called):
                row.arrived = True
        self.renewed.discard(one)
        if not sent.draft.is_under_way:
            self.closed.add(one)

    async def send_one(self, draft_id: str) -> Any:
        return await self.quay.send(await find_draft(self.database, OFFICER, draft_id))

    @rule(days=st.integers(1, 3))
    def time_passes(self, days: int) -> None:
        self.clock.advance(timedelta(days=days))

    @rule(n=picks)
    def log(self, n: int) -> None:
        """Somebody comes who stands on no list."""
        voyage = n % len(self.voyages)
        submitted = Submitted(
            an_arrival(who={"document_number": ""}), scope_of(OFFICER), new_id().encode(), codes.ports()["NNK"],
            "single", self.clock.now(), self.voyages[voyage].voyage_id,
        )  # fmt: skip
        new = seal_arrival(self.vault, Telling(OFFICER), submitted, self.clock.now())
        self.run(record_arrivals(self.database, [new]))
        self.logged[voyage] += 1

    @rule(n=picks, how=st.sampled_from(["absent", "error", "erased"]))
    def end(self, n: int, how: str) -> None:
        if (row := self.pick(self.recorded(), n)) is None:
            return

        async def act() -> None:
            case_id = next(case for case, who in await self.landed(row.voyage) if who == row.person)
            if how == "erased":
                async with self.database.work(DPO, purpose="erase") as work:
                    await erase_person(work, self.vault, case_id, reason="request", reference="PPID/2026/1")
                return
            async with self.database.work(OFFICER, purpose="correct") as work:
                if how == "absent":
                    await record_absence(work, case_id, version=1, reason="unknown", next_voyage_id=None)
                else:
                    await enter_in_error(work, case_id, version=1, reason="test_entry", duplicate_of=None)

        with suppress(Refused):
            self.run(act())
            row.end = how

    async def landed(self, voyage: int) -> list[tuple[str, int]]:
        """Who has landed with a voyage and is not erased: case and person, who is known by the document."""
        rows = await self.database.pool.fetch(
            "SELECT a.case_id::text, b.digest FROM arrivals a JOIN blind_indexes b USING (person_id)"
            " WHERE a.voyage_id = $1 AND a.ended_as IS NULL",
            self.voyages[voyage].voyage_id,
        )
        numbers = {self.vault.blind_index("document", f"XS9{n:06d}"): n for n in range(1, MOST_PEOPLE + 1)}
        return [(row["case_id"], numbers[bytes(row["digest"])]) for row in rows]

    async def sums(self, voyage: Voyage) -> Reconciliation:
        return await reconcile_voyage(self.database, self.vault, OFFICER, voyage.voyage_id)

    @invariant()
    def everybody_is_in_one_place(self) -> None:
        there: Counter[int] = Counter()
        for n, voyage in enumerate(self.voyages):
            names = [one.name for one in self.run(self.quay.roll(voyage)).entries if one.name and not one.case_id]
            waiting = [int(name.removeprefix("Orang")) for name in names]
            rows = [row for row in self.everybody() if row.voyage == n and row.over is None]
            assert sorted(waiting) == sorted(
                row.person for row in rows if row.draft not in self.closed and not row.arrived
            )
            arrived = [who for _, who in self.run(self.landed(n))]
            assert sorted(arrived) == sorted(row.person for row in rows if row.arrived and not row.end)
            there.update([*waiting, *arrived])
        assert all(times == 1 for times in there.values())

    @invariant()
    def the_counts_come_to_it(self) -> None:
        for n, voyage in enumerate(self.voyages):
            rows = [row for row in self.everybody() if row.voyage == n and row.end != "error"]
            taken = [row for row in rows if row.taken]
            landed = [row for row in taken if row.arrived and row.end != "absent"]
            absent = [row for row in taken if row.end == "absent" or (not row.arrived and row.counted == "absent")]
            found = self.run(self.sums(voyage))
            counts = found.counts
            assert (counts.listed, counts.arrived, counts.absent, counts.rejected, counts.unlisted, counts.waiting) == (
                len(taken),
                len(landed) + self.logged[n],
                len(absent),
                len(taken) - len(landed) - len(absent),
                self.logged[n],
                0,
            )
            assert (found.announced or 0) == counts.announced == sum(heads for of, _, heads in self.letters if of == n)
            parts: Counter[str] = Counter()
            for line in found.lines:
                parts[line.dimension] += line.arrived if line.value != "children" else 0
            assert set(parts.values()) <= {counts.arrived}
            gap = next((one.difference for one in found.gaps if one.pair == "listed_arrived"), 0)
            if counts.listed:
                assert sum(one.heads for one in found.candidates if "listed_arrived" in one.pairs) == gap
            came = [row for row in self.everybody() if row.voyage == n and row.came_from is not None]
            went = [row.over for row in self.everybody() if row.voyage == n and row.over is not None]
            assert [_heads(found.came_over), _heads(found.went_over)] == [_over(came), _over(went)]


def _heads(rolled: Sequence[Rolled]) -> tuple[int, int, int]:
    return sum(one.carried for one in rolled), sum(one.listed for one in rolled), sum(one.arrived for one in rolled)


def _over(rows: Sequence[Row]) -> tuple[int, int, int]:
    """How many went over, of these are listed there and have arrived there."""
    return (
        len(rows),
        sum(row.taken and row.end != "error" for row in rows),
        sum(row.arrived and row.end not in ("error", "absent") for row in rows),
    )


@pytest.mark.invariant("I181")
def test_everybody_is_in_one_place_and_every_count_comes_to_it(database_urls: DatabaseUrls) -> None:
    with asyncio.Runner() as runner:
        clock = FixedClock(START)
        database = runner.run(connect(database_urls("intake").application, service="intake", clock=clock))
        try:
            run_state_machine_as_test(
                lambda: Landing(runner, database, a_vault(), clock),  # type: ignore[arg-type]
                settings=settings(
                    max_examples=examples(12),
                    phases=set(Phase) - {Phase.shrink},  # which takes longer than a test may
                    stateful_step_count=20,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            runner.run(database.aclose())
