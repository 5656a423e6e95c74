"""Workbooks as people make them: by openpyxl, or written part by part where no program would write them so."""

import io
import re
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


def with_parts(
    content: bytes, parts: Mapping[str, bytes | Callable[[bytes], bytes]], *, compression: int = zipfile.ZIP_DEFLATED
) -> bytes:
    """A workbook with other parts: bytes instead of what it has, or what a function makes of it."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(out, "w", compression) as after:
        for name in before.namelist():
            part = parts.get(name)
            new = before.read(name) if part is None else part if isinstance(part, bytes) else part(before.read(name))
            after.writestr(name, new)
        for name in parts.keys() - set(before.namelist()):
            part = parts[name]
            assert isinstance(part, bytes)
            after.writestr(name, part)
    return out.getvalue()


INLINE = re.compile(rb'(<c r="[A-Z]+\d+")( s="\d+")? t="inlineStr"><is><t(?: xml:space="preserve")?>(.*?)</t></is></c>')


def with_shared_texts(content: bytes) -> bytes:
    """The same workbook as Excel saves it: texts of cells in a part of their own, some of them in several runs."""
    texts: list[bytes] = []

    def share(xml: bytes) -> bytes:
        def place(found: re.Match[bytes]) -> bytes:
            texts.append(found[3])
            return b'%s%s t="s"><v>%d</v></c>' % (found[1], found[2] or b"", len(texts) - 1)

        return INLINE.sub(place, xml)

    shared = with_parts(content, {"xl/worksheets/sheet1.xml": share})
    items = b"".join(b'<si><r><t xml:space="preserve">%s</t></r><r><t>%s</t></r></si>' % (t[:1], t[1:]) for t in texts)
    namespace = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    override = b'<Override PartName="/xl/sharedStrings.xml" ContentType="%s.sharedStrings+xml" /></Types>'
    kind = b"application/vnd.openxmlformats-officedocument.spreadsheetml"
    return with_parts(
        shared,
        {
            "xl/sharedStrings.xml": b'<sst xmlns="%s">%s</sst>' % (namespace, items),
            "[Content_Types].xml": lambda xml: xml.replace(b"</Types>", override % kind),
        },
    )
