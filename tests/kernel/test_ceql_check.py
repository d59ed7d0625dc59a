"""Queries that an object's fields give no meaning to."""

from __future__ import annotations

import pytest

from polyvalent.ceql import check_fields, check_where, parse_where
from polyvalent.errors import BadRequest

KINDS = {
    "entity_id": "number",
    "email": "text",
    "created_at": "date",
    "is_active": "boolean",
    "items": "any",
    "billing.city": "text",
}


@pytest.mark.parametrize(
    "where",
    [
        "",
        "entity_id = 5 and email like '%a' and created_at >= 2024 and is_active != true",
        "items.sku = 'x' or items[*].deep.er is null or items[0] = 1",
        "billing.city = 'Lyon' and billing[0].city is not null",
        "entity_id like '10%'",
        "created_at in ('2024-02-01') or is_active is null",
    ],
)
def test_it_lets_pass_what_has_a_meaning(where):
    check_where(parse_where(where), KINDS, object_name="orders")


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("emial = 'x'", "orders have no field 'emial'. Did you mean email?"),
        ("EMAIL is null", "orders have no field 'EMAIL'. Did you mean email?"),
        ("email = 'x' or entityid in (1)", "no field 'entityid'. Did you mean entity_id?"),
        ("email.domain.x = 'y' and zzz = 1", "no field 'zzz'. It has entity_id, email, created_at"),
        ("is_active > 0", "is_active > 0 makes no sense: is_active is a boolean. Ask with = or !="),
        ("created_at like '2024%'", "created_at is a date. Ask with =, <, <=, > or >=."),
        ("entity_id = 'five'", "entity_id is a number, and 'five' is none. Write it as 250"),
        ("entity_id not in (1, x)", "entity_id is a number, and 'x' is none."),
        ("created_at > '30/06/2016'", "'30/06/2016' is none. Write it as '2024-02-01' or"),
        ("is_active = yes", "is_active is a boolean, and 'yes' is none. Write it as 'true'"),
    ],
)
def test_it_refuses_and_says_what_to_write_instead(where, message):
    with pytest.raises(BadRequest) as caught:
        check_where(parse_where(where), KINDS, object_name="orders")

    assert message in caught.value.message


def test_it_refuses_an_unknown_field_of_an_order_or_projection():
    check_fields(("email", "items.sku"), KINDS, object_name="orders")
    with pytest.raises(BadRequest, match=r"no field 'mail'\. Did you mean email"):
        check_fields(("email", "mail"), KINDS, object_name="orders")


def test_it_lists_few_fields_and_cuts_long_texts():
    kinds = dict.fromkeys((f"field_{n}" for n in range(40)), "number")

    with pytest.raises(BadRequest) as caught:
        check_fields(("%" * 5000,), kinds, object_name="orders")
    assert caught.value.message.endswith("field_11 and 28 more.")
    assert len(caught.value.message) < 400
    with pytest.raises(BadRequest) as caught:
        check_where(parse_where(f"field_1 = '{'x' * 5000}'"), kinds, object_name="orders")
    assert len(caught.value.message) < 400
