"""How a figure is taken, paired with its limit, and written down."""

import json
import statistics
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path(__file__).parent / "results.json"


@dataclass(frozen=True, slots=True)
class Result:
    """One line of results.json. `ratio` is value ÷ limit: the median of `pairs`."""

    id: str
    value: float
    unit: str
    limit: float | None
    ratio: float | None
    ratio_min: float | None
    ratio_max: float | None
    pairs: int


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is done: `pairs` of each ratio, and `scale` of the usual amounts (1.0, less to try things out)."""

    pairs: int
    scale: float

    def of(self, amount: int, *, step: int = 1) -> int:
        """This much of `amount`, in whole steps, at least one."""
        return max(step, round(amount * self.scale / step) * step)

    def seconds(self, usual: int) -> int:
        return max(2, round(usual * min(1.0, self.scale * 2)))


Measure = Callable[[], Awaitable[float]]


async def paired(id_: str, unit: str, ours: Measure, limit: Measure, *, pairs: int) -> Result:
    """Take `pairs` ratios, ABBA: limit ours ours limit, so that a drift of the machine meets both."""
    values: list[float] = []
    limits: list[float] = []
    for pair in range(pairs):
        if pair % 2 == 0:
            limits.append(await limit())
            values.append(await ours())
        else:
            values.append(await ours())
            limits.append(await limit())
        note(f"{id_}: {values[-1]:,.0f} of {limits[-1]:,.0f} {unit} = {values[-1] / limits[-1]:.2f}")
    ratios = [own / theirs for own, theirs in zip(values, limits, strict=True)]
    return Result(
        id=id_,
        value=round(statistics.median(values), 1),
        unit=unit,
        limit=round(statistics.median(limits), 1),
        ratio=round(statistics.median(ratios), 3),
        ratio_min=round(min(ratios), 3),
        ratio_max=round(max(ratios), 3),
        pairs=pairs,
    )


def counted(id_: str, value: float, unit: str, *, limit: float | None = None) -> Result:
    """A figure by itself, beside the limit it must keep under, where there is one."""
    ratio = round(value / limit, 3) if limit else None
    return Result(id_, round(value, 2), unit, limit, ratio, ratio, ratio, 1)


def note(line: str) -> None:
    """Say how far it is, where nobody reads it as a result."""
    print(f"  {line}", file=sys.stderr, flush=True)


def write(results: list[Result]) -> None:
    """Merge these results into results.json, by id."""
    known = {r["id"]: r for r in json.loads(RESULTS.read_text())} if RESULTS.exists() else {}
    known.update({r.id: asdict(r) for r in results})
    RESULTS.write_text(json.dumps([known[id_] for id_ in sorted(known)], indent=2) + "\n")
