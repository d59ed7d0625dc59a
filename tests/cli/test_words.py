"""Help and errors: what a person reads who does not know better yet."""

from __future__ import annotations

import pytest

from polyvalent import __version__

COMMANDS = {
    (): ("demo", "serve", "secrets", "connect", "elements", "instances", "sandbox", "keys", "db"),
    ("elements",): ("list", "show", "check"),
    ("instances",): ("list", "show", "delete"),
    ("keys",): ("rotate", "retire"),
    ("sandbox",): ("magento",),
    ("db",): ("upgrade",),
    ("traces",): ("show", "tail"),
}
LEAVES = ("demo", "serve", "secrets", "connect", "elements list", "instances show", "keys rotate",
          "db upgrade", "sandbox magento")  # fmt: skip


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_help_names_every_command(here, path):
    done = here(*path, "--help")

    assert done.status == 0
    missing = [name for name in COMMANDS[path] if f" {name} " not in done.out]
    assert not missing, done.out


@pytest.mark.parametrize("command", LEAVES)
def test_help_has_an_example(here, command):
    done = here(*command.split(), "--help")

    assert done.status == 0
    assert f"\n polyvalent {command}" in done.out, done.out


@pytest.mark.parametrize("command", ["serve", "connect", "elements check", "instances show"])
def test_help_speaks_of_values_as_people_do(here, command):
    done = here(*command.split(), "--help")

    assert not [word for word in ("<str>", "<int", "<=x", "{element}") if word in done.out]


def test_it_says_its_version(shell):
    done = shell.run("--version")

    assert (done.status, done.out) == (0, f"polyvalent {__version__}\n")


@pytest.mark.parametrize(
    ("call", "status", "words"),
    [
        ("nope", 2, "No such command 'nope'. Try: polyvalent --help"),
        ("serve --nope", 2, "No such option: --nope. Try: polyvalent serve --help"),
        ("serve --port 70000", 2, "it must be 65535 or less. Try: polyvalent serve --help"),
        ("serve --port x", 2, "'--port': it must be a whole number. Try"),
        ("serve --log-format x", 2, "auto, json or text"),
        ("demo --store x", 2, "there is no simulated store 'x'"),
        ("elements show nope", 1, "There is no element 'nope'. Known keys: magento."),
        ("elements check nope", 1, "Known keys: magento."),
        ("instances list --data-dir FOLDER", 1, "Start one with polyvalent serve"),
        ("keys rotate --data-dir FOLDER", 1, "There is no platform in "),
        ("db upgrade --database-url mysql://a", 1, "must look like"),
        ("connect magento", 2, "--store (Store address) is missing"),
        ("connect nope", 1, "There is no element 'nope'"),
    ],
)
def test_an_error_is_one_line(here, tmp_path, call, status, words):
    done = here(*(word.replace("FOLDER", str(tmp_path / "nope")) for word in call.split()))

    assert (done.status, done.out) == (status, ""), done
    assert done.err.startswith("polyvalent: ")
    assert done.err.count("\n") == 1
    assert words in done.err
    assert not (tmp_path / "nope").exists()


def test_a_variable_that_cannot_be_used_is_named(shell):
    done = shell.run("serve", POLYVALENT_EGRESS_ALLOW="everything")

    assert (done.status, done.err.count("\n")) == (1, 1)
    assert "POLYVALENT_EGRESS_ALLOW" in done.err


def test_debug_shows_where(here):
    done = here("elements", "show", "nope", "--debug")

    assert done.status == 1
    assert "Traceback" in done.err
    assert done.err.splitlines()[-1].startswith("polyvalent: There is no element")
