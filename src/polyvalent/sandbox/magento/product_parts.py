"""Categories and websites of a product."""

import re
from typing import Any

from polyvalent.sandbox.magento.ask import Ask, pick
from polyvalent.sandbox.magento.php_values import to_int
from polyvalent.sandbox.magento.products import find_product
from polyvalent.sandbox.magento.rest_errors import ApiError, invalid, unsupported
from polyvalent.sandbox.magento.state import Row

ROOT_CATEGORY = 1


def retrieve_categories(ask: Ask) -> Any:
    """Return the categories of a product."""
    _, row = find_product(ask)
    names = ask.shown()
    return [
        ask.store.columns(pick({"category_id": number}, names)) for number in row["_categories"]
    ]


def add_category(ask: Ask) -> str:
    """Put a product into a category and return the pair's location."""
    text = str(ask.body["category_id"])
    if not re.fullmatch(r"\d+", text):
        raise invalid(['category_id: Please use numbers only in "category_id" field.'])
    product_id, row = find_product(ask)
    number = int(text)
    if number not in ask.store.categories:
        raise ApiError((404, "Category not found"))
    if number in row["_categories"]:
        text = f"Product #{product_id} is already assigned to category #{number}"
        raise ApiError((400, text))
    if number == ROOT_CATEGORY:
        raise ApiError((400, "Cannot assign product to tree root category."))
    ask.store.products.change(product_id, {"_categories": sorted([*row["_categories"], number])})
    return f"products/{product_id}/categories/{number}"


def remove_category(ask: Ask) -> None:
    """Take a product out of a category."""
    product_id, row = find_product(ask)
    text = ask.route["category_id"]
    number = int(text) if text.isdigit() else 0
    if number not in ask.store.categories:
        raise ApiError((404, "Category not found"))
    if number not in row["_categories"]:
        text = f"Product #{product_id} isn't assigned to category #{number}"
        raise ApiError((400, text))
    left = [category for category in row["_categories"] if category != number]
    ask.store.products.change(product_id, {"_categories": left})


def refuse(_: Ask) -> Any:
    """Refuse a method that is declared but does nothing."""
    raise unsupported()


def find_owner(ask: Ask) -> tuple[int, Row]:
    """Return the product whose websites are asked for; this resource has its own 404."""
    text = ask.route["product_id"]
    product_id = int(text) if text.isdigit() else 0
    row = ask.store.products.rows.get(product_id)
    if row is None:
        raise ApiError((404, f"Product #{text} not found."))
    return product_id, row


def retrieve_websites(ask: Ask) -> Any:
    """Return the websites of a product."""
    _, row = find_owner(ask)
    return [ask.store.columns({"website_id": number}) for number in row["_websites"]]


def website_problem(ask: Ask, product_id: int, *, row: Row, given: Any) -> str | None:
    """Say why a product cannot be put into a website."""
    if isinstance(given, bool) or not re.fullmatch(r"\d+", str(given)):
        return 'Invalid value for "website_id" in request.'
    number = int(given)
    if number not in ask.store.websites:
        return f"Website #{number} not found."
    if number in row["_websites"]:
        return f"Product #{product_id} is already assigned to website #{number}"
    return None


def copy_problems(ask: Ask, data: Row) -> list[str]:
    """Check the store views between which values are to be copied."""
    problems = []
    for entry in data.get("copy_to_stores") or []:
        for name in ("store_from", "store_to"):
            given = entry.get(name) if isinstance(entry, dict) else None
            if str(given) not in [str(number) for number in ask.store.stores]:
                text = f"Store not found #{given} for website #{data['website_id']}."
                problems.append(text)
    return problems


def add_website(ask: Ask) -> str:
    """Put a product into a website and return the pair's location."""
    product_id, row = find_owner(ask)
    problem = website_problem(ask, product_id, row=row, given=ask.body.get("website_id"))
    problems = [problem] if problem else copy_problems(ask, ask.body)
    if problems:
        raise invalid(problems)
    number = to_int(ask.body["website_id"])
    ask.store.products.change(product_id, {"_websites": sorted([*row["_websites"], number])})
    return f"products/{product_id}/websites/{number}"


def add_websites(ask: Ask) -> Any:
    """Put a product into several websites; each member succeeds or fails for itself."""
    product_id, row = find_owner(ask)
    result: dict[str, list[Row]] = {"success": [], "error": []}
    for member in ask.body:
        given = member.get("website_id") if isinstance(member, dict) else None
        problem = website_problem(ask, product_id, row=row, given=given)
        entry: Row = {"website_id": given, "product_id": ask.store.column(product_id)}
        if problem:
            result["error"].append(entry | {"message": problem, "code": 400})
            continue
        number = to_int(given)
        ask.store.products.change(product_id, {"_websites": sorted([*row["_websites"], number])})
        entry["website_id"] = ask.store.column(number)
        done = {"message": "Resource updated successful.", "code": 200}
        result["success"].append(entry | done)
    return {k: v for k, v in result.items() if v}


def remove_website(ask: Ask) -> None:
    """Take a product out of a website."""
    product_id, row = find_owner(ask)
    text = ask.route["website_id"]
    number = int(text) if text.isdigit() else 0
    if number not in ask.store.websites:
        raise ApiError((404, f"Website #{text} not found."))
    if number not in row["_websites"]:
        raise invalid([f"Product #{product_id} isn't assigned to website #{number}"])
    left = [website for website in row["_websites"] if website != number]
    ask.store.products.change(product_id, {"_websites": left})
