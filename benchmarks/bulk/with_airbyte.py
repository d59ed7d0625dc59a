"""
Read the rows with airbyte-cdk's declarative source, to lines of JSON.

    python -m benchmarks.bulk.with_airbyte URL OUT

Prints {"rows", "read_s"}; the read phase begins when the source is set up.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from airbyte_cdk.models import (
    AirbyteStream,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteStream,
    DestinationSyncMode,
    SyncMode,
)
from airbyte_cdk.sources.declarative.concurrent_declarative_source import (
    ConcurrentDeclarativeSource,
)


def manifest(url: str) -> dict[str, Any]:
    """Describe the list: by page number, until a page is short."""
    return {
        "version": "6.0.0",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": ["rows"]},
        "streams": [
            {
                "type": "DeclarativeStream",
                "name": "rows",
                "primary_key": ["entity_id"],
                "retriever": {
                    "type": "SimpleRetriever",
                    "requester": {
                        "type": "HttpRequester",
                        "url_base": url,
                        "path": "/rows",
                        "http_method": "GET",
                    },
                    "record_selector": {
                        "type": "RecordSelector",
                        "extractor": {"type": "DpathExtractor", "field_path": []},
                    },
                    "paginator": {
                        "type": "DefaultPaginator",
                        "page_token_option": {
                            "type": "RequestOption",
                            "inject_into": "request_parameter",
                            "field_name": "page",
                        },
                        "pagination_strategy": {
                            "type": "PageIncrement",
                            "page_size": 100,
                            "start_from_page": 1,
                            "inject_on_first_request": True,
                        },
                    },
                },
                "schema_loader": {
                    "type": "InlineSchemaLoader",
                    "schema": {"type": "object", "properties": {}, "additionalProperties": True},
                },
            }
        ],
        "spec": {
            "type": "Spec",
            "connection_specification": {"type": "object", "properties": {}},
        },
    }


def main() -> None:
    """Read to the end."""
    url, out = sys.argv[1], Path(sys.argv[2])
    stream = AirbyteStream(
        name="rows", json_schema={"type": "object"}, supported_sync_modes=[SyncMode.full_refresh]
    )
    catalog = ConfiguredAirbyteCatalog(
        streams=[
            ConfiguredAirbyteStream(
                stream=stream,
                sync_mode=SyncMode.full_refresh,
                destination_sync_mode=DestinationSyncMode.overwrite,
            )
        ]
    )
    source = ConcurrentDeclarativeSource(
        catalog=catalog, config={}, state=[], source_config=manifest(url)
    )
    rows = 0
    started = time.perf_counter()
    with out.open("w", encoding="utf-8") as file:
        for message in source.read(_Quiet(), {}, catalog, []):
            if message.record is not None:
                file.write(json.dumps(message.record.data) + "\n")
                rows += 1
    print(json.dumps({"rows": rows, "read_s": time.perf_counter() - started}))


class _Quiet:
    """Take what is logged and say nothing."""

    def __getattr__(self, _name: str) -> Any:
        return lambda *_arguments, **_named: None


if __name__ == "__main__":
    main()
