"""Lead to the common instance configuration by its former place."""

from polyvalent.catalog.instance_configuration import COMMON_CONFIGURATION

__all__ = ["COMMON_CONFIGURATION"]
