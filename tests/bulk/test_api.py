"""The calls on bulk jobs: formats, parts of files, refusals, paging, cancel, callback."""

from __future__ import annotations

import base64
import csv
import hashlib
import hmac
import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, update

from polyvalent.db.schema_bulk import bulk_job
from tests.bulk.yard import Yard, open_yard


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    with open_yard(tmp_path, orders=30, products=24, customers=12) as opened:
        yield opened


def fetch(yard: Yard, bulk_id: str, name: str = "orders", **headers: str) -> Any:
    return yard.call("GET", f"/hubs/any/bulk/{bulk_id}/{name}", headers=headers)


def test_it_answers_csv_with_exactly_that_type(yard: Yard) -> None:
    bulk_id, _ = yard.download("select * from customers")

    reply = fetch(yard, bulk_id, "customers", Accept="text/csv")
    records = list(csv.DictReader(io.StringIO(reply.body.decode(), newline="")))
    lines = yard.lines(bulk_id, "customers")

    assert (reply.status, reply.headers["content-type"]) == (200, "text/csv")
    assert int(reply.headers["content-length"]) == len(reply.body)
    assert [item["email"] for item in records] == [item["email"] for item in lines]
    assert set(records[0]) == {name for line in lines for name in line}


def test_it_writes_every_format_of_the_same_rows(yard: Yard) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    bulk_id, _ = yard.download("select id, grand_total, addresses from orders", fileFormat="CSV")

    lines = yard.lines(bulk_id, "orders")
    plain = fetch(yard, bulk_id)
    array = yard.call("GET", f"/bulk/{bulk_id}/orders", query={"format": "array"})
    parquet = fetch(yard, bulk_id, Accept="application/vnd.apache.parquet")
    texts = yard.call(
        "GET",
        f"/bulk/{bulk_id}/orders",
        query={"json": '{"convertToNativeType":"false"}'},
        headers={"Accept": "application/json"},
    )

    assert plain.headers["content-type"] == "text/csv"
    assert "application/json" in array.headers["content-type"]
    assert array.json() == lines
    table = pq.read_table(io.BytesIO(parquet.body)).to_pylist()
    assert [row["grand_total"] for row in table] == [row["grand_total"] for row in lines]
    assert [json.loads(row["addresses"]) for row in table] == [row["addresses"] for row in lines]
    first = json.loads(texts.body.decode().split("\n")[0])
    assert first["id"] == str(lines[0]["id"])
    assert yard.status(bulk_id)["fileFormat"] == "CSV"


def test_it_sends_parts_so_that_a_fetch_can_be_taken_up_again(yard: Yard) -> None:
    bulk_id, _ = yard.download("select * from orders")
    whole = fetch(yard, bulk_id)

    some = fetch(yard, bulk_id, Range="bytes=1000-1999")
    rest = fetch(yard, bulk_id, Range="bytes=5000-", **{"If-Range": whole.headers["etag"]})
    last = fetch(yard, bulk_id, Range="bytes=-10")
    changed = fetch(yard, bulk_id, Range="bytes=5000-", **{"If-Range": '"other"'})
    behind = fetch(yard, bulk_id, Range=f"bytes={len(whole.body)}-")
    head = yard.call("HEAD", f"/bulk/{bulk_id}/orders")

    size = len(whole.body)
    assert (some.status, some.body) == (206, whole.body[1000:2000])
    assert some.headers["content-range"] == f"bytes 1000-1999/{size}"
    assert (rest.status, rest.body) == (206, whole.body[5000:])
    assert last.body == whole.body[-10:]
    assert (changed.status, changed.body) == (200, whole.body)
    assert (behind.status, behind.headers["content-range"]) == (416, f"bytes */{size}")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(size))


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"q": "select * contacts"}, "Error parsing query"),
        ({"q": "select * contacts"}, "column 10"),
        ({"q": "select * from orders where status ="}, "Error parsing query"),
        ({"q": "select * from orders where (status = 'a'"}, "Error parsing query"),
        ({"q": "select * from orders where status = 'a"}, "never closed"),
        ({"q": "select * from nothing"}, "no object 'nothing'"),
        ({"q": "select * from `orders/1/items`"}, "no object"),
        ({"q": "select nonsense from orders"}, "nonsense"),
        ({"q": "select * from orders where nonsense = 1"}, "nonsense"),
        ({"q": "select * from orders order by grand_total"}, "cannot be sorted"),
        ({}, "q is missing"),
        ({"q": "select * from orders", "from": "yesterday"}, "from must be a moment"),
        ({"q": "select * from orders", "to": "2024-01-01"}, "to needs a from"),
        ({"q": "select * from orders", "from": "2024-01-02", "to": "2024-01-01"}, "later"),
        ({"q": "select * from orders", "from": "2024-01-02", "lastRunDate": "last"}, "either"),
        ({"q": "select * from orders", "fileFormat": "XLS"}, "XLS"),
        ({"continueFromJobId": "one"}, "continueFromJobId"),
    ],
)
def test_it_refuses_what_cannot_be(yard: Yard, query: dict[str, str], words: str) -> None:
    before = yard.stage.rows()
    reply = yard.call("POST", "/bulk/query", query=query)

    assert (reply.status, words in reply.message) == (400, True), reply.message
    assert yard.stage.rows() == before


def test_it_refuses_callbacks_that_cannot_be_and_disabled_instances(yard: Yard) -> None:
    q = {"q": "select * from orders"}
    inner = yard.call("POST", "/bulk/query", query=q, headers={"Elements-Async-Callback-Url": "/a"})
    missing = yard.call("POST", "/bulk/query", query={"continueFromJobId": "999"})
    yard.stage.call("DELETE", f"/instances/{yard.instance_id}/enabled")
    disabled = yard.call("POST", "/bulk/query", query=q)

    assert (inner.status, "absolute" in inner.message) == (400, True)
    assert missing.status == 404
    assert disabled.status == 403


def test_it_downloads_by_criteria(yard: Yard) -> None:
    body = {"objectName": "orders", "fields": ["id", "status"], "where": "entity_id <= 7"}
    created = yard.call("POST", "/hubs/crm/bulk/download", body=body)
    yard.work_off()
    bulk_id = created.json()["id"]
    bad = yard.call("POST", "/bulk/download", body={"objectName": "orders", "where": "id ="})
    none = yard.call("POST", "/bulk/download", body={})

    assert created.json()["jobStatus"] == "CREATED"
    assert [set(row) for row in yard.lines(bulk_id, "orders")] == [{"id", "status"}] * 7
    shown = yard.call("GET", f"/bulk/{bulk_id}").json()
    assert shown["jobCriteria"]["where"] == "entity_id <= 7"
    assert (bad.status, "Error parsing query" in bad.message) == (400, True)
    assert (none.status, "objectName" in none.message) == (400, True)


def test_it_shows_no_rows_before_the_end_and_none_of_others(yard: Yard) -> None:
    bulk_id = yard.start("select * from orders")
    early = fetch(yard, bulk_id)
    receipt = yard.call("GET", f"/bulk/{bulk_id}/receipt")
    yard.work_off()

    assert (early.status, receipt.status) == (409, 409)
    assert fetch(yard, bulk_id, "customers").status == 404
    assert fetch(yard, bulk_id, Accept="image/png").status == 406
    assert yard.call("GET", "/bulk/99999/status").status == 404
    assert yard.call("GET", "/bulk/nine/status").status == 404
    assert yard.stage.call("GET", f"/bulk/{bulk_id}/status").status == 401


def test_it_lists_jobs_page_by_page(yard: Yard) -> None:
    ids = [yard.start("select id from orders limit 1") for _ in range(5)]
    yard.work_off()

    first = yard.call("GET", "/bulk/jobs", query={"pageSize": 3})
    token = first.headers["elements-next-page-token"]
    second = yard.call("GET", "/bulk/jobs", query={"pageSize": 3, "nextPage": token})

    assert [job["id"] for job in (*first.json(), *second.json())] == ids[::-1]
    assert "elements-next-page-token" not in second.headers


def test_it_cancels(yard: Yard) -> None:
    bulk_id = yard.start("select * from orders")
    cancelled = yard.call("PUT", f"/bulk/{bulk_id}/cancel")
    yard.work_off()
    done, _ = yard.download("select * from orders")
    late = yard.call("PUT", f"/bulk/{done}/cancel")

    assert (cancelled.status, cancelled.json()["status"]) == (200, "CANCELLED")
    shown = yard.status(bulk_id)
    assert (shown["status"], shown["jobStatus"]) == ("CANCELLED", "CANCELED")
    assert fetch(yard, bulk_id).body == b""
    assert (late.status, late.json()["status"]) == (200, "COMPLETED")


def test_it_cancels_in_the_middle_and_keeps_what_was_read(tmp_path: Path) -> None:
    with open_yard(tmp_path, orders=300) as yard:
        bulk_id = yard.start("select * from orders")
        yard.crowded = True
        yard.work_off(rounds_max=1)
        yard.call("PUT", f"/bulk/{bulk_id}/cancel")
        yard.work_off()

        assert yard.status(bulk_id)["status"] == "CANCELLED"
        assert 0 < len(yard.lines(bulk_id, "orders")) < 300


def test_it_forgets_rows_after_three_days_and_jobs_after_a_month(yard: Yard) -> None:
    bulk_id, receipt = yard.download("select * from orders")
    files = list(yard.stage.settings.bulk_path.rglob("*.part"))
    stray = files[0].with_name("stray.part")
    stray.write_bytes(b"of nobody")
    yard.stage.clock.ahead += timedelta(days=3, hours=1)
    yard.work_off()
    gone = fetch(yard, bulk_id)

    assert files
    assert not list(yard.stage.settings.bulk_path.rglob("*.part"))
    assert (gone.status, "not kept" in gone.message) == (404, True)
    assert yard.receipt(bulk_id)["seal"] == receipt["seal"]
    yard.stage.clock.ahead += timedelta(days=31)
    yard.work_off()
    assert yard.call("GET", f"/bulk/{bulk_id}/status").status == 404


def test_a_sweep_that_is_cut_off_is_ended_by_the_next_one(yard: Yard) -> None:
    yard.download("select * from orders")
    yard.stage.clock.ahead += timedelta(days=3, hours=7)

    def cut(point: str) -> None:
        if point == "bulk.swept":
            raise RuntimeError("the process ends here")

    yard.on_mark = cut
    yard.work_off()
    # The rows are forgotten, their files are nobody's.
    assert list(yard.stage.settings.bulk_path.rglob("*.part"))
    yard.on_mark = lambda _: None
    yard.stage.clock.ahead += timedelta(hours=1)
    yard.work_off()
    assert not list(yard.stage.settings.bulk_path.rglob("*.part"))


def test_it_keeps_rows_sealed_and_notices_what_was_altered(yard: Yard) -> None:
    bulk_id, _ = yard.download("select * from customers")
    (file,) = yard.stage.settings.bulk_path.rglob("*.part")
    email = yard.lines(bulk_id, "customers")[0]["email"]
    content = bytearray(file.read_bytes())

    assert email.encode() not in content
    content[100] ^= 1
    file.write_bytes(content)
    assert fetch(yard, bulk_id, "customers").status == 500


class Receiver:
    """Takes callbacks; answers what it is told to."""

    def __init__(self) -> None:
        self.url = ""
        self.statuses = [200]
        self.got: list[tuple[dict[str, str], bytes]] = []


@contextmanager
def open_receiver() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.got.append((headers, body))
            more = len(receiver.statuses) > 1
            self.send_response(receiver.statuses.pop(0) if more else receiver.statuses[0])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/done?key=k"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()


def test_it_calls_back_signed_with_the_receipt_and_tries_again(yard: Yard) -> None:
    with open_receiver() as receiver:
        receiver.statuses = [503, 200]
        headers = {"Elements-Async-Callback-Url": receiver.url}
        plain = yard.start("select * from orders", headers=headers)
        yard.work_off()
        assert len(receiver.got) == 1
        yard.stage.clock.ahead += timedelta(minutes=1)
        yard.work_off()
        yard.configure(event__notification__signature__key="s3cret")
        signed = yard.start("select id from orders limit 1", headers=headers)
        yard.work_off()

        assert [json.loads(body)["id"] for _, body in receiver.got] == [plain, plain, signed]
        (unsigned, _), _, (told, body) = receiver.got
        shown = json.loads(body)
        assert shown["status"] == "COMPLETED"
        assert shown["receipt"]["complete"] is True
        assert "elements-webhook-signature" not in unsigned
        expected = base64.b64encode(hmac.new(b"s3cret", body, hashlib.sha256).digest()).decode()
        assert told["elements-webhook-signature"] == f"sha256={expected}"


def test_it_tells_that_a_receipt_was_altered(yard: Yard) -> None:
    bulk_id, _ = yard.download("select * from orders")

    async def alter() -> None:
        async with yard.stage.platform.ports.database.transaction() as connection:
            changed = func.replace(bulk_job.c.receipt, '"rows":30', '"rows":31')
            await connection.execute(update(bulk_job).values(receipt=changed))

    yard.stage.run(alter())
    shown = yard.call("GET", f"/bulk/{bulk_id}/receipt", query={"pages": "true"}).json()
    assert (shown["rows"], shown["intact"]) == (31, False)
    assert len(shown["pageFingerprints"]) == shown["pages"]["count"]


def test_it_downloads_by_a_schedule_what_has_changed(yard: Yard) -> None:
    cron = {"Elements-Schedule-Request": "0 0 * * * ?"}
    query = {"q": "select * from orders", "lastRunDate": "last"}
    scheduled = yard.call("POST", "/bulk/query", query=query, headers=cron)
    for _ in range(2):
        yard.pass_time(timedelta(hours=1))
        yard.work_off()

    later, first = yard.call("GET", "/bulk/jobs").json()
    assert set(scheduled.json()) == {"id"}
    assert (first["recordsCount"], later["recordsCount"]) == (30, 0)
    assert later["receipt"]["complete"] is True
