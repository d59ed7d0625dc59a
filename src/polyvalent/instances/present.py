"""Show instances as the wire has them, secrets masked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from polyvalent.accounts.model import User
from polyvalent.catalog.element import Element
from polyvalent.instances.configuration import mask
from polyvalent.instances.model import Instance


def present(instance: Instance, *, element: Element, user: User) -> dict[str, Any]:
    """
    Show an instance whole, as the answer of `POST /instances` has it.

    {"id": 123, "name": "Test", "token": "…", "element": {…}, "configuration": {…}, …}
    """
    shown: dict[str, Any] = {
        "id": instance.id,
        "name": instance.name,
        "createdDate": iso(instance.created_at),
        "token": instance.token,
        "element": present_element(element),
        "elementId": element.id,
        "tags": list(instance.tags),
        "provisionInteractions": [],
        "valid": instance.valid,
        "disabled": instance.disabled,
        "maxCacheSize": instance.max_cache_size,
        "cacheTimeToLive": instance.cache_time_to_live,
        "configuration": dict(mask(element, instance.configuration, sealed=instance.sealed)),
        "eventsEnabled": instance.configuration.get("event.notification.enabled") == "true",
        "traceLoggingEnabled": instance.trace_logging_enabled,
        "cachingEnabled": instance.caching_enabled,
        "externalAuthentication": instance.external_authentication,
        "user": {
            "id": user.id,
            "emailAddress": user.email,
            "firstName": user.first_name,
            "lastName": user.last_name,
        },
    }
    if instance.invalid_reason:
        shown["invalidReason"] = instance.invalid_reason
    if instance.invalid_at:
        shown["invalidDate"] = iso(instance.invalid_at)
    return shown


def present_lightly(instance: Instance) -> dict[str, Any]:
    """Show what identifies an instance: the answer of a list with `hydrate=false`."""
    return {
        "id": instance.id,
        "name": instance.name,
        "createdDate": iso(instance.created_at),
        "token": instance.token,
        "element": {"id": instance.element_id, "key": instance.element_key},
        "tags": list(instance.tags),
        "valid": instance.valid,
        "disabled": instance.disabled,
    }


def present_element(element: Element) -> dict[str, Any]:
    """Show an element as an instance carries it: its texts and flags, no definitions."""
    return {
        "id": element.id,
        "name": element.name,
        "key": element.key,
        "description": element.description,
        "image": element.image,
        "active": element.active,
        "deleted": element.deleted,
        "typeOauth": element.type_oauth,
        "trialAccount": element.trial_account,
        "resources": [],
        "transformationsEnabled": element.transformations_enabled,
        "bulkDownloadEnabled": element.bulk_download_enabled,
        "bulkUploadEnabled": element.bulk_upload_enabled,
        "cloneable": element.cloneable,
        "authentication": {"type": element.authentication.type},
        "hub": element.hub,
        "parameters": [],
    }


def iso(moment: datetime) -> str:
    """Write a moment in UTC to the second: "2026-03-05T09:30:00Z"."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
