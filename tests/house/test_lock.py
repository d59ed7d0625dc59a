"""The lock files: complete, in step with pyproject.toml, and free of any machine."""

from __future__ import annotations

import hashlib
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import partial
from importlib.metadata import packages_distributions

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house.source import ROOT, Module, hold, imports, parse, texts

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
DISTRIBUTIONS = packages_distributions()
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+?)(?: ; (.+?))?(?: \\)?$", re.MULTILINE)


def pins(kind: str) -> dict[tuple[str, str], str]:
    """Read a lock: (name, marker) to version."""
    text = (ROOT / "requirements" / f"{kind}.txt").read_text("utf-8")
    return {(name, marker): version for name, version, marker in PIN.findall(text)}


def missing(requirements: list[str], locked: dict[tuple[str, str], str]) -> list[str]:
    """Return the requirements that the lock does not satisfy here."""
    versions = {
        canonicalize_name(name): version
        for (name, marker), version in locked.items()
        if not marker or Marker(marker).evaluate()
    }
    return [
        text
        for text in requirements
        for wanted in [Requirement(text)]
        if not wanted.specifier.contains(versions.get(canonicalize_name(wanted.name), "0"))
        or canonicalize_name(wanted.name) not in versions
    ]


def undeclared(module: Module, declared: set[str]) -> Iterator[str]:
    """Say which imports of a module are of packages that the project does not name."""
    for node, name in imports(module):
        first = name.split(".")[0]
        if first in sys.stdlib_module_names or first in ("polyvalent", "tests", "benchmarks"):
            continue
        if not {canonicalize_name(d) for d in DISTRIBUTIONS.get(first, [first])} & declared:
            yield module.at(node, f"imports {name}, which pyproject.toml does not name")


def declared(requirements: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(text).name) for text in requirements}


def test_what_is_imported_is_declared():
    extras = PROJECT["project"]["optional-dependencies"].values()
    runtime = declared(PROJECT["project"]["dependencies"]).union(*map(declared, extras))
    every = runtime | declared(PROJECT["dependency-groups"]["dev"])
    undeclared_here = partial(undeclared, declared=runtime)
    hold(
        undeclared_here,
        broken_by={"hub/read.py": "import pytest", "api/a.py": "from pluggy import hooks"},
        kept_by={"hub/read.py": "import orjson, json\nfrom polyvalent import errors"},
    )

    others = [
        parse(path, text)
        for path, text in texts().items()
        if path.endswith(".py")
        and path.startswith(("tests/", "benchmarks/"))
        # Runs in an environment of its own, benchmarks/requirements.txt: it is what we compare to.
        and path != "benchmarks/gateway/common_build.py"
        and not path.startswith("benchmarks/bulk/with_")
    ]
    complaints = [line for module in others for line in undeclared(module, every)]

    assert not complaints, "\n" + "\n".join(complaints)


def test_the_lock_satisfies_the_project():
    assert missing(["aiohttp>=99", "no-such"], pins("runtime")) == ["aiohttp>=99", "no-such"]

    assert missing(PROJECT["project"]["dependencies"], pins("runtime")) == [], "run bin/lock"
    for extra, requirements in PROJECT["project"]["optional-dependencies"].items():
        assert missing(requirements, pins(extra)) == [], "run bin/lock"
    assert missing(PROJECT["dependency-groups"]["dev"], pins("test")) == [], "run bin/lock"


@pytest.mark.parametrize(
    ("less", "more"),
    [("runtime", "otel"), ("otel", "test"), ("runtime", "parquet"), ("parquet", "test")],
)
def test_each_lock_holds_the_one_before_it(less, more):
    different = {
        key: version for key, version in pins(less).items() if pins(more).get(key) != version
    }

    assert different == {}, "run bin/lock"


def test_every_pin_has_hashes_and_no_place():
    for kind in ("runtime", "otel", "parquet", "test"):
        text = (ROOT / "requirements" / f"{kind}.txt").read_text("utf-8")
        body = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
        entries = re.split(r"\n(?=\S)", body.strip())

        assert len(entries) == len(pins(kind)) > 0
        assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", entry) for entry in entries)
        assert not re.search(r"://|file:|--(extra-)?index|--find-links|/\w+/", body)


def test_the_pip_that_comes_along_is_the_one_named():
    script = (ROOT / "bin" / "bootstrap.py").read_text("utf-8")
    (wheel,) = (ROOT / "requirements").glob("pip-*.whl")

    assert f'"{wheel.name}"' in script
    assert hashlib.sha256(wheel.read_bytes()).hexdigest() in script
