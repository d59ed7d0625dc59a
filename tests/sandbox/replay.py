"""
Replay recordings of a real store against the simulator.

Finds the recordings, starts a fitting simulated store for each group of them, translates tokens,
secrets, hosts and ids, signs with oauthlib where the recorded call was signed, and compares.
"""

import json
import os
import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

from oauthlib.oauth1 import Client
from oauthlib.oauth1.rfc5849 import signature as rfc5849

from polyvalent.sandbox.magento import RunningStore, Store, StoreOptions, start_store
from polyvalent.sandbox.magento.state import GUEST_READ, Role, Token
from tests.sandbox.replay_compare import differences, has_equal_values
from tests.sandbox.replay_fixture import PRODUCTS, Fixture, Recording, integer_names
from tests.sandbox.replay_pages import play_page
from tests.sandbox.replay_roles import (
    CALLERS,
    FIRST_WRITES,
    LAST_WRITES,
    SIGNINGS,
    WEBSERVER_ORDER,
    Signing,
)
from tests.sandbox.wire import Reply, send

RECORDED_HOST = "127.0.0.1:8090"
SERVERS = {
    "apache-mod_fcgid": "fcgid",
    "apache-mod_php": "apache",
    "apache-proxy_fcgi": "proxy_fcgi",
    "nginx-fpm": "nginx",
}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Hold how one recording fared; `name` is folder, group and file name."""

    name: str
    differences: list[str]
    has_equal_values: bool


def recordings_home() -> Path | None:
    """Return the directory of the recordings, None where there is none."""
    named = os.environ.get("POLYVALENT_RECORDINGS")
    home = Path(named) if named else Path(__file__).parents[3] / "shared" / "magento1"
    return home if (home / "recordings" / "index.json").is_file() else None


def load(folder: Path) -> dict[str, list[Recording]]:
    """Load a folder's recordings by group, the directory below it."""
    groups: dict[str, list[Recording]] = {}
    for entry in json.loads((folder / "index.json").read_text()):
        group, _, name = entry["file"].rpartition("/")
        recording = json.loads((folder / entry["file"]).read_text())
        recording["name"] = name.removesuffix(".json")
        groups.setdefault(group, []).append(recording)
    return groups


def play_all(home: Path) -> Iterator[Outcome]:
    """Replay everything below the directory of the recordings."""
    main = load(home / "recordings")
    native = load(home / "recordings-php82-native-ints")
    integers = integer_names(r for group in native.values() for r in group)
    servers = load(home / "recordings-webservers")
    # The one answer that shows every SKU; of the rows that were created later nothing is taken.
    skus = only_early(next(r for r in servers["nginx-fpm/rest"] if r["name"] == "limit_0"))
    for folder, groups in (
        ("recordings", main),
        ("recordings-php82-native-ints", native),
        ("recordings-classic-1.9.3", load(home / "recordings-classic-1.9.3")),
        ("recordings-webservers", servers),
    ):
        source = native if "native" in folder else main
        reads = [
            recording
            for group, members in source.items()
            for recording in members
            if group.startswith("rest-") and group != "rest-write"
        ]
        for group, members in groups.items():
            options = options_for(folder, group)
            own = members if group.endswith("rest") else []
            store = Fixture(options, integers).build([skus, *reads, *own])
            yield from play_group(f"{folder}/{group}", members, store=store)


def only_early(recording: Recording) -> Recording:
    """Return a recorded list of products without those created while recording."""
    rows = json.loads(recording["response"]["body"])
    early = {number: row for number, row in rows.items() if int(number) <= PRODUCTS}
    return {**recording, "response": {**recording["response"], "body": json.dumps(early)}}


def options_for(folder: str, group: str) -> StoreOptions:
    """Return the store that a group was recorded from."""
    server = SERVERS.get(group.partition("/")[0], "nginx")
    return StoreOptions(
        flavor="classic" if "classic" in folder else "newer",
        native_ints="native" in folder or group == "oauth-resource" or "webservers" in folder,
        web_server=server,  # type: ignore[arg-type] - the values above are the option's
    )


def play_group(title: str, recordings: list[Recording], *, store: Store) -> Iterator[Outcome]:
    """Replay a group in the order in which it was recorded."""
    for name, role in (
        ("limited", Role(resources={"product": {"retrieve"}})),
        ("none", None),
        ("no_attributes", Role(attributes={})),
        ("three_attributes", Role(attributes={"product": {"entity_id", "sku", "name"}})),
        ("order_id_only", Role(attributes={"order": {"entity_id"}})),
    ):
        store.add_admin(name, "unused", role=role)
    store.add_consumer("Integration Platform", rejected_url="http://127.0.0.1:9999/rejected")
    store.add_consumer("Integration Platform")
    if title.startswith("recordings-webservers"):
        ids = [re.search(r"products/(\d{3})$", r["request"]["url"]) for r in recordings]
        created = min(int(m[1]) for m in ids if m)
        store.products.next_id = created
        row = store.products.rows.pop(created, None)
        if row is not None:
            del store.sku_ids[row["sku"].lower()]
    running = start_store(store.options, store=store)
    try:
        player = Player(running=running, group=title.rpartition("/")[2])
        player.recordings = {r["name"]: r for r in recordings}
        for recording in in_order(recordings, player.group):
            yield player.play(recording, title=title)
    finally:
        running.stop()


def in_order(recordings: list[Recording], group: str) -> list[Recording]:
    """Sort recordings as they were made; only groups that write are sensitive to it."""
    first = FIRST_WRITES if group == "rest-write" else WEBSERVER_ORDER if group == "rest" else []
    last = LAST_WRITES if group in ("rest-write", "rest") else []

    def place(recording: Recording) -> tuple[int, int, str]:
        name = recording["name"]
        if name in first:
            return (0, first.index(name), name)
        return (2, last.index(name), name) if name in last else (1, 0, name)

    return sorted(recordings, key=place)


@dataclass(kw_only=True)
class Player:
    """Replay the recordings of one group against one running store."""

    running: RunningStore
    group: str
    recordings: dict[str, Recording] = field(default_factory=dict)
    nonces: dict[str, tuple[str, int]] = field(default_factory=dict)

    def play(self, recording: Recording, *, title: str) -> Outcome:
        """Replay one recording and compare."""
        self.set_scene(recording["name"])
        if self.group == "oauth-authorize":
            reply = play_page(self.running, recording)
        else:
            signing = self.signing(recording)
            self.nonces.pop(signing.nonce or "", None)
            if signing.before is not None:
                self.exchange(self.recordings[signing.before])
            reply = self.exchange(recording)
        answer = recording["response"]
        theirs = {
            "status": answer["status"],
            "headers": {k.lower(): v for k, v in answer["headers"]},
            "body": answer["body"] or "",
        }
        text = reply.body.decode("utf-8", "replace")
        ours = {"status": reply.status, "headers": reply.headers, "body": text}
        content_type = theirs["headers"].get("content-type", "")
        order = re.search(r"\border=(\w+)", recording["request"]["url"])
        found = differences(theirs, ours, order=order[1] if order else None)
        return Outcome(
            name=f"{title}/{recording['name']}",
            differences=found,
            has_equal_values=not found and has_equal_values(content_type, theirs["body"], got=text),
        )

    def set_scene(self, name: str) -> None:
        """Bring the store into the state in which a recording was made."""
        store = self.running.store
        store.guest = Role(resources={} if name == "guest_role_empty" else dict(GUEST_READ))
        store.set_options(
            database_down=name.startswith("db_down"),
            maintenance=name.startswith("maintenance"),
            php_down=name.startswith("php_down"),
        )

    def signing(self, recording: Recording) -> Signing:
        """Return how a recording was signed."""
        return SIGNINGS.get(f"{self.group}/{recording['name']}", Signing())

    def exchange(self, recording: Recording) -> Reply:
        """Translate a recorded request, sign it, send it."""
        request, signing = recording["request"], self.signing(recording)
        netloc = self.running.url.removeprefix("http://")
        port = netloc.rpartition(":")[2]
        values = self.values(recording, signing)
        url = fill(request["url"], values)
        headers, host = [], netloc
        for name, value in request["headers"]:
            if name == "Host":
                host = value.replace(RECORDED_HOST, netloc).replace(":8090", f":{port}")
            elif name not in ("Content-Length", "Authorization"):
                headers.append((name, value))
        body = None if request["body"] is None else fill(request["body"], values)
        authorization = next((v for k, v in request["headers"] if k == "Authorization"), None)
        if authorization is not None:
            authorization = fill(authorization, values)
        sent = f"{authorization} {url} {body}"
        if "{signature}" in sent:
            made = self.sign(
                method=request["method"],
                url=url,
                host=host,
                body=body if is_form(request) else None,
                authorization=authorization,
                signing=signing,
                token_secret=values["token_secret"],
            )
            url, body, authorization = (
                part.replace("{signature}", quote(made, safe="")) if part else part
                for part in (url, body, authorization)
            )
        if authorization is not None:
            headers.append(("Authorization", authorization))
        raw = None if body is None else body.encode()
        if raw is not None and "\ufffd" in (body or ""):
            raw = raw.replace("\ufffd".encode(), b"\xff")
        url = url.replace("{base}", self.running.url)
        return send(request["method"], url, headers=headers, body=raw, host=host)

    def values(self, recording: Recording, signing: Signing) -> dict[str, str]:
        """Make what the placeholders of a request stand for."""
        store = self.running.store
        role = signing.token or (
            "authorized" if "/oauth/token" in recording["request"]["url"] else "access"
        )
        token = self.token(recording["name"], role)
        moment = int(time.time()) + signing.timestamp_offset_s
        nonce = secrets.token_hex(16)
        if signing.nonce is not None:
            start, first = self.nonces.setdefault(signing.nonce, (nonce, moment))
            nonce = (start + "0123456789")[: signing.nonce_length]
            if signing.nonce_length > 32 + 8:
                nonce = nonce[:39] + "zz"
            is_later = "other_timestamp" in recording["name"]
            moment = first + 10 if is_later else first
        shown = "abc" if role == "short" else token.token
        return {
            "consumer_key": store.consumers[0].key,
            "consumer_key_2": store.consumers[1].key,
            "consumer_key_3": store.consumers[2].key,
            "consumer_secret": store.consumers[0].secret,
            "access_token": shown,
            "access_token_secret": token.secret,
            "token_secret": token.secret,
            "hex32": shown,
            "verifier": secrets.token_hex(16)
            if signing.is_wrong_verifier or token.verifier is None
            else token.verifier,
            "nonce": nonce,
            "timestamp": signing.timestamp or str(moment),
        }

    def token(self, name: str, role: str) -> Token:
        """Make the token that a recording was sent with."""
        store = self.running.store
        caller = None
        if self.group == "rest-acl":
            caller = next((who for start, who in CALLERS.items() if name.startswith(start)), None)
        if caller == "customer":
            return store.issue_token(customer_id=1)
        token = store.issue_token(admin=caller or store.admin_user)
        token.is_access = role in ("access", "revoked")
        token.is_revoked = role == "revoked"
        if role in ("unauthorized", "request"):
            token.is_authorized, token.verifier = False, None
        if role == "unknown":
            del store.tokens[token.token]
        return token

    def sign(
        self,
        *,
        method: str,
        url: str,
        host: str,
        body: str | None,
        authorization: str | None,
        signing: Signing,
        token_secret: str,
    ) -> str:
        """Sign with oauthlib, over what the recording shows and what its role says."""
        if signing.is_broken:
            return "AAAAAAAAAAAAAAAAAAAAAAAAAAA="
        path, _, query = url.removeprefix("{base}").partition("?")
        is_oauth = "/oauth/" in path
        if is_oauth is not signing.is_port_flipped:
            host = host.partition(":")[0]
        signed = query if signing.signed_query is None else signing.signed_query
        pairs = parse_qsl(signed.replace("+", "%2B"), keep_blank_values=True)
        pairs += parse_qsl(body or "", keep_blank_values=True)
        if authorization is not None:
            for part in authorization.partition(" ")[2].split(", "):
                name, _, value = part.partition("=")
                if name != "realm":
                    pairs.append((name, unquote(value.strip('"'))))
        pairs = [(k, v) for k, v in pairs if k != "oauth_signature"]
        text = rfc5849.signature_base_string(
            method,
            rfc5849.base_string_uri(f"{signing.scheme}://{host}{path}"),
            rfc5849.normalize_parameters(pairs),
        )
        consumer = self.running.store.consumers[signing.consumer - 1]
        secret = "0" * 32 if signing.wrong_consumer_secret else consumer.secret
        has_token = "oauth_token" in dict(pairs)
        other = "0" * 32 if signing.wrong_token_secret else token_secret
        client = Client(
            consumer.key,
            client_secret=secret,
            resource_owner_secret=other if has_token else "",
        )
        return str(rfc5849.sign_hmac_sha1_with_client(text, client))


def is_form(request: dict[str, Any]) -> bool:
    """Tell whether a recorded body is form-encoded."""
    return any(
        name == "Content-Type" and value.startswith("application/x-www-form-urlencoded")
        for name, value in request["headers"]
    )


def fill(text: str, values: dict[str, str]) -> str:
    """Replace placeholders; after oauth_verifier= a code is a verifier, elsewhere a token."""
    text = re.sub(r'(oauth_verifier="?)\{hex32\}', r"\1{verifier}", text)

    def value(match: re.Match[str]) -> str:
        found = values.get(match[1])
        return match[0] if found is None else found

    return re.sub(r"\{(\w+)\}", value, text)
