"""`polyvalent secrets`: before the first start, while it runs, and as JSON."""

from __future__ import annotations

import json
import re


def test_it_prints_one_json_object_before_anything_was_started(here, tmp_path):
    first = here("secrets", "--json", "--data-dir", str(tmp_path / "new" / "data"))
    again = here("secrets", "--json", "--data-dir", str(tmp_path / "new" / "data"))

    assert first.status == 0, first
    found = json.loads(first.out)
    assert list(found) == ["user", "organization"]
    assert re.fullmatch(r"[A-Za-z0-9+/]{43}=", found["user"])
    assert re.fullmatch(r"[0-9a-f]{32}", found["organization"])
    assert again.out == first.out
    assert (" ".join(first.err.split()), again.err) == (
        f"There was no platform in {tmp_path / 'new' / 'data'} yet; it was made now.",
        "",
    )


def test_it_shows_a_header_that_works_while_the_platform_runs(shell, fetch):
    with shell.start("serve", "--port", "0", "--json") as running:
        done = shell.run("secrets")
        header = re.search(r"Authorization: (User \S+, Organization \S+)\n", done.out)

        assert header, done
        assert fetch(f"{running.first['api']}/instances", authorization=header[1]) == (200, [])


def test_a_single_key_is_not_retired(here, tmp_path):
    place = ("--data-dir", str(tmp_path))
    here("secrets", *place)

    done = here("keys", "retire", *place)

    assert done.status == 0
    assert done.out.startswith("There was no old key: ")


def test_a_lost_key_file_is_not_replaced_by_a_new_one(here, tmp_path):
    place = ("--data-dir", str(tmp_path))
    assert here("secrets", *place).status == 0
    (tmp_path / "keys.json").unlink()

    done = here("secrets", *place)

    assert (done.status, done.out, done.err.count("\n")) == (1, "", 1)
    assert f"The key file {tmp_path}/keys.json is missing" in done.err
    assert not (tmp_path / "keys.json").exists()


def test_a_data_folder_that_is_a_file_is_named(here, tmp_path):
    (tmp_path / "file").write_text("")

    done = here("secrets", "--data-dir", str(tmp_path / "file"))

    assert (done.status, done.err.count("\n")) == (1, 1)
    assert "is a file. Name a folder with --data-dir" in done.err


def test_a_folder_that_cannot_be_made_is_told_in_one_line(here, tmp_path):
    (tmp_path / "file").write_text("")

    done = here("secrets", "--data-dir", str(tmp_path / "file" / "x"))

    assert (done.status, done.out, done.err.count("\n")) == (1, "", 1)
    assert str(tmp_path / "file") in done.err
