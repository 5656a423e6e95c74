"""Trying other rules or another directory on what was decided before, and making stored decisions again.

Neither changes anything: what they need is read first, in a transaction that may only read.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from services.referral import rules
from services.referral.actions import importing, ruling
from services.referral.actions.keeping import AgencyUnknown
from services.referral.domain import households
from services.referral.domain.agencies import Directory, directory
from services.referral.domain.households import Standing
from services.referral.domain.routing import Facts
from services.referral.domain.trials import Trial
from services.referral.rules import Router, Rules, explanations
from services.referral.store import agencies, history
from services.referral.store.history import Member, Past
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.work import Work

BREATH = 100
"""Decisions between two moments in which others have their turn."""

Progress = Callable[[int, int], None]


MONTH = r"^20[0-9]{2}-(0[1-9]|1[0-2])$"
"""People ask for whole months: with free bounds two answers could be set against each other until they tell of one."""


@dataclass(frozen=True, slots=True)
class Question:
    """What to try on whom. `since`, `until`: months `2026-11`, both with; `without`: offices as if suspended;
    `version`: other rules than those in force; `file`: a file as if it had been taken into the directory."""

    since: str | None = None
    until: str | None = None
    port: str | None = None
    without: tuple[str, ...] = ()
    version: str | None = None
    file: bytes | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A question with all that is needed to answer it, read."""

    past: list[Past]
    families: list[list[Member]]
    trial: Trial
    before: Router
    after: Router

    @property
    def total(self) -> int:
        return len(self.past)

    async def run(self) -> AsyncIterator[int]:
        """Count in `trial`; yields how many of `total` are done."""
        async for done in try_out(self.past, self.trial, before=self.before, after=self.after):
            yield done
        await try_households(self.families, self.trial, before=self.before, after=self.after)


async def prepare(database: Database, actor: Actor, asked: Question) -> Prepared:
    """Read what a person's question is about. Raises `AgencyUnknown`, `RulesUnknown`, and as `imported`."""
    since, until = _month(asked.since), _month(asked.until)
    async with database.work(actor, purpose="what_if") as work:
        past, found = await read_past(work, since=since, until=until and _next(until), port=asked.port)
        families = await history.list_members(work, since=since, until=until and _next(until), port=asked.port)
        active = await ruling.active_rules(work)
        other = active if asked.version is None else await ruling.find_rules(work, asked.version)
    changed = found if asked.file is None else imported(found, asked.file, active.kinds | other.kinds)
    trial = Trial(apart=True)
    return Prepared(past, families, trial, Router(active, found), Router(other, without(changed, asked.without)))


def utc(moment: datetime | None) -> datetime | None:
    """A moment that was given without a zone."""
    return None if moment is None else moment.replace(tzinfo=UTC)


def _month(text: str | None) -> datetime | None:
    return None if text is None else datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC)


def _next(month: datetime) -> datetime:
    return month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)


async def read_past(
    work: Work, *, since: datetime | None, until: datetime | None, port: str | None
) -> tuple[list[Past], Directory]:
    """What was decided, and the directory as it is now."""
    await work.as_service()  # decisions belong to needs; here they are counted, whoever's they are
    await work.connection.execute("SET TRANSACTION READ ONLY")
    past = await history.list_past(work, since=since, until=until, port=port)
    return past, directory(await agencies.list_agencies(work), await agencies.changed_at(work))


def imported(found: Directory, content: bytes, ruled: AbstractSet[str]) -> Directory:
    """The directory as it would be with a file taken in. Raises `RowsBad`, `FileUnusable`, `FileTooLarge`."""
    seen = importing.looked(content, found.agencies, ruled)
    if seen.counts["bad"]:
        raise importing.RowsBad(seen.counts["bad"])
    changed = {written.agency.agency_id: written.agency for written in seen.written}
    return directory({**found.agencies, **changed}.values(), found.changed_at)


def without(found: Directory, agency_ids: Iterable[str]) -> Directory:
    """The directory with these offices suspended. Raises `AgencyUnknown`."""
    changed = dict(found.agencies)
    for agency_id in agency_ids:
        if agency_id not in changed:
            raise AgencyUnknown(agency_id)
        changed[agency_id] = replace(changed[agency_id], is_suspended=True)
    return directory(changed.values(), found.changed_at)


async def try_out(past: Sequence[Past], trial: Trial, *, before: Router, after: Router) -> AsyncIterator[int]:
    """Decide everything under both and count it in `trial`; yields how many of `past` are done."""
    for n, one in enumerate(past, 1):
        facts = rules.read(one.body).facts
        trial.add(before.decide(facts), after.decide(facts), needs=one.needs, restricted=one.restricted)
        if n % BREATH == 0:
            await asyncio.sleep(0)
            yield n
    yield len(past)


async def try_households(families: Sequence[Sequence[Member]], trial: Trial, *, before: Router, after: Router) -> None:
    """Let each household land again under both, and count in `trial` whether somebody of it would be apart."""
    for n, some in enumerate(families, 1):
        members = [
            Standing(one.household_id, one.case_id, "", one.need, one.age_band, one.regency, rules.read(one.body).facts)
            for one in some
        ]
        trial.add_household(before=_is_parted(members, before), after=_is_parted(members, after))
        if n % BREATH == 0:
            await asyncio.sleep(0)


def _is_parted(members: Sequence[Standing], router: Router) -> bool:
    def first(facts: Facts) -> str | None:
        return next((one.agency_id for one in router.decide(facts).candidates), None)

    return bool(households.who_is_apart(households.placed(members, first))[1])


async def replay_all(work: Work, *, progress: Progress) -> list[str]:
    """Make every stored decision again from its facts, rules and entries; the digests of those that differ.

    Raises `RulesUnknown` where a version of the rules is not there any more.
    """
    await work.as_service()
    await work.connection.execute("SET TRANSACTION READ ONLY")
    total, done = await history.count_explanations(work), 0
    compiled: dict[str, Rules] = {}
    differing: list[str] = []
    async for bodies in history.all_explanations(work):
        stored = [rules.read(body) for body in bodies]
        wanted = frozenset[tuple[str, int]]().union(*(explanations.entries_of(one) for one in stored))
        entries = await agencies.find_entries(work, sorted(wanted))
        for one in stored:
            if one.rules_version not in compiled:
                compiled[one.rules_version] = await ruling.find_rules(work, one.rules_version)
            again = compiled[one.rules_version].replay(one, entries)
            differing += [one.digest.hex()] if again.body != one.body else []
        done += len(bodies)
        progress(done, total)
    return differing
