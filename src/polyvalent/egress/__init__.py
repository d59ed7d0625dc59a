"""
Reach the outside world over HTTP: the one door out, and the only user of the HTTP client.

    door = Door(allow=settings.egress_allow)
    exchange = await door.send(Request(method="GET", url="https://a.example/r"), attempts=3)
"""

from polyvalent.egress.door import Door, Observe, Sign
from polyvalent.egress.failure import BrokenAnswer, DeadlinePassed, NotConnected
from polyvalent.egress.policy import AddressRefused, check_address, refuse_reason
from polyvalent.egress.resolve import Resolve, resolve_checked
from polyvalent.egress.target import Target, read_target

__all__ = [
    "AddressRefused",
    "BrokenAnswer",
    "DeadlinePassed",
    "Door",
    "NotConnected",
    "Observe",
    "Resolve",
    "Sign",
    "Target",
    "check_address",
    "read_target",
    "refuse_reason",
    "resolve_checked",
]
