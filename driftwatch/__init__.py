"""driftwatch: watches production models for drift by counting inside the SQL store."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("driftwatch-daemon")
except PackageNotFoundError:  # run from a source tree that was never installed
    __version__ = "0.0.0"
