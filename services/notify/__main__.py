"""Composition root of notify: what it is built of, and its command line."""

import sys
from contextlib import AsyncExitStack, aclosing
from dataclasses import asdict
from functools import partial
from pathlib import Path

import click
import orjson
import uvloop

from services.notify import api, clock, consumers, pages, policy, store
from services.notify.actions import resealing
from services.notify.clock import Courier
from services.notify.domain import refusals
from services.notify.gateways.secrets import Seal
from services.notify.gateways.webhook import WebhookChannel
from services.notify.settings import Settings
from shared.kit.commands import command_line
from shared.kit.database import Database, connect
from shared.kit.inbox import Inbox
from shared.kit.service import Repeated, Service
from shared.kit.settings import load
from shared.kit.web import Nav
from shared.kit.words import msg

FOLDER = Path(__file__).parent

REFUSALS: dict[type[Exception], tuple[int, str, str]] = {
    refusals.SubscriptionUnknown: (404, "subscription_unknown", msg("There is no such subscription")),
    refusals.DeliveryUnknown: (404, "delivery_unknown", msg("There is no such delivery")),
    refusals.TaskUnknown: (404, "task_unknown", msg("There is no such open task")),
    refusals.SubscriptionEnded: (409, "subscription_ended", msg("This subscription has been ended")),
    refusals.DeliveryStillWaiting: (409, "delivery_waiting", msg("This notice is on its way already")),
    refusals.ConsentWithdrawn: (409, "consent_withdrawn", msg("The person does not let this be told any more")),
    refusals.NotToldAnyMore: (409, "not_told_any_more", msg("Nobody is told of this any more")),
    refusals.TooManySubscriptions: (409, "too_many_subscriptions", msg("Your organisation has 50 subscriptions")),
    refusals.NotAllowed: (403, "denied", msg("Your role does not include this")),
}


async def build(settings: Settings, database: Database, stack: AsyncExitStack) -> Service:
    """Put notify together."""
    seal = Seal(settings.secret_key, settings.old_secret_keys)
    webhook = WebhookChannel(open_secret=seal.open, private=settings.endpoint_rules.private)
    stack.push_async_callback(webhook.aclose)
    channels = {"webhook": webhook}
    couriers = [Courier(database, channels, trusted=trusted) for trusted in (True, False)]
    for courier in couriers:
        stack.push_async_callback(courier.aclose)
    inbox = Inbox(database)
    consumers.subscribe(inbox)
    return Service(
        settings=settings,
        database=database,
        folder=FOLDER,
        inbox=inbox,
        routers=[api.router, pages.router],
        clocks=[
            Repeated("notify.deliver_trusted", 0.1, couriers[0].turn),
            Repeated("notify.deliver_patient", 0.1, couriers[1].turn),
            Repeated("notify.give_up", 60.0, partial(clock.give_up_deliveries, database)),
            Repeated("notify.suppress", 5.0, partial(clock.suppress_deliveries, database)),
            Repeated("notify.forget_counts", 3600.0, partial(clock.forget_counts, database)),
        ],
        overdue=partial(store.deliveries.count_overdue, database),
        refusals=REFUSALS,
        navigation=[
            Nav("/", msg("Subscriptions"), frozenset(policy.READERS)),
            Nav("/tugas", msg("Tasks"), frozenset(policy.READERS)),
        ],
        state={"seal": seal, "channels": channels, "endpoint_rules": settings.endpoint_rules},
    )


cli = command_line(Settings, build, FOLDER)


@cli.command("reseal")
def reseal_command() -> None:
    """Seal all signing keys under NOTIFY_SECRET_KEY; exit 1 when some do not open. The service may go on meanwhile."""
    sys.exit(uvloop.run(_reseal(load(Settings))))


async def _reseal(settings: Settings) -> int:
    database = await connect(settings.database_url, service="notify", max_size=2)
    async with aclosing(database):
        done = await resealing.reseal_secrets(database, Seal(settings.secret_key, settings.old_secret_keys))
    click.echo(orjson.dumps({**asdict(done), "old_keys_may_go": done.old_keys_may_go}))
    return 0 if done.old_keys_may_go else 1


if __name__ == "__main__":
    cli()
