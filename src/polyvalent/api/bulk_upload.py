"""Answer the call that uploads rows to an instance."""

from __future__ import annotations

import asyncio

from polyvalent.api.bulk import CALLBACK, owner_of
from polyvalent.api.form import read_form
from polyvalent.api.operation import Answer, Call
from polyvalent.api.resources import instance_of_token
from polyvalent.bulk.ask import check_callback
from polyvalent.bulk.part import Folder
from polyvalent.bulk.upload_take import open_spool, start_upload
from polyvalent.bulk.upload_target import check_object, find_target, format_of, read_told
from polyvalent.bulk.work import refuse_disabled
from polyvalent.errors import BadRequest

_FILE = "file"


async def upload(call: Call) -> Answer:
    """Take a file in and start the job that writes its rows."""
    instance = await instance_of_token(call)
    platform, object_name = call.platform, call.path_parameters["id"]
    opened = await platform.access.open_instance(instance)
    refuse_disabled(opened)
    # What is refused whatever the form says, is refused before it is read.
    check_object(opened, object_name)
    callback = (call.header(CALLBACK) or "").strip()
    if callback:
        check_callback(callback)
    folder = Folder(path=platform.settings.bulk_path, random=platform.ports.random)
    spool = open_spool(platform.access, folder)
    try:
        form = await read_form(
            call.header("Content-Type"),
            call.pieces(platform.settings.upload_max_bytes),
            file=_FILE,
            take=spool.add,
            example='-F file=@rows.csv -F \'metaData={"action":"upsert"}\'',
        )
        if form.file_name is None:
            raise BadRequest("The form has no part file. Send the rows in it: -F file=@rows.csv")
        told = read_told(form.fields.get("metaData", call.value("metaData")))
        target = find_target(opened, object_name, told, dry_run=_is_dry(call))
        bulk_id = await start_upload(
            platform.access,
            opened,
            spool,
            target=target,
            format_=told.format or format_of(call.value("path") or form.file_name),
            callback=callback,
            owner=owner_of(call, instance),
        )
    finally:
        await asyncio.to_thread(spool.remove)
    platform.bell.ring()
    return Answer(content={"id": str(bulk_id), "status": "CREATED"})


def _is_dry(call: Call) -> bool:
    text = (call.value("dryRun") or "false").lower()
    if text not in ("true", "false"):
        raise BadRequest(f"dryRun is {text[:40]!r}; it may be true or false.")
    return text == "true"
