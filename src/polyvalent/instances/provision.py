"""
Make an instance: exchange the verifier, prove that the result works, store it, answer it.

Everything that can be refused is refused before the store is asked; the row is written last, in
one transaction, so a crash at any point leaves either a working instance or nothing. What a
crash between the exchange and the row leaves behind is a token at the store that nobody knows.

Source: RFC 5849, section 2.3.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field, replace

from polyvalent.accounts.model import Caller
from polyvalent.auth.oauth1 import TokenCredentials
from polyvalent.auth.oauth1_answer import UnreadableCredentials, parse_credentials
from polyvalent.auth.oauth1_variant import STANDARD, Variant
from polyvalent.authorizations.use import use_request
from polyvalent.catalog.element import Element
from polyvalent.db import Connection as DatabaseConnection
from polyvalent.errors import BadRequest, PolyvalentError, VendorRefused
from polyvalent.exchange import Request
from polyvalent.instances import sql
from polyvalent.instances.application import (
    client_credentials,
    normalize_addresses,
    transmission,
)
from polyvalent.instances.configuration import (
    MASK,
    check,
    complete,
    entries_of,
    fill,
    is_secret,
    unfilled_path,
    unknown_keys,
)
from polyvalent.instances.draft import Draft
from polyvalent.instances.handshake import Handshake, find_handshake
from polyvalent.instances.model import Configuration, Instance, NewInstance, StoredValue
from polyvalent.instances.naming import clean_name
from polyvalent.instances.obtain import obtain
from polyvalent.instances.ports import Ports
from polyvalent.instances.reach import LARGEST_REPLY_BYTES, SigningKeys, reach
from polyvalent.instances.refuse import refusal_of, wrong_place
from polyvalent.instances.scheme import is_signed
from polyvalent.instances.verify import verify
from polyvalent.instances.watch import Watch

TOKEN_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class Proven:
    """Hold a configuration whose credentials were seen to work."""

    configuration: Configuration = field(repr=False)
    variant: Variant
    handshake: Handshake | None


async def provision(
    ports: Ports, caller: Caller, draft: Draft, *, element: Element, watch: Watch
) -> Instance:
    """
    Create an instance from a draft.

    Raises BadRequest for a draft that lacks something, VendorRefused, VendorFailure,
    VendorUnreachable and VendorTimeout with the store's reason; then nothing is stored.
    Effects: signed calls to the store, then one transaction.
    """
    if draft.name is None:
        raise BadRequest('The instance needs a name: add "name" to the request body.')
    name = clean_name(draft.name)
    ports.mark("provision.named")
    given = normalize_addresses(element, draft.configuration or {})
    _check_unmasked(given)
    check(element, given)
    configuration = complete(element, given)
    ports.foresee(element, configuration)
    ports.mark("provision.checked")
    proven = await prove(ports, element, configuration, draft=draft, watch=watch)
    token = base64.b64encode(ports.random(TOKEN_BYTES)).decode()
    now = ports.now()
    new = NewInstance(
        organization_id=caller.organization.id,
        account_id=caller.account.id,
        user_id=caller.user.id,
        element_id=element.id,
        element_key=element.key,
        name=name,
        token=token,
        tags=draft.tags or (name,),
        configuration=stored_values(element, proven.configuration),
        trace_logging_enabled=draft.trace_logging_enabled or False,
        caching_enabled=draft.caching_enabled or False,
        max_cache_size=draft.max_cache_size or 0,
        cache_time_to_live=draft.cache_time_to_live or 0,
        external_authentication=draft.external_authentication or "none",
        signing_variant=str(proven.variant),
        created_at=now,
    )
    ports.mark("provision.before_transaction")
    async with ports.database.transaction() as connection:
        ports.mark("provision.in_transaction")
        await use_handshake(ports, connection, proven.handshake)
        ports.mark("provision.handle_used")
        instance_id = await sql.insert_instance(
            connection, ports.keys.ring(), random=ports.random, new=new
        )
        ports.mark("provision.inserted")
        stored = await sql.find_instance(
            connection, ports.keys, instance_id=instance_id, organization_id=new.organization_id
        )
        assert stored is not None  # inserted by this transaction
        await ports.follow(connection, stored, element)
        ports.mark("provision.before_commit")
    ports.mark("provision.committed")
    return stored


async def prove(
    ports: Ports,
    element: Element,
    configuration: Configuration,
    *,
    draft: Draft,
    watch: Watch,
) -> Proven:
    """
    Obtain what an instance needs beside its configuration, and read once with it.

    The credentials come from the handshake in `draft.provider_data`, or, with
    `externalAuthentication: initial`, from the configuration as the caller obtained them. Then
    come the element's own calls; see `obtain`.
    Raises as `provision`; stores nothing.
    """
    if not is_signed(element, configuration):
        nobody = TokenCredentials("", "")
        proven = await obtain(ports, element, configuration, token=nobody)
        variant = await verify(ports, element, proven, token=nobody, watch=watch)
        return Proven(configuration=proven, variant=variant, handshake=None)
    handshake: Handshake | None = None
    if draft.external_authentication == "initial":
        token = _imported(configuration)
    else:
        handshake = await find_handshake(
            ports, element, draft.provider_data or {}, configuration=configuration
        )
        ports.mark("provision.before_exchange")
        token = await _exchange(ports, element, configuration, handshake=handshake, watch=watch)
        ports.mark("provision.after_exchange")
    ports.mark("provision.token_in_hand")
    proven = {
        **configuration,
        "oauth.user.token": token.token,
        "oauth.user.token.secret": token.secret,
    }
    ports.mark("provision.before_verify")
    try:
        proven = await obtain(ports, element, proven, token=token)
        variant = await verify(ports, element, proven, token=token, watch=watch)
    except PolyvalentError as error:
        if handshake is not None:
            error.message += (
                " The store has used this authorization up all the same: once the cause is "
                f"mended, start again with GET /elements/{element.key}/oauth/token."
            )
        raise
    ports.mark("provision.after_verify")
    return Proven(configuration=proven, variant=variant, handshake=handshake)


async def use_handshake(
    ports: Ports, connection: DatabaseConnection, handshake: Handshake | None
) -> None:
    """Mark the handshake as used; raises BadRequest if another request was faster."""
    if handshake is None or handshake.request_id is None:
        return
    await use_request(
        connection,
        ports.keys,
        random=ports.random,
        request_id=handshake.request_id,
        now=ports.now(),
    )


def stored_values(element: Element, configuration: Configuration) -> dict[str, StoredValue]:
    """Say of each configuration value whether it must be sealed; what nobody declared is, too."""
    known = entries_of(element)
    return {
        key: StoredValue(value=value, secret=key not in known or is_secret(element, key))
        for key, value in configuration.items()
    }


def with_warnings(draft: Draft, element: Element) -> Draft:
    """Add the configuration keys that nobody knows to the draft's warnings."""
    unknown = unknown_keys(element, draft.configuration or {})
    warnings = [f"unknown configuration key {key[:80]!r} was ignored" for key in unknown]
    return replace(draft, warnings=(*draft.warnings, *warnings))


async def _exchange(
    ports: Ports,
    element: Element,
    configuration: Configuration,
    *,
    handshake: Handshake,
    watch: Watch,
) -> TokenCredentials:
    request = Request(
        method="POST",
        url=fill(configuration, "oauth.token.url"),
        headers=(("Accept", "*/*"),),
        template=unfilled_path(configuration, "oauth.token.url"),
    )
    with ports.lookout.calling(element, request) as answered:
        reached = await reach(
            ports,
            request,
            keys=SigningKeys(
                client=client_credentials(configuration),
                token=handshake.temporary,
                verifier=handshake.verifier,
                transmission=transmission(configuration),
            ),
            variant=STANDARD,
            max_body_bytes=LARGEST_REPLY_BYTES,
            observe=watch.observe,
        )
        answered(reached.decisive.exchange, attempts=reached.sent)
    if reached.response.status != 200:
        raise refusal_of(reached, step="token_credentials", element=element)
    try:
        return parse_credentials(reached.response.body).credentials
    except UnreadableCredentials as error:
        raise wrong_place(reached, element=element, found=error.found) from error


def _check_unmasked(given: Configuration) -> None:
    masked = [key for key, value in given.items() if value == MASK]
    if masked:
        raise BadRequest(
            f'The configuration has "{MASK}" in place of {", ".join(masked)}: that is how an '
            "answer shows a secret. Send the values themselves; a new instance has none to keep."
        )


def _imported(configuration: Configuration) -> TokenCredentials:
    token = configuration.get("oauth.user.token")
    secret = configuration.get("oauth.user.token.secret")
    if not token or not secret:
        raise VendorRefused(
            'With "externalAuthentication": "initial" the configuration must bring '
            "oauth.user.token and oauth.user.token.secret, which you obtained yourself.",
            status=400,
        )
    return TokenCredentials(token, secret)
