"""
Join the levels of transformations and definitions. Pure.

The levels, from the most specific: instance, account, organization, and `SYSTEM`, which is what
the platform itself brings along. A level replaces those above it, unless it inherits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from polyvalent.mapping.model import (
    Entry,
    MappedField,
    ObjectDefinition,
    Transformation,
    find_entry,
)

SYSTEM = "system"


def merge_levels(levels: Sequence[Transformation]) -> Transformation | None:
    """
    Return the transformation in force, None without any; the most specific level comes first.

    With an `inherit` entry a level's fields are added to those of the merged levels above it; the
    field of the same path replaces theirs. Fields, entries and scripts say which level they are
    of; scripts stand in the order in which they run, the least specific first.
    """
    if not levels:
        return None
    own, above = _mark(levels[0]), levels[1:]
    if not inherits(own):
        return own
    upper = merge_levels(above)
    if upper is None:
        return own
    paths = {field.path for field in own.fields}
    kinds = {entry.type for entry in own.configuration}
    return replace(
        own,
        vendor_name=own.vendor_name or upper.vendor_name,
        fields=(*(field for field in upper.fields if field.path not in paths), *own.fields),
        configuration=(
            *(entry for entry in upper.configuration if entry.type not in kinds),
            *own.configuration,
        ),
        scripts=(*upper.scripts, *own.scripts),
    )


def inherits(transformation: Transformation) -> bool:
    """Say whether a level asks to be merged with the levels above it."""
    return find_entry(transformation.configuration, "inherit") is not None


def merge_definitions(levels: Iterable[ObjectDefinition]) -> ObjectDefinition | None:
    """
    Return the union of definitions, None without any; the most specific level comes first.

    The fields say which level they are of; a path that two levels define stands there twice, the
    most specific first.
    """
    found = tuple(levels)
    if not found:
        return None
    fields = tuple(
        replace(field, level=field.level or level.level)
        for level in found
        for field in level.fields
    )
    return replace(found[0], fields=fields)


def _mark(level: Transformation) -> Transformation:
    def field(item: MappedField) -> MappedField:
        entries = tuple(entry(inner) for inner in item.configuration)
        return replace(item, level=item.level or level.level, configuration=entries)

    def entry(item: Entry) -> Entry:
        return replace(item, level=item.level or level.level)

    return replace(
        level,
        fields=tuple(field(item) for item in level.fields),
        configuration=tuple(entry(item) for item in level.configuration),
        scripts=tuple(replace(item, level=item.level or level.level) for item in level.scripts),
    )
