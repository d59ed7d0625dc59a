"""Read a multipart form as it comes in, so that its file need not be in memory."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from email.message import Message

from polyvalent.errors import BadRequest, UnsupportedMediaType

# Takes some bytes of the file.
Take = Callable[[bytes], Awaitable[None]]

_HEADERS_BYTES_MAX = 16 * 1024
_FIELD_BYTES_MAX = 64 * 1024
_PARTS_MAX = 50
_BOUNDARY = re.compile(r"[!-~](?:[ -~]{0,68}[!-~])?")


@dataclass(kw_only=True)
class Form:
    """Hold the fields of a form, and the name of its file; None if it had none."""

    fields: dict[str, str] = field(default_factory=dict, repr=False)
    file_name: str | None = None


async def read_form(
    content_type: str | None,
    pieces: AsyncIterator[bytes],
    *,
    file: str,
    take: Take,
    example: str,
) -> Form:
    """
    Read a form of which the part called `file` is given to `take`, piece by piece.

    `example` is how curl sends such a form, for whoever sends something else.
    Raises UnsupportedMediaType for another kind of body, BadRequest for a form that is cut short,
    has its file twice, or a field that is no text.
    """
    source = _Source(pieces=pieces, delimiter=b"\r\n--" + _read_boundary(content_type, example))
    form = Form()
    await source.skip_to_delimiter()
    for _ in range(_PARTS_MAX):
        if await source.ends():
            return form
        name, file_name = _read_disposition(await source.take_headers())
        if name == file:
            if form.file_name is not None:
                raise BadRequest(f"The form has more than one part {file}. Send one file a call.")
            form.file_name = file_name or ""
            async for piece in source.take_part():
                await take(piece)
            continue
        value = bytearray()
        async for piece in source.take_part():
            value += piece
            if len(value) > _FIELD_BYTES_MAX:
                raise BadRequest(f"The part {name[:80]!r} is longer than {_FIELD_BYTES_MAX} bytes.")
        try:
            form.fields[name] = value.decode()
        except UnicodeDecodeError as error:
            raise BadRequest(f"The part {name[:80]!r} is no UTF-8 text.") from error
    raise BadRequest(f"The form has more than {_PARTS_MAX} parts.")


@dataclass(kw_only=True)
class _Source:
    pieces: AsyncIterator[bytes] = field(repr=False)
    delimiter: bytes
    # The first boundary has no line end before it.
    held: bytes = field(default=b"\r\n", repr=False)

    async def skip_to_delimiter(self) -> None:
        async for _ in self.take_part():
            pass

    async def ends(self) -> bool:
        """Say whether the boundary that was just passed is the last; go behind its line if not."""
        await self._fill(2)
        if self.held.startswith(b"--"):
            return True
        line, rest = await self._cut(b"\r\n")
        if line.strip(b" \t"):
            raise _broken()
        self.held = rest
        return False

    async def take_headers(self) -> bytes:
        self.held = b"\r\n" + self.held
        head, self.held = await self._cut(b"\r\n\r\n")
        return head

    async def take_part(self) -> AsyncIterator[bytes]:
        """Give what stands before the next boundary, and go behind that."""
        while True:
            at = self.held.find(self.delimiter)
            if at >= 0:
                if at:
                    yield self.held[:at]
                self.held = self.held[at + len(self.delimiter) :]
                return
            # What may be the beginning of a boundary waits for the rest.
            safe = len(self.held) - len(self.delimiter) + 1
            if safe > 0:
                yield self.held[:safe]
                self.held = self.held[safe:]
            await self._more()

    async def _cut(self, end: bytes) -> tuple[bytes, bytes]:
        while end not in self.held:
            if len(self.held) > _HEADERS_BYTES_MAX:
                raise _broken()
            await self._more()
        head, _, rest = self.held.partition(end)
        return head, rest

    async def _fill(self, size: int) -> None:
        while len(self.held) < size:
            await self._more()

    async def _more(self) -> None:
        piece = await anext(self.pieces, None)
        if piece is None:
            raise _broken()
        self.held += piece


def _read_boundary(content_type: str | None, example: str) -> bytes:
    told = Message()
    told["Content-Type"] = content_type or "application/octet-stream"
    boundary = told.get_param("boundary")
    if told.get_content_type() != "multipart/form-data":
        raise UnsupportedMediaType(
            f"This call reads a form, multipart/form-data, such as curl {example} sends."
        )
    if not isinstance(boundary, str) or _BOUNDARY.fullmatch(boundary) is None:
        raise BadRequest("The header Content-Type has no boundary that a form could have.")
    return boundary.encode()


def _read_disposition(head: bytes) -> tuple[str, str | None]:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() != b"content-disposition":
            continue
        told = Message()
        told["Content-Disposition"] = value.strip().decode("utf-8", "replace")
        found = told.get_param("name", header="Content-Disposition")
        if isinstance(found, str) and found:
            return found, told.get_filename()
    raise BadRequest("A part of the form has no name: Content-Disposition: form-data; name=…")


def _broken() -> BadRequest:
    return BadRequest(
        "The form is broken or cut short: its last boundary is missing, or a part has no headers."
    )
