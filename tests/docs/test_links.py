"""Links and file names in the documentation lead somewhere."""

from __future__ import annotations

import re

from tests.docs.pages import DOCS, ROOT, Page, anchor, pages

# Code in backticks that looks like a file of the repository.
FILE = re.compile(r"^(?:src|tests|docs|bin|benchmarks|requirements|\.ci)/[\w./{}*-]+$|^[A-Z]+\.md$")


def broken_links(page: Page) -> list[str]:
    """Return each link of a page that leads nowhere within the repository."""
    broken = []
    for link in page.links():
        if re.match(r"[a-z]+:", link):
            continue
        path, _, fragment = link.partition("#")
        if not path:
            if fragment not in page.anchors():
                broken.append(f"{page.path}: {link}: no such heading")
            continue
        target = (page.file.parent / path).resolve()
        if not target.exists():
            broken.append(f"{page.path}: {link} does not exist")
        elif fragment and target.suffix == ".md":
            other = Page(path=target.relative_to(ROOT).as_posix(), text=target.read_text("utf-8"))
            if fragment not in other.anchors():
                broken.append(f"{page.path}: {link}: no such heading")
    return broken


def missing_files(page: Page) -> list[str]:
    """Return each file that a page names in backticks and that is not there."""
    names = {code.partition(" ")[0].rstrip(".,:") for code in page.codes()}
    return [
        f"{page.path}: {name} does not exist"
        for name in sorted(names)
        if FILE.match(name) and "*" not in name and "{" not in name and not (ROOT / name).exists()
    ]


def test_a_heading_becomes_an_anchor():
    assert anchor("What `a.b` does") == "what-ab-does"
    assert anchor("POLYVALENT_DATA_DIR") == "polyvalent_data_dir"


def test_broken_links_are_found():
    page = Page(
        path="docs/x.md",
        text="[a](nowhere.md) [b](#none) [c](https://a.example)\n# Some\n[d](#some)",
    )

    assert len(broken_links(page)) == 2
    assert missing_files(Page(path="docs/x.md", text="`src/polyvalent/nothing.py` `bin/test`"))


def test_links_resolve():
    broken = [fault for page in pages() for fault in broken_links(page)]

    assert not broken, "\n".join(broken)


def test_files_that_are_named_exist():
    missing = [fault for page in pages() for fault in missing_files(page)]

    assert not missing, "\n".join(missing)


def test_every_page_can_be_reached_from_the_readme():
    known = {page.path: page for page in pages()}
    reached: set[str] = set()
    waiting = ["README.md"]
    while waiting:
        path = waiting.pop()
        if path in reached or path not in known:
            continue
        reached.add(path)
        page = known[path]
        for link in page.links():
            target = (page.file.parent / link.partition("#")[0]).resolve()
            if target.is_relative_to(ROOT):
                waiting.append(target.relative_to(ROOT).as_posix())

    assert not set(known) - reached


def test_decisions_are_listed_in_order():
    numbers = [file.name[:4] for file in sorted((DOCS / "decisions").glob("0*.md"))]
    index = (DOCS / "decisions" / "README.md").read_text("utf-8")

    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]
    assert re.findall(r"\]\((\d{4})-[\w-]+\.md\)$", index, re.MULTILINE) == numbers


def test_every_decision_has_its_five_parts():
    parts = ["Context", "Decision", "Consequences", "Alternatives", "Code"]

    for page in pages():
        if re.search(r"decisions/0", page.path):
            assert list(page.headings()[1:]) == parts, page.path
            assert page.text.count("\n") < 80, f"{page.path} is longer than a page"
