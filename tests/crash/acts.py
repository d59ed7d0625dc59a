"""
Name what a caller does with instances, step by step, so that each can be cut short by a kill.

An act is prepared with the server safe, then done once with the server about to die. Every
authorization has an application and an admin user of its own at the store, because a store
forgets the older token of the same two as soon as the merchant consents again.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from polyvalent.sandbox.magento import RunningStore
from polyvalent.sandbox.magento.state import Consumer, Role, Token
from tests.crash.keeper import Keeper, Reply
from tests.journeys.writes import product

NUMBERS = itertools.count(1)
CALLBACK = "https://app.example.com/auth"


@dataclass(kw_only=True)
class Merchant:
    """Hold one application and one admin user at the store, and their last authorization."""

    consumer: Consumer = field(repr=False)
    admin: str
    token: Token | None = field(default=None, repr=False)


@dataclass(kw_only=True)
class Scene:
    """
    Hold what one act works on: a server, a store, a merchant and perhaps an instance.

    `body` is what the act sends; the judge compares with it.
    """

    keeper: Keeper
    shop: RunningStore
    merchant: Merchant
    name: str
    instance: dict[str, Any] | None = field(default=None, repr=False)
    request_token: str | None = None
    body: dict[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class Act:
    """Name an act; `prepare` and `perform` are its two halves."""

    name: str
    prepare: Callable[[Scene], None]
    perform: Callable[[Scene], Reply]


def new_scene(keeper: Keeper, shop: RunningStore) -> Scene:
    """Return a scene with a merchant whom the server has never met."""
    number = next(NUMBERS)
    admin = f"admin-{number}"
    shop.store.add_admin(admin, "secret", role=Role())
    consumer = shop.store.add_consumer(f"Application {number}")
    merchant = Merchant(consumer=consumer, admin=admin)
    return Scene(keeper=keeper, shop=shop, merchant=merchant, name=f"Shop {number}")


def ask_token(scene: Scene) -> Reply:
    """Do step 1: ask for a request token."""
    query = {
        "apiKey": scene.merchant.consumer.key,
        "apiSecret": scene.merchant.consumer.secret,
        "callbackUrl": CALLBACK,
        "siteAddress": scene.shop.url,
    }
    reply = scene.keeper.call("GET", "/elements/magento/oauth/token", query=query)
    if reply.status == 200:
        scene.request_token = reply.content["token"]
    return reply


def authorize(scene: Scene) -> dict[str, str]:
    """Do steps 1 and 2, the consent straight at the store; return what the callback brings."""
    answered(ask_token(scene))
    assert scene.request_token
    token = scene.shop.store.tokens[scene.request_token]
    scene.shop.store.authorize(token, admin=scene.merchant.admin, customer_id=None)
    scene.merchant.token = token
    brought = parse_qs(urlsplit(token.callback).query)
    assert token.verifier
    return {
        "oauth_token": token.token,
        "oauth_verifier": token.verifier,
        "secret": brought["secret"][0],
        "state": brought["state"][0],
    }


def new_body(scene: Scene, provider_data: dict[str, str]) -> dict[str, Any]:
    """Return the body that creates the scene's instance."""
    return {
        "name": scene.name,
        "element": {"key": "magento"},
        "tags": [scene.name, "crash"],
        "configuration": {
            "store.url": scene.shop.url,
            "oauth.api.key": scene.merchant.consumer.key,
            "oauth.api.secret": scene.merchant.consumer.secret,
            "oauth.callback.url": CALLBACK,
        },
        "providerData": provider_data,
    }


def provide(scene: Scene) -> Reply:
    """Do step 3: create the instance."""
    return scene.keeper.call("POST", "/instances", body=scene.body)


def start_over(scene: Scene) -> dict[str, Any]:
    """Walk through the whole flow from step 1 and return the instance that came out."""
    scene.body = new_body(scene, authorize(scene))
    scene.instance = answered(provide(scene))
    return scene.instance


def is_working(scene: Scene, token: str) -> bool:
    """Say whether an element token reaches the store's orders."""
    reply = scene.keeper.call("GET", "/hubs/ecommerce/orders", query={"pageSize": "1"}, token=token)
    return reply.status == 200 and len(reply.content) == 1


def answered(reply: Reply) -> Any:
    """Return the content of a success."""
    assert reply.status == 200, f"{reply.status} {reply.content}"
    return reply.content


def _nothing(scene: Scene) -> None:
    pass


def _prepare_creation(scene: Scene) -> None:
    scene.body = new_body(scene, authorize(scene))


def _prepare_import(scene: Scene) -> None:
    issued = scene.shop.store.issue_token(admin=scene.merchant.admin)
    issued.consumer_id = scene.merchant.consumer.consumer_id
    scene.merchant.token = issued
    body = new_body(scene, {})
    body["configuration"] |= {
        "oauth.user.token": issued.token,
        "oauth.user.token.secret": issued.secret,
    }
    scene.body = body | {"externalAuthentication": "initial"}


def _prepare_instance(scene: Scene) -> None:
    start_over(scene)


def _prepare_change(scene: Scene) -> None:
    start_over(scene)
    scene.body = {
        "name": f"{scene.name} renamed",
        "tags": ["other", "crash", "third"],
        "configuration": {
            "filter.response.nulls": "false",
            "event.notification.callback.url": "https://app.example.com/events",
            "event.notification.signature.key": "a sealed one",
            "pagination.max": "50",
        },
        "traceLoggingEnabled": True,
    }


def _prepare_authorization_anew(scene: Scene) -> None:
    start_over(scene)
    scene.body = {"name": f"{scene.name} again", "providerData": authorize(scene)}


def _change(scene: Scene) -> Reply:
    assert scene.instance
    return scene.keeper.call("PUT", f"/instances/{scene.instance['id']}", body=scene.body)


def _prepare_write(scene: Scene) -> None:
    start_over(scene)
    scene.body = product(f"sku of {scene.name}")


def write(scene: Scene) -> Reply:
    """Create a row in the store, under a key by which it may be repeated."""
    assert scene.instance
    return scene.keeper.call(
        "POST", "/products", body=scene.body, token=scene.instance["token"], key=scene.name
    )


def _remove(scene: Scene) -> Reply:
    assert scene.instance
    return scene.keeper.call("DELETE", f"/instances/{scene.instance['id']}")


ACTS = (
    Act(name="token", prepare=_nothing, perform=ask_token),
    Act(name="create", prepare=_prepare_creation, perform=provide),
    Act(name="import", prepare=_prepare_import, perform=provide),
    Act(name="change", prepare=_prepare_change, perform=_change),
    Act(name="authorize anew", prepare=_prepare_authorization_anew, perform=_change),
    Act(name="write", prepare=_prepare_write, perform=write),
    Act(name="remove", prepare=_prepare_instance, perform=_remove),
)
