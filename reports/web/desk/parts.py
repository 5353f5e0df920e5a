"""The pages of the desk, one module each: what `make_app` takes in."""

from __future__ import annotations

from reports.web.desk import acts, compare, exports, incidents, mentions, sessions, today, topics, triage

PARTS = (
    today, incidents, mentions, topics, compare, sessions, exports,
    triage, acts,
)
"""The modules whose `router` makes the desk. Of paths that fit the same address the first counts."""
