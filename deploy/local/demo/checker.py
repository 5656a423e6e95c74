"""Was anything lost or doubled? Computed from what lies in the file, the databases and the topics, never from a count
that a service keeps of itself.

`lost`: something that should be there once and is not. `doubled`: something that is there once too often, or
without what it comes from (an effect without a cause). Every finding names its place and an id.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from deploy.local.demo.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Finding:
    kind: Literal["lost", "doubled"]
    place: str
    id: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.place}: {self.id}"


@dataclass(frozen=True, slots=True)
class Verdict:
    findings: tuple[Finding, ...]

    @property
    def lost(self) -> int:
        return sum(f.kind == "lost" for f in self.findings)

    @property
    def doubled(self) -> int:
        return sum(f.kind == "doubled" for f in self.findings)


def check(evidence: Evidence) -> Verdict:
    """Hold every link of the chain against its neighbour."""
    return Verdict(tuple(finding for link in LINKS for finding in link(evidence)))


def rows_are_arrivals(e: Evidence) -> Iterator[Finding]:
    """Each line of the file is one arrival, or was held back with a problem; never both."""
    for line in e.shown_lines - e.held_back_lines:
        yield Finding("lost", "row that the preview held back without a problem on record", str(line))
    taken = [line for line in e.listed_lines if line not in e.held_back_lines]
    yield from _one_each("manifest row without its arrival", taken, [a.line for a in e.arrivals if a.line is not None])


def arrivals_are_told(e: Evidence) -> Iterator[Finding]:
    """Each arrival in intake's table is one `arrival_recorded` in its journal."""
    told = [row.case_id for row in e.told("intake", "intake.arrival_recorded.v1")]
    yield from _one_each("arrival not told in the journal", [a.case_id for a in e.arrivals], told)


def needs_are_referrals(e: Evidence) -> Iterator[Finding]:
    """Each need of each arrival is one referral."""
    needs = [(a.case_id, need) for a in e.arrivals for need in a.needs]
    yield from _one_each("need without its referral", needs, [(r.case_id, r.need) for r in e.referrals])


def referrals_are_told(e: Evidence) -> Iterator[Finding]:
    told = [row.data["referral_id"] for row in e.told("referral", "referral.referral_opened.v1")]
    yield from _one_each("referral not told in the journal", [r.referral_id for r in e.referrals], told)


def intake_hears_of_referrals(e: Evidence) -> Iterator[Finding]:
    """Intake knows of each referral, so that the quay sees that everybody was referred."""
    opened = [(r.case_id, r.need) for r in e.referrals]
    yield from _one_each("referral that intake has not heard of", opened, e.referred)


def assignments_are_told(e: Evidence) -> Iterator[Finding]:
    told = [row.data["assignment_id"] for row in e.told("referral", "referral.assignment_sent.v1")]
    yield from _one_each("assignment not told in the journal", [a.assignment_id for a in e.assignments], told)


def nobody_is_forgotten(e: Evidence) -> Iterator[Finding]:
    """An open referral has one live assignment, or it was escalated or became a gap; never two live ones."""
    live = Counter(a.referral_id for a in e.assignments if a.live)
    with_a_person = {
        row.data["referral_id"]
        for kind in ("referral.referral_escalated.v1", "referral.gap_opened.v1")
        for row in e.told("referral", kind)
    }
    known = {r.referral_id for r in e.referrals}
    for referral in e.referrals:
        if live[referral.referral_id] > 1:
            yield Finding("doubled", "referral with two live assignments", referral.referral_id)
        if referral.open and not live[referral.referral_id] and referral.referral_id not in with_a_person:
            yield Finding("lost", "open referral without an assignment or a supervisor", referral.referral_id)
        if not referral.open and live[referral.referral_id]:
            yield Finding("doubled", "ended referral with a live assignment", referral.referral_id)
    for assignment in e.assignments:
        if assignment.referral_id not in known:
            yield Finding("doubled", "assignment without a referral", assignment.assignment_id)


def cases_are_dense(e: Evidence) -> Iterator[Finding]:
    """Each sender numbers the facts of a case 1, 2, 3 …"""
    for sender, rows in e.journals.items():
        numbers: dict[str, list[int]] = defaultdict(list)
        for row in rows:
            numbers[row.case_id].append(row.case_seq)
        for case_id, seqs in numbers.items():
            wanted = range(1, max(seqs) + 1)
            yield from _one_each(f"number in {sender}'s journal of case {case_id}", wanted, seqs)


def journals_are_in_kafka(e: Evidence) -> Iterator[Finding]:
    """Each journal row is in its topic at least once with the same bytes, and nothing is there that is no row.

    A record may be there twice (the relay repeats after a crash): its effect may not, see the other links.
    """
    row_of = {row.event_id: (sender, row) for sender, rows in e.journals.items() for row in rows}
    seen = {record.event_id for record in e.records}
    for event_id, (sender, _) in row_of.items():
        if event_id not in seen:
            yield Finding("lost", f"row of {sender}'s journal not in Kafka", event_id)
    for record in e.records:
        if record.event_id in e.told_meanwhile:
            continue
        if record.event_id not in row_of:
            yield Finding("doubled", f"record in {record.topic} that is in no journal", record.event_id)
            continue
        sender, row = row_of[record.event_id]
        told = (f"{sender}.{'events' if row.shared else 'audit'}", row.case_id, row.type, row.case_seq, row.payload)
        if told != (record.topic, record.key, record.type, record.case_seq, record.value):
            yield Finding("lost", f"record in {record.topic} that differs from {sender}'s journal", record.event_id)


def journals_are_in_the_ledger(e: Evidence) -> Iterator[Finding]:
    """Each journal row of each service is exactly one leaf."""
    rows = [(sender, row.event_id) for sender, rows in e.journals.items() for row in rows]
    leaves = [(leaf.source, leaf.event_id) for leaf in e.leaves if leaf.event_id not in e.told_meanwhile]
    yield from _one_each("journal row without its leaf", rows, leaves)
    yield from _one_each("leaf number", range(len(e.leaves)), [leaf.number for leaf in e.leaves])


def matches_are_deliveries(e: Evidence) -> Iterator[Finding]:
    """Each fact that matches a subscription is one delivery to it, and none is about a restricted need.

    For a fact told before the subscription was made, changed or ended, either is right: notify may have heard it
    after, and what a subscription wanted earlier is not on record.
    """
    deliveries = Counter((d.subscription_id, d.event_id) for d in e.deliveries)
    facts = [row for row in e.journals.get("referral", ()) if row.shared and not row.restricted]
    may: set[tuple[str, str]] = set()
    for subscription in e.subscriptions:
        for row in facts:
            pair = (subscription.subscription_id, row.event_id)
            if row.occurred_at <= subscription.sure_from:
                may.add(pair)
            elif subscription.wants(row):
                may.add(pair)
                if not deliveries[pair]:
                    yield Finding("lost", f"notice to subscription {pair[0]}", pair[1])
    for pair, count in deliveries.items():
        if pair not in may:
            yield Finding("doubled", f"notice that nobody subscribed to, to subscription {pair[0]}", pair[1])
        for _ in range(count - 1):
            yield Finding("doubled", f"notice to subscription {pair[0]}", pair[1])


def nothing_waits(e: Evidence) -> Iterator[Finding]:
    """No outbox holds a pointer and no record is parked."""
    for sender, positions in e.outboxes.items():
        for position in positions:
            yield Finding("lost", f"unsent row in {sender}'s outbox", str(position))
    for service, ids in e.parked.items():
        for parked_id in ids:
            yield Finding("lost", f"record parked by {service}", parked_id)


LINKS: tuple[Callable[[Evidence], Iterator[Finding]], ...] = (
    rows_are_arrivals,
    arrivals_are_told,
    needs_are_referrals,
    referrals_are_told,
    intake_hears_of_referrals,
    assignments_are_told,
    nobody_is_forgotten,
    cases_are_dense,
    journals_are_in_kafka,
    journals_are_in_the_ledger,
    matches_are_deliveries,
    nothing_waits,
)


def _one_each(place: str, wanted: Iterable[Hashable], there: Iterable[Hashable]) -> Iterator[Finding]:
    """Every wanted thing is there exactly once, and nothing else is."""
    want, have = Counter(wanted), Counter(there)
    for thing in want.keys() | have.keys():
        for _ in range(want[thing] - have[thing]):
            yield Finding("lost", place, _id(thing))
        for _ in range(have[thing] - want[thing]):
            yield Finding("doubled", place, _id(thing))


def _id(thing: Hashable) -> str:
    return " ".join(map(str, thing)) if isinstance(thing, tuple) else str(thing)
