"""The pages of the desk, one module each: what `make_app` takes in."""

from __future__ import annotations

from reports.web.desk import today

PARTS = (
    today,
)
"""The modules whose `router` makes the desk."""
