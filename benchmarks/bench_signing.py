"""
How long does one OAuth 1.0 signature take, ours beside oauthlib's?

Both sign the same request with the same nonce and time, HMAC-SHA1, in the header, in one
process and in alternating rounds, so that a slow moment of the machine hits both. Each cell is
the median over the rounds of the mean of one round. Both results are compared first.

    .venv/bin/python benchmarks/bench_signing.py [--rounds 15] [--calls 400] [--json]
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from urllib.parse import unquote

import oauthlib
from oauthlib.oauth1 import Client

from polyvalent.auth import ClientCredentials, TokenCredentials, sign
from polyvalent.exchange import Request

KEY, SECRET = "dpf43f3p2l4k3l03dpf43f3p2l4k3l03", "kd94hf93k423kf44kd94hf93k423kf44"
TOKEN, TOKEN_SECRET = "nnch734d00sl2jdknnch734d00sl2jdk", "pfkkdhi9sl3r4s00pfkkdhi9sl3r4s00"
NONCE, TIMESTAMP = "6c3fa1d2b58e4f0799c1d2e3f4a5b6c7", 1_700_000_000
TARGET_PLAIN_US = 45.0

URLS = {
    "plain": "https://shop.example.com/api/rest/products/42",
    "paged": "https://shop.example.com/api/rest/orders?limit=100&page=3&order=entity_id&dir=asc",
    "filtered": (
        "https://shop.example.com:8443/api/rest/orders?limit=100&page=3"
        "&filter%5B1%5D%5Battribute%5D=created_at"
        "&filter%5B1%5D%5Bfrom%5D=2026-01-01%2000%3A00%3A00"
        "&filter%5B1%5D%5Bto%5D=2026-02-01%2000%3A00%3A00"
        "&filter%5B2%5D%5Battribute%5D=status"
        "&filter%5B2%5D%5Bin%5D%5B0%5D=processing&filter%5B2%5D%5Bin%5D%5B1%5D=complete"
    ),
}
HEADERS = {"Accept": "application/json", "User-Agent": "bench"}


def sign_ours(url: str) -> str:
    request = Request(method="GET", url=url, headers=tuple(HEADERS.items()))
    signed = sign(
        request,
        client=ClientCredentials(KEY, SECRET),
        token=TokenCredentials(TOKEN, TOKEN_SECRET),
        nonce=NONCE,
        timestamp=TIMESTAMP,
    )
    return signed.request.headers[-1][1]


def sign_oauthlib(url: str) -> str:
    client = Client(
        KEY, SECRET, TOKEN, TOKEN_SECRET, nonce=NONCE, timestamp=str(TIMESTAMP), encoding="utf-8"
    )
    _, headers, _ = client.sign(url, "GET", headers=dict(HEADERS))
    return str(headers["Authorization"])


def read_signature(header: str) -> str:
    return unquote(header.partition('oauth_signature="')[2].partition('"')[0])


def time_us(function, url: str, calls: int) -> float:
    started = time.perf_counter()
    for _ in range(calls):
        function(url)
    return (time.perf_counter() - started) / calls * 1e6


def measure(*, rounds: int, calls: int) -> list[dict[str, object]]:
    rows = []
    for name, url in URLS.items():
        if read_signature(sign_ours(url)) != read_signature(sign_oauthlib(url)):
            raise SystemExit(f"{name}: the two signatures differ")
        ours, theirs = [], []
        for _ in range(rounds):
            ours.append(time_us(sign_ours, url, calls))
            theirs.append(time_us(sign_oauthlib, url, calls))
        rows.append(
            {
                "url": name,
                "ours_us": round(statistics.median(ours), 1),
                "oauthlib_us": round(statistics.median(theirs), 1),
                "ratio": round(statistics.median(theirs) / statistics.median(ours), 2),
            }
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--calls", type=int, default=400)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = parser.parse_args()

    rows = measure(rounds=chosen.rounds, calls=chosen.calls)
    if chosen.json:
        report = {
            "question": "microseconds for one OAuth 1.0 signature (HMAC-SHA1, header)",
            "python": platform.python_version(),
            "oauthlib": oauthlib.__version__,
            "rounds": chosen.rounds,
            "calls": chosen.calls,
            "target_plain_us": TARGET_PLAIN_US,
            "rows": rows,
        }
        print(json.dumps(report, indent=2))
        return
    print(f"{'url':<10}{'ours us':>10}{'oauthlib us':>14}{'ratio':>8}")
    for row in rows:
        print(f"{row['url']:<10}{row['ours_us']:>10}{row['oauthlib_us']:>14}{row['ratio']:>8}")


if __name__ == "__main__":
    main()
