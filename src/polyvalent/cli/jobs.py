"""Look at what workers do: list, show, cancel, try again."""
# ruff: noqa: PLC0415  # imports wait inside the commands, so that --help answers at once

from __future__ import annotations

from typing import Annotated, Any

import typer

from polyvalent.cli.options import AsJson, DatabaseUrl, DataDir, existing, settings_of
from polyvalent.settings import Settings

LARGEST_LIST = 1000
STATES = ("waiting", "queued", "running", "done", "failed", "cancelled")

app = typer.Typer(help="Look at what workers do: bulk, polls, schedules.", no_args_is_help=True)

JobId = Annotated[int, typer.Argument(metavar="ID", min=1, help="Id of the job.")]


@app.command("list")
def list_jobs(
    *,
    state: Annotated[
        list[str] | None,
        typer.Option(metavar="STATE", help=f"Only these: {', '.join(STATES)}. May be repeated."),
    ] = None,
    kind: Annotated[
        str, typer.Option(metavar="KIND", help="Only one kind, such as call. Default: all.")
    ] = "",
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    json: AsJson = False,
) -> None:
    """
    List jobs, the newest first; those that failed need somebody's attention.

    [bold]Examples[/bold]

    polyvalent jobs list

    polyvalent jobs list --state failed --json
    """
    from polyvalent.cli.interrupt import run
    from polyvalent.cli.show import first_sentence, open_console, print_json, print_list, print_note

    kind = "" if kind == "all" else kind
    for name in state or ():
        if name not in STATES:
            raise typer.BadParameter(f"it is one of {', '.join(STATES)}", param_hint="--state")
    settings = existing(settings_of(data_dir, database_url))
    found = run(lambda: _list(settings, kind=kind, states=tuple(state or ())))
    if json:
        print_json(found)
    elif not found:
        print("There are no such jobs." if state or kind else "There are no jobs.")
    else:
        console = open_console()
        print_list(
            console,
            columns=("Id", "Kind", "State", "Instance", "Progress", "Next"),
            rows=[
                (
                    str(one["id"]),
                    one["kind"],
                    one["state"],
                    str(one.get("instanceId", "")),
                    _progress(one),
                    one.get("nextDate", ""),
                )
                for one in found
            ],
        )
        for one in found:
            if "message" in one:
                print_note(console, f"{one['id']}: {first_sentence(one['message'])}")


@app.command("show")
def show_job(
    job_id: JobId,
    *,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    json: AsJson = False,
) -> None:
    """
    Show a job.

    [bold]Example[/bold]

    polyvalent jobs show 12
    """
    from polyvalent.cli.interrupt import run
    from polyvalent.cli.show import open_console, print_json, print_pairs, print_title

    settings = existing(settings_of(data_dir, database_url))
    found = run(lambda: _show(settings, job_id))
    if json:
        print_json(found)
        return
    console = open_console()
    print_title(console, f"Job {job_id}, {found['kind']}")
    pairs = {
        "State": found["state"],
        "Progress": _progress(found),
        "Message": found.get("message", ""),
        "Failures in a row": str(found["attempts"] or ""),
        "Instance": str(found.get("instanceId", "")),
        "Bulk job": found.get("bulkId", ""),
        "Call": f"{found['method']} {found['uri']}" if "uri" in found else "",
        "Schedule": found.get("trigger", {}).get("cron", ""),
        "Next": found.get("nextDate", ""),
        "Created": found["createdDate"],
        "Updated": found["updatedDate"],
    }
    print_pairs(console, {label: value for label, value in pairs.items() if value})
    if found.get("runs"):
        print_title(console, "Last runs")
        print_pairs(
            console,
            {
                one["plannedDate"]: f"{one['status']} {one.get('message', '')}".strip()
                for one in found["runs"]
            },
        )
    console.print()


@app.command("retry")
def retry_job(job_id: JobId, *, data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """
    Let a job that failed go on behind what it saved last.

    [bold]Example[/bold]

    polyvalent jobs retry 12
    """
    from polyvalent.cli.interrupt import run

    settings = existing(settings_of(data_dir, database_url))
    run(lambda: _retry(settings, job_id))
    print(f"Job {job_id} goes on as soon as a worker is free.")


async def _list(settings: Settings, *, kind: str, states: tuple[str, ...]) -> list[Any]:
    from polyvalent.api.jobs import present
    from polyvalent.cli.platform_access import operating
    from polyvalent.jobs.find import list_jobs
    from polyvalent.jobs.model import JobState

    async with operating(settings) as operator:
        ports = operator.platform.ports
        async with ports.database.reading() as connection:
            found = await list_jobs(
                connection,
                ports.keys,
                organization_id=operator.caller.organization.id,
                kinds=(kind,) if kind else (),
                states=[JobState(name) for name in states],
                limit=LARGEST_LIST,
            )
        return [present(job) for job in found]


async def _show(settings: Settings, job_id: int) -> dict[str, Any]:
    from polyvalent.api.jobs import present
    from polyvalent.cli.platform_access import operating
    from polyvalent.jobs.find import find_job

    async with operating(settings) as operator:
        ports, organization = operator.platform.ports, operator.caller.organization
        async with ports.database.reading() as connection:
            job = await find_job(connection, ports.keys, job_id, organization_id=organization.id)
        return present(job)


async def _retry(settings: Settings, job_id: int) -> None:
    from polyvalent.cli.platform_access import operating
    from polyvalent.errors import Conflict
    from polyvalent.jobs.change import retry_job
    from polyvalent.jobs.find import find_job
    from polyvalent.jobs.model import JobState

    async with operating(settings) as operator:
        ports, organization = operator.platform.ports, operator.caller.organization
        async with ports.database.transaction() as connection:
            job = await find_job(connection, ports.keys, job_id, organization_id=organization.id)
            if job.state is not JobState.FAILED:
                raise Conflict(f"Job {job_id} is {job.state}; only a failed one can go on.")
            await retry_job(connection, job, now=ports.now())


def _progress(job: dict[str, Any]) -> str:
    numbered = {"bulk": job.get("bulkId"), **job["progress"]}
    return ", ".join(f"{name} {value}" for name, value in numbered.items() if value)
