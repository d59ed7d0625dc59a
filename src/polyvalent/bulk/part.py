"""
Keep rows in sealed files that are written once and never changed.

A file is written beside its place, made durable, and moved there; only a row of the database,
written after that, makes it real. So a crash leaves at most a file that nobody knows, and a
worker that wakes up late cannot change what its successor wrote. Many machines may share the
folder by a network mount.

Eight random bytes, then pieces of 256 KiB, each sealed with AES-256-GCM under the job's key and
bound to the file's name and its own number; from any byte of the content on a file can be read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from polyvalent.errors import Misconfigured, NotFound
from polyvalent.vault import Random

PIECE_BYTES = 256 * 1024
_TAG_BYTES = 16
_PREFIX_BYTES = 8
_NAME_BYTES = 12
_SUFFIX = ".part"
_UNFINISHED = ".new"


@dataclass(frozen=True, kw_only=True)
class Folder:
    """Hold where the files are, and the chance that names and seals them."""

    path: Path
    random: Random = field(repr=False)

    def write(self, content: bytes, *, bulk_id: int, key: bytes) -> str:
        """
        Write a file durably and return its name: "17/9f…e2.part".

        Raises Misconfigured if the folder takes nothing. Effects: a file; waits for the disk.
        """
        name = f"{bulk_id}/{self.random(_NAME_BYTES).hex()}{_SUFFIX}"
        place = self.path / name
        unfinished = place.with_suffix(_UNFINISHED)
        prefix, cipher, whole = self.random(_PREFIX_BYTES), AESGCM(key), memoryview(content)
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            place.parent.mkdir(mode=0o700, exist_ok=True)
            with open(unfinished, "xb", opener=_privately) as file:  # Path has no opener
                file.write(prefix)
                for number, begin in enumerate(range(0, len(whole), PIECE_BYTES)):
                    piece = whole[begin : begin + PIECE_BYTES]
                    file.write(cipher.encrypt(_nonce(prefix, number), piece, name.encode()))
                file.flush()
                os.fsync(file.fileno())
            unfinished.rename(place)
            _make_durable(place.parent)
        except OSError as error:
            with suppress(OSError):
                unfinished.unlink()
            raise Misconfigured(
                f"The folder of bulk files {self.path} cannot be written: {error.strerror}. Give "
                "it room and rights, or name another one by POLYVALENT_BULK_DIR."
            ) from error
        return name

    def read(self, name: str, *, key: bytes, size_bytes: int, begin: int = 0) -> Iterator[bytes]:
        """
        Read the content of a file piece by piece, from a byte on.

        Raises NotFound if the file is gone, Misconfigured if it was altered.
        """
        cipher = AESGCM(key)
        number, skip = divmod(begin, PIECE_BYTES)
        try:
            with (self.path / name).open("rb") as file:
                prefix = file.read(_PREFIX_BYTES)
                file.seek(_PREFIX_BYTES + number * (PIECE_BYTES + _TAG_BYTES))
                while number * PIECE_BYTES < size_bytes:
                    piece_bytes = min(PIECE_BYTES, size_bytes - number * PIECE_BYTES)
                    sealed = file.read(piece_bytes + _TAG_BYTES)
                    piece = cipher.decrypt(_nonce(prefix, number), sealed, name.encode())
                    yield piece[skip:] if skip else piece
                    skip = 0
                    number += 1
        except FileNotFoundError as error:
            raise NotFound(
                "The rows of this job are not there any more: they are kept for three days. Start "
                "the download again."
            ) from error
        except (InvalidTag, ValueError) as error:
            raise Misconfigured(f"The bulk file {name} was altered or cut; it is not used.") from (
                error
            )

    def remove(self, name: str) -> None:
        """Delete a file, and its job's folder with the last one; nothing if it is gone."""
        place = self.path / name
        with suppress(OSError):
            place.unlink()
        with suppress(OSError):
            place.parent.rmdir()

    def list_older(self, than_s: float) -> tuple[str, ...]:
        """List the files, finished or not, that were last changed before a moment (epoch)."""
        found = []
        for place in self.path.glob(f"*/*{_SUFFIX}"), self.path.glob(f"*/*{_UNFINISHED}"):
            for path in place:
                with suppress(OSError):  # swept by another meanwhile
                    if path.stat().st_mtime < than_s:
                        found.append(path.relative_to(self.path).as_posix())
        return tuple(sorted(found))


def _nonce(prefix: bytes, number: int) -> bytes:
    return prefix + number.to_bytes(4, "big")


def _privately(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _make_durable(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
