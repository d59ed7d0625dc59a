"""
Leave a place alone that fails all the time, and find out when it answers again.

After a number of failures in a row a place rests: nothing is sent to it, callers are told at
once when to come again. When the rest is over one call is let through; its answer ends the rest,
its failure begins another. What is known here is this process's own and ends with it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial

from polyvalent.errors import VendorBusy

_PORT = re.compile(r":\d*$")
# Scheme, and host with its port, without whatever stands before an "@".
_PLACE = re.compile(
    r"([A-Za-z][A-Za-z0-9+.-]*)://(?:[^/?#@]*+@)*+((?:\[[^/?#@\[\]]*+\])?[^/?#@\[\]]*+)(?=[/?#]|$)"
)
# A probe under way tells soon; whoever comes meanwhile asks again then.
PROBE_S = 2.0


@dataclass(kw_only=True, slots=True)
class _Trouble:
    # What is known of a place that failed and has not answered since.
    failures: int = 0
    rests_until_s: float = 0.0  # on the breaker's clock
    probing: bool = False


class Breaker:
    """
    Count the failures of places and keep calls from those that fail.

    `failures_max` failures in a row make a place rest for `rest_s` seconds. `clock` counts
    seconds from any moment and never goes back.
    """

    def __init__(
        self, *, failures_max: int, rest_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._failures_max = failures_max
        self._rest_s = rest_s
        self._clock = clock
        self._troubles: dict[tuple[int, str], _Trouble] = {}

    def calling(
        self, place: str, *, whose: int = 0, blames: bool = True
    ) -> AbstractContextManager[Callable[[bool], None]]:
        """
        Let a call to a place through and take its outcome: `note(failed)`.

        Calls of one organization, `whose`, count for it alone: what is asked of a place decides
        whether it fails. A call that ends without a note says nothing about the place. With
        `blames` false the note says nothing either, and the call is not the one that finds out
        whether a rest is over: where anybody may make a call, anybody could make it last.
        Raises VendorBusy while the place rests.
        """
        key = (whose, place)
        note = partial(self._note, key, blames=blames)
        trouble = self._troubles.get(key)
        return nullcontext(note) if trouble is None else self._watched(place, trouble, note)

    @contextmanager
    def _watched(
        self, place: str, trouble: _Trouble, note: partial[None]
    ) -> Iterator[Callable[[bool], None]]:
        probing = self._admit(place, trouble, probes=note.keywords["blames"])
        try:
            yield note
        finally:
            if probing:
                trouble.probing = False

    def _note(
        self,
        key: tuple[int, str],
        failed: bool,  # noqa: FBT001  # one word
        *,
        blames: bool,
    ) -> None:
        if not blames:
            return
        if failed:
            self._fail(key)
        elif key in self._troubles:
            del self._troubles[key]

    def count(self) -> dict[str, int]:
        """Count the places in trouble: {"failing": 2, "resting": 1}."""
        failures = [trouble.failures for trouble in self._troubles.values()]
        resting = sum(number >= self._failures_max for number in failures)
        return {"failing": len(failures) - resting, "resting": resting}

    def _admit(self, place: str, trouble: _Trouble, *, probes: bool) -> bool:
        # True for the one call that finds out whether a rest is over.
        if trouble.failures < self._failures_max:
            return False
        left_s = trouble.rests_until_s - self._clock()
        if left_s > 0 or trouble.probing:
            raise VendorBusy(
                f"{place} failed {trouble.failures} times in a row, so it is left alone for a "
                "while and nothing was sent. It is asked again by itself; try later.",
                retry_after_s=max(left_s, PROBE_S),
            )
        trouble.probing = probes
        return probes

    def _fail(self, key: tuple[int, str]) -> None:
        trouble = self._troubles.setdefault(key, _Trouble())
        trouble.failures += 1
        if trouble.failures >= self._failures_max:
            trouble.rests_until_s = self._clock() + self._rest_s


def place_of(url: str) -> str:
    """
    Return the place that a URL leads to: "https://Shop.example/a?b" → "shop.example".

    Another port is another place: "http://shop.example/" → "shop.example:80".
    """
    found = _PLACE.match(url)
    if found is None:
        return ""  # no address at all, which whoever sends it says better
    scheme, place = found[1].lower(), found[2].lower()
    if scheme == "http":
        return place if _PORT.search(place) else f"{place}:80"
    return place.removesuffix(":443")
