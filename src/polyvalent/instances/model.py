"""Hold what an instance is: the stored row, the view for callers, the connection made from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NewType

from polyvalent.auth.oauth1 import ClientCredentials, TokenCredentials
from polyvalent.auth.oauth1_variant import Variant
from polyvalent.catalog.element import Element
from polyvalent.traces.trail import Trail

# Minted only by find_accessible: proof that this caller may see this instance.
InstanceId = NewType("InstanceId", int)

Configuration = Mapping[str, str | None]


@dataclass(frozen=True, kw_only=True)
class Invalid:
    """Say why and since when an instance's store does not accept its token."""

    reason: str
    since: datetime | None


@dataclass(frozen=True, kw_only=True)
class Connection:
    """
    Hold an instance made ready to call: its element, filled configuration, opened credentials.

    `configuration` has its {placeholders} filled: base.url is "https://shop.example/api/rest".
    """

    instance_id: int
    element: Element
    configuration: Configuration = field(repr=False)
    client: ClientCredentials | None = field(repr=False)
    token: TokenCredentials | None = field(repr=False)
    variant: Variant
    # What no text that a person reads may show, see `secret_values`.
    secrets: tuple[str, ...] = field(default=(), repr=False)
    organization_id: int = 0
    disabled: bool = False
    version: int = 1  # of the instance, when the connection was made
    invalid: Invalid | None = None
    # Where the calls of this connection leave their messages; None: nowhere.
    trail: Trail | None = field(default=None, repr=False, compare=False)


@dataclass(kw_only=True, slots=True)
class Readied:
    """
    Hold what was made of an instance for its calls, and until when it may be taken as it is.

    It lives as long as the instance that it lies with, and belongs to one event loop.
    """

    made: Any = None
    until_s: float = 0.0  # on the memory's clock
    doubts: int = 0  # of the memory, when it was made


@dataclass(frozen=True, kw_only=True)
class Instance:
    """Hold one stored instance with its secrets opened."""

    id: InstanceId
    organization_id: int
    account_id: int
    user_id: int
    element_id: int
    element_key: str
    name: str
    token: str = field(repr=False)
    tags: tuple[str, ...]
    configuration: Configuration = field(repr=False)
    valid: bool
    disabled: bool
    invalid_reason: str | None
    invalid_at: datetime | None
    events_enabled: bool
    caching_enabled: bool
    trace_logging_enabled: bool
    max_cache_size: int
    cache_time_to_live: int
    external_authentication: str
    signing_variant: str
    created_at: datetime
    updated_at: datetime
    version: int
    elements_version: int = 0  # of the organization's elements, when the row was read
    # The keys of the configuration that lie sealed: what was a secret when it was given stays one,
    # whatever its element says of it later.
    sealed: frozenset[str] = frozenset()
    readied: Readied = field(default_factory=Readied, init=False, repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class StoredValue:
    """Hold one configuration value on its way to the database: in the open, or to be sealed."""

    value: str | None = field(repr=False)
    secret: bool


@dataclass(frozen=True, kw_only=True)
class NewInstance:
    """Hold what a new instance row is made of."""

    organization_id: int
    account_id: int
    user_id: int
    element_id: int
    element_key: str
    name: str
    token: str = field(repr=False)
    tags: tuple[str, ...]
    configuration: Mapping[str, StoredValue] = field(repr=False)
    trace_logging_enabled: bool
    caching_enabled: bool = False
    max_cache_size: int = 0
    cache_time_to_live: int = 0
    external_authentication: str
    signing_variant: str
    created_at: datetime
