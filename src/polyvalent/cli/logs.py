"""
Set logging up: one line an event on stderr, for people on a terminal, else as JSON.

Our own events come from structlog, those of libraries from `logging`; both leave in one form.
Tracebacks show source lines and never the values of variables, which may be secrets. There is
no access log of the server: the edge writes one line a request, without its query.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TextIO, cast

import orjson
import structlog
from structlog.dev import ConsoleRenderer, plain_traceback
from structlog.processors import TimeStamper, add_log_level, format_exc_info
from structlog.stdlib import ProcessorFormatter
from structlog.typing import Processor


class LogFormat(StrEnum):
    """Choose how a line of the log looks."""

    AUTO = "auto"
    JSON = "json"
    TEXT = "text"


class _Stderr:
    """
    Write to what is stderr at the moment.

    Loggers keep what they write to for as long as the process lives, and stderr may be replaced
    and closed meanwhile, as by whoever runs a command inside another program.
    """

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def configure_logs(level: str, *, form: LogFormat = LogFormat.AUTO) -> None:
    """
    Set structlog and `logging` up for this process.

    `level` is debug, info, warning or error. Effects: replaces the handlers of the root logger.
    """
    stream = _Stderr()
    on_terminal = sys.stderr.isatty()
    as_json = form is LogFormat.JSON or (form is LogFormat.AUTO and not on_terminal)
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        add_log_level,
        # One clock everywhere: that of the dates on the wire, of traces and of databases.
        TimeStamper(fmt="iso" if as_json else "%H:%M:%SZ", utc=True),
    ]
    ending: list[Processor] = (
        [format_exc_info, _dump]
        if as_json
        else [
            ConsoleRenderer(
                colors=on_terminal and not os.environ.get("NO_COLOR"),
                pad_event_to=18,
                exception_formatter=plain_traceback,
            )
        ]
    )
    structlog.configure(
        # The line of each request is most of the log, and is written in one step.
        processors=[_stamp] if as_json else [*shared, *ending],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(file=cast("TextIO", stream)),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(cast("TextIO", stream))
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[ProcessorFormatter.remove_processors_meta, *ending],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    # What libraries say below a warning is about themselves.
    root.setLevel(max(number, logging.WARNING))


def _dump(_logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
    # Time, level and event stand first, where the eye looks for them.
    lead = {name: event.pop(name) for name in ("timestamp", "level", "event") if name in event}
    return orjson.dumps({**lead, **event}, default=repr).decode()


def _stamp(logger: object, level: str, event: MutableMapping[str, Any]) -> str:
    # What `shared` and `ending` do, for an event that has neither time nor level yet.
    if "exc_info" in event:
        event = format_exc_info(logger, level, event)
    moment = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    lead = {"timestamp": moment, "level": level, "event": event.pop("event")}
    return orjson.dumps({**lead, **event}, default=repr).decode()
