"""
A store is connected by hand, then looked at and deleted; nothing secret is in the log.

One platform and one store serve all the tests of this file.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import urllib.parse
from dataclasses import dataclass
from typing import Any

import pytest

from polyvalent.catalog.load import load_catalog
from polyvalent.cli.connect_run import list_first
from polyvalent.cli.consent import Merchant, read_forms
from polyvalent.egress import Door
from polyvalent.settings import read_networks
from tests.cli.conftest import LONGEST_S, Running, Shell, make_shell


@dataclass(frozen=True, kw_only=True)
class World:
    shell: Shell
    store: dict[str, str]
    platform: Running
    secrets: dict[str, str]

    @property
    def application(self) -> tuple[str, ...]:
        return ("--store", self.store["url"], "--key", self.store["consumerKey"],
                "--secret", self.store["consumerSecret"])  # fmt: skip

    async def connect(self, *options: str, reject: bool = False) -> tuple[int, str, str]:
        """Run `connect` and be the merchant; return its status, output and error output."""
        process = self.shell.popen("connect", "magento", *self.application, "--json", *options)
        errors = ""
        while not (page := re.search(r"http\S+oauth_authorize\S+", errors)):
            line = process.stderr.readline()
            if not line:
                break
            errors += line
        if page:
            await self._visit(page[0], reject=reject)
        out, err = process.communicate(timeout=LONGEST_S)
        return process.returncode, out, errors + err

    async def _visit(self, page: str, *, reject: bool) -> None:
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(page).query))
        callback = query["oauth_callback"].partition("?")[0]
        async with Door(allow=read_networks("127.0.0.1/32")) as door:
            merchant = Merchant(
                door=door, user=self.store["adminUser"], password=self.store["adminPassword"]
            )
            if reject:
                location = f"{callback}?oauth_token={query['oauth_token']}&rejected=1"
            else:
                location, _ = await merchant.consent(page, callback=callback)
            await merchant.follow(location)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    shell = make_shell(tmp_path_factory.mktemp("world"))
    with (
        shell.start("sandbox", "magento", "--json", "--products", "20") as store,
        shell.start("serve", "--port", "0", "--json", POLYVALENT_LOG_LEVEL="debug") as platform,
    ):
        secrets = json.loads(shell.run("secrets", "--json").out)
        yield World(shell=shell, store=store.first, platform=platform, secrets=secrets)


async def test_it_connects_a_store_in_the_data_folder_that_is_being_served(world, fetch):
    status, out, err = await world.connect("--name", "Corner shop", "--tag", "north")

    assert status == 0, err
    made = json.loads(out)
    assert (made["name"], made["tags"], made["valid"]) == ("Corner shop", ["north"], True)
    user, organization = world.secrets["user"], world.secrets["organization"]
    header = f"User {user}, Organization {organization}, Element {made['token']}"
    answered, orders = fetch(
        f"{world.platform.first['api']}/hubs/ecommerce/orders?pageSize=2", authorization=header
    )
    assert (answered, len(orders)) == (200, 2)
    assert world.store["consumerSecret"] not in err


async def test_it_connects_a_store_through_a_platform_elsewhere(world):
    status, out, err = await world.connect(
        *("--server", world.platform.first["url"], "--user", world.secrets["user"]),
        *("--organization", world.secrets["organization"], "--data-dir", "/nonexistent"),
    )

    assert status == 0, err
    assert json.loads(out)["name"] == "My Magento store"


def test_wrong_secrets_of_a_platform_elsewhere_are_told_before_the_consent(world):
    swapped = ("--organization", world.secrets["user"], "--user", world.secrets["organization"])

    done = world.shell.run(
        *("connect", "magento", *world.application, "--json", *swapped),
        *("--server", world.platform.first["url"]),
    )

    assert (done.status, done.out) == (1, "")
    assert "oauth_authorize" not in done.err
    assert "does not let you in, so the store was not asked" in done.err
    assert "They look swapped" in done.err


async def test_a_second_instance_of_the_same_application_is_warned_of(world):
    await world.connect("--name", "Before")

    status, _, err = await world.connect("--name", "After")

    assert status == 0, err
    assert "(Before) is of this store already" in err.replace("\n  ", " ")


def test_the_option_for_another_callback_port_is_named(world):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = world.shell.run("connect", "magento", *world.application, "--callback-port", port)

    assert done.status == 1
    assert "Choose another one with --callback-port; --callback-port 0 takes" in done.err


def test_an_entry_that_the_element_has_not_is_refused_before_the_consent(world):
    done = world.shell.run("connect", "magento", *world.application, "--set", "store.ulr=x")
    other = world.shell.run("connect", "magento", *world.application, "--set", "foo=bar")

    assert (done.status, other.status) == (2, 2)
    assert "has no such entry. Did you mean store.url?" in done.err
    assert "Known: " in other.err


def test_what_people_look_at_first_stands_first():
    paths = list_first(load_catalog().find("magento"))

    assert [path.rpartition("/")[2] for path in paths[:3]] == ["orders", "products", "customers"]


async def test_a_merchant_who_declines_is_no_defect(world):
    status, out, err = await world.connect(reject=True)

    assert (status, out) == (1, "")
    assert err.splitlines()[-1] == (
        "polyvalent: Nothing was connected: the store says that the merchant declined. Ask the "
        "merchant, then start again."
    )


async def test_nobody_who_comes_back_is_waited_for_no_longer_than_asked(world):
    done = world.shell.run("connect", "magento", *world.application, "--timeout", "1")

    assert done.status == 1
    assert "Nobody came back within 1 s." in done.err.splitlines()[-1]


def test_a_wrong_secret_is_explained_before_anybody_is_bothered(world):
    wrong = (*world.application[:-1], "0" * 32)

    done = world.shell.run("connect", "magento", *wrong)

    assert done.status == 1
    assert "oauth_authorize" not in done.out
    assert done.err.count("\n") == 1
    assert "secret" in done.err
    assert "The store says: " in done.err


def test_instances_are_listed_shown_and_deleted_without_their_secrets(world, here):
    _, out, err = asyncio.run(world.connect("--name", "To be deleted", "--tag", "gone"))
    made: dict[str, Any] = json.loads(out or err)
    number = str(made["id"])
    place = ("--data-dir", str(world.shell.data_dir))

    listed = here("instances", "list", "--tag", "gone", "--json", *place)
    table = here("instances", "list", *place)
    shown = here("instances", "show", number, *place)
    as_json = here("instances", "show", number, "--json", *place)
    revealed = here("instances", "show", number, "--json", "--reveal", *place)
    kept = world.shell.run("instances", "delete", number, *place, text="n\n")
    deleted = here("instances", "delete", number, "--yes", *place)
    after = here("instances", "show", number, *place)

    assert [one["id"] for one in json.loads(listed.out)] == [made["id"]]
    assert "To be deleted" in table.out
    assert "To be deleted" in shown.out
    for text in (listed.out, table.out, shown.out, as_json.out):
        assert made["token"] not in text
        assert world.store["consumerSecret"] not in text
    assert json.loads(revealed.out)["token"] == made["token"]
    assert kept.status == 1
    assert deleted.out == f"Instance {number} is deleted.\n"
    assert after.status == 1
    assert f"There is no instance {number}. polyvalent instances list shows them." in after.err


def test_keys_are_rotated_while_the_platform_runs(world, here, fetch):
    place = ("--data-dir", str(world.shell.data_dir))
    rotated = here("keys", "rotate", *place)
    too_young = here("keys", "retire", *place)
    header = f"User {world.secrets['user']}, Organization {world.secrets['organization']}"

    assert rotated.status == 0, rotated.err
    assert "is current" in rotated.out
    assert too_young.status == 1
    assert json.loads(here("secrets", "--json", *place).out) == world.secrets
    status, _ = fetch(f"{world.platform.first['api']}/instances", authorization=header)
    assert status == 200


def test_nothing_secret_is_in_the_log_of_a_whole_flow(world, fetch):
    api, store = world.platform.first["api"], world.store
    query = {
        "apiKey": store["consumerKey"],
        "apiSecret": store["consumerSecret"],
        "callbackUrl": "https://app.example/auth",
        "siteAddress": store["url"],
    }
    path = "/elements/magento/oauth/token"
    _, temporary = fetch(f"{api}{path}?{urllib.parse.urlencode(query)}")
    wrong = query | {"apiSecret": "wrongsecretwrongsecret"}
    fetch(f"{api}{path}?{urllib.parse.urlencode(wrong)}")
    header = f"User {world.secrets['user']}, Organization {world.secrets['organization']}"
    body = {
        "element": {"key": "magento"},
        "providerData": {"oauth_token": temporary["token"], "oauth_verifier": "wrongverifier",
                         "secret": temporary["secret"]},
        "configuration": {"oauth.api.key": store["consumerKey"], "store.url": store["url"],
                          "oauth.api.secret": store["consumerSecret"],
                          "oauth.callback.url": "https://app.example/auth"},
        "name": "Never",
    }  # fmt: skip
    status, _ = fetch(f"{api}/instances", body=body, authorization=header)
    log = world.platform.err

    assert status >= 400
    assert log.count("/oauth/token") >= 2
    secrets = (*world.secrets.values(), *temporary.values(), store["consumerKey"],
               store["consumerSecret"], "wrongsecret", "wrongverifier")  # fmt: skip
    assert [secret for secret in secrets if secret in log] == []
    assert '"status":400,' in log or '"status":401,' in log
    assert '"error":"VendorRefused","problem":"signature_invalid"' in log
    assert all(json.loads(line)["level"] for line in log.splitlines())


def test_forms_of_a_page_are_read():
    page = """<input name="outside" value="1"><form id="a" action="/x" method="post">
    <input type="hidden" name="k&amp;" value="v&quot;"><input name="empty"></form>
    <input name="between"><form id="b"></form>"""

    forms = read_forms(page)

    assert (forms["a"].action, forms["a"].method) == ("/x", "POST")
    assert forms["a"].fields == {"k&": 'v"', "empty": ""}
    assert (forms["b"].method, forms["b"].fields) == ("GET", {})
