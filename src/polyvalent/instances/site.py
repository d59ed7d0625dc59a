"""Read the address of a store as people write it, once, into the one form that is kept."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from polyvalent.errors import BadRequest

_EXPECTED = (
    "Write the store's address as in shop.example.com, https://shop.example.com/, "
    "shop.example.com:8443 or https://example.com/shop."
)


def normalize_site(text: str) -> str:
    """
    Turn an address as written into scheme, host, port and directory, nothing else.

    "Shop.Example.com" → "https://shop.example.com";
    "http://example.com:80/store/" → "http://example.com/store".
    Without a scheme it is taken as https. Query and fragment are refused, since they are
    nearly always a page that was copied from a browser by mistake.

    Raises BadRequest, which says what was understood.
    """
    written = text.strip()
    if not written:
        raise BadRequest(f"The store's address is empty. {_EXPECTED}")
    if any(character.isspace() or character in '\\"<>^`{|}' for character in written):
        raise _refused(written, "it contains a space or a character that no address has")
    address = written if "://" in written else f"https://{written.removeprefix('//')}"
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as error:
        raise _refused(written, f"{error}".rstrip(".")) from error
    if parts.scheme.lower() not in ("http", "https"):
        raise _refused(written, f"{parts.scheme}:// is not http:// or https://")
    if "@" in parts.netloc:
        raise _refused(written, "it carries a user name; give the address alone")
    if parts.query or parts.fragment:
        raise _refused(written, "it has a ? or # part; give the store's base address alone")
    if port == 0:
        raise _refused(written, "port 0 does not exist")
    scheme = parts.scheme.lower()
    host = _host(written, parts.hostname or "")
    return f"{scheme}://{host}{_port(scheme, port)}{_directory(parts.path)}"


def _host(written: str, host: str) -> str:
    bare = host.rstrip(".")
    if not bare:
        raise _refused(written, "it has no host name")
    if ":" in bare:
        return f"[{bare}]"
    if bare.isascii():
        ascii_host = bare
    else:
        try:
            ascii_host = bare.encode("idna").decode()
        except UnicodeError as error:
            raise _refused(written, f"the host name {bare!r} is not valid") from error
    allowed = set("abcdefghijklmnopqrstuvwxyz0123456789-._")
    labels = ascii_host.lower().split(".")
    if not set(ascii_host.lower()) <= allowed or any(not 1 <= len(part) <= 63 for part in labels):
        raise _refused(written, f"the host name {bare!r} is not valid")
    return ascii_host.lower()


def _port(scheme: str, port: int | None) -> str:
    if port is None or (scheme, port) in (("http", 80), ("https", 443)):
        return ""
    return f":{port}"


def _directory(path: str) -> str:
    return quote(path.rstrip("/"), safe="/%:@!$&'()*+,;=~-._")


def _refused(written: str, reason: str) -> BadRequest:
    return BadRequest(
        f"The store's address {written[:200]!r} cannot be used: {reason}. {_EXPECTED}"
    )
