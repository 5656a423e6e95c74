"""Announced, handed over, counted, listed, arrived: where they differ, why it may be, and what was said of it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from services.intake.domain.totals import DIMENSIONS, OTHER, Dimension, Kind, Totals, same
from services.intake.domain.voyages import Counts, Sighting, Voyage
from shared.contracts.codes import AbsenceReason, DifferencePair, DifferenceReason

Pair = DifferencePair
"""Two counts of the same people. A difference is the second less the first."""
Reason = DifferenceReason
"""Why heads differ, as letters, minutes and the press give it for published batches."""
CandidateCode = Literal[
    "held_back", "being_recorded", "logged_by_hand", "depot_missing", "parts_do_not_add", "children_counted_inside",
    "other_voyage", "rolled_over_to_here", "called_absent", "came_over_listed", "came_over_arrived", "went_over",
]  # fmt: skip
PAIRS: tuple[Pair, ...] = get_args(Pair)
REASONS: tuple[Reason, ...] = get_args(Reason)
MEASURE: Mapping[Kind, str] = {"letter": "announced", "minutes": "handed", "count": "counted"}
"""What a kind of source is a count of."""
HELD_AGAINST: Mapping[Kind, tuple[Pair, ...]] = {
    "letter": ("announced_listed", "announced_arrived"),
    "minutes": ("handed_arrived",),
    "count": ("counted_arrived",),
}
NOT_SAID: Mapping[str, None] = dict.fromkeys(MEASURE.values())
TO_ARRIVED = tuple(pair for pair in PAIRS if pair.endswith("_arrived"))
OF_OTHERS = tuple(pair for pair in TO_ARRIVED if pair != "listed_arrived")
NOBODY_ABSENT: Mapping[AbsenceReason, int] = {}
NOBODY_SAID: Mapping[str, int] = {}
Heads = Mapping[Dimension, Mapping[str, int]]
"""Who was recorded, counted by what the sources count by: dimension → value → heads."""
NOBODY_CAME_OVER: Heads = {}


@dataclass(frozen=True, slots=True)
class Difference:
    """A part of a difference that somebody looks after (`owner`) or has given a reason for.

    `heads` has the sign of the difference: -3 are three fewer. `next_voyage_id`: the one they are to come with.
    """

    difference_id: str
    voyage_id: str
    pair: Pair
    heads: int
    owner: str
    opened_by: str
    opened_at: datetime
    reason: Reason | None = None
    next_voyage_id: str | None = None
    settled_by: str | None = None
    settled_at: datetime | None = None
    version: int = 1

    @property
    def is_settled(self) -> bool:
        return self.settled_at is not None


@dataclass(frozen=True, slots=True)
class Candidate:
    """What may be the reason for a part of a difference, for a person to judge.

    `about` names what it is about; of another voyage, which may be one of the same ship, `voyage` is that.
    """

    code: CandidateCode
    pairs: tuple[Pair, ...]
    heads: int
    about: str = ""
    voyage: Voyage | None = None


@dataclass(frozen=True, slots=True)
class Rolled:
    """People who were carried from one voyage over to another, which is `voyage` seen from either.

    `listed`: who is on a list there that was taken in; `arrived`: who was recorded there by it.
    """

    voyage: Voyage
    carried: int
    listed: int = 0
    arrived: int = 0

    @property
    def name(self) -> str:
        return self.voyage.vessel or self.voyage.voyage_id


@dataclass(frozen=True, slots=True)
class Line:
    """One value of one dimension: heads by source, None where no source tells it; `arrived` from who was recorded.

    `came_over`: of these, who was carried over from an earlier voyage, which no source of this one need tell.
    `in_part`: whose number is that of some letters or minutes alone, while others tell nothing by this dimension.
    """

    dimension: Dimension
    value: str
    announced: int | None
    handed: int | None
    counted: int | None
    arrived: int
    came_over: int = 0
    in_part: frozenset[str] = frozenset()

    @property
    def differs(self) -> int | None:
        """Arrived less what the closest source says of everybody: a count on landing, else minutes, else letters.

        None of provinces that a source does not name: who was recorded stands under each of them.
        """
        if (self.dimension, self.value) == ("origin", OTHER):
            return None
        whole = (getattr(self, name) for name in ("counted", "handed", "announced") if name not in self.in_part)
        said = next((heads for heads in whole if heads is not None), None)
        return None if said is None else self.arrived - said


@dataclass(frozen=True, slots=True)
class Gap:
    """One pair that differs: by how much, how much has a reason, how much is open with an owner."""

    pair: Pair
    difference: int
    settled: int
    open: int

    @property
    def left(self) -> int:
        """What nobody has said anything of yet."""
        return self.difference - self.settled - self.open


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """A voyage as everybody counts it. `announced`, `handed`, `counted`: None where nobody has."""

    voyage: Voyage
    counts: Counts
    sources: Sequence[Totals]
    announced: int | None
    handed: int | None
    counted: int | None
    lines: Sequence[Line]
    gaps: Sequence[Gap]
    differences: Sequence[Difference]
    candidates: Sequence[Candidate]
    came_over: Sequence[Rolled] = ()
    went_over: Sequence[Rolled] = ()


def reconcile(
    sighting: Sighting,
    sources: Sequence[Totals],
    arrived: Heads,
    differences: Sequence[Difference],
    *,
    near: Sequence[Sighting] = (),
    rolled_over: Mapping[str, int] = NOBODY_SAID,
    awaited: Mapping[str, int] = NOBODY_SAID,
    absent: Mapping[AbsenceReason, int] = NOBODY_ABSENT,
    absent_over: Mapping[str, int] = NOBODY_SAID,
    came_over: Sequence[Rolled] = (),
    went_over: Sequence[Rolled] = (),
    arrived_over: Heads = NOBODY_CAME_OVER,
) -> Reconciliation:
    """Put the counts of a voyage side by side.

    `near`: other voyages at the port within a day, on whose lists people may stand. `rolled_over`: how many people of
    an earlier voyage are said to come with this one; `awaited`: of these, whom it had recorded before it was known, and
    who therefore stand on no list here. `absent`: who was called as not there, by reason; `absent_over`: of these, who
    was carried, by the later voyage. `came_over` and `went_over`: who was carried, by name, from earlier voyages and to
    later ones, also from a list that is not sent yet; `arrived_over`: who of the recorded.
    """
    counting = _counting(sources)
    heads = {name: _heads_of(kind, counting) for kind, name in MEASURE.items()}
    counts = sighting.counts
    gaps = list(_gaps({**heads, "listed": counts.listed or None, "arrived": counts.arrived}, differences))
    lines = [line for dimension in DIMENSIONS for line in _lines(dimension, counting, arrived, arrived_over)]
    candidates = [
        *_of_counts(counts),
        *_of_absent(absent, absent_over, went_over),
        *_of_rolled(rolled_over, awaited, came_over),
        *_missing_depots(lines),
        *_slips(counting),
        *_elsewhere(gaps, near),
    ]
    return Reconciliation(sighting.voyage, counts, sources, **heads, lines=lines, gaps=gaps,
                          differences=differences, candidates=candidates,
                          came_over=came_over, went_over=went_over)  # fmt: skip


def _counting(sources: Sequence[Totals]) -> list[Totals]:
    """The sources that count: all letters and minutes that stand, and the latest count, which replaces those before."""
    standing = [source for source in sources if source.stands]
    counts = [source for source in standing if source.kind == "count"]
    latest = max(counts, key=lambda source: (source.recorded_at, source.source_id), default=None)
    return [source for source in standing if source.kind != "count" or source is latest]


def _heads_of(kind: Kind, counting: Sequence[Totals]) -> int | None:
    heads = [source.heads for source in counting if source.kind == kind]
    return sum(heads) if heads else None


def _gaps(measured: Mapping[str, int | None], differences: Sequence[Difference]) -> Iterator[Gap]:
    for pair in PAIRS:
        first, _, second = pair.partition("_")
        before, after = measured[first], measured[second]
        said = [one for one in differences if one.pair == pair]
        if before is None or after is None or (before == after and not said):
            continue
        settled = sum(one.heads for one in said if one.is_settled)
        yield Gap(pair, after - before, settled, sum(one.heads for one in said) - settled)


def _lines(dimension: Dimension, counting: Sequence[Totals], arrived: Heads, arrived_over: Heads) -> Iterator[Line]:
    """One line a value: those that a source tells first, then those that only people who were recorded have."""
    said: dict[str, dict[str, int]] = {}
    called: dict[str, str] = {}
    in_part = frozenset(MEASURE[source.kind] for source in counting if not source.told(dimension))
    for source in counting:
        for value, heads in source.told(dimension).items():
            called.setdefault(same(value), value)
            by = said.setdefault(same(value), {})
            by[MEASURE[source.kind]] = by.get(MEASURE[source.kind], 0) + heads
    over: Counter[str] = Counter()
    for value, heads in arrived_over.get(dimension, {}).items():
        over[same(value)] += heads
    seen: dict[str, int] = {}
    for value, heads in arrived.get(dimension, {}).items():
        if value == "children" and value not in said:
            continue  # boys and girls say it
        called.setdefault(same(value), value)
        seen[same(value)] = seen.get(same(value), 0) + heads
    for key in [*said, *sorted(seen.keys() - said.keys())]:
        told = {**NOT_SAID, **said.get(key, {})}
        yield Line(dimension, called[key], **told, arrived=seen.get(key, 0), came_over=over[key], in_part=in_part)


def _of_counts(counts: Counts) -> Iterator[Candidate]:
    if counts.rejected:
        yield Candidate("held_back", TO_ARRIVED, -counts.rejected)
    if counts.waiting:
        yield Candidate("being_recorded", TO_ARRIVED, -counts.waiting)
    if counts.unlisted:
        yield Candidate("logged_by_hand", ("listed_arrived",), counts.unlisted)


def _of_absent(
    absent: Mapping[AbsenceReason, int], absent_over: Mapping[str, int], went_over: Sequence[Rolled]
) -> Iterator[Candidate]:
    """Who was not there, by reason; who went over to a later voyage by that voyage instead.

    Who went over from a list that is not sent yet is announced and not listed.
    """
    listed = [min(one.carried, absent_over.get(one.voyage.voyage_id, 0)) for one in went_over]
    left = sum(listed)
    for reason, heads in sorted(absent.items()):
        others = heads - left if reason == "rolled_over" else heads
        if others:
            yield Candidate("called_absent", TO_ARRIVED, -others, reason)
    for one, heads in zip(went_over, listed, strict=True):
        if heads == one.carried:
            yield Candidate("went_over", TO_ARRIVED, -heads, one.name, one.voyage)
            continue
        yield Candidate("went_over", OF_OTHERS, -one.carried, one.name, one.voyage)
        if heads:
            yield Candidate("went_over", ("listed_arrived",), -heads, one.name, one.voyage)


def _of_rolled(said: Mapping[str, int], awaited: Mapping[str, int], came_over: Sequence[Rolled]) -> Iterator[Candidate]:
    """Who comes from earlier voyages: by name, and of those who are said to, who is not among these."""
    by_name = {one.voyage.voyage_id: one.carried for one in came_over}
    others = sum(
        max(0, said.get(voyage_id, 0) - by_name.get(voyage_id, 0), awaited.get(voyage_id, 0))
        for voyage_id in said.keys() | awaited.keys()
    )
    if others:
        yield Candidate("rolled_over_to_here", HELD_AGAINST["letter"], others)
    for one in came_over:
        if one.listed:
            yield Candidate("came_over_listed", ("announced_listed",), one.listed, one.name, one.voyage)
        if one.arrived:
            yield Candidate("came_over_arrived", ("announced_arrived",), one.arrived, one.name, one.voyage)


def _missing_depots(lines: Sequence[Line]) -> Iterator[Candidate]:
    """Depots of which nobody was recorded, while people of others were: their list may not have come."""
    depots = [line for line in lines if line.dimension == "depot"]
    if not any(line.arrived for line in depots):
        return
    for line in depots:
        told = line.announced if line.handed is None else line.handed
        if told and not line.arrived:
            yield Candidate("depot_missing", ("announced_listed", *TO_ARRIVED[:2]), -told, line.value)


def _slips(counting: Sequence[Totals]) -> Iterator[Candidate]:
    """Sources whose own parts do not come to their own sum."""
    for source in counting:
        for dimension in DIMENSIONS:
            sum_ = source.sum_of(dimension)
            if sum_ is None or sum_ == source.heads:
                continue
            inside = dimension == "group" and sum_ - source.heads == source.children
            code: CandidateCode = "children_counted_inside" if inside else "parts_do_not_add"
            about = source.number or source.issued_by or source.depot
            yield Candidate(code, HELD_AGAINST[source.kind], sum_ - source.heads, about)


def _elsewhere(gaps: Sequence[Gap], near: Sequence[Sighting]) -> Iterator[Candidate]:
    """Other voyages of these days that have too many where this one has too few, or the other way round."""
    here = next((gap.difference for gap in gaps if gap.pair == "announced_arrived"), 0)
    for other in near:
        there = other.counts.arrived_differs
        if other.counts.announced and here * there < 0:
            heads = min(abs(here), abs(there))
            name = other.voyage.vessel or other.voyage.voyage_id
            about = heads if here > 0 else -heads, name, other.voyage
            yield Candidate("other_voyage", ("announced_arrived",), *about)
