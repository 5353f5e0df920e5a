"""Exit codes, one per cause (docs/operate), and the errors that the command line ends with."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """What the shell is told."""

    OK = 0
    USAGE = 2
    STORAGE = 3
    CONFIGURATION = 4
    BLOCKED = 5
    INCOMPLETE = 6
    DELIVERY = 7


class Stop(Exception):
    """Ends a command with one clear message and a documented exit code."""

    def __init__(self, code: Exit, message: str):
        super().__init__(message)
        self.code = code
        self.message = message


class StorageError(Exception):
    """The database cannot be reached or used; the message says what to do next. Raised by `vocwatch.store`."""
