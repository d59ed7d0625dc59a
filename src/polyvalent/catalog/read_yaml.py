"""Read one YAML file as plain data, refusing what a person surely did not mean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from polyvalent.errors import Misconfigured

# The C parser is some ten times faster; wheels without it still work.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(file: Path) -> Any:
    """
    Return the content of a YAML file as mappings, lists, text, numbers and None.

    Raises Misconfigured, naming file and line: not readable, not YAML, or a mapping that gives
    the same key twice (YAML parsers keep the last silently). Effects: reads a file.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{file}: cannot be read: {error}") from error
    loader = _LOADER(text)
    try:
        node = loader.get_single_node()
        if node is None:
            raise Misconfigured(f"{file}: is empty.")
        _refuse_repeated_keys(node, file)
        return loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise Misconfigured(f"{file}: line {line}: {error.problem}") from error
    except yaml.YAMLError as error:
        raise Misconfigured(f"{file}: {error}") from error
    finally:
        loader.dispose()


def _refuse_repeated_keys(node: yaml.Node, file: Path) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                line = key.start_mark.line + 1
                raise Misconfigured(f"{file}: line {line}: {key.value!r} stands here twice.")
            seen.add(key.value)
            _refuse_repeated_keys(value, file)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_repeated_keys(item, file)
