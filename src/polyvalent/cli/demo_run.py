"""Perform the whole flow on this machine: platform, store, consent, instance, calls."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from urllib.parse import parse_qsl, urlsplit

from polyvalent.cli.ask_platform import BASE_PATH, Question, Reply
from polyvalent.cli.browser import open_page
from polyvalent.cli.callback import is_rejected
from polyvalent.cli.consent import Merchant
from polyvalent.cli.demo_show import Screen, callback_lines, object_lines, row_lines
from polyvalent.cli.demo_stage import Plan, Stage, StepFailed, set_stage
from polyvalent.cli.platform_access import authorization
from polyvalent.cli.show import open_console, print_copies, print_json, print_pairs, print_title
from polyvalent.cli.simulators import credentials
from polyvalent.errors import PolyvalentError, VendorRefused

PAGE_SIZE = 3
LOGIN_WAIT_S = 900


async def run_demo(plan: Plan) -> None:
    """
    Run the demo and, unless it shall leave, keep everything running until somebody says stop.

    Raises StepFailed, naming the step. Effects: listens on 127.0.0.1; a temporary folder, gone
    afterwards.
    """
    console = open_console()
    screen = Screen(console=console, quiet=plan.as_json)
    async with set_stage(plan, screen) as stage:
        _show_opening(stage)
        await _get_request_token(stage)
        await _get_oauth_url(stage)
        await _consent(stage)
        await _create_instance(stage)
        await _list_orders(stage)
        await _list_products(stage)
        await _create_customer(stage)
        await _be_refused(stage)
        _show_ending(stage)
        if not plan.leave:
            # Everything was shown, so being stopped from here on is how the demo ends well.
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()


def _show_opening(stage: Stage) -> None:
    screen, console = stage.screen, stage.screen.console
    if screen.quiet:
        return
    print_title(console, "polyvalent, from nothing to the first order")
    found = credentials(stage.store)
    print_pairs(
        console,
        {
            "Platform": f"API={stage.client.url}{BASE_PATH}",
            "Reference": f"{stage.client.url}/docs",
            "Store": f"{stage.store.url} (simulated {stage.element.name})",
            "Merchant": f"{found['adminUser']} / {found['adminPassword']}",
        },
    )
    screen.gap()
    screen.note(
        "Both run in this process, on this machine alone, and forget everything at the end. "
        "Secrets are cut short below."
    )


async def _get_request_token(stage: Stage) -> None:
    stage.begin("Your application asks the store for a request token")
    path = f"/elements/{stage.element.key}/oauth/token"
    reply = await stage.ask(Question(method="GET", path=path, query=stage.application))
    stage.request_token = reply.content["token"]
    stage.screen.hide(reply.content["token"], reply.content["secret"])
    stage.screen.reply(reply, lines=object_lines(reply.content))


async def _get_oauth_url(stage: Stage) -> None:
    stage.begin("It learns where the merchant gives consent")
    reply = await stage.ask(
        Question(
            method="GET",
            path=f"/elements/{stage.element.key}/oauth/url",
            query={**stage.application, "requestToken": stage.request_token},
        )
    )
    stage.oauth_url = reply.content["oauthUrl"]
    lines = callback_lines(stage.oauth_url)
    stage.screen.reply(reply, lines=lines, note="oauthUrl")


async def _consent(stage: Stage) -> None:
    stage.begin("The merchant consents, in the store")
    stage.screen.gap()
    if stage.plan.browser:
        await _consent_by_hand(stage)
    else:
        await _consent_by_robot(stage)
    stage.screen.hide(stage.arrived["oauth_verifier"], stage.arrived.get("secret", ""))
    query = "&".join(f"{name}={value}" for name, value in stage.arrived.items())
    if not stage.screen.quiet:
        stage.screen.note("The browser comes back to your application:")
        for line in callback_lines(f"{stage.listener.url}?{query}"):
            stage.screen.console.print(f"  {stage.screen.shorten(line)}", soft_wrap=True)


async def _consent_by_robot(stage: Stage) -> None:
    account = stage.store.store
    merchant = Merchant(
        door=stage.client.door, user=account.admin_user, password=account.admin_password
    )
    try:
        location, done = await merchant.consent(stage.oauth_url, callback=stage.listener.url)
        await merchant.follow(location)
    except PolyvalentError as error:
        raise StepFailed(f"Step {stage.number}: {error.message}") from error
    stage.screen.note(f"A robot {', '.join(done[:-1])} and {done[-1]}.")
    stage.screen.gap()
    stage.arrived = await stage.listener.wait(token=stage.request_token)
    if dict(parse_qsl(urlsplit(location).query)) != stage.arrived:
        raise StepFailed(f"Step {stage.number}: the callback did not arrive as it was sent.")


async def _consent_by_hand(stage: Stage) -> None:
    account, console = stage.store.store, stage.screen.console
    opened = await open_page(stage.oauth_url)
    stage.screen.note(
        f"{'Your browser shows' if opened else 'Open'} this page. Log in and press Authorize:"
    )
    if not stage.screen.quiet:
        stage.screen.gap()
        print_copies(console, [stage.oauth_url])
        pairs = {"User": account.admin_user, "Password": account.admin_password}
        print_pairs(console, pairs)
        stage.screen.gap()
    waiting = console.status("  Waiting for you …") if console.is_terminal else None
    try:
        if waiting is not None:
            waiting.start()
        async with asyncio.timeout(LOGIN_WAIT_S):
            stage.arrived = await stage.listener.wait(token=stage.request_token)
    except TimeoutError:
        raise StepFailed(f"Step {stage.number}: nobody consented.") from None
    finally:
        if waiting is not None:
            waiting.stop()
    if is_rejected(stage.arrived):
        raise VendorRefused(
            "You declined, so there is nothing to connect. That is an answer too.", status=400
        )


async def _create_instance(stage: Stage) -> None:
    stage.begin("Your application creates the instance")
    account = stage.store.store
    arrived = {name: stage.arrived[name] for name in ("oauth_token", "oauth_verifier", "secret")}
    reply = await stage.ask(
        Question(
            method="POST",
            path="/instances",
            authorization=authorization(stage.secrets),
            body={
                "element": {"key": stage.element.key},
                "providerData": arrived,
                "configuration": {
                    "oauth.api.key": account.consumer_key,
                    "oauth.api.secret": account.consumer_secret,
                    "oauth.callback.url": stage.listener.url,
                    "store.url": stage.store.url,
                },
                "tags": ["demo"],
                "name": "My first store",
            },
        )
    )
    stage.instance = reply.content
    stage.screen.hide(reply.content["token"])
    names = ("id", "name", "token", "element", "valid", "tags", "configuration")
    stage.screen.reply(reply, lines=object_lines(reply.content, names=names))
    stage.screen.gap()
    stage.screen.note(
        "The token is this instance's key from now on. The store's own tokens stay sealed here."
    )


async def _list_orders(stage: Stage) -> None:
    stage.begin("The first orders arrive")
    await _list(
        stage,
        f"/hubs/{stage.element.hub}/orders",
        names=("id", "increment_id", "status", "grand_total"),
    )


async def _list_products(stage: Stage) -> None:
    stage.begin("Products, page by page")
    path = f"/hubs/{stage.element.hub}/products"
    names = ("id", "sku", "name", "price")
    reply = await _list(stage, path, names=names)
    following = reply.header("Elements-Next-Page-Token")
    if following is None:
        raise StepFailed(f"Step {stage.number}: there is no Elements-Next-Page-Token.")
    stage.screen.gap()
    stage.screen.note("The header Elements-Next-Page-Token leads to the next page:")
    stage.screen.hide(following)
    more = await _list(stage, path, names=names, following=following)
    if more.content[0]["id"] == reply.content[0]["id"]:
        raise StepFailed(f"Step {stage.number}: the second page is the first one again.")


async def _list(
    stage: Stage, path: str, *, names: Sequence[str], following: str | None = None
) -> Reply:
    query = {"pageSize": str(PAGE_SIZE)} | ({"nextPage": following} if following else {})
    reply = await stage.ask(
        Question(method="GET", path=path, query=query, authorization=stage.instance_authorization)
    )
    if len(reply.content) != PAGE_SIZE:
        raise StepFailed(f"Step {stage.number}: {len(reply.content)} rows came, not {PAGE_SIZE}.")
    note = f"{len(reply.content)} rows, some of their {len(reply.content[0])} members"
    stage.screen.reply(reply, lines=row_lines(reply.content, names=names), note=note)
    return reply


async def _create_customer(stage: Stage) -> None:
    stage.begin("A customer is created in the store")
    customer = {
        "firstname": "Ada",
        "lastname": "Example",
        "email": "ada@example.com",
        "website_id": 1,
        "group_id": 1,
    }
    path = f"/hubs/{stage.element.hub}/customers"
    reply = await stage.ask(
        Question(
            method="POST", path=path, body=customer, authorization=stage.instance_authorization
        )
    )
    if reply.content.get("email") != customer["email"]:
        raise StepFailed(f"Step {stage.number}: the customer that came back is another one.")
    names = ("id", "firstname", "lastname", "email", "created_at")
    stage.screen.reply(reply, lines=object_lines(reply.content, names=names))


async def _be_refused(stage: Stage) -> None:
    stage.begin("And when something is wrong? One digit of the secret, for example")
    secret = stage.application["apiSecret"]
    wrong = ("0" if secret[0] != "0" else "1") + secret[1:]
    path = f"/elements/{stage.element.key}/oauth/token"
    query = {**stage.application, "apiSecret": wrong}
    stage.screen.hide(wrong)
    reply = await stage.ask(Question(method="GET", path=path, query=query), expect=401)
    stage.screen.reply(reply, lines=())
    stage.screen.gap()
    if "secret" not in reply.message:
        raise StepFailed(f"Step {stage.number}: the refusal does not name the secret.")
    stage.screen.explanation(reply.message)
    if reply.content.get("providerMessage"):
        stage.screen.gap()
        stage.screen.note(f"The store's own words: {reply.content['providerMessage']}")


def _show_ending(stage: Stage) -> None:
    api = f"{stage.client.url}{BASE_PATH}"
    if stage.plan.as_json:
        print_json(
            {
                "api": api,
                "docs": f"{stage.client.url}/docs",
                **stage.secrets,
                "instanceId": stage.instance["id"],
                "elementToken": stage.instance["token"],
                "store": credentials(stage.store),
            },
            indent=False,
        )
        return
    console = stage.screen.console
    if stage.plan.leave:
        print_title(console, "All of it went as expected.", style="bold green")
        return
    hub = stage.element.hub
    print_title(console, "Your turn: paste these into another terminal", style="bold green")
    print_copies(
        console,
        [
            f"API={api}",
            f"AUTH='{stage.instance_authorization}'",
            "",
            f'curl -H "Authorization: $AUTH" "$API/hubs/{hub}/orders?pageSize=2"',
            f'curl -H "Authorization: $AUTH" "$API/hubs/{hub}/products/1"',
            f'curl -H "Authorization: $AUTH" "$API/hubs/{hub}/customers?pageSize=2"',
            f'curl -H "Authorization: $AUTH" "$API/instances/{stage.instance["id"]}"',
        ],
    )
    console.print()
    console.print(f"  Every call is described at {stage.client.url}/docs", style="dim")
    console.print("  Ctrl-C ends the demo and leaves nothing behind.", style="dim")
    console.print()
