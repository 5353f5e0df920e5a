"""What the day's judgement works on: a text that complains of something of ours."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

from reports.clauses import clause_marks
from vocwatch.models import TextKind
from vocwatch.settings.topics import RedLineClass
from vocwatch.store.incidents import Heard

SESSIONS = "sessions"  # the channel that all sessions count as
ARRANGED = "arranged:"  # the voice of accounts that post too much to be independent


@dataclass(frozen=True)
class Complaint:
    """A text that complains. `product` is a SKU (or watch id), None where the text names none.

    `voice` is who speaks: None for a copy of another's text, since a copy is no independent voice. `origin`
    is the mention it copies, itself otherwise. Without topics it only counts as a voice under the post it
    answers. `suspected` names those of its red lines that the model alone sees: no rule, no word of the class.
    """

    heard: Heard
    day: dt.date
    product: str | None
    topics: tuple[str, ...]
    red_lines: tuple[RedLineClass, ...]
    voice: str | None
    origin: int | None
    old_news: bool = False
    suspected: frozenset[str] = frozenset()

    @cached_property
    def key(self) -> tuple[str, int]:
        """(text kind, row id)."""
        return self.heard.key

    @cached_property
    def marks(self) -> bytes:
        """Its clauses as hashes, see `clause_marks`."""
        return clause_marks(self.heard.text)

    @property
    def inside(self) -> bool:
        """From customer service, not from the public."""
        return self.heard.text_kind is TextKind.SESSION

    @property
    def channel(self) -> str:
        """The source, or "sessions"."""
        return SESSIONS if self.inside else self.heard.channel


def topic_of(line: RedLineClass) -> str:
    """Return the topic that a red-line class stands under."""
    return line.topic or f"红线/{line.name}"


def is_bare(complaint: Complaint) -> bool:
    """Whether a text complains of nothing but what aggravates: a crowd, the media, a recall of nobody says what."""
    return bool(complaint.topics) and set(complaint.topics) == {
        topic_of(line) for line in complaint.red_lines if line.topic is None
    }


def concerns(line: RedLineClass, topic: str) -> bool:
    """Whether a red line weighs in trouble of this topic.

    A class without a topic of its own (the media, a crowd, a recall, a minor) aggravates whatever its text complains of.
    """
    return line.topic is None or line.topic == topic
