"""Write many rows at once and say what a caller was told of each."""

from __future__ import annotations

import http.client
import json
import threading
from collections import Counter
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

PRODUCT = {
    "type_id": "simple",
    "attribute_set_id": 4,
    "name": "Mug",
    "description": "A mug.",
    "short_description": "Mug",
    "weight": 1.5,
    "status": 1,
    "visibility": 4,
    "price": 12.5,
    "tax_class_id": 2,
}


def product(sku: str, **changes: Any) -> dict[str, Any]:
    return {**PRODUCT, "sku": sku, **changes}


def create_all(
    urls: Iterable[str], authorization: str, skus: list[str], *, callers: int
) -> Counter[int]:
    """Create a product for each SKU through several platforms at once; count the statuses."""
    told: Counter[int] = Counter()
    left = list(skus)
    places = list(urls)

    def work(url: str) -> None:
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        headers = {"Authorization": authorization, "Content-Type": "application/json"}
        while left:
            try:
                sku = left.pop()
            except IndexError:
                break
            body = json.dumps(product(sku))
            connection.request("POST", "/elements/api-v2/products", body, headers)
            answer = connection.getresponse()
            answer.read()
            told[answer.status] += 1
        connection.close()

    threads = [
        threading.Thread(target=work, args=(places[number % len(places)],))
        for number in range(callers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return told
