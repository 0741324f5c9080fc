"""The commands: thin. Each loads the configuration, calls one layer below, and prints."""

from driftwatch.cli.commands import main

__all__ = ["main"]
