"""Answer the documentation of elements, instances, objects and hubs, and objects of instances."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import quote

from msgspec import structs

from polyvalent.api import schemas
from polyvalent.api.instances import element_of, find_named
from polyvalent.api.operation import BASE_PATH, Answer, Call, Group, Parameter
from polyvalent.api.resources import answer_instance, answer_resource, instance_of_token
from polyvalent.api.transformations import origin_of
from polyvalent.catalog.element import Authentication, Element, Resource
from polyvalent.catalog.element import Parameter as ElementParameter
from polyvalent.catalog.load import Hub
from polyvalent.catalog.openapi import list_references, resolve_references, to_openapi
from polyvalent.catalog.swagger import find_operation, make_swagger
from polyvalent.errors import NotFound
from polyvalent.hub.mapped_objects import with_mapped_objects
from polyvalent.instances.model import Instance
from polyvalent.transformations.resolve import resolve_mappings


async def get_element_docs(call: Call) -> Answer:
    """Answer the documentation of an element's calls."""
    return _answer(call, _swagger(call, await call.element()))


async def get_instance_docs(call: Call) -> Answer:
    """Answer the documentation of an instance's calls."""
    return _answer(call, _swagger(call, await documented(call, await find_named(call))))


async def get_definitions(call: Call) -> Answer:
    """Answer the definitions that one operation of an instance needs."""
    element = await documented(call, await find_named(call))
    document = _swagger(call, element)
    name = call.path_parameters["operationId"]
    operation = find_operation(document, name)
    if operation is None:
        raise NotFound(f"{element.name} has no operation {name[:100]!r}; its docs list them.")
    definitions = document["definitions"]
    needed = {item: definitions[item] for item in list_references(operation, definitions)}
    if call.value("resolveReferences") == "true":
        needed = {
            item: resolve_references(schema, definitions, seen=(item,))
            for item, schema in needed.items()
        }
    return Answer(content=needed)


async def get_object_docs(call: Call) -> Answer:
    """Answer the documentation of one object's calls."""
    element = await documented(call, await instance_of_token(call))
    name = call.path_parameters["objectName"]
    if name not in _object_names(element):
        raise NotFound(
            f"{element.name} has no object {name[:100]!r}. Its objects: "
            f"{', '.join(_object_names(element))}."
        )
    return _answer(call, _swagger(call, _only(element, name)))


async def get_own_object_docs(call: Call) -> Answer:
    """Answer the same without /objects before it, unless the element has such a resource."""
    element = await documented(call, await instance_of_token(call))
    name = call.path_parameters["objectName"]
    taken = any(
        item.path.rpartition("/hubs/")[2].partition("/")[2] == f"{name}/docs"
        for item in element.resources
    )
    if taken or name not in _object_names(element):
        return await answer_resource(call)
    return _answer(call, _swagger(call, _only(element, name)))


async def get_hub_docs(call: Call) -> Answer:
    """Answer the documentation of what the elements of a hub have in common, or of an element."""
    key = call.path_parameters["hub"]
    hub = next((item for item in call.platform.catalog.hubs if item.key == key), None)
    if hub is None:
        return _answer(call, _swagger(call, await call.element(call.value("elementKey") or key)))
    document = _swagger(call, _element_of_hub(hub))
    if call.value("provider") == "aws":
        _ask_for_api_key(document)
    return _answer(call, document)


async def get_objects(call: Call) -> Answer:
    """Answer the objects of an instance."""
    return await answer_instance(call, await find_named(call), path="/objects")


async def get_object_metadata(call: Call) -> Answer:
    """Answer the fields of an object of an instance."""
    name = quote(call.path_parameters["objectName"], safe="")
    return await answer_instance(call, await find_named(call), path=f"/objects/{name}/metadata")


async def documented(call: Call, instance: Instance) -> Element:
    """
    Return what an instance offers, put together as one element.

    What is mapped for the instance joins here, as resources and objects of their own.
    """
    element = await element_of(call, instance)
    mappings = await resolve_mappings(
        call.platform.ports,
        instance,
        element=element,
        cache=call.platform.mappings,
        find_origin=partial(origin_of, call),
    )
    return with_mapped_objects(element, mappings)


def _swagger(call: Call, element: Element) -> dict[str, Any]:
    server = call.platform.settings.public_url or f"http://{call.header('Host') or 'localhost'}"
    return make_swagger(element, server=server, base_path=BASE_PATH)


def _answer(call: Call, document: dict[str, Any]) -> Answer:
    newer = (call.value("version") or "").startswith("3")
    return Answer(content=to_openapi(document) if newer else document)


def _object_names(element: Element) -> tuple[str, ...]:
    return tuple(item.name for item in element.objects)


def _only(element: Element, name: str) -> Element:
    return structs.replace(
        element,
        resources=tuple(item for item in element.resources if item.object == name),
        objects=tuple(item for item in element.objects if item.name == name),
    )


def _element_of_hub(hub: Hub) -> Element:
    """Make an element of the resources that a hub names, for its documentation alone."""
    key = ElementParameter(name="id", vendor_name="id", type="path", vendor_type="path")
    resources = []
    for item in hub.resources:
        path, name = f"/hubs/{hub.key}{item.path}", item.path.strip("/")
        for method in item.methods:
            single = f"{path}/{{id}}"
            if method == "GET":
                resources.append(Resource(path=path, method=method, object=name))
            resources.append(
                Resource(path=path, method=method, object=name)
                if method == "POST"
                else Resource(path=single, method=method, object=name, parameters=(key,))
            )
    return Element(
        name=hub.name,
        key=hub.key,
        description=hub.description,
        hub=hub.key,
        authentication=Authentication(type="none"),
        resources=tuple(resources),
    )


def _ask_for_api_key(document: dict[str, Any]) -> None:
    api_key = {"name": "x-api-key", "in": "header", "required": True, "type": "string"}
    for methods in document["paths"].values():
        for operation in methods.values():
            operation["parameters"] = [
                operation["parameters"][0],
                api_key,
                *operation["parameters"][1:],
            ]


_VERSION = Parameter(
    name="version",
    place="query",
    description="-1 or nothing: Swagger 2.0; 3: OpenAPI 3.1.",
    schema={"type": "string"},
    example="3",
)
_RESOLVE = Parameter(
    name="resolveReferences",
    place="query",
    description="true: with what references name in their place.",
    schema={"type": "string", "enum": ["true", "false"]},
)
_OPERATION_ID = Parameter(
    name="operationId",
    place="path",
    required=True,
    description="The name of an operation in the instance's documentation.",
    example="getOrders",
)
_OBJECT_NAME = Parameter(
    name="objectName", place="path", required=True, description="The object.", example="orders"
)
_HUB = Parameter(
    name="hub",
    place="path",
    required=True,
    description="The hub's key, or an element's.",
    example="ecommerce",
)
_ELEMENT_KEY = Parameter(
    name="elementKey", place="query", description="The element, where the path names no hub."
)
_PROVIDER = Parameter(
    name="provider", place="query", description="aws: calls carry the header x-api-key as well."
)
_DOCUMENT = {"type": "object", "required": ["info", "paths"]}
_FIELDS = {"type": "object", "required": ["fields"]}
_DESCRIPTIONS = Group(
    tag="Documentation",
    access="caller",
    placed=(
        schemas.KEY_OR_ID,
        schemas.INSTANCE_ID,
        _OPERATION_ID,
        _OBJECT_NAME,
        _HUB,
    ),
    usual={"answer": _DOCUMENT, "statuses": (401, 404)},
)
_declare = partial(_DESCRIPTIONS.declare, "GET")
_BY_TOKEN = "Instances by token"
OPERATIONS = (
    _declare(
        "/elements/{keyOrId}/docs",
        get_element_docs,
        "Describe an element's calls",
        access="perhaps",
        parameters=(_VERSION,),
    ),
    _declare(
        "/instances/{id}/docs",
        get_instance_docs,
        "Describe an instance's calls",
        parameters=(_VERSION,),
    ),
    _declare(
        "/instances/docs",
        get_instance_docs,
        "Describe the calls of the token's instance",
        parameters=(_VERSION,),
        tag=_BY_TOKEN,
    ),
    _declare(
        "/instances/{id}/docs/{operationId}/definitions",
        get_definitions,
        "Describe what one operation of an instance takes and gives",
        parameters=(_RESOLVE,),
        answer={"type": "object"},
    ),
    _declare(
        "/instances/docs/{operationId}/definitions",
        get_definitions,
        "Describe what one operation of the token's instance takes and gives",
        parameters=(_RESOLVE,),
        answer={"type": "object"},
        tag=_BY_TOKEN,
    ),
    _declare(
        "/objects/{objectName}/docs",
        get_object_docs,
        "Describe the calls of one object of the token's instance",
        access="element",
        parameters=(_VERSION,),
    ),
    _declare(
        "/{objectName}/docs",
        get_own_object_docs,
        "Describe the calls of one object, unless the element has such a resource",
        access="element",
        parameters=(_VERSION,),
        answer={"type": ["array", "object"]},
        statuses=(400, 401, 403, 404, 405, 409, 502, 503, 504),
    ),
    _declare(
        "/docs/{hub}",
        get_hub_docs,
        "Describe what the elements of a hub have in common",
        access="perhaps",
        parameters=(_ELEMENT_KEY, _PROVIDER, _VERSION),
    ),
    _declare(
        "/instances/{id}/objects",
        get_objects,
        "List the objects of an instance",
        answer={"type": "array"},
        tag="Objects of instances",
    ),
    _declare(
        "/instances/objects",
        get_objects,
        "List the objects of the token's instance",
        answer={"type": "array"},
        tag="Objects of instances",
    ),
    _declare(
        "/instances/{id}/objects/{objectName}/metadata",
        get_object_metadata,
        "List the fields of an object of an instance",
        answer=_FIELDS,
        tag="Objects of instances",
    ),
    _declare(
        "/instances/objects/{objectName}/metadata",
        get_object_metadata,
        "List the fields of an object of the token's instance",
        answer=_FIELDS,
        tag="Objects of instances",
    ),
)
