#!/usr/bin/env python3
"""Verify what a Rujukan ledger handed out, offline, trusting nothing but the ledger's public key.

  rujukan-verify bundle.json --key KEY
  rujukan-verify --checkpoint old.txt --checkpoint new.txt --consistency proof.json --key KEY
  rujukan-verify bundle.json --checkpoint kept.txt --consistency proof.json --key KEY

KEY is the verifier key (name+hash+base64) or a file with it; have it from somebody you trust, not with the bundle.
A ledger that changed its key has signed with several: give each that you trust (--key A --key B).
Exit code 0: all is as it was signed. 1: it is not, and the output says what. 2: wrong usage.

This file stands alone: Python 3.10 or newer and the package `cryptography`; it shares no code with the ledger.
It checks signatures (C2SP signed-note, Ed25519), inclusion and consistency (RFC 9162), each payload against its
salted commitment, that each service's rows of the case are numbered 1, 2, 3 without a hole, that what earlier
exports counted is still there, and the signed statement of what the bundle holds.
"""

import argparse
import base64
import hashlib
import itertools
import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Key = tuple[str, Ed25519PublicKey, bytes]
BUNDLE_KEYS = ["case", "checkpoint", "entries", "format", "public_key", "statement"]
ENTRY_KEYS = ["index", "leaf", "payload", "proof", "salt"]
LEAF_KEYS = ["case", "commitment", "id", "seq", "source", "time", "type", "v"]
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")
SIZE = re.compile(r"0|[1-9][0-9]{0,17}")


class Wrong(Exception):
    """Something is not as it was signed; the text says what."""


def check(holds: bool, sentence: str) -> None:
    if not holds:
        raise Wrong(sentence)


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def decoded(text: Any, what: str) -> bytes:
    """Base64 in its one canonical form."""
    try:
        raw = base64.b64decode(text.encode("ascii"), validate=True)
    except (AttributeError, ValueError):
        raise Wrong(f"{what} is not base64") from None
    check(base64.b64encode(raw).decode() == text, f"{what} is not canonical base64")
    return raw


def parsed(text: str, what: str) -> Any:
    """JSON without doubled names."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        check(len(dict(pairs)) == len(pairs), f"{what} has a name twice")
        return dict(pairs)

    try:
        return json.loads(text, object_pairs_hook=unique)
    except (ValueError, RecursionError):
        raise Wrong(f"{what} is not JSON") from None


def whole(value: Any) -> bool:
    """True for an integer from 0 up as JSON has it (true and 1.0 are none)."""
    return type(value) is int and 0 <= value < 1 << 62


# ---- keys and signed notes


def read_key(text: str) -> Key:
    """Name, public key and key hash of a verifier key."""
    name, _, rest = text.partition("+")
    hash_, _, encoded = rest.partition("+")
    raw = decoded(encoded, "the key")
    check(len(raw) == 33 and raw[0] == 1, "the key is not an Ed25519 verifier key")
    expected = sha256(name.encode() + b"\n" + raw)[:4]
    check(bool(name) and hash_ == expected.hex(), "the key's name, hash and content do not belong together")
    return name, Ed25519PublicKey.from_public_bytes(raw[1:]), expected


def lines_of_one(note: Any, keys: list[Key], what: str) -> list[str]:
    """The lines of a note that one of these keys signed."""
    for key in keys[:-1]:
        try:
            return signed_lines(note, key, what)
        except Wrong:
            continue
    return signed_lines(note, keys[-1], what)


def signed_lines(note: Any, key: Key, what: str) -> list[str]:
    """The lines of a note, if this key signed it. Signatures of others (witnesses, other keys) are passed over."""
    check(isinstance(note, str) and note.endswith("\n"), f"{what} is not a signed note")
    text, blank, signatures = note.partition("\n\n")
    check(bool(blank), f"{what} has no signature")
    lines: list[str] = text.split("\n")
    own = 0
    for line in signatures[:-1].split("\n"):
        parts = line.split(" ")
        check(len(parts) == 3 and parts[0] == "\u2014", f"{what} has a malformed signature line")
        raw = decoded(parts[2], f"a signature of {what}")
        if (parts[1], raw[:4]) == (key[0], key[2]):
            try:
                key[1].verify(raw[4:], (text + "\n").encode())
            except InvalidSignature:
                raise Wrong(f"the signature of {what} is wrong") from None
            own += 1
    check(own == 1, f"{what} is not signed with this key ({key[0]})")
    return lines


def read_checkpoint(note: Any, keys: list[Key], what: str) -> tuple[int, bytes]:
    """Size and root of a checkpoint that one of these keys signed."""
    lines = lines_of_one(note, keys, what)
    check(len(lines) >= 3 and lines[0] == keys[0][0], f"{what} is not a checkpoint of {keys[0][0]}")
    check(SIZE.fullmatch(lines[1]) is not None, f"{what} has no size")
    root = decoded(lines[2], f"the root of {what}")
    check(len(root) == 32, f"the root of {what} is not 32 bytes")
    return int(lines[1]), root


# ---- the tree (RFC 9162, 2.1.3.2 and 2.1.4.2)


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right)


def climbed(at: int, last: int) -> tuple[int, int]:
    """One level up, or several where the node has no right neighbour."""
    while at and not at & 1:
        at, last = at >> 1, last >> 1
    return at >> 1, last >> 1


def root_by_inclusion(index: int, size: int, leaf: bytes, path: list[bytes]) -> bytes:
    """The root that an inclusion proof leads to."""
    at, last, root = index, size - 1, leaf
    for step in path:
        check(last > 0, "the inclusion proof is too long")
        if at & 1 or at == last:
            root = node(step, root)
            at, last = climbed(at, last)
        else:
            root = node(root, step)
            at, last = at >> 1, last >> 1
    check(last == 0, "the inclusion proof is too short")
    return root


def check_consistency(old: tuple[int, bytes], new: tuple[int, bytes], path: list[bytes]) -> None:
    """That the larger tree begins with the smaller."""
    (old_size, old_root), (new_size, new_root) = old, new
    if old_size == new_size:
        check(old_root == new_root, f"two roots were signed for {old_size} leaves: the ledger forked")
        return
    if old_size == 0:
        check(old_root == sha256(b"") and not path, "the empty tree has another root")
        return
    path = [old_root, *path] if old_size & (old_size - 1) == 0 else path
    check(bool(path), "the consistency proof is too short")
    at, last = old_size - 1, new_size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    left = right = path[0]
    for step in path[1:]:
        check(last > 0, "the consistency proof is too long")
        if at & 1 or at == last:
            left, right = node(step, left), node(step, right)
            at, last = climbed(at, last)
        else:
            right = node(right, step)
            at, last = at >> 1, last >> 1
    check(last == 0, "the consistency proof is too short")
    check(left == old_root, f"this does not lead to the root signed for {old_size}: history was rewritten")
    check(right == new_root, f"this does not lead to the root signed for {new_size}: history was rewritten")


def hashes(values: Any, what: str) -> list[bytes]:
    check(isinstance(values, list) and len(values) <= 128, f"{what} is not a list of hashes")
    path = [decoded(value, what) for value in values]
    check(all(len(step) == 32 for step in path), f"{what} holds something that is no hash")
    return path


# ---- the bundle of one case


def check_bundle(bundle: Any, keys: list[Key], key_texts: list[str]) -> tuple[dict[str, Any], tuple[int, bytes]]:
    """Verify a bundle; answers what can be told of it, and the size and root of its checkpoint."""
    check(isinstance(bundle, dict) and sorted(bundle) == BUNDLE_KEYS, "this is not a proof bundle")
    check(bundle["format"] == "rujukan-proof/v1", "the bundle has a format that is not known here")
    case, entries = bundle["case"], bundle["entries"]
    check(isinstance(case, str) and UUID.fullmatch(case) is not None, "the bundle names no case")
    check_named_key(bundle, keys, key_texts)
    size, root = read_checkpoint(bundle["checkpoint"], keys, "the checkpoint")
    check(isinstance(entries, list) and bool(entries), "the bundle holds no entries")
    leaves, places, payloads, digest = [], [-1], [], hashlib.sha256()
    for number, entry in enumerate(entries, start=1):
        try:
            leaf, payload, leaf_hash = check_entry(entry, case, size, root)
            check(entry["index"] > places[-1], "it is out of order or there twice")
        except Wrong as error:
            raise Wrong(f"entry {number} ({described(entry)}): {error}") from None
        leaves.append(leaf)
        places.append(entry["index"])
        payloads.append(payload)
        digest.update(leaf_hash + bytes([payload is not None]))
    senders = check_density(leaves)
    check_earlier_exports(leaves, places[1:], payloads)
    lines = lines_of_one(bundle["statement"], keys, "the statement")
    encoded = base64.b64encode(digest.digest()).decode()
    expected = ["rujukan case proof v1", keys[0][0], case, str(size), str(len(entries)), encoded]
    check(lines == expected, "entries or payloads were added or taken away after the bundle was signed")
    redacted = payloads.count(None)
    return {"case": case, "entries": len(entries), "senders": senders, "redacted": redacted}, (size, root)


def check_named_key(bundle: dict[str, Any], keys: list[Key], key_texts: list[str]) -> None:
    """The key that the bundle names is one that is trusted, or signed beside it while the ledger changed keys."""
    if bundle["public_key"] not in key_texts:
        try:
            signed_lines(bundle["checkpoint"], read_key(str(bundle["public_key"])), "the checkpoint")
            lines_of_one(bundle["checkpoint"], keys, "the checkpoint")
        except (Wrong, ValueError):
            raise Wrong("the bundle was made with another key than the one you trust") from None


def described(entry: Any) -> str:
    """What an entry claims to be, for people; nothing here is verified."""
    try:
        leaf = json.loads(base64.b64decode(entry["leaf"]))
        return f"{leaf['type']}, row {leaf['seq']} of {leaf['source']}, leaf {entry['index']}"[:200]
    except (LookupError, TypeError, ValueError):
        return "unreadable"


def check_entry(entry: Any, case: str, size: int, root: bytes) -> tuple[dict[str, Any], bytes | None, bytes]:
    """One leaf: its form, its payload's commitment, its place in the tree."""
    check(isinstance(entry, dict) and sorted(entry) == ENTRY_KEYS, "it is not an entry")
    check(whole(entry["index"]) and entry["index"] < size, "it is not in the tree that was signed")
    data = decoded(entry["leaf"], "the leaf")
    leaf = parsed(data.decode("ascii", "replace"), "the leaf")
    check(isinstance(leaf, dict) and sorted(leaf) == LEAF_KEYS, "the leaf has other fields than it should")
    canonical = json.dumps(leaf, sort_keys=True, separators=(",", ":")).encode()
    check(canonical == data, "the leaf is not in its canonical form")
    check(leaf["v"] == 1 and whole(leaf["v"]), "the leaf has an unknown version")
    check(whole(leaf["seq"]) and leaf["seq"] >= 1, "the leaf has no row number")
    texts = (leaf[name] for name in ("case", "commitment", "id", "source", "time", "type"))
    check(all(isinstance(text, str) for text in texts), "the leaf has a field that is no text")
    check(bool(UUID.fullmatch(leaf["id"]) and TIME.fullmatch(leaf["time"])), "id or time is malformed")
    check(leaf["case"] == case, "it belongs to another case")
    content = None  # Both None: redacted. The signed statement says whether it was when the bundle was made.
    if entry["salt"] is not None or entry["payload"] is not None:
        content, salt = decoded(entry["payload"], "the payload"), decoded(entry["salt"], "the salt")
        check(len(salt) == 32, "the salt is not 32 bytes")
        check(sha256(salt + content).hex() == leaf["commitment"], "the payload is not what was committed to")
    leaf_hash = sha256(b"\x00" + data)
    path = hashes(entry["proof"], "the inclusion proof")
    check(root_by_inclusion(entry["index"], size, leaf_hash, path) == root, "it is not in the tree that was signed")
    return leaf, content, leaf_hash


def check_density(leaves: list[dict[str, Any]]) -> dict[str, int]:
    """Each service's rows are 1, 2, 3 without a hole; answers how many each has."""
    rows: dict[str, Counter[int]] = {}
    for leaf in leaves:
        rows.setdefault(leaf["source"], Counter())[leaf["seq"]] += 1
    for source, numbers in rows.items():
        missing = next(n for n in itertools.count(1) if n not in numbers)
        check(missing > max(numbers), f"row {missing} of {source} is missing")
        twice = next((n for n, times in numbers.items() if times > 1), None)
        check(twice is None, f"row {twice} of {source} is there twice")
    return {source: len(rows[source]) for source in sorted(rows)}


def check_earlier_exports(leaves: list[dict[str, Any]], places: list[int], payloads: list[bytes | None]) -> None:
    """Each export of the case counted its entries; none of those may be gone since."""
    for leaf, payload in zip(leaves, payloads, strict=True):
        if (leaf["source"], leaf["type"]) == ("audit", "audit.proof_exported.v1") and payload is not None:
            told = parsed(payload.decode("utf-8", "replace"), "the record of an export")
            said = told.get("data") if isinstance(told, dict) else None
            counts: Any = (said.get("tree_size"), said.get("entries")) if isinstance(said, dict) else (None, None)
            check(all(map(whole, counts)), "the record of an export counts nothing")
            size, entries = counts
            check(sum(place < size for place in places) == entries, "entries that were exported before are gone")


# ---- the command


def verify(given: argparse.Namespace) -> dict[str, Any]:
    """Check all that was given; answers what can be told of it."""
    key_texts = [text for key in given.key for text in (read(key) if Path(key).is_file() else key).split()]
    check(bool(key_texts), "there is no key to trust")
    keys = [read_key(text) for text in key_texts]
    check(len({key[0] for key in keys}) == 1, "the keys are of different ledgers")
    kept = [read_checkpoint(read(name), keys, f"the checkpoint in {name}") for name in given.checkpoint]
    report: dict[str, Any] = {}
    if given.bundle:
        report, own = check_bundle(parsed(read(given.bundle), "the bundle"), keys, key_texts)
        kept.append(own)
    kept.sort(key=lambda checkpoint: checkpoint[0])
    path, span = [], (-1, -1)
    if given.consistency:
        proof = parsed(read(given.consistency), "the consistency proof")
        check(isinstance(proof, dict) and sorted(proof) == ["from", "proof", "to"], "this is no consistency proof")
        path, span = hashes(proof["proof"], "the consistency proof"), (proof["from"], proof["to"])
    for old, new in itertools.pairwise(kept):
        needed = f"a consistency proof from {old[0]} to {new[0]} is needed (--consistency)"
        check(old[0] == new[0] or span == (old[0], new[0]), needed)
        check_consistency(old, new, path)
    return {**report, "key": keys[0][0], "checkpoints": [size for size, _ in kept]}


def read(name: str) -> str:
    try:
        return Path(name).read_bytes().decode()
    except UnicodeDecodeError:
        raise Wrong(f"{name} is not text") from None


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="rujukan-verify", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundle", nargs="?", help="the proof bundle of a case (JSON)")
    parser.add_argument(
        "--key",
        required=True,
        action="append",
        help="the ledger's verifier key, or a file with one or more; repeat for more",
    )
    parser.add_argument("--checkpoint", action="append", default=[], help="a checkpoint you kept; repeat for more")
    parser.add_argument("--consistency", help="the consistency proof between two checkpoints (JSON)")
    parser.add_argument("--json", action="store_true", help="say it as one JSON object")
    given = parser.parse_args(arguments)
    if not given.bundle and len(given.checkpoint) < 2:
        parser.error("give a bundle, or two checkpoints")
    try:
        report = {"verified": True, **verify(given)}
    except Wrong as error:
        report = {"verified": False, "problem": str(error)}
    except OSError as error:
        parser.error(f"{error.filename}: {error.strerror}")
    if given.json:
        print(json.dumps(report))
    elif report["verified"]:
        print(f"VERIFIED: signed by {report['key']}, checkpoint over {report['checkpoints'][-1]} leaves")
        for source, count in report.get("senders", {}).items():
            print(f"  {source}: rows 1 to {count}, none missing")
        if report.get("redacted"):
            print(f"  {report['redacted']} payloads were redacted; that they existed is still proven")
    else:
        print(f"NOT VERIFIED: {report['problem']}")
    return 0 if report["verified"] else 1


if __name__ == "__main__":
    sys.exit(main())
