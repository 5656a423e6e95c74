"""What does on a laptop and nowhere else: addresses of this machine, secrets anybody guesses, keys that are none."""

import ipaddress
from itertools import pairwise
from urllib.parse import urlsplit

GUESSED = frozenset(
    (
        *("admin", "change-me", "changeme", "default", "demo", "example", "letmein", "qwerty", "root", "sandi", "test"),
        *("indonesia", "keycloak", "pass", "password", "postgres", "rahasia", "rujukan", "secret", "service"),
        *("audit", "intake", "notify", "referral"),
    )
)
SHORTEST_SECRET = 16
FEWEST_LETTERS = 6
FEWEST_BYTES = 18
"""A random key of 32 bytes has about thirty different ones; fewer than this never happens by chance."""


def is_this_machine(host: str | None) -> bool:
    """True for a name or address by which only this machine is reached, or none at all."""
    if not host or host == "localhost" or host.endswith((".localhost", ".localdomain")):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def problem_of_address(url: str, *, path: bool = True) -> str:
    """What keeps people and services elsewhere from relying on this address; empty when nothing does."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return "is no address"
    if parts.scheme != "https":
        return "must begin with https://"
    if "*" in url:
        return "must be one host, without *"
    if is_this_machine(host):
        return "must not be this machine"
    if parts.username is not None or parts.query or parts.fragment:
        return "must have no user, query or fragment"
    if not path and parts.path not in ("", "/"):
        return "must have no path"
    return ""


def problem_of_secret(secret: str) -> str:
    """Why this can be guessed; empty when it looks random."""
    if len(secret) < SHORTEST_SECRET:
        return f"must have {SHORTEST_SECRET} random characters or more; make one with `openssl rand -base64 32`"
    plain = secret.lower()
    word = plain.strip("-_.!0123456789")
    if len(set(plain)) < FEWEST_LETTERS or any(word == known * times for known in GUESSED for times in (1, 2, 3)):
        return "can be guessed; make one with `openssl rand -base64 32`"
    return ""


def problem_of_key(key: bytes) -> str:
    """Why these bytes are no random key; empty when they look like one."""
    steps = {(after - before) % 256 for before, after in pairwise(key)}
    if len(set(key)) < FEWEST_BYTES or len(steps) == 1 or all(0x20 <= byte < 0x7F for byte in key):
        return "is no random key; make one with `openssl rand -base64 32 | tr +/ -_`"
    return ""
