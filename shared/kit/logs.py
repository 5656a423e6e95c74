"""Structured logs, one JSON object a line, with ids and never with names, free text or request content."""

import logging
import sys
from typing import Any

import structlog

from shared.kit import telemetry

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def start(service: str, level: str) -> None:
    """Write logs of this process to standard error."""

    def mark(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        event["service"] = service
        if (trace := telemetry.traceparent()) is not None:
            event["trace_id"] = trace.split("-")[1]
        return event

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            mark,
            # A traceback's source lines are ours; its message may quote data, so only its kind is kept.
            _without_message,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # Libraries log through the standard module; their text may quote data, so only warnings' places are kept.
    logging.basicConfig(level=logging.WARNING, handlers=[_Library(service)], force=True)


def _without_message(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    error = event.pop("exc_info", None)
    if isinstance(error, BaseException):
        trace, places = error.__traceback__, []
        while trace is not None:
            places.append(f"{trace.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}")
            trace = trace.tb_next
        event["error"] = type(error).__name__
        event["at"] = places[-6:]
    return event


class _Library(logging.Handler):
    """Passes on that a library warned, and where, without its text."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._log = structlog.get_logger().bind(service=service)

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        self._log.warning("library", logger=record.name, level=record.levelname, line=record.lineno, error=error)
