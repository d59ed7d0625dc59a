"""Addresses, names and placeholders have one form each, whatever people write."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyvalent.errors import BadRequest
from polyvalent.instances.configuration import fill, fill_all
from polyvalent.instances.naming import clean_name
from polyvalent.instances.site import normalize_site


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("shop.example.com", "https://shop.example.com"),
        ("mycompany.magento.com", "https://mycompany.magento.com"),
        ("  Shop.Example.COM. ", "https://shop.example.com"),
        ("//shop.example.com", "https://shop.example.com"),
        ("https://shop.example.com/", "https://shop.example.com"),
        ("HTTP://shop.example.com", "http://shop.example.com"),
        ("http://shop.example.com:80/", "http://shop.example.com"),
        ("https://shop.example.com:443", "https://shop.example.com"),
        ("http://shop.example.com:443", "http://shop.example.com:443"),
        ("shop.example.com:8443", "https://shop.example.com:8443"),
        ("example.com/shop/", "https://example.com/shop"),
        ("http://example.com/a//b/", "http://example.com/a//b"),
        ("http://example.com/Läden", "http://example.com/L%C3%A4den"),
        ("http://example.com/L%C3%A4den", "http://example.com/L%C3%A4den"),
        ("bücher.example", "https://xn--bcher-kva.example"),
        ("localhost:8080", "https://localhost:8080"),
        ("http://[2001:DB8::1]:8080/x", "http://[2001:db8::1]:8080/x"),
        ("http://127.0.0.1", "http://127.0.0.1"),
        ("http://my_shop.example", "http://my_shop.example"),
    ],
)
def test_brings_an_address_into_its_one_form(written: str, kept: str) -> None:
    assert normalize_site(written) == kept
    assert normalize_site(kept) == kept


@given(st.text(max_size=40) | st.from_regex(r"(https?://)?[a-z.]{1,9}(:\d{1,6})?(/[^?#]*)?"))
@settings(max_examples=500, derandomize=True, deadline=None)
def test_keeps_an_address_that_it_made_or_refuses_with_a_reason(written: str) -> None:
    refusal = ""
    try:
        kept = normalize_site(written)
    except BadRequest as error:
        kept, refusal = "", error.message
    if refusal:
        assert "shop.example.com" in refusal
        return
    assert normalize_site(kept) == kept
    parts = urlsplit(kept)
    assert parts.scheme in ("http", "https")
    assert parts.hostname
    assert not kept.endswith("/")
    assert kept.isascii()
    assert not parts.query
    assert not parts.fragment


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Shop", "Shop"),
        (" Shop\n", "Shop"),
        ("<b>Shop</b>", "Shop"),
        ("Fish & Chips", "Fish & Chips"),
        ("<script>alert(1)</script>Shop", "Shop"),
        ("Shop<img src=x onerror=alert(1)>", "Shop"),
        ("<<b>script>alert(1)<</b>/script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
    ],
)
def test_strips_markup_from_a_name(written: str, kept: str) -> None:
    assert clean_name(written) == kept


@given(st.text(alphabet="<>&;\"'=/ abscript1", max_size=60))
@settings(max_examples=500, derandomize=True, deadline=None)
def test_leaves_no_tag_in_a_name_and_cleans_once_for_all(written: str) -> None:
    try:
        kept = clean_name(written)
    except BadRequest:
        return
    assert "<" not in kept
    assert ">" not in kept
    assert clean_name(kept) == kept


def test_fills_placeholders_of_placeholders() -> None:
    configuration = {"a": "{b}/x/{b}", "b": "{c}!", "c": "1", "d": "{none}", "e": None}
    assert fill(configuration, "a") == "1!/x/1!"
    assert fill(configuration, "e") == ""
    assert fill_all(configuration) == {
        "a": "1!/x/1!",
        "b": "1!",
        "c": "1",
        "d": "{none}",
        "e": None,
    }


@pytest.mark.parametrize(
    ("configuration", "text"),
    [
        ({"a": "{a}"}, "needs a, which refers back"),
        ({"a": "{b}", "b": "{c}", "c": "{b}"}, "needs b, which refers back"),
        ({"a": "{b}"}, "needs b, which has no value"),
        ({"a": "{b}", "b": None}, "needs b, which has no value"),
        ({"a": "{b}" * 101, "b": "x"}, "grows too long"),
        ({"a": "{b}" * 2, "b": "x" * 5000}, "grows too long"),
    ],
)
def test_says_why_placeholders_cannot_be_filled(
    configuration: dict[str, str | None], text: str
) -> None:
    with pytest.raises(BadRequest) as caught:
        fill(configuration, "a")
    assert text in caught.value.message
    assert caught.value.message.startswith("Configuration entry a ")
    fill_all(configuration)
