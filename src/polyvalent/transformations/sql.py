"""Hold every statement on definitions and transformations, one function each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace
from sqlalchemy import ColumnElement, Row, delete, insert, or_, select, update

from polyvalent.db import Connection
from polyvalent.db.schema import object_definition, transformation, transformation_version
from polyvalent.mapping import ObjectDefinition, Transformation
from polyvalent.transformations.model import Scope, StoredDefinition, StoredTransformation


async def insert_definition(
    connection: Connection, scope: Scope, definition: ObjectDefinition, *, now: datetime
) -> None:
    """Insert a definition that its scope does not have yet."""
    await connection.execute(
        insert(object_definition).values(
            **_owner(scope),
            name=definition.object_name,
            body=_encode(definition),
            created_at=now,
            updated_at=now,
        )
    )


async def update_definition(
    connection: Connection, scope: Scope, definition: ObjectDefinition, *, now: datetime
) -> bool:
    """Replace a definition; False if the scope has none of the name."""
    table = object_definition
    result = await connection.execute(
        update(table)
        .where(table.c.scope == scope.key, table.c.name == definition.object_name)
        .values(body=_encode(definition), updated_at=now)
    )
    return result.rowcount == 1


async def find_definition(
    connection: Connection, scope: Scope, name: str
) -> ObjectDefinition | None:
    """Find the definition of a name at one scope."""
    table = object_definition
    query = select(table).where(table.c.scope == scope.key, table.c.name == name)
    row = (await connection.execute(query)).first()
    return None if row is None else _definition(row)


async def list_definitions(
    connection: Connection, scopes: Sequence[Scope]
) -> tuple[StoredDefinition, ...]:
    """List the definitions of several scopes, by name."""
    table = object_definition
    keys = [scope.key for scope in scopes]
    query = select(table).where(table.c.scope.in_(keys)).order_by(table.c.name, table.c.id)
    rows = await connection.execute(query)
    return tuple(_stored_definition(row) for row in rows)


async def list_definitions_named(
    connection: Connection, *, organization_id: int, name: str
) -> tuple[StoredDefinition, ...]:
    """List the definitions of a name at every level of an organization."""
    table = object_definition
    query = (
        select(table)
        .where(table.c.organization_id == organization_id, table.c.name == name)
        .order_by(table.c.id)
    )
    rows = await connection.execute(query)
    return tuple(_stored_definition(row) for row in rows)


async def rename_definition(
    connection: Connection, scope: Scope, name: str, *, new_name: str, now: datetime
) -> bool:
    """Give a definition another name; False if the scope has none of the old one."""
    table = object_definition
    result = await connection.execute(
        update(table)
        .where(table.c.scope == scope.key, table.c.name == name)
        .values(name=new_name, updated_at=now)
    )
    return result.rowcount == 1


async def delete_definition(connection: Connection, scope: Scope, name: str) -> bool:
    """Delete a definition; False if the scope has none of the name."""
    table = object_definition
    result = await connection.execute(
        delete(table).where(table.c.scope == scope.key, table.c.name == name)
    )
    return result.rowcount == 1


async def delete_definitions(connection: Connection, scope: Scope) -> int:
    """Delete every definition of a scope; return how many there were."""
    table = object_definition
    result = await connection.execute(delete(table).where(table.c.scope == scope.key))
    return result.rowcount


async def delete_definitions_named(
    connection: Connection, *, organization_id: int, name: str
) -> int:
    """Delete the definitions of a name at every level; return how many there were."""
    table = object_definition
    result = await connection.execute(
        delete(table).where(table.c.organization_id == organization_id, table.c.name == name)
    )
    return result.rowcount


async def insert_transformation(
    connection: Connection,
    scope: Scope,
    made: Transformation,
    *,
    element_key: str,
    now: datetime,
) -> None:
    """Insert a transformation that its scope does not have yet."""
    await connection.execute(
        insert(transformation).values(
            **_owner(scope),
            element_key=element_key,
            object_name=made.object_name,
            body=_encode(made),
            created_at=now,
            updated_at=now,
        )
    )


async def update_transformation(
    connection: Connection,
    scope: Scope,
    made: Transformation,
    *,
    element_key: str,
    now: datetime,
) -> bool:
    """Replace a transformation; False if the scope has none of the name."""
    table = transformation
    result = await connection.execute(
        update(table)
        .where(
            table.c.scope == scope.key,
            _is_of(element_key),
            table.c.object_name == made.object_name,
        )
        .values(body=_encode(made), updated_at=now)
    )
    return result.rowcount == 1


async def list_transformations(
    connection: Connection, scopes: Sequence[Scope], *, element_key: str | None
) -> tuple[StoredTransformation, ...]:
    """List the transformations of several scopes by name, of one element or of all."""
    table = transformation
    query = select(table).where(table.c.scope.in_([scope.key for scope in scopes]))
    if element_key is not None:
        query = query.where(_is_of(element_key))
    rows = await connection.execute(query.order_by(table.c.object_name, table.c.id))
    return tuple(_transformation(row) for row in rows)


async def list_transformations_of(
    connection: Connection, *, organization_id: int, object_name: str | None
) -> tuple[StoredTransformation, ...]:
    """List the transformations of an object, or of all, at every level of an organization."""
    table = transformation
    query = select(table).where(table.c.organization_id == organization_id)
    if object_name is not None:
        query = query.where(table.c.object_name == object_name)
    rows = await connection.execute(query.order_by(table.c.id))
    return tuple(_transformation(row) for row in rows)


async def rename_transformations(
    connection: Connection, scope: Scope, name: str, *, new_name: str, now: datetime
) -> int:
    """Let the transformations of a scope be of an object's new name; return how many they are."""
    table = transformation
    result = await connection.execute(
        update(table)
        .where(table.c.scope == scope.key, table.c.object_name == name)
        .values(object_name=new_name, updated_at=now)
    )
    return result.rowcount


async def delete_transformation(
    connection: Connection, scope: Scope, *, element_key: str, object_name: str
) -> bool:
    """Delete a transformation; False if the scope has none of the name."""
    table = transformation
    result = await connection.execute(
        delete(table).where(
            table.c.scope == scope.key,
            _is_of(element_key),
            table.c.object_name == object_name,
        )
    )
    return result.rowcount == 1


async def delete_transformations(connection: Connection, scope: Scope, *, element_key: str) -> int:
    """Delete every transformation of a scope for one element; return how many there were."""
    table = transformation
    result = await connection.execute(
        delete(table).where(table.c.scope == scope.key, _is_of(element_key))
    )
    return result.rowcount


async def delete_transformations_of(
    connection: Connection, *, organization_id: int, object_name: str
) -> int:
    """Delete the transformations of an object at every level; return how many there were."""
    table = transformation
    result = await connection.execute(
        delete(table).where(
            table.c.organization_id == organization_id, table.c.object_name == object_name
        )
    )
    return result.rowcount


async def read_version(connection: Connection, *, organization_id: int) -> int:
    """Return how often an organization's definitions and transformations have changed."""
    table = transformation_version
    query = select(table.c.version).where(table.c.organization_id == organization_id)
    found: int | None = (await connection.execute(query)).scalar_one_or_none()
    return found or 0


async def count_version_up(connection: Connection, *, organization_id: int) -> None:
    """Note one change more; whoever calls holds the organization's lock."""
    table = transformation_version
    result = await connection.execute(
        update(table)
        .where(table.c.organization_id == organization_id)
        .values(version=table.c.version + 1)
    )
    if result.rowcount == 0:
        await connection.execute(insert(table).values(organization_id=organization_id, version=1))


def _is_of(element_key: str) -> ColumnElement[bool]:
    # What stands at an instance is its own, also after the instance moved to another element.
    table = transformation
    return or_(table.c.element_key == element_key, table.c.instance_id.is_not(None))


def _owner(scope: Scope) -> dict[str, Any]:
    return {
        "organization_id": scope.organization_id,
        "account_id": scope.account_id,
        "instance_id": scope.instance_id,
        "scope": scope.key,
    }


def _encode(value: ObjectDefinition | Transformation) -> str:
    return msgspec.json.encode(value).decode()


def _stored_definition(row: Row[Any]) -> StoredDefinition:
    return StoredDefinition(scope=row.scope, definition=_definition(row), created_at=row.created_at)


def _definition(row: Row[Any]) -> ObjectDefinition:
    # Name and level are the row's: a renamed row keeps its body.
    body = msgspec.json.decode(row.body, type=ObjectDefinition)
    return replace(body, object_name=row.name, level=_level(row))


def _transformation(row: Row[Any]) -> StoredTransformation:
    body = msgspec.json.decode(row.body, type=Transformation)
    return StoredTransformation(
        scope=row.scope,
        element_key=row.element_key,
        account_id=row.account_id,
        instance_id=row.instance_id,
        transformation=replace(body, object_name=row.object_name, level=_level(row)),
    )


def _level(row: Row[Any]) -> str:
    scope: str = row.scope
    return scope.partition("/")[0]
