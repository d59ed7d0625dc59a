"""Judge the signer by what others published: RFC 5849, OAuth Core 1.0a, Twitter, oauth.net."""

import json
import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from polyvalent.auth import (
    ClientCredentials,
    TokenCredentials,
    base_string_uri,
    collect_parameters,
    percent_encode,
    sign,
    signature_base_string,
)
from polyvalent.auth.oauth1 import _seal
from polyvalent.exchange import Request

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "oauth1.json").read_text())


def read_request(vector):
    return Request(
        method=vector["method"],
        url=vector["url"],
        headers=tuple((name, value) for name, value in vector["headers"]),
        body=vector["body"].encode(),
    )


@pytest.mark.parametrize("vector", VECTORS["signatures"], ids=lambda vector: vector["name"])
def test_it_makes_the_published_signature(vector):
    signed = sign(
        read_request(vector),
        client=ClientCredentials(*vector["client"]),
        token=vector["token"] and TokenCredentials(*vector["token"]),
        nonce=vector["nonce"],
        timestamp=vector["timestamp"],
        signature_method=vector["signature_method"],
        version=vector["version"],
        callback=vector["callback"],
        verifier=vector["verifier"],
        realm=vector["realm"],
    )

    header = signed.request.header("Authorization")
    found = re.search(r'oauth_signature="([^"]*)"', header)
    assert unquote(found[1]) == vector["signature"]
    assert vector["base_string"] in (None, signed.base_string)
    assert (f'realm="{vector["realm"]}"' in header) is (vector["realm"] is not None)


def test_it_collects_and_orders_the_parameters_of_the_rfc():
    vector = VECTORS["base_string"]
    request = read_request(vector)

    collected = collect_parameters(request)

    decoded = [(unquote(name), unquote(value)) for name, value in collected]
    assert sorted(decoded) == sorted((name, value) for name, value in vector["collected"])
    assert sorted(collected) == [(name, value) for name, value in vector["encoded"]]


def test_it_builds_the_base_string_of_the_rfc_from_a_signed_request():
    vector = VECTORS["base_string"]

    assert signature_base_string(read_request(vector)) == vector["text"]


@pytest.mark.parametrize("vector", VECTORS["base_string_uris"], ids=lambda vector: vector["url"])
def test_it_builds_the_published_base_string_uri(vector):
    assert base_string_uri(vector["url"], host=vector["host"]) == vector["uri"]
    assert base_string_uri(vector["url"]) == vector["uri"]


@pytest.mark.parametrize(("text", "encoded"), VECTORS["encodings"]["pairs"])
def test_it_encodes_as_published(text, encoded):
    assert percent_encode(text) == encoded


@pytest.mark.parametrize(("query", "normalized"), VECTORS["normalizations"]["pairs"])
def test_it_normalizes_parameters_as_published(query, normalized):
    request = Request(method="GET", url=f"http://a.example/r?{query}")

    text = signature_base_string(request)

    assert unquote(text.rpartition("&")[2]) == normalized


@pytest.mark.parametrize(
    ("client_secret", "token_secret", "text", "signature"), VECTORS["hmac_sha1"]["rows"]
)
def test_it_makes_the_published_hmac(client_secret, token_secret, text, signature):
    assert _seal(text, "HMAC-SHA1", client_secret, token_secret) == signature
