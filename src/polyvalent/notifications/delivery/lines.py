"""
Keep deliveries in line: what is about the same goes one after the other. Pure.

Deliveries about different objects go beside each other. One that did not arrive holds back those
behind it, and what is about other objects goes on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping, Sequence


class Lines:
    """
    Say which delivery may be sent next.

    `ids` are deliveries in their order, `objects` what each is about, {7: ("orders/981",)};
    `blocked` wait behind something else, and with them all that is behind them.
    """

    def __init__(
        self, ids: Sequence[int], objects: Mapping[int, Collection[str]], blocked: Collection[int]
    ) -> None:
        self._followers: dict[int, list[int]] = {}
        self._ahead: dict[int, int] = {}
        self._ready: deque[int] = deque()
        last: dict[str, int] = {}
        out = set(blocked)
        for item in ids:
            keys = objects.get(item, ())
            ahead = {last[key] for key in keys if key in last}
            last.update(dict.fromkeys(keys, item))
            if item in out or ahead & out:
                out.add(item)
                continue
            self._ahead[item] = len(ahead)
            for one in ahead:
                self._followers.setdefault(one, []).append(item)
            if not ahead:
                self._ready.append(item)

    def take(self) -> int | None:
        """Take a delivery that may be sent now, None if none may."""
        return self._ready.popleft() if self._ready else None

    def note_arrived(self, item: int) -> None:
        """Let those go that waited for a delivery alone."""
        for follower in self._followers.pop(item, ()):
            self._ahead[follower] -= 1
            if not self._ahead[follower]:
                self._ready.append(follower)
