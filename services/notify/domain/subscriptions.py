"""Subscriptions: what a subscriber wants to hear, and where it may be sent."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from services.notify.domain.addresses import is_public
from services.notify.domain.refusals import EndpointRefused

Status = Literal["active", "paused", "ended"]
Pause = Literal["by_subscriber", "gone"]
Channel = Literal["webhook"]

EVENTS: dict[str, str] = {
    "referral.referral_opened.v1": "opened",
    "referral.assignment_sent.v1": "sent",
    "referral.assignment_acknowledged.v1": "acknowledged",
    "referral.assignment_accepted.v1": "accepted",
    "referral.assignment_declined.v1": "declined",
    "referral.assignment_expired.v1": "expired",
    "referral.service_started.v1": "in_progress",
    "referral.assignment_completed.v1": "completed",
    "referral.assignment_failed.v1": "failed",
    "referral.assignment_recalled.v1": "recalled",
    "referral.assignment_cancelled.v1": "cancelled",
    "referral.referral_fulfilled.v1": "fulfilled",
    "referral.referral_closed.v1": "closed",
    "referral.referral_reopened.v1": "reopened",
    "referral.referral_escalated.v1": "escalated",
    "referral.gap_opened.v1": "gap",
    "referral.assignment_reminded.v1": "reminded",
    "referral.assignment_waitlisted.v1": "waitlisted",
    "referral.question_asked.v1": "port_asked",
    "referral.question_answered.v1": "port_answered",
    "referral.question_lapsed.v1": "port_silent",
    "referral.acceptance_undone.v1": "acceptance_undone",
    "referral.assignment_transferred.v1": "transferred",
    "referral.assignment_entered_in_error.v1": "entered_in_error",
    "referral.referral_held.v1": "on_hold",
    "referral.referral_resumed.v1": "resumed",
    "referral.escalation_taken.v1": "taken",
    "referral.escalation_raised.v1": "raised",
    "referral.gap_closed.v1": "gap_closed",
    "referral.referral_corrected.v1": "corrected",
    "referral.consent_awaited.v1": "consent_awaited",
    "referral.consent_obtained.v1": "consent_obtained",
    "referral.cancellation_confirmed.v1": "ending_confirmed",
    "referral.cancellation_overdue.v1": "ending_unconfirmed",
}
"""Facts that a subscriber can be told, and the state each one leaves the need or attempt in."""

OPENED = "referral.referral_opened.v1"
MOVING = frozenset({"referral.referral_corrected.v1", "referral.referral_reopened.v1"})
"""Facts by which a need may come to be due elsewhere than it was, or be no more the case team's alone."""

Kind = tuple[str, str, str]
"""(event type, province, need): all that a filter looks at."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What to hear. An empty set means: all."""

    events: frozenset[str] = frozenset()
    provinces: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()

    def wants(self, kind: Kind) -> bool:
        """True when a fact of this kind passes all three sets."""
        event_type, province, need = kind
        return (
            self.asks_for(event_type)
            and (not self.provinces or province in self.provinces)
            and (not self.needs or need in self.needs)
        )

    def asks_for(self, event_type: str) -> bool:
        """True when events of this type are among those to hear."""
        return not self.events or event_type in self.events


LONGEST_NAME = 80


def is_visible(name: str) -> bool:
    """True for a name without control characters, line breaks and signs that turn the direction of writing."""
    return name.isprintable()


@dataclass(frozen=True, slots=True)
class Subscription:
    subscription_id: str
    organisation: str
    name: str
    channel: Channel
    url: str
    filter: Filter
    status: Status
    paused_because: Pause | None
    created_at: datetime
    changed_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Listener:
    """As much of a subscription as matching needs."""

    subscription_id: str
    organisation: str
    filter: Filter


@dataclass(slots=True)
class Matcher:
    """Who wants facts of which kind; remembers its answers, because facts come in few kinds."""

    listeners: tuple[Listener, ...]
    _known: dict[Kind, tuple[Listener, ...]] = field(default_factory=dict)

    def who_wants(self, kind: Kind) -> tuple[Listener, ...]:
        """The listeners whose filter lets this kind through."""
        found = self._known.get(kind)
        if found is None:
            found = self._known[kind] = tuple(one for one in self.listeners if one.filter.wants(kind))
        return found


def who_hears_of_move(matcher: Matcher, told: Collection[str], kind: Kind) -> list[tuple[Listener, str]]:
    """Who is told of a fact of `MOVING`, and as an event of which type. `told`: whoever has heard of the need.

    These hear it as it is, also when the need has left their provinces by it. To whom the need is new it is told as one
    that was opened; nobody hears that changed what it did not know, unless it asks for no openings.
    """
    event_type, province, need = kind
    found: list[tuple[Listener, str]] = []
    for one in matcher.listeners:
        if one.subscription_id in told:
            if one.filter.asks_for(event_type):
                found.append((one, event_type))
        else:
            as_what = OPENED if one.filter.asks_for(OPENED) else event_type
            if one.filter.wants((as_what, province, need)):
                found.append((one, as_what))
    return found


@dataclass(frozen=True, slots=True)
class EndpointRules:
    """Where notices may go. `private` holds `host:port` pairs that a development machine may use all the same."""

    http_allowed: bool
    ports: frozenset[int]
    private: frozenset[str]


def endpoint(url: str, rules: EndpointRules) -> str:
    """The URL in canonical form. Raises `EndpointRefused`, which names the part that stood in the way.

    This is for the person who types; what counts is the check of the address at each connection.
    """
    if len(url) > 1000 or not url.isprintable() or any(c.isspace() for c in url) or "\\" in url:
        raise EndpointRefused("form")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise EndpointRefused("form") from None
    scheme = parts.scheme.lower()
    if scheme != "https" and not (scheme == "http" and rules.http_allowed):
        raise EndpointRefused("scheme")
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        raise EndpointRefused("credentials")
    if parts.fragment:
        raise EndpointRefused("fragment")
    host = _ascii_host(parts.hostname or "")
    effective = port if port is not None else (443 if scheme == "https" else 80)
    if f"{host}:{effective}" not in rules.private:
        if effective not in rules.ports:
            raise EndpointRefused("port")
        if not _looks_public(host):
            raise EndpointRefused("host")
    shown = f"[{host}]" if ":" in host else host
    netloc = shown if port is None else f"{shown}:{port}"
    return urlunsplit((scheme, netloc, parts.path or "/", parts.query, ""))


def _ascii_host(host: str) -> str:
    host = host.rstrip(".")
    if not host:
        raise EndpointRefused("host")
    try:
        return host.encode("idna").decode().lower()
    except UnicodeError:
        raise EndpointRefused("host") from None


def _looks_public(host: str) -> bool:
    """False for what cannot be a name on the internet: one label, odd number forms, private addresses."""
    if ":" in host:
        return is_public(host)
    labels = host.split(".")
    last = labels[-1]
    if last.isdecimal() or last.startswith("0x"):
        return is_public(host)
    return len(labels) > 1 and last not in RESERVED_TOP_LEVEL and all(labels)


RESERVED_TOP_LEVEL = frozenset({"localhost", "local", "internal", "lan", "home", "corp", "test", "invalid", "onion"})
