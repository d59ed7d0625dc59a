"""
Run a test on SQLite and on PostgreSQL, where the others of its file are content with one of them.

    @on_both("yard")
    def test_…(yard): …

asks the fixture `yard` for each kind of database; it takes the database's URL from `url_of`.
"""

from __future__ import annotations

import pytest

_KINDS = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgres))


def on_both(fixture: str) -> pytest.MarkDecorator:
    """Mark a test to run once on each kind of database, by way of one of its fixtures."""
    return pytest.mark.parametrize(fixture, _KINDS, indirect=True)


def url_of(request: pytest.FixtureRequest) -> str:
    """Return the URL of a database for a fixture; empty for the platform's own SQLite."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return ""
    url: str = request.getfixturevalue("postgresql_url")
    return url
