"""Hold everything that a call to an instance needs, for whoever makes one without a request."""

from __future__ import annotations

from dataclasses import dataclass, field

from polyvalent.builder.model import FIRST_ELEMENT_ID, Reader
from polyvalent.builder.shelf import Shelf
from polyvalent.catalog.element import Element
from polyvalent.hub.call import call
from polyvalent.hub.ledger import Ledger
from polyvalent.hub.model import Answer, Incoming, Reach
from polyvalent.instances.connect import connect
from polyvalent.instances.find import find_for_job
from polyvalent.instances.model import Connection, Instance
from polyvalent.instances.ports import Ports
from polyvalent.transformations.resolve import Cache as MappingCache
from polyvalent.transformations.resolve import Mappings, resolve_mappings


@dataclass(frozen=True, kw_only=True)
class Opened:
    """Hold an instance ready to be called, with the mappings of its objects."""

    instance: Instance
    element: Element
    connection: Connection
    mappings: Mappings


@dataclass(frozen=True, kw_only=True)
class HubAccess:
    """Hold the ways to instances of one process; jobs call through it."""

    ports: Ports
    shelf: Shelf
    reach: Reach
    ledger: Ledger = field(repr=False)
    mappings: MappingCache = field(repr=False)
    scan_limit: int

    async def open(self, instance_id: int) -> Opened:
        """
        Make an instance ready for calls, as it is now.

        Open it anew for each turn of a job: credentials, configuration and mappings change.
        Raises NotFound if it, or the element it was made of, is gone.
        """
        instance = await find_for_job(self.ports, instance_id)
        return await self.open_instance(instance)

    async def open_instance(self, instance: Instance) -> Opened:
        """Make an instance that was just read ready for calls; raises as `open`."""
        element = await self.shelf.find_of_instance(
            organization_id=instance.organization_id,
            account_id=instance.account_id,
            element_id=instance.element_id,
            version=instance.elements_version,
        )

        async def find_origin(asked: Element) -> str:
            return await self.find_origin(instance, asked)

        mappings = await resolve_mappings(
            self.ports, instance, element=element, cache=self.mappings, find_origin=find_origin
        )
        return Opened(
            instance=instance,
            element=element,
            connection=connect(instance, element=element),
            mappings=mappings,
        )

    async def find_origin(self, instance: Instance, element: Element) -> str:
        """Return the key of the element that an instance's was cloned from, its own if none."""
        if element.id < FIRST_ELEMENT_ID:
            return element.key
        reader = Reader(organization_id=instance.organization_id, account_id=instance.account_id)
        origin_id = await self.shelf.find_origin(reader, element.id)
        origin = self.ports.catalog.by_name.get(str(origin_id))
        return element.key if origin is None else origin.key

    async def call(self, opened: Opened, incoming: Incoming) -> Answer:
        """
        Make one call to an instance, as the API does: mapped objects, queries, writes looked up.

        `await access.call(opened, Incoming(method="GET", path="/orders", query=(("page", "2"),)))`
        Raises what `hub.call.call` raises. Effects: calls the vendor.
        """
        return await call(
            opened.connection,
            incoming,
            reach=self.reach,
            now=self.ports.now,
            find_mapping=opened.mappings.find,
            scan_limit=self.scan_limit,
            ledger=self.ledger,
        )
