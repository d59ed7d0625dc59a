"""Give applications one REST API for every online store."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("polyvalent")
except PackageNotFoundError:  # pragma: no cover - running from an unpacked tree
    __version__ = "0.0.0"
