"""Whatever a client sends, the simulated store answers as a store and never breaks."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polyvalent.sandbox.magento import StoreOptions, create_app
from polyvalent.sandbox.magento.app import respond
from polyvalent.sandbox.magento.exchange import Call
from polyvalent.sandbox.magento.state import Store

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(
    LEAVES | st.sampled_from(["1", "2", "simple", "US", "CA", "2026-01-01", "a@example.com"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
NAMES = (
    "type_id attribute_set_id sku name price status visibility weight tax_class_id material "
    "special_from_date tier_price group_price stock_data item_id qty is_in_stock backorders "
    "email firstname lastname website_id group_id dob gender street city country_id region "
    "postcode telephone is_default_billing category_id copy_to_stores file_content "
    "file_mime_type types position comment is_customer_notified cust_group price_qty"
)
BODIES = st.dictionaries(st.sampled_from(NAMES.split()), VALUES, max_size=12)
WRITES = st.sampled_from(
    [
        ("POST", "products"),
        ("PUT", "products/1"),
        ("PUT", "products/5/store/german"),
        ("PUT", "stockitems/1"),
        ("PUT", "stockitems"),
        ("POST", "customers"),
        ("PUT", "customers/1"),
        ("POST", "customers/1/addresses"),
        ("PUT", "customers/addresses/1"),
        ("POST", "products/1/categories"),
        ("POST", "products/1/websites"),
        ("POST", "products/1/images"),
        ("POST", "orders/1/comments"),
    ]
)
PARAMETERS = (
    "page limit order dir attrs store category_id filter filter[1] filter[1][attribute] "
    "filter[1][eq] filter[1][in][0] filter[1][gt] filter[1][like] filter[1][regexp] "
    "filter[1][from] filter[1][null] filter[1][] filter[2][attribute] filter[2][finset]"
)
QUERY_PARTS = st.sampled_from(PARAMETERS.split())
QUERIES = st.lists(
    st.tuples(
        QUERY_PARTS,
        st.sampled_from(["1", "0", "-1", "", "abc", "price", "sku", "entity_id", "qty", "((", "%"]),
    ),
    max_size=6,
)


@pytest.fixture(scope="module")
def store() -> Store:
    """Make a store to be pestered."""
    made: Store = create_app(StoreOptions(products=25, customers=5, orders=5)).state.store
    return made


def call_as_admin(store: Store, method: str, *, path: str, query: str, body: bytes) -> Any:
    """Make a call with PLAINTEXT, which needs neither nonce nor timestamp."""
    token = next((t for t in store.tokens.values() if t.is_access), None) or store.issue_token(
        admin=store.admin_user
    )
    header = (
        f'OAuth oauth_consumer_key="{store.consumer_key}", oauth_token="{token.token}", '
        f'oauth_signature_method="PLAINTEXT", '
        f'oauth_signature="{store.consumer_secret}%26{token.secret}"'
    )
    path = f"/api/rest/{path}"
    headers = {
        "host": "127.0.0.1",
        "accept": "application/json",
        "authorization": header,
        "content-type": "application/json",
    }
    return respond(
        store,
        Call(
            method=method,
            scheme="http",
            root="",
            path=path,
            raw_path=path,
            query=query,
            headers=headers,
            body=body,
        ),
    )


FUZZ = settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@FUZZ
@given(write=WRITES, body=BODIES | st.lists(BODIES | LEAVES, max_size=3) | LEAVES)
def test_it_survives_any_body(store: Store, write: tuple[str, str], body: Any) -> None:
    method, path = write

    answer = call_as_admin(store, method, path=path, query="", body=json.dumps(body).encode())

    died = [name for name in store.counters if name.startswith("died")]
    store.counters.clear()
    assert died == []
    assert answer.status in (200, 207, 302, 400, 403, 404, 405, 500)


@FUZZ
@given(
    path=st.sampled_from(["products", "customers", "orders", "stockitems", "orders/1/items"]),
    parts=QUERIES,
)
def test_it_survives_any_query(store: Store, path: str, parts: list[tuple[str, str]]) -> None:
    query = "&".join(f"{name}={value}" for name, value in parts).replace("%", "%25")

    answer = call_as_admin(store, "GET", path=path, query=query, body=b"")

    died = [name for name in store.counters if name.startswith("died")]
    store.counters.clear()
    assert died == []
    assert answer.status in (200, 400, 401, 500, 503)
