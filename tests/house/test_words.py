"""What no file of the repository may say, and what the settings' page must say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import pytest
import yaml

from tests.house.source import PACKAGE, ROOT, texts

# Put together here so that this file does not say them.
MACHINE_PATH = re.compile(r"(?<![\w.}<>-])/" + r"(?:work|root|home)/[\w.]")
REGISTRIES = ("py" + "pi.org", "python" + "hosted.org", "npm" + "js.", "debian" + ".org/debian")
CDNS = ("unp" + "kg.com", "jsdel" + "ivr.net", "cdn" + "js.", "fonts.google" + "apis")
LEFTOVER = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3)) + r")\b")
# Published by others and kept as published.
FOREIGN = re.compile(r"^LICENSE$|^src/polyvalent/.*/(assets|static|vendor)/.*\.(js|css|map)$")
# Where a vendor may be named besides its own folders.
FREE_TO_NAME = re.compile(r"^(docs|tests|benchmarks|examples)/|^[A-Z]+(\.md)?$|^pyproject\.toml$")


def search(pattern: re.Pattern[str], files: Mapping[str, str]) -> list[str]:
    """Return "path:line text" for each line that the pattern is found in."""
    return [
        f"{path}:{number} {line.strip()[:120]}"
        for path, text in files.items()
        if not FOREIGN.search(path)
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def vendors() -> Iterator[str]:
    """Yield the folder names under elements/ and the names that their elements show."""
    for manifest in PACKAGE.glob("elements/*/element.yaml"):
        yield manifest.parent.name
        name = (yaml.safe_load(manifest.read_text("utf-8")) or {}).get("name")
        if isinstance(name, str):
            yield name


def naming(names: set[str]) -> re.Pattern[str]:
    """Match a name, also as part of an identifier, but not within a longer word."""
    spelled = {form for name in names for form in (name, name.lower(), name.title(), name.upper())}
    words = "|".join(re.escape(form) for form in sorted(spelled, key=len, reverse=True))
    return re.compile(rf"(?:(?<![A-Za-z])|(?<=[a-z])(?=[A-Z]))(?:{words})(?![a-z])")


def foreign_names(files: Mapping[str, str], names: set[str]) -> list[str]:
    """Return each line of generic code that names a vendor."""
    own = tuple(
        f"src/polyvalent/{place}/{name}" for place in ("elements", "sandbox") for name in names
    )
    generic = {
        path: text
        for path, text in files.items()
        if not path.startswith(own) and not FREE_TO_NAME.search(path)
    }
    return search(naming(names), generic) if names else []


def undocumented(settings: str, page: str) -> set[str]:
    """Return the variables that settings.py knows and the page does not."""
    return set(re.findall(r"POLYVALENT_[A-Z_]+", settings)) - set(
        re.findall(r"POLYVALENT_[A-Z_]+", page)
    )


@pytest.mark.parametrize(
    ("pattern", "bad", "good"),
    [
        pytest.param(MACHINE_PATH, "see /" + "root/.cache", "a /roots/x, https://a.example/home/x"),
        pytest.param(
            re.compile("|".join(map(re.escape, REGISTRIES))), "from py" + "pi.org", "from a mirror"
        ),
        pytest.param(re.compile("|".join(map(re.escape, CDNS))), "//unp" + "kg.com/x", "/assets/x"),
        pytest.param(LEFTOVER, "# TO" + "DO: later", "# todos are issues"),
    ],
    ids=["a path of one machine", "a registry's host", "a CDN", "a leftover"],
)
def test_no_file_names(pattern, bad, good):
    assert search(pattern, {"a.py": bad})
    assert not search(pattern, {"a.py": good})

    found = search(pattern, texts())

    assert not found, "\n" + "\n".join(found)


def test_no_vendor_is_named_outside_its_own_folder():
    bad = {
        "src/polyvalent/hub/read.py": "class SquareReader: ...",
        "src/polyvalent/hub/path.py": "MY_SQUARE = OldSquare",
        "src/polyvalent/hub/call.py": 'if key == "square": ...',
        "src/polyvalent/hubs/shop.yaml": "# square_id",
    }
    good = {
        "src/polyvalent/hub/read.py": "x_squared = squares(x)",
        "src/polyvalent/elements/square/hooks.py": "square",
        "src/polyvalent/sandbox/square.py": "square",
        "docs/tutorial.md": "square",
        "README.md": "square",
    }
    assert len(foreign_names(bad, {"square"})) == len(bad)
    assert not foreign_names(good, {"square"})

    found = foreign_names(texts(), set(vendors()))

    assert not found, "\n" + "\n".join(found)


def test_the_settings_page_names_every_variable():
    assert undocumented("POLYVALENT_A, POLYVALENT_B", "## POLYVALENT_A") == {"POLYVALENT_B"}

    page = ROOT / "docs" / "reference" / "settings.md"

    assert page.exists(), "docs/reference/settings.md is not written"
    assert not undocumented((PACKAGE / "settings.py").read_text("utf-8"), page.read_text("utf-8"))
