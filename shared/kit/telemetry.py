"""Traces and metrics. Silent and free unless OTEL_EXPORTER_OTLP_ENDPOINT is set.

One trace leads from the HTTP request through the journal and Kafka to the webhook: the journal row keeps the
`traceparent` of the span that wrote it, the record carries it on, and the receiver's span continues it.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from opentelemetry import metrics, trace
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_propagator = TraceContextTextMapPropagator()
tracer = trace.get_tracer("rujukan")
meter = metrics.get_meter("rujukan")


_exporting = False


def start(service: str, endpoint: str | None) -> None:
    """Send traces and metrics of this process to an OTLP/HTTP endpoint, or nowhere when it is None."""
    global _exporting
    if endpoint is None:
        return
    _exporting = True
    resource = Resource.create({"service.name": f"rujukan-{service}"})
    traces = TracerProvider(resource=resource)
    traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces")))
    trace.set_tracer_provider(traces)
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(f"{endpoint.rstrip('/')}/v1/metrics"))
    metrics.set_meter_provider(MeterProvider([reader], resource=resource))


def is_exporting() -> bool:
    """Does anybody get what is traced here?"""
    return _exporting


def traceparent() -> str | None:
    """The W3C `traceparent` of the current span, None where nothing is being traced."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


@contextmanager
def span(name: str, parent: str | None = None) -> Iterator[trace.Span]:
    """Run the body in a span that continues `parent`, or the current span.

    An error that ends it leaves no message in it, which could quote a person's data.
    """
    context = _propagator.extract({"traceparent": parent}) if parent else None
    with tracer.start_as_current_span(
        name, context=context, record_exception=False, set_status_on_exception=False
    ) as current:
        yield current


def continuing(name: str, parents: Iterable[str | None]) -> tuple[list[str | None], Callable[[], None]]:
    """Begin one span per parent for a batch; answer their `traceparent`s and what ends them all.

    Records without a parent, and all of them while nothing is exported, cost nothing.
    """
    spans: list[trace.Span] = []
    own: list[str | None] = []
    for parent in parents:
        if parent is None:
            own.append(None)
            continue
        begun = tracer.start_span(name, context=_propagator.extract({"traceparent": parent}))
        context = begun.get_span_context()
        if not begun.is_recording():
            own.append(parent)
            continue
        spans.append(begun)
        own.append(f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}")

    def end() -> None:
        for begun in spans:
            begun.end()

    return own, end


def gauge(name: str, unit: str, description: str, read: Callable[[], float | None]) -> None:
    """Publish a figure that is read when metrics are collected; None is no observation."""

    def observe(_: CallbackOptions) -> list[Observation]:
        value = read()
        return [] if value is None else [Observation(value)]

    meter.create_observable_gauge(name, [observe], unit=unit, description=description)
