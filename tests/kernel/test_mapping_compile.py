"""A compiled mapping translates rows and names, and loses only what it says."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyvalent.errors import BadRequest
from polyvalent.mapping import (
    DefinitionField,
    Entry,
    MappedField,
    Mapping,
    ObjectDefinition,
    Script,
    Transformation,
    compile_mapping,
    merge_definitions,
    merge_levels,
)

NOTHING_ELSE = Entry(type="passThrough", properties={"fromVendor": False, "toVendor": False})
REMOVED = Entry(type="remove", properties={"fromVendor": True})
INHERIT = Entry(type="inherit")
VALUES = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3)


def compiled(*fields: tuple[str, str] | MappedField, entries: tuple[Entry, ...] = ()) -> Mapping:
    made = tuple(
        item if isinstance(item, MappedField) else MappedField(path=item[0], vendor_path=item[1])
        for item in fields
    )
    return compile_mapping(
        None,
        Transformation(object_name="o", vendor_name="v", fields=made, configuration=entries),
    )


def test_renames_and_lets_the_rest_pass() -> None:
    mapping = compiled(("lastName", "Last.Name"), ("id", "Id"))
    row = {"Id": 1, "Last": {"Name": "A", "Old": "B"}, "extra": [1]}
    assert mapping.outwards(row) == {"id": 1, "lastName": "A", "Last": {"Old": "B"}, "extra": [1]}
    assert mapping.inwards(mapping.outwards(row)) == row


def test_drops_what_is_not_mapped_where_told_so() -> None:
    mapping = compiled(("id", "Id"), entries=(NOTHING_ELSE,))
    assert mapping.outwards({"Id": 1, "x": 2}) == {"id": 1}
    assert mapping.inwards({"id": 1, "x": 2}) == {"Id": 1}
    one_way = Entry(type="passThrough", properties={"fromVendor": False, "toVendor": True})
    mapping = compiled(("id", "Id"), entries=(one_way,))
    assert mapping.outwards({"Id": 1, "x": 2}) == {"id": 1}
    assert mapping.inwards({"id": 1, "x": 2}) == {"Id": 1, "x": 2}


@pytest.mark.parametrize("entry", [REMOVED, NOTHING_ELSE])
def test_leaves_out_a_field_that_is_removed(entry: Entry) -> None:
    mapping = compiled(
        ("id", "Id"), MappedField(path="name", vendor_path="Name", configuration=(entry,))
    )
    assert mapping.outwards({"Id": 1, "Name": "x", "rest": 0}) == {"id": 1, "rest": 0}
    sent = mapping.inwards({"id": 1, "name": "x"})
    assert sent == ({"Id": 1, "Name": "x"} if entry is REMOVED else {"Id": 1})


def test_maps_lists_entry_by_entry() -> None:
    mapping = compiled(
        ("lines[*].code", "items[*].sku"),
        ("lines[*].amount", "items[*].qty"),
        ("codes", "items[*].sku"),
        ("count", "items[*].size()"),
        ("first", "items[0].sku"),
        ("special", "items[?(@.gift==true)].sku"),
    )
    row = {"items": [{"sku": "a", "qty": 1, "x": 0}, {"qty": 2}, {"sku": "c", "gift": True}]}
    shown = mapping.outwards(row)
    assert shown == {
        "lines": [{"code": "a", "amount": 1}, {"amount": 2}, {"code": "c"}],
        "codes": ["a", "c"],
        "count": 3,
        "first": "a",
        "special": "c",
        "items": [{"x": 0}, {}, {"gift": True}],
    }


def test_writes_conditions_and_indexes_back() -> None:
    mapping = compiled(("city", "addresses[type=billing].city"), ("sku", "items[0].sku"))
    row = {"addresses": [{"type": "billing", "city": "Oslo"}], "items": [{"sku": "a"}]}
    assert mapping.inwards({"city": "Oslo", "sku": "a"}) == row
    assert mapping.inwards(mapping.outwards(row)) == row


def test_survives_rows_of_another_shape() -> None:
    mapping = compiled(("a.b", "x.y"), ("c[*].d", "z[*].d"), ("e", "w[0]"))
    for value in (None, 1, "t", [], {}, [None], [[1]], {"y": None}):
        row = {"x": value, "z": value, "w": value}
        shown = mapping.outwards(row)
        assert mapping.inwards(shown) == row
    assert mapping.outwards({"x": {"y": None}, "z": None}) == {"a": {"b": None}, "z": None}


def test_changes_nothing_that_it_is_given() -> None:
    mapping = compiled(("address", "place"), ("address.city", "town"), ("kept.x", "y"))
    row = {"place": {"zip": 1}, "town": "Oslo", "kept": {"z": [1]}, "y": 2}
    before = copy.deepcopy(row)
    assert mapping.outwards(row) == {
        "address": {"zip": 1, "city": "Oslo"},
        "kept": {"z": [1], "x": 2},
    }
    assert row == before


def test_takes_types_from_the_definition_and_defaults_from_entries() -> None:
    definition = ObjectDefinition(
        object_name="o",
        fields=(
            DefinitionField(path="total", type="number"),
            DefinitionField(path="tags", type="array[string]"),
        ),
    )
    entry = Entry(type="defaultValue", properties={"fromVendor": "EUR", "toVendor": "?"})
    mapping = compile_mapping(
        definition,
        Transformation(
            object_name="o",
            vendor_name="v",
            fields=(
                MappedField(path="total", vendor_path="t", vendor_type="string"),
                MappedField(path="tags", vendor_path="tags[*].id"),
                MappedField(path="currency", vendor_path="cur", configuration=(entry,)),
            ),
        ),
    )
    shown = mapping.outwards({"t": "9.50", "tags": [{"id": 1}, {"id": "2"}]})
    assert shown == {"total": 9.5, "tags": ["1", "2"], "currency": "EUR"}
    assert mapping.inwards({"total": 9.5}) == {"t": "9.5", "cur": "?"}
    assert mapping.inwards_part({"total": 9.5}) == {"t": "9.5"}
    assert mapping.inwards_part({"currency": "SEK"}) == {"cur": "SEK"}


def test_lets_the_later_of_two_fields_count() -> None:
    mapping = compiled(("a", "x"), ("a", "y"), ("b", "z"), ("c", "z"))
    assert mapping.outwards({"x": 1, "y": 2, "z": 3}) == {"a": 2, "b": 3, "c": 3}
    assert mapping.inwards({"b": 1, "c": 2}) == {"z": 2}


def test_translates_names_and_values_of_queries() -> None:
    states = Entry(type="valueMap", properties={"values": {"1": "on", "2": "off"}})
    fields = (
        MappedField(path="id", vendor_path="entity_id"),
        MappedField(path="bill", vendor_path="billing"),
        MappedField(path="state", vendor_path="status", configuration=(states,)),
        MappedField(path="open", vendor_path="is_open", type="boolean", vendor_type="number"),
        MappedField(path="gone", vendor_path="secret", configuration=(REMOVED,)),
    )
    mapping = compiled(*fields)
    named = {
        "id": "entity_id",
        "bill.city.zip": "billing.city.zip",
        "other": "other",
        "other.deep": "other.deep",
        "entity_id": None,
        "secret": None,
        "gone": "gone",
    }
    assert {name: mapping.to_vendor_field(name) for name in named} == named
    owned = {"entity_id": "id", "status": "state", "other": "other", "secret": None}
    assert {name: mapping.to_own_field(name) for name in owned} == owned
    assert mapping.to_vendor_value("state", "off") == "2"
    assert mapping.to_vendor_value("open", "true") == "1"
    assert mapping.to_vendor_value("other", "x") == "x"
    strict = compiled(*fields, entries=(NOTHING_ELSE,))
    assert strict.to_vendor_field("other") is None
    assert strict.to_vendor_field("id") == "entity_id"


@pytest.mark.parametrize("fields", [("a[", "b"), ("a", "b..c"), ("a.size()", "b")])
def test_refuses_paths_that_lead_nowhere(fields: tuple[str, str]) -> None:
    with pytest.raises(BadRequest):
        compiled(fields)


def level(name: str, *paths: str, inherit: bool = False, script: str = "") -> Transformation:
    return Transformation(
        object_name="o",
        vendor_name=f"v-{name}" if not inherit else "",
        fields=tuple(MappedField(path=path, vendor_path=f"{name}.{path}") for path in paths),
        configuration=(INHERIT,) if inherit else (),
        scripts=(Script(body=script),) if script else (),
        level=name,
    )


def test_replaces_or_inherits_by_level() -> None:
    top = level("organization", "a", "b", script="1")
    middle = level("account", "b", "c", inherit=True, script="2")
    own = level("instance", "d", inherit=True)
    merged = merge_levels([own, middle, top])
    assert merged is not None
    assert [(item.path, item.level) for item in merged.fields] == [
        ("a", "organization"),
        ("b", "account"),
        ("c", "account"),
        ("d", "instance"),
    ]
    assert merged.vendor_name == "v-organization"
    assert [(item.body, item.level) for item in merged.scripts] == [
        ("1", "organization"),
        ("2", "account"),
    ]
    alone = merge_levels([level("instance", "d"), middle, top])
    assert alone is not None
    assert [item.path for item in alone.fields] == ["d"]
    assert merge_levels([]) is None


def test_unites_definitions_and_keeps_both_of_a_path() -> None:
    united = merge_definitions(
        ObjectDefinition(object_name="o", level=name, fields=(DefinitionField(path="a"),))
        for name in ("account", "organization")
    )
    assert united is not None
    assert [item.level for item in united.fields] == ["account", "organization"]
    assert merge_definitions([]) is None


@st.composite
def bijections(draw: Any) -> tuple[list[tuple[str, str]], dict[str, Any]]:
    """
    Draw a mapping that loses nothing, and a vendor's row for it.

    Every leaf has one path on each side, of the same number of [*]; leaves of one list on the one
    side are leaves of one list on the other.
    """
    names = draw(st.permutations([f"k{number}" for number in range(8)]))
    fields, row = [], {}
    for number, name in enumerate(names[: draw(st.integers(1, 8))]):
        kind = draw(st.sampled_from(["flat", "nested", "raised", "list", "index"]))
        ours = f"c{number}"
        if kind == "flat":
            fields.append((ours, name))
            row[name] = draw(VALUES | st.lists(VALUES, max_size=2))
        elif kind == "nested":
            fields += [(f"{ours}.x", f"{name}.p.q"), (f"{ours}.y", f"{name}.r")]
            row[name] = {"p": {"q": draw(VALUES)}, "r": draw(VALUES)}
        elif kind == "raised":
            fields.append((ours, f"{name}.p.q"))
            row[name] = {"p": {"q": draw(VALUES), "rest": draw(VALUES)}}
        elif kind == "list":
            fields += [
                (f"{ours}[*].x", f"{name}[*].p.q"),
                (f"{ours}[*].y[*].z", f"{name}[*].r[*].s"),
            ]
            row[name] = draw(
                st.lists(
                    st.fixed_dictionaries(
                        {
                            "p": st.fixed_dictionaries({"q": VALUES}),
                            "r": st.lists(st.fixed_dictionaries({"s": VALUES}), max_size=2),
                        }
                    ),
                    max_size=3,
                )
            )
        else:
            fields.append((ours, f"{name}[0].p"))
            row[name] = [{"p": draw(VALUES)}]
    row["untouched"] = draw(VALUES)
    return fields, row


@given(bijections())
def test_comes_back_the_same_through_a_mapping_that_loses_nothing(
    drawn: tuple[list[tuple[str, str]], dict[str, Any]],
) -> None:
    fields, row = drawn
    mapping = compiled(*fields)
    assert mapping.inwards(mapping.outwards(row)) == row


@given(bijections(), st.data())
def test_loses_only_the_fields_that_it_says(drawn: Any, data: Any) -> None:
    fields, row = drawn
    removed = data.draw(st.sampled_from(fields))
    mapping = compiled(
        *(
            MappedField(
                path=path,
                vendor_path=vendor_path,
                configuration=(REMOVED,) if (path, vendor_path) == removed else (),
            )
            for path, vendor_path in fields
        )
    )
    again = mapping.inwards(mapping.outwards(row))
    kept = [field for field in fields if field != removed]
    whole, part = compiled(*kept, entries=(NOTHING_ELSE,)), compiled(*kept)
    assert whole.outwards(again) == whole.outwards(row)
    assert part.outwards(again).keys() <= part.outwards(row).keys()
    assert again["untouched"] == row["untouched"]


def test_says_whether_a_script_would_have_to_run() -> None:
    for body, scripted in (("done()", True), (" ", False)):
        transformation = Transformation(object_name="o", scripts=(Script(body=body),))
        assert compile_mapping(None, transformation).scripted is scripted
