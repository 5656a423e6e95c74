"""Ports on loopback: the usual one if it is free, else another, never one that a program may borrow meanwhile."""

import asyncio
import random
import socket
from collections.abc import Mapping

from deploy.local import report
from deploy.local.report import Trouble

# Below the range from which the system lends ports to outgoing connections.
QUIET_RANGE = range(20_000, 30_000)


def is_free(port: int) -> bool:
    """True when a server can listen on this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
    return True


def free() -> int:
    """A port that nobody listens on."""
    for _ in range(200):
        port = random.choice(QUIET_RANGE)  # noqa: S311 - not a secret
        if is_free(port):
            return port
    raise Trouble("ports", "no free port was found on 127.0.0.1", "See what listens there (ss -ltn).")


def choose(name: str, usual: int, environment: Mapping[str, str], say: report.Say) -> int:
    """The port for a service: PORT_<NAME> if set (taken → `Trouble`), else the usual one, else a free one."""
    variable = f"PORT_{name.upper()}"
    if wanted := environment.get(variable):
        if not wanted.isdigit() or not 0 < int(wanted) < 65536:
            raise Trouble(variable, f'"{wanted}" is no port', "Give a number from 1 to 65535, or unset it.")
        if not is_free(int(wanted)):
            raise Trouble(
                f"port {wanted} for {name}",
                "another program listens there",
                f"Stop it, or unset {variable} to let a free port be taken.",
            )
        return int(wanted)
    if is_free(usual):
        return usual
    port = free()
    say(f"Port {usual} is taken; {name} listens on {port}.")
    return port


async def is_open(port: int) -> bool:
    """True when something accepts connections on this port of 127.0.0.1."""
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), 1)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
