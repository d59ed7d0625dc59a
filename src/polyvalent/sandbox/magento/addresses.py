"""Addresses of customers: reading, creating, changing and deleting them."""

from typing import Any

from polyvalent.sandbox.magento.ask import Ask, pick
from polyvalent.sandbox.magento.customers import find_customer
from polyvalent.sandbox.magento.places import COUNTRIES, NEEDS_REGION, REGIONS
from polyvalent.sandbox.magento.rest_errors import ApiError, invalid, not_found
from polyvalent.sandbox.magento.state import Row
from polyvalent.sandbox.magento.store_time import local_iso

REQUIRED = (
    ("firstname", "First Name"),
    ("lastname", "Last Name"),
    ("street", "Street Address"),
    ("city", "City"),
    ("country_id", "Country"),
    ("postcode", "Zip/Postal Code"),
    ("telephone", "Telephone"),
)
DEFAULTS = (
    ("is_default_billing", "_default_billing"),
    ("is_default_shipping", "_default_shipping"),
)


def find_address(ask: Ask) -> tuple[int, Row]:
    """Return the address that a route names; customers see only their own."""
    text = ask.route["id"]
    address_id = int(text) if text.isdigit() else 0
    row = ask.store.addresses.rows.get(address_id)
    is_foreign = ask.user.kind == "customer" and (
        row is None or row["_customer_id"] != ask.user.customer_id
    )
    if row is None or is_foreign:
        raise not_found()
    return address_id, row


def complete(ask: Ask, row: Row, *, is_entity: bool) -> Row:
    """Show an address: street as a list of lines, the defaults as computed numbers."""
    shown = ask.store.columns(row)
    shown["street"] = row["street"].split("\n")
    if is_entity and "created_at" in shown:
        shown["created_at"] = local_iso(row["created_at"])
    customer = ask.store.customers.rows[row["_customer_id"]]
    for name, holder in DEFAULTS:
        shown[name] = int(customer.get(holder) == row["entity_id"])
    return pick(shown, ask.shown())


def retrieve(ask: Ask) -> Any:
    """Return one address."""
    return complete(ask, find_address(ask)[1], is_entity=True)


def retrieve_list(ask: Ask) -> Any:
    """Return all addresses of a customer, newest first; filters and pages are not looked at."""
    customer_id = find_customer(ask, "customer_id")
    rows = [ask.store.addresses.rows[i] for i in ask.store.address_ids[customer_id]]
    return [complete(ask, row, is_entity=False) for row in reversed(rows)]


def create(ask: Ask) -> str:
    """Add an address to a customer and return its location."""
    customer_id = find_customer(ask, "customer_id")
    problems = [
        f'"{label}" is a required value.'
        for name, label in REQUIRED
        if is_missing(name, ask.body.get(name))
    ]
    if not problems:
        problems = place_problems(str(ask.body["country_id"]), ask.body, is_region_needed=True)
    if problems:
        raise invalid(problems)
    now = ask.store.timestamp()
    address_id = ask.store.addresses.next_id
    row: Row = {"entity_id": address_id, "created_at": now, "updated_at": now}
    row |= columns_of(ask.body, country=str(ask.body["country_id"]))
    row["_customer_id"] = customer_id
    ask.store.addresses.put(address_id, row)
    ask.store.address_ids[customer_id].append(address_id)
    set_defaults(ask, customer_id, address_id=address_id)
    return f"customers/addresses/{address_id}"


def update(ask: Ask) -> None:
    """Change an address; a new country may demand a region."""
    address_id, row = find_address(ask)
    problems = [
        f'"{label}" is a required value.'
        for name, label in REQUIRED
        if name in ask.body and is_missing(name, ask.body[name])
    ]
    country = str(ask.body.get("country_id", row["country_id"]))
    if not problems:
        is_moved = "country_id" in ask.body
        problems = place_problems(country, ask.body, is_region_needed=is_moved)
    if problems:
        raise invalid(problems)
    changes = columns_of(ask.body, country=country)
    changes["updated_at"] = ask.store.timestamp()
    ask.store.addresses.change(address_id, changes)
    set_defaults(ask, row["_customer_id"], address_id=address_id)


def is_missing(name: str, value: Any) -> bool:
    """Tell whether a required value is absent; a street must be a list."""
    if name == "street":
        return not isinstance(value, list) or not any(value)
    return value in (None, "")


def place_problems(country: str, data: Row, *, is_region_needed: bool) -> list[str]:
    """Check country and region; a region is a name or a code."""
    if country not in COUNTRIES:
        return [f'Invalid value "{country}" for country_id']
    region = data.get("region")
    if region in (None, ""):
        if country in NEEDS_REGION and (is_region_needed or "region" in data):
            return ['"State/Province" is required.']
        return []
    if not isinstance(region, str):
        return ['Invalid "State/Province" type.']
    if country in REGIONS and region_name(country, region) is None:
        return ["State/Province does not exist."]
    return []


def region_name(country: str, region: str) -> str | None:
    """Return the name of a region given by name or code; None if the country has no such one."""
    for code, name in REGIONS.get(country, {}).items():
        if region.lower() in (code.lower(), name.lower()):
            return name
    return None


def columns_of(data: Row, *, country: str) -> Row:
    """Turn sent values into columns: from the third street line on they share the second."""
    row: Row = {}
    for name, value in data.items():
        if name in ("is_default_billing", "is_default_shipping"):
            continue
        if name == "street":
            lines = [str(line) for line in value]
            row[name] = "\n".join([*lines[:1], *(["; ".join(lines[1:])] if lines[1:] else [])])
        elif name == "region" and isinstance(value, str):
            row[name] = region_name(country, value) or value
        else:
            row[name] = None if value is None else str(value)
    return row


def set_defaults(ask: Ask, customer_id: int, *, address_id: int) -> None:
    """Make an address the default where the call says so."""
    for name, holder in DEFAULTS:
        if str(ask.body.get(name)) == "1":
            ask.store.customers.change(customer_id, {holder: address_id})


def delete(ask: Ask) -> None:
    """Remove an address; a default one is refused."""
    address_id, row = find_address(ask)
    customer = ask.store.customers.rows[row["_customer_id"]]
    if address_id in (customer.get("_default_billing"), customer.get("_default_shipping")):
        text = "Address is default for customer so is not allowed to be deleted"
        raise ApiError((400, text))
    ask.store.address_ids[row["_customer_id"]].remove(address_id)
    ask.store.addresses.delete(address_id)
