"""Follow the resources that one call is made of, one after the other. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import structs

from polyvalent.catalog.element import Element, Hook, Resource
from polyvalent.errors import BadRequest
from polyvalent.hub.resolve import Match, find_resource, strip_hub
from polyvalent.hub.same import by_identity

MOST_CALLS = 5


def follow_chain(element: Element, match: Match) -> Match:
    """
    Return the match with what the last resource of its chain says of the answer.

    The answer to the last call is the answer. Raises BadRequest for a chain of more than 5
    calls, one that leads nowhere, and for resources with scripts, which are not run yet.
    """
    resource = _answering(element, match.resource)
    if resource is match.resource:
        return match
    return Match(resource=resource, path_parameters=match.path_parameters)


def list_chain(element: Element, first: Resource) -> tuple[Resource, ...]:
    """
    Return the resources of a chain, the first one included.

    By `nextResource`, such as "GET:/orders/{id}". Raises BadRequest as `follow_chain`.
    """
    links = [first]
    while named := links[-1].next_resource:
        if len(links) == MOST_CALLS:
            raise BadRequest(
                f"{first.method} {strip_hub(first.path)} is a chain of more than {MOST_CALLS} "
                "calls; that many are made at most."
            )
        method, _, path = named.partition(":")
        following = find_resource(element, method.strip().upper(), path.strip())
        if following is None:
            raise BadRequest(
                f"{links[-1].method} {strip_hub(links[-1].path)} leads on to {named[:100]}, which "
                "is no resource of the element."
            )
        links.append(following)
    return tuple(links)


@by_identity(kept=1024)
def _answering(element: Element, first: Resource) -> Resource:
    links = list_chain(element, first)
    scripts = [
        f"{place} ({', '.join(sorted({hook.type for hook in found}))})"
        for place, found in _scripts(element, links)
        if found
    ]
    if scripts:
        raise BadRequest(
            f"This call needs scripts, which are not run yet: those of {'; '.join(scripts)}. "
            "Take the hooks out of the resource to call it without them."
        )
    last = links[-1]
    if len(links) == 1:
        return first
    return structs.replace(
        first,
        root_key=last.root_key,
        next_page_key=last.next_page_key,
        object=last.object or first.object,
        parameters=(
            *(item for item in first.parameters if item.source == "request"),
            *(item for item in last.parameters if item.source == "response"),
        ),
    )


def _scripts(
    element: Element, links: tuple[Resource, ...]
) -> Iterator[tuple[str, tuple[Hook, ...]]]:
    yield "the element", _running(element.hooks)
    for item in links:
        yield f"{item.method} {strip_hub(item.path)}", _running(item.hooks)


def _running(hooks: tuple[Hook, ...]) -> tuple[Hook, ...]:
    return tuple(hook for hook in hooks if hook.type != "event")
