"""What the API answers is what its OpenAPI document says, whatever is sent."""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from openapi_spec_validator import validate
from schemathesis import Case, GenerationMode, Response
from schemathesis.checks import CheckContext
from schemathesis.config import (
    GenerationConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
)
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from polyvalent.api.app import BASE_PATH, OPERATIONS
from polyvalent.api.openapi import openapi
from polyvalent.sandbox.magento import RunningStore
from tests.journeys.application import Application
from tests.journeys.merchant import consent, query_of
from tests.journeys.stage import Stage, platform_on_stage

# A vendor's failure (502, 504) is documented and no failure of ours.
CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# The calls that every application makes are tried more often than those for operators.
CORE = frozenset(
    ("OAuth", "Instances", "Instances by token", "Instances of an element", "Hubs", "Resources")
)
# What is done to elements of the account is tried on one of its own.
OWN = frozenset(("Elements of your own", "Parts of elements"))
EXAMPLES, EXAMPLES_OF_OTHERS = 10, 3


def no_failure_of_ours(_: CheckContext, response: Response, case: Case) -> bool | None:
    assert response.status_code not in (500, 501, 503), (case.as_curl_command(), response.text)
    return None


class World:
    """A platform with an instance, and which statuses its operations gave."""

    def __init__(self, stage: Stage, shop: RunningStore) -> None:
        self.stage = stage
        issued = shop.store.issue_token(admin=shop.store.admin_user)
        application = Application(stage, shop.store, shop.url)
        obtained = {"oauth.user.token": issued.token, "oauth.user.token.secret": issued.secret}
        body = {
            "element": {"id": 356},
            "name": "Shop",
            "externalAuthentication": "initial",
            "configuration": {**application.configuration, **obtained},
        }
        self.instance: dict[str, Any] = stage.call("POST", "/instances", body=body).json()
        entries = stage.call("GET", f"/instances/{self.instance['id']}/configuration").json()
        self.entry_id: int = entries[0]["id"]
        self.statuses: Counter[tuple[str, int]] = Counter()
        self.own: dict[str, Any] = {}

    def bring_element(self) -> None:
        """Let the account have an element of its own, with a part of every kind."""
        self.stage.call("DELETE", "/elements/attacked")
        parameter = {"name": "a", "type": "query"}
        hook = {"type": "event", "body": "x"}
        resource = {
            "path": "/rows",
            "method": "GET",
            "parameters": [parameter],
            "hooks": [hook],
        }
        body = {
            "name": "Attacked",
            "description": "An element to attack.",
            "authentication": {"type": "custom"},
            "parameters": [parameter],
            "hooks": [hook],
            "resources": [resource],
            "objects": [{"name": "rows", "fields": [{"name": "id"}]}],
        }
        brought = self.stage.call("POST", "/elements", body=body).json()
        parts = {name: brought[name][0] for name in ("parameters", "hooks", "resources", "objects")}
        self.own = {
            "keyOrId": "attacked",
            "accountId": 1,
            "resourceId": parts["resources"]["id"],
            "objectId": parts["objects"]["id"],
            "/configuration/{partId}": "base.url",
            "/resources/{resourceId}/parameters/{partId}": parts["resources"]["parameters"][0][
                "id"
            ],
            "/resources/{resourceId}/hooks/{partId}": parts["resources"]["hooks"][0]["id"],
            "/objects/{objectId}/fields/{partId}": parts["objects"]["fields"][0]["id"],
            **{f"/{name}/{{partId}}": part["id"] for name, part in parts.items()},
        }

    def aim(self, case: Case, *, at_own: bool = False) -> None:
        """Let most cases hit what is there; what is not there is answered quickly."""
        if at_own:
            below = case.path.removeprefix("/elements/{keyOrId}")
            for name in case.path_parameters or {}:
                case.path_parameters[name] = self.own.get(below if name == "partId" else name, 0)
            return
        aims = {
            "keyOrId": "magento",
            "id": self.instance["id"],
            "entryId": self.entry_id,
            "hub": "ecommerce",
            "resource": "products",
            "rowId": "3",
        }
        chosen = case.path_parameters or {}
        if case.method == "DELETE" and case.path.endswith("/instances/{id}"):
            aims["id"] = "999999999"  # the one that is there is needed later
        for name in list(chosen):
            if name in aims and (name == "id" or len(str(chosen[name])) % 4):
                chosen[name] = aims[name]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, shop: RunningStore) -> Iterator[World]:
    data_dir = tmp_path_factory.mktemp("schema")
    with platform_on_stage(data_dir, deadline_s=2) as stage:
        shown = World(stage, shop)
        yield shown
        core = {f"{item.method} {item.path}" for item in OPERATIONS if item.tag in CORE} & {
            label for label, _ in shown.statuses
        }
        done = {label for label, status in shown.statuses if status == 200}
        # Refusals alone would prove little: after a whole run most of the core has succeeded.
        assert len(core) < 30 or len(core & done) >= 0.7 * len(core), core - done


def declared(document: dict[str, Any]) -> list[Any]:
    """Every operation of a document, as schemathesis reads it."""
    config = SchemathesisConfig(
        projects=ProjectsConfig(
            default=ProjectConfig(generation=GenerationConfig(with_security_parameters=False))
        )
    )
    read = schemathesis.openapi.from_dict(document, config=config)
    return [found.ok() for found in read.get_all_operations()]


def attack(world: World, operation: Any, mode: GenerationMode) -> None:
    """Send cases of an operation, with data as declared or not, and judge the answers."""
    stage = world.stage
    enabled = stage.call("PUT", f"/instances/{world.instance['id']}/enabled")
    assert enabled.status == 200
    header = {"Authorization": f"{stage.authorization}, Element {world.instance['token']}"}

    at_own = bool(OWN & set(operation.tags or ()))
    if at_own:
        world.bring_element()

    @settings(
        max_examples=EXAMPLES if CORE & set(operation.tags or ()) else EXAMPLES_OF_OTHERS,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode))
    def send(case: Case) -> None:
        world.aim(case, at_own=at_own)
        response = case.call(base_url=f"{stage.url}{BASE_PATH}", headers=header)
        world.statuses[operation.label, response.status_code] += 1
        case.validate_response(response, checks=[*CHECKS, no_failure_of_ours], headers=header)

    with suppress(Unsatisfiable):  # nothing about an operation without parameters can be wrong
        send()


DOCUMENT = openapi(OPERATIONS, base_path=BASE_PATH)


@pytest.mark.parametrize("operation", declared(DOCUMENT), ids=lambda operation: operation.label)
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.name.lower())
def test_answers_as_documented(world: World, operation: Any, mode: GenerationMode) -> None:
    attack(world, operation, mode)


@pytest.mark.parametrize(
    ("path", "change", "text"),
    [
        ("/hubs/keys", {"content": {"application/json": {"schema": {"type": "object"}}}}, "schema"),
        ("/hubs/{hub}", {"content": {"application/json": {"schema": {"maxProperties": 1}}}}, ""),
        ("/hubs/keys", {"content": {"text/csv": {}}}, "content-type"),
        ("/hubs/keys", None, "status code"),
    ],
)
def test_notices_an_answer_that_is_not_documented(
    world: World, path: str, change: Any, text: str
) -> None:
    document = copy.deepcopy(DOCUMENT)
    item = document["paths"][path]
    document["paths"] = {path: item}
    if change is None:
        item["get"]["responses"].pop("200")
    else:
        item["get"]["responses"]["200"] = {"description": "Wrong.", **change}
    (operation,) = declared(document)
    with pytest.raises(BaseExceptionGroup) as caught:
        attack(world, operation, GenerationMode.POSITIVE)
    assert text in str(caught.value.exceptions[0]).lower()


def test_is_a_valid_document() -> None:
    validate(DOCUMENT)


def texts_of(value: Any, name: str = "") -> Iterator[str]:
    if isinstance(value, str):
        yield from [value] if name in ("description", "summary") else []
    elif isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from texts_of(inner, str(key))


def test_says_nothing_that_a_page_takes_for_markup() -> None:
    # Descriptions are Markdown: <user secret> outside of backticks would not be seen.
    seen = [re.sub(r"`[^`]*`", "", text) for text in texts_of(DOCUMENT)]
    assert len(seen) > 500
    assert [text for text in seen if re.search(r"<\w", text)] == []


def test_describes_every_group_of_operations() -> None:
    tags = DOCUMENT["tags"]
    assert [tag["name"] for tag in tags][:3] == ["OAuth", "Instances", "Resources"]
    assert {tag["name"] for tag in tags} == {operation.tag for operation in OPERATIONS}
    assert all(tag["description"].endswith(".") for tag in tags)


def test_says_of_an_id_in_a_path_what_it_is_of() -> None:
    # Two groups share the path's first words, and each has an {id} of its own.
    of_one = DOCUMENT["paths"]["/notifications/subscriptions/{id}"]["get"]["parameters"]
    assert [item["description"] for item in of_one] == ["Id of the subscription."]
    of_both = DOCUMENT["paths"]["/notifications/{id}/subscriptions/{subscriptionId}/deliveries"]
    assert [item["name"] for item in of_both["get"]["parameters"]] == [
        "id",
        "subscriptionId",
        "hydrate",
    ]
    assert {item["schema"]["type"] for item in of_both["get"]["parameters"][:2]} == {"integer"}


def test_documents_what_the_whole_flow_answers(application: Application) -> None:
    stage = application.stage
    started = application.token()
    led = application.url(started.json()["token"])
    browser = consent(led.json()["oauthUrl"], application.store, home=application.site)
    body = {
        "element": {"key": "magento"},
        "name": "Shop",
        "providerData": {**query_of(browser.seen[-1]), "debug": True},
        "configuration": application.configuration,
        "retrieveObjectsAfterInstantiation": True,
    }
    created = stage.call("POST", "/instances", body=body)
    assert created.status == 200, created
    assert {"type": "vendor", "name": "orders", "vendorName": "orders"} in created.json()["objects"]
    trace_id = created.headers["elements-trace-id"]
    traced = stage.call("GET", f"/elements/356/trace/{trace_id}")
    element = "/elements/{keyOrId}"
    operations = {operation.label: operation for operation in declared(DOCUMENT)}
    for method, path, reply in (
        ("get", f"{element}/oauth/token", started),
        ("get", f"{element}/oauth/url", led),
        ("post", "/instances", created),
        ("get", "/instances/{id}", stage.call("GET", f"/instances/{created.json()['id']}")),
        ("get", f"{element}/trace/{{traceId}}", traced),
        ("delete", "/instances/{id}", stage.call("DELETE", f"/instances/{created.json()['id']}")),
    ):
        assert reply.status == 200, (path, reply)
        operation = operations[f"{method.upper()} {path}"]
        headers = {name: [value] for name, value in reply.headers.items()}
        answer = Response(reply.status, headers, reply.body, request=None, elapsed=0, verify=False)
        operation.validate_response(answer)
        shown = DOCUMENT["paths"][path][method]["responses"]["200"]
        told = {name.lower() for name in shown["headers"]}
        sent = {name for name in reply.headers if name.startswith("elements-")}
        assert sent <= told, path
