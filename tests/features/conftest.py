"""Give the tests of features what journeys have: they speak to a served platform as well."""

from tests.journeys.fixtures import (
    application,
    either,
    open_shop,
    own_stage,
    postgres_stage,
    shop,
    stage,
    working_stage,
)

__all__ = [
    "application",
    "either",
    "open_shop",
    "own_stage",
    "postgres_stage",
    "shop",
    "stage",
    "working_stage",
]
