"""Structured logs on stderr. Promise: no key, access token or one-time code reaches a line."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from lumio.crypto import opaque


def _masked(value: Any) -> Any:
    match value:
        case str():
            return opaque.mask(value)
        case dict():
            return {name: _masked(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_masked(inner) for inner in value]
        case Exception():
            return opaque.mask(repr(value))
    return value


def redact(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask everything that looks like a secret of ours, as structlog's last processor but one."""
    return {name: _masked(value) for name, value in line.items()}


class _MaskingFormatter(logging.Formatter):
    """Masks the lines of libraries that log on their own."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the masked line."""
        return opaque.mask(super().format(record))


def set_up(level: str) -> None:
    """Configure both structlog and the standard library's logging."""
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            redact,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
    stream = logging.StreamHandler(sys.stderr)
    stream.setFormatter(_MaskingFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[stream], force=True)
