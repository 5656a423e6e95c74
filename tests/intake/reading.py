"""Reading a file as the quay does, without a database."""

from collections.abc import Mapping, Sequence
from datetime import date

from services.intake.actions import lists
from services.intake.domain import manifests, sheets
from services.intake.domain.arrivals import Arrival
from services.intake.domain.manifests import Row
from services.intake.domain.problems import Problem
from services.intake.domain.sheets import NOTHING_CHOSEN, Choice, Sheet

LANDING = date(2026, 11, 23)


def opened(content: bytes, choice: Choice = NOTHING_CHOSEN) -> Sheet:
    return sheets.sheet_of(sheets.find_list(lists.grids_of(content), choice), most_rows=sheets.MOST_ROWS)


def rows_of(content: bytes, choice: Choice = NOTHING_CHOSEN, *, on: date = LANDING) -> list[Row]:
    return list(manifests.read(opened(content, choice), on=on))


def arrivals_in(content: bytes) -> list[Arrival]:
    """Everybody on a list of which nothing is held back."""
    rows = rows_of(content)
    assert [problem for row in rows for problem in row.problems] == []
    return [row.arrival for row in rows if row.arrival]


def problems_in(content: bytes) -> list[Problem]:
    return [problem for row in rows_of(content) for problem in row.problems]


def codes_in(content: bytes) -> list[tuple[int, str, str]]:
    return [(problem.row, problem.letter, problem.code) for problem in problems_in(content)]


def a_text(*lines: str, heading: str = "No;Nama;L/P;Tgl Lahir;NIK", encoding: str = "utf-8") -> bytes:
    return "\r\n".join([heading, *lines]).encode(encoding, "surrogatepass")


def a_line(n: int, **said: str) -> str:
    """Line `n` of a text under the usual heading."""
    cells: Mapping[str, str] = {"no": str(n), "name": f"Orang {n}", "sex": "L", "born": "5/8/1987", "nik": "", **said}
    return ";".join(cells.values())


def cells_of(sheet: Sheet) -> list[list[str]]:
    return [[*map(str, record)] for record in sheet.records]


def names(rows: Sequence[Row]) -> list[str]:
    return [row.name for row in rows]
