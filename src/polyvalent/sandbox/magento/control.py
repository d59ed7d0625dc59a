"""
The sandbox's own routes below /_sandbox, which no real store has.

They steer a store that runs in another process: JSON in, JSON out, no authorization.
GET info, GET counters, POST revoke, POST faults {"latency_ms": 50, "deadlocks": 0.2}.
"""

import json
from dataclasses import asdict
from typing import Any

from polyvalent.sandbox.magento.exchange import Answer, Call
from polyvalent.sandbox.magento.options import FAULT_NAMES
from polyvalent.sandbox.magento.state import Store


def control(store: Store, call: Call) -> Answer:
    """Answer one control route."""
    name = call.path.removeprefix("/_sandbox").strip("/")
    if (call.method, name) == ("GET", "info"):
        return as_json(200, info(store, call))
    if (call.method, name) == ("GET", "counters"):
        return as_json(200, counters(store))
    if (call.method, name) == ("POST", "revoke"):
        store.revoke_tokens()
        return as_json(200, {"revoked": True})
    if (call.method, name) == ("POST", "faults"):
        return set_faults(store, call)
    return as_json(404, {"error": "try GET info, GET counters, POST revoke, POST faults"})


def info(store: Store, call: Call) -> dict[str, Any]:
    """Return everything a person needs to connect to this store."""
    options = asdict(store.options) | {"admin_password": store.admin_password}
    return {
        "url": call.base_url,
        "consumerKey": store.consumer_key,
        "consumerSecret": store.consumer_secret,
        "adminUser": store.admin_user,
        "adminPassword": store.admin_password,
        "customerPassword": store.customer_password,
        "options": options,
        "nowUtc": store.timestamp(),
    }


def counters(store: Store) -> dict[str, Any]:
    """Return how often each route was called, how many rows there are, and the tokens' state."""
    tokens = store.tokens.values()
    return {
        "requests": dict(store.counters),
        "rows": {
            "products": len(store.products.rows),
            "stockitems": len(store.stock.rows),
            "customers": len(store.customers.rows),
            "addresses": len(store.addresses.rows),
            "orders": len(store.orders.rows),
            "comments": len(store.comments.rows),
        },
        "tokens": {
            "request": sum(not t.is_access for t in tokens),
            "access": sum(t.is_access for t in tokens),
            "revoked": sum(t.is_revoked for t in tokens),
        },
        "nonces": len(store.nonces),
    }


def set_faults(store: Store, call: Call) -> Answer:
    """Switch faults; an unknown name or a value of the wrong kind changes nothing."""
    try:
        given = json.loads(call.body or b"{}")
    except ValueError:
        return as_json(400, {"error": "the body is not JSON"})
    if not isinstance(given, dict) or not set(given) <= set(FAULT_NAMES):
        return as_json(400, {"error": f"give an object with some of {', '.join(FAULT_NAMES)}"})
    current = asdict(store.options)
    for name, value in given.items():
        wants_flag = isinstance(current[name], bool)
        if isinstance(value, bool) != wants_flag or not isinstance(value, (int, float)):
            return as_json(400, {"error": f"{name} has the wrong type"})
    store.set_options(**given)
    return as_json(200, {name: asdict(store.options)[name] for name in FAULT_NAMES})


def as_json(status: int, value: Any) -> Answer:
    """Answer with JSON."""
    body = json.dumps(value, indent=1).encode() + b"\n"
    return Answer(status=status, content_type="application/json", body=body)
