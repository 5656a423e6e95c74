"""Provinces, regencies and cities by the names that people write."""

import re
from functools import cache

from shared.contracts import codes


@cache
def regencies_by_name() -> dict[str, tuple[str, ...]]:
    """Codes by full name ("kabupaten gowa") and by bare name ("gowa"), more than one where a name is shared."""
    found: dict[str, tuple[str, ...]] = {}
    for code, one in codes.regencies().items():
        full = folded(one.name)
        bare = full.removeprefix("kabupaten ").removeprefix("kota ")
        for key in {full, bare}:
            found[key] = (*found.get(key, ()), code)
    return found


@cache
def provinces_by_name() -> dict[str, str]:
    found = {folded(p.name): code for code, p in codes.provinces().items()}
    found |= {folded(p.name_en): code for code, p in codes.provinces().items()}
    short = {
        "sumut": "12", "sumbar": "13", "sumsel": "16", "babel": "19", "kepri": "21", "dki": "31", "dki jakarta": "31",
        "jabar": "32", "jateng": "33", "diy": "34", "yogyakarta": "34", "jatim": "35", "ntb": "52", "ntt": "53",
        "kalbar": "61", "kalteng": "62", "kalsel": "63", "kaltim": "64", "kaltara": "65", "sulut": "71",
        "sulteng": "72", "sulsel": "73", "sultra": "74", "sulbar": "76",
    }  # fmt: skip
    return short | found


def folded(words: str) -> str:
    """A place name for comparison: no case, no dots, `kab` written out, `adm` left out."""
    parts = re.sub(r"[^a-z0-9]+", " ", words.casefold()).split()
    longer = {"kab": "kabupaten", "kep": "kepulauan", "prov": "", "provinsi": "", "adm": "", "administrasi": ""}
    return " ".join(filter(None, (longer.get(part, part) for part in parts)))
