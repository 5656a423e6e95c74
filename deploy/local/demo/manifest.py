"""The demo's own reading of a manifest, as plain as can be: intake's reader is what it is compared with."""

import csv
import hashlib
import math
from dataclasses import dataclass
from pathlib import Path

SHARE_THAT_STAYS_BEHIND = 0.015
"""Published returns land 1.5 % fewer people than the consular letter announced: a case still pending, bail on the
passport, illness."""


class ManifestMissing(Exception):
    """The file is not there or cannot be read."""


@dataclass(frozen=True, slots=True)
class Row:
    """`number` is the row as a spreadsheet shows it: 1 is the first row of the file, empty ones count."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """A CSV file as bytes and as rows, without what stands above its heading and without empty rows."""

    name: str
    content: bytes
    heading: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def announced(self) -> int:
        """What the consular letter would have said: those listed and those who stayed behind, rounded up."""
        return math.ceil(len(self.rows) / (1 - SHARE_THAT_STAYS_BEHIND))


def read(path: Path) -> Manifest:
    """Read `path`. Raises ManifestMissing; an empty file gives a manifest without rows."""
    try:
        content = path.read_bytes()
    except OSError as trouble:
        raise ManifestMissing(f"cannot read the manifest {path}: {trouble.strerror}") from trouble
    return parse(path.name, content)


def parse(name: str, content: bytes) -> Manifest:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    delimiter = max(",;\t|", key=lambda sign: max((line.count(sign) for line in lines[:HEADING_WITHIN]), default=0))
    try:
        records = list(csv.reader((f"{line}\n" for line in lines), delimiter=delimiter, strict=True))
    except csv.Error:  # a quotation mark is never closed: no row may swallow those below it
        records = [line.split(delimiter) for line in lines]
    filled = [Row(n, tuple(cells)) for n, cells in enumerate(records, start=1) if any(map(str.strip, cells))]
    at = next((n for n, row in enumerate(filled[:HEADING_WITHIN]) if _is_heading(row)), 0)
    return Manifest(name, content, heading=filled[at].cells if filled else (), rows=tuple(filled[at + 1 :]))


HEADING_WITHIN = 15
"""Lists begin with a letterhead now and then."""


def _is_heading(row: Row) -> bool:
    return (
        sum(
            any(word in cell.lower() for word in ("nama", "name", "nik", "kelamin", "sex", "lahir", "birth", "jk"))
            for cell in row.cells
        )
        > 1
    )


def identifying(manifest: Manifest) -> list[str]:
    """Every value of the file by which a person could be recognised: what must be found nowhere but in the vault.

    Takes the columns by their heading, English or Indonesian.
    """
    told = ("name", "nama", "nik", "number", "nomor", "no_", "birth", "lahir", "contact", "kontak", "phone", "telepon")
    columns = [n for n, title in enumerate(manifest.heading) if any(word in title.strip().lower() for word in told)]
    values = {row.cells[n].strip() for row in manifest.rows for n in columns if n < len(row.cells)}
    return sorted(values - {""})
