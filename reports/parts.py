"""The six parts of a risk score, each with what it was computed from and the texts behind it.

`reports.score` holds the formulas; this module feeds them from complaints and remembers what it fed them, so that
`vocwatch explain` can print every number with its rows.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reports import score
from reports.complaint import Complaint, concerns, topic_of
from reports.incidents import Group, voices
from reports.score import Parts
from vocwatch.settings import Settings
from vocwatch.settings.topics import RedLineClass

CORROBORATING_DAYS = 7
PART_NAMES = ("sensitivity", "intensity", "evolution", "spread", "attitude", "corroboration")

Key = tuple[str, int]
Input = str | int | float | None


@dataclass(frozen=True)
class Tone:
    """How many texts of the day speak of a product (None: of the brand), and how many of them negatively."""

    texts: int
    negative: int


@dataclass(frozen=True)
class Behind:
    """One part: its value (0 to 1), what it was computed from, and the (text kind, row id) of the texts behind it.

    The mentions behind the attitude are all that speak of the product that day; `rows` holds its sessions only.
    """

    name: str
    value: float
    inputs: Mapping[str, Input]
    rows: tuple[Key, ...]


class PartsOf:
    """Computes the parts of one business date's groups."""

    def __init__(self, settings: Settings, day: dt.date, tones: Mapping[str | None, Tone]):
        self._settings = settings
        self._day = day
        self._tones = tones
        self._groups = {group.name: group.sensitivity for group in settings.topics.topics}

    def behind(self, group: Group, episode: Sequence[Complaint], lines: Sequence[RedLineClass]) -> tuple[Behind, ...]:
        """Return the six parts in the order of the formula; `episode` are all members up to this day."""
        return (
            self._sensitivity(group.topic, episode, lines),
            self._intensity(group),
            _evolution(group),
            self._spread(group),
            self._attitude(group),
            self._corroboration(episode),
        )

    def _sensitivity(self, topic: str, episode: Sequence[Complaint], lines: Sequence[RedLineClass]) -> Behind:
        """The topic's own sensitivity × severity (2 is full), or a red line's class × the confidence of its surest text ×
        how much of the incident it is: all of it where the class is the topic's own, else twice the share of voices.
        """
        severity = max((c.heard.severity for c in episode), default=0)
        worst = [c for c in episode if c.heard.severity == severity]
        own = self._groups.get(topic.split("/", 1)[0], 0.3)
        value = min(1.0, own * min(1.0, severity / 2))
        inputs: dict[str, Input] = {"topic_sensitivity": own, "severity": severity, "texts": len(worst)}
        found = Behind("sensitivity", value, inputs, _keys(worst))
        return max([found, *(_of_line(line, topic, episode) for line in lines)], key=lambda part: part.value)

    def _intensity(self, group: Group) -> Behind:
        speaking = [c for c in group.today if c.voice]
        heard = len(voices(speaking))
        reference = self._settings.app.risk.reference_authors
        value = score.intensity(heard, reference)
        return Behind("intensity", value, {"voices": heard, "reference": reference}, _keys(speaking))

    def _spread(self, group: Group) -> Behind:
        """Source tier × reach of the text for which that is largest."""
        far = [(*self._far(c), c) for c in group.today if not c.inside]
        if not far:
            return Behind("spread", 0.0, {}, ())
        tier, reach, farthest = max(far, key=lambda found: (found[0] * found[1], found[2].heard.order))
        h = farthest.heard
        inputs: dict[str, Input] = {
            "tier": tier, "reach": round(reach, 3), "likes": h.likes, "replies": h.replies, "shares": h.shares,
            "views": h.views,
        }
        return Behind("spread", score.spread([(tier, reach)]), inputs, (farthest.key,))

    def _far(self, complaint: Complaint) -> tuple[float, float]:
        """(tier of the source, reach of the text)."""
        heard = complaint.heard
        source = self._settings.sources.get(heard.channel)
        far = score.reach(heard.likes, heard.replies, heard.shares, heard.views)
        if heard.voice == "media":
            far = max(far, score.MEDIA_REACH)
        return (source.tier if source else 0.5, far)

    def _attitude(self, group: Group) -> Behind:
        tone = self._tones.get(group.product, Tone(0, 0))
        inside = [c for c in group.today if c.inside]
        value = score.wilson_lower(tone.negative + len(inside), tone.texts + len(inside))
        inputs: dict[str, Input] = {"negative": tone.negative, "mentions": tone.texts, "sessions": len(inside)}
        return Behind("attitude", value, inputs, _keys(inside))

    def _corroboration(self, episode: Sequence[Complaint]) -> Behind:
        outside = [c for c in episode if not c.inside]
        inside = [c for c in episode if c.inside and (self._day - c.day).days <= CORROBORATING_DAYS]
        public, customers = len(voices(outside)), len(voices(inside))
        value = score.corroboration(public, customers)
        inputs: dict[str, Input] = {"customers": customers, "public_voices": public, "days": CORROBORATING_DAYS}
        return Behind("corroboration", value, inputs, _keys([*inside, *outside]))


def as_parts(behind: Iterable[Behind]) -> Parts:
    """Return the bare values."""
    return Parts(**{part.name: part.value for part in behind})


def _of_line(line: RedLineClass, topic: str, episode: Sequence[Complaint]) -> Behind:
    fired = [c for c in episode if line in c.red_lines and concerns(line, topic)]
    surest = max(fired, key=lambda c: (c.heard.confidence, c.heard.order))
    share = 1.0 if topic_of(line) == topic else min(1.0, 2 * len(voices(fired)) / max(1, len(voices(episode))))
    inputs: dict[str, Input] = {
        "red_line": line.name, "class_sensitivity": line.sensitivity, "confidence": surest.heard.confidence,
        "share": round(share, 3), "texts": len(fired),
    }
    value = min(1.0, line.sensitivity * max(0.5, surest.heard.confidence) * share)
    return Behind("sensitivity", value, inputs, _keys(fired))


def _evolution(group: Group) -> Behind:
    found = group.expectation
    rows = _keys(group.tested)
    if found is None:
        return Behind("evolution", 0.0, {"seen": len(voices(group.tested)), "expected": None, "p": None}, rows)
    inputs: dict[str, Input] = {
        "seen": found.seen, "expected": round(found.mean, 3), "p": found.p, "days": found.days, "before": found.before,
        "alpha": round(found.alpha, 3), "window": found.window,
    }
    return Behind("evolution", score.evolution(found.p), inputs, rows)


def _keys(complaints: Iterable[Complaint]) -> tuple[Key, ...]:
    return tuple(sorted({c.key for c in complaints}))
