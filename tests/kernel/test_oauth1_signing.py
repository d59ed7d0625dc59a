"""Sign requests: where the parameters travel, what changes a signature, what is refused."""

import string
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from polyvalent.auth import (
    STANDARD,
    ClientCredentials,
    TokenCredentials,
    Variant,
    make_nonce,
    percent_encode,
    sign,
    signature_base_string,
)
from polyvalent.errors import UnsignableRequest
from polyvalent.exchange import Request

FORM = (("Content-Type", "application/x-www-form-urlencoded"),)
CLIENT = ClientCredentials("dpf43f3p2l4k3l03", "kd94hf93k423kf44")
TOKEN = TokenCredentials("nnch734d00sl2jdk", "pfkkdhi9sl3r4s00")
PLAIN = Request(method="GET", url="https://a.example/r?b=5")
VALUES = {
    "client": CLIENT,
    "token": TOKEN,
    "nonce": "n1",
    "timestamp": 1_700_000_000,
    "signature_method": "HMAC-SHA1",
    "callback": None,
    "verifier": None,
    "version": "1.0",
    "variant": STANDARD,
}


def sign_with(request=PLAIN, **changes):
    return sign(request, **(VALUES | changes))


def read_signature(signed):
    header = signed.request.header("Authorization")
    return header.partition('oauth_signature="')[2].partition('"')[0]


def test_it_puts_the_parameters_into_the_header():
    signed = sign_with(realm='a "quoted" \\ realm')

    assert signed.request.url == PLAIN.url
    assert signed.request.header("Authorization") == (
        'OAuth realm="a \\"quoted\\" \\\\ realm", oauth_consumer_key="dpf43f3p2l4k3l03",'
        ' oauth_nonce="n1", oauth_signature_method="HMAC-SHA1", oauth_timestamp="1700000000",'
        ' oauth_token="nnch734d00sl2jdk", oauth_version="1.0",'
        f' oauth_signature="{read_signature(signed)}"'
    )


def test_it_tells_what_it_signed():
    signed = sign_with(callback="https://b.example/?c=d")

    assert dict(signed.parameters)["oauth_callback"] == "https://b.example/?c=d"
    assert "oauth_signature" not in dict(signed.parameters)
    assert signed.base_string == signature_base_string(signed.request)


@pytest.mark.parametrize("url", ["http://a.example/r", "http://a.example/r?", "http://a.example/?"])
def test_it_starts_a_query_where_there_is_none(url):
    signed = sign_with(structs.replace(PLAIN, url=url), transmission="query")

    assert signed.request.url.startswith(f"{url.rstrip('?')}?oauth_consumer_key=")
    assert signature_base_string(signed.request) == signed.base_string


@pytest.mark.parametrize("joint", ["", "&"])
def test_it_appends_to_a_query_and_leaves_headers_alone(joint):
    signed = sign_with(structs.replace(PLAIN, url=f"{PLAIN.url}{joint}"), transmission="query")

    assert signed.request.url.startswith(f"{PLAIN.url}&oauth_consumer_key=")
    assert signed.request.headers == ()
    assert set(parse_qs(urlsplit(signed.request.url).query)) == {
        "b",
        "oauth_signature",
        *dict(signed.parameters),
    }


def test_it_appends_to_a_form_and_forgets_its_old_length():
    request = Request(
        method="POST", url=PLAIN.url, headers=(*FORM, ("content-length", "3")), body=b"a=1"
    )

    signed = sign_with(request, transmission="body")

    assert signed.request.body.startswith(b"a=1&oauth_consumer_key=")
    assert signed.request.headers == FORM
    assert signature_base_string(signed.request) == signed.base_string


def test_it_makes_a_form_of_an_empty_body():
    signed = sign_with(structs.replace(PLAIN, method="POST"), transmission="body")

    assert signed.request.headers == FORM
    assert signed.request.body.startswith(b"oauth_consumer_key=")
    assert signature_base_string(signed.request) == signed.base_string


def test_it_signs_the_host_that_the_header_names():
    signed = sign_with(PLAIN.with_header("host", "Shop.Example:8443"))

    assert signed.base_string.startswith("GET&https%3A%2F%2Fshop.example%3A8443%2Fr&")


def test_it_leaves_the_version_out_on_demand():
    assert "oauth_version" not in dict(sign_with(version=None).parameters)


def test_it_signs_without_a_token():
    signed = sign_with(token=None, signature_method="PLAINTEXT")

    assert read_signature(signed) == percent_encode("kd94hf93k423kf44&")
    assert "oauth_token" not in dict(signed.parameters)
    assert signed.base_string == ""


def test_it_encodes_secrets_that_hold_an_ampersand():
    signed = sign_with(
        client=ClientCredentials("k", "a&b"),
        token=TokenCredentials("t", "c%d"),
        signature_method="PLAINTEXT",
    )

    assert read_signature(signed) == "a%2526b%26c%2525d"


@given(st.text(string.ascii_letters + "[]%20&=", max_size=20).map(percent_encode))
def test_it_signs_the_same_values_the_same_way(query):
    request = structs.replace(PLAIN, url=f"https://a.example/?{query}")

    assert sign_with(request) == sign_with(request)


CHANGES = {
    "method": {"request": structs.replace(PLAIN, method="DELETE")},
    "scheme": {"request": structs.replace(PLAIN, url="http://a.example/r?b=5")},
    "host": {"request": structs.replace(PLAIN, url="https://b.example/r?b=5")},
    "port": {"request": structs.replace(PLAIN, url="https://a.example:8443/r?b=5")},
    "path": {"request": structs.replace(PLAIN, url="https://a.example/R?b=5")},
    "query name": {"request": structs.replace(PLAIN, url="https://a.example/r?c=5")},
    "query value": {"request": structs.replace(PLAIN, url="https://a.example/r?b=6")},
    "form": {"request": structs.replace(PLAIN, headers=FORM, body=b"a=1")},
    "key": {"client": replace(CLIENT, key="other")},
    "client secret": {"client": replace(CLIENT, secret="other")},
    "token": {"token": replace(TOKEN, token="other")},
    "token secret": {"token": replace(TOKEN, secret="other")},
    "nonce": {"nonce": "n2"},
    "timestamp": {"timestamp": 1_700_000_001},
    "signature method": {"signature_method": "HMAC-SHA256"},
    "callback": {"callback": "oob"},
    "verifier": {"verifier": "v"},
    "version": {"version": None},
    "variant": {"variant": Variant(scheme="http")},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_it_signs_differently_when_any_part_changes(change):
    assert read_signature(sign_with(**change)) != read_signature(sign_with())


nonces = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(nonces, nonces)
def test_it_signs_differently_with_another_nonce(one, other):
    first, second = sign_with(nonce=one), sign_with(nonce=other)

    assert (read_signature(first) == read_signature(second)) is (one == other)


@pytest.mark.parametrize(
    "changes", [{}, {"realm": "r"}, {"transmission": "query"}, {"variant": Variant(port="omitted")}]
)
def test_it_signs_the_same_text_wherever_it_travels(changes):
    assert sign_with(**changes).base_string == sign_with().base_string


def test_it_hides_every_secret_from_its_representation():
    signed = sign_with(transmission="query")

    shown = repr((CLIENT, TOKEN, signed, structs.replace(signed, base_string="")))

    assert "dpf43f3p2l4k3l03" in shown
    assert "SignedRequest(GET https://a.example/r)" in shown
    for secret in (CLIENT.secret, TOKEN.token, TOKEN.secret, "oauth_signature"):
        assert secret not in shown


def test_it_makes_a_nonce_of_random_bytes():
    assert make_nonce(bytes(range(16))) == "000102030405060708090a0b0c0d0e0f"


@pytest.mark.parametrize("length_bytes", [0, 15, 17])
def test_it_refuses_to_make_a_nonce_of_another_length(length_bytes):
    with pytest.raises(UnsignableRequest, match="16 random bytes"):
        make_nonce(bytes(length_bytes))


@pytest.mark.parametrize("changes", [{"nonce": ""}, {"timestamp": 0}, {"timestamp": -1}])
def test_it_refuses_an_empty_nonce_or_a_time_before_1970(changes):
    with pytest.raises(UnsignableRequest, match="nonce"):
        sign_with(**changes)


@pytest.mark.parametrize("transmission", ["header", "query", "body"])
@pytest.mark.parametrize("first", ["header", "query", "body"])
def test_it_refuses_to_sign_twice(first, transmission):
    signed = sign_with(structs.replace(PLAIN, method="POST"), transmission=first)

    with pytest.raises(UnsignableRequest, match="already"):
        sign_with(signed.request, transmission=transmission)


def test_it_refuses_a_protocol_parameter_however_it_is_spelled():
    with pytest.raises(UnsignableRequest, match="already"):
        sign_with(structs.replace(PLAIN, url="http://a.example/?%6fauth_token=x"))


def test_it_refuses_to_displace_another_authorization():
    request = PLAIN.with_header("authorization", "Basic YTpi")

    with pytest.raises(UnsignableRequest, match="query or the body"):
        sign_with(request)
    assert sign_with(request, transmission="query").request.headers == request.headers


@pytest.mark.parametrize(
    ("method", "headers", "body"),
    [
        ("GET", (), b""),
        ("head", FORM, b""),
        ("POST", (("Content-Type", "application/json"),), b""),
        ("POST", (), b"a=1"),
    ],
)
def test_it_refuses_to_join_a_body_that_is_no_form(method, headers, body):
    request = Request(method=method, url=PLAIN.url, headers=headers, body=body)

    with pytest.raises(UnsignableRequest, match="body"):
        sign_with(request, transmission="body")


@pytest.mark.parametrize("realm", ["a\r\nb", "ü", "\x7f"])
def test_it_refuses_a_realm_that_would_break_the_header(realm):
    with pytest.raises(UnsignableRequest, match="realm"):
        sign_with(realm=realm)


def make_elliptic_key():
    key = ec.derive_private_key(42, ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize(
    "pem",
    [
        "kd94hf93k423kf44",
        "",
        "-----BEGIN PRIVATE KEY-----\nbm8ga2V5\n-----END PRIVATE KEY-----\n",
        make_elliptic_key(),
    ],
    ids=["a shared secret", "nothing", "a broken key", "another kind of key"],
)
def test_it_refuses_what_is_no_rsa_key_and_keeps_it_secret(pem):
    with pytest.raises(UnsignableRequest, match="RSA private key") as caught:
        sign_with(client=ClientCredentials("k", pem), signature_method="RSA-SHA1")

    assert not pem or pem not in f"{caught.value!r} {caught.value.__cause__!r}"
    assert caught.value.__context__ is None
