"""
Sign what is delivered, so that a receiver can tell who sent it, and refuse what it had before.

Two forms side by side: `Elements-Webhook-Signature` over the body alone, and the three headers of
Standard Webhooks, whose signature covers the id and the moment as well.

Source: Standard Webhooks 1.0.0, "Signature scheme"; a key that begins with whsec_ is its own form.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from hashlib import sha256

WEBHOOK_ID = "Elements-Webhook-Id"
WEBHOOK_SIGNATURE = "Elements-Webhook-Signature"
_OWN_FORM = "whsec_"

Headers = tuple[tuple[str, str], ...]


def sign_delivery(body: bytes, *, webhook_id: str, key: str | None, timestamp_s: int) -> Headers:
    """
    Return the headers that name and sign a body; without a key they only name it.

    The id is the same for every attempt at one event, the moment, seconds since 1970, is that of
    the attempt.
    """
    names: Headers = (
        (WEBHOOK_ID, webhook_id),
        ("webhook-id", webhook_id),
        ("webhook-timestamp", str(timestamp_s)),
    )
    if not key:
        return names
    secret = _secret(key)
    text = b".".join((webhook_id.encode(), str(timestamp_s).encode(), body))
    return (
        *names,
        *sign_body(body, key=key),
        ("webhook-signature", f"v1,{_sign(secret, text)}"),
    )


def sign_body(body: bytes, *, key: str | None) -> Headers:
    """Return the header that signs a body alone, none without a key."""
    return ((WEBHOOK_SIGNATURE, f"sha256={_sign(key.encode(), body)}"),) if key else ()


def _sign(key: bytes, text: bytes) -> str:
    return base64.b64encode(hmac.new(key, text, sha256).digest()).decode()


def _secret(key: str) -> bytes:
    if key.startswith(_OWN_FORM):
        try:
            return base64.b64decode(key.removeprefix(_OWN_FORM), validate=True)
        except (binascii.Error, ValueError):
            pass  # a key that only looks like one
    return key.encode()
