"""Download and upload many rows, and look at bulk jobs and their receipts."""
# ruff: noqa: PLC0415  # imports wait inside the commands, so that --help answers at once

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from polyvalent.cli.options import AsJson, DatabaseUrl, DataDir, existing, settings_of
from polyvalent.settings import Settings

SUFFIXES = {".csv": "csv", ".json": "array", ".parquet": "parquet"}
LARGEST_LIST = 1000

app = typer.Typer(help="Download and upload many rows, with a receipt.", no_args_is_help=True)

Instance = Annotated[
    int, typer.Option("--instance", metavar="ID", min=1, help="Id of the instance.")
]
BulkId = Annotated[int, typer.Argument(metavar="ID", min=1, help="Id of the bulk job.")]


@app.command("download")
def download(
    *,
    instance: Instance,
    query: Annotated[
        str, typer.Option("--query", metavar="TEXT", help="select … from … where … limit …")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the rows go.")],
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="NAME",
            help="jsonl, csv, array or parquet. Default: as the name of the file ends, else jsonl.",
        ),
    ] = "",
    begin: Annotated[
        str, typer.Option("--from", metavar="TIME", help="Only what has changed since then.")
    ] = "",
    since_last: Annotated[
        bool,
        typer.Option("--since-last", help="Only what has changed since the last complete run."),
    ] = False,
    reconcile: Annotated[
        bool,
        typer.Option(
            "--reconcile",
            help="Compare every row with the last run that did so, which finds deletions. Their "
            "ids are at GET /bulk/<job>/<object>.deleted.",
        ),
    ] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    json: AsJson = False,
) -> None:
    """
    Download all rows of a query into a file, and print the receipt.

    Works with and without a server. Stopped in the middle, by Ctrl-C or a crash, the same command
    goes on where it was.

    [bold]Examples[/bold]

    polyvalent bulk download --instance 1 --query "select * from orders" --out orders.csv

    polyvalent bulk download --instance 1 --query "select * from orders" --out new.jsonl
    --since-last

    polyvalent bulk download --instance 1 --query "select * from orders" --out new.jsonl
    --since-last --reconcile [dim]# and how many are gone[/dim]
    """
    from polyvalent.cli.bulk_run import Wanted, download_to
    from polyvalent.cli.interrupt import Interrupted, run
    from polyvalent.cli.logs import configure_logs
    from polyvalent.cli.show import open_console, print_json

    chosen = format_.lower() or SUFFIXES.get(out.suffix.lower(), "jsonl")
    if chosen not in (*SUFFIXES.values(), "jsonl"):
        raise typer.BadParameter("it is jsonl, csv, array or parquet", param_hint="--format")
    if begin and since_last:
        raise typer.BadParameter("give one of them", param_hint="--from, --since-last")
    settings = existing(settings_of(data_dir, database_url))
    configure_logs("error")
    values = {"q": query} | ({"from": begin} if begin else {})
    if since_last:
        values["lastRunDate"] = "last"
    if reconcile:
        values["reconcile"] = "true"
    wanted = Wanted(instance_id=instance, values=values, out=out, format=chosen)
    console = open_console(stderr=True)
    try:
        receipt = run(lambda: download_to(settings, wanted, console=console, quiet=json))
    except Interrupted:
        console.print("  Stopped. The same command goes on from here.")
        raise
    if json:
        print_json(receipt)
    else:
        _print_receipt(receipt)
    if not receipt["complete"]:
        raise typer.Exit(3)


@app.command("upload")
def upload(
    *,
    instance: Instance,
    object_name: Annotated[
        str, typer.Option("--object", metavar="NAME", help="What the rows are, such as customers.")
    ],
    file: Annotated[Path, typer.Option("--file", metavar="FILE", help="CSV or JSON, in UTF-8.")],
    action: Annotated[
        str, typer.Option("--action", metavar="NAME", help="create, update, upsert or delete.")
    ] = "upsert",
    identifier: Annotated[
        str,
        typer.Option(
            "--identifier",
            metavar="NAME",
            help="The field that says which row of the store is meant, such as email.",
        ),
    ] = "",
    format_: Annotated[
        str,
        typer.Option(
            "--format", metavar="NAME", help="csv or json. Default: as the file's name ends."
        ),
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and write nothing.")
    ] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    json: AsJson = False,
) -> None:
    """
    Write the rows of a file into a store, each once, and print what became of them.

    Works with and without a server. Stopped in the middle, by Ctrl-C or a crash, a server or
    `polyvalent worker` goes on with it; do not send the file again.

    [bold]Examples[/bold]

    polyvalent bulk upload --instance 1 --object customers --file new.csv --action create

    polyvalent bulk upload --instance 1 --object products --file prices.csv --identifier sku
    --dry-run
    """
    import orjson

    from polyvalent.cli.bulk_upload_run import Upload, upload_from
    from polyvalent.cli.interrupt import Interrupted, run
    from polyvalent.cli.logs import configure_logs
    from polyvalent.cli.show import open_console, print_json, print_note

    settings = existing(settings_of(data_dir, database_url))
    configure_logs("error")
    told = {"action": action, "identifierFieldName": identifier, "format": format_}
    wanted = Upload(
        instance_id=instance,
        object_name=object_name,
        file=file,
        told=orjson.dumps(told).decode(),
        dry_run=dry_run,
    )
    console = open_console(stderr=True)
    try:
        receipt = run(lambda: upload_from(settings, wanted, console=console, quiet=json))
    except Interrupted:
        console.print("  Stopped. What had begun goes on with a server or `polyvalent worker`.")
        raise
    if json:
        print_json(receipt)
    else:
        _print_receipt(receipt)
        for error in receipt["errors"]:
            words = f" The store says: {error['response']}" if error.get("response") else ""
            print_note(console, f"line {error['line']}: {error['message']}{words}")
    if not receipt["complete"]:
        raise typer.Exit(3)


@app.command("receipt")
def receipt(
    bulk_id: BulkId,
    *,
    instance: Instance,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    json: AsJson = False,
) -> None:
    """
    Show what a finished download has proven.

    [bold]Example[/bold]

    polyvalent bulk receipt 12 --instance 1
    """
    from polyvalent.cli.interrupt import run
    from polyvalent.cli.show import print_json

    settings = existing(settings_of(data_dir, database_url))
    found = run(lambda: _receipt(settings, instance, bulk_id))
    if json:
        print_json(found)
    else:
        _print_receipt(found)


@app.command("list")
def list_jobs(
    *,
    instance: Instance,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    json: AsJson = False,
) -> None:
    """
    List the bulk jobs of an instance, the newest first.

    [bold]Example[/bold]

    polyvalent bulk list --instance 1
    """
    from polyvalent.cli.interrupt import run
    from polyvalent.cli.show import first_sentence, open_console, print_json, print_list, print_note

    settings = existing(settings_of(data_dir, database_url))
    found = run(lambda: _list(settings, instance))
    if json:
        print_json(found)
    elif not found:
        print("This instance has no bulk jobs.")
    else:
        console = open_console()
        print_list(
            console,
            columns=("Id", "Object", "Status", "Rows", "Failed", "Complete"),
            rows=[
                (
                    one["id"],
                    one["objectName"],
                    one["status"],
                    str(one["recordsCount"]),
                    str(one["recordsFailedCount"]),
                    {True: "yes", False: "no", None: ""}[one.get("receipt", {}).get("complete")],
                )
                for one in found
            ],
        )
        for one in found:
            if one.get("statusMessage"):
                print_note(console, f"{one['id']}: {first_sentence(one['statusMessage'])}")


def _print_receipt(receipt: dict[str, Any]) -> None:
    from polyvalent.cli.show import open_console, print_note, print_pairs, print_title

    console = open_console()
    complete = receipt["complete"]
    print_title(
        console,
        f"{receipt['rows']} {'row' if receipt['rows'] == 1 else 'rows'} of "
        f"{receipt['objectName']}: {_verdict(receipt)}",
        style="bold green" if complete else "bold yellow",
    )
    for reason in receipt["reasons"]:
        print_note(console, f"{reason}.")
    pairs = {
        "Job": receipt["jobId"],
        **_facts(receipt),
        "Seal": receipt["seal"],
    }
    print_pairs(console, {label: value for label, value in pairs.items() if value})
    console.print()


def _verdict(receipt: dict[str, Any]) -> str:
    if "outcomes" not in receipt:
        return "complete" if receipt["complete"] else "not proven complete"
    said = "would be done" if receipt["dryRun"] else "done"
    return said if receipt["complete"] else f"not all {said}"


def _facts(receipt: dict[str, Any]) -> dict[str, str]:
    if "outcomes" in receipt:  # of an upload
        return {name.capitalize(): str(count) for name, count in receipt["outcomes"].items()}
    incremental = receipt.get("incremental") or {}
    return {
        "Proof": receipt["proof"] or "none",
        "Distinct": str(receipt["distinct"]),
        "Keys": f"{receipt['lowestKey']} to {receipt['highestKey']}" if receipt["rows"] else "",
        "Deleted": str(incremental.get("deleted") or ""),
        "Pages": str(receipt["pages"]["count"]),
        "Repeats": str(receipt["repeats"]["rows"] or ""),
        "Gaps": str(receipt["gaps"]["keys"] or ""),
        "Changed meanwhile": str((receipt["changedDuringRead"] or {}).get("rows") or ""),
        "Proven until": receipt["watermark"] or "",
    }


async def _receipt(settings: Settings, instance_id: int, bulk_id: int) -> dict[str, Any]:
    from polyvalent.bulk.look import find_job, show_receipt
    from polyvalent.cli.platform_access import operating
    from polyvalent.instances.find import find_accessible

    async with operating(settings) as operator:
        ports = operator.platform.ports
        instance = await find_accessible(ports, operator.caller, instance_id)
        bulk = await find_job(ports, instance, bulk_id)
        return await show_receipt(ports, bulk, with_pages=False)


async def _list(settings: Settings, instance_id: int) -> list[dict[str, Any]]:
    from polyvalent.bulk.look import list_jobs
    from polyvalent.bulk.present import present
    from polyvalent.cli.platform_access import operating
    from polyvalent.instances.find import find_accessible

    async with operating(settings) as operator:
        ports = operator.platform.ports
        instance = await find_accessible(ports, operator.caller, instance_id)
        found = await list_jobs(ports, instance, before=None, limit=LARGEST_LIST)
        return [present(bulk) for bulk in found]
