"""The log goes to what is stderr at the moment, however long a logger is kept."""

from __future__ import annotations

import io
import logging
from contextlib import redirect_stderr

import pytest
import structlog

from polyvalent.cli.logs import LogFormat, configure_logs


@pytest.fixture(autouse=True)
def _logging_as_it_was():
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def test_a_logger_outlives_the_stream_that_it_first_wrote_to():
    log = structlog.get_logger("polyvalent.test")
    first, second = io.StringIO(), io.StringIO()
    with redirect_stderr(first):
        configure_logs("info", form=LogFormat.JSON)
        log.info("log.first")
    first_lines = first.getvalue()
    first.close()
    with redirect_stderr(second):
        log.info("log.second")

    assert "log.first" in first_lines
    assert "log.second" in second.getvalue()
