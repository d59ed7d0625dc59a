"""What a vendor's answer means, and in whose words it is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyvalent.catalog.classify import classify, error_of, provider_message, status_of
from polyvalent.catalog.element import Authentication, Element, FailureRule
from polyvalent.catalog.load import load_catalog
from polyvalent.errors import VendorFailure, VendorRefused
from polyvalent.exchange import Response

PLAIN = Element(name="Plain", description="d", authentication=Authentication(type="basic"))
MAGENTO = load_catalog().find("magento")


def answer(status: int, body: str = "", content_type: str = "application/json") -> Response:
    headers = (("Content-Type", content_type),)
    return Response(status=status, headers=headers, body=body.encode())


def magento_error(status: int, text: str) -> Response:
    quoted = text.replace('"', '\\"')
    return answer(status, f'{{"messages":{{"error":[{{"code":{status},"message":"{quoted}"}}]}}}}')


@pytest.mark.parametrize("status", [200, 201, 204, 207, 299])
def test_finds_no_fault_in_a_success(status: int):
    assert classify(MAGENTO, "POST", answer(status)) is None


@pytest.mark.parametrize(
    ("method", "status", "kind", "told"),
    [
        ("GET", 301, "configuration", 502),
        ("GET", 304, "configuration", 502),
        ("GET", 400, "refused", 400),
        ("GET", 401, "configuration", 401),
        ("GET", 403, "permission", 403),
        ("GET", 404, "absent", 404),
        ("DELETE", 410, "absent", 404),
        ("PUT", 405, "refused", 405),
        ("POST", 409, "duplicate", 409),
        ("POST", 422, "refused", 400),
        ("GET", 429, "wait", 503),
        ("GET", 500, "transient", 502),
        ("POST", 500, "ambiguous", 502),
        ("GET", 503, "transient", 502),
        ("PUT", 503, "ambiguous", 502),
        ("GET", 599, "transient", 502),
        ("DELETE", 520, "ambiguous", 502),
    ],
)
def test_reads_the_status_where_no_rule_fits(method: str, status: int, kind: str, told: int):
    rule = classify(PLAIN, method, answer(status))

    assert rule is not None
    assert (rule.kind, status_of(rule)) == (kind, told)
    assert rule.message


@pytest.mark.parametrize(
    ("method", "response", "kind"),
    [
        ("GET", magento_error(401, "oauth_problem=token_revoked"), "reauthorize"),
        ("POST", magento_error(401, "oauth_problem=token_rejected"), "reauthorize"),
        ("GET", magento_error(401, "oauth_problem=signature_invalid"), "configuration"),
        ("GET", magento_error(401, "oauth_problem=consumer_key_rejected"), "configuration"),
        ("GET", magento_error(401, "oauth_problem=timestamp_refused"), "configuration"),
        ("GET", magento_error(401, "oauth_problem=version_rejected"), "configuration"),
        ("GET", magento_error(401, "oauth_problem=nonce_used"), "transient"),
        ("POST", magento_error(401, "oauth_problem=nonce_used"), "ambiguous"),
        (
            "PUT",
            magento_error(401, "oauth_problem=internal_error&message=key 'UNQ_OAUTH_NONCE_NONCE'"),
            "ambiguous",
        ),
        ("GET", magento_error(500, "Admin role not found"), "permission"),
        ("GET", magento_error(403, "Access denied"), "permission"),
        ("GET", magento_error(400, "Resource collection ordering error."), "permission"),
        ("GET", magento_error(400, "The paging limit exceeds the allowed number."), "refused"),
        ("POST", magento_error(400, "Resource unknown error."), "ambiguous"),
        ("GET", magento_error(400, "Resource unknown error."), "transient"),
        ("PUT", magento_error(500, "Resource internal error."), "ambiguous"),
        ("GET", magento_error(500, "Resource internal error."), "transient"),
        (
            "POST",
            magento_error(400, 'Invalid attribute "sku": The value of "SKU" must be unique'),
            "duplicate",
        ),
        ("POST", magento_error(500, "This customer email already exists"), "duplicate"),
        ("POST", magento_error(400, "Product #1 is already assigned to category #9"), "duplicate"),
        ("DELETE", magento_error(400, "Product #1 isn't assigned to category #9"), "absent"),
        ("GET", magento_error(404, "Resource not found."), "absent"),
        ("GET", magento_error(404, "Request does not match any route."), "refused"),
        ("GET", answer(404, "<html>Not here</html>", "text/html; charset=UTF-8"), "configuration"),
        ("POST", magento_error(405, "Resource method not implemented yet."), "refused"),
        ("POST", magento_error(400, "Resource data pre-validation error."), "refused"),
        ("POST", magento_error(400, "The request data is invalid."), "refused"),
        ("GET", answer(500, "", "text/html; charset=UTF-8"), "transient"),
        ("POST", answer(500, "", "text/html; charset=UTF-8"), "ambiguous"),
        ("POST", answer(500, "Service temporary unavailable", "text/html"), "transient"),
        ("GET", answer(503, "<html>Report</html>", "text/html"), "transient"),
        ("POST", answer(502, "<html>Bad Gateway</html>", "text/html"), "ambiguous"),
    ],
)
def test_knows_what_a_magento_store_means(method: str, response: Response, kind: str):
    rule = classify(MAGENTO, method, response)

    assert rule is not None
    assert rule.kind == kind, rule.message


def test_lets_the_first_fitting_rule_decide():
    rules = (
        FailureRule(kind="wait", status=(400,), contains="slow", message="Wait."),
        FailureRule(kind="refused", content_type="text/plain", message="Text."),
        FailureRule(kind="absent", empty_body=True, methods=("GET",), message="Nothing."),
    )
    element = Element(
        name="n", description="d", authentication=Authentication(type="basic"), failures=rules
    )

    kinds = [
        rule.kind
        for response in (
            answer(400, "slow down", "text/plain"),
            answer(500, "slow", "Text/Plain"),
            answer(500, " \n"),
            answer(500, "x"),
        )
        if (rule := classify(element, "GET", response)) is not None
    ]
    assert kinds == ["wait", "refused", "absent", "transient"]


def test_makes_errors_that_carry_the_vendors_words():
    rule = FailureRule(kind="absent", message="Gone.")
    refused = error_of(rule, answer(404, '{"message":"no such order"}'), hint="Look there.")

    assert isinstance(refused, VendorRefused)
    assert (refused.status, refused.message) == (404, "Gone. Look there.")
    assert refused.provider_message == "no such order"
    failed = error_of(FailureRule(kind="transient", message="Down."), answer(503))
    assert isinstance(failed, VendorFailure)
    assert (failed.status, failed.provider_message) == (502, None)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("", None),
        ("  \n ", None),
        ('{"error":"invalid_grant","error_description":"bad"}', "invalid_grant; bad"),
        ('{"errors":["a","b","a"]}', "a; b"),
        ('{"errors":[{"detail":"x"},{"title":"y","code":"7"}]}', "x; y"),
        ('{"code":7}', '{"code":7}'),
        ('{"message":""}', '{"message":""}'),
        ("oauth_problem=token_used", "oauth_problem=token_used"),
        ("  many\n\twords ", "many words"),
        ("a\x00b\x1b[31m", "a b [31m"),
        (
            "<html><head><title>T</title></head><body><h1>502</h1> Bad&amp;</body></html>",
            "502 Bad&",
        ),
        ("<html><head><title>Only this</title></head><body></body></html>", "Only this"),
        ("<!DOCTYPE html><script>var a='<p>no</p>'</script><p>yes</p>", "yes"),
        ("<?xml version='1.0'?><a><message>Not found</message></a>", "Not found"),
        ('{"message":"<b>bold</b> claim"}', "bold claim"),
        ('"just text"', '"just text"'),
        ("\ufeff", None),
        ("[" * 100_000, "[" * 499 + "…"),
    ],
)
def test_quotes_the_vendors_own_words(body: str, words: str | None):
    assert provider_message(answer(400, body)) == words


def test_quotes_no_more_than_500_characters():
    words = provider_message(answer(400, "ä" * 600))

    assert words is not None
    assert len(words) == 500
    assert words.endswith("…")


@given(st.binary(max_size=300))
def test_makes_something_printable_of_any_bytes(body: bytes):
    words = provider_message(Response(status=500, body=body))

    assert words is None or (0 < len(words) <= 500 and words.isprintable())


@given(
    st.integers(min_value=300, max_value=599),
    st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    st.binary(max_size=50),
)
def test_has_a_message_for_every_failure(status: int, method: str, body: bytes):
    response = Response(status=status, body=body)

    rule = classify(MAGENTO, method, response)

    assert rule is not None
    assert rule.message.endswith(".")
    assert status_of(rule) in (400, 401, 403, 404, 405, 409, 502, 503)
