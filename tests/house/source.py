"""
Hold the package's source as values that a house rule can look at.

A rule is a function from one module to complaints, each "path:line what is wrong".
"""

from __future__ import annotations

import ast
import contextlib
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "polyvalent"

KERNEL = frozenset({"exchange", "value", "date_mask", "auth", "ceql", "paging", "mapping", "vault"})
SURFACE = frozenset({"api", "console", "worker", "cli"})


@dataclass(frozen=True, kw_only=True)
class Module:
    """Hold one Python file: `path` is relative to the package, such as "hub/read.py"."""

    path: str
    text: str
    tree: ast.Module

    @property
    def area(self) -> str:
        """Return the package or module right under ours: "hub/read.py" is in "hub"."""
        return self.path.split("/")[0].removesuffix(".py")

    @property
    def name(self) -> str:
        """Return the file's name without its suffix."""
        return Path(self.path).stem

    def at(self, node: ast.AST, complaint: str) -> str:
        """Say where in this module something is wrong."""
        return f"{self.path}:{getattr(node, 'lineno', 1)} {complaint}"

    def line(self, number: int) -> str:
        """Return a line's text, counted from 1."""
        return self.text.splitlines()[number - 1]


Rule = Callable[[Module], Iterator[str]]


def parse(path: str, text: str) -> Module:
    return Module(path=path, text=text, tree=ast.parse(text))


@cache
def modules() -> tuple[Module, ...]:
    """Read every Python file of the package; one that does not parse fails a test of its own."""
    found = []
    for file in sorted(PACKAGE.rglob("*.py")):
        with contextlib.suppress(SyntaxError):
            found.append(parse(file.relative_to(PACKAGE).as_posix(), file.read_text("utf-8")))
    return tuple(found)


@cache
def texts() -> Mapping[str, str]:
    """Read every text file that git tracks, by path; others may be a reader's own, with secrets."""
    # A checkout may belong to another user, as in a container.
    git = ["git", "-c", f"safe.directory={ROOT}"]
    command = [*git, "ls-files", "--cached", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    found = {}
    for path in filter(None, listed.decode().split("\0")):
        try:
            found[path] = (ROOT / path).read_text("utf-8")
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue  # not text, or deleted and not yet committed
    return found


def hold(rule: Rule, *, broken_by: Mapping[str, str], kept_by: Mapping[str, str]) -> None:
    """Show that a rule can fail and can pass, then demand it of every module."""
    for path, text in broken_by.items():
        assert list(rule(parse(path, text))), f"the rule does not see that {path} breaks it"
    for path, text in kept_by.items():
        assert list(rule(parse(path, text))) == []

    complaints = [complaint for module in modules() for complaint in rule(module)]

    assert not complaints, "\n" + "\n".join(complaints)


def imports(module: Module) -> Iterator[tuple[ast.stmt, str]]:
    """Yield each import in full: `from .a import b` in hub/read.py is "polyvalent.hub.a.b"."""
    package = ("polyvalent", *Path(module.path).parent.parts)
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node, alias.name
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            source = ".".join((*start, *filter(None, [node.module])))
            for alias in node.names:
                yield node, f"{source}.{alias.name}"


def references(module: Module) -> Iterator[tuple[ast.expr, str]]:
    """Yield each use of an import with its full name: `dt.now` is "datetime.datetime.now"."""
    known = {}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name if alias.asname else alias.name.split(".")[0]
                known[alias.asname or first] = first
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                known[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    for node in ast.walk(module.tree):
        if isinstance(node, (ast.Name, ast.Attribute)):
            parts: list[str] = []
            inner: ast.expr = node
            while isinstance(inner, ast.Attribute):
                parts.append(inner.attr)
                inner = inner.value
            if isinstance(inner, ast.Name) and inner.id in known:
                yield node, ".".join([known[inner.id], *reversed(parts)])


def within(name: str, *packages: str) -> bool:
    """Say whether a dotted name is one of the packages or lies in one."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)
