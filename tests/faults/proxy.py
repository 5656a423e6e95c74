"""A TCP proxy on loopback that can be cut and healed: the network between a service and what it needs."""

import asyncio
from contextlib import suppress

CHUNK = 64 * 1024


class Proxy:
    """Passes bytes both ways between its own `port` and the port it stands before, unless it is cut."""

    def __init__(self, port_behind: int) -> None:
        self._port_behind = port_behind
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._pumps: set[asyncio.Task[None]] = set()
        self.is_cut = False
        self.turned_away = 0
        """Connections that were tried while it was cut."""

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._join, "127.0.0.1", 0)

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    def cut(self) -> None:
        """Reset every connection and turn new ones away until `heal`."""
        self.is_cut = True
        for writer in list(self._open):
            writer.transport.abort()

    def heal(self) -> None:
        self.is_cut = False

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_cut:
            self.turned_away += 1
            writer.transport.abort()
            return
        try:
            behind_reader, behind_writer = await asyncio.open_connection("127.0.0.1", self._port_behind)
        except OSError:
            self.turned_away += 1
            writer.transport.abort()
            return
        for pair in ((reader, behind_writer), (behind_reader, writer)):
            pump = asyncio.create_task(self._pump(*pair))
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            with suppress(OSError):
                while chunk := await reader.read(CHUNK):
                    writer.write(chunk)
                    await writer.drain()
        finally:
            self._open.discard(writer)
            # Abort on both sides: a half-closed connection would keep the other end waiting.
            writer.transport.abort() if self.is_cut else writer.close()
