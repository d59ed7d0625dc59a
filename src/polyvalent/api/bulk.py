"""Answer the calls on bulk downloads of an instance."""

from __future__ import annotations

from typing import Any

import orjson

from polyvalent.api.operation import Answer, Call, Stream
from polyvalent.api.resources import instance_of_token
from polyvalent.api.stream import read_range
from polyvalent.bulk import look
from polyvalent.bulk.ask import Wish, check_callback, read_criteria, read_query
from polyvalent.bulk.fetch import find_file
from polyvalent.bulk.model import BulkJob, Format
from polyvalent.bulk.parquet import check_installed
from polyvalent.bulk.part import Folder
from polyvalent.bulk.present import present
from polyvalent.bulk.start import cancel_bulk, start_download
from polyvalent.errors import BadRequest, NotAcceptable
from polyvalent.instances.model import Instance
from polyvalent.jobs.model import Owner

CALLBACK = "Elements-Async-Callback-Url"
_TYPES: dict[Format, str] = {
    "jsonl": "application/json;charset=UTF-8",
    "text": "application/json;charset=UTF-8",
    "array": "application/json;charset=UTF-8",
    # Callers compare this one to the letter.
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
}
_SUFFIXES: dict[Format, str] = {
    "jsonl": "jsonl",
    "text": "jsonl",
    "array": "json",
    "csv": "csv",
    "parquet": "parquet",
}
_ACCEPTED: dict[str, Format] = {
    "text/csv": "csv",
    "application/json": "jsonl",
    "application/x-ndjson": "jsonl",
    "application/jsonl": "jsonl",
    "application/vnd.apache.parquet": "parquet",
}
_NAMED: dict[str, Format] = {
    "jsonl": "jsonl",
    "array": "array",
    "csv": "csv",
    "parquet": "parquet",
}


async def query(call: Call) -> Answer:
    """Start a download by a statement (version 2)."""
    instance = await instance_of_token(call)
    values = _values(call)
    continued = None
    if values.get("continueFromJobId", "").strip():
        before = _number(values["continueFromJobId"].strip(), "continueFromJobId")
        continued = await _find(call, instance, before)
    bulk_id = await _start(call, instance, read_query(values, continued=continued))
    return Answer(content={"id": str(bulk_id), "status": "CREATED"})


async def download(call: Call) -> Answer:
    """Start a download by criteria (version 3)."""
    instance = await instance_of_token(call)
    wish = read_criteria(call.json_body(), _values(call))
    bulk_id = await _start(call, instance, wish)
    return Answer(content=present(await _find(call, instance, bulk_id)))


async def show(call: Call) -> Answer:
    """Show a bulk job."""
    instance = await instance_of_token(call)
    return Answer(content=present(await _find(call, instance)))


async def show_list(call: Call) -> Answer:
    """List the bulk jobs of the instance, the newest first."""
    instance = await instance_of_token(call)
    size = call.number("pageSize", default=50, most=look.LARGEST_PAGE)
    token = call.value("nextPage")
    found = await look.list_jobs(
        call.platform.ports,
        instance,
        before=_number(token, "nextPage") if token else None,
        limit=size + 1,
    )
    shown = [present(bulk) for bulk in found[:size]]
    headers = [("Elements-Returned-Count", str(len(shown)))]
    if len(found) > size:
        headers.append(("Elements-Next-Page-Token", str(found[size - 1].id)))
    return Answer(content=shown, headers=tuple(headers))


async def show_errors(call: Call) -> Answer:
    """List what failed in a bulk job, page by page."""
    instance = await instance_of_token(call)
    bulk = await _find(call, instance)
    size = call.number("pageSize", default=100, most=look.LARGEST_PAGE)
    token = call.value("nextPage")
    found = await look.list_errors(
        call.platform.ports,
        bulk,
        after=_number(token, "nextPage") if token else 0,
        limit=size + 1,
    )
    shown = [content for _, content in found[:size]]
    headers = [("Elements-Returned-Count", str(len(shown)))]
    if len(found) > size:
        headers.append(("Elements-Next-Page-Token", str(found[size - 1][0])))
    return Answer(content=shown, headers=tuple(headers))


async def show_receipt(call: Call) -> Answer:
    """Show what a finished download has proven."""
    instance = await instance_of_token(call)
    bulk = await _find(call, instance)
    with_pages = call.value("pages") == "true"
    return Answer(content=await look.show_receipt(call.platform.ports, bulk, with_pages=with_pages))


async def cancel(call: Call) -> Answer:
    """Cancel a bulk job; one that has ended stays as it is."""
    instance = await instance_of_token(call)
    bulk = await _find(call, instance)
    await cancel_bulk(call.platform.access, bulk, owner=owner_of(call, instance))
    return Answer(content=present(await _find(call, instance)))


async def fetch(call: Call) -> Answer:
    """Send the rows of a bulk job, or a part of them, as they are read from the disk."""
    instance = await instance_of_token(call)
    bulk = await _find(call, instance)
    platform = call.platform
    found = await find_file(
        platform.ports.database,
        Folder(path=platform.settings.bulk_path, random=platform.ports.random),
        bulk,
        call.path_parameters["objectName"],
        format_=_format(call, bulk),
    )
    whole = found.size_bytes
    name = f"{call.path_parameters['objectName']}-{bulk.id}.{_SUFFIXES[found.format]}"
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "-._") else "_" for c in name)
    headers = [
        ("ETag", found.etag),
        ("Accept-Ranges", "bytes"),
        ("Content-Disposition", f'attachment; filename="{safe}"'),
    ]
    part = read_range(call, size_bytes=whole, etag=found.etag)
    begin, end = part or (0, whole)
    if part is not None:
        headers.append(("Content-Range", f"bytes {begin}-{end - 1}/{whole}"))
    return Answer(
        content=Stream(
            pieces=await found.read(begin, begin if call.method == "HEAD" else end),
            size_bytes=end - begin,
            content_type=_TYPES[found.format],
        ),
        headers=tuple(headers),
        status=200 if part is None else 206,
    )


def _values(call: Call) -> dict[str, str]:
    values = dict(call.query)
    callback = call.header(CALLBACK)
    if callback:
        values["callback"] = check_callback(callback.strip())
    else:
        values.pop("callback", None)
    return values


async def _start(call: Call, instance: Instance, wish: Wish) -> int:
    access = call.platform.access
    opened = await access.open_instance(instance)
    bulk_id = await start_download(access, opened, wish, owner=owner_of(call, instance))
    call.platform.bell.ring()
    return bulk_id


async def _find(call: Call, instance: Instance, bulk_id: int | None = None) -> BulkJob:
    wanted = call.id("id", what="bulk job") if bulk_id is None else bulk_id
    return await look.find_job(call.platform.ports, instance, wanted)


def owner_of(call: Call, instance: Instance) -> Owner:
    """Return in whose name the jobs of a call work."""
    return Owner(
        organization_id=instance.organization_id,
        account_id=instance.account_id,
        user_id=call.known_caller().user.id,
    )


def _format(call: Call, bulk: BulkJob) -> Format:
    named = call.value("format")
    if named:
        found = _NAMED.get(named.lower())
        if found is None:
            raise BadRequest(
                f"format is {named[:40]!r}; it may be {', '.join(_NAMED)}, or be left out."
            )
    else:
        found = _accepted(call.header("Accept"), bulk)
    if found == "parquet":
        check_installed()
    return "text" if found == "jsonl" and _wants_text(call) else found


def _accepted(accept: str | None, bulk: BulkJob) -> Format:
    entries = [entry.partition(";")[0].strip().lower() for entry in (accept or "*/*").split(",")]
    for entry in entries:
        if entry in _ACCEPTED:
            return _ACCEPTED[entry]
        if entry in ("*/*", ""):
            return bulk.file_format
        if entry in ("application/*", "text/*"):
            return "jsonl" if entry == "application/*" else "csv"
    raise NotAcceptable(
        f"The rows come as {', '.join(_ACCEPTED)}; the header Accept has none of them."
    )


def _wants_text(call: Call) -> bool:
    text = call.value("json")
    if not text:
        return False
    try:
        told: Any = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadRequest(
            'The parameter json must be an object such as {"convertToNativeType":"false"}.'
        ) from error
    return isinstance(told, dict) and str(told.get("convertToNativeType")).lower() == "false"


def _number(text: str, name: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise BadRequest(f"{name} is {text[:40]!r}; send the value as it was given.")
    return int(text)
