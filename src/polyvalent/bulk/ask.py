"""Read what a download is asked for: the query parameters of version 2, the body of version 3."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import orjson

from polyvalent.bulk.bounds import parse_moment
from polyvalent.bulk.model import Asked, BulkJob, BulkStatus, Format
from polyvalent.bulk.parquet import check_installed
from polyvalent.ceql import (
    parse_fields,
    parse_order,
    parse_statement,
    parse_where,
    write_order,
    write_where,
)
from polyvalent.errors import BadRequest
from polyvalent.exchange import split_address

_FORMATS: dict[str, Format] = {
    "JSON": "jsonl",
    "JSONL": "jsonl",
    "JSON_ARRAY": "array",
    "CSV": "csv",
    "PARQUET": "parquet",
}
# lastRunDate by this word: from where the last run that was proven complete ended.
LAST = "last"
_URL_MAX = 2000
_LIMIT_DIGITS_MAX = 9


@dataclass(frozen=True, kw_only=True)
class Wish:
    """Hold a download that somebody asked for; no format is the instance's own."""

    asked: Asked
    file_format: Format | None


def read_query(values: Mapping[str, str], *, continued: BulkJob | None = None) -> Wish:
    """
    Read the parameters of POST /bulk/query.

    {"q": "select id from orders", "from": "2024-01-01"} → Asked(object="orders", fields=("id",),
    begin=...). Raises BadRequest: for `q` with the column of what cannot be read.
    """
    text = values.get("q", "").strip()
    if text:
        statement = parse_statement(text)
        asked = Asked(
            object=statement.object,
            where=write_where(statement.where),
            order=write_order(statement.order),
            fields=statement.fields,
            limit=statement.limit,
            offset=statement.offset or 0,
        )
    elif continued is not None:
        before = continued.asked
        asked = msgspec.structs.replace(before, place=None, callback="", offset=0)
    else:
        raise BadRequest(
            "The parameter q is missing. Send a statement such as q=select * from orders, "
            "percent-encoded."
        )
    return _finish(asked, values, continued=continued)


def read_criteria(body: bytes, values: Mapping[str, str]) -> Wish:
    """
    Read the body of POST /bulk/download: `q`, or objectName with where, fields, orderBy, limit.

    Members go before query parameters of the same name. Raises BadRequest, naming the member.
    """
    try:
        told = orjson.loads(body) if body.strip() else {}
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"The request body is no JSON: {error}.") from error
    if not isinstance(told, dict):
        raise BadRequest('The request body must be an object such as {"objectName": "orders"}.')
    criteria: dict[str, Any] = {**values, **told}
    texts: dict[str, str] = {}
    for name, value in criteria.items():
        if name == "fields" and isinstance(value, list):
            texts[name] = ",".join(map(str, value))
        elif value is not None:
            texts[name] = value if isinstance(value, str) else orjson.dumps(value).decode()
    if texts.get("q", texts.get("query", "")).strip():
        return read_query({**texts, "q": texts.get("q") or texts["query"]})
    name = texts.get("objectName", "").strip()
    if not name:
        raise BadRequest(
            'The member objectName is missing. Send {"objectName": "orders"} or {"q": "select * '
            'from orders"}.'
        )
    asked = Asked(
        object=name,
        where=write_where(parse_where(texts.get("where", ""))),
        order=write_order(parse_order(texts.get("orderBy", ""))),
        fields=parse_fields(texts.get("fields", "")),
        limit=_read_limit(texts.get("limit")),
    )
    return _finish(asked, texts, continued=None)


def _read_limit(text: str | None) -> int | None:
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > _LIMIT_DIGITS_MAX:
        raise BadRequest(f"limit must be a whole number, but it is {text[:40]!r}.")
    return int(text)


def _finish(asked: Asked, values: Mapping[str, str], *, continued: BulkJob | None) -> Wish:
    begin = parse_moment("from", values.get("from"))
    end = parse_moment("to", values.get("to"))
    last_run = values.get("lastRunDate", "").strip()
    since_proven = last_run.lower() == LAST
    last = None if since_proven else parse_moment("lastRunDate", last_run)
    if begin is not None and (last is not None or since_proven):
        raise BadRequest("Send either from or lastRunDate: both say where the rows begin.")
    if begin is not None and end is not None and end < begin:
        raise BadRequest("from is later than to, so that no row can lie between.")
    if end is not None and begin is None and last is None and not since_proven:
        raise BadRequest("to needs a from beside it, or a lastRunDate.")
    changes: dict[str, Any] = {}
    if begin is not None or last is not None or since_proven:
        changes = {"begin": begin, "end": end, "last_run": last, "since_proven": since_proven}
    if _read_reconcile(values.get("reconcile")):
        changes["reconcile"] = True
    if continued is not None:
        changes |= {"place": _place_of(continued, asked), "continues": continued.id}
    callback = values.get("callback", "").strip()
    if callback:
        changes["callback"] = check_callback(callback)
    return Wish(
        asked=msgspec.structs.replace(asked, **changes),
        file_format=read_format(values.get("fileFormat")),
    )


def _read_reconcile(text: str | None) -> bool:
    told = (text or "false").strip().lower()
    if told not in ("true", "false"):
        raise BadRequest(f"reconcile is {told[:40]!r}; it may be true or false.")
    return told == "true"


def read_format(text: str | None) -> Format | None:
    """
    Read a fileFormat: "csv" → "csv", "JSON" → "jsonl"; None for none.

    Raises BadRequest for any other, and for Parquet where it cannot be written.
    """
    if text is None or not text.strip():
        return None
    found = _FORMATS.get(text.strip().upper())
    if found is None:
        raise BadRequest(f"The format {text[:40]!r} is not known. It may be {', '.join(_FORMATS)}.")
    if found == "parquet":
        check_installed()
    return found


def check_callback(url: str) -> str:
    """Return the address of a callback; raises BadRequest if none can be called there."""
    if url.startswith("/"):
        raise BadRequest(
            "Elements-Async-Callback-Url must be an absolute address such as "
            "https://app.example.com/done; formulas are not offered here."
        )
    parts = split_address(url)
    if parts.scheme not in ("http", "https") or not parts.netloc or len(url) > _URL_MAX:
        raise BadRequest(
            "Elements-Async-Callback-Url must be an absolute address such as "
            "https://app.example.com/done."
        )
    return url


def _place_of(continued: BulkJob, asked: Asked) -> dict[str, Any] | None:
    if continued.status is not BulkStatus.COMPLETED:
        raise BadRequest(
            f"continueFromJobId names a job that is {continued.status}; only one that is "
            f"COMPLETED can be continued."
        )
    before = continued.asked
    if (asked.object, asked.where, asked.order) != (before.object, before.where, before.order):
        raise BadRequest(
            "continueFromJobId names a job of another query. Send the same q, or none."
        )
    return continued.place
