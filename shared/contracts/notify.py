"""What notify says: subscriptions, and each notice from queue to delivery or to a person's task."""

from typing import Literal

from shared.contracts.fact import AwareDatetime, Code, Fact, Id

Trouble = Literal[
    "timeout", "connection", "tls", "address_refused", "redirect", "client_error", "server_error", "throttled"
]


class SubscriptionCreated(Fact):
    """An organisation asked to be told. `case_id` is the subscription."""

    channel: Literal["webhook"]


class SubscriptionPaused(Fact):
    """No more notices to this subscription until somebody resumes it. `case_id` is the subscription."""

    reason: Literal["by_subscriber", "gone"]


class SubscriptionResumed(Fact):
    """Notices flow again. `case_id` is the subscription."""


class NoticeFact(Fact):
    delivery_id: Id
    subscription_id: Id


class NoticeQueued(NoticeFact):
    """A fact matched a subscription; the notice waits for delivery."""

    event_id: Id
    event_type: Code


class NoticeDelivered(NoticeFact):
    """The subscriber's server took the notice."""

    attempt: int
    status: int


class NoticeFailed(NoticeFact):
    """One attempt failed; another follows at `next_attempt_at`."""

    attempt: int
    trouble: Trouble
    status: int | None
    next_attempt_at: AwareDatetime


class NoticeDeadLettered(NoticeFact):
    """Attempts ended; it is now a task for a person, with everything needed to replay it."""

    attempt: int
    trouble: Trouble
    status: int | None


class NoticeReplayed(NoticeFact):
    """A person put the notice back into the queue; it keeps its id."""
