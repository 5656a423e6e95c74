"""One cell of a name list at a time: from what people write to what we keep, or `BadCell` with a code."""

import re
from collections.abc import Callable
from datetime import date
from functools import cache
from typing import cast, get_args

from services.intake.domain import dates
from services.intake.domain.arrivals import OnwardWish
from services.intake.domain.people import OLDEST, Birth, age_on
from shared.contracts import codes
from shared.contracts.codes import NeedCode, Sex

LONGEST_NAME = 120
LONGEST_TEXT = 200
LONGEST_NUMBER = 30


class BadCell(ValueError):
    """This cell cannot be taken; `code` is one of `problems.CELL_PROBLEMS`."""

    def __init__(self, code: str, hint: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.hint = hint


BLANK = frozenset({"-", "--", "---", "–", "—", ".", "n/a", "nihil"})
"""What people write into a cell to say that there is nothing."""
LONGEST_BLANK = max(map(len, BLANK))
FORMULA_STARTS = "=@+-\t"

SEXES: dict[str, Sex] = {
    **dict.fromkeys(("m", "l", "lk", "lk2", "laki", "laki-laki", "laki laki", "laki2", "pria", "male", "lelaki"), "M"),
    **dict.fromkeys(("f", "p", "pr", "w", "perempuan", "wanita", "female"), "F"),
    **dict.fromkeys(("x", "lainnya", "other"), "X"),
}  # fmt: skip

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
CODE = re.compile(r"([0-9]{2})[.\- ]?([0-9]{2})")
SHORTENED = re.compile(r"[0-9]{2}[.,][0-9]")


def text(cell: str, most: int = LONGEST_TEXT) -> str:
    """Words with single spaces between them, in any script."""
    words = " ".join(cell.split())
    if len(words) > most:
        raise BadCell("too_long")
    if not words.isprintable():
        raise BadCell("odd_characters")
    return words


def name(cell: str) -> str:
    """A name as the document has it: one word is enough, nothing is changed in it."""
    return text(cell, LONGEST_NAME)


def sex(cell: str) -> Sex:
    try:
        return SEXES[cell.casefold().rstrip(".")]
    except KeyError:
        raise BadCell("sex_unknown") from None


def birth(cell: str) -> Birth:
    try:
        return dates.read_birth(cell)
    except dates.BadDate as bad:
        raise BadCell(bad.code, bad.suggestion) from None


def birth_after_place(cell: str) -> Birth | None:
    """The date in `Bone, 5 Agustus 1987`; None where only a place stands."""
    _, comma, day = cell.rpartition(",")
    if not comma:
        return birth(cell) if cell[-1].isdigit() else None
    return birth(day.strip()) if day.strip() else None


def age(cell: str) -> int:
    digits = cell.casefold().removesuffix("tahun").removesuffix("thn").removesuffix("th").strip(" .±~")
    if not digits.isdecimal() or not digits.isascii() or len(digits) > 3 or int(digits) > OLDEST:
        raise BadCell("age_unreadable")
    return int(digits)


def nik(cell: str) -> str:
    """Sixteen digits, or "" where there is none yet (blank or 0)."""
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
    named = _regencies_by_name().get(_folded(cell), ())
    if len(named) != 1:
        raise BadCell("regency_ambiguous" if named else "regency_unknown")
    return named[0]


def province(cell: str) -> str:
    code = cell if cell in codes.provinces() else _provinces_by_name().get(_folded(cell))
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


def _folded(words: str) -> str:
    """A place name for comparison: no case, no dots, `kab` written out, `adm` left out."""
    parts = re.sub(r"[^a-z0-9]+", " ", words.casefold()).split()
    longer = {"kab": "kabupaten", "kep": "kepulauan", "prov": "", "provinsi": "", "adm": "", "administrasi": ""}
    return " ".join(filter(None, (longer.get(part, part) for part in parts)))


@cache
def _regencies_by_name() -> dict[str, tuple[str, ...]]:
    """Codes by full name ("kabupaten gowa") and by bare name ("gowa"), more than one where a name is shared."""
    found: dict[str, tuple[str, ...]] = {}
    for code, one in codes.regencies().items():
        full = _folded(one.name)
        bare = full.removeprefix("kabupaten ").removeprefix("kota ")
        for key in {full, bare}:
            found[key] = (*found.get(key, ()), code)
    return found


@cache
def _provinces_by_name() -> dict[str, str]:
    found = {_folded(p.name): code for code, p in codes.provinces().items()}
    found |= {_folded(p.name_en): code for code, p in codes.provinces().items()}
    short = {
        "sumut": "12", "sumbar": "13", "sumsel": "16", "babel": "19", "kepri": "21", "dki": "31", "dki jakarta": "31",
        "jabar": "32", "jateng": "33", "diy": "34", "yogyakarta": "34", "jatim": "35", "ntb": "52", "ntt": "53",
        "kalbar": "61", "kalteng": "62", "kalsel": "63", "kaltim": "64", "kaltara": "65", "sulut": "71",
        "sulteng": "72", "sulsel": "73", "sultra": "74", "sulbar": "76",
    }  # fmt: skip
    return short | found


Reader = Callable[[str], object]

READERS: dict[str, Reader] = {
    "seq": cast(Reader, text),
    "full_name": name,
    "alias": name,
    "sex": sex,
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
    {"sex", "birth_date", "age", "document_type", "origin_regency", "origin_province", "flags", "onward_wish",
     "country_from", "region_from", "detained_at", "employer", "sector", "return_reason", "language"}
)  # fmt: skip
"""Fields whose cells repeat within a list: each distinct one is read once."""


def reader_of(field: str) -> Reader:
    return READERS.get(field, cast(Reader, text))
