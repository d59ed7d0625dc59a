"""The vault opens what it sealed, in its place, unaltered, and nothing else."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import assume, example, given
from hypothesis import strategies as st

from polyvalent.errors import Misconfigured
from polyvalent.vault import (
    KeyRing,
    Random,
    SealBroken,
    Secret,
    Term,
    UnknownKey,
    add_term,
    digest,
    digests,
    key_id_of,
    make_term,
    open_sealed,
    rewrap,
    seal,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
CONTEXT = "instance/4711/token"
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


def _random(seed: str = "vault") -> Random:
    calls = itertools.count()
    return lambda n: hashlib.shake_256(f"{seed}/{next(calls)}".encode()).digest(n)


def _ring(terms: int = 1, *, seed: str = "ring") -> KeyRing:
    random = _random(seed)
    made = [
        make_term(random=random, created_at=START + timedelta(days=number))
        for number in range(terms)
    ]
    return KeyRing(terms=tuple(made), current_id=made[-1].id)


RING = _ring()


@given(TEXT, TEXT)
@example("", "")
@example("a" * 100_000, CONTEXT)
def test_opens_what_it_sealed(text: str, context: str) -> None:
    sealed = seal(RING, text, context=context, random=_random())
    assert open_sealed(RING, sealed, context=context) == text


@given(TEXT, TEXT, TEXT)
def test_refuses_another_context(text: str, context: str, other: str) -> None:
    assume(context != other)
    sealed = seal(RING, text, context=context, random=_random())
    with pytest.raises(SealBroken):
        open_sealed(RING, sealed, context=other)


@given(st.data())
def test_refuses_any_changed_character(data: st.DataObject) -> None:
    sealed = seal(RING, "s3cret", context=CONTEXT, random=_random())
    place = data.draw(st.integers(0, len(sealed) - 1))
    other = data.draw(st.sampled_from("AaZz09-_.=+/ é\n"))
    assume(sealed[place] != other)
    altered = sealed[:place] + other + sealed[place + 1 :]
    with pytest.raises((SealBroken, UnknownKey)):
        open_sealed(RING, altered, context=CONTEXT)
    with pytest.raises((SealBroken, UnknownKey)):
        open_sealed(RING, altered + other, context=CONTEXT)


@given(TEXT)
def test_refuses_what_is_not_sealed_without_a_crash(text: str) -> None:
    with pytest.raises((SealBroken, UnknownKey)):
        open_sealed(RING, text, context=CONTEXT)
    with pytest.raises((SealBroken, UnknownKey)):
        open_sealed(RING, f"v1.{RING.current_id}.{text}", context=CONTEXT)


def test_refuses_parts_of_two_values_put_together() -> None:
    random = _random()
    one = seal(RING, "one", context=CONTEXT, random=random).split(".")
    two = seal(RING, "two", context=CONTEXT, random=random).split(".")
    for place in (2, 3, 4):
        mixed = [*one[:place], two[place], *one[place + 1 :]]
        with pytest.raises(SealBroken):
            open_sealed(RING, ".".join(mixed), context=CONTEXT)


def test_refuses_a_key_id_that_was_exchanged() -> None:
    ring = _ring(2)
    parts = seal(ring, "x", context=CONTEXT, random=_random()).split(".")
    parts[1] = ring.terms[0].id
    with pytest.raises(SealBroken):
        open_sealed(ring, ".".join(parts), context=CONTEXT)


def test_never_seals_the_same_text_to_the_same_value() -> None:
    random = _random()
    values = {seal(RING, "same", context=CONTEXT, random=random) for _ in range(50)}
    parts = [value.split(".") for value in values]
    for place in (2, 3, 4):
        assert len({part[place] for part in parts}) == 50


def test_shows_neither_text_nor_context() -> None:
    sealed = seal(RING, "s3cret", context=CONTEXT, random=_random())
    assert "s3cret" not in sealed
    assert "4711" not in sealed
    assert sealed.split(".")[:2] == ["v1", RING.current_id]


def test_opens_by_hand_as_documented() -> None:
    term = RING.current
    _, _, wrapped, nonce, ciphertext = seal(
        RING, "s3cret", context=CONTEXT, random=_random()
    ).split(".")

    def raw(text: str) -> bytes:
        return base64.urlsafe_b64decode(text + "==")

    # HKDF-SHA256 without salt, one block: RFC 5869, sections 2.2 and 2.3.
    extracted = hmac.new(bytes(32), term.master_key, hashlib.sha256).digest()
    wrapping = hmac.new(extracted, b"polyvalent/v1/wrap\x01", hashlib.sha256).digest()
    data_key = AESGCM(wrapping).decrypt(
        raw(wrapped)[:12], raw(wrapped)[12:], f"v1/{term.id}".encode()
    )
    opened = AESGCM(data_key).decrypt(raw(nonce), raw(ciphertext), f"v1/{CONTEXT}".encode())
    assert opened == b"s3cret"


@given(TEXT)
def test_opens_under_every_term_and_seals_under_the_current(text: str) -> None:
    old = _ring()
    ring = add_term(old, make_term(random=_random("new"), created_at=START + timedelta(days=9)))
    before = seal(old, text, context=CONTEXT, random=_random())
    after = seal(ring, text, context=CONTEXT, random=_random())
    assert open_sealed(ring, before, context=CONTEXT) == text
    assert open_sealed(ring, after, context=CONTEXT) == text
    assert key_id_of(before) == old.current_id
    assert key_id_of(after) == ring.current_id
    with pytest.raises(UnknownKey) as caught:
        open_sealed(old, after, context=CONTEXT)
    assert caught.value.key_id == ring.current_id


@given(TEXT)
def test_wraps_anew_without_opening(text: str) -> None:
    old = _ring()
    new = make_term(random=_random("new"), created_at=START + timedelta(days=9))
    ring = add_term(old, new)
    before = seal(old, text, context=CONTEXT, random=_random())
    after = rewrap(ring, before, random=_random("wrap"))
    assert key_id_of(after) == new.id
    assert after.split(".")[3:] == before.split(".")[3:]
    only_new = KeyRing(terms=(new,), current_id=new.id)
    assert open_sealed(only_new, after, context=CONTEXT) == text
    assert rewrap(ring, after, random=_random("again")) == after
    with pytest.raises(SealBroken):
        open_sealed(only_new, after, context="elsewhere")


def test_digests_the_same_secret_to_the_same_text() -> None:
    term = RING.current
    made = digest(term, "s3cret", purpose="user.secret")
    assert made == digest(term, "s3cret", purpose="user.secret")
    assert key_id_of(made) == term.id
    assert len(made) == 8 + 1 + 64
    assert "s3cret" not in made


def test_digests_apart_by_secret_purpose_and_term() -> None:
    ring = _ring(2)
    made = {
        digest(term, secret, purpose=purpose)
        for term in ring.terms
        for secret in ("a", "b")
        for purpose in ("user.secret", "instance.token")
    }
    assert len({text.partition(".")[2] for text in made}) == 8


def test_digests_under_every_term_with_the_current_first() -> None:
    ring = _ring(3)
    back = KeyRing(terms=ring.terms, current_id=ring.terms[1].id)
    order = (ring.terms[1], ring.terms[2], ring.terms[0])
    assert digests(back, "s", purpose="p") == tuple(digest(t, "s", purpose="p") for t in order)


def test_refuses_a_ring_without_its_current_term() -> None:
    with pytest.raises(UnknownKey):
        KeyRing(terms=RING.terms, current_id="00000000")


@pytest.mark.parametrize("key", [b"", b"k" * 16, b"k" * 33])
def test_refuses_a_master_key_of_another_length(key: bytes) -> None:
    with pytest.raises(Misconfigured):
        Term(id="0" * 8, master_key=key, created_at=START)


@pytest.mark.parametrize("key_id", ["", "1.345678", "ABCDEF01", "123456789"])
def test_refuses_a_key_id_that_a_sealed_value_cannot_name(key_id: str) -> None:
    with pytest.raises(Misconfigured):
        Term(id=key_id, master_key=b"k" * 32, created_at=START)


@pytest.mark.parametrize("text", ["", "v1", "v2.a.b.c.d", "a.b.c"])
def test_knows_no_key_id_of_other_texts(text: str) -> None:
    with pytest.raises(SealBroken):
        key_id_of(text)


def test_hides_secrets_and_keys() -> None:
    secret = Secret("s3cret")
    shown = f"{secret} {secret!r} {secret!s:>20} {[secret]} {RING!r}"
    assert "s3cret" not in shown
    assert RING.current.master_key.hex() not in shown
    assert repr(RING.current.master_key) not in shown
    assert secret.reveal() == "s3cret"


def test_compares_secrets_with_secrets_only() -> None:
    assert Secret("é") == Secret("é")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
