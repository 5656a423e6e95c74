"""Any number of made-up people: those of the demo's list, over and over, each time under other names and numbers."""

import csv
import io
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

MANIFEST = Path(__file__).parents[2] / "deploy/local/demo/data/manifest.csv"
SYLLABLES = [consonant + vowel for consonant in "bdghjklmnprstwy" for vowel in "aeiou"]


@cache
def _rows(plain: bool = False) -> list[dict[str, str]]:
    with MANIFEST.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [row for row in rows if _has_one_need(row)] if plain else rows


def _has_one_need(row: dict[str, str]) -> bool:
    """True for a grown-up below sixty who only wants to go home."""
    return not row["screening_flags"] and "1970" < row["date_of_birth"] < "2005"


def people(count: int, start: int = 0, *, plain: bool = False) -> Iterator[dict[str, str]]:
    """Rows of a list for people number `start` on; the same number is the same person. `plain`: one need each."""
    rows = _rows(plain)
    for n in range(start, start + count):
        again, at = divmod(n, len(rows))
        row = dict(rows[at])
        row["seq"] = str(n + 1)
        row["full_name"] += f" {_name(n)}"
        if row["doc_number"]:
            row["doc_number"] = f"{row['doc_number'].rstrip('0123456789')}{n + 10_000_000}"
        if row["nik"]:
            row["nik"] = f"{row['nik'][:12]}{again % 9_998 + 1:04d}"
        if row["accompanied_by_seq"]:
            companion = again * len(rows) + int(row["accompanied_by_seq"])
            row["accompanied_by_seq"] = str(companion) if start < companion <= start + count else ""
        yield row


def manifest(count: int, start: int = 0, *, plain: bool = False) -> bytes:
    """A list of `count` people. Whose family is not on it comes alone."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(_rows()[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(people(count, start, plain=plain))
    return text.getvalue().encode()


def block() -> int:
    """How many people the demo's list has."""
    return len(_rows())


def bodies(count: int, start: int = 0, *, plain: bool = False) -> list[bytes]:
    """The same people as bodies of `POST /api/arrivals`."""
    return [json.dumps(_body(row), separators=(",", ":")).encode() for row in people(count, start, plain=plain)]


def _body(row: dict[str, str]) -> dict[str, object]:
    said = {
        "full_name": row["full_name"],
        "sex": row["sex"],
        "birth_date": row["date_of_birth"],
        "nik": row["nik"],
        "document_type": row["doc_type"],
        "document_number": row["doc_number"],
        "origin_regency": row["origin_regency_code"],
        "country_from": row["country_from"],
        "region_from": row["region_from"],
        "detained_at": row["detained_at"],
        "sector": row["sector"],
        "return_reason": row["return_reason"],
        "needs": row["screening_flags"].split(),
        "accompanied": bool(row["accompanied_by_seq"]),
        "onward_wish": row["onward_wish"],
    }
    return {name: value for name, value in said.items() if value}


def _name(n: int) -> str:
    """A number as a name of four syllables or more."""
    syllables: list[str] = []
    while n or len(syllables) < 4:
        n, at = divmod(n, len(SYLLABLES))
        syllables.append(SYLLABLES[at])
    return "".join(syllables).capitalize()
