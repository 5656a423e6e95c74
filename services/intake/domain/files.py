"""What a file is, by what it holds and not by its name; and how large a workbook is, before any of it is unpacked."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Literal
from xml.parsers import expat

from services.intake.domain.refusals.manifests import ManifestUnusable

MOST_BYTES = 32 << 20
MOST_UNPACKED = 128 << 20
MOST_RATIO = 200
"""Times that a part may be larger than packed; sheets of words and numbers reach 10 to 40."""
RATIO_FROM = 1 << 20
"""Bytes below which a part may be packed as tightly as it likes."""
MOST_PARTS = 2_000
MOST_DIRECTORY = 1 << 20
MOST_ELEMENTS = 1_000_000
"""In all parts together that are no worksheets: the texts of cells, styles, names."""
MOST_IN_WORKSHEETS = 2_000_000
CHUNK = 1 << 16

ZIP = b"PK\x03\x04"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
END_OF_DIRECTORY = b"PK\x05\x06"
LARGE_DIRECTORY = b"PK\x06\x07"
OTHERS = {
    b"%PDF": "pdf", b"\x89PNG": "picture", b"\xff\xd8\xff": "picture", b"GIF8": "picture", b"{\\rtf": "document",
    b"Rar!": "archive", b"7z\xbc\xaf": "archive", b"\x1f\x8b": "archive", b"PK\x05\x06": "archive",
}  # fmt: skip
"""What files begin with that are sent instead of a list."""

BROKEN_PACKAGE = (
    zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, struct.error, zlib.error, OSError, EOFError,
)  # fmt: skip
"""What the standard library raises for a package that is none."""


def kind_of(content: bytes) -> Literal["text", "workbook"]:
    """What can be read of a file. Raises `ManifestUnusable` that names what else it is."""
    if len(content) > MOST_BYTES:
        raise ManifestUnusable("too_large", most=str(MOST_BYTES >> 20))
    if content[:4] == ZIP:
        return "workbook"
    refuse_other_kinds(content)
    return "text"


def is_text(head: bytes) -> bool:
    """True for what has to be read as a text, by its first bytes."""
    return head[:4] != ZIP and head[:4] != OLE[:4]


def refuse_other_kinds(content: bytes) -> None:
    """Raise `ManifestUnusable` for what is no text."""
    if content[:4] == ZIP:
        raise ManifestUnusable("workbook_damaged")
    if content[:8] == OLE[: len(content[:8])] and len(content) >= 4:
        is_locked = "EncryptedPackage".encode("utf-16-le") in content
        raise ManifestUnusable("encrypted" if is_locked else "old_spreadsheet")
    head = content[:8]
    for start, code in OTHERS.items():
        if head.startswith(start):
            raise ManifestUnusable(code)
    opening = content[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if opening.startswith((b"<!doctype html", b"<html", b"<?xml", b"<table")):
        raise ManifestUnusable("web_page")


def open_workbook(content: bytes) -> zipfile.ZipFile:
    """The parts of a workbook, when reading them is safe. Raises `ManifestUnusable`."""
    _check_directory(content)
    try:
        packed = zipfile.ZipFile(io.BytesIO(content))
    except BROKEN_PACKAGE:
        raise ManifestUnusable("workbook_damaged") from None
    parts = packed.infolist()
    names = {part.filename for part in parts}
    if any(part.flag_bits & 1 for part in parts):
        raise ManifestUnusable("encrypted")
    if "xl/workbook.xml" not in names:
        raise ManifestUnusable(_other_package(names))
    if len(names) != len(parts):
        raise ManifestUnusable("workbook_damaged")
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
        raise ManifestUnusable("unpacks_too_large", most=str(MOST_UNPACKED >> 20))
    for part in parts:
        if part.file_size > RATIO_FROM and part.file_size > MOST_RATIO * max(part.compress_size, 1):
            raise ManifestUnusable("unpacks_too_large", most=str(MOST_UNPACKED >> 20))
    left = {True: MOST_IN_WORKSHEETS, False: MOST_ELEMENTS}
    for part in parts:
        if part.filename.endswith((".xml", ".rels")):
            is_worksheet = part.filename.startswith("xl/worksheets/")
            left[is_worksheet] -= _elements(packed, part, left[is_worksheet])
    return packed


def _check_directory(content: bytes) -> None:
    """A directory of the parts that is larger than any workbook's is not even opened."""
    end = content.rfind(END_OF_DIRECTORY, max(0, len(content) - (1 << 16) - 22))
    if end < 0 or end + 22 > len(content):
        raise ManifestUnusable("workbook_damaged")
    parts, size = struct.unpack_from("<HI", content, end + 10)
    if content[max(0, end - 20) :].startswith(LARGE_DIRECTORY) or size > MOST_DIRECTORY or parts > MOST_PARTS:
        raise ManifestUnusable("unpacks_too_large", most=str(MOST_UNPACKED >> 20))


def _other_package(names: set[str]) -> str:
    """What a packed file is that is no workbook."""
    if "xl/workbook.bin" in names:
        return "binary_workbook"
    if "content.xml" in names:
        return "open_document"
    if any(name.startswith(("word/", "ppt/")) for name in names):
        return "document"
    return "archive"


def _elements(packed: zipfile.ZipFile, part: zipfile.ZipInfo, most: int) -> int:
    """How many elements a part has. Raises `ManifestUnusable` when it has more than `most`, or is no XML."""
    found = 0

    def count(_name: str, _attributes: dict[str, str]) -> None:
        nonlocal found
        found += 1
        if found > most:
            raise ManifestUnusable("unpacks_too_large", most=str(MOST_UNPACKED >> 20))

    parse_part(packed, part.filename, start=count)
    return found


Start = Callable[[str, dict[str, str]], None]


def parse_part(packed: zipfile.ZipFile, name: str, start: Start) -> None:
    """Go through a part of a workbook piece by piece; `start` hears of each element. Raises `ManifestUnusable`.

    What defines entities of its own is refused: no workbook does, and it is how a small part becomes a large one.
    """
    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = _refuse
    try:
        with packed.open(name) as part:
            while chunk := part.read(CHUNK):
                parser.Parse(chunk, False)
            parser.Parse(b"", True)
    except (*BROKEN_PACKAGE, expat.ExpatError, KeyError):
        raise ManifestUnusable("workbook_damaged") from None


def _refuse(*_declared: object) -> None:
    raise ManifestUnusable("workbook_damaged")
