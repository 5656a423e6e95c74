"""A name list row by row: each person ready to be recorded, or held back with what is wrong in which cell."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from services.intake.domain import cells, grids, headings, held, niks, people, surveys
from services.intake.domain.arrivals import Arrival
from services.intake.domain.cells import BadCell, Reader
from services.intake.domain.people import Birth, Identity
from services.intake.domain.problems import Problem
from services.intake.domain.seen import Seen
from services.intake.domain.sheets import Sheet, shown
from shared.contracts.codes import Sex


@dataclass(frozen=True, slots=True)
class Row:
    """One person of the list. `arrival` is there when the row is ready, `problems` when it is held back.

    `person` is what this row shares with any other row of the voyage about the same person. `companion` is the number
    of the row that this one names as travelling along; `warnings` hold nobody back. `settles`: the reference to a row
    that was held back before, where this one was sent back with it.
    """

    number: int
    name: str
    arrival: Arrival | None
    problems: tuple[Problem, ...] = ()
    person: tuple[str, ...] = ()
    companion: int | None = None
    warnings: tuple[Problem, ...] = ()
    settles: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRow(Row):
    """A row that is held back. `who` is what it says of the person all the same."""

    who: held.Who


class Named(NamedTuple):
    """A row that others name as travelling along, as far as its own cells tell. No row below `until` does so."""

    number: int
    until: int
    is_held: bool
    is_adult: bool


def read(sheet: Sheet, *, on: date, told_on: date | None = None) -> "Reading":
    """Every row but the blank ones, for people who land on that day; ages are told for `told_on`, or that day."""
    return Reading(sheet, on, told_on or on)


PLAIN = frozenset(people.IDENTITY_FIELDS) - {"full_name", "birth"}
"""Fields of the identity that are taken over from their columns as they are."""


class Reading:
    """The rows of a list, read anew each time they are gone through: the same each time, and none of them is kept.

    `listed`: how many they are. `named`: those that others name as travelling along, by their number on the list, and
    `repeated`: numbers of these that more than one has, as where each depot begins anew.
    """

    def __init__(self, sheet: Sheet, on: date, told_on: date) -> None:
        self.sheet = sheet
        self.on = on
        self.told_on = told_on
        self.columns: list[tuple[int, str, Reader, dict[str, Any] | None]] = [
            (
                column,
                field,
                cells.reader_of(field, on=told_on, since_1904=sheet.since_1904),
                {} if field in cells.REMEMBERED else None,
            )
            for field, column in sheet.fields.items()
        ]
        self.plain = [f for f in ("birthplace", *sheet.fields) if f in PLAIN]
        self.is_ticked = "sex" not in sheet.fields
        self.settling = sheet.fields.get("held_row")
        self.survey = surveys.survey(sheet)
        self.listed = self.survey.listed
        self.people = Seen(self.listed)
        self.named: dict[str, Named] = {}
        self.repeated: set[str] = set()
        for seq, number, record in surveys.rows_named(sheet, self.survey):
            if seq in self.named:
                self.repeated.add(seq)
            else:
                self.named[seq] = self._named(number, max(number, self.survey.named[seq]), record)

    def __iter__(self) -> Iterator[Row]:
        width = len(self.sheet.heading)
        for number, record in enumerate(self.sheet.records, start=self.sheet.first_row):
            if number > self.survey.last_row:
                return
            if surveys.is_blank(record):
                continue
            wrong = self._misfit(record, width) if len(record) != width else ""
            if wrong:
                yield HeldRow(
                    number, "", None, (Problem(number, "", "", "", wrong),), settles=self._settles(record), who={}
                )
            else:
                yield self._row(number, record)

    def _misfit(self, record: Sequence[str], width: int) -> str:
        """What is wrong with a row of another width than the heading; "" for what every row has."""
        if grids.kind_of(record[0]) == "broken":
            return "quotes_unmatched"
        if len(record) < width:
            return "cells_missing"
        # A separator more than the heading has, at the end of every row, is a habit; in one row it is a shifted row.
        return "" if self.survey.all_are_as_wide and not any(map(str.strip, record[width:])) else "cells_left_over"

    def _row(self, number: int, record: Sequence[str]) -> Row:
        problems: list[Problem] = []
        found = self._values(number, record, problems)
        name: str = found.get("full_name", "")
        if not name:
            self._blame(problems, number, record, "full_name", "missing")
        if not found.get("sex") and not _is_tick_wrong(problems):
            self._blame(problems, number, record, headings.TICKED[0] if self.is_ticked else "sex", "missing")
        birth = self._birth(number, record, found, problems)
        self._check_nik(number, record, found, birth, problems)
        self._check_origin(number, record, found, problems)
        warnings: list[Problem] = []
        companion, accompanied = self._companion(number, record, found, birth, warnings)
        if place := niks.elsewhere(found.get("nik", ""), found.get("origin_regency")):
            self._blame(warnings, number, record, "nik", "nik_elsewhere", place)
        born = birth.text if birth else ""
        person = self._check_repeated(number, record, found, born, problems)
        if problems:
            return HeldRow(
                number,
                name,
                None,
                tuple(problems),
                person=person,
                settles=self._settles(record),
                who=held.who_was_held(found, birth, problems),
            )
        return Row(
            number,
            name,
            Arrival(
                Identity(name, birth=born, **{f: found[f] for f in self.plain if f in found}),
                found["sex"],
                birth,
                found.get("origin_regency"),
                found.get("flags", frozenset()),
                accompanied,
                found.get("onward_wish", "unknown"),
            ),
            (),
            person,
            companion,
            tuple(warnings),
            self._settles(record),
        )

    def _settles(self, record: Sequence[str]) -> str:
        return "" if self.settling is None or self.settling >= len(record) else record[self.settling].strip()

    def _values(self, number: int, record: Sequence[str], problems: list[Problem]) -> dict[str, Any]:
        """What each cell says; nothing for one that is blank or has a problem."""
        found: dict[str, Any] = {}
        has_kinds = self.sheet.aligned
        for column, field, read_cell, memory in self.columns:
            written = record[column]
            if not written:
                continue
            kind = grids.kind_of(written) if has_kinds else None
            if kind is None and memory is not None and written in memory:
                found[field] = memory[written]
                continue
            cell = written.strip()
            if not cell or (len(cell) <= cells.LONGEST_BLANK and cell.lower() in cells.BLANK):
                continue
            try:
                if kind is not None:
                    self._check_kind(kind, field, cell)
                found[field] = _checked(cell, read_cell)
                if kind is None and memory is not None:
                    memory[written] = found[field]
                if field == "birthplace_and_date" and (place := cells.place_before_birth(cell)):
                    found.setdefault("birthplace", place)
            except BadCell as bad:
                problems.append(self._problem(number, record, field, bad.code, bad.hint))
        if self.is_ticked:
            self._tick(number, record, found, problems)
        return found

    def _tick(self, number: int, record: Sequence[str], found: dict[str, Any], problems: list[Problem]) -> None:
        """The sex by which of two columns is ticked."""
        male, female = found.pop("male", False), found.pop("female", False)
        if male and female:
            self._blame(problems, number, record, "female", "ticked_twice")
        elif (male or female) and not _is_tick_wrong(problems):
            found["sex"] = "M" if male else "F"

    def _check_kind(self, kind: grids.Kind, field: str, cell: str) -> None:
        cells.refuse_kind(kind, field, cell)
        if kind == "date" and field in self.survey.swapped:
            year, month, day = cell[:10].split("-")
            raise BadCell("date_maybe_swapped", f"{int(day)}/{int(month)}/{year} · {int(month)}/{int(day)}/{year}")

    def _birth(
        self, number: int, record: Sequence[str], found: dict[str, Any], problems: list[Problem]
    ) -> Birth | None:
        """The birth from date or age, checked against the day of arrival."""
        field = "birth_date" if "birth_date" in found else "birthplace_and_date"
        birth: Birth | None = found.get(field)
        years: int | None = found.get("age")
        if birth is None:
            return None if years is None else people.aged(years, self.told_on)
        try:
            cells.in_life(birth, self.on, years)
        except BadCell as bad:
            self._blame(problems, number, record, "age" if bad.code == "age_differs" else field, bad.code)
        return birth

    def _check_nik(
        self, number: int, record: Sequence[str], found: dict[str, Any], birth: Birth | None, problems: list[Problem]
    ) -> None:
        nik: str = found.get("nik", "")
        if not nik:
            return
        if self.survey.niks_end_in_zero:
            self._blame(problems, number, record, "nik", "nik_damaged")
        try:
            niks.check(nik, sex=found.get("sex"), birth=birth)
        except niks.BadNik as bad:
            self._blame(problems, number, record, "nik", bad.code, bad.hint)

    def _check_origin(self, number: int, record: Sequence[str], found: dict[str, Any], problems: list[Problem]) -> None:
        province = found.get("origin_province")
        if province is None:
            return
        regency = found.get("origin_regency")
        if regency is None:
            if not any(problem.field == "origin_regency" for problem in problems):
                self._blame(problems, number, record, "origin_province", "regency_needed")
        elif regency[:2] != province:
            self._blame(problems, number, record, "origin_regency", "regency_other_province")

    def _companion(
        self,
        number: int,
        record: Sequence[str],
        found: dict[str, Any],
        birth: Birth | None,
        warnings: list[Problem],
    ) -> tuple[int | None, bool]:
        """The number of the row that this one names, and whether that is an adult who can answer for a child.

        What is wrong with it holds nobody back: a child without an adult counts as unaccompanied.
        """
        companion = found.get("companion")
        if companion is None:
            return None, False
        other = self.named.get(companion)
        if companion == found.get("seq") or (other is not None and other.number == number):
            self._blame(warnings, number, record, "companion", "companion_self")
            return None, False
        if other is None:
            self._blame(warnings, number, record, "companion", "companion_unknown")
            return None, False
        if companion in self.repeated:
            self._blame(warnings, number, record, "companion", "seq_repeated")
            return None, False
        if other.is_held:
            self._blame(warnings, number, record, "companion", "companion_held")
            return None, False
        band = people.age_band(birth, self.on, self.told_on)
        if not other.is_adult and band in ("child", "unknown"):
            self._blame(warnings, number, record, "companion", "companion_child")
        return other.number, other.is_adult

    def _named(self, number: int, until: int, record: Sequence[str]) -> Named:
        problems: list[Problem] = []
        found = self._values(number, record, problems)
        birth = self._birth(number, record, found, problems)
        self._check_origin(number, record, found, problems)
        is_held = bool(problems) or not found.get("full_name") or not found.get("sex")
        return Named(number, until, is_held, people.age_band(birth, self.on, self.told_on) in ("adult", "elderly"))

    def _check_repeated(
        self, number: int, record: Sequence[str], found: dict[str, Any], born: str, problems: list[Problem]
    ) -> tuple[str, ...]:
        """What this row says of who it is about, after a look at the rows above it."""
        if not found.get("full_name") or "sex" not in found:
            return ()
        person = same_person(found, born)
        first = self.people.first(person, number)
        if first != number:
            self._blame(problems, number, record, "full_name", "person_repeated", f"#{first}")
        return person

    def _blame(
        self, problems: list[Problem], number: int, record: Sequence[str], field: str, code: str, hint: str = ""
    ) -> None:
        """Add a problem with a field's cell, unless the cell has one already."""
        if any(problem.field == field for problem in problems):
            return
        problems.append(self._problem(number, record, field, code, hint))

    def _problem(self, number: int, record: Sequence[str], field: str, code: str, hint: str) -> Problem:
        column = self.sheet.fields[field]
        heading, value = shown(self.sheet.heading[column].strip()), shown(record[column].strip())
        return Problem(number, field, heading, value, code, hint, grids.letter(column))


class ToldAnew:
    """The rows of a list, some of which say something else of people whom it had recorded before: these are held back.

    `numbers` of these rows; `named` and `listed` as those of `reading`.
    """

    def __init__(self, reading: Reading, numbers: Collection[int]) -> None:
        self._reading = reading
        self._numbers = numbers
        self.named = reading.named
        self.listed = reading.listed

    def __iter__(self) -> Iterator[Row]:
        for row in self._reading:
            if row.arrival is None or row.number not in self._numbers:
                yield row
            else:
                problem = Problem(row.number, "full_name", "", "", "known_differently")
                who = held.who_arrived(row.arrival)
                yield HeldRow(row.number, row.name, None, (problem,), row.person, settles=row.settles, who=who)


def _is_tick_wrong(problems: Sequence[Problem]) -> bool:
    return any(problem.field in headings.TICKED for problem in problems)


def same_person(found: dict[str, Any], born: str) -> tuple[str, ...]:
    """What two rows of one voyage share when they are one person: document, else NIK, else name and origin.

    Sex and birth are part of it, because a family may travel on one document.
    """
    if number := found.get("document_number"):
        return "document", number, found["sex"], born
    if nik := found.get("nik"):
        return "nik", nik, found["sex"], born
    return "name", found["full_name"].casefold(), found["sex"], born, found.get("origin_regency") or ""


def rows_may_share(identity: Identity, sex: Sex, origin: str | None) -> set[tuple[str, ...]]:
    """What rows about somebody who was recorded share with them, by whichever of their papers a row has."""
    found = {"sex": sex, "full_name": identity.full_name, "origin_regency": origin}
    said = [{**found, paper: number} for paper in ("document_number", "nik") if (number := getattr(identity, paper))]
    if identity.full_name:
        said.append(found)
    return {same_person(one, identity.birth) for one in said}


def _checked(cell: str, read_cell: Reader) -> object:
    if cell[0] in cells.FORMULA_STARTS and cells.is_formula(cell):
        raise BadCell("formula")
    if len(cell) > cells.LONGEST_CELL:
        raise BadCell("too_long")
    return read_cell(cell)
