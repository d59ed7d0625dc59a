"""Hold the rules on resources and objects; see `check`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from polyvalent.catalog.element import Element, Filtering, Resource
from polyvalent.catalog.placeholder import placeholders_of

METHODS = frozenset(("GET", "POST", "PUT", "PATCH", "DELETE"))
_OF_LISTS = frozenset(("in", "notIn"))


def resources_are_described(element: Element) -> Iterator[str]:
    """Find resources without a description or an operation name of their own."""
    for resource in _callable(element):
        if not resource.description.strip() or not resource.operation_id:
            yield f"{_name(resource)} lacks its description or operationId."
    counted = Counter(item.operation_id for item in _callable(element) if item.operation_id)
    for operation, count in counted.items():
        if count > 1:
            yield f"The operationId {operation} is there {count} times."


def paths_are_unique(element: Element) -> Iterator[str]:
    """Find resources that no call could tell apart, whatever their placeholders are called."""
    counted: Counter[str] = Counter()
    for resource in element.resources:
        path = resource.path
        for name in placeholders_of(path):
            path = path.replace(f"{{{name}}}", "{}")
        counted[f"{resource.type} {resource.method} {path}"] += 1
        if resource.method not in METHODS:
            yield f"{_name(resource)}: {resource.method} is no method that callers send."
    for name, count in counted.items():
        if count > 1:
            yield f"{name} is there {count} times."


def vendor_paths_are_bound(element: Element) -> Iterator[str]:
    """Find placeholders of vendor paths that nothing gives a value, and undeclared ids."""
    for resource in element.resources:
        names = set(placeholders_of(resource.path))
        given = names | {
            item.vendor_name for item in resource.parameters if item.vendor_type == "path"
        }
        for name in placeholders_of(resource.vendor_path):
            if name not in given:
                yield f"{_name(resource)}: nothing gives {{{name}}} of the vendor path a value."
        declared = {item.name for item in resource.parameters if item.type == "path"}
        for name in sorted(names - declared):
            yield f"{_name(resource)}: {{{name}}} is not declared as a path parameter."


def lists_are_paged(element: Element) -> Iterator[str]:
    """Find lists that would come whole or endlessly."""
    for resource in element.resources:
        if resource.collection is None:
            continue
        queries = {item.name for item in resource.parameters if item.vendor_type == "query"}
        paged = resource.pagination_type == "VENDOR_SUPPORTED"
        if paged and not {"page", "pageSize"} <= queries:
            yield f"{_name(resource)} is paged by the vendor and lacks page or pageSize."
        cursor = resource.collection.cursor_field and resource.collection.rows_after
        if resource.collection.past_the_end == "repeatsLast" and not (
            cursor and resource.collection.stable_order
        ):
            yield (
                f"{_name(resource)} repeats its last page, so it needs stableOrder, cursorField "
                "and rowsAfter."
            )
        if cursor and not any("{last}" in value for _, value in resource.collection.rows_after):
            yield f"{_name(resource)}: rowsAfter does not use {{last}}."
        before = resource.collection.rows_before
        if before and not any("{last}" in value for _, value in before):
            yield f"{_name(resource)}: rowsBefore does not use {{last}}."


def searches_are_complete(element: Element) -> Iterator[str]:
    """Find searches by fields that the object does not offer, or that could not be asked for."""
    objects = {item.name: item for item in element.objects}
    for resource in element.resources:
        filtering = resource.filtering
        if filtering is None:
            continue
        offered = objects.get(resource.object)
        known = {field.name for field in offered.fields} if offered is not None else set()
        for name in dict.fromkeys(_fields_of(filtering)):
            if name not in known:
                yield f"{_name(resource)} searches by {name}, which its object does not have."
        yield from (f"{_name(resource)}: {fault}" for fault in _check_pairs(filtering))


def _fields_of(filtering: Filtering) -> Iterator[str]:
    for item in filtering.filters:
        yield from item.fields
    yield from (*filtering.sorting.fields, *filtering.sorting.unique, *filtering.optional)


def _check_pairs(filtering: Filtering) -> Iterator[str]:
    said = {operator for operator, _ in filtering.operators}
    used = {operator for item in filtering.filters for operator in (*item.exact, *item.superset)}
    for operator in sorted(used - said):
        yield f"filtering has no word of the vendor's for {operator}."
    if used - _OF_LISTS and not filtering.pairs:
        yield "filtering lacks pairs."
    if used & _OF_LISTS and not filtering.list_pairs:
        yield "filtering lacks listPairs."
    if filtering.sorting.fields and not filtering.order_pairs:
        yield "filtering sorts and lacks orderPairs."
    if filtering.optional and not filtering.refused_by:
        yield "filtering has optional fields and does not say how they are refused."
    for pairs, known in (
        (filtering.pairs, ("n", "field", "operator", "value")),
        (filtering.list_pairs, ("n", "i", "field", "operator", "value")),
        (filtering.order_pairs, ("n", "field", "direction")),
    ):
        for pair in pairs:
            for name in placeholders_of("".join(pair)):
                if name not in known:
                    yield f"filtering does not know {{{name}}}."


def writes_are_answered(element: Element) -> Iterator[str]:
    """Find writes after which a caller would not learn what became of them."""
    reads = {item.path.split("/", 3)[-1] for item in element.resources if item.method == "GET"}
    for resource in element.resources:
        writing = resource.writing
        if writing is None:
            if resource.method == "POST" and resource.type == "api":
                yield f"{_name(resource)} creates rows and does not say where their id stands."
            continue
        if writing.read_back and writing.read_back.strip("/") not in reads:
            yield f"{_name(resource)}: readBack {writing.read_back} is no GET resource."
        if writing.also_created and writing.id_from != "location":
            yield f"{_name(resource)}: alsoCreated needs the id from the location."
        if writing.batch is not None:
            yield from (f"{_name(resource)}: {fault}" for fault in _check_batch(resource))


def _check_batch(resource: Resource) -> Iterator[str]:
    assert resource.writing is not None  # there is a batch
    batch = resource.writing.batch
    assert batch is not None
    if resource.method not in ("PATCH", "PUT") or len(placeholders_of(resource.path)) != 1:
        yield "a batch belongs to the resource that changes one row by its id."
    if placeholders_of(batch.vendor_path):
        yield f"the batch's vendorPath {batch.vendor_path} has a placeholder; rows have none."
    if batch.vendor_method not in METHODS - {"GET", "DELETE"}:
        yield f"the batch's vendorMethod {batch.vendor_method} sends no rows."
    if batch.rows_max < 2:
        yield "a batch has two rows at least: rowsMax."
    if any(item.vendor_type not in ("path", "body", "no-op") for item in resource.parameters):
        yield "a batch sends rows as they are, so all parameters must be the path's or the body."


def objects_are_known(element: Element) -> Iterator[str]:
    """Find resources of unknown objects, and objects whose own words do not agree."""
    names = {item.name for item in element.objects}
    for resource in _callable(element):
        if resource.object not in names:
            yield f"{_name(resource)} handles {resource.object or 'no object'}, which is none."
    for item in element.objects:
        fields = {field.name for field in item.fields}
        if item.primary_key_name and item.primary_key_name not in fields:
            yield f"Object {item.name}: its key {item.primary_key_name} is no field."
        dates = (item.created_date_name, item.updated_date_name)
        for name in (*dates, *item.search_configuration.fields):
            if name and name not in fields:
                yield f"Object {item.name}: {name} is no field."
        for name, text in (
            (item.created_date_name, item.created_date_format),
            (item.updated_date_name, item.updated_date_format),
        ):
            if bool(name) != bool(text):
                yield f"Object {item.name}: a date needs both its name and its format."


def chains_are_whole(element: Element) -> Iterator[str]:
    """Find chained calls that lead nowhere or are longer than five calls."""
    known = {f"{item.method}:/{item.path.split('/', 3)[-1]}": item for item in element.resources}
    for resource in element.resources:
        step, length = resource, 1
        while step.next_resource and length <= 5:
            following = known.get(step.next_resource)
            if following is None:
                yield f"{_name(resource)}: next resource {step.next_resource} is none."
                break
            step, length = following, length + 1
        if length > 5:
            yield f"{_name(resource)} begins a chain of more than five calls."


ResourceRule = Callable[[Element], Iterator[str]]
RESOURCE_RULES: tuple[ResourceRule, ...] = (
    resources_are_described,
    paths_are_unique,
    vendor_paths_are_bound,
    lists_are_paged,
    searches_are_complete,
    writes_are_answered,
    objects_are_known,
    chains_are_whole,
)


def _callable(element: Element) -> tuple[Resource, ...]:
    return tuple(item for item in element.resources if item.type == "api")


def _name(resource: Resource) -> str:
    return f"{resource.method} {resource.path}"
