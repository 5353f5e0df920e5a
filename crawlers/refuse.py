"""What somebody has asked us not to collect is dropped before anything of it is stored."""

from __future__ import annotations

from collections.abc import Sequence

from crawlers.context import RunContext
from vocwatch.store.mentions import MentionRow, identity


def allowed(context: RunContext, rows: Sequence[MentionRow]) -> list[MentionRow]:
    """Return the rows that the refusal list leaves; the others are counted."""
    refusals, name = context.settings.refusals, context.source.name
    if not refusals:
        return list(rows)
    left = [
        row for row in rows
        if not refusals.refuses(name, identity(row.native_id), row.url, row.author_key, row.parent)
    ]
    context.refused_list += len(rows) - len(left)
    return left
