"""What is published arrives, in order, under one id, however often the receiver fails."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from polyvalent.instances.find import find_for_job
from polyvalent.jobs import sql as jobs_sql
from polyvalent.jobs.kind import Kinds
from polyvalent.jobs.run import Desk, run_turn
from polyvalent.notifications.delivery.deliver import deliver_kind
from polyvalent.notifications.find import states_of
from polyvalent.notifications.model import Notice
from polyvalent.notifications.publish import publish_of_instance
from polyvalent.notifications.subscribe import topic_of
from polyvalent.sandbox.magento import RunningStore, StoreOptions, start_store
from tests.databases import on_both, url_of
from tests.journeys.application import Application
from tests.journeys.stage import Stage, platform_on_stage
from tests.notifications.receiver import Receiver, receiving

KEY = "s1gning-key"


class Post:
    """Publish at one instance of a stage, and work off what is due."""

    def __init__(self, stage: Stage, instance: dict[str, Any]) -> None:
        self.stage, self.instance = stage, instance
        self.topic = topic_of(instance["id"], "magento")
        self.marks: list[str] = []

    def publish(self, *pairs: tuple[str, str]) -> None:
        """Publish events: pairs of event id and the keys of its objects, "orders/1 orders/2"."""
        self.stage.run(self._publish(pairs))

    async def _publish(self, pairs: tuple[tuple[str, str], ...]) -> None:
        ports = self.stage.platform.ports
        instance = await find_for_job(ports, self.instance["id"])
        notices = [
            Notice(
                topic=self.topic,
                message={"eventId": event_id, "instanceId": instance.id},
                event_id=event_id,
                object_keys=tuple(key.split()),
            )
            for event_id, key in pairs
        ]
        async with ports.database.transaction() as connection:
            await publish_of_instance(
                connection,
                ports.keys,
                instance,
                notices,
                now=ports.now(),
                random=ports.random,
            )

    def work_off(self) -> int:
        return int(self.stage.run(self._work_off()))

    async def _work_off(self) -> int:
        ports = self.stage.platform.ports
        desk = Desk(
            database=ports.database,
            keys=ports.keys,
            kinds=Kinds([deliver_kind(self.stage.platform.deliveries)]),
            now=ports.now,
            clock=monotonic,
            random=ports.random,
            chance=lambda: 0.0,
            mark=self.marks.append,
            crowded=frozenset,
            closing=lambda: False,
        )
        turns = 0
        while True:
            async with ports.database.reading() as connection:
                due = await jobs_sql.list_due(connection, now=ports.now(), limit=1)
            if not due:
                return turns
            await run_turn(desk, due[0].id, due[0].run + 1)
            turns += 1

    def pass_time(self, **delta: float) -> None:
        self.stage.clock.ahead += timedelta(**delta)

    def states(self, *event_ids: str) -> dict[str, str]:
        async def read() -> dict[str, str]:
            async with self.stage.platform.ports.database.reading() as connection:
                return dict(await states_of(connection, event_ids))

        return dict(self.stage.run(read()))

    def deliveries(self, where: str = "") -> list[dict[str, Any]]:
        query = {"where": where} if where else None
        reply = self.stage.call("GET", "/notifications/subscriptions/deliveries", query=query)
        assert reply.status == 200, reply
        shown: list[dict[str, Any]] = reply.json()
        return shown


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as shown:
        yield shown


@pytest.fixture(scope="module")
def shop() -> Iterator[RunningStore]:
    running = start_store(StoreOptions(products=20, customers=3, orders=3))
    yield running
    running.stop()


@pytest.fixture
def post(
    request: pytest.FixtureRequest, tmp_path: Path, shop: RunningStore, receiver: Receiver
) -> Iterator[Post]:
    extra = {
        "event.notification.callback.url": receiver.url,
        "event.notification.signature.key": KEY,
        "event.notification.basic.username": "ada",
        "event.notification.basic.password": "pass-w0rd",
        "event.notification.callback.headers": '{"X-Tenant": "7"}',
    }
    with platform_on_stage(tmp_path / "own", database_url=url_of(request)) as stage:
        instance = Application(stage, shop.store, shop.url, extra=extra).connect()
        yield Post(stage, instance)


def ids(received: list[Any]) -> list[str]:
    return [item.json()["message"]["eventId"] for item in received]


def test_an_event_arrives_signed_with_everything_that_was_configured(
    post: Post, receiver: Receiver
) -> None:
    post.publish(("e1", "orders/1"))
    post.work_off()
    (received,) = receiver.taken
    shown = received.json()
    assert shown["topic"] == post.topic
    assert shown["message"]["eventId"] == "e1"
    assert {"severity", "createdDate", "id"} <= set(shown)
    assert received.headers["elements-webhook-id"] == "e1"
    assert received.headers["elements-webhook-signature"].startswith("sha256=")
    assert received.headers["webhook-signature"].startswith("v1,")
    assert received.headers["authorization"].startswith("Basic ")
    assert received.headers["x-tenant"] == "7"
    assert post.states("e1") == {"e1": "delivered"}
    assert [item["status"] for item in post.deliveries()] == ["delivered"]


def test_a_receiver_that_is_down_for_an_hour_gets_everything_in_order_afterwards(
    post: Post, receiver: Receiver
) -> None:
    receiver.answer = lambda _: 503
    events = [(f"e{number}", f"orders/{number % 3}") for number in range(12)]
    for at in range(0, 12, 4):
        post.publish(*events[at : at + 4])
        post.work_off()
        post.pass_time(minutes=20)
        post.work_off()
    assert receiver.taken == []
    receiver.answer = lambda _: 200
    for _ in range(20):
        post.pass_time(hours=2)
        post.work_off()
    taken = ids(receiver.taken)
    assert sorted(taken) == sorted(event_id for event_id, _ in events)
    for key in range(3):
        of_key = [event_id for event_id in taken if int(event_id[1:]) % 3 == key]
        assert of_key == sorted(of_key, key=lambda event_id: int(event_id[1:]))
    for refused in receiver.refused:
        assert refused.headers["elements-webhook-id"] == refused.json()["message"]["eventId"]


@on_both("post")
def test_notifications_of_one_object_go_one_after_the_other_in_one_step(
    post: Post, receiver: Receiver
) -> None:
    post.publish(*[(f"e{number}", "orders") for number in range(6)], ("other", "customers"))
    post.work_off()
    taken = ids(receiver.taken)
    assert [event_id for event_id in taken if event_id != "other"] == [f"e{at}" for at in range(6)]
    assert "other" in taken
    assert post.marks.count("deliver.saved") == 1


@on_both("post")
def test_one_that_fails_holds_back_those_behind_it_and_no_others(
    post: Post, receiver: Receiver
) -> None:
    receiver.answer = lambda told: 500 if told.json()["message"]["eventId"] == "e2" else 200
    post.publish(*[(f"e{number}", "orders") for number in range(5)], ("other", "customers"))
    post.work_off()
    assert sorted(ids(receiver.taken)) == ["e0", "e1", "other"]
    assert ids(receiver.refused) == ["e2"]
    receiver.answer = lambda _: 200
    post.pass_time(seconds=5)
    post.work_off()
    assert ids(receiver.taken)[-3:] == ["e2", "e3", "e4"]


def test_one_about_several_objects_is_in_order_with_each_of_them_and_holds_back_no_others(
    post: Post, receiver: Receiver
) -> None:
    receiver.answer = lambda told: 500 if told.json()["message"]["eventId"] == "e1" else 200
    post.publish(
        ("e1", "orders/1 orders/2"),
        ("e2", "orders/3"),
        ("e3", "orders/2 orders/4"),
        ("e4", "orders/4"),
        ("e5", "orders/5"),
    )
    post.work_off()
    assert sorted(ids(receiver.taken)) == ["e2", "e5"]
    assert ids(receiver.refused) == ["e1"]
    receiver.answer = lambda _: 200
    post.pass_time(seconds=5)
    post.work_off()
    assert ids(receiver.taken)[-3:] == ["e1", "e3", "e4"]
    assert post.states("e1", "e3", "e4") == dict.fromkeys(("e1", "e3", "e4"), "delivered")


def test_a_receiver_that_goes_away_costs_one_attempt_and_not_one_of_each(
    post: Post, receiver: Receiver
) -> None:
    receiver.answer = lambda _: 503
    post.publish(*[(f"e{number}", f"orders/{number}") for number in range(30)])
    post.work_off()
    assert [item["status"] for item in post.deliveries()].count("retry") <= 2


def test_a_key_of_any_length_keeps_its_order(post: Post, receiver: Receiver) -> None:
    key = f"orders/{'x' * 5000}"
    post.publish(("e1", key), ("e2", key), ("e3", key))
    post.work_off()
    assert ids(receiver.taken) == ["e1", "e2", "e3"]


def test_a_receiver_that_is_not_there_is_asked_by_one_at_a_time_and_less_and_less_often(
    post: Post, receiver: Receiver
) -> None:
    receiver.answer = lambda _: 503
    post.publish(*[(f"e{number:03}", f"orders/{number}") for number in range(200)])
    post.work_off()
    begun = len(receiver.refused)
    assert begun < 40  # the first step, and one that asked again
    for _ in range(60):
        post.pass_time(seconds=10)
        post.work_off()
    # Ten minutes of rests that grow to one minute.
    assert len(receiver.refused) - begun < 30
    # An announcement does not wake it before its time.
    asked = len(receiver.refused)
    post.publish(("late", "orders/late"))
    post.work_off()
    assert len(receiver.refused) == asked
    # The first that arrives lets all others go, also those that had failed.
    receiver.answer = lambda _: 200
    post.pass_time(minutes=1)
    post.work_off()
    assert sorted(ids(receiver.taken)) == sorted(["late", *[f"e{at:03}" for at in range(200)]])


def test_a_receiver_is_left_alone_for_as_long_as_it_asks(post: Post) -> None:
    with receiving(retry_after="600") as receiver:
        post.stage.call(
            "PATCH",
            f"/instances/{post.instance['id']}",
            body={"configuration": {"event.notification.callback.url": receiver.url}},
        )
        receiver.answer = lambda _: 429
        post.publish(("e1", "orders/1"), ("e2", "orders/2"))
        post.work_off()
        asked = len(receiver.refused)
        post.pass_time(minutes=9)
        post.work_off()
        assert len(receiver.refused) == asked == 2
        receiver.answer = lambda _: 200
        post.pass_time(minutes=2)
        post.work_off()
        assert sorted(ids(receiver.taken)) == ["e1", "e2"]


def test_after_three_days_without_an_answer_it_waits_for_a_person(
    post: Post, receiver: Receiver
) -> None:
    receiver.answer = lambda _: 500
    post.publish(("e1", "orders/1"), ("e2", "orders/1"))
    for attempt in range(1, 11):
        post.work_off()
        assert len(receiver.refused) == attempt
        if attempt < 10:
            assert {item["status"] for item in post.deliveries()} <= {"retry", "created"}
        post.pass_time(seconds=4**attempt + 1)
    assert post.states("e1", "e2") == {"e1": "queued", "e2": "queued"}
    (subscription,) = post.stage.call("GET", "/notifications/subscriptions").json()
    assert subscription["active"] is False
    post.publish(("e3", "orders/9"))  # what happens meanwhile is kept
    post.work_off()
    assert len(receiver.refused) == 10
    receiver.answer = lambda _: 200
    released = post.stage.call(
        "PUT",
        "/notifications/subscriptions/deliveries",
        query={"where": f"channel='webhook' and status='queued' and config.url='{receiver.url}'"},
    )
    assert released.json() == {"released": 3}
    post.work_off()
    post.work_off()
    assert sorted(ids(receiver.taken)) == ["e1", "e2", "e3"]


def test_an_account_may_let_failures_wait_at_once(post: Post, receiver: Receiver) -> None:
    changed = post.stage.call(
        "PATCH", "/accounts/settings", body={"notification.webhook.failure.policy": "queue"}
    )
    assert changed.json() == {"notification.webhook.failure.policy": "queue"}
    receiver.answer = lambda _: 500
    post.publish(("e1", "orders/1"))
    post.work_off()
    post.pass_time(days=10)
    post.work_off()
    assert post.states("e1") == {"e1": "queued"}
    assert len(receiver.refused) == 1


def test_a_changed_callback_url_moves_what_has_not_arrived(post: Post, receiver: Receiver) -> None:
    receiver.answer = lambda _: 500
    post.publish(("e1", "orders/1"))
    post.work_off()
    with receiving() as other:
        changed = post.stage.call(
            "PATCH",
            f"/instances/{post.instance['id']}",
            body={"configuration": {"event.notification.callback.url": other.url}},
        )
        assert changed.status == 200
        post.pass_time(minutes=1)
        post.work_off()
        assert ids(other.taken) == ["e1"]


@on_both("post")
def test_what_waits_for_a_person_keeps_its_place_and_goes_to_a_new_url_at_once(
    post: Post, receiver: Receiver
) -> None:
    post.stage.call(
        "PATCH", "/accounts/settings", body={"notification.webhook.failure.policy": "queue"}
    )
    receiver.answer = lambda _: 500
    post.publish(("e1", "orders/1"))
    post.work_off()
    receiver.answer = lambda _: 200
    post.publish(("e2", "orders/1"), ("e3", "orders/2"))
    post.work_off()
    # What came later about the same object does not overtake what waits.
    assert ids(receiver.taken) == ["e3"]
    with receiving() as other:
        post.stage.call(
            "PATCH",
            f"/instances/{post.instance['id']}",
            body={"configuration": {"event.notification.callback.url": other.url}},
        )
        post.work_off()
        post.work_off()
        assert ids(other.taken) == ["e1", "e2"]


def test_addresses_inside_are_refused(own_stage: Stage) -> None:
    made = own_stage.call(
        "POST",
        "/notifications/subscriptions",
        body={"channel": "webhook", "topics": ["t"], "config": {"url": "http://169.254.169.254/"}},
    )
    assert made.status == 200
    own_stage.call("POST", "/notifications", body={"topic": "t", "message": "hello"})
    post = Post(own_stage, {"id": 0})
    post.work_off()
    (shown,) = post.deliveries()
    assert shown["status"] == "retry"
    assert "169.254.169.254" in shown["message"]


def test_notifications_are_made_found_acknowledged_and_deleted(stage: Stage) -> None:
    made = stage.call(
        "POST", "/notifications", body={"topic": "news", "severity": "high", "message": "hi"}
    ).json()
    assert made["acknowledged"] is False
    listed = stage.call("GET", "/notifications", query={"topics[]": "news"}).json()
    assert [item["id"] for item in listed] == [made["id"]]
    assert stage.call("GET", "/notifications", query={"topics[]": "nothing"}).json() == []
    assert stage.call("PUT", f"/notifications/{made['id']}/acknowledge").json()["acknowledged"]
    assert stage.call("GET", f"/notifications/{made['id']}").json()["acknowledged"]
    assert stage.call("DELETE", f"/notifications/{made['id']}").status == 200
    assert stage.call("GET", f"/notifications/{made['id']}").status == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/notifications", {}, 400),
        ("POST", "/notifications", {"topic": None}, 400),
        ("POST", "/notifications", {"topic": "t", "severity": "worst"}, 400),
        ("GET", "/notifications", None, 400),
        ("GET", "/notifications/999999", None, 404),
        ("POST", "/notifications/subscriptions", {}, 400),
        (
            "POST",
            "/notifications/subscriptions",
            {"channel": "webhook", "topics": ["t"], "config": {"url": None}},
            400,
        ),
        (
            "POST",
            "/notifications/subscriptions",
            {"channel": "pigeon", "topics": ["t"], "config": {}},
            400,
        ),
        ("GET", "/notifications/subscriptions/999999", None, 404),
        ("POST", "/notifications/emails", {}, 400),
        ("POST", "/notifications/emails", {"to": "ada@example.com"}, 503),
        ("PATCH", "/accounts/settings", {"colour": "red"}, 400),
        ("PATCH", "/accounts/settings", {"notification.webhook.failure.policy": "maybe"}, 400),
        ("GET", "/accounts/999999/settings", None, 404),
    ],
)
def test_what_cannot_be_is_refused(
    stage: Stage, method: str, path: str, body: Any, status: int
) -> None:
    reply = stage.call(method, path, body=body)
    assert reply.status == status
    assert reply.message


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_field_that_deliveries_do_not_have_is_refused(stage: Stage, method: str) -> None:
    place = "/notifications/subscriptions/deliveries"
    reply = stage.call(method, place, query={"where": "sttus='queued'"})
    assert (reply.status, reply.message) == (
        400,
        "deliveries have no field 'sttus'. Did you mean status?",
    )


def test_identical_deliveries_are_hydrated_on_request(post: Post, receiver: Receiver) -> None:
    post.publish(("e1", "orders/1"))
    post.work_off()
    reply = post.stage.call(
        "GET",
        "/notifications/subscriptions/deliveries",
        query={"hydrate": "true", "where": "status='delivered'"},
    )
    (shown,) = reply.json()
    assert shown["notification"]["message"]["eventId"] == "e1"
    assert shown["subscription"]["config"] == {"url": receiver.url}


def test_a_served_platform_delivers_by_itself(working_stage: Stage, receiver: Receiver) -> None:
    working_stage.call(
        "POST",
        "/notifications/subscriptions",
        body={"channel": "webhook", "topics": ["news"], "config": {"url": receiver.url}},
    )
    working_stage.call("POST", "/notifications", body={"topic": "news", "message": "hello"})

    async def arrived() -> bool:
        for _ in range(200):
            if receiver.taken:
                return True
            await asyncio.sleep(0.05)
        return False

    assert asyncio.run(arrived())
    assert receiver.taken[0].json()["message"] == "hello"


def test_mail_is_handed_in(tmp_path: Path) -> None:
    from aiosmtpd.controller import Controller

    from polyvalent.egress.mail import read_mailer

    class Box:
        def __init__(self) -> None:
            self.mails: list[Any] = []

        async def handle_DATA(  # noqa: N802  # the library asks for it by this name
            self, _server: Any, _session: Any, envelope: Any
        ) -> str:
            self.mails.append(envelope)
            return "250 OK"

    box = Box()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        mailer = read_mailer(f"smtp://127.0.0.1:{port}?from=poly@example.com")
        asyncio.run(mailer.send("ada@example.com", "Orders", "Seven are new."))
    finally:
        controller.stop()
    (mail,) = box.mails
    assert mail.rcpt_tos == ["ada@example.com"]
    assert b"Seven are new." in mail.content
