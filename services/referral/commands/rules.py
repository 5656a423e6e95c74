"""`rules`: looking after the rules from the command line. `whatif`: trying others, or another directory."""

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from services.referral.actions import ruling, trying
from services.referral.commands import in_work
from services.referral.domain.trials import Trial
from services.referral.rules import Router, Rules, sheets
from services.referral.rules.findings import BadRules
from services.referral.store import history, rulesets
from shared.kit.work import Work

A_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _told(done: int, total: int) -> None:
    """Where it stands, in one line that is written over."""
    click.echo(f"\r{done:,} of {total:,} decisions", nl=done == total, err=True)


def _of_file(path: Path) -> Rules:
    try:
        return Rules(path.stem, path.read_bytes())
    except BadRules as error:
        raise click.ClickException(f"{path} holds no rules that could decide: {error}") from None


@click.group("rules")
def rules_group() -> None:
    """The rules: list the versions, files out and in, look for mistakes, make every stored decision again."""


@rules_group.command("list")
def list_command() -> None:
    """List the versions, the latest first: name, state, SHA-256."""

    async def show(work: Work) -> None:
        for found in await rulesets.list_rule_sets(work):
            click.echo(f"{found.version}\t{found.state}\t{found.digest.hex()}")

    in_work(show, part="rules", purpose="look")


@rules_group.command("export")
@click.argument("version")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def export_command(version: str, file: Path) -> None:
    """Write VERSION to FILE: as a workbook where it ends in .xlsx, else in JDM."""
    found: list[Rules] = []

    async def find(work: Work) -> None:
        found.append(await ruling.find_rules(work, version))

    in_work(find, part="rules", purpose="look")
    file.write_bytes(sheets.workbook(found[0].text) if file.suffix == ".xlsx" else found[0].text)


@rules_group.command("draft")
@click.argument("version")
@click.argument("file", type=A_FILE)
@click.option("--base", help="Of a workbook: the version that it went out from; without it that in force.")
def draft_command(version: str, file: Path, base: str | None) -> None:
    """Enter FILE (.xlsx, else JDM) as the draft VERSION; coordinators try it and put it in force."""
    upload = ruling.Upload(version, file.read_bytes(), "xlsx" if file.suffix == ".xlsx" else "jdm", base)

    async def draft(work: Work) -> None:
        body = await ruling.body_of(work, upload)
        click.echo(f"{(await ruling.draft_rules(work, version, body)).version}\tdraft")

    in_work(draft, part="rules", purpose="keep_rules")


@rules_group.command("lint")
@click.argument("file", type=A_FILE)
def lint_command(file: Path) -> None:
    """Say what is wrong in FILE, a rule set in JDM."""
    found = _of_file(file)
    click.echo(f"{file}: {len(found.rows)} rows propose offices; nothing is wrong.")


@rules_group.command("replay")
def replay_command() -> None:
    """Make every stored decision again from what is stored with it; ends with 1 where one comes out otherwise."""

    async def replay(work: Work) -> None:
        differing = await trying.replay_all(work, progress=_told)
        for digest in differing:
            click.echo(digest)
        if differing:
            raise click.ClickException(f"{len(differing)} stored decisions come out otherwise.")

    in_work(replay, part="rules", purpose="replay")


@click.command("whatif")
@click.option("--rules", "file", type=A_FILE, help="Other rules, in JDM; without it those in force.")
@click.option("--without", "suspended", multiple=True, help="An office as if it were suspended; may be repeated.")
@click.option("--directory", "entries", type=A_FILE, help="A file (HSDS JSON or CSV) as if it had been taken in.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="First day of landing (UTC).")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="The day after the last (UTC).")
@click.option("--port", help="Only who landed here, for example NNK.")
def whatif_command(
    file: Path | None,
    entries: Path | None,
    suspended: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    port: str | None,
) -> None:
    """Who would have gone where under other rules or without an office: exact numbers, nothing is changed."""
    content = None if entries is None else entries.read_bytes()

    async def run(work: Work) -> None:
        active = await ruling.active_rules(work)
        other = active if file is None else _of_file(file)
        past, found = await trying.read_past(work, since=trying.utc(since), until=trying.utc(until), port=port)
        trial = Trial(apart=False)
        changed = found if content is None else trying.imported(found, content, active.kinds | other.kinds)
        routers = Router(active, found), Router(other, trying.without(changed, suspended))
        async for done in trying.try_out(past, trial, before=routers[0], after=routers[1]):
            _told(done, len(past))
        families = await history.list_members(work, since=trying.utc(since), until=trying.utc(until), port=port)
        await trying.try_households(families, trial, before=routers[0], after=routers[1])
        _show(trial.exact())

    in_work(run, part="rules", purpose="what_if")


def _show(result: dict[str, Any]) -> None:
    click.echo(f"{result['needs']} needs; {result['same']} as before; {result['unroutable']} would have nobody")
    click.echo(
        f"{result['households']} households; {result['parted_before']} parted before; {result['parted_after']} would be"
    )
    for line in result["moved"]:
        click.echo(
            f"{line['needs']}\t{line['need']}\t{line['province']}\t{line['before'] or '-'}\t{line['after'] or '-'}"
        )
    for line in result["deadlines"]:
        click.echo(f"{line['needs']}\t{line['need']}\t{line['agency_id']}\t{line['before']}\t{line['after']}")
    for line in result["load"]:
        click.echo(f"{line['agency_id']}\t{line['before']}\t{line['after']}")
