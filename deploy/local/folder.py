"""The data folder: one launcher at a time, what a killed one left behind, and the secrets made once."""

import asyncio
import base64
import contextlib
import fcntl
import json
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from deploy.local import report
from deploy.local.report import Trouble

NEEDED_MB = 400
PATIENCE = ((signal.SIGTERM, 5.0), (signal.SIGINT, 3.0), (signal.SIGKILL, 5.0))


@asynccontextmanager
async def locked(data: Path, say: report.Say) -> AsyncIterator[None]:
    """Hold the data folder for this process; take over from one that was killed, ending what it left running.

    The kernel gives the lock up when its holder ends, so a stale one cannot shut anybody out; the pid in the file
    tells a killed holder from one that stopped cleanly. Raises `Trouble` when another launcher is at work.
    """
    with writing(data):
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        for part in ("logs", "run"):
            keep_private(data / part)
        handle = os.open(data / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        holder = os.read(handle, 100).decode().strip()
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Trouble(
                f"the data folder {data}",
                f"process {holder or '?'} is using it",
                "Stop that one, or give --data another folder.",
            ) from None
        if holder:
            say(f"The last run (process {holder}) was killed; taking over its lock and its data.")
        await end_leftovers(data, say)
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        try:
            yield
        finally:
            os.ftruncate(handle, 0)
    finally:
        os.close(handle)


@contextmanager
def writing(data: Path) -> Iterator[None]:
    """Raise `Trouble` of the data folder for whatever the system refuses here."""
    try:
        yield
    except OSError as error:
        raise Trouble(
            f"the data folder {data}",
            error.strerror or str(error),
            "Give --data a folder that you may write to.",
        ) from error


def keep_private(folder: Path) -> None:
    """Make a folder that only this user may enter; one that is there is closed to others."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)


def require_space(data: Path) -> None:
    """Raise `Trouble` when the disk is too full to begin."""
    free_mb = shutil.disk_usage(data).free // 2**20
    if free_mb < NEEDED_MB:
        raise Trouble(
            f"the disk of {data}",
            f"only {free_mb} MiB are free, {NEEDED_MB} are needed",
            "Free some space, or give --data a folder on another disk.",
        )


def note_child(data: Path, name: str, pid: int) -> None:
    """Remember a running child, so that the next launcher finds it should it survive this one."""
    (data / "run" / f"{name}.pid").write_text(f"{pid} {birth_of(pid)}\n")


def forget_child(data: Path, name: str) -> None:
    """A child has ended."""
    (data / "run" / f"{name}.pid").unlink(missing_ok=True)


async def end_leftovers(data: Path, say: report.Say) -> None:
    """End what a killed launcher left running: wait a little, ask, then kill. Only the very processes it started."""
    left: dict[Path, int] = {}
    for file in (data / "run").glob("*.pid"):
        number, _, birth = file.read_text().strip().partition(" ")
        if birth and birth_of(int(number)) == birth:
            left[file] = int(number)
        else:
            file.unlink(missing_ok=True)
    if not left:
        return
    say(f"Waiting for what the last run left running: {', '.join(sorted(file.stem for file in left))}.")
    births = {pid: birth_of(pid) for pid in left.values()}
    for sign, patience_s in PATIENCE:
        living = [pid for pid in births if births[pid] and birth_of(pid) == births[pid]]
        for pid in living:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, sign) if sign == signal.SIGKILL else os.kill(pid, sign)
        until = time.monotonic() + patience_s
        while any(birth_of(pid) == births[pid] for pid in living) and time.monotonic() < until:
            await asyncio.sleep(0.05)
    for file in left:
        file.unlink(missing_ok=True)


def birth_of(pid: int) -> str:
    """When a process began, in whatever unit the system keeps; empty when it does not run (a zombie does not)."""
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            return ""
        return "" if fields[0] == "Z" else fields[19]
    asked = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return asked.stdout.strip()


def keep_secrets(data: Path, services: Sequence[str]) -> dict[str, str]:
    """The secrets of this stack, made at the first run and kept in <data>/secrets.json (mode 600)."""
    file = data / "secrets.json"
    kept: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    names = [
        *("VAULT_KEK", "VAULT_INDEX_KEY", "NOTIFY_SECRET_KEY", "LEDGER_KEY", "PROVIDER_SECRET", "postgres"),
        *(f"{service}_{role}" for service in services for role in ("owner", "app")),
    ]
    missing = {name: new_secret() for name in names if name not in kept}
    if "VAULT_KEK" in kept and "VAULT_INDEX_KEY" in missing:
        # Digests were made with it before they had a key of their own; with another nobody would be known again.
        missing["VAULT_INDEX_KEY"] = kept["VAULT_KEK"]
    if missing:
        kept |= missing
        draft = file.with_suffix(".new")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:  # noqa: PTH123 - with mode
            json.dump(kept, out, indent=1)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(file)
    return kept


def new_secret() -> str:
    """32 random bytes, base64url without padding."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
