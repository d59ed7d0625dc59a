"""
Seal secrets into text and open them again; know them by a keyed digest without opening.

Envelope encryption: every value has a data key of its own, made for it and used once; the
data key is wrapped with the current master key of a ring. A sealed value is five parts::

    v1.<key id>.<wrapped data key>.<nonce>.<ciphertext>

the last three base64url without padding. Both layers are AES-256-GCM. The context, such as
"instance/4711/token", is authenticated with the ciphertext: a sealed value that is copied into
another row or column does not open there. The wrapping knows no context, so that a rotation
can wrap anew without opening.

A ring has terms, as HashiCorp Vault's barrier has: the current term seals, every term opens.

| protects against                                   | does not protect against             |
|----------------------------------------------------|--------------------------------------|
| a stolen database, backup or replica               | whoever holds database and key file  |
| sealed values moved between rows, or edited        | other columns edited, old rows back  |
| guessing a secret by comparing digests             | a process that is read while it runs |

Source: NIST SP 800-38D (GCM), RFC 5869 (HKDF), RFC 2104 (HMAC).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from polyvalent.errors import Misconfigured

Random = Callable[[int], bytes]  # os.urandom, or a deterministic stand-in

FORM = "v1"
MASTER_KEY_BYTES = 32
DATA_KEY_BYTES = 32
NONCE_BYTES = 12
KEY_ID_BYTES = 4


class SealBroken(Misconfigured):
    """Report a sealed value that was altered, moved to another row, or is not one at all."""


class UnknownKey(Misconfigured):
    """Report a value that was sealed under a key that the ring does not hold."""

    def __init__(self, key_id: str) -> None:
        super().__init__(
            f"A stored secret was sealed with key {key_id}, which the key file does not hold. "
            "Restore the key file that belongs to this database."
        )
        self.key_id = key_id


class Secret:
    """
    Hold a secret so that it cannot be printed by accident; `.reveal()` gives the text.

    Two secrets are compared in constant time.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the secret itself."""
        return self._text

    def __eq__(self, other: object) -> bool:
        """Compare in constant time; a secret equals no plain text."""
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        """Agree with equality."""
        return hash(self._text)

    def __repr__(self) -> str:
        """Hide the secret, in `str` and formatting as well."""
        return "Secret(…)"


@dataclass(frozen=True, kw_only=True)
class Term:
    """Hold one master key and the time it came into use, UTC."""

    id: str
    master_key: bytes = field(repr=False)
    created_at: datetime

    def __post_init__(self) -> None:
        """Refuse a key of another length and an id that a sealed value could not name."""
        if len(self.master_key) != MASTER_KEY_BYTES:
            raise Misconfigured(f"Master key {self.id} must have {MASTER_KEY_BYTES} bytes.")
        if len(self.id) != 2 * KEY_ID_BYTES or not set(self.id) <= set("0123456789abcdef"):
            raise Misconfigured("The id of a master key must be 8 hex digits.")

    @cached_property
    def wrapping(self) -> AESGCM:
        """Return the cipher that wraps data keys."""
        return AESGCM(_derive(self.master_key, "wrap"))

    @cached_property
    def digest_key(self) -> bytes:
        """Return the key that digests are made with."""
        return _derive(self.master_key, "digest")


@dataclass(frozen=True, kw_only=True)
class KeyRing:
    """
    Hold every term that may still open something, and say which one seals.

    Raises UnknownKey if the current id is not among the terms.
    """

    terms: tuple[Term, ...]
    current_id: str

    def __post_init__(self) -> None:
        """Refuse a ring without its current term."""
        self.term(self.current_id)

    @property
    def current(self) -> Term:
        """Return the term that seals."""
        return self.term(self.current_id)

    def term(self, key_id: str) -> Term:
        """Return a term by its id; raises UnknownKey."""
        for term in self.terms:
            if term.id == key_id:
                return term
        raise UnknownKey(key_id)

    def newest_first(self) -> tuple[Term, ...]:
        """Return the current term, then the others from the youngest to the oldest."""
        others = (term for term in self.terms if term.id != self.current_id)
        return (self.current, *sorted(others, key=lambda term: term.created_at, reverse=True))


def make_term(*, random: Random, created_at: datetime) -> Term:
    """Make a term with a fresh id, 8 hex digits, and a fresh master key."""
    return Term(
        id=random(KEY_ID_BYTES).hex(),
        master_key=random(MASTER_KEY_BYTES),
        created_at=created_at,
    )


def add_term(ring: KeyRing, term: Term) -> KeyRing:
    """Return the ring with one more term, which is now the current one."""
    return KeyRing(terms=(*ring.terms, term), current_id=term.id)


def seal(ring: KeyRing, text: str, *, context: str, random: Random) -> str:
    """
    Seal a text under the current term: "s3cret" → "v1.9f3a01bc.….….…".

    Sealing the same text twice gives two different values.
    """
    data_key = random(DATA_KEY_BYTES)
    nonce = random(NONCE_BYTES)
    ciphertext = AESGCM(data_key).encrypt(nonce, text.encode(), _bind(context))
    wrapped = _wrap(ring.current, data_key, random=random)
    return f"{FORM}.{ring.current_id}.{wrapped}.{_encode(nonce)}.{_encode(ciphertext)}"


def open_sealed(ring: KeyRing, sealed: str, *, context: str) -> str:
    """
    Open what `seal` made with the same context.

    Raises UnknownKey if the ring lacks the term, SealBroken if anything was altered or the
    context is another.
    """
    key_id, wrapped, nonce, ciphertext = _split(sealed)
    data_key = _unwrap(ring.term(key_id), wrapped)
    try:
        opened = AESGCM(data_key).decrypt(_decode(nonce), _decode(ciphertext), _bind(context))
        return opened.decode()
    except (InvalidTag, ValueError) as error:
        raise SealBroken(
            f"The stored secret {context} does not open: it was altered, or moved from elsewhere."
        ) from error


def rewrap(ring: KeyRing, sealed: str, *, random: Random) -> str:
    """
    Wrap the data key of a sealed value under the current term; the text stays closed.

    A value that is under the current term already comes back as it is.
    Raises UnknownKey and SealBroken as `open_sealed` does.
    """
    key_id, wrapped, nonce, ciphertext = _split(sealed)
    if key_id == ring.current_id:
        return sealed
    data_key = _unwrap(ring.term(key_id), wrapped)
    fresh = _wrap(ring.current, data_key, random=random)
    return f"{FORM}.{ring.current_id}.{fresh}.{nonce}.{ciphertext}"


def key_id_of(text: str) -> str:
    """
    Return the key id that a sealed value or a digest names.

    Raises SealBroken if the text is neither.
    """
    parts = text.split(".")
    if len(parts) == 5 and parts[0] == FORM:
        return parts[1]
    if len(parts) == 2:
        return parts[0]
    raise SealBroken("A stored secret does not have the form of a sealed value or a digest.")


def digest(term: Term, secret: str, *, purpose: str) -> str:
    """
    Return the text a secret is looked up by: "9f3a01bc.<64 hex digits>".

    HMAC-SHA256 under a key of the term; the purpose, such as "user.secret", keeps the same
    secret apart in two columns.
    """
    message = f"{purpose}\0{secret}".encode()
    return f"{term.id}.{hmac.new(term.digest_key, message, hashlib.sha256).hexdigest()}"


def digests(ring: KeyRing, secret: str, *, purpose: str) -> tuple[str, ...]:
    """Return the digest under every term, newest first: a lookup finds rows of each."""
    return tuple(digest(term, secret, purpose=purpose) for term in ring.newest_first())


def _derive(master_key: bytes, use: str) -> bytes:
    info = f"polyvalent/{FORM}/{use}".encode()
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(master_key)


def _bind(context: str) -> bytes:
    return f"{FORM}/{context}".encode()


def _wrap(term: Term, data_key: bytes, *, random: Random) -> str:
    nonce = random(NONCE_BYTES)
    return _encode(nonce + term.wrapping.encrypt(nonce, data_key, _bind(term.id)))


def _unwrap(term: Term, wrapped: str) -> bytes:
    raw = _decode(wrapped)
    try:
        return term.wrapping.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], _bind(term.id))
    except (InvalidTag, ValueError) as error:
        raise SealBroken(
            f"The data key of a stored secret does not unwrap under key {term.id}: it was altered."
        ) from error


def _split(sealed: str) -> tuple[str, str, str, str]:
    parts = sealed.split(".")
    if len(parts) != 5 or parts[0] != FORM:
        raise SealBroken("A stored secret does not have the form v1.key.wrapped.nonce.text.")
    return parts[1], parts[2], parts[3], parts[4]


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    # Strict and canonical: unused trailing bits must not let two texts mean the same value.
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise SealBroken("A stored secret is not base64url.") from error
    if _encode(raw) != text:
        raise SealBroken("A stored secret is not base64url as it was written.")
    return raw
