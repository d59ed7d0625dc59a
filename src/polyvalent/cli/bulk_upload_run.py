"""Upload the rows of a file from the command line: begin, work or watch, tell."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from polyvalent.bulk.look import find_job, list_errors, show_receipt
from polyvalent.bulk.model import BulkStatus
from polyvalent.bulk.part import Folder
from polyvalent.bulk.upload_take import SPOOL_BYTES, open_spool, start_upload
from polyvalent.bulk.upload_target import find_target, format_of, read_told
from polyvalent.bulk.work import refuse_disabled
from polyvalent.cli.bulk_run import watch
from polyvalent.cli.platform_access import operating
from polyvalent.cli.working import working_on
from polyvalent.errors import Conflict, NotFound
from polyvalent.instances.find import find_accessible
from polyvalent.jobs.model import Owner
from polyvalent.settings import Settings

ERRORS_SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class Upload:
    """Say which file goes where; `told` is the metaData of POST /bulk/{objectName}."""

    instance_id: int
    object_name: str
    file: Path
    told: str
    dry_run: bool


async def upload_from(
    settings: Settings, wanted: Upload, *, console: Console, quiet: bool
) -> dict[str, Any]:
    """
    Upload the rows of a file and return the receipt, with the first rows that failed as `errors`.

    Raises what the file is refused with, Conflict where the job fails. Effects: a bulk job; writes
    at the store unless it is a dry run.
    """
    async with operating(settings) as operator:
        platform = operator.platform
        instance = await find_accessible(platform.ports, operator.caller, wanted.instance_id)
        opened = await platform.access.open_instance(instance)
        refuse_disabled(opened)
        told = read_told(wanted.told)
        target = find_target(opened, wanted.object_name, told, dry_run=wanted.dry_run)
        folder = Folder(path=settings.bulk_path, random=platform.ports.random)
        spool = open_spool(platform.access, folder)
        try:
            with _open(wanted.file) as file:
                while piece := await asyncio.to_thread(file.read, SPOOL_BYTES):
                    await spool.add(piece)
            bulk_id = await start_upload(
                platform.access,
                opened,
                spool,
                target=target,
                format_=told.format or format_of(wanted.file.name),
                callback="",
                owner=Owner(
                    organization_id=instance.organization_id,
                    account_id=instance.account_id,
                    user_id=operator.caller.user.id,
                ),
            )
        finally:
            await asyncio.to_thread(spool.remove)
        platform.bell.ring()
        # Beside a server and its workers this is one more; without one it does the work.
        async with working_on(platform, lazily=False):
            await watch(operator, instance, bulk_id, console=console, quiet=quiet)
        bulk = await find_job(platform.ports, instance, bulk_id)
        if bulk.status is not BulkStatus.COMPLETED:
            raise Conflict(
                f"The upload {bulk.id} is {bulk.status}: {bulk.message or 'it was stopped'}"
            )
        errors = await list_errors(platform.ports, bulk, after=0, limit=ERRORS_SHOWN)
        receipt = await show_receipt(platform.ports, bulk, with_pages=False)
        return {**receipt, "errors": [content for _, content in errors]}


def _open(path: Path) -> Any:
    try:
        return path.open("rb")
    except OSError as error:
        raise NotFound(f"The file {path} cannot be read: {error.strerror}.") from error
