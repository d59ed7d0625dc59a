"""Answer the OAuth calls of elements: request tokens and the address of the consent page."""

from __future__ import annotations

from polyvalent.api import schemas
from polyvalent.api.operation import Answer, Call, Operation, Parameter
from polyvalent.api.tracing import trace_header, traced
from polyvalent.egress.policy import AddressRefused
from polyvalent.errors import BadRequest, Unauthorized
from polyvalent.instances.authorize import authorization_url, request_token
from polyvalent.instances.draft import read_json_object

_APPLICATION = (
    Parameter(
        name="apiKey",
        place="query",
        required=True,
        description="The key of your application at the vendor (OAuth: consumer key).",
    ),
    Parameter(
        name="apiSecret",
        place="query",
        required=True,
        description="The secret that belongs to `apiKey`.",
    ),
    Parameter(
        name="callbackUrl",
        place="query",
        required=True,
        description="Where the merchant's browser returns to after the consent.",
        example="https://www.mycoolapp.com/auth",
    ),
    Parameter(
        name="siteAddress",
        place="query",
        required=True,
        description="The store's address, with or without scheme, with port or sub-directory.",
        example="shop.example.com",
    ),
    Parameter(
        name="state",
        place="query",
        description="Comes back in the callback; by default the element's key.",
    ),
)
_DEBUG = Parameter(
    name="debug",
    place="query",
    schema={"type": "string", "enum": ["true", "false"]},
    description="true, sent with the Authorization header: keep a trace of the calls to the "
    "store; the answer's header Elements-Trace-Id names it.",
)
# What names stand for within the operator's network is no stranger's business.
_UNSAID = (
    "{host} leads to an address that is not public; calls to it are refused. Send the header "
    "Authorization to be told which, and how the operator allows it."
)
_TOKEN = Parameter(
    name="requestToken",
    place="query",
    required=True,
    description="The `token` that GET /elements/{keyOrId}/oauth/token answered.",
)


async def get_token(call: Call) -> Answer:
    """Answer `{"token", "secret"}`: temporary credentials of the store."""
    _admit(call)
    platform = call.platform
    element = await call.element()
    debug = call.value("debug") == "true"
    caller = call.caller
    if debug and caller is None:
        raise Unauthorized("debug=true needs the Authorization header: a trace has an owner.")
    async with traced(call, caller, element, on=debug) as watch:
        try:
            started = await request_token(platform.ports, element, dict(call.query), watch=watch)
        except AddressRefused as error:
            if caller is None and error.host != str(error.address):
                raise BadRequest(_UNSAID.format(host=error.host)) from error
            raise
    content = {"token": started.token, "secret": started.secret}
    return Answer(content=content, headers=trace_header(call, watch))


async def get_url(call: Call) -> Answer:
    """Answer `{"oauthUrl", "element"}` for parameters in the query."""
    return await _url(call, dict(call.query))


async def post_url(call: Call) -> Answer:
    """Answer `{"oauthUrl", "element"}` for parameters in a JSON body."""
    members = read_json_object(call.json_body())
    wrong = [name for name, value in members.items() if not isinstance(value, str)]
    if wrong:
        raise BadRequest(f"These members must be text: {', '.join(wrong)[:200]}.")
    return await _url(call, {**dict(call.query), **members})


def _admit(call: Call) -> None:
    # Whoever sends secrets is known, and can be spoken to.
    if call.caller is None:
        call.platform.strangers.admit(call.progress.peer, call.headers)


async def _url(call: Call, parameters: dict[str, str]) -> Answer:
    _admit(call)
    element = await call.element()
    url = await authorization_url(call.platform.ports, element, parameters)
    return Answer(content={"oauthUrl": url, "element": element.key})


OPERATIONS = (
    Operation(
        method="GET",
        path="/elements/{keyOrId}/oauth/token",
        handle=get_token,
        access="perhaps",
        tag="OAuth",
        summary="Get a request token (step 1 of OAuth 1.0a)",
        description="Asks the store for temporary credentials. Keep the `token` for the next "
        "call; the `secret` is kept here as well, sealed, for an hour.",
        parameters=(schemas.KEY_OR_ID, *_APPLICATION, _DEBUG),
        answer=schemas.REQUEST_TOKEN,
        answer_headers=("Elements-Trace-Id",),
        statuses=(400, 401, 404, 502, 504),
    ),
    Operation(
        method="GET",
        path="/elements/{keyOrId}/oauth/url",
        handle=get_url,
        access="perhaps",
        tag="OAuth",
        summary="Get the consent page's address (step 2 of OAuth 1.0a)",
        description="Send the merchant's browser to `oauthUrl`. After the consent it returns to "
        "the callback with state, secret, oauth_token and oauth_verifier.",
        parameters=(schemas.KEY_OR_ID, *_APPLICATION, _TOKEN),
        answer=schemas.OAUTH_URL,
        statuses=(400, 404),
    ),
    Operation(
        method="POST",
        path="/elements/{keyOrId}/oauth/url",
        handle=post_url,
        access="perhaps",
        tag="OAuth",
        summary="Get the consent page's address, with a JSON body",
        parameters=(schemas.KEY_OR_ID,),
        body={
            "type": "object",
            "properties": {
                parameter.name: {**parameter.schema, "description": parameter.description}
                for parameter in (*_APPLICATION, _TOKEN)
            },
            "required": ["apiKey", "apiSecret", "callbackUrl", "siteAddress", "requestToken"],
        },
        answer=schemas.OAUTH_URL,
        statuses=(400, 404, 415),
    ),
)
