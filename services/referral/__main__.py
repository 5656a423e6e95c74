"""Composition root of referral: what it is built of, and its command line."""

from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import aiohttp

from services.referral import api, clock, consumers, pages, policy, rules
from services.referral.actions.routing import Routing
from services.referral.actions.running import Runs
from services.referral.commands.agencies import agencies_group
from services.referral.commands.rules import rules_group, whatif_command
from services.referral.gateways import Disclosure
from services.referral.settings import Settings
from services.referral.store import desk
from shared.kit import telemetry
from shared.kit.commands import command_line
from shared.kit.database import Database
from shared.kit.inbox import Inbox
from shared.kit.service import Repeated, Service
from shared.kit.web import Nav
from shared.kit.words import msg

FOLDER = Path(__file__).parent


async def build(settings: Settings, database: Database, stack: AsyncExitStack) -> Service:
    """Put referral together."""
    routing = Routing(rules.load(rules.latest()), answer_limit=settings.answer_limit)
    inbox = Inbox(database)
    consumers.subscribe(inbox, routing)
    due = clock.all_due(database, routing)
    telemetry.gauge("due_stuck", "1", "due rows left out", lambda: sum(len(one.stuck) for one, _ in due))
    runs = Runs(database)
    stack.push_async_callback(runs.aclose)
    http = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)
    stack.push_async_callback(http.close)
    return Service(
        settings=settings,
        database=database,
        folder=FOLDER,
        inbox=inbox,
        routers=[api.router, pages.router],
        clocks=[
            *(Repeated(f"referral.{one.kind}", every_s, one) for one, every_s in due),
            Repeated("referral.enter_rules", 600.0, partial(clock.enter_rules, database)),
        ],
        overdue=partial(desk.count_overdue, database),
        refusals=api.REFUSALS,
        navigation=[
            Nav("/", msg("Inbox"), frozenset(policy.WORKERS)),
            Nav("/eskalasi", msg("Escalations and gaps"), frozenset(policy.DUTY)),
            Nav("/keluarga-terpisah", msg("Families apart"), frozenset(policy.DUTY)),
            Nav("/jeda", msg("Passed over and waiting"), frozenset(policy.SUPERVISORS)),
            Nav("/pertanyaan", msg("Questions to the port"), frozenset(policy.PORT_OFFICERS)),
            Nav("/darurat", msg("Emergency access"), frozenset(policy.GLASS_BREAKERS)),
            Nav("/pengawasan", msg("Oversight"), frozenset(policy.OVERSIGHT)),
            Nav("/asal-dikoreksi", msg("Corrected origins"), frozenset(policy.WORKERS)),
            Nav("/kantor", msg("Our office"), frozenset(policy.WORKERS)),
            Nav("/direktori", msg("Directory"), frozenset(policy.KEEPERS)),
            Nav("/aturan", msg("Rules"), frozenset(policy.KEEPERS)),
            Nav("/angka", msg("Figures"), frozenset(policy.WATCHERS)),
        ],
        state={"routing": routing, "runs": runs, "disclosure": Disclosure(http, settings.intake_url)},
    )


cli = command_line(Settings, build, FOLDER)
cli.add_command(agencies_group)
cli.add_command(rules_group)
cli.add_command(whatif_command)


if __name__ == "__main__":
    cli()
