"""The words of the desk's page."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {}
