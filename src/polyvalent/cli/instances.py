"""List, show and delete instances."""
# ruff: noqa: PLC0415  # imports wait inside the commands, so that --help answers at once

from __future__ import annotations

from typing import Annotated, Any

import typer

from polyvalent.cli.called import spell
from polyvalent.cli.options import AsJson, DatabaseUrl, DataDir, existing, settings_of
from polyvalent.settings import Settings

MASK = "********"
LARGEST_LIST = 100_000

app = typer.Typer(help="List, show and delete instances.", no_args_is_help=True)

InstanceId = Annotated[int, typer.Argument(metavar="ID", min=1, help="Id of the instance.")]
Reveal = Annotated[bool, typer.Option("--reveal", help="Show the element token as well.")]


@app.command("list")
def list_instances(
    *,
    tag: Annotated[
        list[str] | None, typer.Option(metavar="TAG", help="Only with this tag; may be repeated.")
    ] = None,
    search: Annotated[str | None, typer.Option(help="Only with this text in the name.")] = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    json: AsJson = False,
) -> None:
    """
    List the instances.

    [bold]Examples[/bold]

    polyvalent instances list

    polyvalent instances list --tag demo --json
    """
    from polyvalent.cli.interrupt import run
    from polyvalent.cli.show import open_console, print_json, print_list

    settings = existing(settings_of(data_dir, database_url))
    found = run(lambda: _list(settings, tags=tuple(tag or ()), search=search))
    if json:
        print_json(found)
    elif not found:
        print(spell("There are no instances. polyvalent connect makes one."))
    else:
        print_list(
            open_console(),
            columns=("Id", "Name", "Element", "State", "Tags", "Created"),
            rows=[
                (
                    str(one["id"]),
                    one["name"],
                    one["element"]["key"],
                    _state(one),
                    ", ".join(one["tags"]),
                    one["createdDate"],
                )
                for one in found
            ],
        )


@app.command("show")
def show_instance(
    instance_id: InstanceId,
    *,
    reveal: Reveal = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    json: AsJson = False,
) -> None:
    """
    Show an instance; secrets are masked.

    [bold]Examples[/bold]

    polyvalent instances show 1

    polyvalent instances show 1 --reveal --json
    """
    from polyvalent.cli.interrupt import run
    from polyvalent.cli.show import open_console, print_json, print_pairs, print_title

    settings = existing(settings_of(data_dir, database_url))
    found = run(lambda: _read(settings, instance_id, reveal=reveal))
    if json:
        print_json(found)
        return
    console = open_console()
    print_title(console, found["name"])
    pairs = {
        "Id": str(found["id"]),
        "Element": found["element"]["key"],
        "State": _state(found),
        "Token": found["token"],
        "Tags": ", ".join(found["tags"]),
        "Created": found["createdDate"],
        "Invalid because": found.get("invalidReason", ""),
    }
    print_pairs(console, {label: value for label, value in pairs.items() if value})
    print_title(console, "Configuration")
    print_pairs(console, {key: value or "" for key, value in found["configuration"].items()})
    console.print()


@app.command("delete")
def delete_instance(
    instance_id: InstanceId,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """
    Delete an instance with its credentials and traces; nothing brings it back.

    The token stays valid at the store until the merchant revokes it there.

    [bold]Example[/bold]

    polyvalent instances delete 1
    """
    from polyvalent.cli.interrupt import run

    settings = existing(settings_of(data_dir, database_url))
    if not yes:
        found = run(lambda: _read(settings, instance_id, reveal=False))
        question = f"Delete instance {instance_id}, {found['name']} ({found['element']['key']})?"
        if not typer.confirm(question):
            print("Nothing was deleted.")
            raise typer.Exit(1)
    run(lambda: _delete(settings, instance_id))
    print(f"Instance {instance_id} is deleted.")


async def _list(settings: Settings, *, tags: tuple[str, ...], search: str | None) -> list[Any]:
    from polyvalent.cli.platform_access import operating
    from polyvalent.instances.find import Filters, find_many
    from polyvalent.instances.present import present_lightly

    filters = Filters(tags=tags, search_text=search, page_size=LARGEST_LIST)
    async with operating(settings) as operator:
        found = await find_many(operator.platform.ports, operator.caller, filters)
        return [{**present_lightly(one), "token": MASK} for one in found]


async def _read(settings: Settings, instance_id: int, *, reveal: bool) -> dict[str, Any]:
    from polyvalent.cli.platform_access import operating
    from polyvalent.instances.find import find_accessible
    from polyvalent.instances.present import present

    async with operating(settings) as operator:
        found = await find_accessible(operator.platform.ports, operator.caller, instance_id)
        element = await operator.platform.shelf.find_of_instance(
            organization_id=found.organization_id,
            account_id=found.account_id,
            element_id=found.element_id,
        )
        shown = present(found, element=element, user=operator.caller.user)
        return shown if reveal else {**shown, "token": MASK}


async def _delete(settings: Settings, instance_id: int) -> None:
    from polyvalent.cli.platform_access import operating
    from polyvalent.instances.find import find_accessible
    from polyvalent.instances.remove import remove

    async with operating(settings) as operator:
        found = await find_accessible(operator.platform.ports, operator.caller, instance_id)
        await remove(operator.platform.ports, found)


def _state(instance: dict[str, Any]) -> str:
    if instance["disabled"]:
        return "disabled"
    return "valid" if instance["valid"] else "invalid"
