"""Uploads to a store: what becomes of each row, whatever the store and the worker go through."""

from __future__ import annotations

import base64
import csv
import gc
import hmac
import io
import json
import os
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from polyvalent.bulk.part import Folder
from polyvalent.bulk.upload_take import open_spool, start_upload
from polyvalent.bulk.upload_target import Told, find_target
from polyvalent.jobs.model import Owner
from tests.bulk.test_api import open_receiver
from tests.bulk.yard import Yard, open_yard
from tests.databases import on_both, url_of
from tests.journeys.stage import Reply

_BOUNDARY = "----a-boundary"
OWNER = Owner(organization_id=1, account_id=1, user_id=1)


class Killed(BaseException):
    """Stand for a process that ends at once."""


def die_at(yard: Yard, point: str, *, time: int) -> None:
    """Work until a point is passed so often, by the job or by the data plane, and end there."""
    passed = 0

    def on_mark(name: str) -> None:
        nonlocal passed
        if name == point:
            passed += 1
            if passed == time:
                raise Killed

    yard.on_mark = on_mark
    ledger = yard.stage.platform.access.ledger
    usual, ledger.mark = ledger.mark, on_mark
    try:
        with pytest.raises(Killed):
            yard.work_off()
    finally:
        ledger.mark = usual
        yard.on_mark = lambda _: None


@pytest.fixture
def yard(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Yard]:
    url = url_of(request)
    with open_yard(tmp_path, database_url=url, orders=3, products=5, customers=12) as opened:
        yield opened


def form(parts: list[tuple[str, bytes]]) -> bytes:
    made = b""
    for disposition, content in parts:
        made += f"--{_BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode()
        made += content + b"\r\n"
    return made + f"--{_BOUNDARY}--\r\n".encode()


def send(
    yard: Yard, name: str, content: bytes, *, file: str = "rows.csv", query: Any = None, **told: str
) -> Reply:
    """Upload a file; what else is told goes as metaData."""
    body = form(
        [
            (f'name="file"; filename="{file}"', content),
            ('name="metaData"', json.dumps(told).encode()),
        ]
    )
    headers = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
    return yard.call("POST", f"/hubs/any/bulk/{name}", body=body, headers=headers, query=query)


def start(yard: Yard, name: str, content: bytes, **more: Any) -> str:
    reply = send(yard, name, content, **more)
    assert reply.status == 200, reply
    assert reply.json() == {"id": reply.json()["id"], "status": "CREATED"}
    return str(reply.json()["id"])


def csv_of(rows: list[dict[str, Any]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def people(count: int, *, begin: int = 0) -> list[dict[str, Any]]:
    return [
        {
            "email": f"new{number}@example.com",
            "firstname": f"Ada {number}",
            "lastname": "Uploaded",
            "website_id": "1",
            "group_id": "1",
        }
        for number in range(begin, begin + count)
    ]


def emails(yard: Yard) -> Counter[str]:
    found: Counter[str] = Counter()
    token = None
    while True:
        query = {"pageSize": 100, **({"nextPage": token} if token else {})}
        reply = yard.call("GET", "/customers", query=query)
        assert reply.status == 200, reply
        found.update(row["email"] for row in reply.json())
        token = reply.headers.get("elements-next-page-token")
        if token is None:
            return found


def outcomes(yard: Yard, bulk_id: str, name: str = "customers") -> list[str]:
    return [line["outcome"] for line in yard.lines(bulk_id, name)]


@on_both("yard")
def test_it_creates_every_row_of_a_file(yard: Yard) -> None:
    bulk_id = start(yard, "customers", csv_of(people(7)), action="create")
    yard.work_off()

    shown = yard.status(bulk_id)
    found = yard.call("GET", "/customers", query={"where": "lastname = 'Uploaded'"}).json()
    lines = yard.lines(bulk_id, "customers")
    assert (shown["status"], shown["jobDirection"]) == ("COMPLETED", "UPLOAD")
    assert (shown["recordsCount"], shown["recordsFailedCount"]) == (7, 0)
    assert shown["outcomes"] == {"created": 7}
    assert {row["email"] for row in found} == {row["email"] for row in people(7)}
    assert [(line["row"], line["line"], line["outcome"]) for line in lines] == [
        (number, number + 1, "created") for number in range(1, 8)
    ]
    assert {str(line["id"]) for line in lines} == {str(row["id"]) for row in found}
    assert yard.receipt(bulk_id)["complete"] is True


@on_both("yard")
def test_it_updates_what_is_there_and_creates_the_rest(yard: Yard) -> None:
    before = yard.call("GET", "/customers", query={"pageSize": 2}).json()
    same, other = before
    rows = [
        {"email": same["email"], "firstname": same["firstname"], "lastname": same["lastname"]},
        {"email": other["email"], "firstname": "Changed", "lastname": other["lastname"]},
        {**people(1)[0]},
    ]
    content = "\n".join(json.dumps(row) for row in rows).encode()

    bulk_id = start(
        yard,
        "customers",
        content,
        file="rows.jsonl",
        action="upsert",
        identifierFieldName="email",
    )
    yard.work_off()
    lines = yard.lines(bulk_id, "customers")
    again = start(yard, "customers", content, format="json", action="upsert")
    yard.work_off()

    assert [line["outcome"] for line in lines] == ["unchanged", "updated", "created"]
    assert lines[1]["changes"] == {"firstname": {"from": other["firstname"], "to": "Changed"}}
    changed = yard.call("GET", f"/customers/{other['id']}").json()
    assert changed["firstname"] == "Changed"
    assert outcomes(yard, again) == ["unchanged"] * 3


def test_it_updates_and_deletes_by_id(yard: Yard) -> None:
    first, second = yard.call("GET", "/customers", query={"pageSize": 2}).json()
    content = f"id,firstname\n{first['id']},Eve\n999999,Nobody\n,Nameless\n".encode()
    changed = start(yard, "customers", content, action="update", identifierFieldName="id")
    gone = start(
        yard,
        "customers",
        f"email\n{second['email']}\nnobody@example.com\n".encode(),
        action="delete",
    )
    yard.work_off()

    assert outcomes(yard, changed) == ["updated", "failed", "failed"]
    assert outcomes(yard, gone) == ["deleted", "failed"]
    assert yard.call("GET", f"/customers/{first['id']}").json()["firstname"] == "Eve"
    assert yard.call("GET", f"/customers/{second['id']}").status == 404
    errors = yard.call("GET", f"/bulk/{changed}/errors").json()
    assert [(item["row"], item["line"], item["status"]) for item in errors] == [
        (2, 3, 400),
        (3, 4, 400),
    ]
    assert "999999" in errors[0]["message"]
    assert errors[0]["record"] == {"id": "999999", "firstname": "Nobody"}


@on_both("yard")
def test_it_tells_the_vendors_words_for_each_row_that_failed_page_by_page(yard: Yard) -> None:
    rows = [{**row, "website_id": "77"} for row in people(37)]
    bulk_id = start(yard, "customers", csv_of([*rows, *people(2, begin=50)]), action="create")
    yard.work_off()

    shown = yard.status(bulk_id)
    page = yard.call("GET", f"/bulk/{bulk_id}/errors", query={"pageSize": 30})
    token = page.headers["elements-next-page-token"]
    rest = yard.call("GET", f"/bulk/{bulk_id}/errors", query={"pageSize": 30, "nextPage": token})

    assert (shown["status"], shown["recordsFailedCount"]) == ("COMPLETED", 37)
    assert shown["recordsCount"] == 39
    assert (page.headers["elements-returned-count"], len(page.json())) == ("30", 30)
    assert (rest.headers["elements-returned-count"], len(rest.json())) == ("7", 7)
    assert "elements-next-page-token" not in rest.headers
    assert all(item["response"] and item["outcome"] == "failed" for item in page.json())
    assert yard.receipt(bulk_id)["complete"] is False


def test_it_writes_each_row_once_where_a_fifth_of_the_answers_is_lost(tmp_path: Path) -> None:
    with open_yard(tmp_path, orders=1, products=1, customers=3, lost_answers=0.2) as yard:
        before = emails(yard)
        assert yard.shop is not None
        looked = yard.shop.store.counters["GET /api/rest/customers"]
        bulk_id = start(yard, "customers", csv_of(people(30)), action="create")
        yard.work_off()

        # Rows whose answer was lost were looked up, and none was sent again.
        assert yard.shop.store.counters["GET /api/rest/customers"] > looked
        assert yard.shop.store.counters["POST /api/rest/customers"] == 30
        shown = yard.status(bulk_id)
        assert shown["outcomes"] == {"created": 30}, shown
        assert emails(yard) == before + Counter(row["email"] for row in people(30))


MARKS = (
    "write.before_send",
    "write.after_send",
    "write.before_settle",
    "once.before_keep",
    "bulk.row_written",
    "bulk.outcomes_written",
    "bulk.saved",
    "bulk.finished",
)


ONCE = ("bulk.outcomes_written", "bulk.saved", "bulk.finished")  # with so few rows


@pytest.mark.parametrize("point", MARKS)
@pytest.mark.parametrize("action", ["create", "upsert", "delete"])
def test_it_is_taken_up_after_a_kill_without_a_row_written_twice(
    yard: Yard, point: str, action: str
) -> None:
    rows = people(6)
    there = people(4)
    if action == "delete":
        start(yard, "customers", csv_of(rows), action="create")
        yard.work_off()
        rows = [{"email": row["email"]} for row in rows]
    elif action == "upsert":
        start(yard, "customers", csv_of(there), action="create")
        yard.work_off()
        rows = [{**row, "firstname": "Changed"} for row in rows]
    before = emails(yard)
    bulk_id = start(yard, "customers", csv_of(rows), action=action)
    die_at(yard, point, time=1 if point in ONCE else 3)
    yard.pass_time(timedelta(minutes=1))
    yard.take_over()
    yard.work_off()

    shown = yard.status(bulk_id)
    expected = {
        "create": {"created": 6},
        "upsert": {"updated": 4, "created": 2},
        "delete": {"deleted": 6},
    }[action]
    assert (shown["status"], shown["outcomes"]) == ("COMPLETED", expected)
    assert outcomes(yard, bulk_id) == [
        word for word, count in expected.items() for _ in range(count)
    ]
    after = emails(yard)
    if action == "delete":
        assert not any(row["email"] in after for row in rows)
    else:
        assert after == before | Counter(row["email"] for row in rows)


def test_it_shows_what_it_would_do_and_writes_nothing(yard: Yard) -> None:
    one, two = yard.call("GET", "/customers", query={"pageSize": 2}).json()
    content = csv_of(
        [
            {"email": one["email"], "firstname": one["firstname"]},
            {"email": two["email"], "firstname": "Other"},
            {"email": "new@example.com", "firstname": "New"},
        ]
    )
    before = emails(yard)
    dry = {"dryRun": "true"}
    upsert = start(yard, "customers", content, query=dry, action="upsert")
    create = start(yard, "customers", content, query=dry, action="create")
    delete = start(yard, "customers", content, query=dry, action="delete")
    yard.work_off()

    assert outcomes(yard, upsert) == ["unchanged", "updated", "created"]
    assert outcomes(yard, create) == ["failed", "failed", "created"]
    assert outcomes(yard, delete) == ["deleted", "deleted", "failed"]
    assert yard.lines(upsert, "customers")[1]["changes"] == {
        "firstname": {"from": two["firstname"], "to": "Other"}
    }
    assert yard.status(upsert)["jobCriteria"]["dryRun"] is True
    assert emails(yard) == before
    assert yard.call("GET", f"/customers/{two['id']}").json()["firstname"] == two["firstname"]


def test_it_waits_out_a_failing_store(yard: Yard) -> None:
    assert yard.shop is not None
    bulk_id = start(yard, "customers", csv_of(people(4)), action="create")
    yard.shop.store.set_options(php_down=True)
    yard.work_off(rounds_max=2)
    yard.shop.store.set_options(php_down=False)
    yard.stage.clock.ahead += timedelta(minutes=10)
    yard.work_off()

    assert yard.status(bulk_id)["outcomes"] == {"created": 4}


def test_it_lets_others_before_and_cancels(yard: Yard) -> None:
    yard.crowded = True
    bulk_id = start(yard, "customers", csv_of(people(5)), action="create")
    yard.work_off(rounds_max=2)
    cancelled = yard.call("PUT", f"/bulk/{bulk_id}/cancel")
    yard.work_off()

    written = len(yard.call("GET", "/customers", query={"where": "lastname = 'Uploaded'"}).json())
    shown = yard.status(bulk_id)
    assert (cancelled.status, shown["status"]) == (200, "CANCELLED")
    assert 0 < shown["recordsCount"] == written < 5
    assert outcomes(yard, bulk_id) == ["created"] * written


@pytest.mark.parametrize(
    ("name", "content", "told", "words"),
    [
        ("customers", b"email,email\na,b\n", {}, "Line 1, column 7"),
        ("customers", b'email\n"a\n', {}, "Line 2, column 1: a quote is opened"),
        ("customers", b"email\n\xff\n", {}, "Line 2, column 1: byte 0xff"),
        ("customers", b"", {}, "Line 1: the file is empty"),
        ("customers", b"a@b.c,Ada\nd@e.f,Eve\n", {}, "Line 1: none of"),
        ("customers", b"email\na@b.c\nA@B.C \n", {}, "Line 3: email 'A@B.C ' has come before"),
        ("customers", b"[{}", {"format": "json"}, "Line 1, column 4: the array goes on"),
        ("customers", b'[{"email":"\\ud800"}]', {"format": "json"}, "Line 1: the row has a value"),
        ("customers", b"email\n", {"action": "merge"}, "action is 'merge'"),
        ("customers", b"email\n", {"format": "xml"}, "format is 'xml'"),
        ("customers", b"email\n", {"acton": "create"}, "no member 'acton'. Did you mean action?"),
        ("customers", b"email\n", {"Action": "create"}, "no member 'Action'. Did you mean"),
        ("customers", b"email\n", {"dryRun": True}, "dryRun belongs into the query"),
        ("orders", b"id\n1\n", {}, "disabled for orders"),
        ("inventory", b"id\n1\n", {"action": "create"}, "does not take POST"),
        ("nothing", b"id\n1\n", {}, "no object 'nothing'"),
    ],
)
def test_it_refuses_what_cannot_be_and_keeps_nothing(
    yard: Yard, name: str, content: bytes, told: dict[str, str], words: str
) -> None:
    before = yard.stage.rows()
    reply = send(yard, name, content, **told)

    assert (reply.status, words in reply.message) == (400, True), reply.message
    assert yard.stage.rows() == before
    assert not list(yard.stage.settings.bulk_path.glob("*/*"))


@pytest.mark.parametrize(
    ("body", "content_type", "status", "words"),
    [
        (form([('name="other"', b"1")]), None, 400, "no part file"),
        (form([('name="file"; filename="a.csv"', b"email\n")])[:-8], None, 400, "cut short"),
        (form([('name="file"', b"a"), ('name="file"', b"b")]), None, 400, "more than one"),
        (
            form([('name="file"', b"a"), ('name="metaData"', b"{")]),
            None,
            400,
            "metaData is no JSON",
        ),
        (form([('name="file"', b"a"), ('name="metaData"', b"[]")]), None, 400, "be an object"),
        (form([("no-name", b"a")]), None, 400, "has no name"),
        (b"email\n", "text/csv", 415, "multipart/form-data"),
        (b"email\n", "multipart/form-data", 400, "no boundary"),
    ],
)
def test_it_refuses_broken_forms(
    yard: Yard, body: bytes, content_type: str | None, status: int, words: str
) -> None:
    told = content_type or f"multipart/form-data; boundary={_BOUNDARY}"
    reply = yard.call("POST", "/bulk/customers", body=body, headers={"Content-Type": told})

    assert (reply.status, words in reply.message) == (status, True), reply.message
    assert not list(yard.stage.settings.bulk_path.glob("*/*"))


def test_it_refuses_a_file_that_is_too_large_and_keeps_nothing(tmp_path: Path) -> None:
    # Larger than what is in memory at once, so that some of it has been written by then.
    limit = 3 * 1024 * 1024
    with open_yard(tmp_path, customers=1, settings={"upload_max_bytes": limit}) as yard:
        before = yard.stage.rows()
        row = b"someone@example.com,Ada\n"
        reply = send(yard, "customers", b"email,firstname\n" + row * (limit // len(row)))

        assert (reply.status, "POLYVALENT_UPLOAD_MAX_BYTES" in reply.message) == (413, True)
        assert yard.stage.rows() == before
        assert not list(yard.stage.settings.bulk_path.glob("*/*"))


def test_it_calls_back_with_the_outcomes_signed(yard: Yard) -> None:
    yard.configure(event__notification__signature__key="s3cret")
    with open_receiver() as receiver:
        content = csv_of([*people(2), {**people(1, begin=9)[0], "website_id": "77"}])
        body = form(
            [
                ('name="file"; filename="rows.csv"', content),
                ('name="metaData"', b'{"action":"create"}'),
            ]
        )
        headers = {
            "Content-Type": f"multipart/form-data; boundary={_BOUNDARY}",
            "Elements-Async-Callback-Url": receiver.url,
        }
        begun = yard.call("POST", "/bulk/customers", body=body, headers=headers)
        yard.work_off()

        ((got, told),) = receiver.got
    shown, receipt = json.loads(told), yard.receipt(begun.json()["id"])
    digest = hmac.digest(b"s3cret", told, "sha256")
    assert got["elements-webhook-signature"] == f"sha256={base64.b64encode(digest).decode()}"
    assert (shown["id"], shown["status"], shown["jobDirection"]) == (
        begun.json()["id"],
        "COMPLETED",
        "UPLOAD",
    )
    assert shown["outcomes"] == {"created": 2, "failed": 1} == receipt["outcomes"]
    assert (shown["recordsCount"], shown["recordsFailedCount"]) == (3, 1)
    assert (shown["receipt"]["complete"], shown["receipt"]["seal"]) == (False, receipt["seal"])


def test_it_writes_rows_of_a_mapped_object(yard: Yard) -> None:
    (person,) = yard.call("GET", "/commerce-customers", query={"pageSize": 1}).json()
    rows = [
        {"email": person["email"], "firstName": "Mapped", "lastName": person["lastName"]},
        {
            "email": "new@example.com",
            "firstName": "New",
            "lastName": "Mapped",
            "websiteId": "1",
            "groupId": "1",
        },
    ]
    content = json.dumps(rows).encode()
    bulk_id = start(yard, "commerce-customers", content, file="rows.json", action="upsert")
    yard.work_off()

    lines = yard.lines(bulk_id, "commerce-customers")
    assert [line["outcome"] for line in lines] == ["updated", "created"], lines
    assert lines[0]["changes"] == {"firstName": {"from": person["firstName"], "to": "Mapped"}}
    assert yard.call("GET", f"/customers/{lines[0]['id']}").json()["firstname"] == "Mapped"
    assert yard.call("GET", f"/customers/{lines[1]['id']}").json()["lastname"] == "Mapped"
    errors = yard.call("GET", f"/bulk/{bulk_id}/errors").json()
    assert errors == []


def test_it_takes_in_200_000_rows_in_little_memory(yard: Yard) -> None:
    rows = 200_000
    filler = "x" * 250
    content = "".join(
        ["email,firstname\n", *(f"a{number}@example.com,{filler}\n" for number in range(rows))]
    ).encode()

    async def take_in() -> int:
        access = yard.stage.platform.access
        opened = await access.open(yard.instance_id)
        folder = Folder(path=yard.stage.settings.bulk_path, random=os.urandom)
        spool = open_spool(access, folder)
        for begin in range(0, len(content), 65_536):
            await spool.add(content[begin : begin + 65_536])
        target = find_target(opened, "customers", Told(), dry_run=False)
        try:
            return await start_upload(
                access, opened, spool, target=target, format_="csv", callback="", owner=OWNER
            )
        finally:
            spool.remove()

    before_kb = peak_kb(anew=True)
    bulk_id = yard.stage.run(take_in())

    assert yard.status(str(bulk_id))["jobCriteria"]["rows"] == rows
    assert len(content) > 50 * 1024 * 1024
    # Most of it is a few bytes for each identifier, by which those that come twice are found.
    assert peak_kb() - before_kb < 40 * 1024


def peak_kb(*, anew: bool = False) -> int:
    """Return the most memory that this process had, with `anew` from now on."""
    if anew:
        gc.collect()
        Path("/proc/self/clear_refs").write_text("5", "ascii")
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.partition("VmHWM:")[2].split()[0])
