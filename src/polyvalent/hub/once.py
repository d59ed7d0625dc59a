"""
Answer a call that carries an `Idempotency-Key` once, and the same again when it is repeated.

The answer is kept, sealed, for a day, with the instance. The same key with another request is
refused, and so is a repetition while the first is at work. Kept are successes and refusals of the
request itself; a failure that may pass frees the key, and what became of a row is then found out
by the ledger. A first call whose process was killed is no longer at work when its lease ends.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import orjson

from polyvalent.db.lease import give_lease_back, take_lease
from polyvalent.errors import BadRequest, Conflict, PolyvalentError, Unavailable, VendorRefused
from polyvalent.exchange import find_header
from polyvalent.hub import sql
from polyvalent.hub.ledger import Ledger
from polyvalent.hub.model import Answer, Incoming
from polyvalent.hub.resolve import strip_hub
from polyvalent.instances.model import Connection

HEADER = "Idempotency-Key"
LONGEST_KEY = 255
REPEATED = ("Idempotent-Replayed", "true")
# Refusals of the request itself, which the same request will meet again.
_KEPT_STATUSES = frozenset((400, 404, 405, 409))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Claim:
    # The right to carry a call out, or the answer that there is already.
    call_id: int
    holder: str
    resumed: bool = False  # an earlier attempt was killed at work
    answered: dict[str, Any] | None = field(default=None, repr=False)


def read_key(incoming: Incoming) -> str | None:
    """Return the key of a call, None without one; raises BadRequest for one that cannot be used."""
    key = find_header(incoming.headers, HEADER)
    if key is None:
        return None
    if not (key.strip() and key.isascii() and key.isprintable() and len(key) <= LONGEST_KEY):
        raise BadRequest(
            f"The header {HEADER} must have 1 to {LONGEST_KEY} printable ASCII characters, "
            "different for each write; a UUID will do."
        )
    return key.strip()


async def was_begun(ledger: Ledger, connection: Connection, key: str) -> bool:
    """Say whether a call under this key is at work, or was answered or killed within the day."""
    async with ledger.database.transaction() as transaction:
        found = await sql.find_kept_call(
            transaction,
            ledger.keys,
            instance_id=connection.instance_id,
            key=key,
            now=ledger.now(),
        )
    return found is not None


async def answer_once(
    ledger: Ledger,
    connection: Connection,
    incoming: Incoming,
    *,
    key: str,
    answer: Callable[[bool], Awaitable[Answer]],
) -> Answer:
    """
    Answer a call by `answer`, or as it was answered before.

    `answer` is told whether an earlier attempt under this key was killed at work.

    Raises Conflict for a key of another request, or of one that is still at work, and what
    `answer` raises. Effects: those of `answer`, once; one row.
    """
    asked = _digest(incoming)
    claim = await _claim(ledger, connection, key=key, asked=asked)
    if claim.answered is not None:
        return _repeat(claim.answered)
    try:
        async with ledger.renewing(_lease_of(claim.call_id), holder=claim.holder):
            given = await answer(claim.resumed)
    except VendorRefused as error:
        kept = error.status in _KEPT_STATUSES
        await _finish(ledger, claim, content=_refused(asked, error) if kept else None)
        raise
    except PolyvalentError:
        await _finish(ledger, claim, content=None)
        raise
    ledger.mark("once.before_keep")
    await _finish(ledger, claim, content=_answered(asked, given))
    return given


async def _claim(ledger: Ledger, connection: Connection, *, key: str, asked: str) -> _Claim:
    now = ledger.now()
    holder = ledger.random(8).hex()
    async with ledger.database.transaction() as transaction:
        found = await sql.find_kept_call(
            transaction, ledger.keys, instance_id=connection.instance_id, key=key, now=now
        )
        if found is None:
            call_id = await sql.insert_kept_call(
                transaction,
                ledger.keys.ring(),
                random=ledger.random,
                instance_id=connection.instance_id,
                key=key,
                content=_dump({"asked": asked}),
                now=now,
            )
            claim = _Claim(call_id=call_id, holder=holder)
        else:
            content = orjson.loads(found.content)
            if content["asked"] != asked:
                raise Conflict(
                    f"This {HEADER} was used for another request within the last day. Take a new "
                    "key for a new request; repeat a request unchanged."
                )
            if "status" in content:
                return _Claim(call_id=found.id, holder=holder, answered=content)
            claim = _Claim(call_id=found.id, holder=holder, resumed=True)
        # Whoever was at work under this key and was killed has let go of the lease by now.
        name = _lease_of(claim.call_id)
        if not await take_lease(transaction, name, holder=holder, now=now):
            raise Conflict(
                f"The first request with this {HEADER} is still being answered. Repeat it in a "
                "few seconds to get its answer."
            )
    return claim


async def _finish(ledger: Ledger, claim: _Claim, *, content: str | None) -> None:
    try:
        async with ledger.database.transaction() as transaction:
            if content is None:
                await sql.delete_kept_call(transaction, claim.call_id)
            else:
                await sql.keep_content(
                    transaction,
                    ledger.keys.ring(),
                    random=ledger.random,
                    call_id=claim.call_id,
                    content=content,
                )
            name = _lease_of(claim.call_id)
            await give_lease_back(transaction, name, holder=claim.holder, now=ledger.now())
    except Unavailable:
        # What was done is told all the same; a repetition will look the row up.
        return


def _lease_of(call_id: int) -> str:
    return f"kept_call/{call_id}"


def _digest(incoming: Incoming) -> str:
    try:
        body = orjson.dumps(orjson.loads(incoming.body), option=orjson.OPT_SORT_KEYS)
    except orjson.JSONDecodeError:
        body = incoming.body
    parts = (incoming.method.upper(), strip_hub(incoming.path).rstrip("/"), sorted(incoming.query))
    return sha256(orjson.dumps(parts) + b"\n" + body).hexdigest()


def _answered(asked: str, given: Answer) -> str:
    return _dump(
        {
            "asked": asked,
            "status": 200,
            "body": given.body.decode(),
            "headers": [list(pair) for pair in given.headers],
        }
    )


def _refused(asked: str, error: VendorRefused) -> str:
    return _dump(
        {
            "asked": asked,
            "status": error.status,
            "message": error.message,
            "providerMessage": error.provider_message,
        }
    )


def _dump(content: dict[str, Any]) -> str:
    return orjson.dumps(content).decode()


def _repeat(content: dict[str, Any]) -> Answer:
    if content["status"] != 200:
        error = VendorRefused(
            content["message"],
            status=content["status"],
            provider_message=content["providerMessage"],
        )
        error.headers = (REPEATED,)
        raise error
    headers = tuple((name, value) for name, value in content["headers"])
    return Answer(body=content["body"].encode(), headers=(*headers, REPEATED))
