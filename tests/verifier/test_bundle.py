"""A stranger with one file verifies what a real ledger handed out, and finds every attack on it."""

import base64
import copy
import json
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from services.audit import actions, store
from services.audit.domain import checkpoints, merkle, tiles
from shared.kit.actor import system
from shared.kit.database import connect
from shared.kit.ids import new_id
from shared.verifier import rujukan_verify
from tests.audit import factories
from tests.audit.ledger import ORIGIN, Ledger
from tests.conftest import DatabaseUrls

Bundle = dict[str, Any]
CASE = factories.CASE
FILE = Path(rujukan_verify.__file__)


class World:
    """A ledger of 700 leaves with one case in it, its bundle, and what else an outsider may hold."""

    def __init__(self, folder: Path, signer: actions.Signer) -> None:
        self.folder = folder
        self.signer = signer
        self.bundle: Bundle = {}
        self.notes: dict[int, str] = {}
        self.consistency: dict[tuple[int, int], Bundle] = {}

    def write(self, name: str, content: object) -> str:
        file = self.folder / name
        file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return str(file)

    def verify(self, bundle: Bundle | str, *more: str) -> str | None:
        """What the verifier complains of, None when it does not."""
        return self.run(self.write("bundle.json", bundle), *more)

    def run(self, *arguments: str) -> str | None:
        given = rujukan_verify.argparse.Namespace(bundle=None, key=[], checkpoint=[], consistency=None)
        rest = list(arguments)
        while rest:
            word = rest.pop(0)
            if word in ("--checkpoint", "--key"):
                getattr(given, word[2:]).append(rest.pop(0))
            elif word == "--consistency":
                given.consistency = rest.pop(0)
            else:
                given.bundle = word
        given.key = given.key or [self.signer.verifier_key]
        try:
            rujukan_verify.verify(given)
        except rujukan_verify.Wrong as wrong:
            return str(wrong)
        return None


@pytest_asyncio.fixture
async def world(database_urls: DatabaseUrls, tmp_path: Path) -> AsyncIterator[World]:
    database = await connect(database_urls("audit").application, service="audit")
    ledger = Ledger(database, actions.Signer(ORIGIN, b"k" * 32))
    world = World(tmp_path, ledger.signer)
    export = {
        "type_": "audit.proof_exported.v1",
        "payload": factories.a_payload(CASE, entries=3, tree_size=300),
    }
    rows = [("intake", 1), ("referral", 1), ("intake", 2), ("audit", 1), ("intake", 3), ("referral", 2), ("intake", 4)]
    for source, number in rows:
        others = [{"case_id": new_id()} for _ in range(99)]
        own = {"source": source, "case_seq": number, **(export if source == "audit" else {})}
        await ledger.hear(*others[:50], own, *others[50:])
        await ledger.seal()
    world.bundle = await ledger.proof()
    async with database.work(system("audit", "test"), purpose="test") as work:
        for sealed in await store.list_checkpoints(work, after=-1, upto=700):
            world.notes[sealed.size] = sealed.note
        for pair in ((300, 700), (600, 700)):
            world.consistency[pair] = await actions.prove_consistency(work, *pair)
    yield world
    await database.aclose()


def flipped(text: str, at: int) -> str:
    """The text with one character exchanged for another that could stand there."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    old = text[at]
    new = alphabet[(alphabet.index(old) + 1) % 64] if old in alphabet else ("x" if old != "x" else "y")
    return text[:at] + new + text[at + 1 :]


def entry(bundle: Bundle, n: int = 0) -> Bundle:
    found: Bundle = bundle["entries"][n]
    return found


def rehashed(bundle: Bundle, n: int, **changes: object) -> None:
    """Change fields of a leaf as a forger would: well-formed and canonical."""
    leaf = json.loads(base64.b64decode(entry(bundle, n)["leaf"])) | changes
    data = json.dumps(leaf, sort_keys=True, separators=(",", ":")).encode()
    entry(bundle, n)["leaf"] = base64.b64encode(data).decode()


def with_payload(bundle: Bundle, n: int, payload: bytes) -> None:
    """Exchange a payload and make its commitment fit."""
    salt = base64.b64decode(entry(bundle, n)["salt"])
    entry(bundle, n)["payload"] = base64.b64encode(payload).decode()
    rehashed(bundle, n, commitment=rujukan_verify.sha256(salt + payload).hex())


def own_note(text: str) -> str:
    """A note that looks as if this ledger had signed it, by somebody without its key."""
    thief = actions.Signer(ORIGIN, b"t" * 32)
    name, public = checkpoints.parse_key(actions.Signer(ORIGIN, b"k" * 32).verifier_key)
    signature = base64.b64decode(thief.sign(text).split(" ")[-1])[4:]
    return checkpoints.note(text, name, public, signature)


def a_tree_of_own(bundle: Bundle) -> None:
    """Replace the whole proof by a consistent tree of the forger's, all but the signature."""
    rehashed(bundle, 0, time="2020-01-01T00:00:00.000000Z")
    hashes = [merkle.leaf_hash(base64.b64decode(e["leaf"])) for e in bundle["entries"]]
    held = tiles.extended(0, {}, hashes)
    for place, one in enumerate(bundle["entries"]):
        one["index"] = place
        spans = merkle.inclusion_ranges(place, len(hashes))
        one["proof"] = [base64.b64encode(h).decode() for h in tiles.range_hashes(spans, held)]
    frontier = merkle.Frontier()
    frontier.extend(hashes)
    text = checkpoints.Checkpoint(ORIGIN, len(hashes), frontier.root()).text
    bundle["checkpoint"] = own_note(text)


def swap(bundle: Bundle, field: str) -> None:
    first, second = entry(bundle, 0), entry(bundle, 1)
    first[field], second[field] = second[field], first[field]


def drop(n: int) -> Callable[[Bundle], None]:
    return lambda b: b["entries"].pop(n)


def put(field: str, value: object, n: int = 0) -> Callable[[Bundle], None]:
    return lambda b: entry(b, n).__setitem__(field, value)


ATTACKS: dict[str, tuple[Callable[[Bundle], object], str]] = {
    "the first entry is left out": (drop(0), "row 1 of intake is missing"),
    "an entry in the middle is left out": (drop(2), "row 2 of intake is missing"),
    "a whole service is left out": (
        lambda b: b.update(entries=[e for e in b["entries"] if b"referral" not in base64.b64decode(e["leaf"])]),
        "exported before are gone",
    ),
    "the last entry is left out": (drop(-1), "taken away"),
    "all entries are left out": (lambda b: b.update(entries=[]), "no entries"),
    "an entry is there twice": (lambda b: b["entries"].insert(1, copy.deepcopy(b["entries"][0])), "twice"),
    "two entries change places": (lambda b: b["entries"].insert(0, b["entries"].pop(1)), "out of order"),
    "two payloads are swapped with their salts": (
        lambda b: (swap(b, "payload"), swap(b, "salt")),
        "not what was committed to",
    ),
    "two salts are swapped": (lambda b: swap(b, "salt"), "not what was committed to"),
    "two leaves are swapped": (lambda b: (swap(b, "leaf"), swap(b, "payload"), swap(b, "salt")), "not in the tree"),
    "a payload is rewritten": (
        put("payload", base64.b64encode(factories.a_payload(CASE, actor="x")).decode()),
        "not what was committed to",
    ),
    "a payload is rewritten and the commitment too": (
        lambda b: with_payload(b, 0, factories.a_payload(CASE, sex="M")),
        "not in the tree",
    ),
    "a payload is hidden as if redacted": (
        lambda b: entry(b).update(salt=None, payload=None),
        "taken away",
    ),
    "only the salt is hidden": (put("salt", None), "not base64"),
    "bytes move from the salt into the payload": (
        lambda b: entry(b).update(
            salt=base64.b64encode(base64.b64decode(entry(b)["salt"])[:-1]).decode(),
            payload=base64.b64encode(
                base64.b64decode(entry(b)["salt"])[-1:] + base64.b64decode(entry(b)["payload"])
            ).decode(),
        ),
        "the salt is not 32 bytes",
    ),
    "an event is dated back": (
        lambda b: rehashed(b, 1, time="2026-01-01T00:00:00.000000Z"),
        "not in the tree",
    ),
    "a row is renumbered to close a hole": (
        lambda b: (b["entries"].pop(0), rehashed(b, 1, seq=1)),
        "not in the tree",
    ),
    "an entry is claimed for another service": (lambda b: rehashed(b, 0, source="notify"), "not in the tree"),
    "an entry is given another type": (lambda b: rehashed(b, 0, type="intake.erased.v1"), "not in the tree"),
    "an entry of another case is slipped in": (lambda b: rehashed(b, 0, case=new_id()), "another case"),
    "the bundle is relabelled to another case": (lambda b: b.update(case=new_id()), "another case"),
    "the leaf has a field more": (lambda b: rehashed(b, 0, note="x"), "other fields"),
    "the leaf is written in another way": (
        lambda b: put("leaf", base64.b64encode(base64.b64decode(entry(b)["leaf"]).replace(b",", b", ")).decode())(b),
        "canonical form",
    ),
    "the leaf's version is another": (lambda b: rehashed(b, 0, v=2), "unknown version"),
    "the leaf's version is only equal to 1": (lambda b: rehashed(b, 0, v=True), "unknown version"),
    "a row number is a fraction": (lambda b: rehashed(b, 0, seq=1.0), "no row number"),
    "an index is moved": (lambda b: put("index", entry(b)["index"] + 1)(b), "not in the tree"),
    "an index is outside the tree": (put("index", 700), "not in the tree"),
    "an index is negative": (put("index", -1), "not in the tree"),
    "an inclusion proof is cut short": (lambda b: entry(b)["proof"].pop(), "too short"),
    "an inclusion proof is lengthened": (lambda b: entry(b)["proof"].append(entry(b)["proof"][0]), "too long"),
    "an inclusion proof is that of another entry": (lambda b: swap(b, "proof"), "not in the tree"),
    "a hash in a proof is not a hash": (lambda b: entry(b)["proof"].__setitem__(0, "AAAA"), "no hash"),
    "the checkpoint is signed by somebody else": (
        lambda b: b.update(checkpoint=actions.Signer(ORIGIN, b"t" * 32).sign(b["checkpoint"].split("\n\n")[0] + "\n")),
        "not signed with this key",
    ),
    "the checkpoint claims our key and is signed by another": (
        lambda b: b.update(checkpoint=own_note(b["checkpoint"].split("\n\n")[0] + "\n")),
        "signature of the checkpoint is wrong",
    ),
    "a whole tree is forged": (a_tree_of_own, "signature of the checkpoint is wrong"),
    "the checkpoint has no signature": (
        lambda b: b.update(checkpoint=b["checkpoint"].split("\n\n")[0] + "\n"),
        "no signature",
    ),
    "the statement stands for the checkpoint": (lambda b: b.update(checkpoint=b["statement"]), "not a checkpoint"),
    "the checkpoint stands for the statement": (lambda b: b.update(statement=b["checkpoint"]), "taken away"),
    "the statement is signed by somebody else": (
        lambda b: b.update(statement=own_note(b["statement"].split("\n\n")[0] + "\n")),
        "signature of the statement is wrong",
    ),
    "the bundle brings its own key": (
        lambda b: b.update(public_key=actions.Signer(ORIGIN, b"t" * 32).verifier_key),
        "another key than the one you trust",
    ),
    "the bundle has a field more": (lambda b: b.update(comment="fine"), "not a proof bundle"),
    "the bundle has another format": (lambda b: b.update(format="rujukan-proof/v2"), "not known here"),
}


class TestAttacks:
    async def test_the_bundle_as_it_came_is_fine(self, world: World) -> None:
        assert world.verify(world.bundle) is None

    def test_there_are_enough(self) -> None:
        assert len(ATTACKS) >= 25

    async def test_every_one_is_found_and_named(self, world: World) -> None:
        wrong = {}
        for name, (attack, complaint) in ATTACKS.items():
            bundle = copy.deepcopy(world.bundle)
            attack(bundle)
            assert bundle != world.bundle, name

            found = world.verify(bundle)

            if found is None or complaint not in found:
                wrong[name] = found
        assert wrong == {}

    async def test_the_complaint_says_which_entry(self, world: World) -> None:
        rehashed(world.bundle, 2, time="2026-01-01T00:00:00.000000Z")

        found = world.verify(world.bundle)

        assert found is not None
        assert found.startswith("entry 3 (intake.arrival_recorded.v1, row 2 of intake, leaf ")

    async def test_a_name_that_is_there_twice_is_found(self, world: World) -> None:
        text = json.dumps(world.bundle)

        assert (
            world.verify(text.replace('"format":', '"format": "other", "format":', 1)) == "the bundle has a name twice"
        )

    async def test_changing_any_character_of_any_field_makes_it_fail(self, world: World) -> None:
        fields: list[tuple[list[Any], str]] = [
            ([name], world.bundle[name]) for name in ("format", "case", "public_key", "checkpoint", "statement")
        ]
        for n, one in enumerate(world.bundle["entries"]):
            fields += [(["entries", n, name], one[name]) for name in ("leaf", "salt", "payload")]
            fields += [(["entries", n, "proof", at], step) for at, step in enumerate(one["proof"])]
        picked = random.Random(7)
        tried = 0
        for path, text in fields:
            places = range(len(text)) if len(path) == 1 else sorted(picked.sample(range(len(text)), min(6, len(text))))
            for at in {*places, len(text) - 1}:
                bundle = copy.deepcopy(world.bundle)
                holder: Any = bundle
                for step in path[:-1]:
                    holder = holder[step]
                holder[path[-1]] = flipped(text, at)
                tried += 1

                assert world.verify(bundle) is not None, f"{path} at {at}"
        assert tried > 500

    async def test_a_redacted_payload_verifies_when_the_ledger_says_so(
        self, world: World, database_urls: DatabaseUrls
    ) -> None:
        database = await connect(database_urls("audit").application, service="audit")
        leaf = json.loads(base64.b64decode(entry(world.bundle)["leaf"]))
        async with database.work(system("audit", "erasure"), purpose="erase") as work:
            await store.redact_leaves(work, [leaf["id"]])
        bundle = await Ledger(database, world.signer).proof()
        await database.aclose()

        assert entry(bundle)["payload"] is None
        assert world.verify(bundle) is None

    async def test_an_export_that_counted_more_shows_that_entries_are_gone(
        self, database_urls: DatabaseUrls, tmp_path: Path
    ) -> None:
        # The ledger itself leaves the last row out, with every signature right.
        database = await connect(database_urls("audit").application, service="audit")
        ledger = Ledger(database, actions.Signer(ORIGIN, b"k" * 32))
        exported = {
            "source": "audit",
            "type_": "audit.proof_exported.v1",
            "payload": factories.a_payload(CASE, entries=2, tree_size=1),
        }
        await ledger.hear({}, exported)
        await ledger.seal()

        bundle = await ledger.proof()
        await database.aclose()

        assert World(tmp_path, ledger.signer).verify(bundle) == "entries that were exported before are gone"

    @pytest.mark.parametrize(
        ("source", "counted", "complaint"),
        [
            ("intake", {"entries": 99, "tree_size": 1}, None),
            ("audit", {"entries": 0, "tree_size": 0}, None),
            ("audit", {"entries": 0, "tree_size": "1"}, "the record of an export counts nothing"),
            ("audit", {"entries": 0}, "the record of an export counts nothing"),
            ("audit", {"tree_size": 1}, "the record of an export counts nothing"),
        ],
    )
    async def test_an_export_is_what_the_ledger_itself_has_counted(
        self,
        database_urls: DatabaseUrls,
        tmp_path: Path,
        source: str,
        counted: dict[str, Any],
        complaint: str | None,
    ) -> None:
        database = await connect(database_urls("audit").application, service="audit")
        ledger = Ledger(database, actions.Signer(ORIGIN, b"k" * 32))
        exported: dict[str, object] = {"source": source, "type_": "audit.proof_exported.v1"}
        await ledger.hear({**exported, "payload": factories.a_payload(CASE, **counted)})
        await ledger.seal()

        bundle = await ledger.proof()
        await database.aclose()

        assert World(tmp_path, ledger.signer).verify(bundle) == complaint


class TestCheckpoints:
    async def test_two_checkpoints_are_consistent(self, world: World) -> None:
        old, new = world.write("old", world.notes[300]), world.write("new", world.notes[700])
        proof = world.write("proof", world.consistency[300, 700])

        assert world.run("--checkpoint", old, "--checkpoint", new, "--consistency", proof) is None
        assert world.run("--checkpoint", new, "--checkpoint", old, "--consistency", proof) is None

    async def test_a_bundle_is_checked_against_a_kept_checkpoint(self, world: World) -> None:
        bundle = world.write("bundle.json", world.bundle)
        kept, proof = world.write("kept", world.notes[600]), world.write("proof", world.consistency[600, 700])
        same = world.write("same", world.notes[700])

        assert world.run(bundle, "--checkpoint", kept, "--consistency", proof) is None
        assert world.run(bundle, "--checkpoint", same) is None
        assert "is needed" in (world.run(bundle, "--checkpoint", kept) or "")

    async def test_a_fork_is_found(self, world: World) -> None:
        forked = world.signer.sign(checkpoints.Checkpoint(ORIGIN, 700, b"r" * 32).text)
        old, new = world.write("old", world.notes[700]), world.write("new", forked)

        assert "the ledger forked" in (world.run("--checkpoint", old, "--checkpoint", new) or "")

    async def test_a_rewritten_history_is_found(self, world: World) -> None:
        rewritten = world.signer.sign(checkpoints.Checkpoint(ORIGIN, 800, b"r" * 32).text)
        old, new = world.write("old", world.notes[300]), world.write("new", rewritten)
        proof = world.write("proof", {**world.consistency[300, 700], "to": 800})

        assert world.run("--checkpoint", old, "--checkpoint", new, "--consistency", proof) is not None

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda p: p["proof"].pop(),
            lambda p: p["proof"].append(p["proof"][0]),
            lambda p: p["proof"].reverse(),
            lambda p: p["proof"].clear(),
            lambda p: p.update({"from": 299}),
            lambda p: p.update({"to": 701}),
            lambda p: p.update({"more": 1}),
            lambda p: p["proof"].__setitem__(2, flipped(p["proof"][2], 5)),
        ],
    )
    async def test_a_spoilt_consistency_proof_is_found(self, world: World, spoil: Callable[[Bundle], object]) -> None:
        proof = copy.deepcopy(world.consistency[300, 700])
        spoil(proof)
        old, new = world.write("old", world.notes[300]), world.write("new", world.notes[700])

        found = world.run("--checkpoint", old, "--checkpoint", new, "--consistency", world.write("proof", proof))

        assert found is not None

    async def test_a_witness_may_sign_too(self, world: World) -> None:
        witness = actions.Signer("witness.example", b"w" * 32)
        text = world.bundle["checkpoint"].split("\n\n")[0] + "\n"
        line = witness.sign(text).split("\n\n")[1]
        bundle = world.bundle | {"checkpoint": world.bundle["checkpoint"] + line}

        assert world.verify(bundle) is None


class TestCommand:
    """The file alone, as a stranger runs it: another folder, no project on the path."""

    def run(self, world: World, *arguments: str) -> subprocess.CompletedProcess[str]:
        alone = world.folder / "downloaded.py"
        alone.write_bytes(FILE.read_bytes())
        return subprocess.run(
            [sys.executable, "-I", str(alone), *arguments],
            cwd=world.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    async def test_says_what_it_verified(self, world: World) -> None:
        bundle = world.write("bundle.json", world.bundle)

        done = self.run(world, bundle, "--key", world.write("key.txt", world.signer.verifier_key + "\n"))

        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout == (
            f"VERIFIED: signed by {ORIGIN}, checkpoint over 700 leaves\n"
            "  audit: rows 1 to 1, none missing\n"
            "  intake: rows 1 to 4, none missing\n"
            "  referral: rows 1 to 2, none missing\n"
        )

    async def test_says_it_as_json(self, world: World) -> None:
        bundle = world.write("bundle.json", world.bundle)

        done = self.run(world, bundle, "--key", world.signer.verifier_key, "--json")

        assert json.loads(done.stdout) == {
            "verified": True,
            "case": CASE,
            "entries": 7,
            "senders": {"audit": 1, "intake": 4, "referral": 2},
            "redacted": 0,
            "key": ORIGIN,
            "checkpoints": [700],
        }

    async def test_fails_with_a_sentence(self, world: World) -> None:
        world.bundle["entries"].pop(2)
        bundle = world.write("bundle.json", world.bundle)

        done = self.run(world, bundle, "--key", world.signer.verifier_key)

        assert (done.returncode, done.stdout) == (1, "NOT VERIFIED: row 2 of intake is missing\n")

    async def test_wrong_usage_is_not_a_verdict(self, world: World) -> None:
        assert self.run(world, "--key", world.signer.verifier_key).returncode == 2
        assert self.run(world, "nowhere.json", "--key", world.signer.verifier_key).returncode == 2

    @pytest.mark.parametrize("content", ["", "[]", "null", '{"a":' * 5_000, "\x00", '"text"', "{}"])
    async def test_rubbish_is_not_verified(self, world: World, content: str) -> None:
        done = self.run(world, world.write("bundle.json", content), "--key", world.signer.verifier_key)

        assert done.returncode == 1
        assert done.stdout.startswith("NOT VERIFIED: ")

    def test_is_one_short_file_that_imports_nothing_of_the_project(self) -> None:
        text = FILE.read_text(encoding="utf-8")
        lines = [line for line in text.split('"""', 2)[2].splitlines() if line.strip()]

        assert len(lines) <= 300
        assert "import shared" not in text
        assert "from shared" not in text
        assert "services" not in text.split('"""', 2)[2].split("# ----")[0]
