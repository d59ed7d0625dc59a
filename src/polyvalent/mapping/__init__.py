"""
Map objects between a vendor's form and the caller's, both ways.

`model` holds definitions and transformations as they stand on the wire, `path` reads and writes
places such as `items[*].sku`, `convert` turns values of one type into another, `merge` joins the
levels, `compile` makes a `Mapping` of a transformation.
"""

from polyvalent.mapping.compile import Mapping, Moves, Row, compile_mapping
from polyvalent.mapping.merge import SYSTEM, merge_definitions, merge_levels
from polyvalent.mapping.model import (
    DefinitionField,
    Entry,
    MappedField,
    ObjectDefinition,
    Script,
    Transformation,
)
from polyvalent.mapping.path import Path, parse_path

__all__ = [
    "SYSTEM",
    "DefinitionField",
    "Entry",
    "MappedField",
    "Mapping",
    "Moves",
    "ObjectDefinition",
    "Path",
    "Row",
    "Script",
    "Transformation",
    "compile_mapping",
    "merge_definitions",
    "merge_levels",
    "parse_path",
]
