"""What an extraction hands back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from vocwatch.models import MentionRecord


class SpecError(ValueError):
    """A source file's path, selector or module that cannot be used; the message names it and the remedy."""


MISSING = "缺少必填字段，整条不用"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that could not be read: which record (0-based on the page; −1: the page), field, why."""

    index: int
    field: str
    reason: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A detail page named by a listing.

    `carried` holds the parsed record values known from the listing (native_id too, where it is known); give
    it to `extract` with the detail page.
    """

    url: str
    native_id: str | None
    carried: dict[str, Any]


@dataclass(slots=True)
class Extraction:
    """Everything read from one page.

    `state` is ok · empty (the page is fine and holds nothing) · blocked · captcha · login · removed ·
    unavailable (server error, or not servable now) · hollow (a list's page without the list) · charset (its letters can't be made out: nothing of it is used)
    · drift (the page answered, but what the source file describes is not on it). `reason` says why in Chinese. `coverage` maps a field to (filled, total) over
    the records whose specification names it; `links_coverage` the same over the links. `validity` maps a field
    (of links: `links.` before it) to (readable, there): how many of the values that stood there made sense.
    `unseen` names what the page says it has and does not show (`Step.unseen`): comments behind a login. `cut` says
    in Chinese what a limit of ours left unread.
    """

    records: list[MentionRecord] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    next_url: str | None = None
    problems: list[Problem] = field(default_factory=list)
    state: str = "ok"
    reason: str = ""
    coverage: dict[str, tuple[int, int]] = field(default_factory=dict)
    links_coverage: dict[str, tuple[int, int]] = field(default_factory=dict)
    validity: dict[str, tuple[int, int]] = field(default_factory=dict)
    unseen: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()

    @property
    def quarantined(self) -> int:
        """How many records were left out because a required field was missing or could not be read."""
        return len({problem.index for problem in self.problems if problem.reason == MISSING})
