"""What the command line promises however a run ends."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from deploy.local import __main__ as command
from deploy.local import stack
from deploy.local.demo import story, summary
from deploy.local.report import Trouble
from tests.local.conftest import CLEAN, ROOT


class TestDemo:
    def test_ends_with_the_line_when_nothing_could_be_started(self, tmp_path: Path) -> None:
        ended = subprocess.run(
            [sys.executable, "-m", "deploy.local", "demo", "--keep", str(tmp_path / "kept")],
            cwd=ROOT,
            env={**CLEAN, "RUJUKAN_BROKER": "mysql"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

        line = json.loads(ended.stdout.splitlines()[-1])
        assert ended.returncode == 1
        assert 'RUJUKAN_BROKER: "mysql" is no choice' in ended.stderr
        assert tuple(line) == summary.FIGURES
        assert (line["lost"], line["ledger_verified"]) == (None, False)

    @pytest.mark.parametrize("how", ["at once", "after the story has felt it"])
    async def test_ends_with_the_line_and_the_reason_when_the_broker_dies(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], how: str
    ) -> None:
        felt = how != "at once"

        async def failed() -> None:
            await asyncio.sleep(0.2 if felt else 0)
            raise Trouble("kafka", "was killed by SIGKILL", "Read its log.")

        @asynccontextmanager
        async def running(*_: Any, **__: Any) -> AsyncIterator[SimpleNamespace]:
            yield SimpleNamespace(failed=failed)

        async def run(*_: Any, **__: Any) -> None:
            if felt:
                raise ConnectionError("the connection was closed")
            await asyncio.sleep(60)

        monkeypatch.setattr(stack, "running", running)
        monkeypatch.setattr(story, "run", run)

        code = await command.until_told(command.demo(tmp_path, story.SAMPLE))

        out, err = capsys.readouterr()
        assert code == 1
        assert "kafka: was killed by SIGKILL" in err
        assert tuple(json.loads(out.splitlines()[-1])) == summary.FIGURES
