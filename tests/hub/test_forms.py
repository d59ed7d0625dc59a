"""Forms, with and without files: as callers send them, and as vendors want them."""

from __future__ import annotations

import json
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import urlencode

import pytest

from polyvalent.auth.oauth1_variant import STANDARD
from polyvalent.errors import BadRequest
from polyvalent.hub.call import call
from polyvalent.hub.caller_body import read_form
from polyvalent.hub.model import Incoming
from polyvalent.hub.write import read_body
from polyvalent.instances.model import Connection
from tests.hub.shop import MOMENT
from tests.hub.test_custom_resources import BASE, Vendor, element_of, parameter

FILE = bytes(range(256)) + b"\r\n--x\r\n\r\n"
BODY = (
    b'--x"y\r\nContent-Disposition: form-data; name="title"\r\n\r\nMug \xc3\xa9\r\n'
    b'--x"y\r\nContent-Disposition: form-data; name="file"; filename="a b.bin"\r\n'
    b"Content-Type: image/png\r\n\r\n" + FILE + b'\r\n--x"y--\r\n'
).replace(b'x"y', b"xyz")
MULTIPART = "multipart/form-data; boundary=xyz"
FORM = "application/x-www-form-urlencoded"


async def send(body: bytes, content_type: str, *parameters: Any) -> Any:
    element = element_of({"path": "/items", "method": "POST", "parameters": list(parameters)})
    vendor = Vendor([{"id": 9}])
    connection = Connection(
        instance_id=1,
        element=element,
        configuration={"base.url": BASE, "shop": "blue"},
        client=None,
        token=None,
        variant=STANDARD,
    )
    headers = (("content-type", content_type), ("authorization", "User u"), ("cookie", "c=1"))
    incoming = Incoming(method="POST", path="/items", headers=headers, body=body)
    await call(connection, incoming, reach=vendor.reach, now=lambda: MOMENT)
    return vendor.asked[0]


async def test_sends_a_file_and_texts_in_parts() -> None:
    asked = await send(
        BODY,
        MULTIPART,
        parameter("file", "multipart", "upload", "multipart"),
        parameter("title", "form", "name", "multipart"),
        parameter("shop", "configuration", "shop", "multipart"),
        parameter("multipart/form-data", "value", "Content-Type", "header"),
    )

    head = f"Content-Type: {asked.header('Content-Type')}\r\n\r\n".encode()
    parts = BytesParser(policy=HTTP).parsebytes(head + asked.body).get_payload()
    shown = [
        (part.get_param("name", header="content-disposition"), part.get_filename())
        for part in parts
    ]
    assert shown == [("upload", "a b.bin"), ("name", None), ("shop", None)]
    assert parts[0].get_content_type() == "image/png"
    assert FILE in asked.body
    assert "Mug é".encode() in asked.body


async def test_sends_the_members_of_a_form_as_json_or_as_a_form() -> None:
    body = urlencode([("title", "Mug é"), ("tag", "a"), ("tag", "b")]).encode()

    as_json = await send(body, FORM)
    assert json.loads(as_json.body) == {"title": "Mug é", "tag": ["a", "b"]}
    assert as_json.header("Content-Type") == "application/json"

    as_form = await send(body, FORM, parameter("title", "form", "name", "form"))
    assert as_form.body == b"name=Mug%20%C3%A9"
    assert as_form.header("Content-Type") == FORM


async def test_takes_json_that_is_sent_as_a_form() -> None:
    assert json.loads((await send(b'{"a": 1}', FORM)).body) == {"a": 1}


async def test_refuses_a_file_where_a_text_goes() -> None:
    with pytest.raises(BadRequest, match="is a file"):
        await send(BODY, MULTIPART, parameter("file", "multipart", "f", "form"))


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (FORM, b"a=%ff"),
        (FORM, b"&".join(b"a=1" for _ in range(1001))),
        (MULTIPART, b"nothing"),
        (MULTIPART, BODY[:-6]),
        (MULTIPART, b'--xyz\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff\r\n--xyz--'),
        (MULTIPART, b"--xyz\r\nX: y\r\n\r\n1\r\n--xyz--"),
        ("multipart/form-data", BODY),
    ],
)
def test_refuses_a_form_that_cannot_be_read(content_type: str, body: bytes) -> None:
    headers = (("Content-Type", content_type),)
    with pytest.raises(BadRequest):
        read_body(Incoming(method="POST", path="/items", headers=headers, body=body))


def test_reads_a_file_byte_by_byte() -> None:
    headers = (("Content-Type", MULTIPART),)
    form = read_form(Incoming(method="POST", path="/i", headers=headers, body=BODY))
    assert form is not None
    assert form.members == {"title": "Mug é"}
    assert [item.content for item in form.files] == [FILE]


async def test_sends_a_file_of_a_form_as_the_whole_body() -> None:
    asked = await send(BODY, MULTIPART, parameter("file", "multipart", "body", "body"))
    assert asked.body == FILE
    assert asked.header("Content-Type") == "image/png"

    fixed = await send(
        BODY,
        MULTIPART,
        parameter("file", "form", "body", "body"),
        parameter("image/x-own", "value", "Content-Type", "header"),
    )
    assert fixed.body == FILE
    assert fixed.header("Content-Type") == "image/x-own"


async def test_sends_a_body_of_any_kind_as_it_is() -> None:
    binary = parameter("body", "body", "body", "body", dataType="binary")

    asked = await send(FILE, "application/pdf; version=1.4", binary)
    assert asked.body == FILE
    assert asked.header("Content-Type") == "application/pdf; version=1.4"
    # Also what would elsewhere be read and written anew.
    assert (await send(b"a=%ff", FORM, binary)).body == b"a=%ff"
    assert (await send(BODY, MULTIPART, binary)).header("Content-Type") == MULTIPART
    assert (await send(FILE, "", binary)).header("Content-Type") == "application/octet-stream"
    with pytest.raises(BadRequest, match="no body"):
        await send(b"", "application/pdf", binary)


async def test_keeps_what_shows_the_caller_to_the_platform() -> None:
    asked = await send(
        b"{}",
        "application/json",
        parameter("Authorization", "header", "Authorization", "header"),
        parameter("x ${header.Authorization}", "value", "X-Told", "header"),
        parameter("Cookie", "header", "Cookie", "header"),
    )

    assert asked.header("Authorization") is None
    assert asked.header("X-Told") == "x ${header.Authorization}"
    assert asked.header("Cookie") is None
