"""The parts of the demo that need no running service: reading the file, choices, canaries, the receiver."""

import hashlib
import io
import json
import socket
import stat
import uuid
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
import standardwebhooks
from aiohttp import web

from deploy.local.demo import choices, leaks, ledger, manifest, stage
from deploy.local.demo.progress import Progress
from deploy.local.demo.receiver import Receiver

SAMPLE = Path(manifest.__file__).parent / "data" / "manifest.csv"


class TestManifest:
    def test_reads_the_sample(self) -> None:
        sample = manifest.read(SAMPLE)

        assert len(sample.rows) == 200
        assert sample.announced == 204

    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
    def test_reads_other_separators_and_encodings(self, delimiter: str, encoding: str) -> None:
        text = "\r\n".join(
            [delimiter.join(["no", "nama", "kelamin"]), delimiter.join(["1", "José", "L"]), "", delimiter * 2]
        )

        read = manifest.parse("x.csv", text.encode(encoding))

        assert read.heading == ("no", "nama", "kelamin")
        assert read.rows == (manifest.Row(2, ("1", "José", "L")),)

    def test_finds_the_heading_below_a_letterhead(self) -> None:
        read = manifest.parse("x.csv", b"sep=;\nDaftar;;\n\nno;nama;jk\n1;Bala;L\n")

        assert read.heading == ("no", "nama", "jk")
        assert [row.number for row in read.rows] == [5]

    def test_an_unclosed_quotation_mark_swallows_no_row(self) -> None:
        read = manifest.parse("x.csv", b'nama,jk\n"Bala,L\nIka,P\n')

        assert [row.number for row in read.rows] == [2, 3]

    def test_an_empty_file_has_no_rows(self) -> None:
        assert manifest.parse("x.csv", b"").rows == ()

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(manifest.ManifestMissing, match=r"nowhere\.csv"):
            manifest.read(tmp_path / "nowhere.csv")

    def test_takes_names_numbers_and_birth_dates_for_canaries(self) -> None:
        values = manifest.identifying(manifest.read(SAMPLE))

        assert {"Shakila binti Balangga", "6503996912850002", "X9000002", "1985-12-29"} <= set(values)
        assert not {"overstay", "73.06", "DTI Tawau"} & set(values)


class TestStage:
    def test_keeps_the_receivers_addresses_unless_another_program_took_one(self, tmp_path: Path) -> None:
        first = stage.settings(tmp_path)["notify"]["WEBHOOK_ALLOW_PRIVATE"]
        again = stage.settings(tmp_path)["notify"]["WEBHOOK_ALLOW_PRIVATE"]
        listening, dead = first.split(",")
        with socket.create_server(("127.0.0.1", int(dead.rpartition(":")[2]))):
            moved = stage.settings(tmp_path)["notify"]["WEBHOOK_ALLOW_PRIVATE"]

        assert again == first
        assert moved.split(",")[0] == listening
        assert moved.split(",")[1] != dead

    def test_lets_nobody_else_in(self, tmp_path: Path) -> None:
        stage.settings(tmp_path)

        assert stat.S_IMODE((tmp_path / "demo").stat().st_mode) == 0o700

    def test_hurries_until_the_story_was_played(self, tmp_path: Path) -> None:
        assert stage.HURRY in stage.settings(tmp_path)["referral"]
        (tmp_path / "demo" / "played").touch()
        assert stage.settings(tmp_path)["referral"] == {}


class TestChoices:
    def test_are_mostly_yes_with_every_other_kind(self) -> None:
        referrals = [str(uuid.UUID(int=n)) for n in range(2000)]

        first = Counter(choices.choose(r, 1).answer for r in referrals)
        second = Counter(choices.choose(r, 2).answer for r in referrals)

        assert first["accept"] > 1400
        assert min(first["decline"], first["silence"]) > 60
        assert second["silence"] == 0
        assert 0 < second["decline"] < 80

    def test_are_the_same_each_time(self) -> None:
        assert choices.choose("r1", 1) == choices.choose("r1", 1)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class TestProgress:
    def test_is_one_line_per_step_in_a_log(self) -> None:
        out = io.StringIO()
        with Progress(out) as progress:
            progress.step("First")
            progress.more("3 left")
            progress.step("Second")

        assert [line.partition(" s  ")[2] for line in out.getvalue().splitlines()] == ["First", "Second"]

    def test_is_redrawn_on_a_terminal(self) -> None:
        out = Terminal()
        with Progress(out) as progress:
            progress.step("First")
            progress.more("3 left")

        assert out.getvalue().count("\r") == 2
        assert out.getvalue().endswith("First · 3 left\n")


class TestLedger:
    def test_builds_the_tree_of_rfc_6962(self) -> None:
        a, b, c = (bytes([n]) * 32 for n in range(3))

        def node(left: bytes, right: bytes) -> bytes:
            return hashlib.sha256(b"\x01" + left + right).digest()

        assert ledger.root_of([]) == hashlib.sha256(b"").digest()
        assert ledger.root_of([a]) == a
        assert ledger.root_of([a, b, c]) == node(node(a, b), c)
        assert ledger.root_of([a, b, c, a, b]) == node(node(node(a, b), node(c, a)), b)


class TestLeaks:
    def test_finds_whole_values_only_whatever_their_case(self) -> None:
        canaries = leaks.Canaries(["Shakila binti Balangga", "6503996912850002", "Balangga", "1985-12-29"])

        assert canaries.found_in(b'{"n":"SHAKILA BINTI BALANGGA"}') == {"Shakila binti Balangga", "Balangga"}
        assert canaries.found_in(b"nik=6503996912850002;") == {"6503996912850002"}
        assert canaries.found_in(b"born 1985-12-29T00:00") == set()
        assert canaries.found_in(b"born 1985-12-29.") == {"1985-12-29"}
        assert canaries.found_in(b"Balanggata Shakila") == set()

    async def test_looks_into_files(self, tmp_path: Path) -> None:
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "intake.log").write_text("took X9000002")

        found = await leaks.leaks(["X9000002", "X9000003"], folders=[tmp_path])

        assert [leak.value for leak in found] == ["X9000002"]
        assert found[0].place.endswith("intake.log")


class TestReceiver:
    SECRET = "whsec_" + "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"

    async def test_takes_good_notices_once_and_refuses_bad_ones(self, tmp_path: Path) -> None:
        receiver = Receiver(tmp_path / "notices.jsonl")
        receiver.use(self.SECRET)
        runner = web.AppRunner(receiver.app())
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        now, body = datetime.now(UTC), json.dumps({"type": "x"})
        signature = standardwebhooks.Webhook(self.SECRET).sign("n1", now, body)
        good = {"webhook-id": "n1", "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signature}

        async with aiohttp.ClientSession() as http:
            statuses = [
                (await http.post(f"{url}/notices", data=body, headers=good)).status,
                (await http.post(f"{url}/notices", data=body, headers=good)).status,
                (await http.post(f"{url}/notices", data=body + " ", headers=good)).status,
                (await http.post(f"{url}/notices", data=body)).status,
            ]
            counts = await (await http.get(f"{url}/counts")).json()
        await runner.cleanup()

        assert statuses == [200, 200, 401, 401]
        assert counts == {"received": 2, "distinct": 1, "refused": 2}
        assert Receiver(tmp_path / "notices.jsonl").ids == {"n1"}
        assert stat.S_IMODE((tmp_path / "notices.jsonl").stat().st_mode) == 0o600
