"""
Keep the key ring in a file of its own, outside the database that it opens.

One JSON object, mode 0600, replaced as a whole and never edited in place::

    {"current": "9f3a01bc",
     "terms": [{"id": "9f3a01bc", "key": "<base64>", "created_at": "2026-11-23T18:00:00+00:00"}]}

Losing this file loses every secret in the database: back it up apart from the database.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from polyvalent.errors import Misconfigured
from polyvalent.vault import (
    KeyRing,
    Random,
    Term,
    UnknownKey,
    make_term,
    open_sealed,
)

T = TypeVar("T")


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    key: bytes
    created_at: datetime


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    current: str
    terms: tuple[_Entry, ...]


class KeyFile:
    """
    Give the key ring as the file has it now, so that a rotation reaches running processes.

    Ask for the ring once for each operation and keep it no longer: a rotation retires a term
    when no operation can hold an older ring any more.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ring: KeyRing | None = None
        self._stamp: tuple[int, int, int] | None = None

    def ring(self) -> KeyRing:
        """
        Return the ring, read again if the file was replaced; otherwise this costs one `stat`.

        Raises Misconfigured if the file is missing, readable by others, or no key ring.
        """
        try:
            found = self.path.stat()
        except OSError as error:
            raise _unreadable(self.path, error) from error
        stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
        if self._ring is None or stamp != self._stamp:
            self._ring = read_ring(self.path)
            self._stamp = stamp
        return self._ring

    def open(self, sealed: str, *, context: str) -> str:
        """
        Open a sealed value, looking for new terms in the file if its key is unknown.

        Raises UnknownKey and SealBroken as `vault.open_sealed` does.
        """
        try:
            return open_sealed(self.ring(), sealed, context=context)
        except UnknownKey:
            self._stamp = None
            return open_sealed(self.ring(), sealed, context=context)

    async def find(self, look: Callable[[KeyRing], Awaitable[T | None]]) -> T | None:
        """
        Look a row up by a digest, and once more if the ring changed meanwhile.

        `keys.find(lambda ring: sql.find_user(connection, vault.digests(ring, secret, ...)))`.
        A rotation puts the new term into the file before it digests any row anew, so a row
        that is not found although the ring stayed the same does not exist.
        """
        ring = self.ring()
        found = await look(ring)
        if found is None and (newer := self.ring()) is not ring:
            return await look(newer)
        return found

    def __repr__(self) -> str:
        """Name the file, not what is in it."""
        return f"KeyFile({str(self.path)!r})"


def open_key_file(path: Path, *, now: datetime, random: Random, may_make: bool = True) -> KeyFile:
    """
    Open the key file, made with one fresh term if there is none.

    Of two processes that make it at once, one wins and the other uses the winner's. Beside a
    database that holds secrets already a new one would open none of them: `may_make` is False.
    Raises Misconfigured if the file is readable by others, damaged, missing, or cannot be made.
    """
    keys = KeyFile(path)
    if not path.exists():
        if not may_make:
            raise Misconfigured(
                f"The key file {path} is missing; without it no secret in the database can be "
                "opened. Restore it from a backup, or let POLYVALENT_KEY_FILE name the right one."
            )
        term = make_term(random=random, created_at=now)
        _place(path, KeyRing(terms=(term,), current_id=term.id), replace=False)
    keys.ring()
    return keys


def read_ring(path: Path) -> KeyRing:
    """
    Read a key ring.

    Raises Misconfigured, telling what is wrong and what to do, without a key in it.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise _unreadable(path, error) from error
    with os.fdopen(descriptor, "rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & 0o077:
            raise Misconfigured(
                f"The key file {path} can be read by others (mode {mode:04o}). "
                f"Run: chmod 600 {path}"
            )
        raw = file.read()
    try:
        read = msgspec.json.decode(raw, type=_File)
        terms = tuple(
            Term(id=entry.id, master_key=entry.key, created_at=entry.created_at)
            for entry in read.terms
        )
        return KeyRing(terms=terms, current_id=read.current)
    except (msgspec.DecodeError, UnicodeDecodeError, Misconfigured):
        # Not chained: the cause could quote the file.
        raise Misconfigured(
            f"The key file {path} is damaged or no key ring. Restore it from a backup."
        ) from None


def change_ring(path: Path, change: Callable[[KeyRing], KeyRing]) -> KeyRing:
    """
    Replace the ring in the file by what `change` makes of it, and return that.

    One process at a time; readers see the old file or the new one, never a part, and the new
    one survives a power loss before this returns. Raises as `read_ring` does.
    """
    with _only_one(path):
        ring = change(read_ring(path))
        _place(path, ring, replace=True)
    return ring


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    guard = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(guard, fcntl.LOCK_EX)
        yield
    finally:
        os.close(guard)


def _place(path: Path, ring: KeyRing, *, replace: bool) -> None:
    entries = tuple(
        _Entry(id=term.id, key=term.master_key, created_at=term.created_at) for term in ring.terms
    )
    raw = msgspec.json.format(msgspec.json.encode(_File(ring.current_id, entries))) + b"\n"
    # A name no other process uses, never read; a crash can leave it behind, mode 0600 as well.
    draft = path.with_name(f".{path.name}.{os.getpid()}.{ring.current_id}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with os.fdopen(os.open(draft, flags, 0o600), "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            draft.rename(path)
        else:
            with suppress(FileExistsError):  # another process was first; its ring counts
                os.link(draft, path)
            draft.unlink()
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        raise Misconfigured(f"The key file {path} cannot be written: {error.strerror}.") from error


def _unreadable(path: Path, error: OSError) -> Misconfigured:
    return Misconfigured(
        f"The key file {path} cannot be read: {error.strerror}. Restore it from a backup, "
        "or let POLYVALENT_KEY_FILE name the right one."
    )
