"""The key file keeps the ring closed to others, whole, and fresh in every process."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from polyvalent.db.key_file import KeyFile, change_ring, open_key_file, read_ring
from polyvalent.errors import Misconfigured
from polyvalent.vault import KeyRing, Random, UnknownKey, add_term, digest, make_term, seal


def _adding(now: datetime, random: Random) -> Callable[[KeyRing], KeyRing]:
    return lambda ring: add_term(ring, make_term(random=random, created_at=now))


def test_is_made_once_and_closed_to_others(
    tmp_path: Path, now: datetime, random_bytes: Random
) -> None:
    path = tmp_path / "new" / "keys.json"
    made = open_key_file(path, now=now, random=random_bytes)
    again = open_key_file(path, now=now + timedelta(days=1), random=random_bytes)
    assert made.ring() == again.ring()
    assert made.ring().current.created_at == now
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["keys.json"]


def test_is_not_made_beside_secrets_of_another(
    tmp_path: Path, now: datetime, random_bytes: Random
) -> None:
    path = tmp_path / "keys.json"
    with pytest.raises(Misconfigured, match=r"is missing; .* Restore it from a backup"):
        open_key_file(path, now=now, random=random_bytes, may_make=False)
    assert not path.exists()


def test_is_closed_to_others_whatever_the_umask(
    tmp_path: Path, now: datetime, random_bytes: Random
) -> None:
    before = os.umask(0)
    try:
        open_key_file(tmp_path / "k.json", now=now, random=random_bytes)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "k.json").stat().st_mode) == 0o600


def test_starts_at_once_agree_on_one_ring(tmp_path: Path, now: datetime) -> None:
    def start(_number: int) -> str:
        return open_key_file(tmp_path / "k.json", now=now, random=os.urandom).ring().current_id

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(start, range(32)))) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["k.json"]


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_is_refused_while_others_can_read_it(keys: KeyFile, mode: int) -> None:
    keys.path.chmod(mode)
    with pytest.raises(Misconfigured, match="chmod 600"):
        read_ring(keys.path)


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: b"",
        lambda raw: raw[: len(raw) // 2],
        lambda raw: b"\xff" + raw,
        lambda raw: b"[]",
        lambda raw: raw.replace(b'"current": "', b'"current": "0'),
        lambda raw: raw.replace(b'"key": "', b'"key": "AAAA'),
        lambda raw: raw.replace(b'"terms"', b'"other"'),
    ],
)
def test_is_refused_when_damaged_without_showing_it(
    keys: KeyFile, damage: Callable[[bytes], bytes]
) -> None:
    raw = keys.path.read_bytes()
    secret = json.loads(raw)["terms"][0]["key"]
    keys.path.write_bytes(damage(raw))
    assert keys.path.read_bytes() != raw
    with pytest.raises(Misconfigured, match="backup") as caught:
        read_ring(keys.path)
    assert secret[:12] not in str(caught.value)
    assert caught.value.__cause__ is None


def test_is_missed_by_name(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="POLYVALENT_KEY_FILE"):
        KeyFile(tmp_path / "none.json").ring()


def test_says_when_it_cannot_be_made(tmp_path: Path, now: datetime, random_bytes: Random) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Misconfigured, match="cannot be written"):
        open_key_file(tmp_path / "file" / "k.json", now=now, random=random_bytes)


def test_gives_a_new_term_to_who_has_it_open(
    keys: KeyFile, now: datetime, random_bytes: Random
) -> None:
    running = KeyFile(keys.path)
    before = running.ring()
    assert running.ring() is before
    changed = change_ring(keys.path, _adding(now, random_bytes))
    assert running.ring() == changed != before
    assert stat.S_IMODE(keys.path.stat().st_mode) == 0o600


def test_opens_what_another_process_sealed_under_a_new_term(
    keys: KeyFile, now: datetime, random_bytes: Random
) -> None:
    running = KeyFile(keys.path)
    running.ring()
    changed = change_ring(keys.path, _adding(now, random_bytes))
    sealed = seal(changed, "s3cret", context="c", random=random_bytes)
    assert running.open(sealed, context="c") == "s3cret"


def test_does_not_open_under_a_key_of_another_file(
    keys: KeyFile, tmp_path: Path, now: datetime
) -> None:
    other = open_key_file(tmp_path / "other.json", now=now, random=os.urandom)
    sealed = seal(other.ring(), "s3cret", context="c", random=os.urandom)
    with pytest.raises(UnknownKey, match="Restore the key file"):
        keys.open(sealed, context="c")


async def test_looks_again_when_the_ring_changed_meanwhile(
    keys: KeyFile, now: datetime, random_bytes: Random
) -> None:
    asked = []

    async def look(ring: KeyRing) -> str | None:
        asked.append(ring.current_id)
        if len(asked) == 1:
            change_ring(keys.path, _adding(now, random_bytes))
            return None
        return digest(ring.current, "s", purpose="p")

    found = await keys.find(look)
    assert found is not None
    assert found.startswith(asked[1])
    assert len(set(asked)) == 2


async def test_looks_once_when_the_ring_is_the_same(keys: KeyFile) -> None:
    asked = []

    async def look(ring: KeyRing) -> str | None:
        asked.append(ring)
        return None

    assert await keys.find(look) is None
    assert len(asked) == 1


def test_changes_of_many_at_once_all_count(keys: KeyFile, now: datetime) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _n: change_ring(keys.path, _adding(now, os.urandom)), range(16)))
    assert len(keys.ring().terms) == 17


def test_hides_the_ring(keys: KeyFile) -> None:
    raw = json.loads(keys.path.read_text())
    assert raw["terms"][0]["key"] not in repr(keys)
