"""Values that calls are handed on in show no secret, and do not change."""

from datetime import UTC, datetime

import pytest

from polyvalent.auth.oauth1 import ClientCredentials, TokenCredentials
from polyvalent.auth.oauth1_variant import STANDARD
from polyvalent.exchange import Exchange, Request, Response
from polyvalent.hub.model import Incoming
from polyvalent.hub.values import Values
from polyvalent.instances.reach import Attempt, Reached, SigningKeys

SECRET = "7c1b-the-secret"
REQUEST = Request(
    method="GET",
    url=f"http://shop.example/r?key={SECRET}",
    headers=(("Authorization", SECRET),),
    body=SECRET.encode(),
)
INCOMING = Incoming(
    method="GET", path="/orders", headers=(("Authorization", SECRET),), body=SECRET.encode()
)
EXCHANGE = Exchange(
    request=REQUEST, response=Response(status=200, body=SECRET.encode()), elapsed_ms=1.0
)
ATTEMPT = Attempt(
    exchange=EXCHANGE,
    variant=STANDARD,
    base_string=SECRET,
    received_at=datetime(2026, 11, 28, tzinfo=UTC),
)
VALUES = [
    REQUEST,
    INCOMING,
    EXCHANGE,
    Reached(attempts=(ATTEMPT,), understood=True),
    Values(configuration={"key": SECRET}, path={}, incoming=INCOMING, body=SECRET.encode()),
    SigningKeys(
        client=ClientCredentials("key", SECRET),
        token=TokenCredentials(SECRET, SECRET),
        callback=SECRET,
        verifier=SECRET,
    ),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_it_shows_no_secret(value):
    assert SECRET not in repr(value)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_it_cannot_be_changed(value):
    name = value.__struct_fields__[0]

    with pytest.raises(AttributeError):
        setattr(value, name, None)


def test_it_shows_what_is_no_secret():
    assert repr(Response(status=204)) == "Response(status=204, headers=())"
