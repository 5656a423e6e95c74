"""Bodies that are spooled: whole from any place, and nothing of them to be read on the disk."""

import random
import tempfile
from pathlib import Path
from typing import IO, Any

import pytest

from shared.kit.web import spool
from shared.kit.web.spool import NoRoom, Spool


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> list[IO[bytes]]:
    """The temporary files that are made."""
    made: list[IO[bytes]] = []
    make = tempfile.TemporaryFile

    def keep(**said: Any) -> IO[bytes]:
        made.append(make(**said))
        return made[-1]

    monkeypatch.setattr(tempfile, "TemporaryFile", keep)
    monkeypatch.setattr(spool, "CHUNK", 64)
    return made


def a_spool(content: bytes, part: int = 50) -> Spool:
    kept = Spool()
    for at in range(0, len(content), part):
        kept.write(content[at : at + part])
    return kept


@pytest.mark.parametrize("length", [0, 1, 63, 64, 65, 128, 129, 1000])
def test_what_was_written_is_read_from_any_place(files: list[IO[bytes]], length: int) -> None:
    content = random.Random(length).randbytes(length)
    kept = a_spool(content)

    assert len(kept) == length
    for at in (0, 1, 63, 64, 65, length // 2, length):
        for size in (-1, 0, 1, 64, 200):
            kept.seek(at)
            end = length if size < 0 else at + size
            assert kept.read(size) == content[at:end]
            assert kept.read(3) == content[end : end + 3]


def test_nothing_of_it_is_readable_on_the_disk(files: list[IO[bytes]]) -> None:
    a_spool(b"Emong bin Kawaya;" * 100)

    files[0].seek(0)
    sealed = files[0].read()
    assert len(sealed) > 1_000
    assert b"Emong" not in sealed


def test_what_is_short_does_not_get_there(files: list[IO[bytes]]) -> None:
    a_spool(b"Emong bin Kawaya;")

    files[0].seek(0)
    assert files[0].read() == b""


def test_a_full_disk_is_said_and_no_bug(files: list[IO[bytes]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every write to this device fails for want of room."""
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: Path("/dev/full").open("r+b", buffering=0))  # noqa: SIM115

    with pytest.raises(NoRoom) as refused:
        a_spool(b"Emong bin Kawaya;" * 100)
    assert (refused.value.status, refused.value.headers) == (503, {"Retry-After": "60"})


def test_the_same_chunk_is_sealed_otherwise_in_another_spool(files: list[IO[bytes]]) -> None:
    for _ in range(2):
        a_spool(b"x" * 200)
    for file in files:
        file.seek(0)

    assert files[0].read() != files[1].read()
