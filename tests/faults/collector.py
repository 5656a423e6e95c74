"""A tiny OTLP/HTTP receiver: keeps every span that the services send, and the bytes it came in."""

from dataclasses import dataclass, field

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True, slots=True)
class Span:
    """`trace_id`, `span_id`, `parent` in hex; `parent` is empty for the first of a trace."""

    service: str
    name: str
    trace_id: str
    span_id: str
    parent: str


@dataclass(slots=True)
class Collector:
    """Listens on a free port of loopback; `bodies` are what was posted, traces and metrics, by path."""

    bodies: list[bytes] = field(default_factory=list)
    _runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application(client_max_size=16 << 20)
        app.router.add_post("/v1/{signal}", self._take)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()

    async def stop(self) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    @property
    def url(self) -> str:
        assert self._runner is not None
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.bodies.append(request.match_info["signal"].encode() + b"\n" + body)
        return web.Response()

    def spans(self, trace_id: str) -> list[Span]:
        """Every span of one trace."""
        return [span for body in self.bodies for span in _spans(body) if span.trace_id == trace_id]


def _spans(body: bytes) -> list[Span]:
    signal, _, content = body.partition(b"\n")
    if signal != b"traces":
        return []
    found = []
    for resource in ExportTraceServiceRequest.FromString(content).resource_spans:
        service = next((a.value.string_value for a in resource.resource.attributes if a.key == "service.name"), "")
        found += [
            Span(service, span.name, span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex())
            for scope in resource.scope_spans
            for span in scope.spans
        ]
    return found
