"""What notify says: subscriptions, and each notice from queue to delivery or to a person's task."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

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


class SubscriptionChanged(Fact):
    """Its address or filter was changed. `case_id` is the subscription."""


class SubscriptionEnded(Fact):
    """Nobody wants these notices any more. `case_id` is the subscription."""


class SubscriptionTested(Fact):
    """A test notice was sent, once. `case_id` is the subscription."""

    for_audit = True

    delivery_id: Id
    trouble: Trouble | None
    status: int | None


class TaskDismissed(Fact):
    """A person closed a task without sending anything again. `case_id` is the subscription."""

    for_audit = True

    task_id: Id
    delivery_id: Id | None


class SecretsResealed(Fact):
    """Signing keys of subscriptions were put under the current key. `case_id` stands for all of them."""

    for_audit = True

    run_id: Id
    resealed: int
    """How many in this step of the run."""
    unreadable: int
    """How many in this step open under no key that was given."""


class NoticeFact(Fact):
    """What each fact about one notice repeats. `case_id` is the case that the notice is about."""

    delivery_id: Id
    subscription_id: Id


class QueuedNotice(BaseModel):
    """One notice that waits for delivery, and the fact that it tells."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    delivery_id: Id
    subscription_id: Id
    event_id: Id
    event_type: Code


class NoticesQueued(Fact):
    """Facts about this case matched subscriptions; these notices wait for delivery.

    One fact for all that were heard together: a case with many subscribers would else be told of as often.
    """

    for_audit = True

    notices: tuple[QueuedNotice, ...] = Field(min_length=1, max_length=500)


class NoticeDelivered(NoticeFact):
    """The subscriber's server took the notice."""

    attempt: int
    status: int


class NoticeFailed(NoticeFact):
    """One attempt failed; another follows at `next_attempt_at`."""

    for_audit = True

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


class NoticeSuppressed(NoticeFact):
    """A notice was ended unsent: its subscription had ended, or its organisation is not to be told any more.

    `restricted`: only the case team may know of the need by now.
    """

    for_audit = True

    reason: Literal["subscription_ended", "consent_withdrawn", "restricted"]
