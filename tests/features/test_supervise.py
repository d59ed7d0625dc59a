"""What a store's answer asks of us: to wait, to come again later, to authorize anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import msgspec
import pytest

from polyvalent.auth.oauth1_variant import STANDARD
from polyvalent.catalog.element import FailureRule, Limits
from polyvalent.catalog.load import load_catalog
from polyvalent.db import Database
from polyvalent.db.key_file import KeyFile
from polyvalent.db.schema import account, app_user, instance, organization
from polyvalent.egress import BrokenAnswer, Door
from polyvalent.egress.breaker import Breaker
from polyvalent.egress.failure import too_large
from polyvalent.egress.retry import asked_pause_s
from polyvalent.errors import VendorBusy, VendorRefused
from polyvalent.exchange import Exchange, Request, Response
from polyvalent.hub.obtain import obtain_values
from polyvalent.hub.prove import prove_connection
from polyvalent.instances.lookout import Lookout
from polyvalent.instances.model import Connection
from polyvalent.instances.ports import Ports
from polyvalent.instances.recall import Memory
from polyvalent.instances.supervise import Sent, Supervisor, make_supervisor
from polyvalent.settings import Settings

OK = Response(status=200, body=b"[]")
ELEMENT = msgspec.structs.replace(
    load_catalog().find("magento"),
    limits=Limits(retry_after=(("X-Reset-Ms", "ms"), ("X-Reset-At", "epoch"))),
    failures=(
        FailureRule(kind="reauthorize", status=(401,), contains="expired", message="It is gone."),
    ),
)


class World:
    """A store that answers what it was told to, and a clock that pauses move."""

    def __init__(self, now: datetime) -> None:
        self.moment = now
        self.answers: list[Response] = []
        self.asked = 0
        self.pauses: list[float] = []

    def now(self) -> datetime:
        return self.moment

    async def pause(self, seconds: float) -> None:
        self.pauses.append(round(seconds, 3))
        self.moment += timedelta(seconds=seconds)

    async def send(self, connection: Connection, request: Request, deadline_s: float) -> Sent:
        self.asked += 1
        response = self.answers.pop(0) if self.answers else OK
        return Sent(exchange=Exchange(request=request, response=response, elapsed_ms=1.0))


@pytest.fixture
def world(now: datetime) -> World:
    return World(now)


@pytest.fixture
async def supervisor(database: Database, keys: KeyFile, world: World, tmp_path: Any) -> Any:
    async with database.transaction() as connection:
        when = {"created_at": world.moment}
        sealed = {"secret_sealed": "s", "secret_digest": "d", **when}
        owner = {"organization_id": 1, "account_id": 1}
        await connection.execute(organization.insert().values(id=1, name="o", **sealed))
        await connection.execute(
            account.insert().values(id=1, organization_id=1, name="a", external_id="x", **when)
        )
        await connection.execute(
            app_user.insert().values(
                id=1, account_id=1, email="e", first_name="f", last_name="l", **sealed
            )
        )
        await connection.execute(
            instance.insert().values(
                id=7,
                **owner,
                **when,
                user_id=1,
                element_key="k",
                element_id=1,
                name="i",
                token_sealed="t",
                token_digest="t",
                updated_at=world.moment,
            )
        )
    async with Door() as door:
        ports = Ports(
            database=database,
            keys=keys,
            catalog=load_catalog(),
            door=door,
            memory=Memory(clock=lambda: 0.0),
            lookout=Lookout(breaker=Breaker(failures_max=10, rest_s=15.0)),
            prove=prove_connection,
            obtain=obtain_values,
            now=world.now,
            random=bytes,
            deadline_s=20.0,
        )
        made = make_supervisor(ports, Settings(data_dir=tmp_path), send=world.send)
        made.budget._pause = world.pause
        yield replace(made, pause=world.pause, chance=lambda: 1.0)


CONNECTION = Connection(
    instance_id=7,
    element=ELEMENT,
    configuration=MappingProxyType({}),
    client=None,
    token=None,
    variant=STANDARD,
)
GET = Request(method="GET", url="https://shop.example/a")
POST = Request(method="POST", url="https://shop.example/a", body=b"{}")


def too_many(**headers: str) -> Response:
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Response(status=429, headers=named, body=b"slow down")


@pytest.mark.parametrize("request_", [GET, POST])
async def test_it_waits_as_long_as_the_store_asks(
    supervisor: Supervisor, world: World, request_: Request
):
    world.answers = [too_many(Retry_After="3"), too_many(X_Reset_Ms="1500")]

    exchange = await supervisor.reach(CONNECTION, request_)

    assert exchange.response.status == 200
    assert world.pauses == [3.0, 1.5]
    assert world.asked == 3


async def test_it_tells_when_to_come_again_where_the_wait_is_longer_than_the_call(
    supervisor: Supervisor, world: World
):
    world.answers = [too_many(Retry_After="120")]

    with pytest.raises(VendorBusy) as caught:
        await supervisor.reach(CONNECTION, GET)

    assert (caught.value.status, caught.value.headers) == (503, (("Retry-After", "120"),))
    assert caught.value.provider_message == "slow down"
    assert world.pauses == []


async def test_it_sends_nothing_more_for_the_instance_meanwhile(
    supervisor: Supervisor, world: World
):
    world.answers = [too_many(Retry_After="120")]
    for _ in range(3):
        with pytest.raises(VendorBusy):
            await supervisor.reach(CONNECTION, GET)

    assert world.asked == 1
    world.moment += timedelta(seconds=121)
    assert (await supervisor.reach(CONNECTION, GET)).response == OK


async def test_it_gives_up_on_a_store_that_asks_to_wait_for_ever(
    supervisor: Supervisor, world: World
):
    world.answers = [too_many()] * 20

    with pytest.raises(VendorBusy):
        await supervisor.reach(CONNECTION, GET)

    assert world.pauses == [1.0, 2.0, 4.0, 8.0, 16.0]


async def test_it_marks_an_instance_of_any_element_by_the_elements_own_rule(
    supervisor: Supervisor, world: World, database: Database
):
    world.answers = [Response(status=401, body=b"the session is expired")]

    exchange = await supervisor.reach(CONNECTION, GET)

    assert exchange.response.status == 401
    async with database.reading() as connection:
        row = (await connection.execute(instance.select())).one()
    assert (row.valid, row.invalid_reason, row.invalid_at) == (False, "It is gone.", world.moment)


async def test_it_leaves_an_instance_alone_that_was_changed_meanwhile(
    supervisor: Supervisor, world: World, database: Database
):
    world.answers = [Response(status=401, body=b"the session is expired")]

    await supervisor.reach(replace(CONNECTION, version=0), GET)

    async with database.reading() as connection:
        assert (await connection.execute(instance.select())).one().valid is True


@pytest.mark.parametrize("status", [500, 502, 503, 504, 403, 429, 401])
async def test_it_calls_nothing_invalid_that_is_not_said_to_be(
    supervisor: Supervisor, world: World, database: Database, status: int
):
    world.answers = [Response(status=status, headers=(("Retry-After", "0"),))]

    await supervisor.reach(CONNECTION, GET)

    async with database.reading() as connection:
        assert (await connection.execute(instance.select())).one().valid is True


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ((("Retry-After", "7"),), 7.0),
        ((("Retry-After", "2.5"),), 2.5),
        ((("Retry-After", "Mon, 23 Nov 2026 12:00:09 GMT"),), 9.0),
        ((("x-reset-ms", "1500"), ("Retry-After", "7")), 1.5),
        ((("X-Reset-At", "1795435205"),), 5.0),
        ((("X-Reset-At", "1"),), 0.0),
        ((("Retry-After", "soon"),), None),
        ((("X-Reset-Ms", "-5"),), None),
        ((), None),
    ],
)
def test_it_reads_how_long_to_wait(
    headers: tuple[tuple[str, str], ...], seconds: float | None, now: datetime
):
    assert ELEMENT.limits is not None
    found = asked_pause_s(
        Response(status=429, headers=headers), now=now, headers=ELEMENT.limits.retry_after
    )

    assert found == seconds


@pytest.mark.parametrize("whole", [True, False])
async def test_a_store_does_not_rest_for_answers_that_we_do_not_read(whole: bool):
    """Whoever asks a store for a film would silence it for all its other instances."""
    breaker = Breaker(failures_max=1, rest_s=15.0)
    lookout = Lookout(breaker=breaker)

    with pytest.raises(BrokenAnswer), lookout.calling(ELEMENT, GET, whose=7):
        raise too_large("shop.example", 9) if whole else BrokenAnswer("It broke off.")

    assert breaker.count()["resting"] == (0 if whole else 1)


async def test_it_lets_a_store_rest_for_one_organization_alone(
    supervisor: Supervisor, world: World
):
    one, other = (replace(CONNECTION, organization_id=number) for number in (7, 8))
    world.answers = [Response(status=502)] * 10 + [OK]
    for _ in range(10):
        await supervisor.reach(one, GET)

    with pytest.raises(VendorBusy, match="left alone"):
        await supervisor.reach(one, GET)
    assert (await supervisor.reach(other, GET)).response.status == 200


async def test_it_refuses_with_the_stored_reason_between_two_questions(
    supervisor: Supervisor, world: World
):
    from polyvalent.instances.model import Invalid

    invalid = replace(CONNECTION, invalid=Invalid(reason="Revoked.", since=world.moment))
    world.answers = [Response(status=401, body=b"expired")]
    await supervisor.reach(invalid, GET)

    with pytest.raises(VendorRefused, match=r"invalid since 2026-11-23 12:00:00 UTC.*Revoked\."):
        await supervisor.reach(invalid, GET)

    assert world.asked == 1
