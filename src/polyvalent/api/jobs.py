"""Answer the calls on jobs: calls made by a schedule, and everything that workers do."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import parse_qsl, unquote

import msgspec

from polyvalent.accounts.model import Caller
from polyvalent.api.operation import BASE_PATH, LARGEST_PAGE, Answer, Call
from polyvalent.errors import BadRequest, Conflict
from polyvalent.exchange import split_address
from polyvalent.instances.find import find_by_token
from polyvalent.jobs.change import delete_job, retry_job
from polyvalent.jobs.cron import read_schedule
from polyvalent.jobs.find import find_job, list_jobs
from polyvalent.jobs.model import Job, JobState, Owner
from polyvalent.jobs.scheduled_call import ELEMENT_ALONE, KIND
from polyvalent.jobs.submit import Request, cancel, submit

LARGEST_BODY = 64 * 1024  # characters
_CARRIED = ("content-type", "accept", "elements-async-callback-url", "elements-version")
METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE")


class _Trigger(msgspec.Struct, frozen=True, rename="camel"):
    cron: str
    time_zone: str = "UTC"
    missed: str = "once"


class _Draft(msgspec.Struct, frozen=True):
    uri: Annotated[str, msgspec.Meta(max_length=2000)]
    trigger: _Trigger
    method: str = "GET"
    name: Annotated[str, msgspec.Meta(max_length=200)] = ""
    description: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    body: Any = None
    query: dict[str, Any] = {}
    headers: dict[str, str] = {}


async def create(call: Call) -> Answer:
    """Store a call to be made by a schedule."""
    try:
        draft = msgspec.json.decode(call.json_body(), type=_Draft)
    except msgspec.DecodeError as error:
        raise BadRequest(
            f"The job cannot be read: {error}. It looks like "
            '{"method": "GET", "uri": "/elements/api-v2/hubs/ecommerce/orders", '
            '"trigger": {"cron": "0 0 * * * ?"}}.'
        ) from error
    path, query = _read_uri(draft.uri)
    if call.known_caller().element_token is None and _is_of_instance(path):
        raise BadRequest(
            f"{draft.uri[:200]} is a call to an instance, so it needs the element token: send the "
            "header Authorization: User …, Organization …, Element <element token>"
        )
    query += tuple((name, _text(value)) for name, value in draft.query.items())
    spec = _spec(
        method=draft.method.upper(),
        path=path,
        query=query,
        headers=tuple(draft.headers.items()),
        body="" if draft.body in (None, {}, "") else msgspec.json.encode(draft.body).decode(),
        trigger=draft.trigger,
        name=draft.name,
        description=draft.description,
    )
    job = await _submit(call, spec)
    return Answer(content=present(job))


async def schedule(call: Call, cron: str) -> Answer:
    """
    Store a call that came with `Elements-Schedule-Request`, to be made at its times.

    `0 * * * * ?` → {"id": 12}. The call is not made now.
    """
    spec = _spec(
        method=call.method,
        path=call.raw_path,
        query=call.query,
        headers=tuple(item for item in call.headers if item[0].lower() in _CARRIED),
        body=_decode(call.body),
        trigger=_Trigger(cron=cron),
        name="",
        description=f"{call.method} {call.path}",
    )
    # Whoever did not show the organization's secret gets no call that is made with it.
    spec[ELEMENT_ALONE] = not call.known_caller().organization_proven
    job = await _submit(call, spec)
    return Answer(content={"id": job.id})


async def get_list(call: Call) -> Answer:
    """Answer the caller's jobs, the newest first."""
    kind = call.value("kind") or KIND
    states = call.values("state")
    unknown = [name for name in states if name not in list(JobState)]
    if unknown:
        raise BadRequest(f"state must be among {', '.join(JobState)}, not {unknown[0][:40]!r}.")
    size = call.number("pageSize", default=200, most=LARGEST_PAGE)
    before = call.value("nextPage")
    if before is not None and not (before.isascii() and before.isdigit() and len(before) < 19):
        raise BadRequest("nextPage must be the Elements-Next-Page-Token of the page before.")
    ports = call.platform.ports
    async with ports.database.reading() as connection:
        found = await list_jobs(
            connection,
            ports.keys,
            organization_id=call.known_caller().organization.id,
            kinds=() if kind == "all" else (kind,),
            states=[JobState(name) for name in states],
            before_id=None if before is None else int(before),
            limit=size + 1,
        )
    shown, more = found[:size], len(found) > size
    headers = [("Elements-Returned-Count", str(len(shown)))]
    if more:
        headers.append(("Elements-Next-Page-Token", str(shown[-1].id)))
    return Answer(content=[present(job) for job in shown], headers=tuple(headers))


async def get_one(call: Call) -> Answer:
    """Answer a job."""
    return Answer(content=present(await _find(call)))


async def delete(call: Call) -> Answer:
    """Delete a scheduled call."""
    job = await _find(call)
    if job.kind != KIND and not job.state.is_end:
        raise Conflict(f"Job {job.id} is a {job.kind} that has not ended. Cancel it first.")
    async with call.platform.ports.database.transaction() as connection:
        await delete_job(connection, job)
    return Answer(content={})


async def put_cancelled(call: Call) -> Answer:
    """Cancel a job that belongs to nothing else."""
    job = await _find(call)
    if job.kind != KIND:
        raise BadRequest(
            f"Job {job.id} is a {job.kind}: cancel what it works for, such as PUT "
            "/bulk/{id}/cancel."
        )
    ports = call.platform.ports
    async with ports.database.transaction() as connection:
        await cancel(connection, job.id, now=ports.now())
    return Answer(content=present(await _find(call)))


async def put_retried(call: Call) -> Answer:
    """Let a job that failed go on behind what it saved last."""
    job = await _find(call)
    if job.state is not JobState.FAILED:
        raise Conflict(f"Job {job.id} is {job.state}; only a failed one can be tried again.")
    ports = call.platform.ports
    async with ports.database.transaction() as connection:
        await retry_job(connection, job, now=ports.now())
    call.platform.bell.ring()
    return Answer(content=present(await _find(call)))


def present(job: Job) -> dict[str, Any]:
    """Show a job: what it does, where it stands, and for a scheduled call its last runs."""
    shown: dict[str, Any] = {
        "id": job.id,
        "kind": job.kind,
        "state": job.state.value,
        "createdDate": _moment(job.created_at),
        "updatedDate": _moment(job.updated_at),
        "progress": job.progress,
        "attempts": job.attempts,
    }
    if not job.state.is_end:
        shown["nextDate"] = _moment(job.due_at)
    if job.instance_id is not None:
        shown["instanceId"] = job.instance_id
    if job.error:
        shown["message"] = job.error
    if "bulk" in job.spec:
        shown["bulkId"] = str(job.spec["bulk"])
    if job.kind == KIND:
        spec = job.spec
        shown |= {
            "name": spec["name"],
            "description": spec["description"],
            "method": spec["method"],
            "uri": f"{BASE_PATH}{spec['path']}",
            "trigger": {"cron": spec["cron"], "timeZone": spec["zone"], "missed": spec["missed"]},
            "runs": (job.checkpoint or {}).get("runs", []),
        }
    return shown


def _spec(
    *,
    method: str,
    path: str,
    query: tuple[tuple[str, str], ...],
    headers: tuple[tuple[str, str], ...],
    body: str,
    trigger: _Trigger,
    name: str,
    description: str,
) -> dict[str, Any]:
    if method not in METHODS:
        raise BadRequest(f"method must be one of {', '.join(METHODS)}, not {method[:20]!r}.")
    if trigger.missed not in ("once", "skip"):
        raise BadRequest(
            f"trigger.missed must be once or skip, not {trigger.missed[:20]!r}: whether a time at "
            "which nobody worked is made up for."
        )
    if len(body) > LARGEST_BODY:
        raise BadRequest(f"The body of a scheduled call has at most {LARGEST_BODY} characters.")
    read_schedule(trigger.cron, zone=trigger.time_zone)
    return {
        "method": method,
        "path": path,
        "query": [list(pair) for pair in query],
        "headers": [[key, value] for key, value in headers if key.lower() != "authorization"],
        "body": body,
        "cron": trigger.cron,
        "zone": trigger.time_zone,
        "missed": trigger.missed,
        "name": name,
        "description": description,
    }


async def _submit(call: Call, spec: dict[str, Any]) -> Job:
    ports, caller = call.platform.ports, call.known_caller()
    due_at = read_schedule(spec["cron"], zone=spec["zone"]).next_after(ports.now())
    if due_at is None:
        raise BadRequest(f"The schedule {spec['cron']!r} has no time in the future.")
    instance_id = await _instance_of(call, caller)
    async with ports.database.transaction() as connection:
        job_id = await submit(
            connection,
            ports.keys,
            Request(
                kind=KIND,
                owner=Owner(
                    organization_id=caller.organization.id,
                    account_id=caller.account.id,
                    user_id=caller.user.id,
                ),
                spec=spec,
                due_at=due_at,
                queue="swift",
                instance_id=instance_id,
                partition="",  # calls of one instance may overlap
            ),
            now=ports.now(),
            random=ports.random,
        )
        job = await find_job(connection, ports.keys, job_id, organization_id=caller.organization.id)
    call.platform.bell.ring()
    return job


async def _instance_of(call: Call, caller: Caller) -> int | None:
    if caller.element_token is None:
        return None
    token = caller.element_token.reveal()
    return (await find_by_token(call.platform.ports, caller, token)).id


async def _find(call: Call) -> Job:
    ports = call.platform.ports
    async with ports.database.reading() as connection:
        return await find_job(
            connection,
            ports.keys,
            call.id("id", what="job"),
            organization_id=call.known_caller().organization.id,
        )


def _read_uri(uri: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    parts = split_address(uri)
    path = parts.path.removeprefix(BASE_PATH)
    if parts.scheme or parts.netloc or not path.startswith("/") or path == "/":
        raise BadRequest(
            f"uri must be a path of this API, such as {BASE_PATH}/hubs/ecommerce/orders."
        )
    # However it is written: "/%6Aobs" is the same path.
    if unquote(path).strip("/").partition("/")[0] == "jobs":
        raise BadRequest("A job cannot make jobs.")
    return path, tuple(parse_qsl(parts.query, keep_blank_values=True))


def _is_of_instance(path: str) -> bool:
    # Below a hub everything but its list of elements is an instance's.
    parts = unquote(path).strip("/").split("/")
    return parts[0] == "hubs" and len(parts) > 2 and parts[2:] != ["elements"]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _decode(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise BadRequest("Only calls with a text as their body can be scheduled.") from None


def _moment(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
