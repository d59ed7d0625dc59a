"""Prove who sends a request with a user and password, or with one key."""

import pytest

from polyvalent.auth import ApiKey, BasicCredentials, add_api_key, add_basic
from polyvalent.errors import BadRequest
from polyvalent.exchange import Request

REQUEST = Request(method="GET", url="http://a.example/r")


@pytest.mark.parametrize(
    ("user", "password", "header"),
    [
        ("Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        ("test", "123£", "Basic dGVzdDoxMjPCow=="),
    ],
)
def test_it_writes_the_header_of_the_rfc(user, password, header):
    signed = add_basic(REQUEST, BasicCredentials(user, password))

    assert signed.header("Authorization") == header


@pytest.mark.parametrize(("user", "password"), [("a:b", "c"), ("a\n", "c"), ("a", "c\x7f")])
def test_it_refuses_a_user_that_cannot_be_told_from_the_password(user, password):
    with pytest.raises(BadRequest):
        add_basic(REQUEST, BasicCredentials(user, password))


def test_it_hides_passwords_and_keys():
    assert "s3cr3t" not in repr((BasicCredentials("u", "s3cr3t"), ApiKey(name="k", value="s3cr3t")))


def test_it_adds_a_key_to_the_header():
    key = ApiKey(name="X-Api-Key", value="k1", prefix="Bearer ")

    assert add_api_key(REQUEST, key).headers == (("X-Api-Key", "Bearer k1"),)


@pytest.mark.parametrize(
    ("url", "joint"), [("http://a.example/r", "?"), ("http://a.example/r?b=5", "&")]
)
def test_it_adds_a_key_to_the_query(url, joint):
    signed = add_api_key(
        Request(method="GET", url=url), ApiKey(name="key", value="a b", place="query")
    )

    assert signed.url == f"{url}{joint}key=a%20b"


@pytest.mark.parametrize("value", ["a\r\nHost: b", "ü"])
def test_it_refuses_a_key_that_would_break_the_header(value):
    with pytest.raises(BadRequest, match="X-Api-Key"):
        add_api_key(REQUEST, ApiKey(name="X-Api-Key", value=value))
