"""The command line."""

from vocwatch.cli.app import main

__all__ = ["main"]
