"""Say in words that the owner of a row about to be inserted has gone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import IntegrityError

from polyvalent.errors import NotFound


@contextmanager
def instance_there(instance_id: int) -> Iterator[None]:
    """
    Insert what belongs to an instance, and has no other constraint, inside the block.

    Raises NotFound if the instance was deleted since it was read; the transaction is lost then.
    """
    try:
        yield
    except IntegrityError as error:
        raise NotFound(f"Instance {instance_id} was deleted meanwhile.") from error
