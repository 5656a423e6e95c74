"""The whole story: a voyage is announced, landed, referred, answered, told on and proven; then it is checked."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from deploy.local.demo import (
    agencies,
    checker,
    evidence,
    leaks,
    ledger,
    manifest,
    ngo,
    receiver,
    stage,
    summary,
    voyage,
    waiting,
)
from deploy.local.demo.client import Refused
from deploy.local.demo.manifest import Manifest
from deploy.local.demo.progress import Progress
from deploy.local.demo.stage import Stage
from deploy.local.demo.waiting import TookTooLong
from deploy.local.report import Trouble
from deploy.local.stack import Running

SAMPLE = Path(__file__).parent / "data" / "manifest.csv"
LIMIT_S = 120.0
"""For each wait; a machine that needs longer has a trouble that should be read."""
SECOND_LOOK_S = 10.0
"""How long a finding may be a thing on its way rather than a thing lost."""


@dataclass(frozen=True, slots=True)
class Result:
    """`line` is the JSON object of `make demo`, `text` what a person reads."""

    ok: bool
    line: dict[str, Any]
    text: str


async def run(
    running: Running, manifest_path: Path = SAMPLE, *, began: float, progress: Progress, limit_s: float = LIMIT_S
) -> Result:
    """Play the story on a running stack. `began`: `time.monotonic()` when the user pressed the key.

    A second run with the same file on the same data imports nothing again. What brings one part to a halt is told in
    the result: the parts after it are played all the same, so that the checker can say what is missing. Raises
    `manifest.ManifestMissing`.
    """
    file = manifest.read(manifest_path)
    async with aiohttp.ClientSession() as http:
        place = Stage(running, http)
        databases = await waiting.Databases.open(dict(running.owner_databases))
        try:
            course = await _play(place, file, databases, progress=progress, limit_s=limit_s)
            progress.step("The checker compares the file, four databases and eight topics")
            outcome = await _judge(place, file, databases, course, began=began, limit_s=limit_s)
        finally:
            await databases.close()
    if not outcome.halts:
        place.played()
    result = Result(ok=outcome.ok, line=summary.line(outcome), text=summary.text(outcome))
    ngo.keep(place.folder / "result.json", result.line)
    return result


@dataclass(slots=True)
class Course:
    """How the story went: what the players know at its end, and what brought a part of it to a halt."""

    imported: voyage.Imported = voyage.NOT_TAKEN
    listening: str | None = None
    """The subscription of the NGO whose system answers."""
    proof: ledger.Proof = ledger.UNPROVEN
    halts: list[str] = field(default_factory=list)

    @contextmanager
    def part(self) -> Iterator[None]:
        """Note what brings this part to a halt, and let the next one begin."""
        try:
            yield
        except (Refused, TookTooLong, Trouble, TimeoutError) as halt:
            self.halts.append(str(halt) or type(halt).__name__)


async def _play(
    place: Stage, file: Manifest, databases: waiting.Databases, *, progress: Progress, limit_s: float
) -> Course:
    course, groups = Course(), list[str]()
    played = stage.is_played(place.running.data)
    if not played:
        with course.part():
            await _call_agencies(place, groups)
    progress.step("Two NGOs subscribe at notify")
    with course.part():
        course.listening = await _subscribe(place)
    progress.step(f"Nunukan: {len(file.rows)} people are on the list {file.name}")
    with course.part():
        port = place.client(f"port-{voyage.PORT}", "intake")
        course.imported = await voyage.land(port, file, place.folder / "voyages.json")
    if not played:
        progress.step("The agencies read their inboxes and answer")
        with course.part():
            await waiting.until_none(waiting.answered(databases), limit_s=limit_s, progress=progress)
    for name in groups:
        await place.running.stop(name)
    progress.step("The last notices, receipts and leaves arrive")
    rest = waiting.at_rest(databases, course.listening)
    with course.part():
        await waiting.until_none(rest, limit_s=limit_s, progress=progress)
    progress.step("An auditor verifies the ledger and the trails of three cases")
    with course.part():
        course.proof = await ledger.verify(place, databases.connections)
    if not course.halts:  # else what is missing was waited for long enough
        with course.part():
            await waiting.until_none(rest, limit_s=limit_s, progress=progress)
    return course


async def _judge(
    place: Stage, file: Manifest, databases: waiting.Databases, course: Course, *, began: float, limit_s: float
) -> summary.Outcome:
    seen, verdict = await _compare(place, databases, file, course.imported, limit_s=min(limit_s, SECOND_LOOK_S))
    found = await _leaks(place, file)
    refused = 0
    with course.part():
        refused = (await _counts(place))["refused"]
    return summary.Outcome(
        broker=place.running.broker,
        postgres=place.running.postgres,
        imported=course.imported,
        seen=seen,
        verdict=verdict,
        leaks=tuple(found),
        ledger_verified=course.proof.verified,
        ledger_said=course.proof.said,
        listening=course.listening,
        received=frozenset(receiver.Receiver(place.notices).ids),
        refused=refused,
        halts=tuple(course.halts),
        seconds=time.monotonic() - began,
    )


async def _subscribe(place: Stage) -> str:
    """One NGO's system answers; the other's address is dead. Returns the id of the first one's subscription."""
    await place.start(
        "receiver",
        f"receiver-{stage.LISTENING}",
        {
            "client": place.credentials(stage.LISTENING, "notify"),
            "wish": {
                "name": "South Sulawesi and North Kalimantan",
                "provinces": ["73", "65"],
                "needs": [],
                "events": [],
            },
            "port": place.port(stage.LISTENING),
            "known": str(place.known(stage.LISTENING)),
            "kept": str(place.notices),
        },
        ready_at=f"{place.address(stage.LISTENING)}/readyz",
    )
    wish = ngo.Wish(
        name="Every province, what was accepted",
        url=f"{place.address(stage.DEAD)}/notices",
        provinces=[],
        needs=[],
        events=["referral.assignment_accepted.v1"],
    )
    await ngo.subscribe(place.client(stage.DEAD, "notify"), wish, place.known(stage.DEAD))
    return ngo.remembered(place.known(stage.LISTENING)).subscription_id


async def _call_agencies(place: Stage, called: list[str]) -> None:
    """Start one process per part of the country, each with the secrets of its agencies; their names go to `called`."""
    groups = agencies.by_island(await agencies.directory(place.client(stage.READER, "referral")))
    for island, agency_ids in groups.items():
        called.append(f"agencies-{island}")
        await place.start(
            "agencies",
            called[-1],
            {
                "issuer": place.running.urls["identity"],
                "url": place.running.urls["referral"],
                "secrets": {agency_id: place.secret(agency_id) for agency_id in agency_ids},
                "service": place.secret(agencies.SERVICE),
            },
        )


async def _compare(
    place: Stage, databases: waiting.Databases, file: Manifest, imported: voyage.Imported, *, limit_s: float
) -> tuple[evidence.Evidence, checker.Verdict]:
    """Read everything and check it; what looks lost but is only late gets a second look."""
    end = time.monotonic() + limit_s
    while True:
        seen = await evidence.gather(
            databases.connections,
            place.running.bootstrap,
            manifest_id=imported.manifest_id,
            listed=[row.number for row in file.rows],
            shown=frozenset(problem.row for problem in imported.problems),
            prefix=place.topic_prefix,
        )
        verdict = checker.check(seen)
        if not verdict.findings or time.monotonic() > end:
            return seen, verdict
        await asyncio.sleep(0.5)


async def _leaks(place: Stage, file: Manifest) -> list[leaks.Leak]:
    running = place.running
    return await leaks.leaks(
        manifest.identifying(file),
        databases=running.owner_databases,
        bootstrap=running.bootstrap,
        prefix=place.topic_prefix,
        folders=[running.data / "logs", place.folder],
    )


async def _counts(place: Stage) -> dict[str, int]:
    """What the NGO's system says it has received."""
    try:
        async with place.http.get(f"{place.address(stage.LISTENING)}/counts") as answer:
            counts: dict[str, int] = await answer.json()
            return counts
    except aiohttp.ClientError as trouble:
        raise Refused(0, f"the NGO's system does not answer ({trouble})") from trouble
