"""Answer the calls on workflows: chains of a download and an upload."""

from __future__ import annotations

from typing import Any

import orjson

from polyvalent.api.bulk import owner_of
from polyvalent.api.operation import Answer, Call
from polyvalent.api.resources import instance_of_token
from polyvalent.bulk.work import WORKFLOW
from polyvalent.bulk.workflow import (
    PAUSE_MAX_S,
    PAUSE_MIN_S,
    STEPS_MAX,
    Step,
    present_workflow,
    start_workflow,
)
from polyvalent.errors import BadRequest, Unauthorized
from polyvalent.hub.access import Opened
from polyvalent.instances.find import recall_by_token
from polyvalent.jobs.find import list_jobs

_QUERY = ("from", "to", "lastRunDate")
_LOOKED_THROUGH = 1000


async def start(call: Call) -> Answer:
    """Start a workflow, of which the call's own instance is the source."""
    instance = await instance_of_token(call)
    access = call.platform.access
    try:
        told = orjson.loads(call.json_body())
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"The request body is no JSON: {error}.") from error
    if not isinstance(told, list) or not 1 <= len(told) <= STEPS_MAX:
        raise BadRequest(f"The request body must be an array of 1 to {STEPS_MAX} steps.")
    steps, targets = [], []
    for number, item in enumerate(told, start=1):
        step, target = await _read_step(call, item, number)
        steps.append(step)
        targets.append(target)
    workflow_id = await start_workflow(
        access,
        await access.open_instance(instance),
        tuple(targets),
        tuple(steps),
        owner=owner_of(call, instance),
        schedule_id=call.progress.schedule_id,
    )
    call.platform.bell.ring()
    return Answer(content={"id": str(workflow_id), "status": "CREATED"})


async def show_list(call: Call) -> Answer:
    """List the workflows of the instance, the newest first."""
    instance = await instance_of_token(call)
    size = call.number("pageSize", default=100, most=_LOOKED_THROUGH)
    wanted = call.value("jobId")
    ports = call.platform.ports
    async with ports.database.reading() as connection:
        found = await list_jobs(
            connection,
            ports.keys,
            organization_id=instance.organization_id,
            kinds=(WORKFLOW,),
            limit=_LOOKED_THROUGH,
        )
    shown = [
        present_workflow(job)
        for job in found
        if job.instance_id == instance.id
        and wanted in (None, "", str(job.id), str(job.spec.get("schedule")))
    ][:size]
    return Answer(content=shown, headers=(("Elements-Returned-Count", str(len(shown))),))


async def _read_step(call: Call, told: Any, number: int) -> tuple[Step, Opened]:
    target = told.get("targetConfiguration") if isinstance(told, dict) else None
    if not isinstance(target, dict):
        raise BadRequest(f"Step {number} must be an object with a query and targetConfiguration.")
    query, token = told.get("query"), target.get("token")
    if not isinstance(query, str) or not isinstance(token, str):
        raise BadRequest(
            f"Step {number}: query must be a statement, targetConfiguration.token an element token."
        )
    try:
        instance = await recall_by_token(call.platform.ports, call.known_caller(), token)
    except Unauthorized as error:
        raise BadRequest(f"Step {number}: targetConfiguration.token is of no instance.") from error
    interval = told.get("statusCheckInterval", PAUSE_MIN_S * 1000)
    if isinstance(interval, bool) or not isinstance(interval, int | float):
        raise BadRequest(f"Step {number}: statusCheckInterval is a number of milliseconds.")
    name = target.get("objectName") or told.get("objectName")
    if not isinstance(name, str):
        raise BadRequest(f"Step {number}: targetConfiguration.objectName is missing.")
    metadata = target.get("metaData") or {}
    values = {name: told[name] for name in _QUERY if isinstance(told.get(name), str)}
    step = Step(
        values={**values, "q": query},
        target=instance.id,
        object_name=name,
        told=metadata if isinstance(metadata, str) else orjson.dumps(metadata).decode(),
        pause_s=min(max(interval / 1000, PAUSE_MIN_S), PAUSE_MAX_S),
    )
    return step, await call.platform.access.open_instance(instance)
