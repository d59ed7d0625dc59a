"""
Compare a recorded answer with the simulator's: status, content type, location, body shape.

Shape means: the same members, of each the same JSON type; of a collection the same rows in the
same order; of an error the same codes and texts; of an HTML page the same messages, forms and
inputs. Values of data are counted apart, they are no part of the agreement.
"""

import json
import re
import unicodedata
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

HEX = re.compile(r"\b[0-9a-f]{32}\b|\{hex32\}")
HOST = re.compile(r"https?://(?:127\.0\.0\.1|localhost)(?::(?!9999)\d+)+", re.IGNORECASE)


def normalized(text: str) -> str:
    """Replace what differs between any two stores: codes, own address, SQL statements."""
    text = HEX.sub("#", text)
    text = HOST.sub("http://store", text)
    text = re.sub(r"(, query was:|right syntax to use near).*", r"\1", text, flags=re.DOTALL)
    return re.sub(r"/key/[^/]+/", "/key/#/", text)


def differences(
    recorded: dict[str, Any], got: dict[str, Any], *, order: str | None = None
) -> list[str]:
    """
    List what disagrees; both sides are {"status", "headers", "body"}, header names lower.

    `order` is the attribute that the rows were sorted by: rows with equal values of it come in
    any order, with the vendor too, so there the values are compared instead of the ids.
    """
    found = []
    if recorded["status"] != got["status"]:
        found.append(f"status {recorded['status']}, got {got['status']}")
    for name in ("content-type", "location"):
        ours, theirs = (normalized(side["headers"].get(name, "")) for side in (got, recorded))
        if ours.lower() != theirs.lower():
            found.append(f"{name} {theirs!r}, got {ours!r}")
    if found:
        return [*found, f"body {recorded['body'][:150]!r}, got {got['body'][:150]!r}"]
    content_type = recorded["headers"].get("content-type", "")
    if order is not None and content_type.startswith("application/json"):
        values = [values_of(side["body"], order) for side in (recorded, got)]
        if values[0] and values[0] == values[1]:
            return []
    return body_differences(content_type, recorded["body"], got=got["body"])


def values_of(body: str, name: str) -> list[str]:
    """Return the values of one attribute in rows keyed by id, accents and case aside."""
    rows = json.loads(body)
    if not isinstance(rows, dict):
        return []
    shown = [unicodedata.normalize("NFKD", str(row.get(name, ""))) for row in rows.values()]
    return [text.lower() for text in shown if text]


def body_differences(content_type: str, recorded: str, *, got: str) -> list[str]:
    """Compare two bodies of one content type."""
    if not recorded or not got:
        return [] if recorded == got else [f"body {recorded[:80]!r}, got {got[:80]!r}"]
    if content_type.startswith("application/json"):
        return shape_differences(json.loads(recorded), json.loads(got), path="$")
    if content_type.startswith("application/xml"):
        trees = (xml_shape(ET.fromstring(text)) for text in (recorded, got))
        return shape_differences(*trees, path="$")
    if content_type.startswith("text/plain"):
        names = [[k for k, _ in parse_qsl(text)] for text in (recorded, got)]
        return [] if names[0] == names[1] else [f"names {names[0]}, got {names[1]}"]
    if content_type.startswith("text/html"):
        pages = [page_shape(text) for text in (recorded, got)]
        return [
            f"{name} {pages[0][name]}, got {pages[1][name]}"
            for name in pages[0]
            if pages[0][name] != pages[1][name]
        ]
    if normalized(recorded) != normalized(got):
        return [f"body {recorded[:200]!r}, got {got[:200]!r}"]
    return []


def shape_differences(recorded: Any, got: Any, *, path: str) -> list[str]:
    """Compare two JSON values by shape."""
    if type(recorded) is not type(got):
        return [f"{path}: {kind(recorded)}, got {kind(got)}"]
    if isinstance(recorded, list):
        if len(recorded) != len(got):
            return [f"{path}: {len(recorded)} members, got {len(got)}"]
        pairs = enumerate(zip(recorded, got, strict=True))
        return [d for i, (a, b) in pairs for d in shape_differences(a, b, path=f"{path}[{i}]")]
    if isinstance(recorded, dict):
        if is_collection(recorded) and list(recorded) != list(got):
            return [f"{path}: rows {list(recorded)[:12]}, got {list(got)[:12]}"]
        missing, extra = sorted(set(recorded) - set(got)), sorted(set(got) - set(recorded))
        found = [f"{path}: lacks {missing}"] if missing else []
        found += [f"{path}: has too much: {extra}"] if extra else []
        for key in recorded:
            if key in got:
                found += shape_differences(recorded[key], got[key], path=f"{path}.{key}")
        return found
    is_text = path.endswith((".message", ".code"))
    if is_text and normalized(str(recorded)) != normalized(str(got)):
        return [f"{path}: {recorded!r}, got {got!r}"]
    return []


def is_collection(value: dict[str, Any]) -> bool:
    """Tell whether an object is rows keyed by id."""
    return bool(value) and all(key.isdigit() for key in value)


def kind(value: Any) -> str:
    """Describe a value shortly."""
    return f"{type(value).__name__} {str(value)[:60]}"


def xml_shape(element: ET.Element) -> Any:
    """Turn XML into JSON-like data: names and nesting, texts of errors, emptiness of the rest."""
    if len(element):
        # Members come in the order of the rows' columns, which no client may rely on.
        return sorted(([child.tag, xml_shape(child)] for child in element), key=lambda m: m[0])
    if element.tag in ("message", "code"):
        return {"message": element.text}
    return "text" if element.text else None


def page_shape(html: str) -> dict[str, Any]:
    """Return what robots and people look for in a page."""
    forms = re.findall(r"<form\b[^>]*>", html)
    return {
        "messages": re.findall(r"<li><span>(.*?)</span></li>", html),
        "forms": [
            tuple(normalized(attribute(form, name)) for name in ("id", "action", "method"))
            for form in forms
        ],
        "inputs": sorted(
            {
                attribute(tag, "name")
                for tag in re.findall(r"<input\b[^>]*>", html)
                if attribute(tag, "name")
            }
        )
        if forms
        else [],
        "application": re.findall(r"<strong>((?!JavaScript).*?)</strong>", html),
        "error": re.findall(
            r"<title>(\d{3}[^<]*|Error \d{3}[^<]*|There has been an error[^<]*)</title>", html
        ),
        "verifier": bool(re.search(r"Verifier code: \S+", html)),
        "is_unavailable": html == "Service temporary unavailable",
    }


def attribute(tag: str, name: str) -> str:
    """Return an attribute of an HTML tag."""
    match = re.search(rf'\b{name}="([^"]*)"', tag)
    return match.group(1) if match else ""


def has_equal_values(content_type: str, recorded: str, *, got: str) -> bool:
    """Tell whether also the values agree, own address and random codes aside."""
    if not content_type.startswith("application/json") or not recorded:
        return normalized(recorded) == normalized(got)
    texts = (text.replace("\\/", "/") for text in (recorded, got))
    a, b = (json.loads(HOST.sub("http://store", HEX.sub("#", text))) for text in texts)
    return bool(a == b)
