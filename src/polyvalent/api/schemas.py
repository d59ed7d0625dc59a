"""Describe the shapes of requests and answers, as JSON Schema, for the API reference."""

from __future__ import annotations

from typing import Any

from polyvalent.api.operation import LARGEST_PAGE, Parameter, Schema

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
TEXT_OR_NULL: Schema = {"type": ["string", "null"]}


def record(properties: dict[str, Any], *, required: tuple[str, ...] | None = None) -> Schema:
    """Describe an object; every property is required unless said otherwise."""
    names = list(properties) if required is None else list(required)
    return {"type": "object", "properties": properties, "required": names}


def listing(item: Schema) -> Schema:
    """Describe a list."""
    return {"type": "array", "items": item}


def named(name: str) -> Schema:
    """Refer to a schema of the components."""
    return {"$ref": f"#/components/schemas/{name}"}


ERROR = named("Error")
ELEMENT = named("Element")
INSTANCE = named("Instance")
CONFIGURATION_ENTRY = named("ConfigurationEntry")
INSTANCE_ENTRY = named("InstanceConfigurationEntry")
HUB = named("Hub")
REQUEST_TOKEN = named("RequestToken")
OAUTH_URL = named("OauthUrl")
NOTHING: Schema = {"type": "object", "description": "An empty object."}
ANYTHING: Schema = {}

COMPONENTS: dict[str, Schema] = {
    "Error": record(
        {
            "requestId": {"type": "string", "pattern": "^[0-9a-f]{24}$"},
            "message": {"type": "string", "description": "What is wrong and what to do."},
            "providerMessage": {"type": "string", "description": "The vendor's own words."},
            "outcome": {
                "type": "string",
                "enum": ["unknown"],
                "description": "Of a write that the vendor may have carried out or not.",
            },
        },
        required=("requestId", "message"),
    ),
    "RequestToken": record({"token": TEXT, "secret": TEXT}),
    "OauthUrl": record({"oauthUrl": TEXT, "element": TEXT}),
    "Hub": record(
        {
            "id": NUMBER,
            "key": TEXT,
            "name": TEXT,
            "description": TEXT,
            "active": FLAG,
            "resources": {"type": "array"},
        },
        required=("id", "key", "name", "description", "active"),
    ),
    "ConfigurationEntry": record(
        {
            "id": NUMBER,
            "key": TEXT,
            "name": TEXT,
            "description": TEXT,
            "type": TEXT,
            "defaultValue": TEXT_OR_NULL,
            "required": FLAG,
            "hideFromConsole": FLAG,
            "active": FLAG,
            "internal": FLAG,
            "displayOrder": NUMBER,
        },
        required=("id", "key", "name", "description", "type", "required"),
    ),
    "InstanceConfigurationEntry": record(
        {
            "id": NUMBER,
            "key": TEXT,
            "name": TEXT,
            "description": TEXT,
            "type": TEXT,
            "required": FLAG,
            "propertyValue": TEXT_OR_NULL,
        },
    ),
    "Element": record(
        {
            "id": NUMBER,
            "name": TEXT,
            "key": TEXT,
            "description": TEXT,
            "image": TEXT,
            "active": FLAG,
            "deleted": FLAG,
            "typeOauth": FLAG,
            "trialAccount": FLAG,
            "resources": {"type": "array"},
            "transformationsEnabled": FLAG,
            "bulkDownloadEnabled": FLAG,
            "bulkUploadEnabled": FLAG,
            "cloneable": FLAG,
            "authentication": record({"type": TEXT}),
            "hub": TEXT,
            "parameters": {"type": "array"},
        },
    ),
    "Instance": record(
        {
            "id": NUMBER,
            "name": TEXT,
            "createdDate": {"type": "string", "format": "date-time"},
            "token": {"type": "string", "description": "The element token of this instance."},
            "element": record({"id": NUMBER, "key": TEXT}),
            "elementId": NUMBER,
            "tags": listing(TEXT),
            "provisionInteractions": {"type": "array"},
            "valid": FLAG,
            "disabled": FLAG,
            "maxCacheSize": {**NUMBER, "description": "How many answers are kept; 0: 100."},
            "cacheTimeToLive": {**NUMBER, "description": "For how many seconds; 0: 60."},
            "configuration": {
                "type": "object",
                "additionalProperties": TEXT_OR_NULL,
                "description": 'Texts and nulls by key; secrets are shown as "********".',
            },
            "eventsEnabled": FLAG,
            "traceLoggingEnabled": FLAG,
            "cachingEnabled": FLAG,
            "externalAuthentication": TEXT,
            "invalidReason": TEXT,
            "invalidDate": {"type": "string", "format": "date-time"},
            "objects": listing(record({"name": TEXT, "vendorName": TEXT, "type": TEXT})),
            "user": record(
                {"id": NUMBER, "emailAddress": TEXT, "firstName": TEXT, "lastName": TEXT}
            ),
        },
        # A list with hydrate=false shows these alone.
        required=("id", "name", "createdDate", "token", "element", "tags", "valid", "disabled"),
    ),
}

KEY_OR_ID = Parameter(
    name="keyOrId",
    place="path",
    required=True,
    description="The element's key or its numeric id.",
    example="356",
)
INSTANCE_ID = Parameter(
    name="id", place="path", required=True, description="The instance's id.", schema=NUMBER
)
PAGE = Parameter(
    name="page",
    place="query",
    description="The page, from 1.",
    schema={"type": "integer", "minimum": 1, "maximum": 1_000_000, "default": 1},
)
PAGE_SIZE = Parameter(
    name="pageSize",
    place="query",
    description="How many rows a page has.",
    schema={"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": 200},
)

INSTANCE_DRAFT: Schema = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "description": "Markup is stripped."},
        "element": {
            "type": "object",
            "properties": {"key": TEXT, "id": {"type": ["integer", "string"]}},
        },
        "providerData": {
            "type": "object",
            "description": "What the callback brought: oauth_token, oauth_verifier, secret. "
            "With debug: true a trace of the calls to the store is kept.",
            "properties": {"oauth_token": TEXT, "oauth_verifier": TEXT, "secret": TEXT},
        },
        "configuration": {
            "type": "object",
            "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
        },
        "tags": {"type": "array", "items": TEXT},
        "externalAuthentication": {"type": "string", "enum": ["none", "initial"]},
        "traceLoggingEnabled": {
            "type": "boolean",
            "description": "Keep a trace of every call to the instance's resources.",
        },
        "cachingEnabled": {
            "type": "boolean",
            "description": "Answer repeated reads from memory, until a write of ours or the time.",
        },
        "maxCacheSize": {
            "type": "integer",
            "minimum": 0,
            "maximum": 10_000,
            "description": "How many answers are kept for the instance; 0: 100.",
        },
        "cacheTimeToLive": {
            "type": "integer",
            "minimum": 0,
            "maximum": 86_400,
            "description": "For how many seconds an answer is kept; 0: 60.",
        },
    },
}
INSTANCE_EXAMPLE: dict[str, Any] = {
    "element": {"key": "<ELEMENT_KEY>"},
    "providerData": {
        "oauth_token": "<OAUTH_TOKEN_RETURNED_IN_OAUTH_EXCHANGE>",
        "oauth_verifier": "<OAUTH_VERIFIER_RETURNED_IN_OAUTH_EXCHANGE>",
        "secret": "<SECRET_RETURNED_IN_OAUTH_EXCHANGE>",
    },
    "configuration": {
        "oauth.api.key": "<API_KEY>",
        "oauth.api.secret": "<API_SECRET>",
        "oauth.callback.url": "<CALLBACK_URL>",
        "store.url": "<STORE_URL>",
    },
    "tags": ["<TAG>"],
    "name": "<INSTANCE_NAME>",
}
