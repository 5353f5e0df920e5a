"""Whether nothing was found or nothing was read: what an empty view has to say."""

from __future__ import annotations

from reports.desk.ask import Desk, Question
from reports.desk.blind import sight


def blind_titles(desk: Desk, question: Question) -> list[str]:
    """Return the sources of a question that were not read on some of its days (28, where it names none), as people call them."""
    until = question.until or desk.today
    since = question.since or until
    with desk.read() as connection:
        seen = sight(desk, connection, since, until, question.sources)
    return [desk.source_title(name) for name in seen.blind()]
