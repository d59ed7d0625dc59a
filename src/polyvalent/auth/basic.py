"""Know HTTP Basic authentication (RFC 7617): user and password in one header."""

from __future__ import annotations

from binascii import b2a_base64
from dataclasses import dataclass, field

from polyvalent.errors import BadRequest
from polyvalent.exchange import Request


@dataclass(frozen=True, slots=True)
class BasicCredentials:
    """Hold a user name and its password."""

    user: str
    password: str = field(repr=False)


def add_basic(request: Request, credentials: BasicCredentials) -> Request:
    """
    Add the header that names user and password, as UTF-8.

    ("Aladdin", "open sesame") → `Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==`

    Raises BadRequest if the user holds a colon, or either a control character.
    """
    user, password = credentials.user, credentials.password
    if ":" in user or any(ord(c) < 0x20 or ord(c) == 0x7F for c in user + password):
        raise BadRequest("A user name has no colon, and neither name nor password a control code.")
    text = b2a_base64(f"{user}:{password}".encode(), newline=False).decode("ascii")
    return request.with_header("Authorization", f"Basic {text}")
