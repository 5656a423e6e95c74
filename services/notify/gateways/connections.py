"""Connections with an end: one answer brings so many bytes and no more.

The client bounds the headers and the body of an answer, but not what a server may put between and around them:
interim answers, chunk extensions. Those cost the time of everybody whose notices this process carries.
"""

import asyncio
from functools import partial
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler

ANSWER_BYTES = 256 * 1024


class BoundedAnswer(ResponseHandler):
    """Hangs up on a server that sends more than `ANSWER_BYTES` after one request."""

    _received = 0

    def set_response_params(self, **parameters: Any) -> None:
        """Begin with the next answer on this connection."""
        self._received = 0
        super().set_response_params(**parameters)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._received += len(data)
        if self._received > ANSWER_BYTES and self.transport is not None:
            self.transport.abort()


def _bounded(loop: asyncio.AbstractEventLoop) -> ResponseHandler:
    return BoundedAnswer(loop=loop)


class BoundedConnector(aiohttp.TCPConnector):
    """Makes connections whose answers are bounded."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._factory = partial(_bounded, self._loop)
