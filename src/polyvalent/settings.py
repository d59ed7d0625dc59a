"""
Read every environment variable of polyvalent, once, here and nowhere else.

Each field's comment is its documentation; `docs/reference/settings.md` must name them all.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import urlsplit

from polyvalent.errors import Misconfigured

# Each of them has a comment below, but the last two: they are read by the scripts.
KNOWN = (
    "POLYVALENT_DATA_DIR",
    "POLYVALENT_DATABASE_URL",
    "POLYVALENT_KEY_FILE",
    "POLYVALENT_EGRESS_ALLOW",
    "POLYVALENT_PUBLIC_URL",
    "POLYVALENT_LOG_LEVEL",
    "POLYVALENT_MAX_BODY_BYTES",
    "POLYVALENT_VENDOR_DEADLINE_S",
    "POLYVALENT_CALLS_PER_SECOND",
    "POLYVALENT_WRITERS_PER_STORE",
    "POLYVALENT_BREAKER_FAILURES",
    "POLYVALENT_BREAKER_REST_S",
    "POLYVALENT_STRANGERS_PER_MINUTE",
    "POLYVALENT_EVENTS_PER_MINUTE",
    "POLYVALENT_TRUSTED_PROXIES",
    "POLYVALENT_SCAN_LIMIT",
    "POLYVALENT_CACHE_BYTES",
    "POLYVALENT_METRICS_TOKEN",
    "POLYVALENT_JOBS_AT_ONCE",
    "POLYVALENT_RECONCILE_HOURS",
    "POLYVALENT_EVENTS_DAYS",
    "POLYVALENT_JOBS_DAYS",
    "POLYVALENT_SMTP_URL",
    "POLYVALENT_EXTRAS",
    "POLYVALENT_BULK_DIR",
    "POLYVALENT_UPLOAD_MAX_BYTES",
    "POLYVALENT_PYTHON",
)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Hold the configuration of one process."""

    # POLYVALENT_DATA_DIR: where the SQLite file and the key file live.
    data_dir: Path
    # POLYVALENT_DATABASE_URL: empty = SQLite in the data directory; else postgresql://user:pw@host/db.
    database_url: str = field(default="", repr=False)
    # POLYVALENT_KEY_FILE: the key ring that seals secrets; empty = keys.json in the data directory.
    key_file: Path | None = None
    # POLYVALENT_EGRESS_ALLOW: networks that outgoing calls may reach although they are private.
    egress_allow: tuple[Network, ...] = ()
    # POLYVALENT_PUBLIC_URL: how callers reach this server; used in links and in the API reference.
    public_url: str = ""
    # POLYVALENT_LOG_LEVEL: debug, info, warning or error.
    log_level: str = "info"
    # POLYVALENT_MAX_BODY_BYTES: the largest request body that is read.
    max_body_bytes: int = 5 * 1024 * 1024
    # POLYVALENT_VENDOR_DEADLINE_S: seconds that one call to a vendor may take, retries included.
    vendor_deadline_s: float = 60.0
    # POLYVALENT_CALLS_PER_SECOND: calls that one instance may make, all processes together.
    calls_per_second: float = 5000.0
    # POLYVALENT_WRITERS_PER_STORE: writes at work in one store at a time, all processes together.
    writers_per_store: int = 1
    # POLYVALENT_BREAKER_FAILURES: failures in a row after which a store is left alone for a while.
    breaker_failures: int = 10
    # POLYVALENT_BREAKER_REST_S: how many seconds it is left alone.
    breaker_rest_s: float = 15.0
    # POLYVALENT_STRANGERS_PER_MINUTE: OAuth calls without secrets from one client address a minute.
    strangers_per_minute: int = 120
    # POLYVALENT_EVENTS_PER_MINUTE: events of one element that one client address may tell of in a
    # minute without a signature; one of more than 4 KiB counts as several.
    events_per_minute: int = 600
    # POLYVALENT_TRUSTED_PROXIES: networks of proxies whose X-Forwarded-For names the client.
    trusted_proxies: tuple[Network, ...] = ()
    # POLYVALENT_SCAN_LIMIT: rows of a store that one search reads to filter or sort them here.
    scan_limit: int = 10_000
    # POLYVALENT_CACHE_BYTES: memory of one process for the answers of instances that cache.
    cache_bytes: int = 64 * 1024 * 1024
    # OTEL_EXPORTER_OTLP_ENDPOINT: a collector that spans are sent to. OpenTelemetry reads it, like
    # every other OTEL_* variable; here is only whether there is one.
    exports_spans: bool = False
    # POLYVALENT_METRICS_TOKEN: what /metrics asks for; empty: it answers anybody.
    metrics_token: str = field(default="", repr=False)
    # POLYVALENT_JOBS_AT_ONCE: long jobs that one process works on at a time; of short ones twice.
    jobs_at_once: int = 8
    # POLYVALENT_RECONCILE_HOURS: hours between two reads of all rows of polled resources, by which
    # changes without a date and deletions are noticed.
    reconcile_hours: float = 24.0
    # POLYVALENT_EVENTS_DAYS: days that events and changes are kept.
    events_days: float = 30.0
    # POLYVALENT_JOBS_DAYS: days that jobs are kept after their end.
    jobs_days: float = 30.0
    # POLYVALENT_SMTP_URL: where e-mail is handed in; empty: none is sent.
    smtp_url: str = field(default="", repr=False)
    # POLYVALENT_BULK_DIR: where the rows of bulk jobs are kept, sealed; empty = bulk in the data
    # directory. Processes that share a database share it.
    bulk_dir: Path | None = None
    # POLYVALENT_UPLOAD_MAX_BYTES: the largest file, with the form around it, that is taken in.
    upload_max_bytes: int = 100 * 1024 * 1024

    @property
    def bulk_path(self) -> Path:
        """Return where the rows of bulk jobs are kept."""
        return self.bulk_dir or self.data_dir / "bulk"

    @property
    def key_path(self) -> Path:
        """Return where the key ring is kept."""
        return self.key_file or self.data_dir / "keys.json"

    @property
    def database(self) -> str:
        """Return the database URL, the data directory's SQLite file unless one is set."""
        return self.database_url or f"sqlite:///{self.data_dir / 'polyvalent.db'}"


def read_settings(environ: Mapping[str, str], *, home: Path) -> Settings:
    """
    Build the settings from an environment, such as `os.environ`.

    `home` is where the default data directory `.polyvalent` goes.
    Raises Misconfigured, naming the variable and what it should look like.
    """
    data_dir = environ.get("POLYVALENT_DATA_DIR", "")
    key_file = environ.get("POLYVALENT_KEY_FILE", "")
    level = environ.get("POLYVALENT_LOG_LEVEL", "info").lower()
    if level not in ("debug", "info", "warning", "error"):
        raise Misconfigured(
            f"POLYVALENT_LOG_LEVEL is {level!r}; it must be debug, info, warning or error."
        )
    return Settings(
        data_dir=Path(data_dir).expanduser() if data_dir else home / ".polyvalent",
        database_url=environ.get("POLYVALENT_DATABASE_URL", ""),
        key_file=Path(key_file).expanduser() if key_file else None,
        egress_allow=read_networks(environ.get("POLYVALENT_EGRESS_ALLOW", "")),
        strangers_per_minute=_count(environ, "POLYVALENT_STRANGERS_PER_MINUTE", 120),
        events_per_minute=_count(environ, "POLYVALENT_EVENTS_PER_MINUTE", 600),
        trusted_proxies=read_networks(
            environ.get("POLYVALENT_TRUSTED_PROXIES", ""), name="POLYVALENT_TRUSTED_PROXIES"
        ),
        public_url=_public_url(environ.get("POLYVALENT_PUBLIC_URL", "").rstrip("/")),
        log_level=level,
        upload_max_bytes=int(_number(environ, "POLYVALENT_UPLOAD_MAX_BYTES", 100 * 1024 * 1024)),
        max_body_bytes=int(_number(environ, "POLYVALENT_MAX_BODY_BYTES", 5 * 1024 * 1024)),
        vendor_deadline_s=_number(environ, "POLYVALENT_VENDOR_DEADLINE_S", 60.0),
        calls_per_second=_number(environ, "POLYVALENT_CALLS_PER_SECOND", 5000.0),
        writers_per_store=_count(environ, "POLYVALENT_WRITERS_PER_STORE", 1),
        breaker_failures=_count(environ, "POLYVALENT_BREAKER_FAILURES", 10),
        breaker_rest_s=_number(environ, "POLYVALENT_BREAKER_REST_S", 15.0),
        scan_limit=_count(environ, "POLYVALENT_SCAN_LIMIT", 10_000),
        metrics_token=environ.get("POLYVALENT_METRICS_TOKEN", ""),
        bulk_dir=Path(bulk_dir) if (bulk_dir := environ.get("POLYVALENT_BULK_DIR")) else None,
        reconcile_hours=_number(environ, "POLYVALENT_RECONCILE_HOURS", 24.0),
        events_days=_number(environ, "POLYVALENT_EVENTS_DAYS", 30.0),
        jobs_days=_number(environ, "POLYVALENT_JOBS_DAYS", 30.0),
        smtp_url=environ.get("POLYVALENT_SMTP_URL", ""),
        jobs_at_once=_count(environ, "POLYVALENT_JOBS_AT_ONCE", 8),
        cache_bytes=int(_number(environ, "POLYVALENT_CACHE_BYTES", 64 * 1024 * 1024)),
        exports_spans=_exports_spans(environ),
    )


def unknown_variables(environ: Mapping[str, str]) -> tuple[str, ...]:
    """
    Complain of each variable that looks like a setting and is none.

    A name that is almost one is met with "Did you mean …?", any other with "It changes nothing."
    """
    found = []
    for name in sorted(environ):
        if name.startswith("POLYVALENT_") and name not in KNOWN:
            near = get_close_matches(name, KNOWN, n=1)
            hint = f"Did you mean {near[0]}?" if near else "It changes nothing."
            found.append(f"{name} is no setting. {hint}")
    return tuple(found)


def read_networks(text: str, *, name: str = "POLYVALENT_EGRESS_ALLOW") -> tuple[Network, ...]:
    """
    Read a comma-separated list of networks: "127.0.0.1/32, fd00::/8".

    Raises Misconfigured, naming the variable and the entry that is not a network.
    """
    networks = []
    for entry in filter(None, (part.strip() for part in text.split(","))):
        try:
            networks.append(ipaddress.ip_network(entry, strict=False))
        except ValueError as error:
            raise Misconfigured(
                f"{name} has {entry!r}, which is not a network. "
                "Write addresses like 127.0.0.1/32 or fd00::/8, separated by commas."
            ) from error
    return tuple(networks)


def _exports_spans(environ: Mapping[str, str]) -> bool:
    def named(name: str) -> str:
        # The variable for spans alone wins over the one for all that OpenTelemetry sends.
        special = environ.get(f"OTEL_EXPORTER_OTLP_TRACES_{name}", "")
        return special or environ.get(f"OTEL_EXPORTER_OTLP_{name}", "")

    exporter = environ.get("OTEL_TRACES_EXPORTER") or "otlp"
    off = environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    if off or exporter != "otlp" or not named("ENDPOINT"):
        return False
    if named("PROTOCOL") not in ("", "http/protobuf"):
        raise Misconfigured(
            "OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf, the one way in which spans are "
            "sent; OTEL_SDK_DISABLED=true sends none."
        )
    return True


def _public_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        is_bare = not (parts.path or parts.query or parts.fragment or "@" in text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and is_bare
        usable = usable and parts.port != 0
    except ValueError:
        usable = False
    if text and not usable:
        raise Misconfigured(
            "POLYVALENT_PUBLIC_URL must be a scheme and a host, such as https://api.example.com, "
            "without a path."
        )
    return text


def _number(environ: Mapping[str, str], name: str, default: float) -> float:
    text = environ.get(name, "")
    if not text:
        return default
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise Misconfigured(f"{name} is {text!r}; it must be a positive number.")
    return number


def _count(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:7]) <= 100_000):
        raise Misconfigured(f"{name} is {text!r}; it must be a whole number from 1 to 100000.")
    return int(text)
