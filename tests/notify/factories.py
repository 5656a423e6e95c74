"""Things notify deals with, always valid; tests say only what matters to them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from services.notify.actions import notices, subscriptions
from services.notify.actions.notices import Matchers
from services.notify.domain.deliveries import Answer, Claimed
from services.notify.domain.subscriptions import EndpointRules, Filter
from services.notify.gateways import secrets
from services.notify.gateways.secrets import Seal
from shared.contracts.fact import Fact, Told
from shared.contracts.referral import referrals
from shared.kit.actor import Actor, system
from shared.kit.database import Database
from shared.kit.heard import Heard
from shared.kit.ids import new_id

ANYWHERE = EndpointRules(http_allowed=True, ports=frozenset(range(1, 65536)), private=frozenset())


async def a_subscription(
    database: Database, *, actor: Actor, url: str, seal: Seal, wants: Filter | None = None, name: str = "Posko"
) -> str:
    """A subscription, whatever its address."""
    place = url.partition("//")[2].partition("/")[0]
    rules = EndpointRules(http_allowed=True, ports=ANYWHERE.ports, private=frozenset({place}))
    async with database.work(actor, purpose="test") as work:
        return await subscriptions.create_subscription(
            work,
            name=name,
            url=url,
            wants=wants or Filter(),
            secret=secrets.new_secret(),
            seal=seal.close,
            rules=rules,
        )


def a_fact(kind: type[Fact] = referrals.ReferralOpened, **values: Any) -> Fact:
    given = {
        "case_id": new_id(),
        "referral_id": new_id(),
        "need": "NEED",
        "province": "53",
        "restricted": False,
        "port": "NNK",
        "regency": "53.01",
        "rules_version": "1",
        "explanation": "0" * 64,
        "assignment_id": new_id(),
        "agency_id": "BP3MI-53",
        "attempt": 1,
        "answer_due_at": datetime(2026, 11, 24, tzinfo=UTC),
        "service_due_at": datetime(2026, 11, 24, tzinfo=UTC),
        "reason": "no_capacity",
        "side": "AGENCY",
        "outcome": "SERVICE_DELIVERED",
        "gap_id": new_id(),
    }
    return kind.model_validate(given | values)


def heard(fact: Fact, *, event_id: str | None = None, at: datetime | None = None) -> Heard[Any]:
    """A fact as the inbox hands it to a handler."""
    told = Told[Any](actor="a", organisation="o", role="r", purpose="p", data=fact)
    return Heard(
        event_id=event_id or new_id(),
        source="referral",
        type=fact.type,
        case_id=fact.case_id,
        case_seq=1,
        occurred_at=at or datetime(2026, 11, 23, 2, 30, tzinfo=UTC),
        traceparent=None,
        shared=True,
        payload=b"{}",
        told=told,
    )


async def hear(database: Database, *told: Fact, matchers: Matchers | None = None) -> None:
    """These facts arrive at notify, in one batch."""
    async with database.work(system("notify", "consumer"), purpose="hear") as work:
        await notices.queue_notices(work, [heard(fact) for fact in told], matchers or Matchers())


def a_claim(url: str, *, seal: Seal, now: datetime, **values: Any) -> Claimed:
    subscription_id = new_id()
    given: dict[str, Any] = {
        "delivery_id": new_id(),
        "subscription_id": subscription_id,
        "organisation": "SBMI",
        "test": False,
        "replayed": False,
        "event_id": new_id(),
        "event_type": "referral.referral_opened.v1",
        "case_id": new_id(),
        "need": "NEED",
        "body": b'{"type":"referral.referral_opened.v1"}',
        "traceparent": None,
        "attempts": 0,
        "step": 0,
        "queued_at": now,
        "lease_until": now + timedelta(seconds=60),
        "channel": "webhook",
        "url": url,
        "sealed_secret": seal.close(subscription_id, secrets.new_secret()),
    }
    return Claimed(**(given | values))


def an_answer(status: int | None = 200, **values: Any) -> Answer:
    given: dict[str, Any] = {
        "started_at": datetime(2026, 11, 23, 3, 0, tzinfo=UTC),
        "ms": 20,
        "status": status,
        "trouble": None,
        "retry_after": None,
        "response": b"",
    }
    return Answer(**(given | values))
