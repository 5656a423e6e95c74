"""The directory out into a file and in from one: looked at first, then taken in whole or not at all."""

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any, Literal

import orjson

from services.referral.actions import keeping
from services.referral.domain import entries, hsds
from services.referral.domain.agencies import Agency, agency_id
from services.referral.domain.entries import Problem
from services.referral.domain.hsds import Read
from services.referral.domain.refusals import Refused
from services.referral.store import agencies
from services.referral.store.agencies import Written
from shared.kit.work import Work

Format = Literal["json", "csv"]
Fate = Literal["added", "changed", "suspended", "untouched", "bad"]

MOST_BYTES = 16 << 20
MOST_ROWS = 10_000
RISKY = ("=", "+", "-", "@", "\t", "\r", "'")
"""A cell that begins so would be run by a spreadsheet: it goes out behind an apostrophe, and comes back without."""


class FileUnusable(Refused):
    """The file is no directory: HSDS JSON (a list of services, or a page with `contents`) or CSV with our headings."""


class FileTooLarge(Refused):
    """A directory has at most 10,000 rows and 16 MiB; send it in parts."""


class RowsBad(Refused):
    """Some rows cannot be taken in, so none is: correct them, look again, then confirm."""


class NotAsSeen(Refused):
    """The file or the directory is not the one that was looked at: look again, then confirm."""


@dataclass(frozen=True, slots=True)
class Row:
    """What would become of one row. `number` counts from 1, the headings not; `changes`: field, before, after."""

    number: int
    agency_id: str
    fate: Fate
    changes: tuple[tuple[str, str, str], ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """What a file would change, and the digest that confirms exactly this."""

    digest: str
    rows: tuple[Row, ...]
    written: tuple[Written, ...]

    @property
    def counts(self) -> dict[Fate, int]:
        found = Counter(row.fate for row in self.rows)
        return {fate: found[fate] for fate in ("added", "changed", "suspended", "untouched", "bad")}


def exported(found: Iterable[Agency], format_: Format) -> bytes:
    """These entries as a file."""
    if format_ == "json":
        contents = [hsds.service(agency) for agency in found]
        return orjson.dumps({"total_items": len(contents), "contents": contents})
    out = io.StringIO()
    writer = csv.DictWriter(out, hsds.FIELDS, lineterminator="\r\n")
    writer.writeheader()
    for agency in found:
        writer.writerow({field: _disarmed(text) for field, text in hsds.row(agency).items()})
    return b"\xef\xbb\xbf" + out.getvalue().encode()


async def preview(work: Work, content: bytes, *, ruled: AbstractSet[str]) -> Preview:
    """What would become of each row of a file; nothing is changed. Raises `FileUnusable`, `FileTooLarge`."""
    known = {agency.agency_id: agency for agency in await agencies.list_agencies(work)}
    return looked(content, known, ruled)


async def take_in(work: Work, content: bytes, digest: str, *, ruled: AbstractSet[str]) -> Preview:
    """Take a file in as it was looked at. Raises `NotAsSeen`, `RowsBad`, `FileUnusable`, `FileTooLarge`."""
    await agencies.lock_directory(work)
    seen = await preview(work, content, ruled=ruled)
    if seen.digest != digest:
        raise NotAsSeen
    if seen.counts["bad"]:
        raise RowsBad(seen.counts["bad"])
    added = [written for written in seen.written if written.change == "added"]
    changed = [written for written in seen.written if written.change != "added"]
    if added:
        await agencies.add_agencies(work, added)
    if changed:
        await agencies.update_agencies(work, changed)
    for written in seen.written:
        keeping.tell(work, written)
    return seen


def looked(content: bytes, known: Mapping[str, Agency], ruled: AbstractSet[str]) -> Preview:
    """What would become of each row, seen from these entries. Raises `FileUnusable`, `FileTooLarge`."""
    found = _read(content, known)
    kinds = ruled | {agency.kind for agency in known.values()}
    offices = known.keys() | {one.agency.agency_id for one in found if one.agency is not None}
    twice = {id_ for id_, n in Counter(one.agency_id for one in found).items() if n > 1}
    rows: list[Row] = []
    written: list[Written] = []
    for number, one in enumerate(found, 1):
        problems = list(one.problems)
        if one.agency is not None:
            problems += entries.problems(one.agency, kinds=kinds, offices=offices)
        if one.agency_id in twice:
            problems.append(Problem("agency_id", "twice", one.agency_id))
        if problems or one.agency is None:
            rows.append(Row(number, one.agency_id, "bad", problems=tuple(problems)))
            continue
        row, change = _fate(number, known.get(one.agency_id), one.agency)
        rows.append(row)
        written += [change] if change is not None else []
    # What was seen is the file and what it would do to the directory as it is: each change names its version.
    seen = [(w.agency.agency_id, w.change, w.fields, w.agency.version) for w in written]
    return Preview(
        hashlib.sha256(orjson.dumps([hashlib.sha256(content).hexdigest(), seen])).hexdigest(), (*rows,), (*written,)
    )


def _fate(number: int, before: Agency | None, after: Agency) -> tuple[Row, Written | None]:
    if before is None:
        return Row(number, after.agency_id, "added"), Written(after, "added")
    after = replace(after, version=before.version, confirmed_at=before.confirmed_at)
    change = keeping.change_of(before, after)
    if change is None:
        return Row(number, after.agency_id, "untouched"), None
    was, will = hsds.row(before), hsds.row(after)
    changes = tuple((field, was[field], will[field]) for field in change.fields)
    return Row(number, after.agency_id, "suspended" if change.change == "suspended" else "changed", changes), change


def _read(content: bytes, known: Mapping[str, Agency]) -> list[Read]:
    """The rows of a file: JSON when it looks so, else CSV."""
    if len(content) > MOST_BYTES:
        raise FileTooLarge
    is_json = content.lstrip()[:1] in (b"{", b"[")
    found = (_read_json if is_json else _read_csv)(content, known)
    if len(found) > MOST_ROWS:
        raise FileTooLarge
    return found


def _read_json(content: bytes, known: Mapping[str, Agency]) -> list[Read]:
    try:
        services = hsds.services(orjson.loads(content))
    except (orjson.JSONDecodeError, hsds.Broken):
        raise FileUnusable from None
    offices = {hsds.organization(agency_id): agency_id for agency_id in known}
    found: list[Read] = []
    for said in services:
        try:
            offices |= dict(hsds.organizations([said]))
        except hsds.Broken:
            continue
    for said in services:
        try:
            found.append(hsds.read(hsds.flat(said, offices)))
        except hsds.Broken as broken:
            found.append(Read(_named(said), None, (broken.problem,)))
    return found


def _named(said: Any) -> str:
    """What a broken service can be called."""
    return str(said.get("name", ""))[:80] if isinstance(said, dict) else ""


def _read_csv(content: bytes, known: Mapping[str, Agency]) -> list[Read]:
    """Rows under our headings; what has no column stays as the directory has it."""
    try:
        text = content.decode("utf-8-sig")
        separator = ";" if text.partition("\n")[0].count(";") > text.partition("\n")[0].count(",") else ","
        reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        headings = set(reader.fieldnames or ())
        if not {"kind", "name"} <= headings or not headings <= set(hsds.FIELDS):
            raise FileUnusable(", ".join(sorted(headings - set(hsds.FIELDS)))[:200])
        rows = [{field: _armed(row.get(field) or "") for field in headings} for row in reader]
    except (UnicodeDecodeError, csv.Error):
        raise FileUnusable from None
    ids = [agency_id(row["kind"], row.get("region") or None) for row in rows]
    return [hsds.read((hsds.row(known[id_]) if id_ in known else {}) | row) for id_, row in zip(ids, rows, strict=True)]


def _disarmed(cell: str) -> str:
    return f"'{cell}" if cell.startswith(RISKY) else cell


def _armed(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(RISKY) else cell
