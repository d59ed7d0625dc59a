"""
What each recording's placeholders stand for: who signed it, how, and with which defect.

The recordings replace every token, secret, nonce and signature by a name; which role it played is
known from the recording's name and note, and written down here. What is not listed was signed
validly by the first application for the first admin.
"""

from dataclasses import dataclass
from typing import Literal

TokenRole = Literal[
    "none",
    "access",
    "authorized",
    "unauthorized",
    "unknown",
    "short",
    "revoked",
    "request",
]


@dataclass(frozen=True, kw_only=True)
class Signing:
    """Say how a recording is to be signed."""

    token: TokenRole | None = None  # None: as the path demands
    is_port_flipped: bool = False  # the other host form than the one this store verifies
    is_broken: bool = False  # a signature of the right length and wrong content
    wrong_consumer_secret: bool = False
    wrong_token_secret: bool = False
    consumer: Literal[1, 2, 3] = 1  # the application that signs
    signed_query: str | None = None  # the query that is signed, where it is not the one sent
    scheme: str = "http"
    timestamp_offset_s: int = 0
    timestamp: str | None = None
    nonce: str | None = None  # a name: recordings with the same name share the nonce
    nonce_length: int = 32
    is_wrong_verifier: bool = False
    before: str | None = None  # a recording that is sent just before this one


SIGNINGS: dict[str, Signing] = {
    # oauth-initiate
    "oauth-initiate/callback_oob_consumer_without_callback": Signing(consumer=3),
    "oauth-initiate/err_bad_signature": Signing(is_broken=True),
    "oauth-initiate/err_plaintext_wrong": Signing(is_broken=True),
    "oauth-initiate/err_wrong_consumer_secret": Signing(wrong_consumer_secret=True),
    "oauth-initiate/err_signed_with_port": Signing(is_port_flipped=True),
    "oauth-initiate/err_timestamp_plus_700": Signing(timestamp_offset_s=700),
    "oauth-initiate/ok_timestamp_plus_590": Signing(timestamp_offset_s=590),
    "oauth-initiate/ok_timestamp_old": Signing(timestamp="1000000000"),
    "oauth-initiate/nonce_first_use": Signing(nonce="a", timestamp_offset_s=-5),
    "oauth-initiate/err_nonce_reused_same_timestamp": Signing(
        nonce="a", timestamp_offset_s=-5, before="nonce_first_use"
    ),
    "oauth-initiate/nonce_reused_other_timestamp": Signing(
        nonce="a", timestamp_offset_s=5, before="nonce_first_use"
    ),
    "oauth-initiate/nonce_burnt_by_bad_signature_1": Signing(nonce="b", is_broken=True),
    "oauth-initiate/nonce_burnt_by_bad_signature_2": Signing(
        nonce="b", before="nonce_burnt_by_bad_signature_1"
    ),
    "oauth-initiate/nonce_40_chars": Signing(nonce="c", nonce_length=40),
    "oauth-initiate/nonce_40_chars_replay": Signing(
        nonce="c", nonce_length=40, before="nonce_40_chars"
    ),
    "oauth-initiate/nonce_40_chars_same_prefix": Signing(
        nonce="c", nonce_length=41, before="nonce_40_chars"
    ),
    "oauth-initiate/nonce_short": Signing(nonce="d", nonce_length=4),
    "oauth-initiate/query_param_dup": Signing(signed_query="a=2"),
    "oauth-initiate/query_param_dup_rfc": Signing(signed_query="a=1&a=2"),
    "oauth-initiate/query_param_no_value": Signing(signed_query=""),
    "oauth-initiate/query_param_plus": Signing(signed_query="foo=bar%20baz"),
    "oauth-initiate/query_param_plus_literal": Signing(signed_query="foo=bar%2Bbaz"),
    # oauth-token
    "oauth-token/err_access_token_at_token_endpoint": Signing(token="access"),
    "oauth-token/err_bad_signature": Signing(is_broken=True),
    "oauth-token/err_expired_request_token": Signing(token="unknown"),
    "oauth-token/err_not_authorized": Signing(token="unauthorized"),
    "oauth-token/err_other_consumer": Signing(consumer=2),
    "oauth-token/err_reused_request_token": Signing(token="unknown"),
    "oauth-token/err_short_token": Signing(token="short"),
    "oauth-token/err_signed_with_port": Signing(is_port_flipped=True),
    "oauth-token/err_unknown_token": Signing(token="unknown"),
    "oauth-token/err_wrong_token_secret": Signing(wrong_token_secret=True),
    "oauth-token/err_wrong_verifier": Signing(is_wrong_verifier=True),
    # oauth-resource
    "oauth-resource/err_bad_token_guest_allowed": Signing(token="unknown"),
    "oauth-resource/err_deleted": Signing(token="unknown"),
    "oauth-resource/nonce_1": Signing(nonce="e", timestamp_offset_s=-5),
    "oauth-resource/err_nonce_2": Signing(nonce="e", timestamp_offset_s=-5, before="nonce_1"),
    "oauth-resource/nonce_3_other_timestamp": Signing(
        nonce="e", timestamp_offset_s=5, before="nonce_1"
    ),
    "oauth-resource/err_old_access_token_after_reauthorise": Signing(token="unknown"),
    "oauth-resource/err_other_consumer": Signing(consumer=2),
    "oauth-resource/err_request_token_as_access": Signing(token="request"),
    "oauth-resource/err_revoked": Signing(token="revoked"),
    "oauth-resource/err_short_token": Signing(token="short"),
    "oauth-resource/err_signed_without_port": Signing(is_port_flipped=True),
    "oauth-resource/err_timestamp_future": Signing(timestamp_offset_s=700),
    "oauth-resource/err_unknown_token": Signing(token="unknown"),
    "oauth-resource/err_wrong_token_secret": Signing(wrong_token_secret=True),
    "oauth-resource/plus_in_query_as_space": Signing(
        signed_query=("filter%5B1%5D%5Battribute%5D=name&filter%5B1%5D%5Beq%5D=Royal%2BBoot")
    ),
    "rest-proxy/x_forwarded_proto_https_signed_https": Signing(scheme="https"),
    "rest/initiate_with_port": Signing(is_port_flipped=True),
}

# REST calls of other callers, by the start of the recording's name.
CALLERS = {
    "limited_": "limited",
    "norole_": "none",
    "customer_": "customer",
    "attribute_acl_none_": "no_attributes",
    "attribute_acl_put": "no_attributes",
    "attribute_acl_order_entity_id_only": "order_id_only",
    "attribute_acl_": "three_attributes",
}

# Writes in the order in which they were made: these first, then the rest by name, then the last.
FIRST = """
product_get_roundtrip product_put_roundtrip
product_create_ok product_create_ok_get product_create_ok_websites
product_create_full product_create_full_get product_create_full_websites
product_create_all_strings product_create_text_plain product_create_xml
product_create_json_charset product_create_json_charset_upper
product_create_zero_price_int product_create_zero_price_str
product_update_empty_optional product_update_null_optional product_update_null_get
product_update_stock product_update_stock_get
product_update_without_stock_resets product_update_without_stock_get
category_add category_add_dup category_add_string
website_add website_add_dup
image_add image_get image_list image_update image_update_get image_add_minimal
stock_update_ok stock_update_get stock_update_negative stock_update_negative_get
stock_flag_vs_qty_put stock_flag_vs_qty_get stock_flag_back_put stock_flag_back_get
customer_create customer_create_get customer_create_password
customer_update_name customer_update_dob_us customer_update_get
address_create address_create_get address_create_region_code address_create_street_3
address_list address_create_gb address_create_default
address_update address_update_region address_update_get
order_comment_create order_comment_list
"""
LAST = """
address_delete address_delete_default
category_delete category_delete_again image_delete image_delete_again
website_delete website_delete_again customer_delete customer_delete_again
product_delete product_delete_again product_get_deleted product_delete_with_body
method_DELETE product_create_plaintext
"""
WEBSERVER_ORDER = ["product_create", "product_create_dup", "product_update"]
FIRST_WRITES = FIRST.split()
LAST_WRITES = LAST.split()
