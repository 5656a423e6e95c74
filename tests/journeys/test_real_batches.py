"""Published batches of real returns, person by person through intake and referral: everybody is referred or in a gap.

A batch has the head counts of its source; what a source does not say is drawn from the measured shares.
"""

import csv
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from services.intake.actions.arrivals import Submitted, record_arrivals, seal_arrival
from services.intake.actions.telling import Telling
from services.intake.domain.arrivals import Arrival
from services.intake.domain.people import Birth, Identity
from services.referral.store import history
from shared.contracts import codes
from shared.kit.actor import Actor, system
from shared.kit.ids import new_id
from tests.benchmarks.chain import Chain, chain
from tests.conftest import DatabaseUrls

DATA = Path(__file__).parents[3] / "shared" / "data" / "indonesia"
BATCHES, SHARES = DATA / "return_batches.csv", DATA / "manifest_distributions.json"
LANDED = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)

pytestmark = pytest.mark.skipif(not BATCHES.exists(), reason="the published batches are not beside this project")


@dataclass(frozen=True, slots=True)
class Batch:
    """One published batch; a number that its source does not give is None."""

    name: str
    port: str
    arrived: int
    men: int | None
    women: int | None
    children: int | None
    origins: dict[str, float]


def batches() -> list[Batch]:
    shares = json.loads(SHARES.read_text())["origin_province"]
    found = []
    with BATCHES.open(encoding="utf-8", newline="") as file:
        for n, row in enumerate(csv.DictReader(file), 1):
            said = json.loads(row["origin_province_json"] or "{}")
            measured = {
                p: v for p, v in shares.get(row["entry_point"], shares["NNK"]).items() if p in codes.provinces()
            }
            found.append(
                Batch(
                    name=f"{n:02} {row['date']} {row['entry_point']}",
                    port=row["entry_point"],
                    arrived=int(row["arrived"]),
                    **{part: int(row[part]) if row[part] else None for part in ("men", "women", "children")},
                    origins={p: v for p, v in said.items() if p in codes.provinces()} or measured,
                )
            )
    return found


def people(batch: Batch, draw: random.Random, shares: dict[str, Any]) -> Iterator[Arrival]:
    """As many as arrived: men, women and children as published, the rest by the measured shares."""
    children = batch.children if batch.children is not None else round(batch.arrived * 0.05)
    women = batch.women if batch.women is not None else round((batch.arrived - children) * 0.22)
    of_province = {p: [r for r in codes.regencies() if r.startswith(p)] for p in batch.origins}
    provinces, weights = list(batch.origins), list(batch.origins.values())
    rare = {k: v for k, v in shares.items() if k in {"SICK", "INFECT", "MENTAL", "PWD", "WAGE", "DEBT", "NOFAM"}}
    for n in range(batch.arrived):
        is_child, is_woman = n < children, children <= n < children + women
        flags = {need for need, share in rare.items() if draw.random() < share}
        flags |= {"TIP"} if draw.random() < shares["TIP_regular_deportation"] else set()
        flags |= {"PREG"} if is_woman and draw.random() < shares["PREG_of_adult_women"] else set()
        age = draw.randint(61, 80) if draw.random() < shares["ELDER"] else draw.randint(20, 58)
        year = LANDED.year - (draw.randint(1, 15) if is_child else age)
        yield Arrival(
            identity=Identity(full_name=f"Penumpang {batch.name} {n}"),
            sex="F" if is_woman or (is_child and n % 2) else "M",
            birth=Birth(date(year, 1, 1), date(year, 12, 31), "year"),
            origin_regency=draw.choice(of_province[draw.choices(provinces, weights)[0]]),
            flags=frozenset(flags),  # type: ignore[arg-type]
            accompanied=draw.random() > 0.1,
            onward_wish="go_home",
        )


@pytest_asyncio.fixture
async def services(database_urls: DatabaseUrls) -> AsyncIterator[Chain]:
    async with chain(database_urls) as made:
        yield made


async def test_everybody_of_the_published_batches_is_referred_or_in_a_gap(services: Chain) -> None:
    shares = json.loads(SHARES.read_text())["vulnerability"]
    draw = random.Random(2026)
    intake, referral = services.databases["intake"], services.databases["referral"]
    [before] = await referral.fetch("SELECT count(DISTINCT case_id) AS cases FROM referrals")
    landed: dict[str, set[str]] = {}
    for batch in batches():
        port = codes.ports()[batch.port]
        officer = Actor(
            f"port-{port.code}", f"port-{port.code}", frozenset({"port_system"}), kind="client", port=port.code
        )
        scope = new_id()
        recorded = await record_arrivals(
            intake,
            [
                seal_arrival(
                    services.vault,
                    Telling(officer),
                    Submitted(arrival, scope, services.vault.digest(batch.name, str(n)), port, "batch", LANDED),
                    datetime.now(UTC),
                )
                for n, arrival in enumerate(people(batch, draw, shares))
            ],
        )
        landed[batch.name] = {one.case_id for one in recorded}  # type: ignore[union-attr]

    await services.hear("referral", "intake")

    assert {batch.name: len(landed[batch.name]) for batch in batches()} == {b.name: b.arrived for b in batches()}
    everybody = set().union(*landed.values())
    rows = await referral.fetch(
        "SELECT r.case_id::text, r.province, r.need, r.state, r.age_band, a.agency_id, g.gap_id IS NOT NULL AS is_gap"
        " FROM referrals r LEFT JOIN assignments a ON a.referral_id = r.referral_id AND a.ended_at IS NULL"
        " LEFT JOIN gaps g ON g.referral_id = r.referral_id AND g.closed_at IS NULL"
        " WHERE r.case_id = ANY($1::uuid[])",
        sorted(everybody),
    )
    assert {row["case_id"] for row in rows} == everybody, "somebody has no need at all"
    assert all((row["agency_id"] is not None) is not row["is_gap"] for row in rows), "a need is with nobody, or twice"
    wanted = await intake.fetch(
        "SELECT sum(cardinality(needs)) AS needs FROM arrivals WHERE case_id = ANY($1::uuid[])", sorted(everybody)
    )
    assert len(rows) == wanted[0]["needs"]
    async with referral.work(system("referral", "test"), purpose="test") as work:
        past = await history.list_past(work)
    [after] = await referral.fetch("SELECT count(DISTINCT case_id) AS cases FROM referrals")
    assert after["cases"] - before["cases"] == len(everybody)
    assert sum(one.needs for one in past) >= len(rows)
    print(table(Counter((row["province"], row["need"]) for row in rows)))


def table(counts: Counter[tuple[str, str]]) -> str:
    """Needs by province where help is due, most first: shown with `-s`."""
    needs = sorted({need for _, need in counts}, key=list(codes.needs()).index)
    provinces = Counter[str]()
    for (province, _), n in counts.items():
        provinces[province] += n
    lines = ["province".ljust(32) + "".join(need.rjust(8) for need in (*needs, "all"))]
    for province, total in provinces.most_common():
        cells = [str(counts[province, need] or "–").rjust(8) for need in needs]
        lines.append(codes.provinces()[province].name.ljust(32) + "".join(cells) + str(total).rjust(8))
    return "\n".join(lines)
