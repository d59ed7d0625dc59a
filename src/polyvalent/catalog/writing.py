"""Say how a vendor answers writes: the extension member `writing` of a resource."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class WriteBatch(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """
    Tell how the vendor changes many rows in one call: a JSON list of them.

    Member `batch` of `Writing`, at the resource that changes one row.
    """

    vendor_path: str
    vendor_method: str
    rows_max: int
    # The member of each row that carries its id.
    key_field: str
    # Where the answer lists the rows that were written, and those that were not: the path of a
    # list of objects, or of ids. What is in neither list, or in both, is looked up.
    written: str = ""
    failed: str = ""
    # Members of an object of these lists: the row's id ("" means `key_field`), the vendor's words,
    # and what would be the status if the row were alone.
    answer_key: str = ""
    message: str = ""
    status: str = ""


class Writing(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """
    Tell how the vendor answers a write, where the platform's model has no word for it.

    Extension member `writing` of a resource.
    """

    # Statuses that mean "created" although they are not 2xx, when a Location header comes along.
    also_created: tuple[int, ...] = ()
    # Where the new row's id stands: the last path segment of the Location header.
    id_from: Literal["body", "location", "none"] = "body"
    # After the write, read the row with this GET resource and answer with it.
    read_back: str = ""
    # The fields that identify a row whatever its id: to look up a write whose fate is unknown.
    natural_key: tuple[str, ...] = ()
    # How an upload changes many rows in one call.
    batch: WriteBatch | None = None
