"""What people call a case on paper and at the telephone: nine signs that are made of its id, without a server.

Crockford's base 32 (https://www.crockford.com/base32.html): no I, L, O and U, which are read as 1, 1, 0 and not at all,
and a check sign, modulo 37, that finds each wrong sign and each pair that changed places. The last 40 bits of an id
are random, so that among 20,000 cases two share a code once in 5,500 such sets.
"""

SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CHECKS = SIGNS + "*~$=U"
READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1"})
DIGITS = 10
"""So many hexadecimal digits of the id, from its end, are in the code."""


class NotACode(ValueError):
    """A sign is missing, too much, or wrong."""


def short_code(id_: str) -> str:
    """The code of an id, like `7K9M-Q2TX-5`."""
    value = int(id_[-DIGITS:], 16)
    signs = "".join(SIGNS[value >> shift & 31] for shift in range(35, -1, -5))
    return f"{signs[:4]}-{signs[4:]}-{CHECKS[value % 37]}"


def tail_of(code: str) -> str:
    """The ten hexadecimal digits with which the id of this code ends; what stands between its signs is passed over.

    Raises `NotACode`.
    """
    signs = [sign for sign in code.upper().translate(READ_AS) if sign.isalnum() or sign in CHECKS]
    if len(signs) != 9 or any(sign not in SIGNS for sign in signs[:8]):
        raise NotACode
    value = 0
    for sign in signs[:8]:
        value = value << 5 | SIGNS.index(sign)
    if CHECKS[value % 37] != signs[8]:
        raise NotACode
    return f"{value:0{DIGITS}x}"


def is_code_of(typed: str, id_: str) -> bool:
    """True when this is the code of the id, however it is written."""
    try:
        return tail_of(typed) == id_[-DIGITS:]
    except NotACode:
        return False
