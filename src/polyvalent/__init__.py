"""Give applications one REST API for every online store."""

__version__ = "0.1.0"
