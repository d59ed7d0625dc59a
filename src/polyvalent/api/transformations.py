"""Answer the calls on object definitions and transformations, at every level."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from polyvalent.accounts.find import find_account
from polyvalent.api.operation import Answer, Call, Operation, warn
from polyvalent.builder.model import FIRST_ELEMENT_ID
from polyvalent.catalog.element import Element
from polyvalent.errors import NotFound, Unauthorized
from polyvalent.hub.doubt import find_doubts
from polyvalent.instances.draft import read_json_object
from polyvalent.instances.find import find_accessible, find_by_token
from polyvalent.instances.model import Instance
from polyvalent.instances.present import present_element
from polyvalent.mapping import ObjectDefinition
from polyvalent.transformations import find, transform
from polyvalent.transformations.define import define, define_anew
from polyvalent.transformations.find import Found
from polyvalent.transformations.model import (
    Scope,
    of_account,
    of_caller,
    of_instance,
    of_organization,
)
from polyvalent.transformations.present import (
    present_definition,
    present_in_map,
    present_transformation,
    types_of,
)
from polyvalent.transformations.read import read_definition, read_name, read_transformation
from polyvalent.transformations.remove import remove, remove_all
from polyvalent.transformations.rename import rename
from polyvalent.transformations.undefine import undefine, undefine_all


async def create_definition(call: Call) -> Answer:
    """Define an object at a level that does not."""
    definition = read_definition(read_json_object(call.json_body()), name=_name(call))
    made = await define(call.platform.ports, await _scope(call), (definition,))
    return Answer(content=present_definition(made[0]))


async def get_definition(call: Call) -> Answer:
    """Answer the definition of an object at one level."""
    found = await find.find_definition(call.platform.ports, await _scope(call), _name(call))
    return Answer(content=present_definition(found))


async def put_definition(call: Call) -> Answer:
    """Define an object anew."""
    definition = read_definition(read_json_object(call.json_body()), name=_name(call))
    made = await define_anew(call.platform.ports, await _scope(call), definition)
    return Answer(content=present_definition(made))


async def delete_definition(call: Call) -> Answer:
    """Delete the definition of an object at one level."""
    await undefine(call.platform.ports, await _scope(call), _name(call))
    return Answer(content={})


async def list_definitions(call: Call) -> Answer:
    """Answer the organization's definitions by name, or with systemOnly=true the platform's."""
    if call.value("systemOnly") == "true":
        return Answer(content=_by_name(call.platform.catalog.common.all_definitions()))
    found = await find.list_definitions(call.platform.ports, await _scope(call))
    return Answer(content=_by_name(found))


async def create_definitions(call: Call) -> Answer:
    """Define several objects of the organization at once."""
    body = read_json_object(call.json_body())
    definitions = tuple(read_definition(item, name=name) for name, item in body.items())
    made = await define(call.platform.ports, await _scope(call), definitions)
    return Answer(content=_by_name(made))


async def delete_definitions(call: Call) -> Answer:
    """Delete every definition of the organization."""
    await undefine_all(call.platform.ports, await _scope(call))
    return Answer(content={})


async def rename_object(call: Call) -> Answer:
    """Give an object another name at one level."""
    body = read_json_object(call.json_body())
    new_name = read_name(body.get("objectName"))
    renamed = await rename(call.platform.ports, await _scope(call), _name(call), new_name=new_name)
    return Answer(content=present_definition(renamed))


async def list_of_object(call: Call) -> Answer:
    """Answer the transformations of an object at every level, for every element."""
    ports, organization = call.platform.ports, call.known_caller().organization
    stored = await find.list_transformations_of(ports, organization.id, _name(call))
    shown: list[dict[str, Any]] = []
    for item in stored:
        made = present_transformation(item.transformation, element_key=item.element_key, types={})
        element = call.platform.catalog.by_name.get(item.element_key)
        made["element"] = {"key": item.element_key} if element is None else present_element(element)
        if item.instance_id is not None:
            made["instanceId"] = item.instance_id
        elif item.account_id is not None:
            made["accountId"] = item.account_id
        shown.append(made)
    return Answer(content=shown)


async def create_transformation(call: Call) -> Answer:
    """Transform an object for an element at a level that does not yet."""
    transformation = read_transformation(read_json_object(call.json_body()), name=_name(call))
    scope, element = await _place(call)
    found = await transform.add(call.platform.ports, scope, element, transformation)
    return _answer_made(found, element)


async def get_transformation(call: Call) -> Answer:
    """Answer the transformation of an object at one level, merged where it inherits."""
    scope, element = await _place(call)
    found = await find.find_transformation(call.platform.ports, scope, element, _name(call))
    return Answer(content=_show(found))


async def put_transformation(call: Call) -> Answer:
    """Replace the transformation of an object."""
    body = read_json_object(call.json_body())
    transformation = read_transformation(body, name=_name(call))
    scope, element = await _place(call)
    found = await transform.change(
        call.platform.ports,
        scope,
        element,
        transformation,
        engine_given=body.get("isLegacy") is not None,
    )
    return _answer_made(found, element)


async def delete_transformation(call: Call) -> Answer:
    """Delete the transformation of an object at one level."""
    scope, element = await _place(call)
    await remove(call.platform.ports, scope, element, _name(call))
    return Answer(content={})


async def list_transformations(call: Call) -> Answer:
    """Answer the transformations of one level for an element, by object."""
    scope, element = await _place(call)
    found = await find.list_transformations(call.platform.ports, scope, element)
    return Answer(content={name: _show(item) for name, item in found.items()})


async def delete_transformations(call: Call) -> Answer:
    """Delete every transformation of one level for an element."""
    scope, element = await _place(call)
    await remove_all(call.platform.ports, scope, element)
    return Answer(content={})


async def list_element_transformations(call: Call) -> Answer:
    """Answer the transformations that an element brings along, by object."""
    catalog = call.platform.catalog
    element = await call.element()
    origin = await origin_of(call, element)
    definitions = catalog.common.definitions_of(element.hub)
    return Answer(
        content={
            name: present_transformation(
                item, element_key=element.key, types=types_of(definitions.get(name))
            )
            for name, item in catalog.common.transformations_of(origin).items()
        }
    )


async def origin_of(call: Call, element: Element) -> str:
    """Return the key of the element that one was cloned from, its own if it was not."""
    if element.id < FIRST_ELEMENT_ID or call.reader is None:
        return element.key
    origin_id = await call.platform.shelf.find_origin(call.reader, element.id)
    origin = call.platform.catalog.by_name.get(str(origin_id))
    return element.key if origin is None else origin.key


def forgetting(operation: Operation) -> Operation:
    """Let an operation that changes anything forget the mappings that were compiled before."""
    if operation.method == "GET":
        return operation
    handle = operation.handle

    async def handle_and_forget(call: Call) -> Answer:
        try:
            return await handle(call)
        finally:
            call.platform.mappings.clear()

    return replace(operation, handle=handle_and_forget)


def _name(call: Call) -> str:
    return read_name(call.path_parameters["objectName"])


def _by_name(definitions: tuple[ObjectDefinition, ...]) -> dict[str, Any]:
    return {item.object_name: present_in_map(item) for item in definitions}


def _answer_made(found: Found, element: Element) -> Answer:
    doubts = find_doubts(element, found.transformation, found.definition)
    return Answer(content=_show(found), headers=warn(doubts))


def _show(found: Found) -> dict[str, Any]:
    return present_transformation(
        found.transformation,
        element_key=found.element_key,
        types=types_of(found.definition),
    )


async def _scope(call: Call) -> Scope:
    """Return the level that the path names: /organizations, /accounts or /instances."""
    caller = call.known_caller()
    if call.path.startswith("/organizations/"):
        return of_organization(caller.organization.id)
    if call.path.startswith("/instances/"):
        return of_instance(await _instance(call))
    if "accountId" not in call.path_parameters:
        return of_caller(caller)
    account_id = call.id("accountId", what="account")
    return of_account(
        await find_account(call.platform.ports.database, caller.organization, account_id)
    )


async def _place(call: Call) -> tuple[Scope, Element]:
    """Return the level and the element that a transformation is of."""
    if call.path.startswith("/instances/"):
        instance = await _instance(call)
        element = await call.platform.shelf.find_of_instance(
            organization_id=instance.organization_id,
            account_id=instance.account_id,
            element_id=instance.element_id,
        )
        return of_instance(instance), element
    return await _scope(call), await call.element()


async def _show_element(call: Call, key: str) -> dict[str, Any]:
    try:
        return present_element(await call.element(key))
    except NotFound:  # deleted since
        return {"key": key}


async def _instance(call: Call) -> Instance:
    ports, caller = call.platform.ports, call.known_caller()
    if "id" in call.path_parameters:
        return await find_accessible(ports, caller, call.id("id", what="instance"))
    if caller.element_token is None:
        raise Unauthorized(
            "Without an id in the path this call needs the element token. Send the header "
            "Authorization: User …, Organization …, Element <element token>"
        )
    return await find_by_token(ports, caller, caller.element_token.reveal())
