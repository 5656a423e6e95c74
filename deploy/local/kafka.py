"""A real Apache Kafka as a child process: one node that is broker and controller (KRaft), on loopback."""

import base64
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from deploy.local import folder, jars, ports, report, supervisor
from deploy.local import java as javas
from deploy.local.java import Java
from deploy.local.supervisor import Child

LOGGING = """\
appender.c.type=Console
appender.c.name=C
appender.c.layout.type=PatternLayout
appender.c.layout.pattern=[%d] %p %m (%c)%n
rootLogger.level=WARN
rootLogger.appenderRef.c.ref=C
"""

# Topics are made by `migrate` alone, with their own settings. The short session timeout makes a start after a
# kill take 4 s instead of 12: the old registration has to run out.
SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
num.network.threads=2
num.io.threads=4
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=16777216
log.segment.bytes=67108864
auto.create.topics.enable=false
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=300
"""


@dataclass(frozen=True, slots=True)
class Broker:
    """One broker: its Java, its jars, its folder and its ports on 127.0.0.1."""

    java: Java
    jars: Sequence[Path]
    folder: Path
    port: int
    controller: int
    heap_mb: int = 256

    @property
    def name(self) -> str:
        version = next(jar.version for jar in jars.listed(jars.KAFKA) if jar.artifact == "kafka_2.13")
        return f"Apache Kafka {version}"

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    def command(self, main: str, *arguments: str) -> list[str]:
        """How to run one of Kafka's mains."""
        return [
            *(str(self.java.program), f"-Xmx{self.heap_mb}m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
            *(["--enable-native-access=ALL-UNNAMED"] if self.java.major >= 22 else []),
            f"-Dlog4j2.configurationFile={self.folder / 'log4j2.properties'}",
            *(main, *arguments),
        ]

    @property
    def environment(self) -> dict[str, str]:
        return {"CLASSPATH": os.pathsep.join(map(str, self.jars))}

    def child(self) -> Child:
        """The broker as a child process, ready when it answers a question about its metadata."""
        return Child(
            name="kafka",
            command=self.command("kafka.Kafka", str(self.folder / "server.properties")),
            environment=self.environment,
            ready=self.answers,
            ready_s=60,
            stop_s=3.5,
        )

    async def answers(self, pid: int) -> bool:
        """True when this process is the broker and answers."""
        return await answers(self.port, pid)


async def answers(port: int, pid: int) -> bool:
    """True when this process listens there and answers a question about a broker's metadata."""
    if not ports.is_held_by(port, pid):
        return False
    client = AIOKafkaClient(bootstrap_servers=f"127.0.0.1:{port}", request_timeout_ms=3000)
    try:
        await client.bootstrap()
    except (KafkaError, OSError, TimeoutError):
        return False
    finally:
        await client.close()
    return True


def find(folder: Path, environment: Mapping[str, str], say: report.Say, *, heap_mb: int = 256) -> Broker:
    """Find Java and the jars, fetching what is missing. Blocks; raises `Trouble`."""
    java = javas.find(environment, say)
    found = jars.provide(jars.KAFKA, environment, say)
    return Broker(java, found, folder, ports.free(), ports.free(), heap_mb)


async def prepare(broker: Broker, log: Path) -> bool:
    """Write the settings and format the storage; True when it is new, False when it was there. Raises `Trouble`."""
    folder.keep_private(broker.folder)
    data = broker.folder / "data"
    data.mkdir(exist_ok=True)
    (broker.folder / "log4j2.properties").write_text(LOGGING)
    settings = broker.folder / "server.properties"
    settings.write_text(SETTINGS.format(port=broker.port, controller=broker.controller, data=data))
    if (data / "meta.properties").exists():
        return False
    await supervisor.finish(
        Child(
            name="kafka-format",
            command=broker.command(
                *("kafka.tools.StorageTool", "format", "--standalone", "-t", new_cluster_id()),
                *("-c", str(settings)),
            ),
            environment=broker.environment,
        ),
        log,
    )
    return True


def new_cluster_id() -> str:
    """A random id in the form Kafka wants: 22 characters, not beginning with a dash."""
    while (text := base64.urlsafe_b64encode(os.urandom(16)).decode().rstrip("=")).startswith("-"):
        pass
    return text


def rung(broker: Broker, say: report.Say) -> None:
    """Say which rung was taken and what it cannot do."""
    say(
        f"Broker: {broker.name} on Java {broker.java.major} ({broker.java.origin}); one node, so one copy of each"
        " record, on loopback without TLS."
    )
