"""Show and change the configuration of an instance entry by entry."""

from __future__ import annotations

from typing import Any

from polyvalent.catalog.element import ConfigurationEntry, Element
from polyvalent.errors import BadRequest, NotFound
from polyvalent.instances.change import change
from polyvalent.instances.configuration import entries_of, mask
from polyvalent.instances.draft import draft_of
from polyvalent.instances.model import Instance
from polyvalent.instances.ports import Ports
from polyvalent.instances.watch import Watch


def list_entries(instance: Instance, *, element: Element) -> list[dict[str, Any]]:
    """
    Show every entry, also those that stand at the platform's default.

    [{"id": 7, "key": "event.notification.enabled", "propertyValue": "false", …}]
    An entry's id is that of the element's configuration entry, so it is the same before and
    after a value was stored.
    """
    return [_show(instance, element, entry) for entry in entries_of(element).values()]


def show_entry(instance: Instance, entry_id: int, *, element: Element) -> dict[str, Any]:
    """Show one entry; raises NotFound."""
    return _show(instance, element, find_entry(element, entry_id))


def find_entry(element: Element, entry_id: int) -> ConfigurationEntry:
    """Find an entry of an element's instances by its id; raises NotFound."""
    for entry in entries_of(element).values():
        if entry.id == entry_id:
            return entry
    raise NotFound(f"There is no configuration entry {entry_id}.")


async def change_entry(
    ports: Ports, instance: Instance, entry_id: int, *, element: Element, body: dict[str, Any]
) -> dict[str, Any]:
    """
    Give an entry a new value from `{"propertyValue": "true"}`; a masked value changes nothing.

    Raises NotFound, BadRequest for a value that its type does not take, and as `verify` does
    when the value touches the connection.
    """
    entry = find_entry(element, entry_id)
    if "propertyValue" not in body:
        raise BadRequest('The body needs "propertyValue", such as {"propertyValue": "true"}.')
    draft = draft_of({"configuration": {entry.key: body["propertyValue"]}})
    changed = await change(ports, instance, draft, element=element, watch=Watch())
    return _show(changed, element, entry)


def _show(instance: Instance, element: Element, entry: ConfigurationEntry) -> dict[str, Any]:
    value = instance.configuration.get(entry.key, entry.default_value)
    return {
        "id": entry.id,
        "key": entry.key,
        "name": entry.name,
        "description": entry.description,
        "type": entry.type,
        "required": entry.required,
        "propertyValue": mask(element, {entry.key: value}, sealed=instance.sealed)[entry.key],
    }
