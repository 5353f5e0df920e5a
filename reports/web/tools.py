"""What the console may use of the other stages: it imports none of them, `vocwatch serve` hands the tools in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from starlette.requests import Request

from vocwatch.laboratory import Report
from vocwatch.settings import Settings, Source
from vocwatch.store import Store

Choices = Sequence[tuple[str, Sequence[str]]]
"""The answers that a question has: what each means, and texts that it would bring."""


class ToolError(Exception):
    """A tool that could not do its work; the message says why, in words for a person."""


@dataclass(frozen=True)
class Tried:
    """What a test of a source brought; nothing was stored. `status` as of a run; `coverage` as rows of field, filled, share, sample."""

    status: str
    reason: str
    records: Sequence[Mapping[str, Any]]
    pages: int
    coverage: Sequence[Mapping[str, Any]] = ()
    problems: Sequence[str] = ()


@dataclass(frozen=True)
class Proposed:
    """A source made from an address: what robots.txt says, what kind of page it is, what would be stored, the file."""

    robots: str
    kind: str
    title: str
    records: Sequence[Mapping[str, Any]]
    coverage: Sequence[Mapping[str, Any]]
    notes: Sequence[str]
    yaml: str
    held: Any = None


class Tools(Protocol):
    """The tools; each says what it raises."""

    def try_rule(self, settings: Settings, fields: dict[str, Any], replaces: str, days: int) -> Report:
        """Try a watch that is being written; problems are in the report."""

    def health(self, settings: Settings, source: Source) -> Any:
        """Return how a source stands (name, status, why, next, records, usual_records, last_run, last_good …)."""

    def standing(self, settings: Settings) -> Mapping[str, Any]:
        """Return what the schedule does, as `vocwatch status --json` prints it."""

    def test_source(self, settings: Settings, name: str) -> Tried:
        """Read a source once without storing anything. Raises ToolError."""

    def propose(
        self, settings: Settings, name: str, url: str, ask: Callable[[str, Choices], int], tell: Callable[[str], None]
    ) -> Proposed:
        """Look at an address and propose a source; questions are put to `ask`. Raises ToolError."""

    def write_source(self, settings: Settings, proposed: Proposed, answers: Mapping[str, str]) -> str:
        """Write a proposed source with a person's answers (title, owner, basis, impact, reviewer); return its name.

        Raises ToolError.
        """


MakeTools = Callable[[Store], Tools]


def tools_of(request: Request) -> Tools | None:
    """Return the tools of this console; None where it was made without them."""
    found: Tools | None = getattr(request.app.state, "tools", None)
    return found
