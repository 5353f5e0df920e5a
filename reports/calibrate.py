"""Calibration: the risk score held against what people said of it, and a proposal where they say enough.

Nothing is switched on: the proposal is a file for `vocwatch replay --weights` and, if a person agrees, for the `risk`
section of vocwatch.yaml. Days whose level a rule decided (a red line, the watch tier, the hold) say nothing about the
score's weights; they are counted, and left out of the fit.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from reports import score
from reports.fitting import (
    LEVELS,
    NAMES,
    Labelled,
    confusion,
    crossed,
    fit,
    intervals,
    level_index,
    mcnemar,
)
from reports.precision import precision_by_source, precision_by_topic
from reports.replay import Replay, replay
from reports.trade.shares import Share, share
from vocwatch.settings import Settings
from vocwatch.settings.app import Levels, Risk
from vocwatch.store import Store, feedback, labels
from vocwatch.store.labels import IncidentWord

MIN_LABELS = 30
MIN_INCIDENTS = 10
MIN_LEVELS = 2
MIN_PER_LEVEL = 5
SAME_SCORE = 0.2  # points: the parts are stored to three digits


@dataclass(frozen=True)
class Quality:
    """How well levels fit what people said: `exact` and `near` (within one level) with intervals, and the mean number of
    levels they were off by.
    """

    confusion: tuple[tuple[int, ...], ...]
    exact: Share
    near: Share
    off: float


@dataclass(frozen=True)
class Calibration:
    """What was found. `proposed` is None where nothing better was found or people said too little; `why` says which.

    `after` is measured on incidents that the fit had not seen (5 folds). `left_out` counts labels that aren't used, by
    reason; `by_topic` and `by_source` hold how many findings people confirmed of those they judged, `by_rule` how often
    the level that a rule gave was the right one.
    """

    words: int
    used: int
    incidents: int
    by_level: dict[str, int]
    left_out: dict[str, int]
    since: dt.date | None
    until: dt.date | None
    by_topic: tuple[Share, ...]
    by_source: tuple[Share, ...]
    by_rule: Share
    missed: int
    before: Quality | None
    after: Quality | None
    mended: int
    broken: int
    p_value: float
    current: Risk
    fitted: Risk | None
    ranges: dict[str, tuple[float, float]]
    proposed: Risk | None
    why: str
    need: dict[str, tuple[int, int]]
    replayed: Replay | None

    @property
    def version(self) -> str | None:
        """The formula version that rows would carry."""
        return score.version(self.proposed) if self.proposed else None


def calibrate(
    settings: Settings, store: Store, window: tuple[dt.date, dt.date] | None = None, rounds: int = 200
) -> Calibration:
    """Fit the score to people's words and say what would have changed on the days of `window` (the last 14 labelled ones).

    Reads only.
    """
    with store.read() as connection:
        words, lost = labels.incident_words(connection)
        spoken = labels.mention_words(connection)
    risk = settings.app.risk
    used, ruled, left_out = _labels(words, risk)
    if lost:
        left_out["gone"] += lost
    need = _need(used)
    before = _quality([(label.right, label.told) for label in used]) if used else None
    after, fitted, ranges = None, None, {}
    mended = broken = 0
    p_value = 1.0
    if not need:
        told = crossed(used, risk)
        after = _quality([(label.right, level) for label, level in zip(used, told, strict=True)])
        right = [label.told == label.right for label in used]
        mended, broken, p_value = mcnemar(right, [level == label.right for label, level in zip(used, told, strict=True)])
        fitted, ranges = fit(used, risk), intervals(used, risk, rounds)
    better = before is not None and after is not None and (after.off, -_value(after.exact)) < (before.off, -_value(before.exact))
    proposed = fitted if better else None
    days = [word.day for word in words]
    span = window or ((max(min(days), max(days) - dt.timedelta(days=13)), max(days)) if days else None)
    return Calibration(
        words=len(words) + lost, used=len(used), incidents=len({label.incident for label in used}),
        by_level={LEVELS[place]: count for place, count in sorted(Counter(label.right for label in used).items())},
        left_out=dict(left_out), since=min(days, default=None), until=max(days, default=None),
        by_topic=precision_by_topic(words, spoken), by_source=precision_by_source(words, spoken),
        by_rule=share("rule", sum(label.told == label.right for label in ruled), len(ruled)),
        missed=[*(w.verdict for w in words), *(w.verdict for w in spoken)].count(feedback.MISSED),
        before=before, after=after, mended=mended, broken=broken, p_value=p_value, current=risk, fitted=fitted,
        ranges=ranges, proposed=proposed, why="few" if need else "" if proposed else "no-better", need=need,
        replayed=replay(settings, store, *span, proposed) if proposed and span else None,
    )


def right_level(word: IncidentWord) -> str | None:
    """Return the level that a person's word stands for: the one that was said; 准 confirms, 误报 means none."""
    if word.level in LEVELS:
        return word.level
    return {feedback.RIGHT: word.told, feedback.FALSE_ALARM: LEVELS[0]}.get(word.verdict)


def _labels(words: Iterable[IncidentWord], risk: Risk) -> tuple[list[Labelled], list[Labelled], Counter[str]]:
    """Return the labels whose level the score gave, those whose level a rule gave, and why others aren't used."""
    used: list[Labelled] = []
    ruled: list[Labelled] = []
    left_out: Counter[str] = Counter()
    for word in words:
        right = right_level(word)
        if right is None:
            left_out["no-level"] += 1
        elif set(word.parts) != set(NAMES):
            left_out["parts"] += 1
        else:
            parts = tuple(float(word.parts[name]) for name in NAMES)
            by_score, told = level_index(parts, risk), LEVELS.index(word.told)
            weighed = sum(getattr(risk, name) * value for name, value in zip(NAMES, parts, strict=True))
            if abs(weighed - word.score) >= SAME_SCORE:  # other weights were in use then
                told = by_score
            label = Labelled(word.incident, parts, told, LEVELS.index(right))
            if told != by_score:
                left_out["rule"] += 1
                ruled.append(label)
            else:
                used.append(label)
    return used, ruled, left_out


def _need(used: Sequence[Labelled]) -> dict[str, tuple[int, int]]:
    """Return what is too little for a fit: name → (there are, needed)."""
    per_level = Counter(label.right for label in used)
    there = {
        "labels": (len(used), MIN_LABELS), "incidents": (len({label.incident for label in used}), MIN_INCIDENTS),
        "levels": (sum(number >= MIN_PER_LEVEL for number in per_level.values()), MIN_LEVELS),
    }
    return {name: (have, least) for name, (have, least) in there.items() if have < least}


def _quality(pairs: Sequence[tuple[int, int]]) -> Quality:
    number = len(pairs)
    return Quality(
        confusion(pairs), share("exact", sum(a == b for a, b in pairs), number),
        share("near", sum(abs(a - b) <= 1 for a, b in pairs), number), sum(abs(a - b) for a, b in pairs) / number,
    )


def _value(rate: Share) -> float:
    return rate.value if rate.value is not None else 0.0


def as_dict(found: Calibration) -> dict[str, Any]:
    """Return the calibration as JSON."""
    return {
        "words": found.words, "used": found.used, "incidents": found.incidents, "by_level": found.by_level,
        "left_out": found.left_out, "missed": found.missed,
        "since": found.since.isoformat() if found.since else None, "until": found.until.isoformat() if found.until else None,
        "levels": list(LEVELS), "before": _told(found.before), "after": _told(found.after),
        "mended": found.mended, "broken": found.broken, "p_value": round(found.p_value, 4),
        "by_topic": [each.as_dict() for each in found.by_topic], "by_source": [each.as_dict() for each in found.by_source],
        "by_rule": found.by_rule.as_dict(),
        "current": {"formula": score.version(found.current), **values(found.current)},
        "fitted": values(found.fitted) if found.fitted else None,
        "ranges": {name: list(pair) for name, pair in found.ranges.items()},
        "proposed": {"formula": found.version, **values(found.proposed)} if found.proposed else None,
        "why": found.why, "need": {name: list(pair) for name, pair in found.need.items()},
        "replay": {
            "since": found.replayed.since.isoformat(), "until": found.replayed.until.isoformat(),
            "incident_days": len(found.replayed.changes), "moved": [
                {"date": c.day.isoformat(), "incident": c.incident, "title": c.title,
                 "level": c.before[0] if c.before else None, "new_level": c.after[0] if c.after else None}
                for c in found.replayed.moved
            ],
        } if found.replayed else None,
    }


def values(risk: Risk) -> dict[str, float]:
    """Return what is fitted: weights, and floors as `levels.red` …"""
    weights = {name: float(getattr(risk, name)) for name in NAMES}
    return weights | {f"levels.{name}": float(getattr(risk.levels, name)) for name in Levels.model_fields}


def _told(quality: Quality | None) -> dict[str, Any] | None:
    if quality is None:
        return None
    return {
        "confusion": [list(row) for row in quality.confusion], "exact": quality.exact.as_dict(),
        "near": quality.near.as_dict(), "off": round(quality.off, 3),
    }
