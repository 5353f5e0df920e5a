"""What a table holds: sessions of a quality check, or the reviews of a shop; and the mapping that fits it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sessions.headers import SEARCHED_ROWS, Fit, PathFinder, best_fit, explain_misfit
from sessions.reviews import choose_review, fit_reviews
from sessions.values import Cell, word_of
from vocwatch.settings import SessionMap


@dataclass(frozen=True)
class Choice:
    """The mapping for a table; `paths` where its rows are sessions. Without a mapping, `why` says what was wrong."""

    fit: Fit | None
    paths: PathFinder | None = None
    why: str = ""
    nearest: Fit | None = None


def choose(
    maps: Sequence[SessionMap], rows: Sequence[Sequence[Cell]], headed: bool, sheet: str | None, file_name: str,
    platforms: Mapping[str, str],
) -> Choice:
    """Find the mapping of a table by its first rows.

    A chat makes it sessions. Else it is reviews where a platform shows; a file or sheet that is called after a
    质检路径 stays sessions unless its name or columns name the platform as well.
    """
    sessions = _sessions([item for item in maps if item.reviews is None], rows, headed, sheet, file_name)
    known = [item for item in maps if item.reviews is not None]
    fits = fit_reviews(known, rows, headed, SEARCHED_ROWS)
    if len(maps) == 1 and known:  # named by --format
        fit = fits.get(known[0].name)
        if fit is not None and not fit.missing:
            return Choice(fit)
        return Choice(None, why=explain_misfit(fit, [known[0].name]), nearest=fit)
    found, sure = choose_review(known, fits, [file_name, sheet or ""], rows, platforms)
    if not found or (sessions.fit is not None and _are_sessions(sessions, rows, sure)):
        return sessions
    if len(found) > 1:
        listed = "、".join(fit.mapping.name for fit in found)
        why = f"看得出是商家后台的评价，看不出是哪个平台。请在文件名里写明平台，或用 --format 指定（{listed}）"
        return sessions if sessions.fit is not None else Choice(None, why=why)
    return Choice(found[0])


def _sessions(
    maps: Sequence[SessionMap], rows: Sequence[Sequence[Cell]], headed: bool, sheet: str | None, file_name: str
) -> Choice:
    names = [item.name for item in maps]
    fit = best_fit(maps, rows, headed)
    paths = PathFinder(fit, sheet, file_name) if fit and not fit.missing else None
    if fit is None or paths is None or not (paths.has_column or paths.default):
        why = "看不出质检路径" if paths else explain_misfit(fit, names)
        return Choice(None, why=why, nearest=fit)
    return Choice(fit, paths)


def _are_sessions(choice: Choice, rows: Sequence[Sequence[Cell]], sure: bool) -> bool:
    """Whether a table that fits both is one of sessions: it has a chat, or it names a 质检路径 and no platform."""
    fit, paths = choice.fit, choice.paths
    assert fit is not None and paths is not None
    if "transcript" in fit.columns:
        return True
    places = fit.columns.get("path", ())
    words = [word_of(row[place]) for row in rows[fit.row + 1:fit.row + 4] for place in places if place < len(row)]
    return not sure and (paths.named or any(paths.knows(word) for word in words if word))
