"""Columns that changed their name since the export before: a field must not vanish unnoticed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sessions.headers import header_key
from sessions.problems import RowProblem
from vocwatch.lang import tr
from vocwatch.store.runs import Run

if TYPE_CHECKING:
    from sessions.reader import Heading

_ALIKE = 0.6  # share of the columns that two exports of the same kind have in common
_SHOWN = 40


def renamed(headings: Sequence[Heading], history: Iterable[Run]) -> list[RowProblem]:
    """Name each field that the newest export of the same kind had and this one lacks, and what may stand for it."""
    before = [table for run in history for table in run.stats.get("tables", ())]
    return [problem for heading in headings for problem in _compare(heading, before)]


def _compare(heading: Heading, before: Sequence[dict[str, Any]]) -> list[RowProblem]:
    now = {header_key(name) for name in heading.header if name}
    for table in before:
        if (table["format"], table["sheet"]) != (heading.mapping.name, heading.sheet):
            continue
        then = {header_key(name) for name in table["header"] if name}
        if len(now & then) < _ALIKE * len(now | then):
            continue
        used = {name for names in heading.columns.values() for name in names}
        fresh = [name for name in heading.header if name and name not in used and header_key(name) not in then]
        return [
            RowProblem(1, heading.sheet, names[0][:_SHOWN], _reason(names[0][:_SHOWN], fresh), kept=True)
            for target, names in table["columns"].items() if target not in heading.columns
        ]
    return []


def _reason(name: str, fresh: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, fresh, n=1, cutoff=0.4) or (fresh if len(fresh) == 1 else [])
    if near:
        return tr(
            f"上次有“{name}”这一列，这次没有；新出现的“{near[0][:_SHOWN]}”像是它改了名。请把新列名加进 config/sessions/ 的映射，再导一次",
            f"the export before had a column “{name}”, this one has none; the new “{near[0][:_SHOWN]}” looks like it. Add the "
            "new name to the mapping in config/sessions/ and import again",
        )
    return tr(
        f"上次有“{name}”这一列，这次没有，这一项是空的。请确认导出时选的列",
        f"the export before had a column “{name}”, this one has none; that field stays empty. Check the columns of the export",
    )
