"""Know how servers depart from the standard, and which departures are worth a try."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyvalent.auth import (
    STANDARD,
    ClientCredentials,
    Variant,
    parse_variant,
    sign,
    variants_for,
)
from polyvalent.errors import BadRequest
from polyvalent.exchange import Request

variants = st.builds(
    Variant,
    port=st.sampled_from(["as_sent", "omitted"]),
    scheme=st.sampled_from(["as_sent", "http", "https"]),
    plus=st.sampled_from(["space", "plus"]),
    repeated=st.sampled_from(["all", "last", "indexed"]),
    odd_pairs=st.sampled_from(["signed", "left_out"]),
)


@given(variants)
def test_it_reads_back_what_it_wrote(variant):
    assert parse_variant(str(variant)) == variant


def test_it_writes_only_what_departs_from_the_standard():
    assert str(STANDARD) == "standard"
    assert str(Variant(scheme="http", port="omitted")) == "port=omitted,scheme=http"


def test_it_reads_variants_in_any_order():
    assert parse_variant("scheme=http, port=omitted") == Variant(port="omitted", scheme="http")
    assert parse_variant("") == STANDARD


@pytest.mark.parametrize("text", ["port", "port=kept", "host=a", "standard,port=omitted", ","])
def test_it_refuses_an_unknown_variant(text):
    with pytest.raises(BadRequest, match="port=as_sent\\|omitted"):
        parse_variant(text)


@pytest.mark.parametrize(
    ("url", "names"),
    [
        ("https://a.example/r", ["standard", "scheme=http"]),
        ("http://a.example:80/r?b=5", ["standard", "scheme=https"]),
        (
            "http://a.example:8080/r",
            ["standard", "port=omitted", "scheme=https", "port=omitted,scheme=https"],
        ),
        (
            "https://a.example:8443/r",
            ["standard", "port=omitted", "scheme=http", "port=omitted,scheme=http"],
        ),
        (
            "https://a.example/r?a=1+2",
            ["standard", "scheme=http", "plus=plus", "scheme=http,plus=plus"],
        ),
        (
            "https://a.example/r?a=1&a=2&b",
            [
                "standard",
                "scheme=http",
                "repeated=last",
                "odd_pairs=left_out",
                "scheme=http,repeated=last",
                "scheme=http,odd_pairs=left_out",
                "repeated=last,odd_pairs=left_out",
                "scheme=http,repeated=last,odd_pairs=left_out",
            ],
        ),
    ],
)
def test_it_tries_the_standard_first_and_few_departures_next(url, names):
    assert [str(variant) for variant in variants_for(url)] == names


def test_it_tries_indexes_where_an_array_has_none():
    tried = {str(variant) for variant in variants_for("https://a.example/r?a%5B%5D=1&b[]=2")}

    assert "repeated=indexed" in tried
    assert "repeated=last" not in tried


@pytest.mark.parametrize("url", ["http://a.example:x/", "http://[", "", "http://a.example/ü"])
def test_it_has_only_the_standard_for_what_cannot_be_signed(url):
    assert variants_for(url) == (STANDARD,)


pieces = st.sampled_from(["a=1", "a=2", "a[]=1", "a[]=2", "b", "c=1+2", "d=e=f"])
urls = st.builds(
    lambda scheme, port, query: f"{scheme}://a.example{port}/r?{'&'.join(query)}",
    st.sampled_from(["http", "https"]),
    st.sampled_from(["", ":80", ":443", ":8080"]),
    st.lists(pieces, max_size=4),
)


@given(urls)
def test_it_never_tries_the_same_text_twice(url):
    tried = variants_for(url)

    texts = [
        sign(
            Request(method="GET", url=url),
            client=ClientCredentials("k", "s"),
            nonce="n",
            timestamp=1,
            variant=variant,
        ).base_string
        for variant in tried
    ]
    assert tried[0] == STANDARD
    assert len(tried) <= 8
    assert len(set(texts)) == len(texts)
