"""
What a simulated store can be told to be.

Knows the settings and their defaults, and nothing about how they are acted on.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class StoreOptions:
    """
    Describe one simulated store.

    The defaults are a healthy, recent store (OpenMage on PHP 8) behind nginx on a port of its own.
    """

    products: int = 250  # from 20 on the last four are virtual, grouped, configurable, optioned
    customers: int = 120
    orders: int = 60
    seed: int = 1  # same seed, same data
    flavor: Literal["classic", "newer"] = "newer"  # classic: the 1.9 attribute set, no updated_at
    native_ints: bool = False  # PHP >= 8.1: integer columns are JSON numbers
    php8: bool = True  # fatal type errors end as an empty 500; older PHP muddles on
    web_server: Literal["nginx", "apache", "proxy_fcgi", "fcgid"] = "nginx"
    # Which host form is signed on a port of its own: /oauth/* without it and /api/rest with it
    # (the stock set-up), both without (web server passes the bare host), or both with.
    host_port: Literal["oauth_without", "both_without", "both_with"] = "oauth_without"
    parameter_order: Literal["natural", "bytes"] = "natural"  # of signed names: "a2" before "a10"
    trust_forwarded_proto: bool = True  # X-Forwarded-Proto: https means https in the base string
    admin_path: str = "admin"
    admin_user: str = "admin"
    admin_password: str | None = None  # None: a random one
    admin_role: Literal["all", "none", "limited"] = "all"  # none: no REST role; limited: products
    admin_attributes: Literal["all", "none"] = "all"
    guest_products: bool = False  # guests may read products, as some stores allow
    latency_ms: float = 0
    fail_rate: float = 0  # 0..1: answers replaced by an outage page, nothing done
    deadlocks: float = 0  # 0..1: writes that are applied and then report an error
    lost_answers: float = 0  # 0..1: writes that are applied and then end in a 504
    clock_skew_s: int = 0  # the store's clock is ahead by this
    maintenance: bool = False  # front controller answers 503; REST does not care
    database_down: bool = False  # every answer is the 503 report page
    php_down: bool = False  # every answer is the web server's 502


FAULT_NAMES = (
    "latency_ms",
    "fail_rate",
    "deadlocks",
    "lost_answers",
    "clock_skew_s",
    "maintenance",
    "database_down",
    "php_down",
)
