"""A caller is identified by secrets that are right and belong together, and by nothing less."""

from __future__ import annotations

import itertools
import os
import traceback
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from polyvalent.accounts import sql
from polyvalent.accounts.identify import Callers, identify, read_authorization
from polyvalent.accounts.model import Secrets
from polyvalent.db import Database
from polyvalent.db.key_file import KeyFile
from polyvalent.db.rotate import RETIRE_AFTER_S, retire, rotate
from polyvalent.errors import Unauthorized
from polyvalent.vault import Random, Secret

SECRET = st.text(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=", min_size=1, max_size=60
)


@given(SECRET, SECRET, SECRET, st.permutations(["User", "Organization", "Element"]))
def test_reads_the_pairs_in_any_order(
    user: str, organization: str, element: str, order: list[str]
) -> None:
    pairs = {"User": user, "Organization": organization, "Element": element}
    wanted = Secrets(user=Secret(user), organization=Secret(organization), element=Secret(element))
    for join in (", ", ",", " , "):
        assert read_authorization(join.join(f"{name} {pairs[name]}" for name in order)) == wanted


@pytest.mark.parametrize("scheme", ["Element", "element", "ELEMENT", "Token", "token"])
def test_reads_schemes_without_case_and_token_as_element(scheme: str) -> None:
    assert read_authorization(f"{scheme} a+/b=") == Secrets(element=Secret("a+/b="))


@pytest.mark.parametrize(
    "header",
    [
        "User",
        "User ",
        "User x y",
        "Bearer s3cret",
        "User s3cret, Organization",
        "User s3cret,",
        "User s3cret; Organization other",
        "User s3cret, User other",
        "Element s3cret, Token other",
        "s3cret",
        "User s3cret\N{LATIN SMALL LETTER E WITH ACUTE}",
        "User s3cret\ud800",
        "User s3cret\0",
        ",",
    ],
)
def test_refuses_other_headers_with_the_form_it_expects(header: str) -> None:
    with pytest.raises(Unauthorized, match="User <user secret>, Organization <org") as caught:
        read_authorization(header)
    assert "s3cret" not in str(caught.value)


@given(st.text(max_size=80))
def test_reads_or_refuses_any_text(header: str) -> None:
    try:
        read_authorization(header)
    except Unauthorized:
        return


def test_hides_what_it_read() -> None:
    assert "s3cret" not in repr(read_authorization("User s3cret, Organization s3cret"))


async def test_identifies_the_default_user(
    database: Database, keys: KeyFile, secrets: dict[str, str]
) -> None:
    pairs = [f"User {secrets['user']}", f"organization {secrets['organization']}"]
    for order in itertools.permutations(pairs):
        caller = await identify(database, keys, ", ".join(order))
        assert caller.account.organization_id == caller.organization.id
        assert caller.user.account_id == caller.account.id
        assert caller.account.is_default
        assert caller.element_token is None


async def test_needs_no_organization_where_an_element_is_named(
    database: Database, keys: KeyFile, secrets: dict[str, str]
) -> None:
    caller = await identify(database, keys, f"Element t0ken=, User {secrets['user']}")
    assert caller.element_token == Secret("t0ken=")
    assert "t0ken" not in repr(caller)


async def test_refuses_every_incomplete_or_wrong_header(
    database: Database, keys: KeyFile, secrets: dict[str, str]
) -> None:
    user, organization = secrets["user"], secrets["organization"]
    wrong = [
        None,
        "",
        "  ",
        f"User {user}",
        f"Organization {organization}",
        "Element x",
        f"Organization {organization}, Element x",
        f"User {user[:-1]}, Organization {organization}",
        f"User {user.swapcase()}, Organization {organization}",
        f"User {user}, Organization {organization.upper()}x",
        f"User {user}, Organization {organization[:-1]}",
        f"User {organization}, Organization {user}",
        f"User {user}, Organization {user}",
        f"User {user}, Organization {organization[::-1]}, Element x",
        f"User x, Organization {organization}, Element x",
    ]
    for header in wrong:
        with pytest.raises(Unauthorized) as caught:
            await identify(database, keys, header)
        assert "Authorization: User <user secret>" in caught.value.message
        shown = "".join(traceback.format_exception_only(caught.value))
        assert user not in shown
        assert organization not in shown


async def test_refuses_secrets_of_two_organizations(
    database: Database,
    keys: KeyFile,
    secrets: dict[str, str],
    now: datetime,
    random_bytes: Random,
) -> None:
    other = await _add_organization(database, keys, now=now, random=random_bytes)
    mine = await identify(
        database, keys, f"User {secrets['user']}, Organization {secrets['organization']}"
    )
    theirs = await identify(database, keys, f"User other-user, Organization other-{now.year}")
    assert mine.organization.id != theirs.organization.id == other
    for header in (
        f"User {secrets['user']}, Organization other-{now.year}",
        f"User other-user, Organization {secrets['organization']}",
        f"User {secrets['user']}, Organization other-{now.year}, Element x",
    ):
        with pytest.raises(Unauthorized, match="do not belong together"):
            await identify(database, keys, header)


@pytest.mark.parametrize("table", ["app_user", "account"])
async def test_refuses_the_inactive(
    database: Database, keys: KeyFile, secrets: dict[str, str], table: str
) -> None:
    header = f"User {secrets['user']}, Organization {secrets['organization']}"
    await identify(database, keys, header)
    async with database.transaction() as connection:
        await connection.execute(text(f"UPDATE {table} SET active = false"))
    with pytest.raises(Unauthorized):
        await identify(database, keys, header)


async def test_answers_from_the_cache_what_it_found_before(
    database: Database, keys: KeyFile, secrets: dict[str, str]
) -> None:
    callers = Callers({})
    header = f"User {secrets['user']}, Organization {secrets['organization']}"
    with pytest.raises(Unauthorized):
        await identify(database, keys, header + "x", callers=callers)
    assert callers.known == {}
    first = await identify(database, keys, header, callers=callers)
    assert len(callers.known) == 1
    assert await identify(database, keys, header, callers=callers) is first
    assert secrets["user"] not in repr(callers)


async def test_identifies_through_a_rotation(
    database: Database, keys: KeyFile, secrets: dict[str, str], now: datetime
) -> None:
    header = f"User {secrets['user']}, Organization {secrets['organization']}"
    running = KeyFile(keys.path)
    before = await identify(database, running, header)
    await rotate(database, keys, now=now, random=os.urandom)
    assert await identify(database, running, header) == before
    later = now + timedelta(seconds=RETIRE_AFTER_S)
    await retire(database, keys, now=later, random=os.urandom)
    assert await identify(database, running, header) == before


async def _add_organization(
    database: Database, keys: KeyFile, *, now: datetime, random: Random
) -> int:
    ring = keys.ring()
    async with database.transaction() as connection:
        organization = await sql.insert_organization(
            connection,
            name="Other",
            secret=Secret(f"other-{now.year}"),
            created_at=now,
            ring=ring,
            random=random,
        )
        account = await sql.insert_account(
            connection,
            organization_id=organization.id,
            name="Other",
            external_id="other",
            is_default=True,
            created_at=now,
        )
        await sql.insert_user(
            connection,
            account_id=account.id,
            email="other@localhost",
            first_name="Other",
            last_name="User",
            secret=Secret("other-user"),
            created_at=now,
            ring=ring,
            random=random,
        )
    return organization.id


def test_tells_a_name_that_stands_before_the_value() -> None:
    with pytest.raises(Unauthorized, match="once more; leave the second one out"):
        read_authorization("Authorization: User a, Organization b")
