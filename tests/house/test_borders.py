"""Who may reach for what: the database, the network, the clock, chance, files, the environment."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

from tests.house.source import KERNEL, SURFACE, Module, hold, imports, references, within

CLOCKS = frozenset(
    f"time.{name}{suffix}"
    for name in (
        "time",
        "monotonic",
        "perf_counter",
        "process_time",
        "thread_time",
        "clock_gettime",
    )
    for suffix in ("", "_ns")
) | {
    "time.gmtime",
    "time.localtime",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
}
CHANCE = ("secrets", "random", "uuid.uuid1", "uuid.uuid4", "os.urandom", "os.getrandom")
# Modules of the standard library through which the kernel would touch the world.
WORLD = (
    *("asyncio", "concurrent", "ftplib", "glob", "http.client", "http.server", "importlib", "io"),
    *("logging", "mmap", "multiprocessing", "os", "pathlib", "select", "selectors", "shelve"),
    *("shutil", "signal", "smtplib", "socket", "sqlite3", "ssl", "subprocess", "sys", "tempfile"),
    *("threading", "urllib.request"),
)
# What the kernel may use besides the standard library: pure computation.
PURE = ("cryptography", "msgspec", "orjson", "polyvalent")


def leaves_statements_to_sql(module: Module) -> Iterator[str]:
    if module.area == "db" or module.name == "sql":
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and node.attr in ("execute", "exec_driver_sql"):
            yield module.at(node, "executes a statement; that belongs into the feature's sql.py")


def leaves_the_database_library_to_sql(module: Module) -> Iterator[str]:
    if module.area == "db" or module.name == "sql":
        return
    for node, name in imports(module):
        if within(name, "sqlalchemy", "alembic", "aiosqlite", "asyncpg", "sqlite3"):
            yield module.at(node, f"imports {name}; only db and sql.py do")


def leaves_http_to_egress(module: Module) -> Iterator[str]:
    if module.area == "egress":
        return
    for node, name in imports(module):
        if within(name, "aiohttp", "httpx", "requests", "urllib3", "http.client", "urllib.request"):
            yield module.at(node, f"imports {name}; all outgoing HTTP goes through egress")


def leaves_the_extra_to_spans(module: Module) -> Iterator[str]:
    for node, name in imports(module):
        if within(name, "opentelemetry") and module.path != "spans/otlp.py":
            yield module.at(node, f"imports {name}, which is an extra; only spans/otlp.py does")
        if within(name, "pyarrow") and module.path != "bulk/parquet.py":
            yield module.at(node, f"imports {name}, which is an extra; only bulk/parquet.py does")


def leaves_the_web_to_the_surface(module: Module) -> Iterator[str]:
    if module.area in SURFACE or module.area == "sandbox":
        return
    for node, name in imports(module):
        if within(name, "starlette", "uvicorn", "typer", "jinja2"):
            yield module.at(node, f"imports {name}; only the surface and the simulators do")


def keeps_its_sql_to_itself(module: Module) -> Iterator[str]:
    for node, name in imports(module):
        parts = name.split(".")
        if parts[0] == "polyvalent" and "sql" in parts[2:3] and parts[1] != module.area:
            yield module.at(node, f"imports {name}; a feature's statements are its own")


def leaves_the_simulators_alone(module: Module) -> Iterator[str]:
    for node, name in imports(module):
        if module.area == "sandbox":
            if within(name, "polyvalent") and not within(name, "polyvalent.sandbox"):
                yield module.at(node, f"imports {name}; a simulator shares no code with us")
        elif within(name, "polyvalent.sandbox") and module.area != "cli":
            yield module.at(node, f"imports {name}; only the command line starts simulators")


def leaves_elements_to_the_catalog(module: Module) -> Iterator[str]:
    for node, name in imports(module):
        if within(name, "polyvalent.elements", "polyvalent.hubs") and module.area != "elements":
            yield module.at(node, f"imports {name}; elements are data that the catalog loads")


def is_told_the_time(module: Module) -> Iterator[str]:
    if module.area in SURFACE | {"jobs", "egress", "sandbox"}:
        return
    for node, name in references(module):
        if name in CLOCKS:
            yield module.at(node, f"reads the clock ({name}); take it as a parameter")


def is_told_its_chance(module: Module) -> Iterator[str]:
    if module.area not in KERNEL:
        return
    for node, name in (*references(module), *imports(module)):
        if within(name, *CHANCE):
            yield module.at(node, f"draws chance ({name}); take it as a parameter")


def touches_nothing(module: Module) -> Iterator[str]:
    if module.area not in KERNEL:
        return
    for node, name in imports(module):
        first = name.split(".")[0]
        if within(name, *WORLD) or not (first in sys.stdlib_module_names or first in PURE):
            yield module.at(node, f"imports {name}; the kernel is pure computation")
    for call in ast.walk(module.tree):
        if isinstance(call, ast.Name) and call.id in ("open", "input", "exec", "eval"):
            yield module.at(call, f"uses {call.id}; the kernel is pure computation")
        if isinstance(call, (ast.AsyncFunctionDef, ast.Await)):
            yield module.at(call, "waits; the kernel is pure computation")


def is_told_its_settings(module: Module) -> Iterator[str]:
    if module.area in SURFACE:
        return
    for node, name in references(module):
        if name in ("os.environ", "os.environb", "os.getenv"):
            yield module.at(node, "reads the environment; settings.py is given it by the surface")


def test_statements_are_executed_in_sql_modules_alone():
    hold(
        leaves_statements_to_sql,
        broken_by={"hub/read.py": "await connection.execute(statement)"},
        kept_by={
            "hub/sql.py": "c.execute(s)",
            "db/engine.py": "c.execute(s)",
            "a.py": "execute(s)",
        },
    )


def test_the_database_library_is_imported_in_db_and_sql_modules_alone():
    hold(
        leaves_the_database_library_to_sql,
        broken_by={"hub/read.py": "from sqlalchemy.ext.asyncio import AsyncEngine"},
        kept_by={"hub/sql.py": "import sqlalchemy as sa", "db/engine.py": "import aiosqlite"},
    )


def test_outgoing_http_goes_through_egress():
    hold(
        leaves_http_to_egress,
        broken_by={"hub/call.py": "import aiohttp", "cli/demo.py": "from urllib import request"},
        kept_by={
            "egress/wire.py": "import aiohttp",
            "hub/call.py": "from urllib.parse import quote",
        },
    )


def test_the_extra_is_imported_where_spans_are_sent_alone():
    hold(
        leaves_the_extra_to_spans,
        broken_by={
            "api/app.py": "from opentelemetry import trace",
            "spans/open.py": "import opentelemetry.sdk",
            "bulk/render.py": "import pyarrow",
        },
        kept_by={"spans/otlp.py": "from opentelemetry.sdk.trace import TracerProvider"},
    )


def test_the_web_framework_stays_on_the_surface():
    hold(
        leaves_the_web_to_the_surface,
        broken_by={"hub/call.py": "from starlette.requests import Request"},
        kept_by={"api/app.py": "import starlette", "sandbox/shop/app.py": "import uvicorn"},
    )


def test_the_statements_of_a_feature_are_its_own():
    hold(
        keeps_its_sql_to_itself,
        broken_by={
            "hub/call.py": "from polyvalent.instances import sql",
            "api/app.py": "from polyvalent.accounts.sql import find_user",
        },
        kept_by={
            "hub/call.py": "from polyvalent.hub import sql",
            "hub/read.py": "from . import sql",
        },
    )


def test_simulators_share_no_code_with_us():
    hold(
        leaves_the_simulators_alone,
        broken_by={
            "sandbox/shop/app.py": "from polyvalent.auth import oauth1",
            "sandbox/shop.py": "from .. import errors",
            "hub/call.py": "from polyvalent import sandbox",
        },
        kept_by={
            "sandbox/shop/app.py": "from polyvalent.sandbox.shop import seed\nfrom . import seed",
            "cli/demo.py": "from polyvalent.sandbox import shop",
        },
    )


def test_elements_are_data_that_nobody_imports():
    hold(
        leaves_elements_to_the_catalog,
        broken_by={"hub/call.py": "from polyvalent.elements.shop import hooks"},
        kept_by={"hub/call.py": "from polyvalent.catalog.element import Element"},
    )


def test_the_clock_is_a_parameter():
    hold(
        is_told_the_time,
        broken_by={
            "hub/a.py": "import time\nx = time.time()",
            "hub/b.py": "from datetime import UTC, datetime as dt\nx = dt.now(UTC)",
            "hub/c.py": "import datetime\nx = datetime.date.today()",
            "hub/d.py": "from time import monotonic\ndef f(clock=monotonic): ...",
        },
        kept_by={
            "api/a.py": "import time\nx = time.time()",
            "hub/a.py": "from datetime import datetime\nx = datetime.fromtimestamp(clock())",
        },
    )


def test_the_kernel_is_told_its_chance():
    hold(
        is_told_its_chance,
        broken_by={
            "auth/a.py": "import secrets",
            "vault.py": "from os import urandom",
            "paging.py": "import uuid\nx = uuid.uuid4()",
        },
        kept_by={
            "auth/a.py": "import uuid\nx = uuid.UUID(text)",
            "auth/b.py": "def sign(secrets): return secrets.token",
            "hub/a.py": "import secrets",
        },
    )


def test_the_kernel_touches_nothing():
    hold(
        touches_nothing,
        broken_by={
            "auth/a.py": "x = open('a')",
            "auth/b.py": "from pathlib import Path",
            "ceql/c.py": "import aiohttp",
            "mapping.py": "async def f(): ...",
        },
        kept_by={
            "auth/a.py": "import hmac\nfrom polyvalent.exchange import Request",
            "catalog/load.py": "from pathlib import Path",
        },
    )


def test_the_environment_is_read_on_the_surface_alone():
    hold(
        is_told_its_settings,
        broken_by={
            "hub/a.py": "import os\nx = os.environ['A']",
            "b.py": "from os import getenv\ngetenv('A')",
        },
        kept_by={"cli/main.py": "import os\nx = os.environ"},
    )
