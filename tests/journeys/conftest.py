"""Give journeys a platform, stores, an application and a merchant."""

from tests.journeys.fixtures import application, open_shop, own_stage, shop, stage

__all__ = ["application", "open_shop", "own_stage", "shop", "stage"]
