"""Making hostile text safe to show on a terminal or in a log."""

from __future__ import annotations

import re

# C0 and C1 controls, line and paragraph separators, bidi overrides, zero-width and other format characters.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\u200b-\u200f\ufeff\ud800-\udfff]")


def one_line(text: object, limit: int = 200) -> str:
    """Return `text` on one line, without control or format characters, cut to `limit` characters."""
    flat = _UNSAFE.sub("", re.sub(r"[\t\n\r]+", " ", str(text)))
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def safe_cell(value: object) -> object:
    """Return a spreadsheet cell that no program takes for a formula (a quote is put before =, +, -, @ …)."""
    if not isinstance(value, str):
        return value
    flat = _UNSAFE.sub("", value.replace("\r", " "))
    return f"'{flat}" if flat[:1] in "=+-@\t\n＝＋－＠" and flat else flat
