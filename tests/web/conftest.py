"""The four applications, served for all tests of this folder on the fixtures' own loop."""

from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Any

import pytest

from tests.conftest import Background, PostgresServer
from tests.kit.outside_issuer import OutsideIssuer, outside_issuer
from tests.web import things
from tests.web.served import Served, served, session_of


class Sites:
    """`sites["intake"]` is its application with one of each thing in it, served from the first time it is asked for."""

    def __init__(self, background: Background, postgres: PostgresServer, issuer: OutsideIssuer) -> None:
        self._background = background
        self._postgres = postgres
        self._issuer = issuer
        self._stack = AsyncExitStack()
        self._started: dict[str, Served] = {}
        self._databases: list[str] = []

    def __getitem__(self, name: str) -> Served:
        if name not in self._started:
            database, urls = self._postgres.fresh(name)
            self._databases.append(database)
            start = self._stack.enter_async_context(served(name, lambda _: urls, self._issuer))
            site = self._started[name] = self._background.run(start)
            site.things.update(self._background.run(things.fill(site)))
        return self._started[name]

    def session(self, name: str, who: str) -> tuple[dict[str, str], str]:
        """The cookie of a new session there, and the token that its forms carry."""
        return self._background.run(session_of(self[name], who))

    @contextmanager
    def statements(self, site: Served) -> Iterator[list[str]]:
        """What this service says to its database meanwhile, on the connections that it has open now."""
        said: list[str] = []

        def note(query: Any) -> None:
            said.append(query.query)

        pools = (site.database.asked, site.database.pool)
        open_ones = [holder._con for pool in pools for holder in pool._holders if holder._con is not None]
        for connection in open_ones:
            connection.add_query_logger(note)
        yield said
        for connection in open_ones:
            connection.remove_query_logger(note)

    def close(self) -> None:
        self._background.run(self._stack.aclose())
        for name in self._databases:
            self._postgres.drop(name)


@pytest.fixture(scope="session")
def sites(background: Background, postgres_server: PostgresServer) -> Iterator[Sites]:
    """The four services, each on a database and a socket of its own."""
    issuer = outside_issuer()
    sites = Sites(background, postgres_server, background.run(issuer.__aenter__()))
    yield sites
    sites.close()
    background.run(issuer.__aexit__(None, None, None))
