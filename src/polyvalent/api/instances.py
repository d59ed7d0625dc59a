"""Answer the calls on instances, by id and by element token."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from polyvalent.api.operation import LARGEST_PAGE, Answer, Call, warn
from polyvalent.api.tracing import trace_header, traced
from polyvalent.builder.model import reader_of
from polyvalent.catalog.element import Element
from polyvalent.errors import BadRequest, NotFound, Unauthorized
from polyvalent.instances.change import change
from polyvalent.instances.draft import read_draft, read_json_object
from polyvalent.instances.entries import change_entry, list_entries, show_entry
from polyvalent.instances.find import (
    Filters,
    find_accessible,
    find_by_token,
    find_many,
    find_owners,
)
from polyvalent.instances.model import Instance
from polyvalent.instances.present import present, present_lightly
from polyvalent.instances.provision import provision, with_warnings
from polyvalent.instances.remove import remove
from polyvalent.instances.switch import switch


async def create(call: Call) -> Answer:
    """Create an instance and answer it whole."""
    platform, caller = call.platform, call.known_caller()
    draft = read_draft(call.json_body())
    named = call.path_parameters.get("keyOrId") or draft.element
    if named is None:
        raise BadRequest('The body must name an element, such as "element": {"key": "…"}.')
    element = await call.element(named)
    if draft.element is not None and (await call.element(draft.element)).id != element.id:
        raise BadRequest("The element in the path and the element in the body differ.")
    if not element.active:
        raise BadRequest(
            f"Element {element.key} is not active. Offer it: PUT /elements/{element.key}/active."
        )
    draft = with_warnings(draft, element)
    async with traced(call, caller, element, on=draft.debug) as watch:
        instance = await provision(platform.ports, caller, draft, element=element, watch=watch)
    shown = present(instance, element=element, user=caller.user)
    if _wants_objects(call):
        shown["objects"] = [
            {"name": item.name, "vendorName": item.vendor_name or item.name, "type": "vendor"}
            for item in element.objects
        ]
    return Answer(content=shown, headers=(*warn(draft.warnings), *trace_header(call, watch)))


async def get_list(call: Call) -> Answer:
    """Answer the caller's instances."""
    key = call.path_parameters.get("keyOrId")
    filters = Filters(
        element_key=(await call.element(key)).key if key else None,
        tags=call.values("tags[]"),
        search_text=call.value("searchText") or None,
        page=call.number("page", default=1, most=1_000_000),
        page_size=call.number("pageSize", default=200, most=LARGEST_PAGE),
    )
    found = await find_many(call.platform.ports, call.known_caller(), filters)
    lightly = call.value("hydrate") == "false"
    shown = [present_lightly(item) for item in found] if lightly else await _show_all(call, found)
    return Answer(content=shown, headers=(("Elements-Returned-Count", str(len(shown))),))


async def get_one(call: Call) -> Answer:
    """Answer an instance."""
    return Answer(content=await _show(call, await find_named(call)))


async def put(call: Call) -> Answer:
    """Change an instance by a whole body; members that it lacks stay as they are."""
    return await _change(call)


async def patch(call: Call) -> Answer:
    """Change some members of an instance."""
    return await _change(call)


async def delete(call: Call) -> Answer:
    """Delete an instance."""
    await remove(call.platform.ports, await find_named(call))
    return Answer(content={})


async def enable(call: Call) -> Answer:
    """Enable an instance."""
    await switch(call.platform.ports, await find_named(call), enabled=True)
    return Answer(content={})


async def disable(call: Call) -> Answer:
    """Disable an instance."""
    await switch(call.platform.ports, await find_named(call), enabled=False)
    return Answer(content={})


async def get_configuration(call: Call) -> Answer:
    """Answer every configuration entry of an instance."""
    instance = await find_named(call)
    return Answer(content=list_entries(instance, element=await element_of(call, instance)))


async def get_entry(call: Call) -> Answer:
    """Answer one configuration entry of an instance."""
    instance = await find_named(call)
    entry_id = call.id("entryId", what="configuration entry")
    element = await element_of(call, instance)
    return Answer(content=show_entry(instance, entry_id, element=element))


async def patch_entry(call: Call) -> Answer:
    """Change one configuration entry of an instance."""
    instance = await find_named(call)
    shown = await change_entry(
        call.platform.ports,
        instance,
        call.id("entryId", what="configuration entry"),
        element=await element_of(call, instance),
        body=read_json_object(call.json_body()),
    )
    call.platform.bell.ring()
    return Answer(content=shown)


async def _change(call: Call) -> Answer:
    instance = await find_named(call)
    element = await element_of(call, instance)
    draft = with_warnings(read_draft(call.json_body()), element)
    moving_to = await _clone_of(call, element, draft.element)
    async with traced(call, call.caller, element, on=draft.debug) as watch:
        changed = await change(
            call.platform.ports,
            instance,
            draft,
            element=moving_to or element,
            watch=watch,
        )
    # What follows from the change, such as deliveries that lead elsewhere, need not wait.
    call.platform.bell.ring()
    return Answer(
        content=await _show(call, changed),
        headers=(*warn(draft.warnings), *trace_header(call, watch)),
    )


async def find_named(call: Call) -> Instance:
    """Find the instance that the path or, without an id, the element token names."""
    ports, caller = call.platform.ports, call.known_caller()
    if "id" in call.path_parameters:
        found = await find_accessible(ports, caller, call.id("id", what="instance"))
        key = call.path_parameters.get("keyOrId")
        if key is not None and (await call.element(key)).id != found.element_id:
            raise NotFound(f"Instance {found.id} is not one of element {key[:100]!r}.")
        return found
    if caller.element_token is None:
        raise Unauthorized(
            "Without an id in the path this call needs the element token. Send the header "
            "Authorization: User …, Organization …, Element <element token>"
        )
    return await find_by_token(ports, caller, caller.element_token.reveal())


async def element_of(call: Call, instance: Instance) -> Element:
    """Return the element of an instance, with what the instance's account adds to it."""
    return await call.platform.shelf.find_of_instance(
        organization_id=instance.organization_id,
        account_id=instance.account_id,
        element_id=instance.element_id,
        version=instance.elements_version,
    )


async def _clone_of(call: Call, element: Element, named: str | None) -> Element | None:
    """Return the clone that an instance is to move to, None where it stays."""
    if named is None or named in (element.key, str(element.id)):
        return None
    shelf, reader = call.platform.shelf, reader_of(call.known_caller())
    assert reader is not None  # the caller is known
    wanted: Element | None = None
    with suppress(NotFound):
        wanted = await shelf.find(reader, named)
    if wanted is not None:
        origins = {await shelf.find_origin(reader, item.id) for item in (element, wanted)}
        wanted = wanted if len(origins) == 1 else None
    if wanted is None:
        raise BadRequest(
            f"The instance belongs to element {element.key}; it can only move to a clone of that "
            f"element, and {named[:100]!r} is none."
        )
    return wanted


async def _show(call: Call, instance: Instance) -> dict[str, Any]:
    return (await _show_all(call, (instance,)))[0]


async def _show_all(call: Call, instances: Sequence[Instance]) -> list[dict[str, Any]]:
    owners = await find_owners(call.platform.ports, call.known_caller(), instances)
    elements = {
        (item.account_id, item.element_id): await element_of(call, item)
        for item in {(each.account_id, each.element_id): each for each in instances}.values()
    }
    return [
        present(
            instance,
            element=elements[instance.account_id, instance.element_id],
            user=owners[instance.user_id],
        )
        for instance in instances
    ]


def _wants_objects(call: Call) -> bool:
    return read_json_object(call.body).get("retrieveObjectsAfterInstantiation") is True
