"""Change an instance: its name, tags and configuration, or its credentials by a new consent."""

from __future__ import annotations

from typing import Any

from polyvalent.auth.oauth1 import TokenCredentials
from polyvalent.auth.oauth1_variant import Variant
from polyvalent.catalog.element import Element
from polyvalent.errors import BadRequest, NotFound
from polyvalent.exchange import split_address
from polyvalent.instances import sql
from polyvalent.instances.application import normalize_addresses, site_key
from polyvalent.instances.configuration import (
    MASK,
    check,
    complete,
    entries_of,
    fill_all,
    given_by_calls,
    is_common,
    is_secret,
    merge,
)
from polyvalent.instances.draft import Draft
from polyvalent.instances.handshake import Handshake
from polyvalent.instances.model import Configuration, Instance
from polyvalent.instances.naming import clean_name
from polyvalent.instances.obtain import obtain
from polyvalent.instances.ports import Ports
from polyvalent.instances.provision import prove, stored_values, use_handshake
from polyvalent.instances.scheme import is_signed
from polyvalent.instances.verify import verify
from polyvalent.instances.watch import Watch

# A change to one of these could break the connection, so it is proven before it is stored.
_TOUCHY = frozenset(
    ("base.url", "oauth.api.key", "oauth.api.secret", "oauth.user.token", "oauth.user.token.secret")
)


async def change(
    ports: Ports, instance: Instance, draft: Draft, *, element: Element, watch: Watch
) -> Instance:
    """
    Apply a draft to an instance; members that it lacks stay as they are, id and token always.

    `element` is the instance's own, or the clone of it that the instance moves to.

    With `providerData` the instance is provisioned anew. Raises as `provision` does, and
    NotFound if the instance was deleted meanwhile; then nothing was changed.
    """
    columns = _plain_columns(draft)
    if element.id != instance.element_id:
        columns |= {"element_id": element.id, "element_key": element.key}
    configuration = _changed(element, instance, draft)
    ports.foresee(element, configuration)
    handshake: Handshake | None = None
    if _reprovisions(draft):
        proven = await prove(ports, element, configuration, draft=draft, watch=watch)
        configuration, handshake = proven.configuration, proven.handshake
        columns |= _healed(proven.variant)
    elif _is_touched(element, instance.configuration, configuration):
        token = TokenCredentials(
            configuration.get("oauth.user.token") or "",
            configuration.get("oauth.user.token.secret") or "",
        )
        if not is_signed(element, configuration):
            # Other credentials: what the calls at the creation obtained with the old ones is void.
            configuration = await obtain(ports, element, configuration, token=token)
        columns |= _healed(await verify(ports, element, configuration, token=token, watch=watch))
    return await _store(
        ports,
        instance,
        element=element,
        columns=columns,
        tags=draft.tags,
        configuration=configuration,
        handshake=handshake,
    )


def _plain_columns(draft: Draft) -> dict[str, Any]:
    """Return the columns that a draft sets and that have nothing to do with the connection."""
    columns = {
        "name": None if draft.name is None else clean_name(draft.name),
        "trace_logging_enabled": draft.trace_logging_enabled,
        "caching_enabled": draft.caching_enabled,
        "max_cache_size": draft.max_cache_size,
        "cache_time_to_live": draft.cache_time_to_live,
    }
    return {name: value for name, value in columns.items() if value is not None}


def _reprovisions(draft: Draft) -> bool:
    """Say whether a draft brings a new consent; a lone `debug` does not."""
    return any(name != "debug" for name in draft.provider_data or {})


def _changed(element: Element, instance: Instance, draft: Draft) -> Configuration:
    stored = instance.configuration
    if element.id != instance.element_id:
        stored = {**stored, **complete(element, stored)}
    if not draft.configuration:
        return _led(element, instance, stored, given={})
    merged = merge(
        stored,
        normalize_addresses(element, draft.configuration),
        known=entries_of(element),
    )
    check(element, merged, sealed=instance.sealed)
    return _led(element, instance, merged, given=draft.configuration)


def _led(
    element: Element, instance: Instance, changed: Configuration, *, given: Configuration
) -> Configuration:
    """
    Return a configuration that sends no stored secret to another place than it was given for.

    A signature tells no secret. Other calls carry them, so that whoever may lead an instance to
    a host of their own could read there what is masked here. What the element's calls obtained is
    left out, to be obtained anew. Raises BadRequest, naming the secrets that have to be sent along.
    """
    if is_signed(element, changed) or _place_of(changed) == _place_of(instance.configuration):
        return changed
    obtained = frozenset(given_by_calls(element))
    kept = [
        key
        for key, value in changed.items()
        if value
        and not is_common(key)
        and (key in instance.sealed or is_secret(element, key))
        and value == instance.configuration.get(key)
        and given.get(key, MASK) == MASK
    ]
    if asked := [key for key in kept if key not in obtained]:
        raise BadRequest(
            "base.url leads to another place than before, and stored secrets are sent nowhere but "
            f"where they were given for. Send them along: {', '.join(asked)}."
        )
    return {key: None if key in kept else value for key, value in changed.items()}


def _place_of(configuration: Configuration) -> tuple[str, str]:
    url = split_address(fill_all(configuration).get("base.url") or "")
    return url.scheme.lower(), url.netloc.lower()


def _is_touched(element: Element, before: Configuration, after: Configuration) -> bool:
    if not is_signed(element, after):
        # What such calls carry may come from any entry.
        return any(before.get(key) != after.get(key) for key in after if not is_common(key))
    return any(before.get(key) != after.get(key) for key in {*_TOUCHY, site_key(element) or ""})


def _healed(variant: Variant) -> dict[str, Any]:
    return {
        "valid": True,
        "invalid_reason": None,
        "invalid_at": None,
        "signing_variant": str(variant),
    }


async def _store(
    ports: Ports,
    instance: Instance,
    *,
    element: Element,
    columns: dict[str, Any],
    tags: tuple[str, ...] | None,
    configuration: Configuration,
    handshake: Handshake | None,
) -> Instance:
    changed = {
        key: value
        for key, value in configuration.items()
        if key not in instance.configuration or instance.configuration[key] != value
    }
    async with ports.database.transaction() as connection:
        ports.mark("change.in_transaction")
        await use_handshake(ports, connection, handshake)
        there = await sql.update_instance(connection, instance.id, now=ports.now(), changes=columns)
        if not there:
            raise NotFound(f"Instance {instance.id} was deleted meanwhile.")
        if tags is not None:
            await sql.replace_tags(connection, instance.id, tags=tags)
        await sql.put_configuration(
            connection,
            ports.keys.ring(),
            random=ports.random,
            instance_id=instance.id,
            values=stored_values(element, changed),
        )
        stored = await sql.find_instance(
            connection,
            ports.keys,
            instance_id=instance.id,
            organization_id=instance.organization_id,
        )
        assert stored is not None  # updated by this transaction
        await ports.follow(connection, stored, element)
        ports.mark("change.before_commit")
    ports.mark("change.committed")
    return stored
