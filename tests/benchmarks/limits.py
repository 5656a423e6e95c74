"""The limits: what PostgreSQL and Kafka do here by themselves, with the rows and bytes that we write."""

import asyncio
import os
import re
import tempfile
from pathlib import Path

import asyncpg

from deploy.local import jars, report
from deploy.local.kafka import Broker
from deploy.local.postgres import Server

PGBENCH_SECONDS = 5
PGBENCH_CLIENTS = (16, 32)

THREE_INSERTS = """
\\set n random(1, 1000000000)
BEGIN;
INSERT INTO bench_cases (case_id, port, origin, sealed) VALUES (gen_random_uuid(), 'NNK', '73.06', :sealed);
INSERT INTO bench_outbox (topic, sent) VALUES ('intake.events', false);
INSERT INTO bench_journal (event_id, case_id, occurred_at, payload)
  VALUES (gen_random_uuid(), gen_random_uuid(), now(), :payload);
COMMIT;
"""


async def pgbench(server: Server) -> float:
    """Transactions per second of the same three inserts (state, outbox, journal), the best of the client counts."""
    connection = await asyncpg.connect(server.url())
    await connection.execute(
        "DROP TABLE IF EXISTS bench_cases, bench_outbox, bench_journal;"
        "CREATE TABLE bench_cases (case_id uuid PRIMARY KEY, port text, origin text, sealed bytea);"
        "CREATE TABLE bench_outbox (position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, topic text,"
        " sent boolean);"
        "CREATE TABLE bench_journal (position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event_id uuid,"
        " case_id uuid, occurred_at timestamptz, payload bytea);"
        "CHECKPOINT"
    )
    await connection.close()
    best = 0.0
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "three.sql"
        text = THREE_INSERTS.replace(":sealed", f"'\\x{'ab' * 250}'").replace(":payload", f"'\\x{'cd' * 500}'")
        script.write_text(text)
        for clients in PGBENCH_CLIENTS:
            out = await _run(
                str(server.binaries.folder / "pgbench"),
                *("-h", "127.0.0.1", "-p", str(server.port), "-U", "postgres", "-n", "-M", "prepared"),
                *("-f", str(script), "-c", str(clients), "-j", "2", "-T", str(PGBENCH_SECONDS), "postgres"),
                environment={"PGPASSWORD": server.password, "PATH": "/usr/bin:/bin"},
            )
            found = re.search(r"tps = ([0-9.]+)", out)
            assert found, out
            best = max(best, float(found[1]))
    return best


async def copy(server: Server, tables: dict[str, list[str]], source: asyncpg.Connection, rows: int) -> float:
    """Arrivals per second when the same final rows are loaded by COPY into fresh tables of the same shape.

    `tables` names the tables and their columns in `source`, which holds `rows` arrivals.
    """
    target = await asyncpg.connect(server.url())
    try:
        with tempfile.TemporaryDirectory() as folder:
            files = {}
            for table, columns in tables.items():
                files[table] = Path(folder) / table
                await source.copy_from_table(table, columns=columns, output=str(files[table]), format="binary")
            shapes = [await _shape(source, table, columns) for table, columns in tables.items()]
            await target.execute("DROP SCHEMA IF EXISTS bench_copy CASCADE; CREATE SCHEMA bench_copy")
            for shape in shapes:
                await target.execute(shape)
            await target.execute("CHECKPOINT")
            began = asyncio.get_running_loop().time()
            for table, columns in tables.items():
                await target.copy_to_table(
                    table, schema_name="bench_copy", columns=columns, source=str(files[table]), format="binary"
                )
            return rows / (asyncio.get_running_loop().time() - began)
    finally:
        await target.close()


async def _shape(source: asyncpg.Connection, table: str, columns: list[str]) -> str:
    """CREATE TABLE of the same columns and types, with the primary key."""
    types = dict(
        await source.fetch(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
            " WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped",
            table,
        )
    )
    key = await source.fetch(
        "SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)"
        " WHERE i.indrelid = $1::regclass AND i.indisprimary",
        table,
    )
    body = ", ".join(f"{column} {types[column]}" for column in columns)
    keys = [row[0] for row in key]
    primary = f", PRIMARY KEY ({', '.join(keys)})" if keys and set(keys) <= set(columns) else ""
    return f"CREATE TABLE bench_copy.{table} ({body}{primary})"


async def perf_test(broker: Broker, topic: str, *, records: int, size: int) -> float:
    """Records per second of kafka-producer-perf-test: acks=all, idempotent, records of `size` bytes."""
    tools = await asyncio.to_thread(jars.provide, jars.KAFKA_TOOLS, os.environ, report.to_stderr)
    out = await _run(
        str(broker.java.program),
        *("-Xmx256m", "-cp", ":".join(str(jar) for jar in [*broker.jars, *tools])),
        "org.apache.kafka.tools.ProducerPerformance",
        *("--topic", topic, "--num-records", str(records), "--record-size", str(size), "--throughput", "-1"),
        *("--producer-props", f"bootstrap.servers={broker.bootstrap}", "acks=all", "batch.size=262144", "linger.ms=5"),
    )
    found = re.findall(r"([0-9.]+) records/sec", out)
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
