"""The command line of the local stack: `python -m deploy.local up` and `python -m deploy.local demo`."""

import asyncio
import json
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import click

from deploy.local import report, stack, welcome
from deploy.local.demo import stage, story, summary
from deploy.local.demo.manifest import ManifestMissing, read
from deploy.local.demo.progress import Progress
from deploy.local.demo.story import Result
from deploy.local.report import Trouble
from deploy.local.stack import Running

BEGAN = time.monotonic()
FOLDER = click.Path(file_okay=False, path_type=Path)
STOPPED_BY_SIGNAL = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def command_line() -> None:
    """Run all of Rujukan on this machine, with a real Kafka and a real PostgreSQL as child processes."""


@command_line.command("up")
@click.option("--data", type=FOLDER, default=Path(".rujukan"), show_default=True, help="Where everything is kept.")
@click.option("--empty", is_flag=True, help="Do not import the demo manifest.")
def up_command(data: Path, *, empty: bool) -> None:
    """Start everything, play the demo into a new data folder, and serve until Ctrl-C."""
    code = asyncio.run(until_told(up(data.resolve(), empty=empty)))
    sys.exit(0 if code == STOPPED_BY_SIGNAL else code)


@command_line.command("demo")
@click.argument("manifest", type=click.Path(path_type=Path), default=story.SAMPLE)
@click.option("--keep", type=FOLDER, help="Keep everything the run wrote in this folder.")
def demo_command(manifest: Path, keep: Path | None) -> None:
    """Play one manifest through a throw-away stack, check the outcome, and end with one line of JSON."""
    try:
        read(manifest)
    except ManifestMissing as missing:
        report.to_stderr(f"{missing}\nGive the path of a CSV file: make demo MANIFEST=path.csv")
        sys.exit(1)
    if keep and keep.exists() and any(keep.iterdir()):
        report.to_stderr(f"{keep} is not empty.\nGive a new folder: make demo KEEP=folder")
        sys.exit(1)
    data = keep.resolve() if keep else Path(tempfile.mkdtemp(prefix="rujukan-demo-"))
    code = asyncio.run(until_told(demo(data, manifest)))
    if keep is None and code == 1:
        report.to_stderr(f"What the run wrote is kept in {data}, its logs in {data / 'logs'}.")
    elif keep is None:
        shutil.rmtree(data, ignore_errors=True)
    sys.exit(code)


async def up(data: Path, *, empty: bool) -> int:
    async with stack.running(data, settings=stage.settings) as running:
        if not empty:
            click.echo((await _play(running, story.SAMPLE)).text)
            await stage.end_hurry(running)
        click.echo(welcome.text(running))
        await running.failed()
    return 0


async def demo(data: Path, manifest: Path) -> int:
    result = Result(ok=False, line={}, text="")
    try:
        async with stack.running(data, settings=stage.settings) as running:
            result = await _play(running, manifest)
            click.echo(result.text)
    finally:  # whatever happens, whoever reads the last line finds what is known
        line = result.line or summary.nothing_known(time.monotonic() - BEGAN)
        click.echo(json.dumps(line, ensure_ascii=False))
    return 0 if result.ok else 1


async def _play(running: Running, manifest: Path) -> Result:
    """Play the story; a child whose end is fatal ends it too."""
    with Progress() as progress:
        playing = asyncio.create_task(story.run(running, manifest, began=BEGAN, progress=progress))
        failing = asyncio.create_task(running.failed())
        try:
            await asyncio.wait((playing, failing), return_when=asyncio.FIRST_COMPLETED)
            if playing.done() and playing.exception():  # a moment later it is known whether a child's end was why
                await asyncio.wait((failing,), timeout=1)
            if failing.done():
                await failing
            return await playing
        finally:
            for task in (playing, failing):
                task.cancel()
            await asyncio.gather(playing, failing, return_exceptions=True)


async def until_told(work: Coroutine[Any, Any, int]) -> int:
    """Do this work; SIGINT, SIGTERM and SIGHUP end it in order. Returns the exit code."""
    task = asyncio.create_task(work)

    def stop() -> None:
        if not task.cancelling():
            report.to_stderr("\nStopping …")
            task.cancel()

    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(sign, stop)
    try:
        return await task
    except asyncio.CancelledError:
        report.to_stderr("Everything is stopped.")
        return STOPPED_BY_SIGNAL
    except Trouble as trouble:
        report.to_stderr(f"\n{trouble.thing}: {trouble.reason}.\n{trouble.remedy}")
    return 1


if __name__ == "__main__":
    command_line(prog_name="python -m deploy.local")
