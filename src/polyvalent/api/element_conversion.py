"""Answer with the element that a description of an API becomes."""

from __future__ import annotations

import asyncio

from polyvalent.api.form import read_form
from polyvalent.api.operation import Answer, Call, Operation, Parameter, warn
from polyvalent.builder.convert.convert import convert_document
from polyvalent.errors import BadRequest

_FILE = "file"


async def convert(call: Call) -> Answer:
    """Convert the document of a form; nothing is kept."""
    kind = (call.value("type") or "swagger").strip().lower()
    if kind == "soap":
        raise BadRequest(
            "Descriptions of SOAP services (WSDL) are not converted: elements call HTTP APIs that "
            "answer JSON. Send a Swagger 2.0 or OpenAPI 3 document with type=swagger."
        )
    if kind != "swagger":
        raise BadRequest(f"type is {kind[:40]!r}; what is converted is swagger.")
    content = bytearray()

    async def take(piece: bytes) -> None:
        content.extend(piece)

    form = await read_form(
        call.header("Content-Type"),
        call.pieces(call.platform.settings.max_body_bytes),
        file=_FILE,
        take=take,
        example="-F file=@openapi.json",
    )
    if form.file_name is None:
        raise BadRequest(
            "The form has no part file. Send the document in it: -F file=@openapi.json"
        )
    # A large document takes a second or two, in which others are to be answered.
    element, warnings = await asyncio.to_thread(convert_document, bytes(content))
    return Answer(content=element, headers=warn(warnings))


OPERATIONS = (
    Operation(
        method="POST",
        path="/elements/convert",
        handle=convert,
        access="caller",
        tag="Elements of your own",
        summary="Convert a Swagger or OpenAPI document into an element",
        description="The answer is what POST /elements takes; nothing is kept. What the author has "
        "to look at stands in Elements-Error. References to other documents are refused.",
        parameters=(
            Parameter(
                name="type",
                place="query",
                description="What the file is: a Swagger 2.0 or OpenAPI 3 document.",
                schema={"type": "string", "enum": ["swagger"], "default": "swagger"},
            ),
        ),
        body={
            "type": "object",
            "required": [_FILE],
            "properties": {
                _FILE: {
                    "type": "string",
                    "format": "binary",
                    "description": "The document, JSON or YAML.",
                }
            },
        },
        body_type="multipart/form-data",
        takes_pieces=True,
        answer={"type": "object"},
        answer_headers=("Elements-Error",),
        statuses=(400, 401, 413, 415),
    ),
)
