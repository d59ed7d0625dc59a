"""Answer what is done to whole elements: bring along, change, clone, share, export, delete."""

from __future__ import annotations

from msgspec import structs

from polyvalent.api import schemas
from polyvalent.api.element_shapes import present_whole
from polyvalent.api.operation import Answer, Call, Group, Parameter, warn
from polyvalent.builder import change
from polyvalent.builder.edit import numbers_of
from polyvalent.builder.export import export_element
from polyvalent.builder.model import Found, Reader
from polyvalent.builder.read import read_element, read_members
from polyvalent.catalog.check import list_doubts
from polyvalent.catalog.element import Element

_DOUBTS_MAX = 10


async def post(call: Call) -> Answer:
    """Bring an element along."""
    element, warnings = read_element(read_members(call.json_body()))
    brought = await change.bring(call.platform.shelf, known_reader(call), element)
    return Answer(content=present_whole(brought), headers=warn((*warnings, *doubts_of(brought))))


async def put(call: Call) -> Answer:
    """Put another definition in the place of an element."""
    found = await find(call)
    members = read_members(call.json_body())
    if members.get("key") is None:
        members["key"] = found.base.key
    element, warnings = read_element(members, known=numbers_of(found.base))
    replaced = await change.replace(call.platform.shelf, known_reader(call), _name(call), element)
    return Answer(content=present_whole(replaced), headers=warn((*warnings, *doubts_of(replaced))))


async def delete(call: Call) -> Answer:
    """Delete an element."""
    await change.remove(call.platform.shelf, known_reader(call), _name(call))
    return Answer(content={})


async def activate(call: Call) -> Answer:
    """Offer an element."""
    return await _switch(call, active=True)


async def deactivate(call: Call) -> Answer:
    """Offer an element no longer."""
    return await _switch(call, active=False)


async def clone(call: Call) -> Answer:
    """Make an element of the account's own of another."""
    cloned = await change.clone(call.platform.shelf, known_reader(call), _name(call))
    return Answer(content=present_whole(cloned))


async def export(call: Call) -> Answer:
    """Answer an element so that it can be brought along elsewhere."""
    found = await find(call)
    element = found.shown_to(call.reader)
    if call.value("extendedOnly") == "true":
        none = structs.replace(element, resources=())
        return Answer(content=export_element(element, additions=found.additions or none))
    return Answer(content=export_element(element))


async def list_accounts(call: Call) -> Answer:
    """Answer the numbers of the accounts that may see an element of the caller's account."""
    found = await find(call)
    visible = found.belongs_to(call.reader)
    accounts = await change.list_accounts(call.platform.shelf, found) if visible else ()
    return Answer(content=list(accounts))


async def share(call: Call) -> Answer:
    """Let an account see an element."""
    return await _share(call, on=True)


async def hide(call: Call) -> Answer:
    """Keep an account from seeing an element."""
    return await _share(call, on=False)


async def find(call: Call) -> Found:
    """Find the element of the path as the caller sees it."""
    return await call.platform.shelf.find_whole(call.reader, _name(call))


def doubts_of(element: Element) -> tuple[str, ...]:
    """Return what calls of an element could not do although it says so, ten at most."""
    return tuple(text.rstrip(".") for text in list_doubts(element)[:_DOUBTS_MAX])


def known_reader(call: Call) -> Reader:
    """Return the reader of an operation that only lets known callers in."""
    reader = call.reader
    assert reader is not None  # the router identified the caller
    return reader


async def _switch(call: Call, *, active: bool) -> Answer:
    changed = await change.edit_parts(
        call.platform.shelf,
        known_reader(call),
        _name(call),
        lambda element: structs.replace(element, active=active),
    )
    return Answer(content=present_whole(changed))


async def _share(call: Call, *, on: bool) -> Answer:
    await change.share(
        call.platform.shelf,
        known_reader(call),
        _name(call),
        account_id=call.id("accountId", what="account"),
        on=on,
    )
    return Answer(content={})


def _name(call: Call) -> str:
    return call.path_parameters["keyOrId"]


_BODY = {
    "type": "object",
    "required": ["name", "description", "authentication"],
    "properties": {
        "name": {"type": "string"},
        "key": {"type": "string", "description": "By default made of the name."},
        "description": {"type": "string"},
        "hub": {"type": "string", "description": "By default general."},
        "authentication": {
            "type": "object",
            "required": ["type"],
            "properties": {"type": {"type": "string"}},
        },
        "configuration": {"type": "array"},
        "parameters": {"type": "array"},
        "resources": {"type": "array"},
        "hooks": {"type": "array"},
        "objects": {"type": "array"},
    },
}
_EXAMPLE = {
    "name": "Shop",
    "description": "A shop of our own.",
    "hub": "ecommerce",
    "authentication": {"type": "basic"},
    "configuration": [
        {
            "name": "API address",
            "key": "base.url",
            "description": "Where the shop answers.",
            "defaultValue": "https://shop.example.com/api",
            "type": "TEXTFIELD_1000",
        }
    ],
    "resources": [
        {
            "path": "/orders",
            "method": "GET",
            "vendorPath": "/v1/orders",
            "vendorMethod": "GET",
            "rootKey": "data",
            "type": "api",
        }
    ],
}
_ACCOUNT_ID = Parameter(
    name="accountId",
    place="path",
    required=True,
    description="The account's id.",
    schema=schemas.NUMBER,
)


_OWN = Group(
    tag="Elements of your own",
    access="caller",
    placed=(schemas.KEY_OR_ID, _ACCOUNT_ID),
    usual={"answer": schemas.ELEMENT, "statuses": (401, 403, 404)},
)
_declare = _OWN.declare
_ELEMENT = "/elements/{keyOrId}"
OPERATIONS = (
    _declare(
        "POST",
        "/elements",
        post,
        "Bring an element along",
        description="The element is the account's own. Defaults of the platform are merged into "
        "its configuration. Scripts of hooks are kept and not run yet: a call that needs one is "
        "refused. Elements-Error says what else the element declares and calls could not do.",
        body=_BODY,
        body_example=_EXAMPLE,
        answer_headers=("Elements-Error",),
        statuses=(400, 401, 409, 413, 415),
    ),
    _declare(
        "PUT",
        _ELEMENT,
        put,
        "Put another definition in the place of an element",
        body=_BODY,
        answer_headers=("Elements-Error",),
        statuses=(400, 401, 403, 404, 409, 413, 415),
    ),
    _declare(
        "DELETE",
        _ELEMENT,
        delete,
        "Delete an element; its instances go on",
        answer=schemas.NOTHING,
    ),
    _declare("PUT", f"{_ELEMENT}/active", activate, "Offer an element"),
    _declare("DELETE", f"{_ELEMENT}/active", deactivate, "Offer an element no longer"),
    _declare(
        "POST",
        f"{_ELEMENT}/clone",
        clone,
        "Make an element of the account's own of another",
        statuses=(400, 401, 403, 404),
    ),
    _declare(
        "GET",
        f"{_ELEMENT}/export",
        export,
        "Export an element, fit for POST and PUT",
        parameters=(
            Parameter(
                name="extendedOnly",
                place="query",
                description="true: only the resources that the account has added.",
                schema={"type": "string", "enum": ["true", "false"]},
            ),
        ),
        answer={"type": "object"},
    ),
    _declare(
        "GET",
        f"{_ELEMENT}/accounts",
        list_accounts,
        "List the accounts that may see an element",
        answer=schemas.listing(schemas.NUMBER),
    ),
    _declare(
        "PUT",
        f"{_ELEMENT}/accounts/{{accountId}}",
        share,
        "Let an account of the organization see an element",
        answer=schemas.NOTHING,
    ),
    _declare(
        "DELETE",
        f"{_ELEMENT}/accounts/{{accountId}}",
        hide,
        "Keep an account from seeing an element",
        answer=schemas.NOTHING,
    ),
)
