"""A tiny OTLP/HTTP receiver: keeps every span and metric that the services send."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from aiohttp import web
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
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
    """Listens on a free port of loopback."""

    traces: list[ExportTraceServiceRequest] = field(default_factory=list)
    metrics: list[ExportMetricsServiceRequest] = field(default_factory=list)
    _runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application(client_max_size=16 << 20)
        app.router.add_post("/v1/traces", self._take_traces)
        app.router.add_post("/v1/metrics", self._take_metrics)
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

    async def _take_traces(self, request: web.Request) -> web.Response:
        self.traces.append(ExportTraceServiceRequest.FromString(await request.read()))
        return web.Response()

    async def _take_metrics(self, request: web.Request) -> web.Response:
        self.metrics.append(ExportMetricsServiceRequest.FromString(await request.read()))
        return web.Response()

    def texts(self) -> Iterator[bytes]:
        """All that came, as text: in the bytes of the wire words run into the numbers around them."""
        for message in (*self.traces, *self.metrics):
            yield str(message).encode()

    def spans(self, trace_id: str) -> list[Span]:
        """Every span of one trace."""
        return [span for message in self.traces for span in _spans(message) if span.trace_id == trace_id]


def _spans(message: ExportTraceServiceRequest) -> Iterator[Span]:
    for resource in message.resource_spans:
        service = next((a.value.string_value for a in resource.resource.attributes if a.key == "service.name"), "")
        for span in (span for scope in resource.scope_spans for span in scope.spans):
            yield Span(service, span.name, span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex())
