"""What coordinators do with the rules. Each step is on the trail: it changes where referrals go."""

import asyncio
import hashlib
from dataclasses import dataclass
from functools import partial
from typing import Literal

from services.referral import rules
from services.referral.actions import telling
from services.referral.domain import rulesets
from services.referral.domain.refusals import Refused
from services.referral.domain.rulesets import Event, RuleSet, RulesKnown, RulesUnknown
from services.referral.rules import Rules, checks, lint, sheets
from services.referral.rules.findings import BadRules, Finding
from services.referral.store import agencies
from services.referral.store import rulesets as store
from shared.kit.work import Work

Kind = Literal["jdm", "xlsx", "csv"]


class RulesUnusable(Refused):
    """What is meant to be rules could not decide; `findings` say why, one by one."""

    def __init__(self, said: str, findings: tuple[Finding, ...]) -> None:
        super().__init__(said)
        self.findings = findings


@dataclass(frozen=True, slots=True)
class Upload:
    """What is to become a version. Sheets give the rows; the rest is that of `base`, by default the one in force.

    `table`: which one a CSV file holds.
    """

    version: str
    content: bytes
    kind: Kind = "jdm"
    base: str | None = None
    table: str = ""


async def body_of(work: Work, upload: Upload) -> bytes:
    """The decision tables that were sent. Raises `RulesUnusable`, `RulesUnknown`."""
    if upload.kind == "jdm":
        return upload.content
    base = await (active_rules(work) if upload.base is None else find_rules(work, upload.base))
    try:
        if upload.kind == "xlsx":
            read = partial(sheets.of_workbook, upload.version, base.text, upload.content)
        else:
            read = partial(sheets.of_table, upload.version, base.text, upload.table, sheets.text_of(upload.content))
        return await asyncio.to_thread(read)
    except BadRules as bad:
        raise RulesUnusable(str(bad), bad.findings) from None


async def draft_rules(work: Work, version: str, body: bytes) -> RuleSet:
    """Enter a draft, once it is such that it could decide. Raises `RulesUnusable`, `RulesKnown`."""
    kinds = frozenset(await agencies.list_kinds(work))
    try:
        checks.check(version, lint.tables(version, body), kinds=kinds)
    except BadRules as bad:
        raise RulesUnusable(str(bad), bad.findings) from None
    drafted = RuleSet(version, "draft", hashlib.sha256(body).digest(), work.actor.id, work.now)
    if not await store.add_rule_set(work, drafted, body):
        raise RulesKnown(version)
    work.record(telling.rules_changed(drafted, "drafted"))
    return drafted


async def note_tried(work: Work, version: str) -> RuleSet:
    """What a version would have made of the past was looked at. Raises `RulesUnknown`, `RulesNotThere`."""
    found = _found(await store.lock_rule_sets(work), version)
    return await _changed(work, rulesets.tried(found, now=work.now), "tried")


async def ask_activation(work: Work, version: str) -> RuleSet:
    """Ask that a version be put in force. Raises `RulesUnknown`, `RulesNotThere`."""
    found = _found(await store.lock_rule_sets(work), version)
    return await _changed(work, rulesets.ask(found, by=work.actor.id, now=work.now), "activation_asked")


async def activate_rules(work: Work, version: str) -> RuleSet:
    """Put a version in force that another person has asked for; the one before retires in the same step.

    Raises `RulesUnknown`, `RulesNotThere`, `RulesNeedAnother`.
    """
    known = await store.lock_rule_sets(work)
    active = rulesets.activate(_found(known, version), by=work.actor.id, now=work.now)
    for before in known.values():
        if before.state == "active":
            await _changed(work, rulesets.retire(before, now=work.now), "retired")
    return await _changed(work, active, "activated")


async def retire_rules(work: Work, version: str) -> RuleSet:
    """Give a draft up. Raises `RulesUnknown`, and `RulesNotThere` for the one in force."""
    found = _found(await store.lock_rule_sets(work), version)
    if found.state == "active":
        raise rulesets.RulesNotThere(found.state, "retired")
    return await _changed(work, rulesets.retire(found, now=work.now), "retired")


async def find_rules(work: Work, version: str) -> Rules:
    """A version, compiled; of those that are shipped also one that was never entered. Raises `RulesUnknown`."""
    body = await store.find_body(work, version)
    if body is None and version in rules.versions():
        return rules.load(version)
    if body is None:
        raise RulesUnknown(version)
    return rules.compiled(version, body)


async def active_rules(work: Work) -> Rules:
    """The version in force; what is shipped where none was entered yet."""
    active = await store.find_active(work)
    return rules.load(rules.latest()) if active is None else await find_rules(work, active.version)


def _found(known: dict[str, RuleSet], version: str) -> RuleSet:
    if version not in known:
        raise RulesUnknown(version)
    return known[version]


async def _changed(work: Work, changed: RuleSet, event: Event) -> RuleSet:
    await store.update_rule_set(work, changed)
    work.record(telling.rules_changed(changed, event))
    return changed
