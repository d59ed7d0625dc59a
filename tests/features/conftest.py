"""Give the tests of features what journeys have: they speak to a served platform as well."""

from tests.journeys.fixtures import application, open_shop, own_stage, shop, stage

__all__ = ["application", "open_shop", "own_stage", "shop", "stage"]
