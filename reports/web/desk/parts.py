"""The pages of the desk, one module each: what `make_app` takes in."""

from __future__ import annotations

from reports.web.desk import (
    acts,
    compare,
    exports,
    incidents,
    mentions,
    red_lines,
    sessions,
    settings_pages,
    source_new,
    sources,
    standing,
    today,
    topics,
    triage,
    versions_pages,
    watches,
)

PARTS = (
    today, incidents, mentions, topics, compare, sessions, exports,
    triage, acts,
    watches, red_lines, versions_pages, settings_pages, source_new, sources, standing,
)
"""The modules whose `router` makes the desk. Of paths that fit the same address the first counts."""
