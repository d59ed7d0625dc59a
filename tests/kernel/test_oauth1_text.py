"""Know what is signed: the base string, its parts, and what can be shown of it."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyvalent.auth import (
    Variant,
    base_string_uri,
    collect_parameters,
    conceal_base_string,
    encode_query,
    index_array,
    percent_encode,
    signature_base_string,
)
from polyvalent.errors import UnsignableRequest
from polyvalent.exchange import Request

FORM = (("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),)

texts = st.text(st.characters(exclude_categories=["Cs"]))


def get(url, **headers):
    return Request(method="GET", url=url, headers=tuple(headers.items()))


@given(st.lists(st.tuples(texts, texts)))
def test_it_encodes_queries_that_read_back_the_same(pairs):
    query = encode_query(pairs)

    assert parse_qsl(query, keep_blank_values=True) == pairs
    assert query.isascii()
    assert "+" not in query
    assert query.count("=") == len(pairs)


@given(st.lists(st.tuples(texts, texts)))
def test_it_signs_an_encoded_query_as_it_is_sent(pairs):
    query = encode_query(pairs)

    collected = collect_parameters(get(f"http://a.example/?{query}"))

    assert [f"{name}={value}" for name, value in collected] == (query.split("&") if pairs else [])


@given(st.binary())
def test_it_keeps_every_byte_of_a_form(body):
    encoded = "".join(f"%{byte:02x}" for byte in body).encode()

    collected = collect_parameters(
        Request(method="POST", url="http://a.example/", headers=FORM, body=b"a=" + encoded)
    )

    assert parse_qsl(f"a={collected[0][1]}", keep_blank_values=True, encoding="latin-1") == [
        ("a", body.decode("latin-1"))
    ]


def test_it_spells_arrays_with_indexes():
    assert index_array("filter[1][in]", ("3", "5")) == (
        ("filter[1][in][0]", "3"),
        ("filter[1][in][1]", "5"),
    )


def test_it_refuses_half_a_character():
    with pytest.raises(UnsignableRequest, match="surrogate"):
        percent_encode("a\ud800")


@pytest.mark.parametrize(
    ("url", "uri"),
    [
        ("http://A.example", "http://a.example/"),
        ("http://a.example?b=5", "http://a.example/"),
        ("https://a.example:443/r", "https://a.example/r"),
        ("https://a.example:80/r", "https://a.example:80/r"),
        ("http://a.example:443/r", "http://a.example:443/r"),
        ("http://a.example:/r", "http://a.example/r"),
        ("http://a.example:00080/r", "http://a.example/r"),
        ("http://[2001:DB8::1]:8080/r", "http://[2001:db8::1]:8080/r"),
        ("http://127.0.0.1:8090/R/;x=1", "http://127.0.0.1:8090/R/;x=1"),
    ],
)
def test_it_reduces_a_url_to_what_is_signed(url, uri):
    assert base_string_uri(url) == uri


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("a.example/r", "http://"),
        ("ftp://a.example/r", "http://"),
        ("http://a.example/r#part", "fragment"),
        ("http:///r", "host"),
        ("http://user:word@a.example/r", "user"),
        ("http://a.example:x/r", "host"),
        ("http://a.example:0/r", "port"),
        ("http://a.example:65536/r", "port"),
        ("http://a.example:123456/r", "port"),
        ("http://[::1/r", "host"),
        ("http://a.example/a b", "' ' at position 18"),
        ("http://a.example/?q=ü", "'ü'"),
        ("http://a.example/?q=100%", "'%'"),
        ("http://a.example/?q=%zz", "'%'"),
        ("http://a.example/{id}", "'{'"),
        ("http://a.example/?a^b", "'\\^'"),
        ("http://a.example/r\r\nHost: b", r"\\r"),
    ],
)
def test_it_refuses_a_url_that_cannot_be_signed(url, reason):
    with pytest.raises(UnsignableRequest, match=reason):
        base_string_uri(url)


def test_it_keeps_a_password_in_the_url_out_of_the_error():
    with pytest.raises(UnsignableRequest) as caught:
        base_string_uri("http://user:hunter2@a.example/r")

    assert "hunter2" not in str(caught.value)


def test_it_prefers_the_host_header():
    request = get("http://10.0.0.1:8080/r", host="Shop.Example:81")

    assert signature_base_string(request).startswith("GET&http%3A%2F%2Fshop.example%3A81%2Fr&")


@pytest.mark.parametrize(
    ("variant", "uri"),
    [
        (Variant(port="omitted"), "https://a.example/r"),
        (Variant(scheme="http"), "http://a.example:8443/r"),
        (Variant(scheme="https"), "https://a.example:8443/r"),
        (Variant(port="omitted", scheme="http"), "http://a.example/r"),
    ],
)
def test_it_reads_the_uri_as_the_variant_says(variant, uri):
    assert base_string_uri("https://a.example:8443/r", variant=variant) == uri


def test_it_drops_the_default_port_of_the_signed_scheme_too():
    variant = Variant(scheme="http")

    assert base_string_uri("https://a.example:80/r", variant=variant) == "http://a.example/r"
    assert base_string_uri("https://a.example:443/r", variant=variant) == "http://a.example/r"


@pytest.mark.parametrize(
    ("query", "variant", "collected"),
    [
        ("a=1+2", Variant(), [("a", "1%202")]),
        ("a=1+2", Variant(plus="plus"), [("a", "1%2B2")]),
        ("a&b=1=2&c=3", Variant(), [("a", ""), ("b", "1%3D2"), ("c", "3")]),
        ("a&b=1=2&c=3", Variant(odd_pairs="left_out"), [("c", "3")]),
        ("&&a=1&", Variant(), [("a", "1")]),
        ("a=1&b=2&a=3", Variant(repeated="last"), [("a", "3"), ("b", "2")]),
        (
            "a[]=1&b%5b%5d=2&a%5B%5D=3&c=4",
            Variant(repeated="indexed"),
            [("a%5B0%5D", "1"), ("b%5B0%5D", "2"), ("a%5B1%5D", "3"), ("c", "4")],
        ),
    ],
)
def test_it_reads_the_query_as_the_variant_says(query, variant, collected):
    assert collect_parameters(get(f"http://a.example/?{query}"), variant=variant) == collected


def test_it_reads_a_plus_in_a_form_as_a_space_under_every_variant():
    request = Request(method="POST", url="http://a.example/", headers=FORM, body=b"a=1+2")

    assert collect_parameters(request, variant=Variant(plus="plus")) == [("a", "1%202")]


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data", "text/plain"])
def test_it_ignores_a_body_that_is_no_form(content_type):
    request = Request(
        method="POST",
        url="http://a.example/",
        headers=(("content-type", content_type),),
        body=b"a=1",
    )

    assert collect_parameters(request) == []


def test_it_refuses_a_form_that_is_not_encoded():
    request = Request(
        method="POST", url="http://a.example/", headers=FORM, body="a=ü".encode("latin-1")
    )

    with pytest.raises(UnsignableRequest, match="form body"):
        collect_parameters(request)


def test_it_ignores_an_authorization_of_another_scheme():
    assert collect_parameters(get("http://a.example/", Authorization="Bearer oauth_token=1")) == []


def test_it_reads_oauth_parameters_from_the_header_without_realm_and_signature():
    header = 'oauth Realm="a \\"b\\", c", oauth_nonce="a+b%20c" ,oauth_signature="x",oauth_token=""'

    collected = collect_parameters(get("http://a.example/", Authorization=header))

    assert collected == [("oauth_nonce", "a%2Bb%20c"), ("oauth_token", "")]


@pytest.mark.parametrize(
    "header", ["OAuth oauth_nonce", 'OAuth a="1" b="2"', "OAuth a=1", 'OAuth a="ü"']
)
def test_it_refuses_a_header_that_is_no_list(header):
    with pytest.raises(UnsignableRequest, match="OAuth header"):
        collect_parameters(get("http://a.example/", Authorization=header))


def test_it_shows_a_base_string_without_what_gives_access():
    request = get(
        "http://a.example/r?page=2&oauth_token=kkk9d7dh3k39sjv7&oauth_verifier=short"
        "&oauth_callback=http%3A%2F%2Fb.example%2F%3Fsecret%3Dabc&oauth_consumer_key=key"
    )

    shown = conceal_base_string(signature_base_string(request))

    assert shown == (
        "GET&http%3A%2F%2Fa.example%2Fr&oauth_callback%3Dhttp***%26oauth_consumer_key%3Dkey"
        "%26oauth_token%3Dkkk9***%26oauth_verifier%3D***%26page%3D2"
    )


def test_it_shows_other_names_concealed_on_demand():
    text = signature_base_string(get("http://a.example/r?page=2&q=needle"))

    assert conceal_base_string(text, names=frozenset({"q"})).endswith("&page%3D2%26q%3D***")


@pytest.mark.parametrize("text", ["", "GET", "GET&uri", "GET&uri&"])
def test_it_shows_an_incomplete_base_string_whole(text):
    assert conceal_base_string(text).rstrip("%3D") == text
