"""
Make the pages of the reference that are taken from the code itself.

    .venv/bin/python -m tests.docs.generate

writes them; a test compares them with what would be written now.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import typer.main

from polyvalent.api.app import BASE_PATH, OPERATIONS
from polyvalent.api.openapi import openapi
from polyvalent.api.operation import Operation
from polyvalent.catalog.element import Element, Resource
from polyvalent.catalog.load import ELEMENTS_FOLDER, load_catalog
from polyvalent.cli.called import spell
from tests.docs.pages import DOCS

NOTE = "*Made from the code by `python -m tests.docs.generate`. Do not edit it by hand.*"
CALLED = "bin/polyvalent"
ACCESS = {
    "none": "nobody needs to authorize",
    "perhaps": "`User …, Organization …`, or nobody, who sees the public catalog alone",
    "caller": "`User …, Organization …`",
    "element": "`User …, Organization …, Element …`",
}


def cell(text: Any) -> str:
    """Make a text fit into a table."""
    return " ".join(str(text).split()).replace("|", "\\|")


def table(head: Iterable[str], lines: Iterable[Iterable[Any]]) -> Iterator[str]:
    """Yield a table, or nothing if it has no lines."""
    filled = [tuple(line) for line in lines]
    if filled:
        names = tuple(head)
        yield f"| {' | '.join(names)} |"
        yield f"|{'---|' * len(names)}"
        yield from (f"| {' | '.join(cell(each) for each in line)} |" for line in filled)
        yield ""


def write_api() -> str:
    """Describe every operation, from the same declarations as the OpenAPI document."""
    document = openapi(OPERATIONS, base_path=BASE_PATH)
    lines = [
        "# API",
        "",
        NOTE,
        "",
        f"All paths are below `{BASE_PATH}`. The same as a document for programs is at",
        "`/openapi.json` of a running server, and as pages to try it out at `/docs`.",
        "How refusals look: [errors](errors.md). Resources of a store that have no heading here,",
        "such as `/hubs/ecommerce/orders/{id}/items`, are on the page of their element:",
        "[magento](magento.md).",
        "",
        "Beside these, below the root: `GET /health` answers",
        '`{"status": "ok", "version": "…"}`, `GET /docs` and `GET /openapi.json`.',
        "",
    ]
    for tag in document["tags"]:
        lines += [f"## {tag['name']}", "", tag["description"], ""]
        for operation in OPERATIONS:
            if operation.tag == tag["name"]:
                lines += _operation(operation, document)
    lines += [
        "## Shapes",
        "",
        "What answers are made of. Members that are not always there say so.",
        "",
    ]
    for name, schema in document["components"]["schemas"].items():
        lines += [f"### {name}", "", *table(("member", "type", "meaning"), _members(schema))]
    return "\n".join(lines).rstrip() + "\n"


def _operation(operation: Operation, document: Mapping[str, Any]) -> Iterator[str]:
    shown = document["paths"][operation.path][operation.method.lower()]
    yield f"### {operation.method} {operation.path}"
    yield ""
    yield f"{operation.summary}. Authorization: {ACCESS[operation.access]}."
    yield ""
    if operation.description:
        yield operation.description
        yield ""
    yield from table(
        ("parameter", "in", "required", "meaning"),
        (
            (f"`{item['name']}`", item["in"], "yes" if item["required"] else "", _meaning(item))
            for item in shown["parameters"]
        ),
    )
    if operation.body is not None and not operation.body.get("properties"):
        yield "Body: a JSON object, the fields of the row in the words of the store."
        yield ""
    elif operation.body is not None:
        yield from table(
            ("member of the body", "type", "required", "meaning"),
            (
                (
                    f"`{name}`",
                    _type(schema),
                    "yes" if name in operation.body.get("required", ()) else "",
                    schema.get("description", ""),
                )
                for name, schema in operation.body.get("properties", {}).items()
            ),
        )
    statuses = ", ".join(status for status in shown["responses"])
    headers = "".join(f", `{name}`" for name in operation.answer_headers)
    yield f"Answers: {_answer(operation.answer)}. Headers: `Elements-Request-Id`{headers}."
    yield f"Statuses: {statuses}."
    yield ""


def _members(schema: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    required = schema.get("required", ())
    for name, member in schema.get("properties", {}).items():
        meaning = member.get("description", "")
        always = meaning if name in required else f"{meaning} Not always there.".strip()
        inner = ", ".join(f"`{each}`" for each in member.get("properties", {}))
        yield f"`{name}`", _type(member), f"{always} With {inner}." if inner else always


def _answer(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if schema.get("type") == "array":
        inner = schema.get("items", {})
        named = "objects" if inner.get("type") == "object" else _answer(inner)
        return f"a list of {named}" if inner else "a list"
    if schema.get("type") == "string":
        return "texts"
    if "description" in schema:
        return str(schema["description"]).rstrip(".").lower()
    return "a list or an object" if "array" in schema.get("type", ()) else "an object"


def _type(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type", "any")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def _meaning(item: Mapping[str, Any]) -> str:
    schema = item["schema"]
    limits = [
        f"{word} {schema[key]}"
        for word, key in (("from", "minimum"), ("to", "maximum"), ("default", "default"))
        if key in schema
    ]
    choices = schema.get("enum")
    if choices:
        limits.append("one of " + ", ".join(f"`{choice}`" for choice in choices))
    return item["description"] + (f" ({', '.join(limits)})" if limits else "")


def write_element(element: Element) -> str:
    """Describe an element from its folder."""
    own = (ELEMENTS_FOLDER / element.key / "README.md").read_text("utf-8")
    title, _, rest = own.partition("\n")
    lines = [
        f"{title} (element `{element.key}`, {element.id})",
        "",
        NOTE,
        "",
        rest.strip(),
        "",
        "## Configuration",
        "",
        "Required entries without a default must be given when an instance is created. Entries of",
        "the type `PASSWORD` are sealed at rest and shown as `********`.",
        "",
        *table(
            ("key", "label", "type", "required", "default", "meaning"),
            (
                (
                    f"`{entry.key}`",
                    entry.name,
                    entry.type,
                    "yes" if entry.required else "",
                    _default(entry.default_value),
                    entry.description,
                )
                for entry in element.configuration
            ),
        ),
        "## Resources",
        "",
        f"All paths are below `/hubs/{element.hub}`, or stand without it: the element token alone",
        "decides.",
        "",
        *table(("call", "calls of the store", "object", "what it does"), _resources(element)),
        "## Objects",
        "",
        *_objects(element),
        "## Refusals of the store",
        "",
        "The first row that fits an answer of the store decides what you are told. The store's own",
        "words come along as `providerMessage`.",
        "",
        *table(
            ("kind", "the store's status", "its text contains", "message"),
            (
                (
                    rule.kind,
                    ", ".join(map(str, rule.status)) or "any",
                    f"`{rule.contains}`" if rule.contains else "",
                    rule.message,
                )
                for rule in element.failures
            ),
        ),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _default(value: str | None) -> str:
    if value is None:
        return "null"
    return f"`{value}`" if value else "empty"


def _resources(element: Element) -> Iterator[tuple[str, ...]]:
    for resource in element.resources:
        path = resource.path.removeprefix(f"/hubs/{element.hub}")
        yield (
            f"`{resource.method} {path}`",
            f"`{resource.vendor_method} {resource.vendor_path}`",
            resource.object,
            resource.description + _searching(resource),
        )


def _searching(resource: Resource) -> str:
    if resource.filtering is None:
        return ""
    names = dict.fromkeys(name for item in resource.filtering.filters for name in item.fields)
    sorts = ", ".join(resource.filtering.sorting.fields)
    return f" The store itself filters by {', '.join(names)} and sorts by {sorts}."


def _objects(element: Element) -> Iterator[str]:
    for item in element.objects:
        yield f"### {item.name}"
        yield ""
        names = [f"`{item.primary_key_name}` is the id, also given as `id`"]
        if item.created_date_name:
            names.append(f"created: `{item.created_date_name}`")
        if item.updated_date_name:
            names.append(f"updated: `{item.updated_date_name}`")
        yield f"{'; '.join(names)}. Fields (read-only ones in italics):"
        yield (
            ", ".join(f"*{field.name}*" if field.read_only else field.name for field in item.fields)
            + "."
        )
        yield ""


def write_cli() -> str:
    """Describe every command, from the same declarations as its --help."""
    from polyvalent.cli.main import app

    command = typer.main.get_command(app)
    lines = ["# Command line", "", NOTE, "", *_command(command, ("polyvalent",))]
    return "\n".join(lines).rstrip() + "\n"


def _command(command: Any, names: tuple[str, ...]) -> Iterator[str]:
    children = getattr(command, "commands", {})
    if len(names) > 1:
        yield f"## {' '.join(names)}"
        yield ""
    yield _help(command)
    yield ""
    own = [item for item in command.params if not getattr(item, "hidden", False)]
    if not children:
        words = [CALLED, *names[1:], "[OPTIONS]"]
        words += [name_of(item) for item in own if is_argument(item)]
        yield f"Usage: `{' '.join(words)}`"
        yield ""
    yield from table(
        ("argument or option", "default", "meaning"),
        ((_option(item), _value(item), unmarked(getattr(item, "help", "") or "")) for item in own),
    )
    for name, child in children.items():
        if not child.hidden:
            yield from _command(child, (*names, name))


def _help(command: Any) -> str:
    """Return what a command says of itself; lines that are commands become code."""
    paragraphs = re.split(r"\n\s*\n", spell(unmarked(command.help or ""), name=CALLED).strip())
    shown = []
    for paragraph in paragraphs:
        text = " ".join(paragraph.split())
        is_example = re.match(rf"(POLYVALENT_\w+=\S+ )?{CALLED} \w+", text)
        shown.append(f"    {text}" if is_example else text)
    return "\n\n".join(shown)


def unmarked(text: str) -> str:
    """Take the markup for terminals out of a text: "[bold]x[/bold]" → "x"."""
    return re.sub(r"\[/?(?:bold|dim|italic|green|cyan)[^\]]*\]", "", text)


def name_of(argument: Any) -> str:
    return str(argument.metavar or argument.name.upper())


def is_argument(item: Any) -> bool:
    return bool(item.param_type_name == "argument")


def _option(item: Any) -> str:
    if is_argument(item):
        return f"`{name_of(item)}`"
    flags = ", ".join((*item.opts, *item.secondary_opts))
    return f"`{flags}`" if item.is_flag else f"`{flags} {_kind(item)}`"


def _kind(item: Any) -> str:
    annotation = item.type_descriptor.annotation
    if item.metavar:
        return str(item.metavar)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return "|".join(str(choice.value) for choice in annotation)
    names = {int: "NUMBER", float: "NUMBER", Path: "PATH"}
    return names.get(annotation, "TEXT")


def write_common_resources() -> str:
    """List the fields of the platform's own objects, and where they lie in each element."""
    catalog = load_catalog()
    lines = [
        "# Common resources",
        "",
        NOTE,
        "",
        "Objects that every store has alike, so that an application reads any store without a",
        "mapping of its own: `GET /hubs/ecommerce/commerce-orders`. They take the calls of the",
        "vendor object that they are mapped to. Money is a decimal text, moments are ISO 8601 in",
        "UTC. What a store cannot tell is absent. Members of a body that are no fields go to the",
        "store as they are. [Transformations](transformations.md) can vary them at each level.",
        "",
    ]
    for definition in catalog.common.all_definitions():
        mapped = {
            element.key: item
            for element in catalog.elements
            if (item := catalog.common.transformations_of(element.key).get(definition.object_name))
        }
        lines += [f"## {definition.object_name}", "", definition.description, ""]
        for key, item in mapped.items():
            lines += [f"In `{key}`: `{item.vendor_name}`.", ""]
        lines += table(
            ("field", "type", "meaning", *(f"in `{key}`" for key in mapped)),
            (
                (
                    f"`{field.path}`",
                    field.type,
                    field.description,
                    *(
                        next(
                            (
                                f"`{one.vendor_path}`"
                                for one in item.fields
                                if one.path == field.path
                            ),
                            "",
                        )
                        for item in mapped.values()
                    ),
                )
                for field in definition.fields
            ),
        )
    return "\n".join(lines).rstrip() + "\n"


def _value(item: Any) -> str:
    if getattr(item, "required", False):
        return "required"
    value = item.default
    if value is None or value is False or callable(value) or "Sentinel" in type(value).__name__:
        return ""
    return f"`{getattr(value, 'value', value)}`"


DOCUMENTS: dict[str, Callable[[], str]] = {
    "api.md": write_api,
    "cli.md": write_cli,
    "common-resources.md": write_common_resources,
    **{
        f"{element.key}.md": lambda element=element: write_element(element)
        for element in load_catalog().elements
    },
}


def main() -> None:
    """Write every generated page."""
    for name, write in DOCUMENTS.items():
        file = DOCS / "reference" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(write(), "utf-8")
        print(f"wrote {file.relative_to(DOCS.parent)}")


if __name__ == "__main__":
    main()
