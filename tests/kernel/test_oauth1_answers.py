"""Read what servers answer: credentials, problems, the time."""

import json
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyvalent.auth import (
    IssuedCredentials,
    OAuthProblem,
    TokenCredentials,
    UnreadableCredentials,
    measure_skew_s,
    parse_credentials,
    parse_problem,
)

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


def test_it_reads_the_temporary_credentials_of_the_rfc():
    body = b"oauth_token=hh5s93j4hdidpola&oauth_token_secret=hdhd0244k9j7ao03"

    issued = parse_credentials(body + b"&oauth_callback_confirmed=true")

    assert issued == IssuedCredentials(
        credentials=TokenCredentials("hh5s93j4hdidpola", "hdhd0244k9j7ao03"),
        callback_confirmed=True,
    )


def test_it_reads_token_credentials_with_what_else_was_sent():
    issued = parse_credentials(b"oauth_token=a%2Bb&oauth_token_secret=&user_id=7&\n")

    assert issued.credentials == TokenCredentials("a+b", "")
    assert not issued.callback_confirmed
    assert issued.extra == (("user_id", "7"),)


@given(texts, texts)
def test_it_reads_back_any_credentials(token, secret):
    body = urlencode({"oauth_token": token, "oauth_token_secret": secret}).encode()

    assert parse_credentials(body).credentials == TokenCredentials(token, secret)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b"", "nothing"),
        (b"  \r\n", "nothing"),
        (b"<!DOCTYPE html><title>oauth_token=a&oauth_token_secret=b</title>", "an HTML or XML"),
        (b"<a href='?x=1&oauth_token=a&oauth_token_secret=b'>", "an HTML or XML page"),
        (b'{"oauth_token":"a"}', "JSON"),
        (b'["&oauth_token=a&oauth_token_secret=b"]', "JSON"),
        (b"oauth_problem=nonce_used", "the problem nonce_used"),
        (b"oauth_token=a", "a form without oauth_token or oauth_token_secret"),
        (b"oauth_token=&oauth_token_secret=b", "a form without"),
        (b"oauth_token_secret=s3cr3t", "a form without"),
        (b"It works!", "another text"),
        (b"\xff\xfe", "another text"),
        (b"oauth_token=%ff&oauth_token_secret=b", "another text"),
        (b"a=1&" * 200 + b"oauth_token=a&oauth_token_secret=b", "another text"),
    ],
)
def test_it_says_what_came_in_place_of_credentials(body, found):
    with pytest.raises(UnreadableCredentials) as caught:
        parse_credentials(body)

    assert caught.value.found.startswith(found)
    assert caught.value.found in caught.value.message
    assert caught.value.status == 502
    assert "s3cr3t" not in caught.value.message


@given(st.binary())
def test_it_reads_or_refuses_any_bytes(body):
    try:
        token = parse_credentials(body).credentials.token
    except UnreadableCredentials as refusal:
        token = refusal.found

    assert token


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"oauth_problem=signature_invalid", OAuthProblem(name="signature_invalid")),
        (
            b"oauth_problem=parameter_absent&oauth_parameters_absent=oauth_callback",
            OAuthProblem(name="parameter_absent", absent=("oauth_callback",)),
        ),
        (
            b"oauth_parameters_absent=oauth_nonce%26oauth_token&oauth_problem=parameter_absent&x=1",
            OAuthProblem(name="parameter_absent", absent=("oauth_nonce", "oauth_token")),
        ),
        (
            b"oauth_problem=parameter_rejected&oauth_parameters_rejected=realm%3Da%26b",
            OAuthProblem(name="parameter_rejected", rejected=("realm=a", "b")),
        ),
        (
            b"oauth_problem=internal_error&message=SQLSTATE[23000]: '1' & more, 100% of it, 1+1",
            OAuthProblem(
                name="internal_error",
                message="SQLSTATE[23000]: '1' & more, 100% of it, 1+1",
            ),
        ),
        (
            b"oauth_problem=internal_error&message=a%20b+c",
            OAuthProblem(name="internal_error", message="a b c"),
        ),
        (
            b"oauth_problem=timestamp_refused&oauth_acceptable_timestamps=1000-2000&message=a+b",
            OAuthProblem(
                name="timestamp_refused",
                acceptable_timestamps=(1000, 2000),
                message="a b",
            ),
        ),
        (
            b'{"messages":{"error":[{"code":401,"message":"oauth_problem=token_rejected"}]}}',
            OAuthProblem(name="token_rejected"),
        ),
        (b'"Refused: oauth_problem=token_revoked."', OAuthProblem(name="token_revoked")),
        (b"{broken oauth_problem=nonce_used}", OAuthProblem(name="nonce_used")),
        (b"<p>oauth_problem=Nonce_Used</p>", OAuthProblem(name="nonce_used")),
        (b"Sorry.\noauth_problem=nonce_used\nBye.", OAuthProblem(name="nonce_used")),
        (b"oauth_problem=nonce_used&message=", OAuthProblem(name="nonce_used")),
    ],
)
def test_it_reads_a_problem_from_the_body(body, problem):
    assert parse_problem(body) == problem


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"signature_invalid",
        b"oauth_problem=",
        b"oauth_problem=%22",
        b"<html>oauth problem</html>",
        b'{"oauth_problem":"x"}',
        b"oauth_problem=12",
        b"[" * 100_000 + b'"oauth_problem="',
        b"\xff\xff",
    ],
)
def test_it_finds_no_problem_where_none_is_named(body):
    assert parse_problem(body, (("WWW-Authenticate", "OAuth realm=oauth_problem"),)) is None


@pytest.mark.parametrize(
    "value",
    [
        'OAuth realm="a", oauth_problem="parameter_absent", oauth_parameters_absent="oauth_nonce"',
        "OAuth oauth_problem=parameter_absent,oauth_parameters_absent=oauth_nonce",
    ],
)
def test_it_reads_a_problem_from_the_header(value):
    headers = (("Date", "now"), ("www-authenticate", value))

    assert parse_problem(b"<html>", headers) == OAuthProblem(
        name="parameter_absent", absent=("oauth_nonce",)
    )


def test_it_prefers_the_body_to_the_header():
    headers = (("WWW-Authenticate", 'OAuth oauth_problem="nonce_used"'),)

    assert parse_problem(b"oauth_problem=token_used", headers) == OAuthProblem(name="token_used")


@given(texts)
def test_it_reads_problems_out_of_any_json(text):
    body = json.dumps({"a": [1, None, text, {"b": "oauth_problem=nonce_used"}]}).encode()

    assert parse_problem(body) == OAuthProblem(name="nonce_used")


@given(st.binary(), st.text())
def test_it_survives_any_answer(body, header):
    problem = parse_problem(b"oauth_problem=" + body, (("WWW-Authenticate", header),))

    assert problem is None or problem.name == problem.name.lower()


RECEIVED_AT = datetime(1994, 11, 6, 8, 49, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("date", "skew_s"),
    [
        ("Sun, 06 Nov 1994 08:49:37 GMT", 30.0),
        ("Sun, 06 Nov 1994 08:49:07 -0000", 0.0),
        ("Sun, 06 Nov 1994 10:49:07 +0100", 3600.0),
        ("Sun, 06 Nov 1994 07:49:07 GMT", -3600.0),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_it_measures_how_far_the_clocks_differ(date, skew_s):
    assert measure_skew_s(date, received_at=RECEIVED_AT) == skew_s
