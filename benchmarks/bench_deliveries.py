"""
Do 10 000 events reach a receiver that fails three times in ten and is restarted twice?

    .venv/bin/python -m benchmarks.bench_deliveries [--events 10000] [--keep]

A served platform on SQLite with its worker publishes them about 500 objects; the receiver, a
process of its own, answers 30 % with 500, and twice it is killed and comes back after two seconds.
Pauses between attempts are real in the platform's clock, which is moved ahead whenever nothing is
due, so that three days pass in a minute. Printed are what arrived, whether each object's events
came in order, how often one came twice, and the rate until the first restart.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.machine import RESULTS, describe
from polyvalent.notifications.delivery import sql
from polyvalent.notifications.model import Notice, Owner
from polyvalent.notifications.publish import publish
from tests.journeys.stage import Stage, platform_on_stage

OBJECTS = 500
BATCH = 500
FAILS = 0.3
DOWN_S = 2.0
TOPIC = "benchmark"


def receive(port: int, log: str, seed: int) -> None:
    """Be the receiver: append the id of each event that is taken to a file."""
    chance = random.Random(seed)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                length = 0
                while (header := await reader.readline()) not in (b"\r\n", b""):
                    name, _, value = header.partition(b":")
                    length = int(value) if name.lower() == b"content-length" else length
                body = json.loads(await reader.readexactly(length))
                ok = chance.random() >= FAILS
                if ok:
                    taken.write(f"{body['message']['eventId']}\n")
                    taken.flush()
                status = b"200 OK" if ok else b"500 Broken"
                writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
                del line
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def serve() -> None:
        server = await asyncio.start_server(talk, "127.0.0.1", port, reuse_port=True)
        print("ready", flush=True)
        await server.serve_forever()

    with Path(log).open("a") as taken:
        asyncio.run(serve())


def start_receiver(port: int, log: Path, seed: int) -> subprocess.Popen[str]:
    """Start the receiver in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.bench_deliveries", "--receive", str(port), str(log),
         str(seed)],
        stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


async def publish_some(stage: Stage, numbers: range) -> None:
    """Publish events in one transaction."""
    ports = stage.platform.ports
    owner = Owner(organization_id=1, account_id=1)
    notices = [
        Notice(
            topic=TOPIC,
            message={"eventId": f"{at % OBJECTS}.{at}"},
            event_id=f"{at % OBJECTS}.{at}",
            object_keys=(f"orders/{at % OBJECTS}",),
        )
        for at in numbers
    ]
    async with ports.database.transaction() as connection:
        await publish(
            connection, ports.keys, notices, owner=owner, now=ports.now(), random=ports.random
        )
    stage.platform.bell.ring()


async def look(stage: Stage, subscription_id: int) -> tuple[int, float | None]:
    """Return how many are delivered, and in how many seconds the next one is due."""
    ports = stage.platform.ports
    async with ports.database.reading() as connection:
        next_at = await sql.find_next_due(connection, subscription_id=subscription_id)
        done = await sql.count_delivered(connection, subscription_id=subscription_id)
    return done, None if next_at is None else (next_at - ports.now()).total_seconds()


def run(stage: Stage, *, number: int, folder: Path) -> dict[str, Any]:
    """Deliver everything and say what came of it."""
    log = folder / "taken"
    log.touch()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    receiver = start_receiver(port, log, 1)
    made = stage.call(
        "POST",
        "/notifications/subscriptions",
        body={
            "channel": "webhook",
            "topics": [TOPIC],
            "config": {"url": f"http://127.0.0.1:{port}/events"},
        },
    ).json()
    for begin in range(0, number, BATCH):
        stage.run(publish_some(stage, range(begin, min(begin + BATCH, number))))
    restarts = [number // 4, number // 2]
    moved_s, began_s, quarter_s = 0.0, time.monotonic(), 0.0
    try:
        while True:
            done, due_in_s = stage.run(look(stage, made["id"]))
            if due_in_s is None:
                break
            if due_in_s > 1:
                # Nothing to do until then: that time need not really pass.
                stage.clock.ahead += timedelta(seconds=due_in_s)
                moved_s += due_in_s
                stage.platform.bell.ring()
            if restarts and done >= restarts[0]:
                restarts.pop(0)
                quarter_s = quarter_s or time.monotonic() - began_s
                receiver.send_signal(signal.SIGKILL)
                receiver.wait()
                time.sleep(DOWN_S)
                receiver = start_receiver(port, log, 2 + len(restarts))
            time.sleep(0.1)
    finally:
        receiver.kill()
        receiver.wait()
    taken = log.read_text().split()
    first = list(dict.fromkeys(taken))
    of_object: dict[str, list[int]] = {}
    for event_id in first:
        name, _, at = event_id.partition(".")
        of_object.setdefault(name, []).append(int(at))
    return {
        "events": number,
        "arrived": len(first),
        "lost": number - len(first),
        "again": sum(times - 1 for times in Counter(taken).values()),
        "objects_out_of_order": sum(ids != sorted(ids) for ids in of_object.values()),
        "restarts": 2 - len(restarts),
        "a_second": round(number / 4 / quarter_s),
        "clock_moved_h": round(moved_s / 3600, 1),
    }


def main() -> int:
    """Run the benchmark and print what came of it."""
    if sys.argv[1:2] == ["--receive"]:
        receive(int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
    parser = argparse.ArgumentParser(description="Deliver events to a receiver that fails.")
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--keep", action="store_true")
    chosen = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="polyvalent-deliveries-") as folder,
        platform_on_stage(Path(folder) / "data", works=True) as stage,
    ):
        result = run(stage, number=chosen.events, folder=Path(folder))
    Console().print_json(data=result)
    if chosen.keep:
        kept = {"machine": describe(), **result}
        (RESULTS / "deliveries.json").write_text(json.dumps(kept, indent=2) + "\n")
    return 1 if result["lost"] or result["objects_out_of_order"] else 0


if __name__ == "__main__":
    sys.exit(main())
