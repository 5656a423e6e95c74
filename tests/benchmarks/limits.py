"""The limits: what PostgreSQL and Kafka do here by themselves, with the rows and bytes that we write."""

import asyncio
import os
import re
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from deploy.local import jars, report
from deploy.local.kafka import Broker
from deploy.local.postgres import Server
from tests.benchmarks.harness import note
from tests.benchmarks.rig import Rig

PGBENCH_SECONDS = 5
SWEEP_SECONDS = 2
PGBENCH_CLIENTS = (8, 16, 32, 64)
WARM_UP_RECORDS = 80_000

THREE_INSERTS = """
\\set n random(1, 1000000000)
BEGIN;
INSERT INTO bench_cases (case_id, port, origin, sealed) VALUES (gen_random_uuid(), 'NNK', '73.06', :sealed);
INSERT INTO bench_outbox (topic, sent) VALUES ('intake.events', false);
INSERT INTO bench_journal (event_id, case_id, occurred_at, payload)
  VALUES (gen_random_uuid(), gen_random_uuid(), now(), :payload);
COMMIT;
"""


async def tune_pgbench(rig: Rig) -> None:
    """Find the number of clients at which pgbench is at its best here."""
    tried = {clients: await _pgbench(rig.server, clients, SWEEP_SECONDS) for clients in PGBENCH_CLIENTS}
    rig.pgbench_clients = max(tried, key=lambda clients: tried[clients])
    note("pgbench: " + ", ".join(f"{tps:,.0f} at {clients} clients" for clients, tps in tried.items()))


async def pgbench(rig: Rig) -> float:
    """Transactions per second of the same three inserts (state, outbox, journal), at the best number of clients."""
    assert rig.pgbench_clients is not None
    return await _pgbench(rig.server, rig.pgbench_clients, PGBENCH_SECONDS)


async def _pgbench(server: Server, clients: int, seconds: int) -> float:
    connection = await asyncpg.connect(server.url())
    await connection.execute(
        "DROP TABLE IF EXISTS bench_cases, bench_outbox, bench_journal;"
        "CREATE TABLE bench_cases (case_id uuid PRIMARY KEY, port text, origin text, sealed bytea);"
        "CREATE TABLE bench_outbox (position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, topic text,"
        " sent boolean);"
        "CREATE TABLE bench_journal (position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event_id uuid,"
        " case_id uuid, occurred_at timestamptz, payload bytea);"
    )
    await connection.execute("CHECKPOINT")
    await connection.close()
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "three.sql"
        text = THREE_INSERTS.replace(":sealed", f"'\\x{'ab' * 250}'").replace(":payload", f"'\\x{'cd' * 500}'")
        script.write_text(text)
        out = await _run(
            str(server.binaries.folder / "pgbench"),
            *("-h", "127.0.0.1", "-p", str(server.port), "-U", "postgres", "-n", "-M", "prepared"),
            *("-f", str(script), "-c", str(clients), "-j", "2", "-T", str(seconds), "postgres"),
            environment={"PGPASSWORD": server.password, "PATH": "/usr/bin:/bin"},
        )
    found = re.search(r"tps = ([0-9.]+)", out)
    assert found, out
    return float(found[1])


@dataclass(frozen=True, slots=True)
class Copies:
    """The rows of some tables in files, and the statements that make empty tables of the same shape for them."""

    rows: int
    """How many arrivals they are of."""
    format: str
    """That of COPY: "text" as dumps and lists have it, or "binary" with nothing left to read."""
    shapes: list[str]
    files: dict[str, Path]


async def export(
    source: asyncpg.Connection, tables: Sequence[str], folder: Path, rows: int, *, form: str = "text"
) -> Copies:
    """Take all rows of the tables out, as COPY will take them in: `rows` arrivals."""
    shapes = []
    files = {}
    for table in tables:
        files[table] = folder / f"{table}.{form}"
        await source.copy_from_table(table, output=str(files[table]), format=form)
        shapes.append(await source.fetchval(SHAPE, table))
        keys = await source.fetch(KEYS, table)
        shapes += [str(key["made"]).replace(" public.", " bench_copy.") for key in keys]
    return Copies(rows, form, shapes, files)


SHAPE = """
SELECT format('CREATE TABLE bench_copy.%I (%s)', $1::text,
    string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' ORDER BY attnum))
FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped
"""
KEYS = (
    "SELECT pg_get_indexdef(indexrelid) AS made FROM pg_index WHERE indrelid = $1::text::regclass ORDER BY indexrelid"
)


async def copy(server: Server, copies: Copies) -> float:
    """Arrivals per second when the same final rows are loaded by COPY into fresh tables of the same shape.

    The same columns and indexes, in one transaction per table, one connection; no checks, no triggers.
    """
    target = await asyncpg.connect(server.url())
    try:
        await target.execute("DROP SCHEMA IF EXISTS bench_copy CASCADE; CREATE SCHEMA bench_copy")
        for shape in copies.shapes:
            await target.execute(shape)
        await target.execute("CHECKPOINT")
        began = time.monotonic()
        for table, file in copies.files.items():
            await target.copy_to_table(table, schema_name="bench_copy", source=str(file), format=copies.format)
        return copies.rows / (time.monotonic() - began)
    finally:
        await target.close()


async def perf_test(broker: Broker, topic: str, *, records: int, size: int, warm: bool = False) -> float:
    """Records per second of one run of kafka-producer-perf-test: acks=all, idempotent, records of `size` bytes.

    As the tool says it; `warm`: of so many records after its virtual machine has warmed up.
    """
    tools = await asyncio.to_thread(jars.provide, jars.KAFKA_TOOLS, os.environ, report.to_stderr)
    out = await _run(
        str(broker.java.program),
        *("-Xmx256m", "-cp", ":".join(str(jar) for jar in [*broker.jars, *tools])),
        "org.apache.kafka.tools.ProducerPerformance",
        *("--topic", topic, "--record-size", str(size), "--throughput", "-1"),
        *("--num-records", str(records + (WARM_UP_RECORDS if warm else 0))),
        *(("--warmup-records", str(WARM_UP_RECORDS)) if warm else ()),
        *(
            "--command-property",
            f"bootstrap.servers={broker.bootstrap}",
            "acks=all",
            "batch.size=262144",
            "linger.ms=5",
        ),
    )
    found = re.findall(rf"{'steady state ' if warm else ''}records sent, ([0-9.]+) records/sec", out)
    assert found, out
    return float(found[-1])


async def _run(*command: str, environment: dict[str, str] | None = None) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env=environment
    )
    out, _ = await process.communicate()
    text = out.decode("utf-8", "replace")
    assert process.returncode == 0, text[-2000:]
    return text
