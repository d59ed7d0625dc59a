"""
Read the rows with dlt's rest_api source, to lines of JSON; extract, normalise, load.

    python -m benchmarks.bulk.with_dlt URL FOLDER

Prints {"rows", "read_s"}; the read phase begins when the pipeline is made.
"""

from __future__ import annotations

import json
import os
import sys
import time


def main() -> None:
    """Read to the end."""
    url, out = sys.argv[1], sys.argv[2]
    os.environ |= {
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "RUNTIME__LOG_LEVEL": "CRITICAL",
        "DESTINATION__FILESYSTEM__BUCKET_URL": f"file://{out}",
        "NORMALIZE__DATA_WRITER__DISABLE_COMPRESSION": "true",
    }
    import dlt
    from dlt.sources.rest_api import rest_api_source

    source = rest_api_source(
        {
            "client": {
                "base_url": url,
                "paginator": {
                    "type": "page_number",
                    "base_page": 1,
                    "page_param": "page",
                    "total_path": None,
                    "stop_after_empty_page": True,
                },
            },
            "resources": [{"name": "rows", "endpoint": {"path": "rows", "data_selector": "$"}}],
        }
    )
    pipeline = dlt.pipeline(
        pipeline_name="bench",
        pipelines_dir=f"{out}/state",
        destination="filesystem",
        dataset_name="rows",
    )
    started = time.perf_counter()
    pipeline.run(source, loader_file_format="jsonl")
    counts = pipeline.last_trace.last_normalize_info.row_counts
    print(json.dumps({"rows": counts["rows"], "read_s": time.perf_counter() - started}))


if __name__ == "__main__":
    main()
