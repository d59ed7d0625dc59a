"""Sealed values of instances are bound as the schema says, so that a rotation can open them."""

from __future__ import annotations

import os
from datetime import timedelta

from polyvalent.db.rotate import RETIRE_AFTER_S, retire, rotate
from polyvalent.sandbox.magento import RunningStore
from tests.journeys.application import Application
from tests.journeys.stage import Stage


def test_rotating_the_master_key_leaves_instances_usable(
    own_stage: Stage, shop: RunningStore
) -> None:
    application = Application(own_stage, shop.store, shop.url)
    waiting = application.authorize()
    instance = Application(own_stage, shop.store, shop.url).connect()
    waiting = application.authorize()  # replaces the token that the instance has
    ports = own_stage.platform.ports
    now = own_stage.clock()
    own_stage.run(rotate(ports.database, ports.keys, now=now, random=os.urandom))
    later = now + timedelta(seconds=2 * RETIRE_AFTER_S)
    own_stage.run(retire(ports.database, ports.keys, now=later, random=os.urandom))

    shown = own_stage.call("GET", f"/instances/{instance['id']}")
    assert shown.status == 200
    assert shown.json()["token"] == instance["token"]
    path = f"/instances/{instance['id']}"
    renewed = own_stage.call("PUT", path, body=application.body(waiting))
    assert renewed.status == 200, renewed
    assert own_stage.call("GET", "/ping", element=instance["token"]).status == 200
