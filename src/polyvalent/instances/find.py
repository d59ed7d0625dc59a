"""Find instances: one by id, one by its element token, many by filters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from polyvalent.accounts.model import Caller, User
from polyvalent.errors import NotFound, Unauthorized
from polyvalent.instances import sql
from polyvalent.instances.model import Instance
from polyvalent.instances.ports import Ports

LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, kw_only=True)
class Filters:
    """Hold the filters and the page of a list; `tags` match if any does."""

    element_key: str | None = None
    tags: tuple[str, ...] = ()
    search_text: str | None = None
    page: int = 1
    page_size: int = 200


async def find_accessible(ports: Ports, caller: Caller, instance_id: int) -> Instance:
    """
    Find an instance that the caller may see.

    Raises NotFound, also for an instance of another organization.
    """
    found = None
    if 0 < instance_id <= LARGEST_ID:
        async with ports.database.reading() as connection:
            found = await sql.find_instance(
                connection,
                ports.keys,
                instance_id=instance_id,
                organization_id=caller.organization.id,
            )
    if found is None:
        raise NotFound(f"There is no instance {instance_id}. GET /instances lists them.")
    return found


async def find_for_job(ports: Ports, instance_id: int) -> Instance:
    """
    Find an instance for work that its owner asked for before; nobody's rights are looked at.

    Raises NotFound if it was deleted meanwhile.
    """
    async with ports.database.reading() as connection:
        found = await sql.find_instance(
            connection, ports.keys, instance_id=instance_id, organization_id=None
        )
    if found is None:
        raise NotFound(f"Instance {instance_id} was deleted meanwhile.")
    return found


async def find_by_token(ports: Ports, caller: Caller | None, token: str) -> Instance:
    """
    Find the instance of an element token.

    Raises Unauthorized if there is none, or not for this caller.
    """
    async with ports.database.reading() as connection:
        found = await sql.find_instance_by_token(connection, ports.keys, token=token)
    return _of_caller(found, caller)


def _of_caller(found: Instance | None, caller: Caller | None) -> Instance:
    if found is None or (caller is not None and found.organization_id != caller.organization.id):
        raise Unauthorized(
            "The element token is not known: it is mistyped, or its instance was deleted."
        )
    return found


async def recall_by_token(ports: Ports, caller: Caller, token: str) -> Instance:
    """
    Find the instance of an element token for a call to its resources.

    What other processes changed within the last second may be missing; see `recall`. Raises as
    `find_by_token`.
    """
    memory = ports.memory
    known = await memory.recall(ports.database, token)
    if known is None:
        read_at_s, doubts = memory.clock(), memory.doubts

        async def find() -> Instance:
            found = await find_by_token(ports, None, token)
            memory.keep(token, found, read_at_s=read_at_s, doubts=doubts)
            return found

        known = await memory.questions.ask(("instance", token, doubts), find)
    return _of_caller(known, caller)


async def find_owners(
    ports: Ports, caller: Caller, instances: Sequence[Instance]
) -> Mapping[int, User]:
    """Find the users who made some instances, by id; asks nobody where it was the caller."""
    others = {instance.user_id for instance in instances} - {caller.user.id}
    found: tuple[User, ...] = ()
    if others:
        async with ports.database.reading() as connection:
            found = await sql.list_users(connection, ids=others)
    return {user.id: user for user in (caller.user, *found)}


async def find_many(ports: Ports, caller: Caller, filters: Filters) -> tuple[Instance, ...]:
    """List the caller's instances by id."""
    async with ports.database.reading() as connection:
        return await sql.list_instances(
            connection,
            ports.keys,
            organization_id=caller.organization.id,
            element_key=filters.element_key,
            tags=filters.tags,
            search_text=filters.search_text,
            offset=(filters.page - 1) * filters.page_size,
            limit=filters.page_size,
        )
