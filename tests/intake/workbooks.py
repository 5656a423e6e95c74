"""Workbooks as people make them: by openpyxl, or written part by part where no program would write them so."""

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet

HEADING = ("No", "Nama", "L/P", "Tgl Lahir", "NIK")


def a_workbook(*rows: Sequence[Any], then: Callable[[Worksheet], None] | None = None, title: str = "Daftar") -> bytes:
    """A workbook of one sheet with these rows; `then` does with the sheet whatever else is wanted."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = title
    for row in rows:
        sheet.append(list(row))
    if then is not None:
        then(sheet)
    return saved(book)


def a_person(n: int, **said: Any) -> list[Any]:
    """Row `n` under `HEADING`."""
    return list({"no": n, "name": f"Orang {n}", "sex": "L", "born": "5/8/1987", "nik": "", **said}.values())


def saved(book: openpyxl.Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def with_parts(content: bytes, parts: Mapping[str, bytes | Callable[[bytes], bytes]]) -> bytes:
    """A workbook with other parts: bytes instead of what it has, or what a function makes of it."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as after:
        for name in before.namelist():
            part = parts.get(name)
            new = before.read(name) if part is None else part if isinstance(part, bytes) else part(before.read(name))
            after.writestr(name, new)
        for name in parts.keys() - set(before.namelist()):
            part = parts[name]
            assert isinstance(part, bytes)
            after.writestr(name, part)
    return out.getvalue()
