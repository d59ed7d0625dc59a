"""Hold what an authorization request is: temporary credentials that wait for a merchant."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class NewAuthorizationRequest:
    """Hold temporary credentials on their way to the database."""

    element_key: str
    store_url: str
    callback_url: str
    client_key: str
    token: str = field(repr=False)
    secret: str = field(repr=False)
    handle: str = field(repr=False)
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class AuthorizationRequest:
    """Hold stored temporary credentials, opened; the secret is empty once they were used."""

    id: int
    element_key: str
    store_url: str
    client_key: str
    secret: str = field(repr=False)
    handle: str = field(repr=False)
    expires_at: datetime
    used_at: datetime | None
