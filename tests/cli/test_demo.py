"""The demo: everything works, nothing is left."""

from __future__ import annotations

import io
import signal
import socket

import pytest
from rich.console import Console

from polyvalent.catalog.load import load_catalog
from polyvalent.cli.ask_platform import Client, Question, Reply
from polyvalent.cli.callback import Listener
from polyvalent.cli.demo_show import Screen
from polyvalent.cli.demo_stage import Plan, Stage, StepFailed
from polyvalent.egress import Door


def test_it_goes_through_every_step_and_ends_with_status_0(shell):
    done = shell.run("demo", "--exit")

    assert done.status == 0, done
    assert done.err == ""
    assert [f"\n{number}  " in done.out for number in range(1, 10)] == [True] * 8 + [False]
    for words in ("presses Authorize", "oauth_verifier=", "SHI-00001", "Ada", "Most likely:"):
        assert words in done.out
    assert "\x1b" not in done.out
    assert list((shell.home / "tmp").iterdir()) == []
    assert not shell.data_dir.exists()


def test_it_goes_on_until_it_is_stopped_and_what_it_prints_works(shell, fetch):
    with shell.start("demo", "--json") as running:
        demo = running.first
        authorization = f"User {demo['user']}, Organization {demo['organization']}"

        status, orders = fetch(
            f"{demo['api']}/hubs/ecommerce/orders?pageSize=2",
            authorization=f"{authorization}, Element {demo['elementToken']}",
        )
        assert list((shell.home / "tmp").iterdir()) != []
        running.process.send_signal(signal.SIGINT)
        ended = running.process.wait(5)

    assert (status, len(orders)) == (200, 2)
    assert ended == 0, running.err
    assert list((shell.home / "tmp").iterdir()) == []


def test_it_colors_json_and_leaves_addresses_as_they_are():
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, color_system="standard", highlight=False)
    lines = ["{", '  "id": 1', "}", "http://127.0.0.1:80/a", "  ?b=127.0.0.1"]

    Screen(console=console).reply(
        Reply(status=200, content={}, headers=(), elapsed_ms=1), lines=lines
    )

    shown = file.getvalue()
    assert "http://127.0.0.1:80/a\n" in shown
    assert "  ?b=127.0.0.1\n" in shown
    assert '"id": 1' not in shown


def test_a_port_that_is_taken_is_told_in_one_line(shell):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = shell.run("demo", "--exit", "--port", str(port))

    assert done.status == 1
    assert done.err.count("\n") == 1
    assert f"port {port}" in done.err
    assert list((shell.home / "tmp").iterdir()) == []


async def test_a_step_that_fails_is_named():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    async with Door() as door:
        stage = Stage(
            plan=Plan(simulator="magento", browser=False, leave=True, port=0, as_json=False),
            screen=Screen(console=Console(quiet=True)),
            element=load_catalog().find("magento"),
            client=Client(url=url, door=door),
            store=None,
            listener=Listener(url="http://127.0.0.1:1/callback", arrivals=None),
            secrets={},
            number=3,
        )

        with pytest.raises(StepFailed, match=r"^Step 3: "):
            await stage.ask(Question(method="GET", path="/elements"))
