"""
A simulated Magento 1 store: OAuth 1.0a with the admin's consent pages, and /api/rest.

    from polyvalent.sandbox.magento import StoreOptions, start_store
    running = start_store(StoreOptions(products=30))
    running.url, running.store.consumer_key

Everything it does was seen on a real store's wire (recordings) or read in OpenMage's source.
"""

from polyvalent.sandbox.magento.app import create_app
from polyvalent.sandbox.magento.options import StoreOptions
from polyvalent.sandbox.magento.server import RunningStore, server_config, start_store
from polyvalent.sandbox.magento.state import Store

__all__ = [
    "RunningStore",
    "Store",
    "StoreOptions",
    "create_app",
    "server_config",
    "start_store",
]
