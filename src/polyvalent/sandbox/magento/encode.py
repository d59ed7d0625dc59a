"""
Bodies in and out: JSON, XML and PHP query strings, and how one of them is chosen.

Empty arrays and empty objects are the same to PHP, so both are written as [].
"""

import json
import re
from functools import cmp_to_key
from typing import Any
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from polyvalent.sandbox.magento import php_query
from polyvalent.sandbox.magento.oauth_verify import PhpFatal
from polyvalent.sandbox.magento.rest_errors import ApiError

MIME = re.compile(r"[0-9a-z*+-]+(/[0-9a-z*+.-]+)?", re.IGNORECASE)
CONTENT_TYPE = re.compile(r"([a-z\d/\-+.]+)(?:; *charset=(.+))?", re.IGNORECASE)

JSON = "application/json"
XML = "application/xml"
PLAIN = "text/plain"
RENDERED_AS = {
    "*/*": JSON,
    "application/json": JSON,
    "application/*": JSON,
    "text/xml": XML,
    "application/xml": XML,
    "application/xhtml+xml": XML,
    "text/plain": PLAIN,
    "text/*": PLAIN,
}
READ_AS = {
    "application/json": JSON,
    "text/plain": PLAIN,
    "application/xml": XML,
    "application/xhtml+xml": XML,
    "text/xml": XML,
}


def choose_renderer(accept: str) -> str | None:
    """
    Pick the answer's media type from an Accept header; None if none of its types is known.

    Whatever follows the first ";" and a "=" is taken for the quality, and qualities are compared
    as PHP compares array keys: numbers as numbers, anything else as text.
    """
    by_quality: dict[str, list[str]] = {}
    for definition in re.split(r",\s*", accept):
        mime, *parameters = definition.split(";")
        if not MIME.fullmatch(mime.strip()):
            continue
        quality = "1.0"
        if parameters and parameters[0].count("=") == 1:
            quality = parameters[0].partition("=")[2]
        by_quality.setdefault(quality, []).append(mime.strip())
    for quality in sorted(by_quality, key=cmp_to_key(compare_loosely), reverse=True):
        for mime in by_quality[quality]:
            if mime in RENDERED_AS:
                return RENDERED_AS[mime]
    return None


def compare_loosely(a: str, b: str) -> int:
    """Compare two texts as numbers if both are, else as text."""
    try:
        x, y = float(a), float(b)
    except ValueError:
        return (a > b) - (a < b)
    return (x > y) - (x < y)


def render(value: Any, media_type: str) -> bytes:
    """Write data in one of the three encodings."""
    if media_type == JSON:
        text = json.dumps(as_php(value), separators=(",", ":"))
        return text.replace("/", "\\/").encode()
    if media_type == PLAIN:
        return php_query.build(value).encode()
    lines = ['<?xml version="1.0"?>']
    if value:
        lines += ["<magento_api>", *xml_lines(value, "  "), "</magento_api>"]
    else:
        lines.append("<magento_api/>")
    return ("\n".join(lines) + "\n").encode()


def as_php(value: Any) -> Any:
    """Turn empty objects into empty lists, everywhere."""
    if isinstance(value, dict):
        return {k: as_php(v) for k, v in value.items()} if value else []
    if isinstance(value, list):
        return [as_php(v) for v in value]
    return value


def xml_lines(value: Any, indent: str) -> list[str]:
    """Write the members of an array as indented elements; numeric names become data_item."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    lines = []
    for key, item in items:
        tag = "data_item" if str(key).isdigit() else str(key)
        if isinstance(item, (dict, list)) and item:
            lines += [f"{indent}<{tag}>", *xml_lines(item, indent + "  "), f"{indent}</{tag}>"]
        else:
            text = xml_text(item)
            lines.append(f"{indent}<{tag}>{text}</{tag}>" if text else f"{indent}<{tag}/>")
    return lines


def xml_text(value: Any) -> str:
    """Write a scalar as XML text: false and null are nothing, true is 1."""
    if value is None or value is False or value in ([], {}):
        return ""
    return escape("1" if value is True else str(value))


def read_body(content_type: str, body: bytes) -> Any:
    """
    Read a request body; the result is whatever json_decode would give.

    Raises ApiError for a missing, malformed or unknown Content-Type and for a broken body.
    """
    if not content_type:
        raise ApiError((400, "Content-Type header is empty"))
    match = CONTENT_TYPE.fullmatch(content_type)
    if match is None:
        raise ApiError((400, "Invalid Content-Type header"))
    if match.group(2) is not None and match.group(2).lower() != "utf-8":
        raise ApiError((400, "UTF-8 is the only supported charset"))
    kind = READ_AS.get(match.group(1))
    if kind is None:
        text = "Server can not understand Content-Type HTTP header media type"
        raise ApiError((400, f'{text} "{match.group(1)}"'))
    broken = ApiError((400, "Decoding error."))
    try:
        text = body.decode("utf-8")
        if kind == JSON:
            return json.loads(text, parse_constant=reject_constant)
        if kind == PLAIN:
            return php_query.parse(text)
        if "<!" in text:
            raise broken
        return read_element(ET.fromstring(text))  # noqa: S314 - no DTD gets here
    except (ValueError, ET.ParseError, RecursionError) as error:
        raise broken from error


def reject_constant(name: str) -> Any:
    """Refuse NaN and Infinity, which are not JSON."""
    raise ValueError(name)


def read_element(element: ET.Element) -> Any:
    """Turn an XML element into nested data; data_item members become a list."""
    if not len(element):
        return element.text or ""
    if all(child.tag == "data_item" for child in element):
        return [read_element(child) for child in element]
    return {child.tag: read_element(child) for child in element}


def is_associative(value: Any) -> bool:
    """
    Tell whether PHP sees an array with names.

    Raises PhpFatal for a scalar, on which the vendor's code dies.
    """
    if not isinstance(value, (dict, list)):
        raise PhpFatal
    return isinstance(value, dict) and not all(str(key).isdigit() for key in value)
