"""Structured logs on stderr: one line an event, JSON outside a terminal. Never image content, never a key."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any, Literal

import structlog


def configure_logging(level: str, log_format: Literal["auto", "json", "console"]) -> None:
    """Sends structlog's events, and what libraries log, to stderr. Called once, by the composition root."""
    console = log_format == "console" or (log_format == "auto" and sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if not console:
        shared.append(structlog.processors.format_exc_info)
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback) if console else _json
    )
    severity = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(severity),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=max(severity, logging.WARNING), force=True)
    # It warns of every malformed form, however many come; the request's own line says the same, within its limit.
    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)


def _json(_logger: Any, _method: str, event: structlog.typing.EventDict) -> str:
    return _ENCODER.encode(event)


# Structlog's own renderer makes one anew for every line.
_ENCODER = json.JSONEncoder(default=repr)
