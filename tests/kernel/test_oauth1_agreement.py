"""
Judge the signer by oauthlib, on 10 008 generated requests: 834 for each of twelve cases.

oauthlib reads the signed request as a server would, from the wire, and rebuilds the text that
was signed. For the methods that it can sign with, its own client signs the same request too.
"""

import json
import string
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from hypothesis import given, settings
from hypothesis import strategies as st
from oauthlib.common import Request as JudgedRequest
from oauthlib.oauth1 import Client
from oauthlib.oauth1.rfc5849 import signature as judge
from oauthlib.oauth1.rfc5849.utils import parse_authorization_header

from polyvalent.auth import (
    STANDARD,
    ClientCredentials,
    TokenCredentials,
    encode_query,
    sign,
    signature_base_string,
)
from polyvalent.exchange import Request

EXAMPLES = 834
FORM = "application/x-www-form-urlencoded"
PEM = next(
    vector["client"][1]
    for vector in json.loads((Path(__file__).parents[1] / "vectors" / "oauth1.json").read_text())[
        "signatures"
    ]
    if vector["signature_method"] == "RSA-SHA1"
)
PUBLIC_KEY = load_pem_private_key(PEM.encode(), password=None).public_key()
SIGNATURE_TYPES = {"header": "AUTH_HEADER", "query": "QUERY", "body": "BODY"}

# Nearly all of Unicode, with what trips signers well represented; no halves of characters.
texts = st.text(
    st.one_of(
        st.sampled_from("ab+ %&=[]~*!'()/?:;,\"#-._@"),
        st.sampled_from(string.ascii_letters + string.digits),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=6,
)
names = st.one_of(
    st.sampled_from(["a", "filter[1][in][0]", "filter[1][attribute]", "a[]", "attrs", "page"]),
    texts.filter(lambda name: name and not name.startswith("oauth_")),
)
pairs = st.lists(st.tuples(names, texts), max_size=5)
raw_queries = st.text(string.ascii_letters + "+=&!*()'~:@/,;", max_size=12)
queries = st.one_of(
    pairs.map(encode_query),
    pairs.map(lambda some: encode_query(some).replace("%20", "+").lower()),
    raw_queries.filter(lambda query: "oauth" not in query),
)
hosts = st.sampled_from(
    ["shop.example", "SHOP.Example", "127.0.0.1", "[::1]", "xn--bcher-kva.example"]
)
ports = st.sampled_from(["", "", ":80", ":443", ":8080", ":65535"])
paths = st.sampled_from(["", "/", "/api/rest/products/1", "/a%20b/%C3%BC", "/x;y=1/z", "/~u/(1)"])
secrets = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
# oauthlib decodes protocol parameters from query and body twice, so no "%" in these.
keys = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="%"), min_size=1)
tokens = st.none() | st.builds(TokenCredentials, st.text("abc123/+=", min_size=1), secrets)
callbacks = st.sampled_from([None, "oob", "https://app.example/back?state=1&x=ü"])


@dataclass(frozen=True)
class Case:
    request: Request
    client: ClientCredentials
    token: TokenCredentials | None
    nonce: str
    timestamp: int
    callback: str | None
    verifier: str | None


@st.composite
def cases(draw, *, in_body):
    method = draw(st.sampled_from(["POST", "PUT"] if in_body else ["GET", "POST", "DELETE"]))
    scheme = draw(st.sampled_from(["http", "https", "HTTP"]))
    query = draw(queries)
    url = f"{scheme}://{draw(hosts)}{draw(ports)}{draw(paths)}{'?' if query else ''}{query}"
    headers, body = [("Accept", "application/json")], b""
    if in_body or (method == "POST" and draw(st.booleans())):
        headers.append(("Content-Type", FORM))
        body = draw(queries).encode()
    elif method == "POST":
        headers.append(("Content-Type", "application/json"))
        body = b'{"a":"oauth_token=1"}'
    return Case(
        request=Request(method=method, url=url, headers=tuple(headers), body=body),
        client=ClientCredentials(draw(keys), draw(secrets)),
        token=draw(tokens),
        nonce=draw(st.text("0123456789abcdef", min_size=1, max_size=32)),
        timestamp=draw(st.integers(1, 2**40)),
        callback=draw(callbacks),
        verifier=draw(st.none() | st.just("v/+=")),
    )


def read_signature(*, header, query, body):
    """Return the signature from wherever it travelled."""
    if header is not None:
        return unquote(dict(parse_authorization_header(header))["oauth_signature"])
    found = dict([*parse_qsl(query), *parse_qsl(body)])
    return found["oauth_signature"]


def read_wire(request):
    """Return what a server finds: the collected parameters, by oauthlib, and the signature."""
    form = request.header("Content-Type") == FORM
    header = request.header("Authorization")
    found = judge.collect_parameters(
        uri_query=urlsplit(request.url).query,
        body=request.body.decode() if form else "",
        headers={"Authorization": header} if header else {},
    )
    query = urlsplit(request.url).query
    body = request.body.decode() if form else ""
    return found, read_signature(header=header, query=query, body=body)


def sign_with_oauthlib(case, *, method, transmission):
    """Return the signature that oauthlib's own client makes for the same values."""
    request = case.request
    form = request.header("Content-Type") == FORM
    client = Client(
        case.client.key,
        case.client.secret,
        case.token.token if case.token else None,
        case.token.secret if case.token else None,
        callback_uri=case.callback,
        verifier=case.verifier,
        signature_method=method,
        signature_type=SIGNATURE_TYPES[transmission],
        nonce=case.nonce,
        timestamp=str(case.timestamp),
    )
    url, headers, body = client.sign(
        request.url,
        request.method,
        body=request.body.decode() if form else None,
        headers={"Content-Type": FORM} if form else {},
    )
    header = headers.get("Authorization")
    return read_signature(header=header, query=urlsplit(url).query, body=body or "")


@pytest.mark.parametrize("transmission", ["header", "query", "body"])
@pytest.mark.parametrize("method", ["HMAC-SHA1", "HMAC-SHA256", "PLAINTEXT", "RSA-SHA1"])
def test_it_agrees_with_oauthlib(method, transmission):
    judged_cases = []

    @settings(max_examples=EXAMPLES, derandomize=True, database=None, deadline=None)
    @given(cases(in_body=transmission == "body"))
    def agree(case):
        client = ClientCredentials(case.client.key, PEM) if method == "RSA-SHA1" else case.client
        signed = sign(
            case.request,
            client=client,
            token=case.token,
            nonce=case.nonce,
            timestamp=case.timestamp,
            signature_method=method,
            transmission=transmission,
            callback=case.callback,
            verifier=case.verifier,
            variant=STANDARD,
        )

        parameters, signature = read_wire(signed.request)
        uri = judge.base_string_uri(case.request.url)
        text = judge.signature_base_string(
            case.request.method, uri, judge.normalize_parameters(parameters)
        )
        judged = JudgedRequest(case.request.url, case.request.method)
        judged.params, judged.signature = parameters, signature
        token_secret = case.token.secret if case.token else None
        assert signature_base_string(signed.request) == text
        match method:
            case "PLAINTEXT":
                assert signed.base_string == ""
                assert judge.verify_plaintext(judged, client.secret, token_secret)
            case "HMAC-SHA1":
                assert signed.base_string == text
                assert judge.verify_hmac_sha1(judged, client.secret, token_secret)
            case "HMAC-SHA256":
                assert signed.base_string == text
                assert judge.verify_hmac_sha256(judged, client.secret, token_secret)
            case "RSA-SHA1":
                assert signed.base_string == text
                PUBLIC_KEY.verify(
                    judge.binascii.a2b_base64(signature), text.encode(), PKCS1v15(), SHA1()
                )
        if method != "RSA-SHA1":
            theirs = sign_with_oauthlib(case, method=method, transmission=transmission)
            assert signature == theirs
        judged_cases.append(case)

    agree()
    assert len(judged_cases) >= EXAMPLES
