"""Keep what was made of things that live long, found again by identity: comparing takes longer."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import wraps
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")


def by_identity(*, kept: int) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """
    Keep what a function returns, so many times; errors are not kept.

    Arguments without a name are compared by identity, those with one by value: `plan(element,
    where="a = 1")` is made again for another element, be it equal or not. What was made first is
    forgotten first. The arguments live as long as what was made of them, so that nothing else can
    take their identity meanwhile.
    """

    def decorate(make: Callable[_P, _R]) -> Callable[_P, _R]:
        made: dict[tuple[Hashable, ...], tuple[object, _R]] = {}

        @wraps(make)
        def find(*things: _P.args, **named: _P.kwargs) -> _R:
            key = (*map(id, things), *named.values())
            found = made.get(key)
            if found is None:
                found = (things, make(*things, **named))
                if len(made) >= kept:
                    made.pop(next(iter(made)), None)
                made[key] = found
            return found[1]

        return find

    return decorate
