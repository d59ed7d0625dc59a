"""Start a download or find the one that was begun, watch it, and write its rows to a file."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import orjson
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.progress import TimeRemainingColumn as TimeLeft
from rich.text import Text

from polyvalent.bulk.ask import read_format, read_query
from polyvalent.bulk.fetch import find_file
from polyvalent.bulk.look import find_job, list_jobs, show_receipt
from polyvalent.bulk.model import BulkJob, BulkStatus, Format
from polyvalent.bulk.part import Folder
from polyvalent.bulk.start import start_download
from polyvalent.cli.platform_access import Operator, operating
from polyvalent.cli.working import working_on
from polyvalent.errors import Conflict, Misconfigured, NotFound
from polyvalent.instances.find import find_accessible
from polyvalent.instances.model import Instance
from polyvalent.jobs.model import Owner
from polyvalent.settings import Settings

LOOK_EVERY_S = 0.25
_FORMATS = {"jsonl": "JSON", "csv": "CSV", "array": "JSON_ARRAY", "parquet": "PARQUET"}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Say what to download where to; `values` are the parameters of POST /bulk/query."""

    instance_id: int
    values: Mapping[str, str]
    out: Path
    format: str

    @property
    def note(self) -> Path:
        """Return the file that remembers which job the rows come from, until they are there."""
        return self.out.with_name(f".{self.out.name}.bulk")

    @property
    def unfinished(self) -> Path:
        """Return where rows are written to until all are there."""
        return self.out.with_name(f".{self.out.name}.part")

    def digest(self) -> str:
        """Return what tells this wish from another."""
        said = [self.instance_id, sorted(self.values.items()), self.format]
        return sha256(orjson.dumps(said)).hexdigest()


async def download_to(
    settings: Settings, wanted: Wanted, *, console: Console, quiet: bool
) -> dict[str, Any]:
    """
    Download rows into a file and return the receipt.

    Raises what the wish is refused with, Conflict where the job fails. Effects: a bulk job, the
    file; two files beside it while it is not whole, by which the next call goes on.
    """
    if not wanted.out.absolute().parent.is_dir():
        raise NotFound(f"The folder {wanted.out.absolute().parent} does not exist.")
    async with operating(settings) as operator:
        instance = await find_accessible(
            operator.platform.ports, operator.caller, wanted.instance_id
        )
        bulk = await _begin_or_find(operator, instance, wanted)
        # Beside a server and its workers this is one more; without one it does the work.
        async with working_on(operator.platform, lazily=False):
            await watch(operator, instance, bulk.id, console=console, quiet=quiet)
        bulk = await find_job(operator.platform.ports, instance, bulk.id)
        if bulk.status is not BulkStatus.COMPLETED:
            wanted.note.unlink(missing_ok=True)
            wanted.unfinished.unlink(missing_ok=True)
            raise Conflict(
                f"The download {bulk.id} is {bulk.status}: {bulk.message or 'it was stopped'}"
            )
        await _fetch(operator, bulk, wanted)
        return await show_receipt(operator.platform.ports, bulk, with_pages=False)


async def _begin_or_find(operator: Operator, instance: Instance, wanted: Wanted) -> BulkJob:
    platform = operator.platform
    begun = _read_note(wanted)
    if begun is not None:
        try:
            bulk = await find_job(platform.ports, instance, begun)
        except NotFound:
            pass
        else:
            if bulk.swept_at is None and bulk.status not in (
                BulkStatus.FAILED,
                BulkStatus.CANCELLED,
            ):
                return bulk
    wanted.unfinished.unlink(missing_ok=True)
    format_ = _FORMATS[wanted.format]
    read_format(format_)
    wish = read_query({**wanted.values, "fileFormat": format_})
    opened = await platform.access.open_instance(instance)
    owner = Owner(
        organization_id=instance.organization_id,
        account_id=instance.account_id,
        user_id=operator.caller.user.id,
    )
    bulk_id = await start_download(platform.access, opened, wish, owner=owner)
    platform.bell.ring()
    _write(wanted.note, orjson.dumps({"job": bulk_id, "wish": wanted.digest()}))
    return await find_job(platform.ports, instance, bulk_id)


def _read_note(wanted: Wanted) -> int | None:
    try:
        told = orjson.loads(wanted.note.read_bytes())
        return int(told["job"]) if told["wish"] == wanted.digest() else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


class _Rate(ProgressColumn):
    """Show how many rows a second are read."""

    def render(self, task: Task) -> Text:
        speed = task.speed or 0
        return Text(f"{speed:,.0f} rows/s", style="dim")


async def watch(
    operator: Operator, instance: Instance, bulk_id: int, *, console: Console, quiet: bool
) -> None:
    """Show how far a bulk job is until it ends."""
    ports = operator.platform.ports
    bulk = await find_job(ports, instance, bulk_id)
    expected = await _expect(operator, instance, bulk)
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} rows"),
        _Rate(),
        TimeLeft(),
        console=console,
        transient=True,
        disable=quiet or not console.is_terminal,
    ) as progress:
        task = progress.add_task(bulk.object_name, total=expected, completed=bulk.records)
        while not bulk.status.is_end:
            await asyncio.sleep(LOOK_EVERY_S)
            bulk = await find_job(ports, instance, bulk_id)
            total = expected if expected is None else max(expected, bulk.records)
            progress.update(task, completed=bulk.records, total=total)


async def _expect(operator: Operator, instance: Instance, bulk: BulkJob) -> int | None:
    """Guess how many rows there will be: by the limit, or by an earlier run of the same query."""
    asked = bulk.asked
    if asked.action is not None:
        return asked.rows
    if asked.limit is not None:
        return asked.limit
    if asked.begin is not None or asked.since_proven or asked.last_run is not None:
        return None
    before = await list_jobs(operator.platform.ports, instance, before=bulk.id, limit=50)
    for other in before:
        same = (other.asked.object, other.asked.where) == (asked.object, asked.where)
        whole = other.asked.limit is None and other.asked.begin is None
        if same and whole and other.status is BulkStatus.COMPLETED and other.records:
            return other.records
    return None


async def _fetch(operator: Operator, bulk: BulkJob, wanted: Wanted) -> None:
    platform = operator.platform
    folder = Folder(path=platform.settings.bulk_path, random=platform.ports.random)
    found = await find_file(
        platform.ports.database,
        folder,
        bulk,
        bulk.object_name,
        format_=cast("Format", wanted.format),
    )
    # What is there already is the beginning of the same bytes: a job's files never change.
    there = wanted.unfinished.stat().st_size if wanted.unfinished.exists() else 0
    begin = there if there <= found.size_bytes else 0
    try:
        with wanted.unfinished.open("ab" if begin else "wb") as file:
            async for piece in await found.read(begin, found.size_bytes):
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        wanted.unfinished.replace(wanted.out)
    except OSError as error:
        raise Misconfigured(f"{wanted.out} cannot be written: {error.strerror}.") from error
    wanted.note.unlink(missing_ok=True)


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise Misconfigured(f"{path} cannot be written: {error.strerror}.") from error
