"""
Explain a refused OAuth 1 request: what it most probably means, and what to do about it.

Weights are a practitioner's odds, not measurements: what fails most often comes first, and a
fact (a clock that is wrong, a port in the URL, a variant tried in vain) moves a cause up or
down. The same facts always give the same explanation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from polyvalent.auth import oauth1_cause as known
from polyvalent.auth.oauth1 import SignatureMethod
from polyvalent.auth.oauth1_answer import OAuthProblem
from polyvalent.auth.oauth1_cause import Cause, Causes, cause
from polyvalent.auth.oauth1_trial import has_own_port, variants_for
from polyvalent.auth.oauth1_variant import Variant

Step = Literal["temporary_credentials", "token_credentials", "resource"]

# A usual window is five minutes; a clock that is wrong by less can still be the fault.
SKEW_SUSPICIOUS_S = 60.0
SKEW_CERTAIN_S = 300.0

_STEPS: dict[Step, str] = {
    "temporary_credentials": "the request for a request token",
    "token_credentials": "the exchange of the request token for an access token",
    "resource": "a signed call",
}

# What needs no fact but the name of the problem.
_PROBLEMS: dict[str, Causes] = {
    "nonce_used": known.NONCE,
    "consumer_key_unknown": known.CONSUMER_KEY,
    "consumer_key_rejected": known.CONSUMER_KEY,
    "consumer_key_refused": known.CONSUMER_KEY,
    "token_revoked": known.REVOKED,
    "token_expired": known.EXPIRED,
    "verifier_invalid": known.VERIFIER,
    "version_rejected": known.VERSION,
    "permission_denied": known.PERMISSION,
    "permission_unknown": known.DECLINED,
    "user_refused": known.DECLINED,
    "additional_authorization_required": known.DECLINED,
}

_TRIED_IN_VAIN = 0.1  # what stays of a weight once the variant against it failed too


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """Gather the facts about one refused request."""

    step: Step
    url: str  # as sent
    problem: OAuthProblem | None = None  # None: the server named none
    status: int = 401
    skew_s: float | None = None  # the server's clock minus ours; None: not measured
    proxied: bool = False  # an answer header such as Via showed something in between
    tried: tuple[Variant, ...] = ()  # the variants that were refused alike
    signature_method: SignatureMethod = "HMAC-SHA1"


def explain_refusal(refusal: Refusal) -> Causes:
    """
    List the causes that a refusal can have, the most probable first; never empty.

    signature_invalid at the first step on http://shop.example:8080 → wrong consumer secret,
    port in the signed text, ... each with what to do. The weights are shares that make 1.
    """
    causes = (*_find_causes(refusal), *_find_clock(refusal))
    total = sum(found.weight for found in causes)
    shares = [replace(found, weight=round(found.weight / total, 3)) for found in causes]
    return tuple(sorted(shares, key=lambda found: -found.weight))


def describe_refusal(refusal: Refusal) -> str:
    """
    Say in one line what was refused, why most probably, and what to do.

    "The store refused a signed call (token_revoked). Most likely: ... What to do: ..."
    The server's own words are not repeated; they belong into the provider's message.
    """
    first = explain_refusal(refusal)[0]
    named = _name(refusal) or f"status {refusal.status}, no OAuth problem named"
    return (
        f"The store refused {_STEPS[refusal.step]} ({named})."
        f" Most likely: {first.text} What to do: {first.what_to_do}"
    )


def _name(refusal: Refusal) -> str:
    """Return the problem's name, empty when the server named none."""
    return "" if refusal.problem is None else refusal.problem.name


def _find_causes(refusal: Refusal) -> Causes:
    """Choose the causes by the problem's name."""
    name = _name(refusal)
    match name:
        case "signature_invalid":
            return _find_signature(refusal)
        case "token_rejected" | "token_used":
            return known.ACCESS_TOKEN if refusal.step == "resource" else known.REQUEST_TOKEN
        case "timestamp_refused":
            measured = refusal.skew_s is not None
            return (_weigh(known.CLOCKS_DIFFER, 0.2 if measured else 1.0), known.HELD_BACK)
        case "parameter_absent":
            return _find_absent(refusal)
        case "parameter_rejected":
            return _find_rejected(refusal)
        case "signature_method_rejected":
            return (_refuse_method(refusal.signature_method),)
        case _:
            return _PROBLEMS.get(name) or _find_unnamed(refusal)


def _find_signature(refusal: Refusal) -> Causes:
    """List wrong secrets by step, then what makes the two sides sign different texts."""
    secrets: Causes
    match refusal.step:
        case "temporary_credentials":
            secrets = (known.CLIENT_SECRET,)
        case "token_credentials":
            # Whoever got past the first step had the right client secret then.
            secrets = (known.REQUEST_TOKEN_SECRET, _weigh(known.CLIENT_SECRET, 0.3))
        case "resource":
            secrets = (known.ACCESS_TOKEN_SECRET, _weigh(known.CLIENT_SECRET, 0.3))
    if refusal.signature_method == "PLAINTEXT":
        return secrets

    tried = refusal.tried
    proxied = 3.0 if refusal.proxied else 1.0
    texts = [_weigh(known.ADDRESS_REWRITTEN, proxied)]
    if has_own_port(refusal.url):
        vain = any(variant.port != "as_sent" for variant in tried)
        texts.append(_weigh(known.PORT_LEFT_OUT, _TRIED_IN_VAIN if vain else 1.0))
    if refusal.url.lower().startswith("https:"):
        vain = any(variant.scheme != "as_sent" for variant in tried)
        texts.append(_weigh(known.TLS_ENDS_EARLY, _TRIED_IN_VAIN if vain else proxied**0.5))
    if any(_is_about_query(variant) for variant in variants_for(refusal.url)):
        vain = any(_is_about_query(variant) for variant in tried)
        texts.append(_weigh(known.QUERY_AMBIGUOUS, _TRIED_IN_VAIN if vain else 1.0))
    return (*secrets, *texts)


def _is_about_query(variant: Variant) -> bool:
    """Tell whether a variant reads the query in its own way."""
    return (variant.plus, variant.repeated, variant.odd_pairs) != ("space", "all", "signed")


def _find_clock(refusal: Refusal) -> Causes:
    """Add the clock to any refusal when it is measurably wrong, whatever the server called it."""
    skew_s = refusal.skew_s
    if skew_s is None or abs(skew_s) < SKEW_SUSPICIOUS_S:
        return ()
    weight = 4.0 if abs(skew_s) >= SKEW_CERTAIN_S else 1.0
    direction = "ahead of" if skew_s > 0 else "behind"
    return (
        cause(
            20.0 if _name(refusal) == "timestamp_refused" else weight,
            f"The store's clock is {abs(skew_s):.0f} seconds {direction} ours.",
            "Compare both with the world's time and synchronize the one that is wrong (NTP).",
        ),
    )


def _find_absent(refusal: Refusal) -> Causes:
    """Tell a dropped header, which loses everything, from one parameter in the wrong place."""
    absent = () if refusal.problem is None else refusal.problem.absent
    dropped = not absent or "oauth_consumer_key" in absent
    missed = ", ".join(absent) or "the OAuth parameters"
    return (
        _weigh(known.HEADER_DROPPED, 1.0 if dropped else 0.2),
        cause(
            3.0,
            f"The store looked for {missed} in another place than it was sent.",
            "Switch the transmission of the OAuth parameters between header and query.",
        ),
    )


def _find_rejected(refusal: Refusal) -> Causes:
    """Name the callback first where the server's words mention it."""
    problem = refusal.problem
    words = () if problem is None else (*problem.rejected, problem.message or "")
    about_callback = any("oauth_callback" in word for word in words)
    return (_weigh(known.CALLBACK, 3.0 if about_callback else 1.0), known.PARAMETER_FORM)


def _find_unnamed(refusal: Refusal) -> Causes:
    """Explain a refusal without a known name: the store failed, or saw no OAuth at all."""
    failed = refusal.status >= 500
    return (
        _weigh(known.STORE_FAILED, 5.0 if failed else 0.5),
        _weigh(known.HEADER_DROPPED, 0.2 if failed else 0.5),
        known.CREDENTIALS_UNNAMED,
    )


def _refuse_method(method: SignatureMethod) -> Cause:
    """Name the signature method that was refused."""
    return cause(
        1.0,
        f"The store does not support the signature method {method}.",
        "Use HMAC-SHA1, which every OAuth 1.0 server knows, or what the store documents.",
    )


def _weigh(found: Cause, factor: float) -> Cause:
    """Change a cause's weight by a factor."""
    return replace(found, weight=found.weight * factor)
