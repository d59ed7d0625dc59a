"""Signatures are those of the spec, and of Standard Webhooks."""

from __future__ import annotations

import base64
import hmac
from hashlib import sha256

from polyvalent.notifications.delivery.attempt import read_headers
from polyvalent.notifications.delivery.backoff import RETRIES_MAX, pause_after
from polyvalent.notifications.delivery.signature import sign_delivery


def test_a_delivery_is_signed_as_standard_webhooks_says():
    # The example of the specification's reference libraries, 2026-11.
    headers = dict(
        sign_delivery(
            b'{"test": 2432232314}',
            webhook_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
            key="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            timestamp_s=1614265330,
        )
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert headers["webhook-timestamp"] == "1614265330"
    assert headers["webhook-id"] == headers["Elements-Webhook-Id"] == "msg_p5jXN8AQM9LWM0D4loKWxJek"


def test_a_plain_key_signs_the_body_alone_as_well():
    headers = dict(sign_delivery(b"{}", webhook_id="e1", key="sesame", timestamp_s=7))
    expected = base64.b64encode(hmac.new(b"sesame", b"{}", sha256).digest()).decode()
    assert headers["Elements-Webhook-Signature"] == f"sha256={expected}"
    text = base64.b64encode(hmac.new(b"sesame", b"e1.7.{}", sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{text}"


def test_without_a_key_nothing_is_signed():
    headers = dict(sign_delivery(b"{}", webhook_id="e1", key=None, timestamp_s=7))
    assert not {"Elements-Webhook-Signature", "webhook-signature"} & set(headers)


def test_nine_retries_take_three_days_and_more():
    pauses = [pause_after(attempts) for attempts in range(1, RETRIES_MAX + 2)]
    assert pauses[0] is not None
    assert pauses[0].total_seconds() == 4
    assert pauses[8] is not None
    assert 72 < pauses[8].total_seconds() / 3600 < 73
    assert pauses[9] is None


def test_extra_headers_are_read_in_each_form():
    expected = (("X-A", "1"), ("X-B", "two"))
    assert read_headers('{"X-A": "1", "X-B": "two"}') == expected
    assert read_headers("X-A: 1\nX-B: two") == expected
    assert read_headers("X-A=1,X-B=two") == expected
    assert read_headers("") == ()
