"""Explain refusals: the most probable cause first, moved by the facts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyvalent.auth import (
    STANDARD,
    OAuthProblem,
    Refusal,
    Variant,
    describe_refusal,
    explain_refusal,
)

URL = "http://a.example/r"


def explain(name, *, step="resource", url=URL, **facts):
    problem = None if name is None else OAuthProblem(name=name, **facts.pop("named", {}))
    return explain_refusal(Refusal(step=step, url=url, problem=problem, **facts))


def place(causes, word):
    """Return at which place a cause with this word stands; -1 when nowhere."""
    return next((place for place, cause in enumerate(causes) if word in cause.text), -1)


NAMES = [
    "signature_invalid",
    "signature_method_rejected",
    "timestamp_refused",
    "nonce_used",
    "consumer_key_unknown",
    "consumer_key_rejected",
    "consumer_key_refused",
    "token_rejected",
    "token_used",
    "token_revoked",
    "token_expired",
    "verifier_invalid",
    "version_rejected",
    "parameter_absent",
    "parameter_rejected",
    "permission_unknown",
    "permission_denied",
    "user_refused",
    "additional_authorization_required",
    "internal_error",
    None,
]

refusals = st.builds(
    Refusal,
    step=st.sampled_from(["temporary_credentials", "token_credentials", "resource"]),
    url=st.sampled_from(
        [URL, "https://a.example:8443/r?a=1+2", "http://a.example:x/", "", "[", "http://["]
    ),
    problem=st.sampled_from(NAMES).map(lambda name: name and OAuthProblem(name=name)),
    status=st.sampled_from([400, 401, 403, 500, 503]),
    skew_s=st.none() | st.floats(-1e6, 1e6),
    proxied=st.booleans(),
    tried=st.lists(
        st.sampled_from([STANDARD, Variant(port="omitted", scheme="http", plus="plus")])
    ),
    signature_method=st.sampled_from(["HMAC-SHA1", "PLAINTEXT"]),
)


@given(refusals)
def test_it_always_has_causes_in_order_that_share_the_whole(refusal):
    causes = explain_refusal(refusal)

    weights = [cause.weight for cause in causes]
    assert weights == sorted(weights, reverse=True)
    assert sum(weights) == pytest.approx(1, abs=0.01)
    assert all(cause.text.endswith(".") and cause.what_to_do.endswith(".") for cause in causes)
    assert len({cause.text for cause in causes}) == len(causes)


@given(refusals)
def test_it_says_the_first_cause_in_one_line(refusal):
    line = describe_refusal(refusal)

    assert explain_refusal(refusal)[0].text in line
    assert "\n" not in line


@pytest.mark.parametrize(
    ("name", "step", "first"),
    [
        ("signature_invalid", "temporary_credentials", "consumer secret"),
        ("signature_invalid", "token_credentials", "issued together with this request token"),
        ("signature_invalid", "resource", "token secret"),
        ("token_rejected", "resource", "newer authorization"),
        ("token_rejected", "token_credentials", "exchanged before"),
        ("token_used", "token_credentials", "exchanged before"),
        ("token_revoked", "resource", "revoked"),
        ("token_expired", "resource", "limited time"),
        ("consumer_key_rejected", "temporary_credentials", "mistyped"),
        ("verifier_invalid", "token_credentials", "verifier is mistyped"),
        ("nonce_used", "resource", "twice"),
        ("timestamp_refused", "resource", "clocks"),
        ("parameter_absent", "resource", "drops the Authorization header"),
        ("permission_denied", "resource", "may not do this"),
        ("user_refused", "token_credentials", "declined"),
        ("version_rejected", "temporary_credentials", "version 1.0"),
    ],
)
def test_it_names_the_most_probable_cause_first(name, step, first):
    assert first in explain(name, step=step)[0].text


def test_it_names_the_refused_signature_method():
    causes = explain("signature_method_rejected", signature_method="HMAC-SHA256")

    assert "HMAC-SHA256" in causes[0].text


def test_it_suspects_the_port_until_the_variant_was_tried():
    url = "http://a.example:8080/r"
    tried = (STANDARD, Variant(port="omitted"))

    assert place(explain("signature_invalid", step="temporary_credentials"), "port") == -1
    assert place(explain("signature_invalid", step="temporary_credentials", url=url), "port") == 1
    vain = explain("signature_invalid", step="temporary_credentials", url=url, tried=tried)
    assert place(vain, "port") == len(vain) - 1


def test_it_suspects_the_proxy_before_the_secret_when_one_is_seen():
    url = "https://a.example/r"

    unseen = explain("signature_invalid", url=url)
    seen = explain("signature_invalid", url=url, proxied=True)
    vain = explain("signature_invalid", url=url, proxied=True, tried=(Variant(scheme="http"),))

    assert place(unseen, "TLS") == 1
    assert place(seen, "TLS") == 0
    assert place(vain, "TLS") == len(vain) - 1


@pytest.mark.parametrize("query", ["a=1+2", "a=1&a=2", "a", "a=b=c", "a[]=1"])
def test_it_suspects_a_query_that_reads_in_two_ways(query):
    url = f"http://a.example/r?{query}"

    assert place(explain("signature_invalid", url=url), "query") >= 0
    vain = explain(
        "signature_invalid", url=url, tried=(Variant(odd_pairs="left_out"), Variant(plus="plus"))
    )
    assert place(vain, "query") == len(vain) - 1
    assert place(explain("signature_invalid", url=f"{URL}?a=b%20c"), "query") == -1


def test_it_suspects_only_secrets_where_no_text_is_signed():
    causes = explain(
        "signature_invalid", url="https://a.example:1/?+", signature_method="PLAINTEXT"
    )

    assert all("secret" in cause.text for cause in causes)


@pytest.mark.parametrize(
    ("skew_s", "first"),
    [
        (420.4, "The store's clock is 420 seconds ahead of ours."),
        (-90.0, "The store's clock is 90 seconds behind ours."),
    ],
)
def test_it_blames_a_clock_that_is_wrong(skew_s, first):
    assert explain("timestamp_refused", skew_s=skew_s)[0].text == first


def test_it_mentions_the_clock_whatever_the_server_calls_it():
    assert place(explain("signature_invalid", skew_s=90.0), "clock") > 0
    assert place(explain("signature_invalid", skew_s=400.0), "clock") == 1
    assert place(explain("signature_invalid", skew_s=2.0), "clock") == -1


def test_it_acquits_the_clocks_once_they_agree():
    assert "held back" in explain("timestamp_refused", skew_s=1.0)[0].text


def test_it_tells_a_dropped_header_from_a_misplaced_parameter():
    everything = explain("parameter_absent", named={"absent": ("oauth_consumer_key",)})
    one = explain("parameter_absent", named={"absent": ("oauth_callback",)})

    assert "drops the Authorization header" in everything[0].text
    assert "looked for oauth_callback in another place" in one[0].text


@pytest.mark.parametrize(
    "named", [{"rejected": ("oauth_callback",)}, {"message": "oauth_callback"}]
)
def test_it_names_the_callback_where_the_server_does(named):
    assert "callback" in explain("parameter_rejected", named=named)[0].text


def test_it_tells_a_failing_store_from_a_silent_one():
    assert "failed" in explain("internal_error", status=500)[0].text
    assert "drops the Authorization header" in explain(None, status=401)[0].text


def test_it_says_the_status_where_no_problem_is_named():
    line = describe_refusal(Refusal(step="resource", url=URL, status=403))

    assert line.startswith(
        "The store refused a signed call (status 403, no OAuth problem named). Most likely: "
    )
