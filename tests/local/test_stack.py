"""The whole stack: what it keeps from run to run, and the ladder from what is configured down to the wheels."""

import os
import signal
from pathlib import Path

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.local.conftest import Launch, all_gone


async def leave_a_mark(told: dict[str, str]) -> None:
    connection = await asyncpg.connect(told["url"])
    await connection.execute("CREATE TABLE mark (said text)")
    await connection.execute("INSERT INTO mark (said) VALUES ('here')")
    await connection.close()
    admin = AIOKafkaAdminClient(bootstrap_servers=told["bootstrap"])
    await admin.start()
    await admin.create_topics([NewTopic("mark", 1, 1)])
    await admin.close()


async def find_the_mark(told: dict[str, str]) -> tuple[str, list[str]]:
    connection = await asyncpg.connect(told["url"])
    said = await connection.fetchval("SELECT said FROM mark")
    await connection.close()
    admin = AIOKafkaAdminClient(bootstrap_servers=told["bootstrap"])
    await admin.start()
    topics = await admin.list_topics()
    await admin.close()
    return said, topics


@pytest.mark.timeout(300)
class TestAStack:
    async def test_keeps_its_data_from_run_to_run_and_takes_no_broker_in_memory_in_its_place(
        self, launch: Launch, tmp_path: Path
    ) -> None:
        first = launch()
        first.wait_for("READY")
        await leave_a_mark(first.told)
        assert first.end(signal.SIGINT) < 10

        second = launch()
        second.wait_for("READY")

        assert await find_the_mark(second.told) == ("here", ["mark"])
        assert "killed" not in second.said
        second.end(signal.SIGINT)

        third = launch(XDG_CACHE_HOME=str(tmp_path / "cache"), RUJUKAN_MAVEN_MIRROR="http://127.0.0.1:9")

        third.wait_for("TROUBLE fetching")

    async def test_leaves_no_child_when_the_launcher_is_killed_and_recovers_at_once(self, launch: Launch) -> None:
        first = launch()
        first.wait_for("READY")
        await leave_a_mark(first.told)
        children = first.children()
        first.end(signal.SIGKILL)

        second = launch()
        second.wait_for("READY")

        assert set(children) == {"kafka", "postgres"}
        assert all_gone(list(children.values()), 0)
        assert f"The last run (process {first.process.pid}) was killed" in second.said
        assert await find_the_mark(second.told) == ("here", ["mark"])

        # Nobody has to come and look for them: they die with a killed launcher by themselves.
        children = second.children()
        second.end(signal.SIGKILL)

        assert all_gone(list(children.values()))

    def test_ends_with_the_broker_and_says_why(self, launch: Launch) -> None:
        launcher = launch()
        launcher.wait_for("READY")

        os.kill(launcher.children()["kafka"], signal.SIGKILL)

        launcher.wait_for("TROUBLE kafka: was killed by SIGKILL")
        assert all_gone(list(launcher.children().values()))

    def test_refuses_a_folder_that_another_one_is_using(self, launch: Launch) -> None:
        first = launch(RUJUKAN_BROKER="tansu")
        first.wait_for("READY")

        second = launch(RUJUKAN_BROKER="tansu")

        second.wait_for("TROUBLE the data folder")
        assert f"process {first.process.pid} is using it" in second.said


@pytest.mark.timeout(300)
class TestTheLadder:
    def test_takes_the_wheels_where_the_machine_has_nothing(self, launch: Launch) -> None:
        launcher = launch(RUJUKAN_POSTGRES="wheel", RUJUKAN_JAVA="wheel")
        launcher.wait_for("READY")

        assert "from the wheel" in next(line for line in launcher.said.splitlines() if line.startswith("PostgreSQL:"))
        assert "Java 25 (from the wheel)" in launcher.said
        assert launcher.told["broker"] == "Apache Kafka 4.3.1"

    def test_falls_back_to_the_broker_in_memory_when_the_jars_cannot_be_had(
        self, launch: Launch, tmp_path: Path
    ) -> None:
        launcher = launch(XDG_CACHE_HOME=str(tmp_path / "cache"), RUJUKAN_MAVEN_MIRROR="http://127.0.0.1:9")
        launcher.wait_for("READY")

        assert "the Maven repository does not answer" in launcher.said
        assert launcher.told["broker"].startswith("Tansu")
        assert "records are lost when it stops" in launcher.said

    def test_takes_what_is_configured(self, launch: Launch) -> None:
        configured = {
            f"{kind}_{name}": "postgresql://somebody@192.0.2.1/x"
            for name in ("INTAKE", "REFERRAL", "NOTIFY", "AUDIT")
            for kind in ("DATABASE_URL", "MIGRATION_DATABASE_URL")
        }

        launcher = launch(KAFKA_BOOTSTRAP_SERVERS="192.0.2.1:9092", **configured)

        launcher.wait_for("READY")
        assert launcher.told["bootstrap"] == "192.0.2.1:9092"
        assert not launcher.children()

    def test_refuses_half_a_configuration(self, launch: Launch) -> None:
        launcher = launch(RUJUKAN_BROKER="tansu", DATABASE_URL_INTAKE="postgresql://somebody@192.0.2.1/x")

        launcher.wait_for("TROUBLE the database: DATABASE_URL_INTAKE is set, but")

    @pytest.mark.parametrize("name", ["RUJUKAN_BROKER", "RUJUKAN_POSTGRES", "RUJUKAN_JAVA"])
    def test_refuses_a_choice_it_does_not_know(self, launch: Launch, name: str) -> None:
        launcher = launch(**{"RUJUKAN_BROKER": "kafka", name: "mysql"})

        launcher.wait_for(f'TROUBLE {name}: "mysql" is no choice')
