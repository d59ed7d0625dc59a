"""Customers: reading, creating, changing and deleting them."""

import re
from typing import Any

from polyvalent.sandbox.magento.ask import Ask, pick
from polyvalent.sandbox.magento.collection import View, select
from polyvalent.sandbox.magento.oauth_verify import PhpFatal
from polyvalent.sandbox.magento.php_values import to_int
from polyvalent.sandbox.magento.rest_errors import ApiError, invalid, not_found
from polyvalent.sandbox.magento.state import Row
from polyvalent.sandbox.magento.store_time import local_iso

GROUPS = (0, 1, 2, 3)
EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
US_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{2,4})")
REQUIRED = (
    ("website_id", "Associate to Website"),
    ("group_id", "Group"),
    ("firstname", "First Name"),
    ("lastname", "Last Name"),
    ("email", "Email"),
)


def find_customer(ask: Ask, name: str = "id") -> int:
    """Return the id that a route names; customers see only themselves."""
    text = ask.route[name]
    customer_id = int(text) if text.isdigit() else 0
    is_foreign = ask.user.kind == "customer" and ask.user.customer_id != customer_id
    if customer_id not in ask.store.customers.rows or is_foreign:
        raise not_found()
    return customer_id


def retrieve(ask: Ask) -> Any:
    """Return one customer."""
    customer_id = find_customer(ask)
    if ask.user.kind == "customer" and ask.store.options.native_ints:
        # The vendor compares the id as text with the column, which is a number here.
        raise not_found()
    row = ask.store.customers.rows[customer_id]
    shown = ask.store.columns(row)
    shown["created_at"] = local_iso(row["created_at"])
    return pick(shown, ask.shown())


def retrieve_list(ask: Ask) -> Any:
    """Return a page of customers, keyed by id; a customer's page is the customer alone."""
    ids = ask.store.customers.ids()
    if ask.user.customer_id is not None:
        ids = [i for i in ids if i == ask.user.customer_id]
    rows = ask.store.customers.rows
    view = View(
        ids=ids,
        row=rows.__getitem__,
        allowed=ask.allowed(),
        is_eav=True,
        lookups={"email": ask.store.customer_emails.get},
        table=ask.store.customers,
        scope=str(ask.user.customer_id),
    )
    chosen = select(view, ask.query)
    names = ask.shown()
    return {str(i): ask.store.columns(rows[i], names) for i in chosen}


def create(ask: Ask) -> str:
    """Add a customer and return its location."""
    problems = [
        f'"{label}" is a required value.'
        for name, label in REQUIRED
        if ask.body.get(name) in (None, "")
    ]
    problems += problems_of(ask, ask.body)
    if problems:
        raise invalid(problems)
    email = str(ask.body["email"])
    if email.lower() in ask.store.customer_emails:
        raise ApiError((500, "This customer email already exists"), (0, "id is not specified"))
    now = ask.store.timestamp()
    row: Row = {
        "entity_id": ask.store.customers.next_id,
        "website_id": to_int(ask.body["website_id"]),
        "email": email,
        "group_id": to_int(ask.body["group_id"]),
        "created_at": now,
        "updated_at": now,
        "disable_auto_group_change": 0,
        "created_in": "Admin",
    }
    row |= columns_of(ask.body)
    customer_id = ask.store.customers.insert(row)
    ask.store.customer_emails[email.lower()] = customer_id
    ask.store.address_ids[customer_id] = []
    return f"customers/{customer_id}"


def update(ask: Ask) -> None:
    """Change a customer; the website stays, whatever is sent."""
    customer_id = find_customer(ask)
    data = {k: v for k, v in ask.body.items() if k != "website_id"}
    problems = [
        f'"{label}" is a required value.'
        for name, label in REQUIRED
        if name in data and data[name] in (None, "")
    ]
    problems += problems_of(ask, data)
    if problems:
        raise invalid(problems)
    row = ask.store.customers.rows[customer_id]
    email = str(data.get("email", row["email"]))
    if ask.store.customer_emails.get(email.lower(), customer_id) != customer_id:
        text = "This customer email already exists"
        raise ApiError((500, text), (500, "Unhandled simple errors."))
    changes = columns_of(data)
    changes["updated_at"] = ask.store.timestamp()
    ask.store.customer_emails.pop(row["email"].lower(), None)
    ask.store.customer_emails[email.lower()] = customer_id
    ask.store.customers.change(customer_id, changes)


def problems_of(ask: Ask, data: Row) -> list[str]:
    """List what is wrong with the values that were sent."""
    problems = []
    email = data.get("email")
    if email not in (None, "") and not EMAIL.fullmatch(str(email)):
        problems.append('"Email" is not a valid email address.')
    choices = (
        ("website_id", tuple(ask.store.websites)),
        ("group_id", GROUPS),
        ("gender", (1, 2)),
    )
    for name, known in choices:
        value = data.get(name)
        if value not in (None, "") and str(value) not in [str(k) for k in known]:
            problems.append(f'Invalid value "{value}" for {name}')
    return problems


def columns_of(data: Row) -> Row:
    """
    Turn sent values into columns.

    A date of birth is read in the store's short format, "2/3/1980"; anything else kills PHP 8.
    """
    columns: Row = {}
    for name, value in data.items():
        if name in ("website_id", "group_id", "gender", "disable_auto_group_change"):
            columns[name] = None if value in (None, "") else to_int(value)
        elif name == "dob" and value not in (None, ""):
            match = US_DATE.fullmatch(str(value))
            if match is None:
                raise PhpFatal
            month, day, year = (int(part) for part in match.groups())
            columns[name] = f"{year:04d}-{month:02d}-{day:02d} 00:00:00"
        else:
            columns[name] = None if value is None else str(value)
    return columns


def delete(ask: Ask) -> None:
    """Remove a customer with all addresses; orders stay."""
    customer_id = find_customer(ask)
    for address_id in ask.store.address_ids.pop(customer_id, []):
        ask.store.addresses.delete(address_id)
    email = ask.store.customers.rows[customer_id]["email"].lower()
    ask.store.customer_emails.pop(email, None)
    ask.store.customers.delete(customer_id)
