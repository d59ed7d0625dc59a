"""`polyvalent sandbox`: a store with a first line for programs and a block for people."""

from __future__ import annotations

import signal


def test_its_first_line_is_what_one_needs_to_connect(shell, fetch):
    with shell.start("sandbox", "magento", "--json", "--latency", "1", "--role", "limited",
                     "--products", "30", "--clock-skew", "90") as running:  # fmt: skip
        store = running.first
        _, info = fetch(f"{store['url']}/_sandbox/info")
        running.process.send_signal(signal.SIGTERM)
        status = running.process.wait(5)

    names = ("url", "consumerKey", "consumerSecret", "adminUser", "adminPassword")
    assert tuple(store) == names
    assert store == {name: info[name] for name in names}
    options = info["options"]
    assert (options["products"], options["admin_role"]) == (30, "limited")
    assert (options["latency_ms"], options["clock_skew_s"]) == (1, 90)
    assert status == 0


def test_a_value_out_of_bounds_is_a_wrong_call(shell):
    done = shell.run("sandbox", "magento", "--fail-rate", "2")

    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert "--fail-rate" in done.err
