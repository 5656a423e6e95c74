"""One cell of a name list at a time: from what people write to what we keep, or `BadCell` with a code."""

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import cast, get_args

from services.intake.domain import dates, places
from services.intake.domain.arrivals import OnwardWish
from services.intake.domain.grids import Kind
from services.intake.domain.people import OLDEST, Birth, age_on
from shared.contracts import codes
from shared.contracts.codes import NeedCode, Sex

LONGEST_NAME = 120
LONGEST_TEXT = 200
LONGEST_NUMBER = 30
LONGEST_CELL = 1_000
"""No field holds as much: what is longer is not looked into, however the field is read."""


class BadCell(ValueError):
    """This cell cannot be taken; `code` is one of `problems.CELL_PROBLEMS`."""

    def __init__(self, code: str, hint: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.hint = hint


BLANK = frozenset({"-", "--", "---", "–", "—", ".", "n/a", "nihil"})
"""What people write into a cell to say that there is nothing."""
LONGEST_BLANK = max(map(len, BLANK))
UNKNOWN = frozenset(
    {"?", "??", "???", "tidak tahu", "tdk tahu", "tidak diketahui", "tdk diketahui", "tidak ingat", "lupa",
     "belum tahu", "not known", "unknown"}
)  # fmt: skip
"""What they write where nobody knows."""
NO_NIK = UNKNOWN | {"belum ada", "blm ada", "tidak ada", "tdk ada", "tidak punya", "tdk punya", "hilang", "none", "no"}
FORMULA_STARTS = "=@+-\t"

SEXES: dict[str, Sex] = {
    **dict.fromkeys(("m", "l", "lk", "lk2", "laki", "laki laki", "laki2", "pria", "male", "lelaki"), "M"),
    **dict.fromkeys(("f", "p", "pr", "w", "perempuan", "wanita", "female"), "F"),
    **dict.fromkeys(("x", "lainnya", "other"), "X"),
}  # fmt: skip

TICKS = frozenset({"v", "√", "✓", "✔", "☑", "x", "✗", "✘", "☒", "1", "*", "●", "•", "ya", "y", "yes", "ü", "true"})
"""What a column is ticked with; `ü` is a tick in the font Wingdings."""
UNTICKED = frozenset({"0", "o", "☐", "□", "false"})

HYPHENS = re.compile(r"[\s\-\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{EN DASH}\N{EM DASH}]+")
"""What stands between the halves of a doubled word: a word processor makes a dash of the hyphen."""

DOCUMENT_TYPES = {
    "splp": "SPLP", "surat perjalanan laksana paspor": "SPLP",
    "passport": "passport", "paspor": "passport", "paspor ri": "passport",
    "border_pass_plb": "border_pass_PLB", "plb": "border_pass_PLB", "pas lintas batas": "border_pass_PLB",
    "border pass": "border_pass_PLB",
    "ktp": "identity_card", "identity_card": "identity_card", "identity card": "identity_card",
    "none": "none", "tidak ada": "none", "tanpa dokumen": "none", "tidak berdokumen": "none",
    "other": "other", "lainnya": "other",
}  # fmt: skip

FLAG_WORDS: dict[str, NeedCode] = {
    "uac": "UAC", "anak tanpa pendamping": "UAC", "child": "CHILD", "anak": "CHILD", "att": "ATT",
    "tip": "TIP", "tppo": "TIP", "korban tppo": "TIP", "gbv": "GBV", "kbg": "GBV", "tpks": "GBV", "kekerasan": "GBV",
    "sick": "SICK", "sakit": "SICK", "infect": "INFECT", "menular": "INFECT", "mental": "MENTAL", "odgj": "MENTAL",
    "jiwa": "MENTAL", "preg": "PREG", "hamil": "PREG", "ibu hamil": "PREG", "elder": "ELDER", "lansia": "ELDER",
    "pwd": "PWD", "disabilitas": "PWD", "difabel": "PWD", "nofam": "NOFAM", "terlantar": "NOFAM",
    "wage": "WAGE", "gaji": "WAGE", "debt": "DEBT", "utang": "DEBT", "legal": "LEGAL", "hukum": "LEGAL",
    "drug": "DRUG", "napza": "DRUG", "need": "NEED", "remains": "REMAINS", "jenazah": "REMAINS",
}  # fmt: skip

WISHES: dict[str, OnwardWish] = {
    "go_home": "go_home", "pulang": "go_home", "pulang kampung": "go_home", "ke daerah asal": "go_home",
    "stay_local": "stay_local", "menetap": "stay_local", "tinggal": "stay_local",
    "unknown": "unknown", "belum tahu": "unknown", "tidak tahu": "unknown",
}  # fmt: skip

NUMBER_ONLY = re.compile(r"[0-9][0-9 .'\-]*")
FLOATED = re.compile(r"[0-9](?:[.,][0-9]+)?[eE]\+?[0-9]{1,2}")
"""A long number after a spreadsheet took it for an amount: 6,504E+15."""
DOCUMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ./\-]*")
AFTER_PLACE = re.compile(r"(\D*?)[\s,/\-]*((?:\d|±|~)[^,]*)", re.DOTALL)
"""A place, and a date that begins with a digit."""
CODE = re.compile(r"([0-9]{2})[.\- ]?([0-9]{2})")
SHORTENED = re.compile(r"[0-9]{2}[.,][0-9]")


def text(cell: str, most: int = LONGEST_TEXT) -> str:
    """Words with single spaces between them, in any script, each letter in its one form (NFC)."""
    words = " ".join(cell.split())
    if len(words) > most:
        raise BadCell("too_long")
    if not words.isprintable():
        odd = next(c for c in words if not c.isprintable())
        raise BadCell("odd_characters", f"U+{ord(odd):04X} {unicodedata.name(odd, '')}".strip())
    return words if words.isascii() else unicodedata.normalize("NFC", words)


def name(cell: str) -> str:
    """A name as the document has it: one word is enough, bin and binti stay, nothing is changed in it."""
    return text(cell, LONGEST_NAME)


def sex(cell: str) -> Sex:
    try:
        return SEXES[HYPHENS.sub(" ", cell.casefold().rstrip("."))]
    except KeyError:
        raise BadCell("sex_unknown") from None


def ticked(cell: str, sex: Sex) -> bool:
    """Whether a column of this sex is ticked; its own letter or word is a tick too."""
    written = cell.casefold()
    if written in TICKS or SEXES.get(HYPHENS.sub(" ", written.rstrip("."))) == sex:
        return True
    if written not in UNTICKED:
        raise BadCell("tick_unclear")
    return False


def birth(cell: str, on: date | None = None, since_1904: bool = False) -> Birth | None:
    """None where somebody wrote that it is not known. `on` and `since_1904` as in `dates.read_birth`."""
    if cell.casefold() in UNKNOWN:
        return None
    try:
        return dates.read_birth(cell.lstrip("'\N{RIGHT SINGLE QUOTATION MARK}"), on=on, since_1904=since_1904)
    except dates.BadDate as bad:
        raise BadCell(bad.code, bad.suggestion) from None


def birth_after_place(cell: str, on: date | None = None, since_1904: bool = False) -> Birth | None:
    """The date in `Bone, 5 Agustus 1987` or `Bone 5-8-1987`; None where only a place stands."""
    found = AFTER_PLACE.fullmatch(cell)
    return birth(found[2], on, since_1904) if found else None


def place_before_birth(cell: str) -> str:
    """The place in `Bone, 5 Agustus 1987`; "" where there is none."""
    found = AFTER_PLACE.fullmatch(cell)
    return text((found[1] if found else cell).strip(" ,/-"))


def age(cell: str) -> int:
    try:
        return dates.read_age(cell)
    except dates.BadDate as bad:
        raise BadCell(bad.code) from None


def nik(cell: str) -> str:
    """Sixteen digits, or "" where there is none yet (blank or 0)."""
    if cell.casefold() in NO_NIK:
        return ""
    digits = cell if cell.isdecimal() else _digits_of(cell, "nik_damaged", "nik_unreadable")
    if digits.strip("0") == "":
        return ""
    if len(digits) != 16 or not digits.isascii() or digits[0] == "0":
        raise BadCell("nik_unreadable")
    return digits


def document_number(cell: str) -> str:
    if FLOATED.fullmatch(cell):
        raise BadCell("document_damaged")
    if len(cell) > LONGEST_NUMBER or not DOCUMENT.fullmatch(cell):
        raise BadCell("document_unreadable")
    return cell.upper()


def document_type(cell: str) -> str:
    try:
        return DOCUMENT_TYPES[cell.casefold()]
    except KeyError:
        raise BadCell("document_type_unknown") from None


def regency(cell: str) -> str:
    """The Kemendagri code of a regency or city, from its code or its name."""
    if found := CODE.fullmatch(cell):
        code = f"{found[1]}.{found[2]}"
        if code not in codes.regencies():
            raise BadCell("regency_unknown")
        return code
    if SHORTENED.fullmatch(cell):
        raise BadCell("regency_shortened")
    named = places.regencies_by_name().get(places.folded(cell), ())
    if len(named) != 1:
        raise BadCell("regency_ambiguous" if named else "regency_unknown")
    return named[0]


def province(cell: str) -> str:
    code = cell if cell in codes.provinces() else places.provinces_by_name().get(places.folded(cell))
    if code is None:
        raise BadCell("province_unknown")
    return code


def flags(cell: str) -> frozenset[NeedCode]:
    """Codes or words, separated by spaces, commas, semicolons, slashes, plus or bars."""
    whole = FLAG_WORDS.get(cell.casefold())
    if whole is not None:
        return frozenset((whole,))
    found = set()
    for phrase in re.split(r"[,;/|+\n]", cell.casefold()):
        words = phrase.strip()
        if words in FLAG_WORDS:
            found.add(FLAG_WORDS[words])
            continue
        for word in words.split():
            if word not in FLAG_WORDS:
                raise BadCell("flag_unknown", " ".join(get_args(NeedCode)))
            found.add(FLAG_WORDS[word])
    return frozenset(found)


def wish(cell: str) -> OnwardWish:
    try:
        return WISHES[cell.casefold()]
    except KeyError:
        raise BadCell("wish_unknown") from None


def is_formula(cell: str) -> bool:
    """True for what a spreadsheet would run. A phone number may begin with +, a blank be written as -."""
    first = cell[0]
    if first in "=@\t":
        return True
    return first in "+-" and len(cell) > 1 and not NUMBER_ONLY.fullmatch(cell[1:].strip("()")) and cell not in BLANK


def in_life(born: Birth, on: date, years: int | None = None) -> None:
    """Raise `BadCell` for a birth after the day of arrival, more than 120 years before it, or another age's."""
    if born.earliest > on:
        raise BadCell("date_in_future")
    if born.latest.year < on.year - OLDEST:
        raise BadCell("date_too_old")
    if years is not None and not age_on(born.latest, on) - 1 <= years <= age_on(born.earliest, on) + 1:
        raise BadCell("age_differs")


def _digits_of(cell: str, damaged: str, unreadable: str) -> str:
    if FLOATED.fullmatch(cell.replace(" ", "")):
        raise BadCell(damaged)
    if not NUMBER_ONLY.fullmatch(cell.lstrip("'\N{RIGHT SINGLE QUOTATION MARK}")):
        raise BadCell(unreadable)
    return re.sub(r"[^0-9]", "", cell)


Reader = Callable[[str], object]

READERS: dict[str, Reader] = {
    "seq": cast(Reader, text),
    "full_name": name,
    "alias": name,
    "sex": sex,
    "male": partial(ticked, sex="M"),
    "female": partial(ticked, sex="F"),
    "birth_date": birth,
    "birthplace_and_date": birth_after_place,
    "birthplace": cast(Reader, text),
    "mother_name": name,
    "age": age,
    "nik": nik,
    "document_type": document_type,
    "document_number": document_number,
    "origin_regency": regency,
    "origin_province": province,
    "flags": flags,
    "onward_wish": wish,
    "companion": cast(Reader, text),
}
"""How each field is read; the others are plain text."""

REMEMBERED = frozenset(
    {"sex", "male", "female", "birth_date", "age", "document_type", "origin_regency", "origin_province", "flags",
     "onward_wish", "country_from", "region_from", "detained_at", "employer", "sector", "return_reason", "language"}
)  # fmt: skip
"""Fields whose cells repeat within a list: each distinct one is read once."""
OWN = frozenset({"seq", "full_name", "alias", "nik", "document_number", "family_contact", "health_note", "mother_name"})
"""Fields that no two rows share because one of their cells reaches over both."""
MOST_DIGITS = 15
"""So many a spreadsheet keeps of a number; what follows becomes zeros."""


def reader_of(field: str, *, on: date, since_1904: bool = False) -> Reader:
    """How a field is read in a list of people who land on that day."""
    if field in ("birth_date", "birthplace_and_date"):
        read = birth if field == "birth_date" else birth_after_place
        return partial(read, on=on, since_1904=since_1904)
    return READERS.get(field, cast(Reader, text))


def refuse_kind(kind: Kind, field: str, cell: str) -> None:
    """Raise `BadCell` for a cell of a workbook that cannot be what its field needs, whatever it shows."""
    if kind in ("formula", "error"):
        raise BadCell(kind)
    if kind == "merged" and field in OWN:
        raise BadCell("merged")
    if kind == "number" and len(cell.strip("-").partition(".")[0]) > MOST_DIGITS:
        if field == "nik":
            raise BadCell("nik_damaged")
        if field == "document_number":
            raise BadCell("document_damaged")
