"""By which numbers a person is looked up, and what of them is compared."""

import re
import unicodedata
from typing import Literal

Kind = Literal["nik", "document"]

KINDS: tuple[Kind, ...] = ("nik", "document")

_NOT_COMPARED = {"nik": re.compile(r"[^0-9]+"), "document": re.compile(r"[^0-9A-Z]+")}


def normalised(kind: Kind, value: str) -> str:
    """What is compared of a number: the digits of a NIK; letters in upper case and digits of a document."""
    if value.isascii() and (value.isdecimal() or (kind == "document" and value.isalnum())):
        return value.upper()
    return _NOT_COMPARED[kind].sub("", unicodedata.normalize("NFKC", value).upper())
