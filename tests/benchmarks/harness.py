"""How a figure is taken, paired with its limit, and written down."""

import json
import statistics
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path(__file__).parent / "results.json"


@dataclass(frozen=True, slots=True)
class Result:
    """One line of results.json. `ratio` is ours ÷ limit: the median of `pairs`."""

    id: str
    value: float
    unit: str
    limit: float | None
    ratio: float | None
    ratio_min: float | None
    ratio_max: float | None
    pairs: int


Measure = Callable[[], Awaitable[float]]


async def paired(id_: str, unit: str, ours: Measure, limit: Measure, *, pairs: int) -> Result:
    """Take `pairs` ratios, ABBA: limit ours ours limit, so that a drift of the machine meets both."""
    values: list[float] = []
    limits: list[float] = []
    ratios: list[float] = []
    for pair in range(pairs):
        first, second = (limit, ours) if pair % 2 == 0 else (ours, limit)
        a = await first()
        b = await second()
        theirs, own = (a, b) if pair % 2 == 0 else (b, a)
        values.append(own)
        limits.append(theirs)
        ratios.append(own / theirs)
    return Result(
        id_,
        round(statistics.median(values), 1),
        unit,
        round(statistics.median(limits), 1),
        *(round(f(ratios), 3) for f in (statistics.median, min, max)),
        pairs,
    )


def counted(id_: str, value: float, unit: str, *, limit: float | None = None) -> Result:
    """A figure that does not depend on the machine (statements, bytes), beside the limit it must keep."""
    ratio = round(value / limit, 3) if limit else None
    return Result(id_, round(value, 2), unit, limit, ratio, ratio, ratio, 1)


def write(results: list[Result]) -> None:
    """Merge these results into results.json, by id."""
    known = {r["id"]: r for r in json.loads(RESULTS.read_text())} if RESULTS.exists() else {}
    known.update({r.id: asdict(r) for r in results})
    RESULTS.write_text(json.dumps([known[id_] for id_ in sorted(known)], indent=2) + "\n")
