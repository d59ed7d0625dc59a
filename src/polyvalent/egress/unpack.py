"""
Unpack the body of an answer, to a limit.

Pure. The client's own unpacking takes a gzip stream that was cut short for a whole one, and half
a list of orders for all of them; here it is an error.

Source: RFC 9110, section 8.4.1; RFC 1950 to 1952.
"""

from __future__ import annotations

import zlib

from polyvalent.egress.failure import BrokenAnswer, too_large

_GZIP_START = b"\x1f\x8b"
_GZIP_BITS = zlib.MAX_WBITS + 16
_MAX_MEMBERS = 16  # of one gzip body; each costs a copy of what follows
_MAX_LAYERS = 2


def unpack_body(packed: bytes, encodings: str, *, limit_bytes: int, place: str) -> bytes:
    """
    Undo the `Content-Encoding` of a body; "" and "identity" leave it as it is.

    Knows gzip and deflate, the latter with and without the zlib frame, as stores send both.
    Raises BrokenAnswer, with `place` in its message, for anything else, for a damaged or
    unfinished stream and for more than `limit_bytes`.
    """
    layers = [name.strip().lower() for name in encodings.split(",")]
    layers = [name for name in layers if name not in ("", "identity")]
    if len(layers) > _MAX_LAYERS:
        raise BrokenAnswer(f"The answer of {place} is packed {len(layers)} times over.", whole=True)
    body = packed
    for name in reversed(layers):
        if not body:
            break
        try:
            body = _unpack_layer(body, name, limit_bytes=limit_bytes, place=place)
        except zlib.error:
            raise BrokenAnswer(
                f"The answer of {place} is damaged: its body cannot be unpacked."
            ) from None
        if len(body) > limit_bytes:
            raise too_large(place, limit_bytes)
    return body


def _unpack_layer(packed: bytes, name: str, *, limit_bytes: int, place: str) -> bytes:
    # At most one byte more than the limit.
    if name in ("gzip", "x-gzip"):
        return _unpack_gzip(packed, limit_bytes=limit_bytes)
    if name == "deflate":
        # RFC 1950 section 2.2: method 8 in the low half byte, the first 16 bits divide by 31.
        framed = packed[0] & 0x0F == 8 and int.from_bytes(packed[:2]) % 31 == 0
        bits = zlib.MAX_WBITS if framed else -zlib.MAX_WBITS
        return _unpack_stream(packed, bits=bits, limit_bytes=limit_bytes)[0]
    raise BrokenAnswer(
        f"The answer of {place} is packed in a way that was not asked for; "
        "gzip and deflate are understood.",
        whole=True,
    )


def _unpack_gzip(packed: bytes, *, limit_bytes: int) -> bytes:
    content, rest = b"", packed
    for _ in range(_MAX_MEMBERS):
        room = limit_bytes - len(content)
        part, rest = _unpack_stream(rest, bits=_GZIP_BITS, limit_bytes=room)
        content += part
        # Padding after the last member means nothing.
        if len(content) > limit_bytes or not rest.startswith(_GZIP_START):
            return content
    raise zlib.error("too many members")


def _unpack_stream(packed: bytes, *, bits: int, limit_bytes: int) -> tuple[bytes, bytes]:
    # The content of one stream, at most one byte over the limit, and what follows it.
    stream = zlib.decompressobj(bits)
    content = stream.decompress(packed, limit_bytes + 1)
    if not stream.eof and len(content) <= limit_bytes:
        raise zlib.error("unfinished stream")
    return content, stream.unused_data
