"""List, show and check elements."""
# ruff: noqa: PLC0415  # imports wait inside the commands, so that --help answers at once

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from polyvalent.cli.options import AsJson
from polyvalent.errors import NotFound

if TYPE_CHECKING:
    from polyvalent.catalog.check import Finding
    from polyvalent.catalog.element import Element

app = typer.Typer(help="List, show and check elements.", no_args_is_help=True)


@app.command("list")
def list_elements(*, json: AsJson = False) -> None:
    """
    List the elements.

    [bold]Example[/bold]

    polyvalent elements list
    """
    from polyvalent.catalog.load import load_catalog
    from polyvalent.cli.show import open_console, print_json, print_list

    elements = load_catalog().elements
    if json:
        print_json(
            [
                {"id": one.id, "key": one.key, "name": one.name, "hub": one.hub}
                | {"authentication": one.authentication.type}
                for one in elements
            ]
        )
        return
    print_list(
        open_console(),
        columns=("Key", "Id", "Name", "Hub", "Authentication", "Calls"),
        rows=[
            (
                one.key,
                str(one.id),
                one.name,
                one.hub,
                one.authentication.type,
                str(len(one.resources)),
            )
            for one in elements
        ],
    )


@app.command("show")
def show_element(
    key: Annotated[str, typer.Argument(metavar="KEY", help="Key or id of the element.")],
    *,
    json: AsJson = False,
) -> None:
    """
    Show what an element asks for and which calls it answers.

    [bold]Example[/bold]

    polyvalent elements show 356
    """
    from polyvalent.catalog.load import load_catalog
    from polyvalent.catalog.metadata import describe_element
    from polyvalent.cli.show import print_json

    element = load_catalog().find(key)
    if json:
        print_json(describe_element(element, expand=True))
    else:
        _show(element)


@app.command("check")
def check_elements(
    what: Annotated[
        str | None, typer.Argument(metavar="KEY|FOLDER|FILE", help="Without it: every element.")
    ] = None,
    *,
    json: AsJson = False,
) -> None:
    """
    Check elements; the exit status is 1 if one has a fault.

    A file is the JSON that POST /elements takes.

    [bold]Examples[/bold]

    polyvalent elements check

    polyvalent elements check ./my-element

    polyvalent elements check element.json
    """
    from polyvalent.catalog.check import check_folder
    from polyvalent.catalog.load import find_element_folders
    from polyvalent.cli.show import print_json

    if what is not None and Path(what).is_file():
        found = {Path(what).name: _check_file(Path(what))}
    else:
        folders = find_element_folders() if what is None else (_find_folder(what),)
        found = {folder.name: check_folder(folder) for folder in folders}
    if json:
        print_json(
            {
                name: [{"rule": one.rule, "text": one.text} for one in findings]
                for name, findings in found.items()
            }
        )
    else:
        for name, findings in found.items():
            print(f"{name}: {_counted(len(findings))}")
            for one in findings:
                print(f"  {one.rule}: {one.text}")
    if any(found.values()):
        raise typer.Exit(1)


def _check_file(file: Path) -> tuple[Finding, ...]:
    from polyvalent.builder.complete import complete_brought
    from polyvalent.builder.judge import judge_element
    from polyvalent.builder.read import read_element, read_members
    from polyvalent.catalog.check import Finding, check_element
    from polyvalent.errors import BadRequest

    try:
        element, warnings = read_element(read_members(file.read_bytes()))
        # As it is kept after POST /elements: with what the platform adds.
        element = complete_brought(element, element_id=0)
        judge_element(element)
    except BadRequest as error:
        return (Finding(rule="loads", text=error.message),)
    unknown = (Finding(rule="members_are_known", text=f"{text}.") for text in warnings)
    return (*unknown, *check_element(element))


def _counted(faults: int) -> str:
    if faults == 1:
        return "1 fault"
    return f"{faults} faults" if faults else "no fault"


def _find_folder(what: str) -> Path:
    from polyvalent.catalog.load import find_element_folders

    if (Path(what) / "element.yaml").exists():
        return Path(what).resolve()
    for folder in find_element_folders():
        if folder.name == what:
            return folder
    known = ", ".join(folder.name for folder in find_element_folders())
    raise NotFound(
        f"{what} is no folder with an element.yaml, no file and no key of an element. Known keys: "
        f"{known}."
    )


def _show(element: Element) -> None:
    from polyvalent.cli.show import open_console, print_list, print_note, print_pairs, print_title

    console = open_console()
    print_title(console, element.name)
    print_note(console, element.description)
    console.print()
    print_pairs(
        console,
        {
            "Key": element.key,
            "Id": str(element.id),
            "Hub": element.hub,
            "Authentication": element.authentication.type,
        },
    )
    print_title(console, "Configuration")
    entries = sorted(
        (entry for entry in element.configuration if not entry.hide_from_console),
        key=lambda entry: entry.display_order,
    )
    print_list(
        console,
        columns=("  Entry", "Name", "Needed", "Default"),
        rows=[
            (
                f"  {entry.key}",
                entry.name,
                "yes" if entry.required else "",
                entry.default_value or "",
            )
            for entry in entries
        ],
    )
    print_title(console, "Calls")
    methods: dict[str, list[str]] = {}
    for resource in element.resources:
        if resource.type == "api":
            methods.setdefault(resource.path, []).append(resource.method)
    print_list(
        console,
        columns=("  Path", "Methods"),
        rows=[(f"  {path}", " ".join(names)) for path, names in methods.items()],
    )
    console.print()
