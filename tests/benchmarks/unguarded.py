"""Intake with its gate taken out: whoever asks is the port's system. Only to be measured beside the real one."""

from starlette.requests import Request

from services.intake.__main__ import cli
from shared.kit.actor import Actor
from shared.kit.identity import Identity

PORT = Actor("port-NNK", "port-NNK", frozenset({"port_system"}), kind="client", port="NNK")


async def anybody(_: Identity, request: Request) -> Actor:
    """Stands in for `Identity.actor_of`: no token is read."""
    request.state.actor = PORT
    return PORT


if __name__ == "__main__":
    Identity.actor_of = anybody  # type: ignore[assignment, method-assign]
    cli()
