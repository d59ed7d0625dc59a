"""
Keep answers to reads in the memory of this process, for instances that want it.

An answer is found again for the same instance at the same version, the same mappings, the same
path and query. A write of ours to the instance forgets all its answers, before it is sent and
after; an answer that was under way meanwhile is not kept. Writes by other processes and in the
store itself are not seen: an answer may be as old as its time to live.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from msgspec import structs

from polyvalent.catalog.element import Element
from polyvalent.hub.model import Answer
from polyvalent.hub.resolve import split_path
from polyvalent.instances.model import Instance

# What an instance with 0 gets.
ANSWERS_KEPT = 100
LIVES_S = 60
# One answer takes no more than this share of the memory.
SHARE = 8
INSTANCES_KEPT = 4096
# A ping proves that the connection works now; what is said of objects asks nobody anyway.
_LIVE = frozenset(("ping", "objects"))
# What an answer takes beside its body.
OVERHEAD_BYTES = 2048


Place = tuple[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """Tell one read from all others; the element is compared by identity."""

    instance: Instance
    element: Element
    mappings_version: int
    path: str  # as on the wire
    query: tuple[tuple[str, str], ...]

    @property
    def place(self) -> Place:
        """Return where the answer lies among those of the instance."""
        return self.path, self.query


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kept:
    made_of: tuple[int, Element, int]  # versions of instance and mappings, and the element
    answer: Answer
    size_bytes: int
    expires_at_s: float


@dataclass(kw_only=True, slots=True)
class _Shelf:
    # The answers of one instance, the one used longest ago first.
    answers: OrderedDict[Place, _Kept] = field(default_factory=OrderedDict)
    writing: int = 0  # writes under way
    mark: int = 0  # other after every begin and end of a write


class AnswerCache:
    """
    Hold answers, all instances together no more than `most_bytes`.

    `clock` counts seconds from any moment and never goes back.
    """

    def __init__(self, *, most_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most_bytes = most_bytes
        self._clock = clock
        self._shelves: OrderedDict[int, _Shelf] = OrderedDict()
        self._marks = 0  # one count for all, so that a shelf made anew has no old mark
        self.size_bytes = 0

    def find(self, question: Question) -> Answer | None:
        """Return the answer that a question got before, if it still holds."""
        shelf = self._shelves.get(question.instance.id)
        kept = shelf.answers.get(question.place) if shelf is not None else None
        if shelf is None or kept is None:
            return None
        if kept.expires_at_s <= self._clock() or not _is_made_of(kept, question):
            self._drop(shelf, question.place)
            return None
        shelf.answers.move_to_end(question.place)
        self._shelves.move_to_end(question.instance.id)
        return kept.answer

    def mark(self, instance_id: int) -> int:
        """Return what tells whether there was a write; `keep` wants it from before the read."""
        return self._shelf(instance_id).mark

    def keep(self, question: Question, answer: Answer, *, mark: int) -> None:
        """Keep an answer, unless the instance was written to since `mark` or it is too large."""
        instance = question.instance
        shelf = self._shelf(instance.id)
        size_bytes = len(answer.body) + len(str(question.query)) + OVERHEAD_BYTES
        if shelf.writing or shelf.mark != mark or size_bytes * SHARE > self._most_bytes:
            return
        self._drop(shelf, question.place)
        shelf.answers[question.place] = _Kept(
            made_of=(instance.version, question.element, question.mappings_version),
            answer=answer,
            size_bytes=size_bytes,
            expires_at_s=self._clock() + (instance.cache_time_to_live or LIVES_S),
        )
        self.size_bytes += size_bytes
        while len(shelf.answers) > (instance.max_cache_size or ANSWERS_KEPT):
            self._drop(shelf, next(iter(shelf.answers)))
        self._make_room()

    @contextmanager
    def writing(self, instance_id: int) -> Iterator[None]:
        """Forget the answers of an instance around a write to it."""
        shelf = self._shelf(instance_id)
        shelf.writing += 1
        self._forget(shelf)
        try:
            yield
        finally:
            shelf.writing -= 1
            self._forget(shelf)

    def _shelf(self, instance_id: int) -> _Shelf:
        shelf = self._shelves.get(instance_id)
        if shelf is None:
            if len(self._shelves) >= INSTANCES_KEPT:
                self._let_go_of_oldest()
            shelf = self._shelves[instance_id] = _Shelf(mark=self._marks)
        self._shelves.move_to_end(instance_id)
        return shelf

    def _let_go_of_oldest(self) -> None:
        for instance_id, shelf in self._shelves.items():
            if not shelf.writing:
                self._forget(shelf)
                del self._shelves[instance_id]
                return

    def _forget(self, shelf: _Shelf) -> None:
        self._marks += 1
        shelf.mark = self._marks
        for place in tuple(shelf.answers):
            self._drop(shelf, place)

    def _drop(self, shelf: _Shelf, place: Place) -> None:
        kept = shelf.answers.pop(place, None)
        if kept is not None:
            self.size_bytes -= kept.size_bytes

    def _make_room(self) -> None:
        # From the instance that was used longest ago.
        for shelf in tuple(self._shelves.values()):
            while self.size_bytes > self._most_bytes and shelf.answers:
                self._drop(shelf, next(iter(shelf.answers)))
            if self.size_bytes <= self._most_bytes:
                return


async def answer_with_cache(
    cache: AnswerCache, question: Question, *, method: str, ask: Callable[[], Awaitable[Answer]]
) -> Answer:
    """
    Answer a read from memory if it can be, and let a write forget what it may change.

    Where the instance has caching on, a read's answer says "hit" or "miss" in Elements-Cache.
    Raises what `ask` raises; nothing is kept then.
    """
    instance = question.instance
    if not instance.caching_enabled:
        return await ask()
    if method not in ("GET", "HEAD"):
        with cache.writing(instance.id):
            return await ask()
    if method != "GET" or split_path(question.path)[0] in _LIVE:
        return await ask()
    kept = cache.find(question)
    if kept is not None:
        return _say(kept, "hit")
    mark = cache.mark(instance.id)
    answer = await ask()
    cache.keep(question, answer, mark=mark)
    return _say(answer, "miss")


def _say(answer: Answer, outcome: str) -> Answer:
    return structs.replace(answer, headers=(*answer.headers, ("Elements-Cache", outcome)))


def _is_made_of(kept: _Kept, question: Question) -> bool:
    version, element, mappings_version = kept.made_of
    return (
        version == question.instance.version
        and element is question.element
        and mappings_version == question.mappings_version
    )
