"""A first source file from one address: fetch politely, recognise the page, propose selectors."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from vocwatch.exits import Exit
from vocwatch.models import MentionRecord
from vocwatch.settings import Settings, Source


class ProposeError(Exception):
    """No source can be proposed; the message says why and what to do, `code` is the exit code."""

    def __init__(self, code: Exit, message: str):
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Proposal:
    """What one page turned out to be, and the source file that reads it."""

    source: Source
    kind: str
    robots: str
    records: list[MentionRecord] = field(default_factory=list)


def propose(settings: Settings, name: str, url: str, *, title: str, owner: str, basis: str) -> Proposal:
    """Fetch `url` once and propose a source. Raises ProposeError."""
    raise ProposeError(Exit.BLOCKED, "")


def write_source(settings: Settings, proposal: Proposal) -> Path:
    """Write config/sources/NAME.yaml, switched off."""
    return settings.env.config
