"""The schema declares every sealed column once, and each is bound to its own row."""

from __future__ import annotations

from sqlalchemy import Column, FromClause

from polyvalent.db.rotate import sealed_tables
from polyvalent.db.schema import digest_purpose, metadata, sealed_context


def _sealed() -> list[Column[object]]:
    tables = metadata.tables.values()
    return [column for table in tables for column in table.c if "sealed_context" in column.info]


def _names(table: FromClause) -> list[str]:
    return [column.name for column in table.c]


def test_declares_every_column_whose_name_says_so() -> None:
    for table in metadata.tables.values():
        for column in table.c:
            assert column.name.endswith("_sealed") == ("sealed_context" in column.info)
            assert column.name.endswith("_digest") == ("digest_of" in column.info)


def test_binds_no_two_columns_to_one_context() -> None:
    row = {"id": 1, "instance_id": 1, "key": "token"}
    contexts = [sealed_context(column, row) for column in _sealed()]
    assert len(set(contexts)) == len(contexts)
    assert "instance/1/token" in contexts
    assert "instance/1/configuration/token" in contexts


def test_names_only_columns_of_the_row_in_a_context() -> None:
    for column in _sealed():
        filled = sealed_context(column, {name: f"<{name}>" for name in _names(column.table)})
        assert "{" not in filled
        assert "<" in filled


def test_digests_a_sealed_column_of_the_same_table_for_one_purpose() -> None:
    purposes = []
    for table in metadata.tables.values():
        for column in table.c:
            if "digest_of" in column.info:
                assert "sealed_context" in table.c[column.info["digest_of"]].info
                purposes.append(digest_purpose(column))
    assert len(purposes) == len(set(purposes)) >= 5


def test_finds_every_sealed_table_for_rotation() -> None:
    assert {table.name for table in sealed_tables()} == {c.table.name for c in _sealed()}
    for table in sealed_tables():
        assert [column.name for column in table.primary_key] == ["id"]


def test_names_every_constraint() -> None:
    for table in metadata.tables.values():
        assert all(constraint.name for constraint in table.constraints), table.name
