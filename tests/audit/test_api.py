"""The public log is open to all and goes no further than its checkpoint; trails are for auditors, and on the trail."""

import base64
import json
import struct
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest

from services.audit import actions
from services.audit.domain import merkle
from shared.kit.database import Database
from shared.kit.ids import new_id
from shared.verifier import rujukan_verify
from tests.audit import factories
from tests.audit.conftest import Visitor
from tests.audit.ledger import Ledger

Visit = Callable[[str], Visitor]
CASE = factories.CASE
TRAIL = f"/api/cases/{CASE}/trail"
PROOF = f"/api/cases/{CASE}/proof"


async def told(database: Database) -> list[tuple[str, str, dict[str, Any]]]:
    """What audit's own journal says: type, actor, fact."""
    rows = await database.fetch("SELECT type, payload FROM journal ORDER BY position")
    payloads = [json.loads(row["payload"]) for row in rows]
    return [(row["type"], payload["actor"], payload["data"]) for row, payload in zip(rows, payloads, strict=True)]


class TestPublicLog:
    async def test_a_stranger_rebuilds_the_root_from_the_tiles(self, ledger: Ledger, visit: Visit) -> None:
        await ledger.hear_cases(300)
        await ledger.seal()
        stranger = visit("")

        key = rujukan_verify.read_key((await stranger.get("/verifier-key")).text.strip())
        size, root = rujukan_verify.read_checkpoint((await stranger.get("/checkpoint")).text, [key], "it")
        hashes = (await stranger.get("/tile/0/000")).content + (await stranger.get("/tile/0/001.p/44")).content

        frontier = merkle.Frontier()
        frontier.extend(hashes[at : at + 32] for at in range(0, len(hashes), 32))
        assert (frontier.size, frontier.root()) == (size, root) == (300, root)
        upper = await stranger.get("/tile/1/000.p/1")
        assert upper.content == actions.publishing.tiles.root_of(hashes[: 256 * 32])
        assert "immutable" in upper.headers["cache-control"]

    @pytest.mark.parametrize(
        "path",
        ["0/001", "0/001.p/45", "0/002", "1/000", "1/000.p/2", "2/000.p/1", "0/01", "0/x000/000", "0/000.p/0", "9/000"],
    )
    async def test_has_no_tile_beyond_the_checkpoint(self, ledger: Ledger, visit: Visit, path: str) -> None:
        await ledger.hear_cases(300)
        await ledger.seal()
        await ledger.hear(*({"case_id": new_id()} for _ in range(300)))

        assert (await visit("").get(f"/tile/{path}")).status_code == 404

    async def test_has_a_checkpoint_before_the_first_leaf(self, ledger: Ledger, visit: Visit) -> None:
        assert (await visit("").get("/checkpoint")).status_code == 409
        await ledger.seal()

        assert (await visit("").get("/checkpoint")).text.split("\n")[1] == "0"

    async def test_entries_are_for_auditors_because_they_say_which_case_moved_when(
        self, ledger: Ledger, visit: Visit
    ) -> None:
        await ledger.hear_cases(3)
        await ledger.seal()

        assert (await visit("").get("/tile/entries/000.p/3")).status_code == 401
        bundle = (await visit("auditor").get("/tile/entries/000.p/3")).content

        found = []
        while bundle:
            [length] = struct.unpack(">H", bundle[:2])
            found.append(merkle.leaf_hash(bundle[2 : 2 + length]))
            bundle = bundle[2 + length :]
        assert b"".join(found) == (await visit("").get("/tile/0/000.p/3")).content

    async def test_hands_out_the_verifier_as_it_is(self, visit: Visit) -> None:
        answer = await visit("").get("/rujukan-verify.py")

        assert answer.content == Path(rujukan_verify.__file__).read_bytes()

    async def test_describes_the_ledger(self, ledger: Ledger, visit: Visit) -> None:
        await ledger.hear_cases(10)
        await ledger.seal()
        await ledger.hear({"case_id": new_id()})

        answer = (await visit("").get("/api/ledger")).json()

        assert (answer["size"], answer["leaves"], answer["waiting"]) == (10, 11, 1)
        assert answer["verified"] is True
        assert answer["lag_s"] >= 0
        assert answer["public_key"] == ledger.signer.verifier_key

    async def test_says_when_the_tiles_do_not_give_what_was_signed(
        self, ledger: Ledger, visit: Visit, superuser: asyncpg.Connection
    ) -> None:
        await ledger.hear_cases(300)
        await ledger.seal()
        await superuser.execute(
            "UPDATE tiles SET hashes = set_byte(hashes, 9, 255 - get_byte(hashes, 9)) WHERE level = 0"
        )

        answer = (await visit("").get("/api/ledger")).json()

        assert answer["verified"] is False
        assert answer["complaint"]

    async def test_proves_that_one_tree_extends_another(self, ledger: Ledger, visit: Visit) -> None:
        notes = []
        for count in (7, 300):
            await ledger.hear(*({"case_id": new_id()} for _ in range(count)))
            await ledger.seal()
            notes.append((await visit("").get("/checkpoint")).text)
        key = rujukan_verify.read_key(ledger.signer.verifier_key)
        old, new = (rujukan_verify.read_checkpoint(note, [key], "it") for note in notes)

        proof = (await visit("").get("/api/ledger/consistency", **{"from": 7, "to": 307})).json()

        rujukan_verify.check_consistency(old, new, [base64.b64decode(step) for step in proof["proof"]])
        assert (await visit("").get("/api/ledger/consistency", **{"from": 7, "to": 308})).status_code == 404
        assert (await visit("").get("/api/ledger/consistency", **{"from": 8, "to": 7})).status_code == 404


class TestTrail:
    async def test_tells_who_what_when_and_why_in_order(self, ledger: Ledger, visit: Visit) -> None:
        await ledger.hear({"source": "referral", "type_": "referral.referral_opened.v1"}, {"case_seq": 2}, {})
        await ledger.seal()
        await ledger.hear({"case_seq": 3})

        trail = (await visit("auditor").get(TRAIL)).json()

        assert [(e["source"], e["seq"], e["state"]) for e in trail["entries"]] == [
            ("intake", 1, "sealed"),
            ("intake", 2, "sealed"),
            ("intake", 3, "waiting"),
            ("referral", 1, "sealed"),
        ]
        first = trail["entries"][0]
        assert (first["actor"], first["organisation"], first["role"]) == ("petugas", "BP3MI-65", "port_officer")
        assert (first["purpose"], first["leaf_index"]) == ("screening", 2)
        assert (trail["gaps"], trail["conflicts"]) == ([], [])

    async def test_a_hole_is_named_and_a_late_row_closes_it(self, ledger: Ledger, visit: Visit) -> None:
        await ledger.hear({}, {"case_seq": 4})
        await ledger.seal()
        with_hole = (await visit("auditor").get(TRAIL)).json()
        await ledger.hear({"case_seq": 3}, {"case_seq": 2})
        await ledger.seal()

        assert with_hole["gaps"] == [{"source": "intake", "first": 2, "last": 3}]
        assert (await visit("auditor").get(TRAIL)).json()["gaps"] == []

    async def test_reading_it_is_on_the_trail(self, ledger: Ledger, visit: Visit) -> None:
        await ledger.hear({}, {"case_seq": 2})

        await visit("data_protection_officer").get(TRAIL)

        assert await told(ledger.database) == [
            ("audit.trail_read.v1", "the-data_protection_officer", {"case_id": CASE, "entries": 2})
        ]

    async def test_what_cannot_be_journalled_is_not_shown(
        self, ledger: Ledger, visit: Visit, superuser: asyncpg.Connection
    ) -> None:
        await ledger.hear({})
        await ledger.seal()
        await superuser.execute("ALTER TABLE journal ADD CONSTRAINT takes_nothing CHECK (FALSE) NOT VALID")

        for path in (TRAIL, PROOF, f"/id/kasus/{CASE}", f"/api/search?case={CASE}"):
            answer = await visit("auditor").get(path)
            assert answer.status_code == 500, path
            assert "petugas" not in answer.text

    @pytest.mark.parametrize("role", ["agency_worker", "coordinator", "operator", "port_officer", "ngo_member"])
    @pytest.mark.parametrize("path", [TRAIL, PROOF, "/api/search?case=019ab000", "/tile/entries/000.p/1"])
    async def test_is_for_auditors_only(self, ledger: Ledger, visit: Visit, role: str, path: str) -> None:
        await ledger.hear({})
        await ledger.seal()

        assert (await visit("").get(path)).status_code == 401
        assert (await visit(role).get(path)).status_code == 403
        assert [type_ for type_, _, _ in await told(ledger.database)] == ["access.access_denied.v1"]

    async def test_a_row_that_a_superuser_changed_is_marked(
        self, ledger: Ledger, visit: Visit, superuser: asyncpg.Connection
    ) -> None:
        await ledger.hear({}, {"case_seq": 2}, {"case_seq": 3})
        await ledger.seal()
        await superuser.execute("UPDATE leaves SET payload = '{}' WHERE leaf_index = 0")
        await superuser.execute("UPDATE leaves SET occurred_at = occurred_at - interval '1 h' WHERE leaf_index = 1")

        trail = (await visit("auditor").get(TRAIL)).json()

        assert {e["leaf_index"]: e["state"] for e in trail["entries"]} == {0: "altered", 1: "altered", 2: "sealed"}

    async def test_an_unknown_case_is_not_found(self, visit: Visit) -> None:
        assert (await visit("auditor").get(f"/api/cases/{new_id()}/trail")).status_code == 404
        assert (await visit("auditor").get(f"/api/cases/{new_id()}/proof")).status_code == 404
        assert (await visit("auditor").get("/api/cases/x/trail")).status_code == 404


class TestProof:
    async def test_verifies_offline_and_is_on_the_trail(self, ledger: Ledger, visit: Visit, tmp_path: Path) -> None:
        await ledger.hear({}, {"case_seq": 2}, {"source": "notify"})
        await ledger.seal()

        answer = await visit("auditor").get(PROOF)
        (tmp_path / "bundle.json").write_bytes(answer.content)

        assert rujukan_verify.main([str(tmp_path / "bundle.json"), "--key", ledger.signer.verifier_key]) == 0
        assert f"rujukan-proof-{CASE}.json" in answer.headers["content-disposition"]
        assert await told(ledger.database) == [
            ("audit.proof_exported.v1", "the-auditor", {"case_id": CASE, "entries": 3, "tree_size": 3})
        ]

    async def test_of_a_trail_with_a_hole_does_not_verify(self, ledger: Ledger, visit: Visit, tmp_path: Path) -> None:
        await ledger.hear({}, {"case_seq": 3})
        await ledger.seal()
        (tmp_path / "bundle.json").write_bytes((await visit("auditor").get(PROOF)).content)

        assert rujukan_verify.main([str(tmp_path / "bundle.json"), "--key", ledger.signer.verifier_key]) == 1

    async def test_waits_for_a_row_that_may_be_on_its_way(self, ledger: Ledger, visit: Visit) -> None:
        now = datetime.now(UTC)
        await ledger.hear({"occurred_at": now}, {"case_seq": 3, "occurred_at": now})
        await ledger.seal()

        answer = await visit("auditor").get(PROOF)

        assert (answer.status_code, answer.json()["code"]) == (409, "still_arriving")

        await ledger.hear({"case_seq": 2, "occurred_at": now})
        await ledger.seal()
        assert (await visit("auditor").get(PROOF)).status_code == 200

    async def test_waits_for_the_first_checkpoint_over_the_case(self, ledger: Ledger, visit: Visit) -> None:
        await ledger.seal()
        await ledger.hear({})

        answer = await visit("auditor").get(PROOF)

        assert (answer.status_code, answer.json()["code"]) == (409, "nothing_sealed")


class TestSearch:
    async def test_finds_by_the_beginning_of_the_id_and_says_so_on_the_trail(
        self, ledger: Ledger, visit: Visit
    ) -> None:
        await ledger.hear({}, {"case_seq": 2}, {"case_id": "019ab001-0000-7000-8000-000000000001"})

        answers = [await visit("auditor").get("/api/search", case=text) for text in ("019ab000", CASE, "019AB000-00")]

        for answer in answers:
            [found] = answer.json()["cases"]
            assert (found["case_id"], found["entries"]) == (CASE, 2)
        assert [type_ for type_, _, _ in await told(ledger.database)] == ["audit.case_found.v1"] * 3

    @pytest.mark.parametrize("text", ["", "019", "019ab00", "zzzzzzzz", "%", CASE + "0"])
    async def test_refuses_what_is_no_beginning_of_an_id(self, visit: Visit, text: str) -> None:
        answer: httpx2.Response = await visit("auditor").get("/api/search", case=text)

        assert answer.status_code == 422
