"""Every command that is printed is one that can be pasted."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
from pathlib import Path

import pytest
from typer.main import get_command

from polyvalent.cli.called import masked, place_of, spell
from polyvalent.cli.main import app
from polyvalent.settings import read_settings

ROOT = Path(__file__).resolve().parents[2]
CALLED = {"_POLYVALENT_COMMAND": "bin/polyvalent"}


def test_commands_are_spelled_as_they_are_called():
    text = "polyvalent serve; `bin/polyvalent secrets`; no polyvalent at all; X=1 polyvalent db"

    assert spell(text, name="./p") == (
        "./p serve; `bin/polyvalent secrets`; no polyvalent at all; X=1 ./p db"
    )


def test_every_command_is_known():
    for name in get_command(app).commands:
        assert spell(f"polyvalent {name}", name="./p") == f"./p {name}"


def test_the_script_hands_over_how_it_was_called(tmp_path):
    (tmp_path / "bin").mkdir()
    for name in ("polyvalent", "_environment.sh"):
        target = tmp_path / "bin" / name
        target.write_text((ROOT / "bin" / name).read_text("utf-8"))
        target.chmod(0o755)
    venv = tmp_path / ".venv"
    (venv / "bin").mkdir(parents=True)
    (tmp_path / "requirements").mkdir()
    for file in (tmp_path / "requirements" / "runtime.txt", venv / "installed-runtime.txt"):
        file.write_text("")
    (venv / "place").write_text(f"{tmp_path}\n\n")
    (venv / "bin" / "python").write_text('#!/bin/sh\necho "$_POLYVALENT_COMMAND"\n')
    (venv / "bin" / "python").chmod(0o755)

    done = subprocess.run(
        ["bin/polyvalent"], cwd=tmp_path, env={"PATH": os.environ["PATH"]},
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.stdout == "bin/polyvalent\n"


@pytest.mark.parametrize(
    "call", [("--help",), ("serve", "--help"), ("elements", "check", "--help")]
)
def test_help_shows_commands_as_they_are_called(shell, call):
    done = shell.run(*call, **CALLED)

    assert "bin/polyvalent" in done.out
    assert not re.search(r"(?<!bin/)polyvalent (serve|demo|elements|secrets)", done.out)


def test_an_error_shows_commands_as_they_are_called(shell):
    done = shell.run("instances", "list", **CALLED)

    assert "Start one with bin/polyvalent serve" in done.err


def test_a_command_finds_the_same_data_and_shows_no_password(tmp_path):
    settings = read_settings({}, home=tmp_path)
    elsewhere = dataclasses.replace(
        settings,
        database_url="postgresql://me:secret@db.internal/x?password=secret&sslmode=require",
        key_file=tmp_path / "k.json",
    )

    assert place_of(settings) == ("", f" --data-dir {tmp_path}/.polyvalent")
    before, after = place_of(elsewhere)
    assert "secret" not in before + after
    assert "postgresql://me:PASSWORD@db.internal/x?password=PASSWORD&sslmode=require" in before
    assert f"POLYVALENT_KEY_FILE={tmp_path}/k.json" in before


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.example/x", "https://a.example/x"),
        ("https://u:p@a.example/x", "https://u:PASSWORD@a.example/x"),
        ("postgresql://u@a/x", "postgresql://u@a/x"),
        ("u:p@a.example", "u:PASSWORD@a.example"),
        ("a.example:8080/x", "a.example:8080/x"),
    ],
)
def test_a_password_in_a_url_is_not_shown(url, shown):
    assert masked(url) == shown
