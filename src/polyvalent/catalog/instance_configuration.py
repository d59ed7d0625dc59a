"""
Know the configuration entries that every instance has, whatever its element.

They are the platform's own: an element need not list them, and they are no part of an element's
configuration. Their numbers are the same on every instance.
"""

from __future__ import annotations

from polyvalent.catalog.element import ConfigurationEntry, Option
from polyvalent.catalog.number import number_entries

_ON_OFF = (Option(value="true", description="Yes"), Option(value="false", description="No"))

COMMON_CONFIGURATION: tuple[ConfigurationEntry, ...] = number_entries(
    (
        ConfigurationEntry(
            key="event.notification.enabled",
            name="Events",
            description="Whether changes at the vendor are reported to the callback address.",
            type="BOOLEAN",
            default_value="false",
            options=_ON_OFF,
        ),
        ConfigurationEntry(
            key="event.vendor.type",
            name="Source of events",
            description="How changes are noticed: by asking regularly, or by calls of the vendor.",
            type="COMBO",
            options=(
                Option(value="polling", description="Ask the vendor regularly"),
                Option(value="webhook", description="The vendor calls"),
                Option(value="webhooks", description="The vendor calls (older spelling)"),
            ),
        ),
        ConfigurationEntry(
            key="event.notification.type",
            name="Delivery of events",
            description="How events are passed on; there is one way.",
            type="COMBO",
            default_value="webhook",
            options=(Option(value="webhook", description="POST to the callback address"),),
        ),
        ConfigurationEntry(
            key="event.notification.callback.url",
            name="Callback address for events",
            description="The address that events are posted to.",
        ),
        ConfigurationEntry(
            key="event.notification.callback.headers",
            name="Callback headers",
            description="Headers to send along with every event.",
            type="TEXTAREA",
        ),
        ConfigurationEntry(
            key="event.notification.basic.username",
            name="Callback user",
            description="The user name for basic authentication at the callback address.",
            type="TEXTFIELD_128",
        ),
        ConfigurationEntry(
            key="event.notification.basic.password",
            name="Callback password",
            description="The password for basic authentication at the callback address.",
            type="PASSWORD",
        ),
        ConfigurationEntry(
            key="event.notification.signature.key",
            name="Signature key",
            description="With a key, every event carries a signature made with it.",
            type="PASSWORD",
        ),
        ConfigurationEntry(
            key="event.poller.refresh_interval",
            name="Polling interval",
            description="Minutes between two questions for changes.",
            type="TEXTFIELD_32",
            default_value="15",
        ),
        ConfigurationEntry(
            key="event.poller.configuration",
            name="What is polled",
            description="The resources that are asked for changes, as JSON.",
            type="CODE_EDITOR",
        ),
        ConfigurationEntry(
            key="event.objects",
            name="Objects with events",
            description="The objects whose changes are reported, separated by commas.",
        ),
        ConfigurationEntry(
            key="filter.response.nulls",
            name="Leave out nulls",
            description="Whether members that are null are left out of answers.",
            type="BOOLEAN",
            default_value="true",
            options=_ON_OFF,
        ),
    ),
    "instance",
)
