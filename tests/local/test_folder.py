"""The data folder: one launcher at a time, what a killed one left behind, secrets that are made once."""

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local import folder
from deploy.local.report import Trouble

STUBBORN = (
    "import signal, time; signal.signal(15, signal.SIG_IGN); signal.signal(2, signal.SIG_IGN);"
    " print('ready', flush=True); time.sleep(60)"
)


class TestLocked:
    async def test_leaves_nothing_to_take_over_after_a_clean_end(self, tmp_path: Path) -> None:
        said: list[str] = []

        for _ in range(2):
            async with folder.locked(tmp_path, said.append):
                assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"

        assert said == []

    async def test_says_in_one_line_that_it_takes_over_from_a_killed_one(self, tmp_path: Path) -> None:
        (tmp_path / "lock").write_text("4194305\n")
        said: list[str] = []

        async with folder.locked(tmp_path, said.append):
            pass

        assert said == ["The last run (process 4194305) was killed; taking over its lock and its data."]

    async def test_refuses_while_another_holds_it_and_leaves_its_number_alone(self, tmp_path: Path) -> None:
        async with folder.locked(tmp_path, print):
            with pytest.raises(Trouble, match=f"process {os.getpid()} is using it"):
                async with folder.locked(tmp_path, print):
                    pass

            assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"

    async def test_lets_nobody_else_in(self, tmp_path: Path) -> None:
        async with folder.locked(tmp_path / "new", print):
            pass
        (tmp_path / "old" / "logs").mkdir(parents=True)
        async with folder.locked(tmp_path / "old", print):
            pass

        parts = ["new", "new/logs", "new/run", "old/logs", "old/run"]
        assert {part: stat.S_IMODE((tmp_path / part).stat().st_mode) for part in parts} == dict.fromkeys(parts, 0o700)

    async def test_says_which_folder_it_may_not_make(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")

        with pytest.raises(Trouble, match="the data folder"):
            async with folder.locked(tmp_path / "file" / "data", print):
                pass

    async def test_ends_what_a_killed_one_left_running_even_if_it_does_not_listen(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(folder, "PATIENCE", ((signal.SIGTERM, 0.2), (signal.SIGINT, 0.2), (signal.SIGKILL, 5.0)))
        left = subprocess.Popen([sys.executable, "-c", STUBBORN], start_new_session=True, stdout=subprocess.PIPE)
        assert left.stdout is not None
        assert left.stdout.readline() == b"ready\n"
        (tmp_path / "run").mkdir()
        folder.note_child(tmp_path, "intake", left.pid)

        async with folder.locked(tmp_path, print):
            assert left.wait(5) == -signal.SIGKILL
            assert not list((tmp_path / "run").iterdir())

    async def test_touches_no_process_that_only_has_the_same_number(self, tmp_path: Path) -> None:
        other = subprocess.Popen(["sleep", "60"])
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / "intake.pid").write_text(f"{other.pid} 12345\n")

        async with folder.locked(tmp_path, print):
            assert other.poll() is None

        other.kill()
        other.wait()


class TestKeepSecrets:
    def test_makes_them_once_and_lets_nobody_else_read_them(self, tmp_path: Path) -> None:
        first = folder.keep_secrets(tmp_path, ["intake"])

        assert folder.keep_secrets(tmp_path, ["intake"]) == first
        assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600
        assert len(set(first.values())) == len(first)
        assert {"VAULT_KEK", "VAULT_INDEX_KEY", "LEDGER_KEY", "PROVIDER_SECRET", "intake_owner"} < set(first)

    def test_keeps_the_digests_of_a_folder_that_had_no_key_of_their_own(self, tmp_path: Path) -> None:
        (tmp_path / "secrets.json").write_text(json.dumps({"VAULT_KEK": "the key it had"}))

        kept = folder.keep_secrets(tmp_path, ["intake"])

        assert kept["VAULT_KEK"] == kept["VAULT_INDEX_KEY"] == "the key it had"
        assert folder.keep_secrets(tmp_path, ["intake"]) == kept


class TestRequireSpace:
    def test_says_how_much_is_missing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(folder, "NEEDED_MB", 2**40)

        with pytest.raises(Trouble, match="MiB are free") as refused:
            folder.require_space(tmp_path)

        assert "--data" in refused.value.remedy
