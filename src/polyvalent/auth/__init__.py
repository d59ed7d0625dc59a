"""
Know how a request proves who sends it: OAuth 1.0, HTTP Basic, API keys.

Pure functions from an unsigned request to a signed one; chance and time are given by the
caller. The names below are what the rest of the package uses.
"""

from polyvalent.auth.api_key import ApiKey, add_api_key
from polyvalent.auth.basic import BasicCredentials, add_basic
from polyvalent.auth.oauth1 import (
    ClientCredentials,
    SignatureMethod,
    SignedRequest,
    TokenCredentials,
    Transmission,
    make_nonce,
    sign,
)
from polyvalent.auth.oauth1_answer import (
    IssuedCredentials,
    OAuthProblem,
    UnreadableCredentials,
    measure_skew_s,
    parse_credentials,
    parse_problem,
)
from polyvalent.auth.oauth1_cause import Cause
from polyvalent.auth.oauth1_refusal import (
    Refusal,
    Step,
    describe_refusal,
    explain_refusal,
)
from polyvalent.auth.oauth1_text import (
    base_string_uri,
    collect_parameters,
    conceal_base_string,
    signature_base_string,
)
from polyvalent.auth.oauth1_trial import variants_for
from polyvalent.auth.oauth1_variant import STANDARD, Variant, parse_variant
from polyvalent.auth.percent import encode_query, index_array, percent_encode

__all__ = [
    "STANDARD",
    "ApiKey",
    "BasicCredentials",
    "Cause",
    "ClientCredentials",
    "IssuedCredentials",
    "OAuthProblem",
    "Refusal",
    "SignatureMethod",
    "SignedRequest",
    "Step",
    "TokenCredentials",
    "Transmission",
    "UnreadableCredentials",
    "Variant",
    "add_api_key",
    "add_basic",
    "base_string_uri",
    "collect_parameters",
    "conceal_base_string",
    "describe_refusal",
    "encode_query",
    "explain_refusal",
    "index_array",
    "make_nonce",
    "measure_skew_s",
    "parse_credentials",
    "parse_problem",
    "parse_variant",
    "percent_encode",
    "sign",
    "signature_base_string",
    "variants_for",
]
