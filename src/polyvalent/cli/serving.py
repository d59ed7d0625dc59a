"""Open a platform and serve it until somebody says stop."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext

import structlog

from polyvalent import __version__
from polyvalent.api.app import BASE_PATH, create_app
from polyvalent.api.platform import Platform, open_platform
from polyvalent.cli.called import place_of, program
from polyvalent.cli.local_server import bind, serving, url_of
from polyvalent.cli.show import open_console, print_json, print_note, print_pairs, print_title
from polyvalent.cli.working import working_on
from polyvalent.db.job_engine import check_versions
from polyvalent.errors import Misconfigured
from polyvalent.settings import Settings

SERVE_STARTED = "serve.started"
SERVE_STOPPED = "serve.stopped"
SERVE_WITHOUT_WORKER = "serve.without_worker"
GARBAGE_THRESHOLDS = (10_000, 20, 20)  # Python's own are 700, 10, 10
_log = structlog.get_logger("polyvalent.cli")


@asynccontextmanager
async def platform_at(
    settings: Settings, *, host: str, port: int, works: bool = True
) -> AsyncIterator[tuple[Platform, str]]:
    """
    Open a platform and serve it inside the block; give it and its URL.

    Unless it shall not, it works on jobs as well, from when there is the first one.
    Raises Misconfigured or Unavailable before anything is served.
    """
    listener = bind(host, port)
    try:
        async with open_platform(settings) as platform:

            @asynccontextmanager
            async def opened() -> AsyncIterator[Platform]:
                yield platform

            works = works and _can_work(platform)
            async with (
                working_on(platform, lazily=True) if works else nullcontext(),
                serving(create_app(settings, opening=opened), listener),
            ):
                yield platform, url_of(listener)
    finally:
        listener.close()


def _can_work(platform: Platform) -> bool:
    # Without jobs the API is still useful, so it is served; jobs wait for a worker that can.
    try:
        check_versions(platform.ports.database)
    except Misconfigured as error:
        _log.warning(SERVE_WITHOUT_WORKER, reason=error.message)
        return False
    return True


async def serve_platform(
    settings: Settings, *, host: str, port: int, as_json: bool, works: bool = True
) -> None:
    """Serve a platform for ever, having said where."""
    async with platform_at(settings, host=host, port=port, works=works) as (_, url):
        _show_start(settings, url, as_json=as_json)
        _look_for_garbage_less_often()
        _log.info(SERVE_STARTED, url=url, version=__version__, pid=os.getpid())
        try:
            await asyncio.Event().wait()
        finally:
            _log.info(SERVE_STOPPED)


async def work_alone(settings: Settings) -> None:
    """Work on the jobs of a platform for ever, and serve nothing."""
    async with open_platform(settings) as platform, working_on(platform, lazily=False):
        _look_for_garbage_less_often()
        await asyncio.Event().wait()


def _look_for_garbage_less_often() -> None:
    # What is there now stays: looking through all of it stopped calls for 0.1 s.
    gc.collect()
    gc.freeze()
    # The rows of one page are more objects than Python counts between two looks; that took a tenth
    # of each page's time, and found nothing.
    gc.set_threshold(*GARBAGE_THRESHOLDS)


def _show_start(settings: Settings, url: str, *, as_json: bool) -> None:
    public = settings.public_url or url
    if as_json:
        shown = {"url": url, "api": f"{public}{BASE_PATH}", "docs": f"{public}/docs"}
        print_json({**shown, "dataDir": str(settings.data_dir)}, indent=False)
        return
    console = open_console()
    kind = "PostgreSQL" if "postgres" in settings.database_url else settings.database
    before, after = place_of(settings)
    print_title(console, f"polyvalent {__version__} is ready")
    print_pairs(
        console,
        {
            "API": f"{public}{BASE_PATH}",
            "Reference": f"{public}/docs",
            "Health": f"{url}/health",
            "Data": kind.removeprefix("sqlite:///"),
            "Secrets": f"{before}{program()} secrets{after}",
        },
    )
    if not settings.egress_allow:
        console.print()
        print_note(
            console,
            "Stores in private networks and on this machine are refused unless "
            "POLYVALENT_EGRESS_ALLOW names their network.",
        )
    console.print()
    console.print("  Ctrl-C stops it.", style="dim")
    console.print()
