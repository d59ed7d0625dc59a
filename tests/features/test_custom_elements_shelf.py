"""Elements that were found once are found as they are now, whichever process changed them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from msgspec import structs

from polyvalent.accounts.bootstrap import bootstrap
from polyvalent.builder import change
from polyvalent.builder.edit import Place, add_part
from polyvalent.builder.model import FIRST_ELEMENT_ID, Reader
from polyvalent.builder.read import read_element
from polyvalent.builder.shelf import Shelf
from polyvalent.catalog.load import load_catalog
from polyvalent.db import Database, open_database
from polyvalent.db.key_file import KeyFile
from polyvalent.db.rotate import rotate
from polyvalent.errors import NotFound
from polyvalent.vault import Random

CATALOG = load_catalog()
READER = Reader(organization_id=1, account_id=1)
ELEMENT = {"name": "Own", "description": "d", "authentication": {"type": "custom"}}
RESOURCE = {"path": "/mine", "method": "GET"}


@pytest.fixture
async def shelves(
    database: Database,
    database_url: str,
    keys: KeyFile,
    clock: Callable[[], datetime],
    random_bytes: Random,
) -> Any:
    """Two shelves with connections of their own, as two processes have."""
    await bootstrap(database, keys, now=clock(), random=random_bytes)
    other = await open_database(database_url)
    yield tuple(
        Shelf(database=each, keys=keys, catalog=CATALOG, now=clock, random=random_bytes)
        for each in (database, other)
    )
    await other.close()


def element_of(**members: Any) -> Any:
    return read_element({**ELEMENT, **members})[0]


async def test_sees_at_once_what_another_process_changed(shelves: tuple[Shelf, Shelf]) -> None:
    here, there = shelves
    with pytest.raises(NotFound):
        await there.find(READER, "own")
    brought = await change.bring(here, READER, element_of())
    assert brought.id > FIRST_ELEMENT_ID
    assert (await there.find(READER, "own")).description == "d"
    await change.replace(here, READER, "own", element_of(description="new"))
    assert (await there.find(READER, str(brought.id))).description == "new"
    assert [item.key for item in await there.find_all(READER)] == ["magento", "own"]
    await change.remove(here, READER, "own")
    with pytest.raises(NotFound):
        await there.find(READER, "own")
    kept = await there.find_of_instance(organization_id=1, account_id=1, element_id=brought.id)
    assert kept.description == "new"


async def test_sees_at_once_what_another_process_added(shelves: tuple[Shelf, Shelf]) -> None:
    here, there = shelves
    base = await there.find(READER, "magento")
    found = await here.find_whole(READER, "magento")
    added = await change.edit_additions(
        here,
        READER,
        found,
        lambda item: add_part(item, Place(kind="resources"), RESOURCE, created_at=""),
    )
    extended = await there.find(READER, "356")
    assert len(extended.resources) == len(base.resources) + 1
    assert extended.resources[-1] == added.resources[0]
    assert extended.resources[-1].owner_account_id == READER.account_id
    of_instance = await there.find_of_instance(organization_id=1, account_id=1, element_id=356)
    assert of_instance == extended
    assert await there.find(None, "magento") == base


async def test_asks_for_a_number_only_while_nothing_changes(shelves: tuple[Shelf, Shelf]) -> None:
    here, _ = shelves
    await change.bring(here, READER, element_of())
    assert await here.find(READER, "own") is await here.find(READER, "own")
    assert await here.find_all(READER) is await here.find_all(READER)


async def test_belongs_to_an_organization(shelves: tuple[Shelf, Shelf]) -> None:
    here, _ = shelves
    brought = await change.bring(here, READER, element_of())
    stranger = Reader(organization_id=2, account_id=2)
    for name in ("own", str(brought.id), "9" * 25):
        with pytest.raises(NotFound):
            await here.find(stranger, name)
    with pytest.raises(NotFound):
        await here.find_of_instance(organization_id=2, account_id=2, element_id=brought.id)


async def test_opens_what_was_sealed_under_an_older_key(
    shelves: tuple[Shelf, Shelf], clock: Callable[[], datetime], random_bytes: Random
) -> None:
    here, there = shelves
    brought = await change.bring(here, READER, element_of())
    await rotate(here.database, here.keys, now=clock(), random=random_bytes)
    assert await there.find(READER, "own") == brought


async def test_a_clone_of_a_clone_knows_the_first(shelves: tuple[Shelf, Shelf]) -> None:
    here, _ = shelves
    own = await change.bring(here, READER, element_of())
    first = await change.clone(here, READER, "own")
    second = await change.clone(here, READER, first.key)
    copy = await change.bring(here, READER, structs.replace(element_of(), key="copy"))
    origins = [await here.find_origin(READER, item.id) for item in (own, first, second, copy)]
    assert origins == [own.id, own.id, own.id, copy.id]
