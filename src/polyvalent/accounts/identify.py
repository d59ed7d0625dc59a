"""Turn an Authorization header into a caller."""

from __future__ import annotations

import hmac
import re
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from hashlib import sha256

from polyvalent import vault
from polyvalent.accounts import sql
from polyvalent.accounts.model import Caller, Secrets
from polyvalent.db import Database
from polyvalent.db.key_file import KeyFile
from polyvalent.db.questions import Questions
from polyvalent.errors import Unauthorized
from polyvalent.vault import KeyRing, Secret

EXPECTED = "Send the header: Authorization: User <user secret>, Organization <organization secret>"
# Release notes of the platform also write Token where Element is meant.
SCHEMES = {"user": "user", "organization": "organization", "element": "element", "token": "element"}

_HEX = re.compile("[0-9a-f]{32}")
FORM = re.compile("[!-~]+")  # visible ASCII, no space


@dataclass(frozen=True, slots=True)
class Callers:
    """
    Hold the callers that were let in a moment ago, by the SHA-256 of their header.

    `known` forgets within 30 s: a secret that is taken away must not work for longer.
    """

    known: MutableMapping[bytes, Caller] = field(repr=False)
    questions: Questions = field(default_factory=Questions, repr=False)


def read_authorization(header: str) -> Secrets:
    """
    Read "User <secret>, Organization <secret>, Element <token>", in any order.

    Schemes are compared without case and `Token` means `Element`. Secrets may contain "=", "+"
    and "/": pairs are split at commas, a pair at its first space.

    Raises Unauthorized for anything else, without repeating it.
    """
    if header.lower().lstrip().startswith("authorization:"):
        raise Unauthorized(
            "The value of the header Authorization begins with Authorization: once more; leave "
            f"the second one out. {EXPECTED}"
        )
    found: dict[str, Secret] = {}
    for pair in header.split(","):
        scheme, _, secret = pair.strip().partition(" ")
        name = SCHEMES.get(scheme.lower())
        secret = secret.strip()
        if name is None or not FORM.fullmatch(secret):
            raise Unauthorized(
                f"The Authorization header is not understood. {EXPECTED}, and for the resources of "
                "an instance Element <element token> as well, separated by commas"
            )
        if name in found:
            raise Unauthorized(f"The Authorization header names {name} twice. {EXPECTED}")
        found[name] = Secret(secret)
    return Secrets(**found)


def _swapped(secrets: Secrets) -> str:
    # Told by their forms alone, so nobody learns whether one of them is right.
    user, organization = secrets.user, secrets.organization
    if user is None or organization is None:
        return ""
    is_swapped = _HEX.fullmatch(user.reveal()) and not _HEX.fullmatch(organization.reveal())
    return "They look swapped: the organization secret has 32 hex digits. " if is_swapped else ""


async def identify(
    database: Database, keys: KeyFile, header: str | None, *, callers: Callers | None = None
) -> Caller:
    """
    Return who sent an Authorization header; the header may be None or empty.

    The user secret is always needed. The organization secret may be missing where an element
    token is sent, as calls to an instance may leave it out; if it is there it must be right and
    of the user's organization. Whether the element token is right is for the instances to say.

    Raises Unauthorized, with the form of header that is expected, and never tells which of the
    two secrets was wrong.
    """
    if callers is None:
        return await _identify(database, keys, header)
    key = sha256(header.encode() if header else b"").digest()
    try:
        return callers.known[key]
    except KeyError:  # cheaper than to ask a cache with times whether it has it
        caller = await callers.questions.ask(key, lambda: _identify(database, keys, header))
        callers.known[key] = caller
        return caller


async def _identify(database: Database, keys: KeyFile, header: str | None) -> Caller:
    secrets = read_authorization(header) if header and header.strip() else Secrets()
    if secrets.user is None or (secrets.organization is None and secrets.element is None):
        missing = "user secret" if secrets.user is None else "organization secret"
        raise Unauthorized(f"The {missing} is missing. {EXPECTED}")

    async with database.reading() as connection:
        user = secrets.user.reveal()

        async def find(ring: KeyRing) -> sql.Member | None:
            digests = vault.digests(ring, user, purpose=sql.USER_SECRET)
            member = await sql.find_member(connection, user_digests=digests)
            return member if member and _belongs(member, secrets.organization, ring) else None

        member = await keys.find(find)
    if member is None:
        raise Unauthorized(
            "The secrets are unknown, inactive or do not belong together. "
            f"{_swapped(secrets)}"
            f"{EXPECTED} (the command `bin/polyvalent secrets` prints both)"
        )
    return Caller(
        organization=member.organization,
        account=member.account,
        user=member.user,
        element_token=secrets.element,
        organization_proven=secrets.organization is not None,
    )


def _belongs(member: sql.Member, secret: Secret | None, ring: KeyRing) -> bool:
    if secret is None:
        return True
    known = member.organization_digest
    # Every term is compared, in constant time: how long it takes tells nothing.
    matches = [
        hmac.compare_digest(known, digest)
        for digest in vault.digests(ring, secret.reveal(), purpose=sql.ORGANIZATION_SECRET)
    ]
    return any(matches)
