"""Follow the traces that calls leave, as they are written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from rich.console import Console
from rich.text import Text

from polyvalent.cli.platform_access import Operator, operating
from polyvalent.cli.show import open_console, print_json
from polyvalent.errors import NotFound
from polyvalent.instances.find import find_accessible
from polyvalent.settings import Settings
from polyvalent.traces.read_call import list_new_calls, read_call

LOOK_EVERY_S = 0.5


async def tail(
    settings: Settings, *, instance_id: int | None, lines: int, follow: bool, as_json: bool
) -> None:
    """Print the last traces, then, with `follow`, each new one until somebody says stop."""
    console = open_console()
    async with operating(settings) as operator:
        if instance_id is not None:
            await find_accessible(operator.platform.ports, operator.caller, instance_id)
        async for trace in _traces(operator, instance_id, lines=lines, follow=follow):
            if as_json:
                print_json(trace, indent=False)
            else:
                _print(console, trace)


async def _traces(
    operator: Operator, instance_id: int | None, *, lines: int, follow: bool
) -> AsyncIterator[dict[str, Any]]:
    ports, after, limit = operator.platform.ports, 0, lines
    while True:
        found, after = await list_new_calls(
            ports.database,
            organization_id=operator.caller.organization.id,
            instance_id=instance_id,
            now=ports.now(),
            after=after,
            limit=limit,
        )
        for summary in found:
            # One that is gone again was pushed out by younger ones.
            with suppress(NotFound):
                yield await read_call(
                    ports.database,
                    ports.keys,
                    instance_id=summary["instanceId"],
                    trace_id=summary["traceId"],
                    now=ports.now(),
                )
        if not follow:
            return
        limit = 200
        await asyncio.sleep(LOOK_EVERY_S)


def _print(console: Console, trace: dict[str, Any]) -> None:
    line = Text(f"{trace['createdDate']}  ", style="dim")
    line.append(f"{trace['instanceId']:>4}  ", style="cyan")
    line.append(f"{trace['status']} ", style=_color(trace["status"]))
    line.append(f"{trace['method']:<6} {trace['request']['url']}", style="bold")
    line.append(f"  {trace['elapsedMs']} ms  {trace['traceId']}", style="dim not bold")
    console.print(line, soft_wrap=True)
    for leg in trace["exchanges"]:
        status = leg["response"]["status"] if "response" in leg else "---"
        line = Text("    → ", style="dim")
        line.append(f"{status} ", style=_color(status))
        line.append(f"{leg['request']['method']:<6} {leg['request']['url']}", style="default")
        line.append(f"  {leg['elapsedMs']} ms")
        console.print(line, soft_wrap=True)
        if "failure" in leg:
            console.print(Text(f"      {leg['failure']}", style="red"), soft_wrap=True)
    if trace["exchangesLeftOut"]:
        console.print(Text(f"    … {trace['exchangesLeftOut']} more", style="dim"))
    if trace["status"] >= 400:
        console.print(Text(f"    {trace['response']['body']}", style="yellow"), soft_wrap=True)


def _color(status: int | str) -> str:
    if isinstance(status, str) or status >= 500:
        return "red"
    return "green" if status < 400 else "yellow"
