"""
What a simulated store remembers: tables, tokens, nonces, admin sessions, counters.

Rows are plain dicts with the store's own column names. Integer columns hold int, decimal columns
text with four digits, absent values are absent. Names beginning with "_" never leave the store.
"""

import random
import secrets
import time
from collections import Counter
from collections.abc import Callable, Container
from dataclasses import dataclass, field, replace
from typing import Any

from polyvalent.sandbox.magento.options import StoreOptions

Row = dict[str, Any]

REMEMBERED = 20  # results of searches that a table keeps


class Table:
    """
    Keep rows by integer id, in the order of their ids.

    `version` grows with each change, so that answers worked out from the rows can be reused
    while nothing changed.
    """

    def __init__(self) -> None:
        self.rows: dict[int, Row] = {}
        self.next_id = 1
        self.version = 0
        self._ids: tuple[int, list[int]] = (-1, [])
        self._found: dict[str, list[int]] = {}
        self._found_at = -1

    def ids(self) -> list[int]:
        """Return all ids, ascending; the list is shared and must not be changed."""
        if self._ids[0] != self.version:
            self._ids = (self.version, sorted(self.rows))
        return self._ids[1]

    def recall(self, question: str, find: Callable[[], list[int]]) -> list[int]:
        """Answer a question about the rows, from memory if no row changed since."""
        if self._found_at != self.version or len(self._found) >= REMEMBERED:
            self._found, self._found_at = {}, self.version
        if question not in self._found:
            self._found[question] = find()
        return self._found[question]

    def insert(self, row: Row) -> int:
        """Add a row under the next id and return the id."""
        row_id = self.next_id
        self.put(row_id, row)
        return row_id

    def put(self, row_id: int, row: Row) -> None:
        """Store a row under a given id."""
        self.rows[row_id] = row
        self.next_id = max(self.next_id, row_id + 1)
        self.version += 1

    def change(self, row_id: int, values: Row) -> None:
        """Overwrite some columns of a row."""
        self.rows[row_id].update(values)
        self.version += 1

    def delete(self, row_id: int) -> None:
        """Remove a row."""
        del self.rows[row_id]
        self.version += 1


@dataclass(kw_only=True)
class Consumer:
    """Hold an application that the shop owner registered."""

    consumer_id: int
    name: str
    key: str
    secret: str = field(repr=False)
    rejected_url: str | None = None


@dataclass(kw_only=True)
class Token:
    """Hold a request token, which becomes an access token in place when it is exchanged."""

    token: str
    secret: str = field(repr=False)
    consumer_id: int
    callback: str
    created_at_s: int = 0  # 0: never cleaned up
    is_access: bool = False
    is_authorized: bool = False
    is_revoked: bool = False
    verifier: str | None = field(default=None, repr=False)
    admin: str | None = None
    customer_id: int | None = None


@dataclass(kw_only=True)
class Role:
    """
    Say what a kind of caller may do.

    `resources` maps a resource to its allowed privileges (None: everything); `attributes` maps a
    resource to its readable attributes (None: all of them; a missing resource: none).
    """

    resources: dict[str, set[str]] | None = None
    attributes: dict[str, set[str]] | None = None


@dataclass(kw_only=True)
class AdminUser:
    """Hold an admin who can log in and authorize; without a role REST calls end in a 500."""

    name: str
    password: str = field(repr=False)
    role: Role | None


@dataclass(kw_only=True)
class Session:
    """Hold what a browser session knows."""

    form_key: str
    user: str | None = None  # name of the admin, or id of the customer
    messages: list[str] = field(default_factory=list)
    next_url: str | None = None  # where a login leads


PRODUCT_READ = {"product": {"retrieve"}}
GUEST_READ = {
    "product": {"retrieve"},
    "product_category": {"retrieve"},
    "product_image": {"retrieve"},
}
CUSTOMER_RIGHTS = {
    **GUEST_READ,
    "customer": {"retrieve", "update"},
    "customer_address": {"create", "retrieve", "update", "delete"},
    "order": {"retrieve"},
    "order_item": {"retrieve"},
    "order_address": {"retrieve"},
    "order_comment": {"retrieve"},
}


def new_code() -> str:
    """Return 32 random hexadecimal digits, the length of every key and token of the vendor."""
    return secrets.token_hex(16)


class Store:
    """
    Hold one simulated store.

    `clock` returns Unix seconds; the store's own time is that plus `clock_skew_s`.
    """

    def __init__(self, options: StoreOptions, *, clock: Callable[[], float] = time.time) -> None:
        self.options = options
        self.clock = clock
        self.chance = random.Random(options.seed)
        self.counters: Counter[str] = Counter()

        self.products = Table()
        self.stock = Table()
        self.stock_by_product: dict[int, int] = {}
        self.sku_ids: dict[str, int] = {}
        self.image_id = 0
        self.customers = Table()
        self.customer_emails: dict[str, int] = {}
        self.addresses = Table()
        self.address_ids: dict[int, list[int]] = {}
        self.orders = Table()
        self.order_items: dict[int, list[Row]] = {}
        self.order_addresses: dict[int, list[Row]] = {}
        self.comments = Table()
        self.comment_ids: dict[int, list[int]] = {}
        self.categories: dict[int, str] = {}
        self.websites: dict[int, str] = {}
        self.stores: dict[int, tuple[str, int]] = {}  # id -> (code, website id)
        self.timezone = "America/Los_Angeles"

        self.tokens: dict[str, Token] = {}
        self.nonces: dict[str, int] = {}
        self.admin_sessions: dict[str, Session] = {}
        self.customer_sessions: dict[str, Session] = {}
        self.consumers: list[Consumer] = []
        self.add_consumer("Integration Platform")
        self.admin_user = options.admin_user
        self.admin_password = options.admin_password or secrets.token_urlsafe(12)
        self.admins: dict[str, AdminUser] = {}
        self.add_admin(self.admin_user, self.admin_password, role=admin_role(options))
        self.guest = Role(resources=dict(GUEST_READ) if options.guest_products else {})
        self.customer_role = Role(resources=dict(CUSTOMER_RIGHTS))
        self.customer_password = "customer123"

    @property
    def consumer_key(self) -> str:
        """Return the key of the first registered application."""
        return self.consumers[0].key

    @property
    def consumer_secret(self) -> str:
        """Return the secret of the first registered application."""
        return self.consumers[0].secret

    def now_s(self) -> int:
        """Return the store's own idea of the time, in Unix seconds."""
        return int(self.clock()) + self.options.clock_skew_s

    def timestamp(self) -> str:
        """Return the store's time the way its database writes it, in UTC."""
        return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(self.now_s()))

    def add_consumer(self, name: str, *, rejected_url: str | None = None) -> Consumer:
        """Register an application and return it with a new key and secret."""
        consumer = Consumer(
            consumer_id=len(self.consumers) + 1,
            name=name,
            key=new_code(),
            secret=new_code(),
            rejected_url=rejected_url,
        )
        self.consumers.append(consumer)
        return consumer

    def add_admin(self, name: str, password: str, *, role: Role | None) -> None:
        """Add an admin user."""
        self.admins[name] = AdminUser(name=name, password=password, role=role)

    def consumer_by_id(self, consumer_id: int) -> Consumer:
        """Return a registered application."""
        return self.consumers[consumer_id - 1]

    def issue_token(self, *, admin: str | None = None, customer_id: int | None = None) -> Token:
        """
        Make an access token without the authorization pages, for the first application.

        Unlike an authorization it leaves the other tokens of that user alive.
        """
        token = Token(
            token=new_code(),
            secret=new_code(),
            consumer_id=self.consumers[0].consumer_id,
            callback="oob",
            is_access=True,
            is_authorized=True,
            verifier=new_code(),
            admin=admin if customer_id is None else None,
            customer_id=customer_id,
        )
        self.tokens[token.token] = token
        return token

    def authorize(self, token: Token, *, admin: str | None, customer_id: int | None) -> None:
        """
        Confirm a request token for a user.

        Every other authorized token of the same application and user is deleted at this moment,
        before the new one is exchanged.
        """
        for other in list(self.tokens.values()):
            if (
                other is not token
                and other.is_authorized
                and other.consumer_id == token.consumer_id
                and (other.admin, other.customer_id) == (admin, customer_id)
            ):
                del self.tokens[other.token]
        token.is_authorized = True
        token.verifier = new_code()
        token.admin = admin
        token.customer_id = customer_id

    def revoke_tokens(self) -> None:
        """Revoke every access token, as the shop owner can in the admin panel."""
        for token in self.tokens.values():
            if token.is_access:
                token.is_revoked = True

    def set_options(
        self,
        *,
        latency_ms: float | None = None,
        fail_rate: float | None = None,
        deadlocks: float | None = None,
        lost_answers: float | None = None,
        clock_skew_s: int | None = None,
        maintenance: bool | None = None,
        database_down: bool | None = None,
        php_down: bool | None = None,
        web_server: str | None = None,
    ) -> None:
        """Switch faults while the store is running; what is left out stays as it is."""
        given: Row = {
            "latency_ms": latency_ms,
            "fail_rate": fail_rate,
            "deadlocks": deadlocks,
            "lost_answers": lost_answers,
            "clock_skew_s": clock_skew_s,
            "maintenance": maintenance,
            "database_down": database_down,
            "php_down": php_down,
            "web_server": web_server,
        }
        changes = {name: value for name, value in given.items() if value is not None}
        self.options = replace(self.options, **changes)

    def happens(self, probability: float) -> bool:
        """Roll the dice for a fault."""
        return probability > 0 and self.chance.random() < probability

    def column(self, value: Any) -> Any:
        """Show a column value as this store's PHP does: integers as text or as numbers."""
        if type(value) is int and not self.options.native_ints:
            return str(value)
        return value

    def columns(self, row: Row, names: Container[str] | None = None) -> Row:
        """Show the columns of a row (all, or those named that it has), integers as PHP does."""
        if names is None:
            chosen = {k: v for k, v in row.items() if not k.startswith("_")}
        else:
            chosen = {k: v for k, v in row.items() if k in names}
        if self.options.native_ints:
            return chosen
        return {k: str(v) if type(v) is int else v for k, v in chosen.items()}


def admin_role(options: StoreOptions) -> Role | None:
    """Return the REST role that the options give to the first admin."""
    if options.admin_role == "none":
        return None
    resources = {k: set(v) for k, v in PRODUCT_READ.items()}
    return Role(
        resources=None if options.admin_role == "all" else resources,
        attributes=None if options.admin_attributes == "all" else {},
    )
