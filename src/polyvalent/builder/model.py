"""Hold who looks at elements, and what was found."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec import structs

from polyvalent.accounts.model import Caller
from polyvalent.catalog.element import Element

# Numbers of elements that were brought along begin here, clear of those of the catalog.
FIRST_ELEMENT_ID = 100_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Reader:
    """Say for whom an element is looked up: an account of an organization."""

    organization_id: int
    account_id: int


def reader_of(caller: Caller | None) -> Reader | None:
    """Return the reader that a caller is; None, who sees the catalog alone, for nobody known."""
    if caller is None:
        return None
    return Reader(organization_id=caller.organization.id, account_id=caller.account.id)


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredElement:
    """Hold a row: an element, or with `extends_id` the resources that are added to another."""

    row_id: int
    account_id: int
    extends_id: int | None
    origin_id: int | None
    deleted: bool
    element: Element

    @property
    def element_id(self) -> int:
        """Return the number that callers know the element by."""
        return self.row_id + FIRST_ELEMENT_ID


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """
    Hold an element as one reader sees it.

    `element` is whole, `base` is without the reader's additions, which are in `additions`.
    `stored` is its row, None for an element of the catalog.
    """

    element: Element
    base: Element
    additions: Element | None = None
    stored: StoredElement | None = None

    def belongs_to(self, reader: Reader | None) -> bool:
        """Say whether the reader's account brought the element along."""
        return (
            self.stored is not None
            and reader is not None
            and self.stored.account_id == reader.account_id
        )

    def shown_to(self, reader: Reader | None) -> Element:
        """Return the element as a reader may see it: secrets of another account's are left out."""
        if self.stored is None or self.belongs_to(reader):
            return self.element
        return structs.replace(
            self.element,
            hooks=(),
            configuration=tuple(
                structs.replace(entry, default_value=None) if entry.type == "PASSWORD" else entry
                for entry in self.element.configuration
            ),
            resources=tuple(
                item
                if item.owner_account_id and reader and item.owner_account_id == reader.account_id
                else structs.replace(item, hooks=())
                for item in self.element.resources
            ),
        )
