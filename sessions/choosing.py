"""What a table holds: sessions, the reviews of a shop, or daily totals; and the mapping that fits it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sessions.headers import SEARCHED_ROWS, Fit, PathFinder, best_fits, explain_misfit, header_key
from sessions.reviews import choose_review, fit_reviews
from sessions.values import Cell, word_of
from vocwatch.lang import listed, tr
from vocwatch.settings import SessionMap
from vocwatch.settings.session_maps import TOTALS


@dataclass(frozen=True)
class Choice:
    """The mapping for a table; `paths` where its rows are sessions. Without a mapping, `why` says what was wrong.

    `ambiguous`: reviews they are, but nobody can tell of which platform.
    """

    fit: Fit | None
    paths: PathFinder | None = None
    why: str = ""
    nearest: Fit | None = None
    ambiguous: bool = False


def choose(
    maps: Sequence[SessionMap], rows: Sequence[Sequence[Cell]], headed: bool, sheet: str | None, file_name: str,
    platforms: Mapping[str, str],
) -> Choice:
    """Find the mapping of a table by its first rows.

    A chat makes it sessions. Else it is reviews where a platform shows; a file or sheet that is called after a
    质检路径 stays sessions unless its name or columns name the platform as well.
    """
    totals = [item for item in maps if item.totals]
    sessions = _sessions(
        [item for item in maps if item.reviews is None and not item.totals], rows, headed, sheet, file_name
    )
    if sessions.fit is None and (fit := _totals(totals, rows, headed)):
        return Choice(fit)
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
        names = listed(fit.mapping.name for fit in found)
        why = tr(f"看得出是商家后台的评价，看不出是哪个平台。请在文件名里写明平台，或用 --format 指定（{names}）",
                 f"reviews of a shop's back office, but of which platform? Name it in the file name, or with --format ({names})")
        return sessions if sessions.fit is not None else Choice(None, why=why, ambiguous=True)
    return Choice(found[0])


def _sessions(
    maps: Sequence[SessionMap], rows: Sequence[Sequence[Cell]], headed: bool, sheet: str | None, file_name: str
) -> Choice:
    names = [item.name for item in maps]
    fits = best_fits(maps, rows, headed)
    complete = [(fit, PathFinder(fit, sheet, file_name)) for fit in fits if not fit.missing]
    told = [
        pair for pair in complete
        if (_marked(pair[0], len(maps)) if pair[0].mapping.judge else pair[1].has_column or pair[1].default)
    ]
    if told:
        fit, paths = max(told, key=_preference)
        return Choice(fit, paths)
    nearest = fits[0] if fits else None
    why = tr("看不出质检路径", "nothing says which quality-check path it is") if complete else explain_misfit(nearest, names)
    return Choice(None, why=why, nearest=nearest)


def _marked(fit: Fit, among: int) -> bool:
    """Whether the header has a column that only this tool writes; a mapping named by --format needs none."""
    header = {header_key(name) for name in fit.header}
    return among == 1 or not fit.mapping.marks or any(header_key(mark) in header for mark in fit.mapping.marks)


def _preference(pair: tuple[Fit, PathFinder]) -> tuple[int, tuple[int, int, int], bool]:
    """A path that is named comes first, then rows judged one by one, then a guess; of two alike the better fit."""
    fit, paths = pair
    if fit.mapping.judge is not None:
        return 1, fit.score, False
    return (2 if paths.named or paths.has_column else 0), fit.score, True


def _totals(maps: Sequence[SessionMap], rows: Sequence[Sequence[Cell]], headed: bool) -> Fit | None:
    for fit in best_fits(maps, rows, headed):
        if not fit.missing and any(target in fit.columns for target in TOTALS):
            return fit
    return None


def _are_sessions(choice: Choice, rows: Sequence[Sequence[Cell]], sure: bool) -> bool:
    """Whether a table that fits both is one of sessions: it has a chat, or it names a 质检路径 and no platform."""
    fit, paths = choice.fit, choice.paths
    assert fit is not None and paths is not None
    if "transcript" in fit.columns:
        return True
    places = fit.columns.get("path", ())
    words = [word_of(row[place]) for row in rows[fit.row + 1:fit.row + 4] for place in places if place < len(row)]
    return not sure and (paths.named or any(paths.knows(word) for word in words if word))
