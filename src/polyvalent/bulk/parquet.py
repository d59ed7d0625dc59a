"""
Write rows as Parquet, where pyarrow is installed: `pip install "polyvalent[parquet]"`.

Members become columns: whole numbers, numbers, booleans and texts as such where all rows agree,
as text where they do not; objects and lists as JSON text. Rows are read twice, 10 000 at a time.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec
from typing import Any

import orjson

from polyvalent.errors import BadRequest

ROWS_AT_ONCE = 10_000
_ARROW = {"bool": "bool_", "int64": "int64", "double": "float64", "string": "string"}
_KINDS = {bool: "bool", int: "int64", float: "double", str: "string"}


def is_installed() -> bool:
    """Say whether Parquet can be written here."""
    return find_spec("pyarrow") is not None


def check_installed() -> None:
    """Raise BadRequest where Parquet cannot be written here, saying what to install."""
    if not is_installed():
        raise BadRequest(
            "This platform cannot write Parquet: its operator has to install it with "
            'pip install "polyvalent[parquet]". Fetch application/json or text/csv instead.'
        )


def write_parquet(lines: Callable[[], Iterator[bytes]]) -> Iterator[bytes]:
    """
    Write rows as one Parquet file, piece by piece; `lines` is asked for them twice.

    Raises BadRequest where pyarrow is not installed.
    """
    check_installed()
    import pyarrow as pa  # type: ignore[import-not-found,import-untyped,unused-ignore] # noqa: PLC0415
    import pyarrow.parquet as pq  # type: ignore[import-not-found,import-untyped,unused-ignore] # noqa: PLC0415

    kinds = _find_kinds(lines())
    schema = pa.schema([(name, getattr(pa, _ARROW[kind])()) for name, kind in kinds.items()])
    sink = _Sink()
    with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
        for rows in _in_batches(lines()):
            columns = [
                pa.array([_value(row.get(name), kind) for row in rows], type=field.type)
                for (name, kind), field in zip(kinds.items(), schema, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
            yield sink.take()
    yield sink.take()


class _Sink(io.RawIOBase):
    """Take what is written, to be given on at once; the writer only ever goes forward."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self._written_bytes = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._written_bytes

    def write(self, content: Any) -> int:
        piece = bytes(content)
        self._pieces.append(piece)
        self._written_bytes += len(piece)
        return len(piece)

    def take(self) -> bytes:
        content = b"".join(self._pieces)
        self._pieces.clear()
        return content


def _find_kinds(lines: Iterable[bytes]) -> dict[str, str]:
    kinds: dict[str, str] = {}
    for line in lines:
        for name, value in orjson.loads(line).items():
            if value is None:
                kinds.setdefault(name, "")
                continue
            kind = _KINDS.get(type(value), "string")
            if kind == "int64" and not -(2**63) <= value < 2**63:
                kind = "string"
            known = kinds.get(name, "")
            if known in ("", kind):
                kinds[name] = kind
            elif {known, kind} == {"int64", "double"}:
                kinds[name] = "double"
            else:
                kinds[name] = "string"
    return {name: kind or "string" for name, kind in kinds.items()}


def _value(value: Any, kind: str) -> Any:
    if value is None or (kind != "string"):
        return value
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _in_batches(lines: Iterable[bytes]) -> Iterator[list[dict[str, Any]]]:
    rows: list[dict[str, Any]] = []
    for line in lines:
        rows.append(orjson.loads(line))
        if len(rows) == ROWS_AT_ONCE:
            yield rows
            rows = []
    if rows:
        yield rows
