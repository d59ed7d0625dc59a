"""
One REST call on its way to a resource, and what a resource is.

Between the frame, which knows all about a call, and the resources, which know all about rows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from polyvalent.sandbox.magento.attributes import readable, shown
from polyvalent.sandbox.magento.exchange import Call
from polyvalent.sandbox.magento.state import Role, Row, Store


@dataclass(frozen=True, kw_only=True)
class User:
    """Say who calls; a guest has neither admin nor customer."""

    kind: Literal["admin", "customer", "guest"]
    role: Role
    customer_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class Ask:
    """Hold one REST call on its way to a resource."""

    store: Store
    call: Call
    user: User
    resource: str
    route: dict[str, str]
    query: dict[str, Any]
    body: Any = None  # after the attributes that may not be written are gone

    def allowed(self, resource: str | None = None) -> set[str]:
        """Return what the caller may read of this resource, or of another one."""
        return readable(
            resource or self.resource,
            user=self.user.kind,
            role=self.user.role,
            flavor=self.store.options.flavor,
        )

    def shown(self, resource: str | None = None) -> set[str]:
        """Return the attributes of the answer: those readable, narrowed by `attrs`."""
        return shown(self.allowed(resource), self.query.get("attrs"))


Handler = Callable[[Ask], Any]


@dataclass(frozen=True, kw_only=True)
class Resource:
    """
    Describe a resource: its routes and what it can do.

    A route is a path with ":names" and the kind "entity" or "collection". `handlers` has some of
    create, retrieve, list, update, delete, multi_create, multi_update; a resource's own functions
    raise `unsupported` for methods that exist but refuse.
    """

    name: str
    routes: tuple[tuple[str, Literal["entity", "collection"]], ...]
    handlers: dict[str, Handler]
    only_newer: tuple[str, ...] = ()  # routes and handlers that the classic flavor lacks


def pick(row: Row, names: set[str]) -> Row:
    """Keep the named columns of a row."""
    return {k: v for k, v in row.items() if k in names}
