"""Run a simulated store on a port of this machine."""

import socket
import threading
import time
from dataclasses import dataclass, field

import uvicorn
from starlette.applications import Starlette

from polyvalent.sandbox.magento.app import create_app
from polyvalent.sandbox.magento.options import StoreOptions
from polyvalent.sandbox.magento.state import Store

START_S = 10.0
STOP_S = 5.0


@dataclass(kw_only=True)
class RunningStore:
    """Hold a store that is being served by a thread of this process."""

    url: str
    store: Store
    _server: uvicorn.Server = field(repr=False)
    _thread: threading.Thread = field(repr=False)

    def stop(self) -> None:
        """Stop serving and wait for the thread; stopping twice does no harm."""
        self._server.should_exit = True
        self._thread.join(STOP_S)


def server_config(app: Starlette, *, host: str, port: int) -> uvicorn.Config:
    """Return how to run a store with uvicorn: quiet, and without uvicorn's own headers."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        date_header=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=1,
    )


def start_store(
    options: StoreOptions, *, port: int = 0, host: str = "127.0.0.1", store: Store | None = None
) -> RunningStore:
    """
    Serve a store from a thread and return once it answers; port 0 takes a free one.

    Raises OSError if the port is taken, RuntimeError if the server does not start in time.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    bound = listener.getsockname()[1]
    app = create_app(options, store=store)
    server = uvicorn.Server(server_config(app, host=host, port=bound))
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listener]}, name=f"store-{bound}", daemon=True
    )
    thread.start()
    deadline = time.monotonic() + START_S
    while not server.started:
        if time.monotonic() > deadline or not thread.is_alive():
            listener.close()
            raise RuntimeError(f"the store did not start on {host}:{bound}")
        time.sleep(0.005)
    return RunningStore(
        url=f"http://{host}:{bound}", store=app.state.store, _server=server, _thread=thread
    )
