"""Give journeys a platform, stores, an application and a merchant."""

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
