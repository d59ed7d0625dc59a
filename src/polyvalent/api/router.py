"""Find the operation for a path, and who is calling."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence

from polyvalent.accounts.identify import EXPECTED, identify
from polyvalent.api.jobs import schedule
from polyvalent.api.operation import Answer, Call, Operation
from polyvalent.errors import BadRequest, MethodNotAllowed, NotFound, Unauthorized

# Reads the body of a request, at most so many bytes of it.
Read = Callable[[int], Awaitable[bytes]]

# What callers without secrets may make us hold.
LARGEST_STRANGERS_BODY_BYTES = 64 * 1024
_BRACES = re.compile(r"\{(\w+)\}")
_ANY = "{}"
_Route = tuple[re.Pattern[str], Mapping[str, Operation]]


class Router:
    """
    Hold the operations by path; what none of them knows goes to the fallback.

    Literal segments win over parameters: /elements/keys is not the element "keys".
    """

    def __init__(self, operations: tuple[Operation, ...], *, fallback: Operation) -> None:
        self.operations = operations
        self._fallback = fallback
        by_path: dict[str, dict[str, Operation]] = {}
        for operation in operations:
            by_path.setdefault(operation.path, {})[operation.method] = operation
        ordered = sorted(by_path.items(), key=lambda item: _BRACES.sub("\uffff", item[0]))
        # By the number of segments and the first of them; a path that begins with a parameter is
        # where nothing else is known of the first segment, and behind all others where it is.
        self._routes: dict[tuple[int, str], list[_Route]] = {}
        for path, methods in ordered:
            self._routes.setdefault(_place(path), []).append((_compile(path), methods))
        for (size, name), routes in self._routes.items():
            if name != _ANY:
                routes.extend(self._routes.get((size, _ANY), ()))

    def methods(self, path: str) -> tuple[str, ...]:
        """Return the methods that a path takes; all of them where the fallback decides."""
        for pattern, methods in self._routes_at(path):
            if pattern.fullmatch(path):
                return tuple(sorted(methods))
        return ("DELETE", "GET", "PATCH", "POST", "PUT")

    async def answer(self, call: Call, *, read: Read) -> Answer:
        """
        Let the operation of a call answer it; its body is read once the caller is known.

        Raises NotFound, MethodNotAllowed, Unauthorized, and whatever the operation raises.
        """
        method = "GET" if call.method == "HEAD" else call.method
        for pattern, methods in self._routes_at(call.path):
            found = pattern.fullmatch(call.path)
            if found is None:
                continue
            operation = methods.get(method)
            if operation is None:
                raise MethodNotAllowed(
                    f"{call.method} is not offered on this path; it takes "
                    f"{', '.join(sorted(methods))}.",
                    allowed=tuple(sorted(methods)),
                )
            return await self._let_in(operation, call, parameters=found.groupdict(), read=read)
        return await self._let_in(self._fallback, call, parameters={}, read=read)

    def _routes_at(self, path: str) -> Sequence[_Route]:
        size, first = _place(path)
        found = self._routes.get((size, first))
        return self._routes.get((size, _ANY), ()) if found is None else found

    async def _let_in(
        self, operation: Operation, call: Call, *, parameters: Mapping[str, str], read: Read
    ) -> Answer:
        caller = call.caller
        call.progress.operation = operation
        most_bytes = call.platform.settings.max_body_bytes
        header = call.header("Authorization")
        if operation.access != "none" and (header or operation.access != "perhaps"):
            if operation is self._fallback and not header:
                raise NotFound(
                    f"There is nothing at {call.path[:200]!r}. Resources of an instance need the "
                    "header Authorization: User …, Organization …, Element …."
                )
            platform = call.platform
            caller = await identify(
                platform.ports.database, platform.ports.keys, header, callers=platform.callers
            )
            if operation.access in ("caller", "perhaps") and not caller.organization_proven:
                # An element token that nobody checks stands for nothing.
                raise Unauthorized(f"The organization secret is missing. {EXPECTED}")
        else:
            most_bytes = min(most_bytes, LARGEST_STRANGERS_BODY_BYTES)
        body = b"" if operation.takes_pieces else await read(most_bytes)
        call.path_parameters, call.caller, call.body = parameters, caller, body
        if operation.access == "element" and (cron := call.header("Elements-Schedule-Request")):
            if operation.takes_pieces:
                raise BadRequest(
                    "A call with a file cannot be scheduled. Send it without the header "
                    "Elements-Schedule-Request."
                )
            return await schedule(call, cron)
        if not operation.changes_platform:
            return await operation.handle(call)
        try:
            return await operation.handle(call)
        finally:
            # Also after a failure: a part may have been done, and asking again costs little.
            call.platform.ports.memory.doubt()


def _place(path: str) -> tuple[int, str]:
    first = path.split("/", 2)[1]
    return path.count("/"), _ANY if first.startswith("{") else first


def _compile(path: str) -> re.Pattern[str]:
    parts = _BRACES.split(path)
    text = "".join(
        re.escape(part) if index % 2 == 0 else f"(?P<{part}>[^/]+)"
        for index, part in enumerate(parts)
    )
    return re.compile(text)
