"""Where things stand: length and names of modules, docstrings, printing, events of the log."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.house.source import PACKAGE, SURFACE, Module, hold

EMPTY_NAMES = re.compile(r"services?|utils?|utilities|helpers?|managers?|base|common|misc")
LOGGERS = frozenset({"log", "logger", "_log", "_logger", "LOG", "LOGGER"})
LEVELS = frozenset({"debug", "info", "warning", "error", "critical", "exception"})


def is_short(module: Module) -> Iterator[str]:
    lines = module.text.count("\n")
    if lines >= 400:
        yield f"{module.path} has {lines} lines; a module stays under 400"


def says_what_it_is(module: Module) -> Iterator[str]:
    for part in module.path.removesuffix(".py").split("/"):
        if EMPTY_NAMES.fullmatch(part):
            yield f"{module.path} is named {part!r}, which says nothing about what it does"


def has_docstrings(module: Module) -> Iterator[str]:
    def look(body: list[ast.stmt], prefix: str) -> Iterator[str]:
        for node in body:
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                continue
            if node.name.startswith("_") or any(
                (isinstance(d, ast.Name) and d.id == "overload")
                or (isinstance(d, ast.Attribute) and d.attr in ("setter", "overload"))
                for d in node.decorator_list
            ):
                continue
            if not ast.get_docstring(node):
                yield module.at(node, f"{prefix}{node.name} has no docstring")
            if isinstance(node, ast.ClassDef):
                yield from look(node.body, f"{node.name}.")

    if not ast.get_docstring(module.tree) and module.text.strip():
        yield f"{module.path} has no docstring"
    yield from look(module.tree.body, "")


def prints_nothing(module: Module) -> Iterator[str]:
    if module.area in ("cli", "sandbox"):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Name) and node.id == "print":
            yield module.at(node, "prints; only the command line and the simulators do")


def logs_constant_events(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in LEVELS
            and isinstance(node.func.value, (ast.Name, ast.Attribute))
            and (getattr(node.func.value, "id", None) or getattr(node.func.value, "attr", ""))
            in LOGGERS
        ):
            event = node.args[0] if node.args else None
            if isinstance(event, ast.Constant) and isinstance(event.value, str):
                continue
            if isinstance(event, ast.Name) and event.id.isupper():
                continue
            yield module.at(node, "logs an event whose name is not a constant")


def catches_what_it_names(module: Module) -> Iterator[str]:
    if module.area in SURFACE or module.area == "sandbox":
        return
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.ExceptHandler):
            continue
        kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        names = {getattr(kind, "id", getattr(kind, "attr", None)) for kind in kinds}
        if not names & {None, "Exception", "BaseException"}:
            continue
        last = node.body[-1]
        if isinstance(last, ast.Raise) and last.exc is None:
            continue  # cleans up and lets it pass
        comment = re.sub(r"noqa(: *[A-Z0-9, ]+)?", "", module.line(node.lineno).partition("#")[2])
        if len(re.findall(r"[a-z]{2,}", comment)) < 3:
            yield module.at(node, "catches every error and gives no reason beside it")


def test_every_module_parses():
    for file in PACKAGE.rglob("*.py"):
        ast.parse(file.read_text("utf-8"), str(file))


def test_a_module_stays_under_400_lines():
    hold(is_short, broken_by={"hub/read.py": "\n" * 400}, kept_by={"hub/read.py": "\n" * 399})


def test_a_module_is_named_for_what_it_does():
    hold(
        says_what_it_is,
        broken_by={"hub/utils.py": "", "common/read.py": "", "service.py": ""},
        kept_by={"hub/read.py": "", "hub/based_on.py": ""},
    )


def test_everything_public_has_a_docstring():
    hold(
        has_docstrings,
        broken_by={
            "a.py": '"""Do."""\ndef read(): ...\n',
            "b.py": '"""Do."""\nclass C:\n    """Be."""\n    def read(self): ...\n',
            "c.py": "x = 1\n",
        },
        kept_by={"a.py": '"""Do."""\ndef _read(): ...\n', "__init__.py": ""},
    )


def test_only_the_command_line_and_the_simulators_print():
    hold(
        prints_nothing,
        broken_by={"hub/read.py": "print(1)", "hub/b.py": "f = print"},
        kept_by={"cli/demo.py": "print(1)", "hub/read.py": "fingerprint(1)"},
    )


def test_an_event_of_the_log_has_a_constant_name():
    hold(
        logs_constant_events,
        broken_by={
            "a.py": "log.info(f'read {x}')",
            "b.py": "self.log.error(name)",
            "c.py": "_log.info('a' + b)",
        },
        kept_by={
            "a.py": "log.info('instance_stored', id=3)",
            "b.py": "log.info(INSTANCE_STORED)",
            "c.py": "caller.error(name)",
        },
    )


def test_only_the_edge_catches_everything():
    hold(
        catches_what_it_names,
        broken_by={
            "hub/a.py": "try: f()\nexcept Exception: pass",
            "hub/b.py": "try: f()\nexcept: pass",
            "hub/c.py": "try: f()\nexcept (OSError, BaseException):  # noqa: BLE001\n    pass",
        },
        kept_by={
            "hub/a.py": "try: f()\nexcept Exception:\n    g()\n    raise",
            "hub/b.py": "try: f()\nexcept Exception:  # a hook may raise anything\n    pass",
            "hub/c.py": "try: f()\nexcept OSError: pass",
            "api/edge.py": "try: f()\nexcept Exception: pass",
        },
    )
