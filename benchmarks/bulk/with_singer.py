"""
Read the rows with a tap of singer-sdk, to its messages, a line each.

    python -m benchmarks.bulk.with_singer URL OUT

Prints {"rows", "read_s"} on standard error; the read phase begins when the tap is made.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from pathlib import Path
from typing import Any

from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.pagination import BasePageNumberPaginator

from benchmarks.gateway.rows import make_row

_URL = sys.argv[1] if len(sys.argv) > 1 else ""


class _Pages(BasePageNumberPaginator):
    def has_more(self, response: Any) -> bool:
        return bool(response.json())


class _Rows(RESTStream):  # type: ignore[misc]
    name = "rows"
    path = "/rows"
    url_base = _URL
    primary_keys = ("entity_id",)
    schema = th.PropertiesList(
        *(
            th.Property(
                name,
                th.ObjectType(additional_properties=True)
                if isinstance(value, dict)
                else th.ArrayType(th.ObjectType(additional_properties=True))
                if isinstance(value, list)
                else th.StringType,
            )
            for name, value in make_row(1).items()
        )
    ).to_dict()

    def get_new_paginator(self) -> _Pages:
        return _Pages(1)

    def get_url_params(self, _context: Any, next_page_token: Any) -> dict[str, Any]:
        return {"page": next_page_token}


class _Source(Tap):  # type: ignore[misc]
    name = "tap-rows"
    config_jsonschema = th.PropertiesList().to_dict()

    def discover_streams(self) -> list[Any]:
        return [_Rows(self)]


def main() -> None:
    """Read to the end."""
    out = Path(sys.argv[2])
    logging.disable(logging.CRITICAL)
    tap = _Source(config={}, parse_env_config=False)
    started = time.perf_counter()
    shown = sys.stdout
    with out.open("w", encoding="utf-8") as file:
        sys.stdout = file
        tap.sync_all()
        sys.stdout = shown
    read_s = time.perf_counter() - started
    with out.open("rb") as file:
        rows = sum(b'"type":"RECORD"' in line[:40] for line in file)
    print(json.dumps({"rows": rows, "read_s": read_s}))


if __name__ == "__main__":
    main()
