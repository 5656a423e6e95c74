"""The guard at the socket: sees the final address of every connection and opens none to a private place.

It stands after name resolution, so that names that point inwards, odd number forms and answers that change
between two questions all end here. Redirects are never followed, proxies never used.
"""

import asyncio
import errno
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from services.notify.domain.addresses import is_public

NAME_THREADS = 32
"""Twice: names that were answered before have threads of their own. A name server that hangs holds a thread for many
seconds, longer than any attempt waits for it, and there may be more of those than threads."""

AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]


class AddressRefused(OSError):
    """The address is not on the open internet. Its text is always the same, so that no address leaks by it."""

    def __init__(self) -> None:
        super().__init__(errno.EACCES, "address refused")


class Guard:
    """Makes sockets for allowed addresses only. `private` holds `host:port` pairs allowed in development."""

    def __init__(self, private: frozenset[str]) -> None:
        self._private = set(private)

    def socket(self, info: AddressInfo) -> socket.socket:
        """A socket for this address. Raises `AddressRefused`."""
        family, kind, protocol, _, address = info
        host, port = address[0], address[1]
        if not is_public(host) and f"{host}:{port}" not in self._private:
            raise AddressRefused
        return socket.socket(family=family, type=kind, proto=protocol)

    def learn(self, name: str, port: int, address: str) -> None:
        """Allow an address of a name that the development allow-list has."""
        if f"{name}:{port}" in self._private:
            self._private.add(f"{address}:{port}")


class Names(AbstractResolver):
    """The system's resolver in threads of its own."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._for_known = ThreadPoolExecutor(NAME_THREADS, thread_name_prefix="known-names")
        self._for_others = ThreadPoolExecutor(NAME_THREADS, thread_name_prefix="names")
        self._known: set[str] = set()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        threads = self._for_known if host in self._known else self._for_others
        self._known.discard(host)
        found = await asyncio.get_running_loop().run_in_executor(
            threads,
            lambda: socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG),
        )
        self._known.add(host)
        results: list[ResolveResult] = []
        for its_family, _, protocol, _, address in found:
            self._guard.learn(host, port, str(address[0]))
            results.append(
                ResolveResult(
                    hostname=host,
                    host=str(address[0]),
                    port=int(address[1]),
                    family=its_family,
                    proto=protocol,
                    flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
                )
            )
        return results

    async def close(self) -> None:
        for threads in (self._for_known, self._for_others):
            threads.shutdown(wait=False, cancel_futures=True)
