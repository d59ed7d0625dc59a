"""What became of a write is found out, and what cannot be found out is said to be unknown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from polyvalent.catalog.load import load_catalog
from polyvalent.egress import BrokenAnswer, DeadlinePassed, NotConnected
from polyvalent.errors import (
    OutcomeUnknown,
    VendorFailure,
    VendorRefused,
    VendorTimeout,
    VendorUnreachable,
)
from polyvalent.exchange import Exchange, Request, Response
from polyvalent.hub.ledger import Turn
from polyvalent.hub.model import Row
from polyvalent.hub.resolve import resolve
from polyvalent.hub.write_fate import Done, Write, carry_out, identity_of, natural_key_of

MAGENTO = load_catalog().find("magento")
SENT = {"sku": "a-1", "name": "Mug", "price": 12.5}
FOUND = {"id": "7", "sku": "a-1", "name": "Mug", "price": "12.5000"}

DEADLOCK = Response(
    status=400, body=b'{"messages":{"error":[{"code":400,"message":"Resource unknown error."}]}}'
)
DUPLICATE = Response(
    status=400,
    body=b'{"messages":{"error":[{"code":400,"message":"The value of attribute \\"SKU\\" must be '
    b'unique"}]}}',
)
INVALID = Response(
    status=400,
    body=b'{"messages":{"error":[{"code":400,"message":"Resource data pre-validation error."}]}}',
)
GONE = Response(
    status=404, body=b'{"messages":{"error":[{"code":404,"message":"Resource not found."}]}}'
)
NONCE = Response(status=401, body=b"oauth_problem=nonce_used")
GATEWAY = Response(status=504, body=b"<html>504</html>")
NOWHERE = Response(status=302)
CREATED = Response(status=200, headers=(("Location", "/api/rest/products/7"),))
OK = Response(status=200)
LATE = DeadlinePassed("It did not answer.", sent=True)
BROKEN = BrokenAnswer("It closed the connection.", begun=False)
DOUBTS = (DEADLOCK, NONCE, GATEWAY, NOWHERE, BROKEN, Response(status=500), OK)

Step = Response | Exception


class Store:
    """A store that answers writes and looks as it was told to."""

    def __init__(self, *, answers: list[Step], looks: list[Any]) -> None:
        self.answers, self.looks = list(answers), list(looks)
        self.sent = self.looked = 0
        self.pauses: list[float] = []

    async def send(self) -> Exchange:
        self.sent += 1
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        request = Request(method=self.method, url="https://shop.example/api/rest/products")
        return Exchange(request=request, response=answer, elapsed_ms=1.0)

    async def look(self, *_: Any) -> Any:
        self.looked += 1
        found = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(found, Exception):
            raise found
        return found

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    method = "POST"


def write(store: Store, method: str = "POST", path: str = "/products", sent: Row = SENT) -> Write:
    resource = resolve(MAGENTO, method, path).resource
    store.method = resource.vendor_method or method
    key: Mapping[str, str] = natural_key_of(resource, sent)
    return Write(
        element=MAGENTO,
        resource=resource,
        sent=sent,
        hint="Look before you repeat it.",
        natural_key=key,
        send=store.send,
        find=store.look,
        read=None if method == "POST" else store.look,
        pause=store.pause,
    )


@pytest.mark.parametrize("doubt", DOUBTS)
async def test_it_takes_a_create_for_done_whose_row_is_found(doubt: Step):
    store, turn = Store(answers=[doubt], looks=[(FOUND,)]), Turn()

    done = await carry_out(write(store), turn)

    assert (done.created, store.sent, turn.settled) == ("7", 1, True)
    assert "although the vendor reported an error" in done.warnings[0]


@pytest.mark.parametrize("doubt", DOUBTS)
async def test_it_sends_a_create_once_more_whose_row_is_not_there(doubt: Step):
    store, turn = Store(answers=[doubt, CREATED], looks=[()]), Turn()

    done = await carry_out(write(store), turn)

    assert (done.created, store.sent, turn.settled) == ("7", 2, True)
    assert "sent twice" in done.warnings[0]


@pytest.mark.parametrize("doubt", DOUBTS)
async def test_it_never_sends_a_create_a_third_time(doubt: Step):
    store, turn = Store(answers=[doubt, doubt], looks=[()]), Turn()

    with pytest.raises(OutcomeUnknown, match="sent twice, and the row is not there"):
        await carry_out(write(store), turn)

    assert (store.sent, turn.settled) == (2, False)


async def test_it_waits_for_a_row_that_may_still_come():
    store = Store(answers=[GATEWAY], looks=[(), (), (FOUND,)])

    done = await carry_out(write(store), Turn())

    assert (done.created, store.sent, store.pauses) == ("7", 1, [0.5, 1.5])


async def test_it_does_not_repeat_what_may_still_be_at_work_when_the_time_is_over():
    store, turn = Store(answers=[LATE], looks=[()]), Turn()

    with pytest.raises(OutcomeUnknown, match="may still come"):
        await carry_out(write(store), turn)

    assert (store.sent, turn.settled) == (1, False)


async def test_it_finds_the_row_when_the_repetition_is_called_a_duplicate():
    store = Store(answers=[DEADLOCK, DUPLICATE], looks=[(), (FOUND,)])

    done = await carry_out(write(store), Turn())

    assert (done.created, store.sent) == ("7", 2)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (({**FOUND, "name": "Cup", "price": "1"},), "differs from what was sent in name, price"),
        ((FOUND, {**FOUND, "id": "8"}), "There are 2 such rows"),
    ],
)
async def test_it_does_not_take_another_row_for_its_own(rows: Any, words: str):
    store = Store(answers=[DEADLOCK], looks=[rows])

    with pytest.raises(OutcomeUnknown, match=words) as caught:
        await carry_out(write(store), Turn())

    assert store.sent == 1
    assert caught.value.provider_message == "Resource unknown error."


@pytest.mark.parametrize(
    "failure", [VendorFailure("Down."), VendorTimeout("Late."), VendorUnreachable("Away.")]
)
async def test_it_says_that_the_outcome_is_unknown_when_looking_fails(failure: Exception):
    store, turn = Store(answers=[DEADLOCK], looks=[failure]), Turn()

    with pytest.raises(OutcomeUnknown, match=r"Looking it up failed.*Look before you repeat it"):
        await carry_out(write(store), turn)

    assert (store.sent, store.looked, turn.settled) == (1, 3, False)


async def test_it_looks_again_when_a_look_fails_once():
    store = Store(answers=[DEADLOCK], looks=[VendorFailure("Down."), (FOUND,)])

    assert (await carry_out(write(store), Turn())).created == "7"


async def test_it_never_repeats_a_create_that_nothing_tells_from_others():
    store, turn = Store(answers=[BROKEN], looks=[()]), Turn()
    address = write(store, "POST", "/customers/1/addresses", {"city": "London"})

    with pytest.raises(OutcomeUnknown, match="Nothing that was sent tells the row from others"):
        await carry_out(address, turn)

    assert (store.sent, store.looked) == (1, 0)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (INVALID, VendorRefused),
        (DUPLICATE, VendorRefused),
        (NotConnected("No."), NotConnected),
        (DeadlinePassed("Late.", sent=False), DeadlinePassed),
    ],
)
async def test_it_lets_a_failure_be_one_that_did_nothing(answer: Step, error: type[Exception]):
    store, turn = Store(answers=[answer], looks=[()]), Turn()

    with pytest.raises(error):
        await carry_out(write(store), turn)

    assert (store.sent, store.looked, turn.settled) == (1, 0, True)


async def test_it_looks_first_where_an_earlier_attempt_has_no_end():
    store, turn = Store(answers=[], looks=[(FOUND,)]), Turn(doubtful=True)

    done = await carry_out(write(store), turn)

    assert (done.created, store.sent, turn.settled) == ("7", 0, True)


async def test_it_creates_where_the_earlier_attempt_left_nothing():
    store, turn = Store(answers=[CREATED], looks=[()]), Turn(doubtful=True)

    assert await carry_out(write(store), turn) == Done(
        exchange=(await _exchange(CREATED)), created="7"
    )


async def _exchange(response: Response) -> Exchange:
    store = Store(answers=[response], looks=[()])
    return await store.send()


async def test_it_calls_another_row_of_an_earlier_attempt_a_duplicate():
    store, turn = Store(answers=[], looks=[({**FOUND, "name": "Cup"},)]), Turn(doubtful=True)

    with pytest.raises(VendorRefused, match="differs from what was sent now in name") as caught:
        await carry_out(write(store), turn)

    assert (caught.value.status, store.sent) == (409, 0)


@pytest.mark.parametrize("doubt", [DEADLOCK, GATEWAY, BROKEN, LATE])
async def test_it_takes_a_change_for_done_that_the_row_shows(doubt: Step):
    store = Store(answers=[doubt], looks=[FOUND])

    done = await carry_out(write(store, "PATCH", "/products/7"), Turn())

    assert (store.sent, len(done.warnings)) == (1, 1)


@pytest.mark.parametrize(
    ("second", "looks"), [(OK, [{**FOUND, "price": "1"}]), (DEADLOCK, [{"price": "1"}, FOUND])]
)
async def test_it_sends_a_change_once_more_that_the_row_does_not_show(second: Step, looks: Any):
    store = Store(answers=[DEADLOCK, second], looks=looks)

    await carry_out(write(store, "PATCH", "/products/7"), Turn())

    assert store.sent == 2


async def test_it_says_where_a_changed_row_differs():
    store = Store(answers=[DEADLOCK, DEADLOCK], looks=[{**FOUND, "price": "1"}])

    with pytest.raises(OutcomeUnknown, match="differs from what was sent in price"):
        await carry_out(write(store, "PUT", "/products/7"), Turn())


@pytest.mark.parametrize(
    ("answers", "looks", "sent"),
    [
        ([BROKEN], [VendorRefused("Gone.", status=404)], 1),
        ([DEADLOCK, OK], [FOUND], 2),
        ([DEADLOCK, GONE], [FOUND], 2),
        ([DEADLOCK, GATEWAY], [FOUND, VendorRefused("Gone.", status=404)], 2),
    ],
)
async def test_it_takes_a_deletion_for_done_whose_row_is_gone(
    answers: list[Step], looks: list[Any], sent: int
):
    store = Store(answers=answers, looks=looks)

    await carry_out(write(store, "DELETE", "/products/7", {}), Turn())

    assert store.sent == sent


async def test_it_says_when_a_row_is_still_there():
    store = Store(answers=[DEADLOCK, DEADLOCK], looks=[FOUND])

    with pytest.raises(OutcomeUnknown, match="still there"):
        await carry_out(write(store, "DELETE", "/products/7", {}), Turn())


async def test_it_lets_a_row_that_was_not_there_be_absent():
    store = Store(answers=[GONE], looks=[FOUND])

    with pytest.raises(VendorRefused) as caught:
        await carry_out(write(store, "DELETE", "/products/7", {}), Turn())

    assert caught.value.status == 404


def test_it_tells_new_rows_apart_as_vendors_do():
    products = resolve(MAGENTO, "POST", "/products").resource
    addresses = resolve(MAGENTO, "POST", "/customers/1/addresses").resource
    change = resolve(MAGENTO, "PATCH", "/products/1").resource

    def identity(resource: Any, sent: Row, key: str | None = None) -> str | None:
        return identity_of(resource, natural_key_of(resource, sent), idempotency_key=key)

    assert identity(products, {"sku": "A-1 "}) == identity(products, {"sku": "a-1"}, "k")
    assert identity(products, {"sku": "a-1"}) != identity(products, {"sku": "a-2"})
    assert identity(products, {"sku": ["a"]}) is None
    assert identity(addresses, {}) is None
    assert identity(addresses, {}, "k") is not None
    assert identity(change, {"sku": "a-1"}, "k") is None
