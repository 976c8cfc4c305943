"""Structured logs without personal data: one JSON object a line, only fields on a list, and no exception's message.

An exception's message may quote a row, an address or a template's data; its type and place are enough to find it.
"""

import logging
import sys
import traceback
from types import TracebackType
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

FIELDS = frozenset(
    {
        "event", "level", "logger", "timestamp", "exception", "error", "pump", "enrollment", "customer", "send",
        "event_row",
        "template", "route", "method", "status", "ms", "part", "gateway", "code", "count", "rule",
    }
)  # fmt: skip
_FRAMES = 12


def set_up(level: int = logging.INFO) -> None:
    """Send this process's logs to stderr as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ExtraAdder(FIELDS - {"event"}),
                structlog.processors.TimeStamper(fmt="iso"),
            ],
            processors=[_without_messages, _listed_only, structlog.processors.JSONRenderer()],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("asyncio").addFilter(_first_line)
    for noisy in ("httpx", "sqlalchemy", "asyncio", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _first_line(record: logging.LogRecord) -> bool:
    """asyncio reports a lost exception with its repr below the first line."""
    record.msg, record.args = record.getMessage().partition("\n")[0], None
    return True


def _without_messages(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    found = event.pop("exc_info", None)
    if found is True:
        found = sys.exc_info()
    if isinstance(found, tuple) and found[0] is not None:
        event["exception"] = _told(found)
    return event


def _told(found: tuple[type[BaseException], BaseException | None, TracebackType | None]) -> list[str]:
    kind, error, trace = found
    chain = [kind.__name__]
    while error is not None and (error := error.__cause__ or error.__context__) is not None:
        chain.append(type(error).__name__)
    frames = traceback.extract_tb(trace)[-_FRAMES:]
    return [" from ".join(chain[:5]), *(f"{f.filename}:{f.lineno} {f.name}" for f in frames)]


def _listed_only(logger: WrappedLogger, name: str, event: EventDict) -> dict[str, Any]:
    return {key: value for key, value in event.items() if key in FIELDS}
