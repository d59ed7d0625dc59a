"""Start the store and every build that is compared, each on a port and pinned to a core."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.calls import Api, secrets_of
from benchmarks.fill import fill
from benchmarks.gateway import rows
from benchmarks.machine import ROOT
from benchmarks.serve_process import free_port, read_cpu_s, serve

HERE = Path(__file__).parent
OTHERS = ROOT / ".venv-bench" / "bin"
# The measured build has one core to itself, store and caller share another.
CORE, OTHER_CORE = (sorted(os.sched_getaffinity(0)) * 2)[:2]
HUB = "/elements/api-v2/hubs/ecommerce"
STORE_PATHS = {
    "object": "/api/rest/products/1",
    "page": f"/api/rest/products?order=entity_id&dir=asc&page=1&limit={rows.PAGE_ROWS}",
}
_CREDENTIALS = {
    "oauth.api.key": "consumer-key",
    "oauth.api.secret": "consumer-secret",
    "oauth.user.token": "access-token",
    "oauth.user.token.secret": "access-secret",
}
_NGINX = """
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 2048; }}
http {{
  access_log off;
  keepalive_requests 100000000;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  default_type application/json;
  {inner}
}}
"""
_STORE = """
  open_file_cache max=10;
  server {{
    listen 127.0.0.1:{port} backlog=2048;
    location = /api/rest/products {{ alias {folder}/page.json; }}
    location = /api/rest/products/1 {{ alias {folder}/object.json; }}
  }}
"""
_PROXY = """
  upstream store {{ server {store}; keepalive 128; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=2048;
    location / {{
      proxy_pass http://store;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffers 16 16k;
    }}
  }}
"""


@dataclass(frozen=True, kw_only=True)
class Build:
    """Hold one running build: where it takes calls, and whose processor time is its own."""

    name: str
    url: str
    pids: tuple[int, ...]
    stop: Callable[[], None] = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    maps: bool = False

    @property
    def cpu_s(self) -> float:
        """Return the processor time of its processes so far."""
        return sum(read_cpu_s(pid) for pid in self.pids)

    def path(self, what: str) -> str:
        """Return the path of a row's call: "strict object", "plain page" and so on."""
        kind, shape = what.split()
        if not self.maps:
            return STORE_PATHS[shape]
        resource = {"plain": "products"}.get(kind, f"{kind}-products")
        last = "/1" if shape == "object" else f"?pageSize={rows.PAGE_SHOWN}"
        return f"{HUB}/{resource}{last}"


def pin(pid: int, core: int) -> None:
    """Keep a process and its threads on one core."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), {core})


def start_store(folder: Path) -> Build:
    """Start nginx as a store that answers everybody with the same object and the same page."""
    (folder / "object.json").write_bytes(rows.object_body())
    (folder / "page.json").write_bytes(rows.page_body())
    return _start_nginx(folder, "direct to the store", _STORE, core=OTHER_CORE)


def start_nginx_proxy(folder: Path, store: Build) -> Build:
    """Start nginx as a proxy in front of the store."""
    inner = _PROXY.replace("{store}", store.url.removeprefix("http://"))
    return _start_nginx(folder, "nginx proxy_pass", inner, core=CORE)


def start_bare_proxy(store: Build) -> Build:
    """Start the bare proxy of Starlette and aiohttp."""
    return _start_uvicorn(
        "Starlette + aiohttp proxy",
        (sys.executable, "-m", "uvicorn", "benchmarks.gateway.bare_proxy:app"),
        {"BARE_STORE": store.url},
        ready=STORE_PATHS["object"],
    )


def start_common_build(store: Build) -> Build:
    """Start the build that most people would write, in its own environment."""
    return _start_uvicorn(
        "FastAPI + httpx + oauthlib",
        (str(OTHERS / "uvicorn"), "--app-dir", str(HERE), "common_build:app"),
        {"COMMON_STORE": store.url, "PYTHONPATH": str(HERE)},
        ready="/openapi.json",
        headers={
            "Authorization": "User user-secret, Organization organization-secret, "
            "Element element-token"
        },
        maps=True,
    )


def start_ours(folder: Path, store: Build) -> Build:
    """Start `polyvalent serve` with one instance of the store and its two mapped objects."""
    served = serve(folder)
    url = f"sqlite:///{folder / 'polyvalent.db'}"
    secrets = asyncio.run(secrets_of(url, folder))
    (token,) = fill(
        url, folder / "keys.json", count=1, store_url=store.url, credentials=_CREDENTIALS
    )
    api = Api(served.url, **secrets)
    for kind in ("strict", "passing"):
        name = f"{kind}-products"
        body = rows.transformation(passing=kind == "passing")
        fields = [{"path": item["path"], "type": "string"} for item in body["fields"]]
        api.call(
            "POST", f"/instances/objects/{name}/definitions", body={"fields": fields}, token=token
        )
        api.call("POST", f"/instances/transformations/{name}", body=body, token=token)
    api.close()
    pin(served.process.pid, CORE)
    return Build(
        name="polyvalent",
        url=served.url,
        pids=(served.process.pid,),
        stop=served.stop,
        headers={"Authorization": f"{api.authorization}, Element {token}"},
        maps=True,
    )


def nginx_is_there() -> bool:
    """Say whether this machine has nginx."""
    return shutil.which("nginx") is not None


def _start_nginx(folder: Path, name: str, inner: str, *, core: int) -> Build:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    port = free_port()
    text = _NGINX.format(folder=folder, inner=inner.format(folder=folder, port=port))
    (folder / "nginx.conf").write_text(text)
    process = subprocess.Popen(
        ["nginx", "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    _await(lambda: fetch(url + STORE_PATHS["object"]), process)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    pids = (process.pid, *map(int, children))
    for pid in pids:
        pin(pid, core)
    return Build(name=name, url=url, pids=pids, stop=lambda: _stop(process))


def _start_uvicorn(
    name: str,
    command: tuple[str, ...],
    environment: Mapping[str, str],
    *,
    ready: str,
    headers: Mapping[str, str] | None = None,
    maps: bool = False,
) -> Build:
    port = free_port()
    process = subprocess.Popen(
        [*command, "--port", str(port), "--no-access-log", "--log-level", "warning"],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    _await(lambda: fetch(url + ready), process)
    pin(process.pid, CORE)
    return Build(
        name=name,
        url=url,
        pids=(process.pid,),
        stop=lambda: _stop(process),
        headers=headers or {},
        maps=maps,
    )


def fetch(url: str, headers: Mapping[str, str] | None = None) -> bytes:
    """Call once and return the body; raises OSError for anything but a success."""
    asked = urllib.request.Request(url, headers=dict(headers or {}))
    with urllib.request.urlopen(asked, timeout=10) as answer:
        body: bytes = answer.read()
        return body


def _await(call: Callable[[], object], process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
        try:
            call()
        except OSError:
            time.sleep(0.05)
        else:
            return
    process.kill()
    raise RuntimeError(f"{process.args!r} does not answer")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
