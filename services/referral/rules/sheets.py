"""Rules as a workbook or as CSV, for who edits them in a spreadsheet: one sheet per table, one line per row.

A cell holds codes without quotes, `child, unknown`; what cannot be written so stands as it is behind `expr:`. Coming
back, the rows take the place of those of the version that the sheets went out from.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import openpyxl
import orjson
from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from services.referral.rules.findings import BadRules, Finding, Reason

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FIXED = ("_id", "_description")
HEADINGS = ("id", "why")
"""Of the first two columns; the others are the fields of the table."""
RAW = "expr: "
MOST_ROWS = 2_000
MOST_COLUMNS = 40
MOST_UNPACKED = 32 << 20
CODES = re.compile(r'"[^",]+"(, "[^",]+")*')
PLAIN = re.compile(r"[^\",]+(, ?[^\",]+)*")
RISKY = ("=", "+", "-", "@", "\t", "\r", "'")
"""What a spreadsheet would run: in CSV a cell that begins so goes out behind an apostrophe, and comes back without."""

Line = list[str | float | bool | None]


def names(text: bytes) -> tuple[str, ...]:
    """The tables of a version."""
    return tuple(_tables(text))


def workbook(text: bytes) -> bytes:
    """A version (JDM) as XLSX."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, node in _tables(text).items():
        sheet = book.create_sheet(name)
        for line in _lines(node["content"]):
            sheet.append([None if value == "" else value for value in line])
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    cell.data_type = "s"
        sheet.freeze_panes = "C2"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def table(text: bytes, name: str) -> str:
    """One table of a version as CSV. Raises `KeyError` for a table that it has not."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    for line in _lines(_tables(text)[name]["content"]):
        writer.writerow([f"'{v}" if isinstance(v, str) and v.startswith(RISKY) else _plain(v) for v in line])
    return out.getvalue()


def of_workbook(version: str, base: bytes, content: bytes) -> bytes:
    """The JDM of `base` with the rows of a workbook; `base` itself where they are the same. Raises `BadRules`."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > MOST_UNPACKED:
                raise BadRules(version, [Finding("", "", "", "no_workbook")])
        book = openpyxl.load_workbook(io.BytesIO(content))
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, TypeError, AttributeError, EOFError):
        raise BadRules(version, [Finding("", "", "", "no_workbook")]) from None
    known, wrong = names(base), list[Finding]()
    wrong += [Finding(name, "", "", "strange_sheet", known=known) for name in book.sheetnames if name not in known]
    found: dict[str, list[Line]] = {}
    for name in known:
        if name not in book.sheetnames:
            wrong.append(Finding(name, "", "", "no_sheet", known=known))
            continue
        sheet = book[name]
        wrong += [Finding(name, "", str(area), "merged") for area in sheet.merged_cells.ranges]
        if sheet.max_column > MOST_COLUMNS:
            wrong.append(Finding(name, "", get_column_letter(sheet.max_column), "far_out", other=str(MOST_COLUMNS)))
        found[name] = [
            [_value(name, cell, wrong) for cell in row]
            for row in sheet.iter_rows(
                max_row=min(sheet.max_row, MOST_ROWS + 2), max_col=min(sheet.max_column, MOST_COLUMNS)
            )
        ]
    return _replaced(version, base, found, wrong)


def of_table(version: str, base: bytes, name: str, content: str) -> bytes:
    """As `of_workbook`, with the rows of one table, from CSV."""
    if name not in names(base):
        raise BadRules(version, [Finding(name, "", "", "no_table", known=names(base))])
    try:
        rows = list(csv.reader(io.StringIO(content), strict=True))[: MOST_ROWS + 2]
    except csv.Error:
        raise BadRules(version, [Finding(name, "", "", "no_csv")]) from None
    wrong = list[Finding]()
    lines: list[Line] = []
    for n, row in enumerate(rows, 1):
        for column, value in enumerate(row, 1):
            if value.startswith("="):
                wrong.append(Finding(name, "", f"{get_column_letter(column)}{n}", "formula"))
        lines.append([v[1:] if v.startswith("'") and v[1:].startswith(RISKY) else v for v in row])
    return _replaced(version, base, {name: lines}, wrong)


def text_of(content: bytes) -> str:
    """A CSV file as text: UTF-8, else what spreadsheets on Windows write."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _tables(text: bytes) -> dict[str, dict[str, Any]]:
    return {node["id"]: node for node in orjson.loads(text)["nodes"] if node["type"] == "decisionTableNode"}


def _columns(content: Mapping[str, Any]) -> list[tuple[str, str, bool]]:
    """Key in a row, heading, and whether it is a clause."""
    return [
        *((key, heading, False) for key, heading in zip(FIXED, HEADINGS, strict=True)),
        *((column["id"], column["field"], True) for column in content["inputs"]),
        *((column["id"], column["field"], False) for column in content["outputs"]),
    ]


def _lines(content: Mapping[str, Any]) -> Iterable[Line]:
    columns = _columns(content)
    yield [heading for _, heading, _ in columns]
    for rule in content["rules"]:
        yield [rule.get(key, "") if key in FIXED else shown(rule.get(key, "")) for key, _, _ in columns]


def shown(cell: str) -> str | float | bool:
    """A cell of JDM as somebody reads it; `hidden` makes it again."""
    said: str | float | bool = RAW + cell
    if cell in {"", "true", "false"}:
        said = cell and cell == "true"
    elif CODES.fullmatch(cell):
        said = cell.replace('"', "")
    elif re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,4})?", cell):
        said = float(cell)
    return said if hidden(said) == cell else RAW + cell


def hidden(said: str | float | bool | None) -> str:
    """What somebody has written, as a cell of JDM."""
    if isinstance(said, bool):
        return str(said).lower()
    if isinstance(said, int | float):
        return f"{said:.4f}".rstrip("0").rstrip(".")
    text = (said or "").strip()
    if text.startswith(RAW.strip()):
        return text.removeprefix(RAW.strip()).strip()
    if text.lower() in {"", "true", "false"}:
        return text.lower()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,4})?", text):
        return hidden(float(text))
    if not PLAIN.fullmatch(text):
        return text
    return ", ".join(f'"{code.strip()}"' for code in text.split(","))


def _plain(value: str | float | bool | None) -> str:
    return hidden(value) if isinstance(value, bool | int | float) else value or ""


def _value(table: str, cell: Cell | MergedCell, wrong: list[Finding]) -> str | float | bool | None:
    """What a cell of a workbook holds; text, number, true, false or nothing, but no formula, date or error."""
    value = cell.value
    reason: Reason = "strange"
    if cell.data_type == "f" or (isinstance(value, str) and value.startswith("=") and cell.data_type != "s"):
        reason = "formula"
    elif cell.data_type != "e" and (value is None or isinstance(value, str | int | float | bool)):
        return value
    wrong.append(Finding(table, "", cell.coordinate, reason))
    return None


def _replaced(version: str, base: bytes, found: Mapping[str, Sequence[Line]], wrong: list[Finding]) -> bytes:
    jdm = orjson.loads(base)
    changed = False
    for node in jdm["nodes"]:
        if node["id"] not in found:
            continue
        columns = _columns(node["content"])
        head, *lines = [_padded(line, len(columns)) for line in found[node["id"]]] or [[]]
        headings = tuple(heading for _, heading, _ in columns)
        if tuple(head) != headings:
            wrong.append(Finding(node["id"], "", "1", "headings", known=headings))
            continue
        if len(lines) > MOST_ROWS:
            wrong.append(Finding(node["id"], "", "", "too_long", other=str(MOST_ROWS)))
        before = [{key: rule.get(key, "") for key, _, _ in columns} for rule in node["content"]["rules"]]
        rows = [_rule(columns, line, n) for n, line in enumerate(lines, 2) if any(v not in (None, "") for v in line)]
        if rows != before:
            node["content"]["rules"] = rows
            changed = True
    if wrong:
        raise BadRules(version, wrong)
    return orjson.dumps(jdm, option=orjson.OPT_INDENT_2) if changed else base


def _padded(line: Line, width: int) -> Line:
    """Without empty cells beyond the last column, and with those before it."""
    while len(line) > width and line[-1] in (None, ""):
        line = line[:-1]
    return line + [None] * (width - len(line))


def _rule(columns: Sequence[tuple[str, str, bool]], line: Line, number: int) -> dict[str, str]:
    """A row of JDM; one that came without an id is called after its line."""
    rule = {
        key: ("" if value is None else _plain(value).strip()) if key in FIXED else hidden(value)
        for (key, _, _), value in zip(columns, line, strict=False)
    }
    return {**rule, "_id": rule["_id"] or f"row-{number}"}
