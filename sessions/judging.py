"""Exports of all sessions, good and bad: which 质检路径 a row belongs to, if any; and what it counts for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sessions.headers import PathFinder
from sessions.keywords import Matcher
from sessions.values import stars_of
from vocwatch.models import Path as QcPath
from vocwatch.models import Turn
from vocwatch.ratings import FAIR, SATISFIED
from vocwatch.settings.session_maps import Judge

# Good ratings that hold a bad one's word: 非常满意, 基本满意 and such do not; 不差, 不一般 would.
_GOOD = ("非常满意", "很满意", "满意", "好评", "good", "great", "amazing", "excellent")
_NOT = ("不", "非", "un", "not", "dis")


@dataclass(frozen=True, slots=True)
class Counted:
    """One session of an export of all sessions, for the denominators: counted once by its id."""

    native_id: str
    day: dt.date
    shop: str
    rated: bool
    unsatisfied: bool
    resolved: bool | None
    kept: bool  # it stands as a bad session as well, which counts as the row
    grade: str | None = None  # 满意, 一般满意 (vocwatch.ratings) where the rating says so

    def counts(self) -> dict[str, int]:
        """What it adds to which total (store/totals.py): 0 where it might have counted, so that none is known for none."""
        found = {"sessions": 1, "rated": int(self.rated), "answered": int(self.resolved is not None)}
        if self.rated:
            found |= {"unsatisfied": int(self.unsatisfied), "satisfied": int(self.grade == SATISFIED), "fair": int(self.grade == FAIR)}
        if self.resolved is not None:
            found["resolved"] = int(self.resolved)
        return found


@dataclass(frozen=True)
class Signs:
    """What the columns of a row say."""

    said: str = ""  # the path column
    violation: str | None = None
    return_reason: str | None = None
    review: str | None = None
    rating: str | None = None


def is_bad(rating: str | None, judge: Judge) -> bool:
    """Whether a rating says dissatisfied: a word of the mapping, or few stars."""
    text = (rating or "").strip().lower()
    if not text:
        return False
    stars = stars_of(text)
    if stars is not None:
        return 0 < stars <= judge.bad_stars
    for word in _GOOD:
        place = text.find(word)
        if place >= 0 and not text[:place].endswith(_NOT):
            return False
    return any(word.lower() in text for word in judge.bad_ratings)


def path_of(
    signs: Signs, turns: Sequence[Turn], judge: Judge, paths: PathFinder, matcher: Matcher | None
) -> QcPath | None:
    """Return the path of a row, or None for a session that nothing is wrong with."""
    if signs.said and paths.knows(signs.said):
        return paths.of(signs.said)
    if signs.violation:
        return QcPath.RED_LINE
    if signs.return_reason and any(word in signs.return_reason.lower() for word in judge.quality_reasons):
        return QcPath.QUALITY_RETURN
    if is_bad(signs.rating, judge):
        return QcPath.BAD_REVIEW if signs.review else QcPath.UNSATISFIED
    if signs.said and any(word in signs.said.lower() for word in judge.lost):
        return QcPath.LOST
    if judge.keywords and matcher is not None and matcher.find_in(turns):
        return QcPath.KEYWORD
    return None
