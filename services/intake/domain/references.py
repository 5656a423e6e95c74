"""Under which number a request, an order or a claim is kept with those who made it."""

import re

LONGEST = 40

_FORM = re.compile(r"[A-Z0-9][A-Z0-9./-]{1,39}")
_WORD = re.compile(r"[A-Z]{9}")


def is_reference(text: str) -> bool:
    """True for a number like PPID/2026/0113. It is shown and kept for long: what looks like a name is none."""
    return bool(_FORM.fullmatch(text)) and any(map(str.isdigit, text)) and not _WORD.search(text)
