"""However a list is corrected: at its source, in its draft, in files of its bad rows. Nobody is lost, nobody twice."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Literal

import openpyxl
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from services.intake.actions import drafts
from services.intake.actions.drafts import Opened, open_draft
from services.intake.actions.giving_back import take_away
from services.intake.actions.spreadsheets import disarmed, rearmed
from services.intake.actions.voyages import report_voyage
from services.intake.domain.drafts import Draft, Line
from services.intake.domain.refusals import Refused
from services.intake.domain.voyages import Voyage
from services.intake.gateways.workbooks import workbook
from services.intake.store.vault import Sealed, Vault
from shared.kit.database import Database
from tests.intake.factories import OFFICER, a_voyage
from tests.intake.test_corrected_files import as_text
from tests.intake.test_draft_crashes import Killed, killed_after
from tests.intake.test_drafts import Desk
from tests.soaking import examples

HEADING = ["No", "Nama", "L/P", "Tgl Lahir", "No Paspor", "Alamat"]
NAME, SEX, NUMBER = 1, 2, 4
WRONG = "?"
Form = Literal["semicolons", "commas", "tabs", "utf-16", "workbook", "turned"]
FORMS: tuple[Form, ...] = ("semicolons", "commas", "tabs", "utf-16", "workbook", "turned")

people, places = st.integers(1, 9), st.integers(0, 6)
lists = st.lists(st.tuples(people, st.booleans()), min_size=1, max_size=5, unique_by=lambda row: row[0])
"""Who is on a list, and whose row has to be mended."""
steps = st.lists(
    st.one_of(
        st.tuples(st.just("insert"), st.tuples(people, st.booleans(), places)),
        st.tuples(st.just("delete"), places),
        st.tuples(st.just("swap"), st.tuples(places, places)),
        st.tuples(st.just("rename"), places),
        st.tuples(st.just("right"), places),
        st.tuples(st.just("upload"), st.sampled_from(FORMS)),
        st.tuples(st.just("again"), st.booleans()),
        st.tuples(st.just("mend"), places),
        st.tuples(st.just("leave out"), places),
        st.tuples(st.just("send"), st.one_of(st.none(), st.integers(0, 2))),
        st.tuples(st.just("take away"), st.tuples(st.sampled_from(["held", "all"]), st.sampled_from(["csv", "xlsx"]))),
        st.tuples(st.just("bring back"), st.tuples(st.booleans(), st.one_of(st.none(), people), st.booleans())),
    ),
    max_size=12,
)


def number_of(n: int) -> str:
    return f"XS9{n:06d}"


def sex_of(number: str) -> str:
    """As it really is."""
    return "L" if int(number[3:]) % 2 else "P"


class Mission:
    """Who sends the list, and the file as it stands there."""

    def __init__(self) -> None:
        self.rows: list[list[str]] = []

    def change(self, what: str, how: Any) -> None:
        if what == "insert":
            n, wrong, place = how
            if all(row[NUMBER] != number_of(n) for row in self.rows):
                self.rows.insert(place, self.row(n, WRONG if wrong else sex_of(number_of(n))))
        elif not self.rows:
            return
        elif what == "delete":
            del self.rows[how % len(self.rows)]
        elif what == "swap":
            one, other = (place % len(self.rows) for place in how)
            self.rows[one], self.rows[other] = self.rows[other], self.rows[one]
        elif what == "rename":
            self.rows[how % len(self.rows)][NAME] += "a"
        elif what == "right":
            row = self.rows[how % len(self.rows)]
            row[SEX] = sex_of(row[NUMBER])

    @staticmethod
    def row(n: int, sex: str) -> list[str]:
        return [str(n), f"Orang{n}", sex, "1/2/1990", number_of(n), "'=Jl. 1" if n % 3 == 0 else "'Jl. 1"]

    def lines(self, form: Form) -> list[list[str]]:
        lines = [["DAFTAR"], HEADING, *self.rows]
        return [lines[0], *(list(reversed(line)) for line in lines[1:])] if form == "turned" else lines

    def file(self, form: Form) -> bytes:
        lines = self.lines(form)
        if form == "workbook":
            return workbook(lines)
        separator = {"commas": ",", "tabs": "\t"}.get(form, ";")
        text = io.StringIO()
        csv.writer(text, delimiter=separator).writerows(lines)
        return text.getvalue().encode("utf-16" if form == "utf-16" else "utf-8")


class Story:
    """A mission, an officer, and the draft of one list."""

    def __init__(self, desk: Desk, voyage: Voyage) -> None:
        self.desk = desk
        self.database = desk.database
        self.voyage = voyage
        self.mission = Mission()
        self.draft_id = ""
        self.file = b""
        self.away: bytes | None = None

    async def step(self, what: str, how: Any) -> None:
        self.mission.change(what, how)
        if what == "upload":
            await self._upload(how)
            return
        if not self.draft_id:
            return
        with suppress(Refused, Killed):
            await self._do(what, how)

    async def _upload(self, form: Form) -> None:
        """The file as it stands at the mission: what it does not change stays, all of it comes back as it was."""
        if not self.mission.rows:
            return
        self.file = self.mission.file(form)
        before = await self._opened()
        if before is None:
            self.draft_id = (await self.desk.upload(self.voyage, self.file)).draft_id
        elif before.draft.state == "open":
            self.draft_id = (await self.desk.upload_again(before.draft, self.file)).draft_id
        else:
            return
        after = await self._opened()
        assert after is not None
        assert sorted(numbers_in(after)) == sorted(row[NUMBER] for row in self.mission.rows)
        if before is not None and before.draft.version != after.draft.version:
            for number, line in rows_by_number(after).items():
                was = rows_by_number(before).get(number)
                for field in ("full_name", "sex") if was else ():
                    source, old = said(after, line, field, source=True), said(before, was, field, source=True)
                    now = said(before, was, field) if source == old else source
                    assert said(after, line, field) == now
        if before is None or before.draft.version != after.draft.version:
            given = await take_away(
                self.database, self.desk.vault, OFFICER, self.draft_id, form="csv", rows="source", language="id"
            )
            there = [[rearmed(cell) for cell in line] for line in cells_in(given.content)]
            assert there == self.mission.lines(form)

    async def _do(self, what: str, how: Any) -> None:
        draft = await drafts.find_draft(self.database, OFFICER, self.draft_id)
        if what == "again":
            again = await (
                self.desk.upload_again(draft, self.file) if how else self.desk.upload(self.voyage, self.file)
            )
            assert not draft.is_under_way or again.draft_id != self.draft_id or again.version == draft.version
        elif what == "send":
            with killed_after(how):
                await self.desk.send(draft)
        elif what == "take away":
            rows, form = how
            self.away = (
                await take_away(
                    self.database, self.desk.vault, OFFICER, self.draft_id, form=form, rows=rows, language="id"
                )
            ).content
        elif what == "bring back":
            await self._bring_back(draft, *how)
        elif what in ("mend", "leave out"):
            opened = await open_draft(self.database, self.desk.vault, OFFICER, self.draft_id)
            if not opened.lines:
                return
            line = opened.lines[how % len(opened.lines)]
            if what == "leave out":
                await self.desk.leave_out(draft, line.number, not line.is_out, version=line.version)
            else:
                await self._mend(opened, line)

    async def _mend(self, opened: Opened, line: Line) -> Draft:
        sex = sex_of(said(opened, line, "document_number"))
        cells = {opened.header.fields["sex"]: sex}
        return await self.desk.mend(opened.draft, line.number, cells, version=line.version)

    async def _bring_back(self, draft: Draft, as_the_corrected_file: bool, more: int | None, twice: bool) -> None:
        """A file with rows that were taken away, mended there, perhaps with somebody who is new, perhaps twice."""
        if self.away is None:
            return
        heading, *rows = cells_in(self.away)
        at = {field: heading.index(text) for field, text in (("sex", "L/P"), ("number", "No Paspor"))}
        for row in rows:
            row[at["sex"]] = sex_of(row[at["number"]])
        if more is not None and rows and all(row[at["number"]] != number_of(more) for row in rows):
            made = dict(zip(HEADING, Mission.row(more, sex_of(number_of(more))), strict=True))
            rows.append([rows[0][0], *(disarmed(made.get(text, "")) for text in heading[1:])])
        before = await self._opened()
        content = as_text([heading, *rows])
        for _ in range(1 + twice):
            if as_the_corrected_file:
                after = await self.desk.upload_again(draft, content)
            else:
                after = await self.desk.upload(self.voyage, content)
        if before is not None and after.draft_id == self.draft_id:
            now = await self._opened()
            assert now is not None
            lost = Counter(numbers_in(before)) - Counter(numbers_in(now))
            assert not lost
            assert {row[at["number"]] for row in rows} <= set(numbers_in(now))

    async def _opened(self) -> Opened | None:
        """The draft with what it says; None where there is none any more."""
        if not self.draft_id:
            return None
        draft = await drafts.find_draft(self.database, OFFICER, self.draft_id)
        return await open_draft(self.database, self.desk.vault, OFFICER, self.draft_id) if draft.is_under_way else None

    async def recorded(self) -> list[str]:
        """The documents of who is recorded, as the vault says."""
        rows = await self.database.fetch(
            "SELECT a.case_id, a.person_id, a.sealed, k.wrapped_key"
            " FROM arrivals a JOIN person_keys k USING (person_id) WHERE a.voyage_id = $1",
            self.voyage.voyage_id,
        )
        return [
            self.desk.vault.open(
                Sealed(bytes(row["wrapped_key"]), bytes(row["sealed"])),
                person_id=str(row["person_id"]),
                case_id=str(row["case_id"]),
            ).document_number
            for row in rows
        ]

    async def add_up(self) -> None:
        counts = (await report_voyage(self.database, OFFICER, self.voyage.voyage_id)).counts
        assert counts.listed + counts.unlisted == counts.arrived + counts.rejected + counts.waiting
        recorded = await self.recorded()
        assert len(recorded) == len(set(recorded)) == counts.arrived

    async def finish(self) -> set[str]:
        """Mend and send all that is under way; answers whom it listed, but for those who were left out."""
        listed: set[str] = set()
        for draft in await drafts.list_drafts(self.database, OFFICER, voyage_id=self.voyage.voyage_id):
            now = (await self.desk.send(draft)).draft if draft.state == "sending" else draft
            for _ in range(4):
                if not (now.is_under_way and now.listed):
                    break
                opened = await open_draft(self.database, self.desk.vault, OFFICER, now.draft_id)
                listed |= {said(opened, line, "document_number") for line in opened.lines if not line.is_out} - {""}
                for line in opened.lines:
                    if line.standing == "mend":
                        now = await self._mend(opened, line)
                    elif line.standing == "twice":
                        now = await self.desk.leave_out(now, line.number, version=line.version)
                if now.listed:
                    now = (await self.desk.send(now)).draft
            assert not (now.is_under_way and now.listed)
        return listed


def said(opened: Opened, line: Line | None, field: str, *, source: bool = False) -> str:
    assert line is not None
    cells: Sequence[str] = line.source if source else line.cells
    column = opened.header.fields[field]
    return cells[column] if column < len(cells) else ""


def numbers_in(opened: Opened) -> list[str]:
    return [number for line in opened.lines if (number := said(opened, line, "document_number"))]


def rows_by_number(opened: Opened) -> dict[str, Line]:
    return {said(opened, line, "document_number"): line for line in opened.lines}


def cells_in(content: bytes) -> list[list[str]]:
    if content[:2] != b"PK":
        return list(csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))
    [sheet] = openpyxl.load_workbook(io.BytesIO(content)).worksheets
    return [[str(cell or "") for cell in row] for row in sheet.iter_rows(values_only=True)]


@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(lists, st.sampled_from(FORMS), steps)
@example([(7, False)], "commas", [("take away", ("held", "csv")), ("bring back", (True, None, False))])
async def test_nobody_is_lost_and_nobody_recorded_twice(
    database: Database, vault: Vault, first: list[tuple[int, bool]], form: Form, done: list[tuple[str, Any]]
) -> None:
    story = Story(Desk(database, vault), await a_voyage(database))
    begun = [("insert", (n, wrong, 9)) for n, wrong in first]

    for what, how in [*begun, ("upload", form), *done]:
        await story.step(what, how)
        await story.add_up()

    listed = await story.finish()
    await story.add_up()
    assert listed <= set(await story.recorded())
