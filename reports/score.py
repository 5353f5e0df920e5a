"""The risk score: six parts, each 0 to 1, and what they add up to.

R = 25·S + 20·V + 20·G + 15·P + 10·A + 10·C with the weights of `risk` in vocwatch.yaml (after DB4401/T 12).
Voices are people, not posts: independent authors outside and distinct customers inside.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from vocwatch.models import Level
from vocwatch.settings.app import Risk

FORMULA = "R-2026.4"  # .3 took yellow by score alone, and a handful of voices for more than chance; .2 had orange from 60, red lines of one voice as orange, a day alone
REACH_REFERENCE = 20_000
MEDIA_REACH = 0.5
CORROBORATING_SESSIONS = 3


@dataclass(frozen=True)
class Parts:
    """The parts of a score, each 0 to 1."""

    sensitivity: float
    intensity: float
    evolution: float
    spread: float
    attitude: float
    corroboration: float

    def as_dict(self) -> dict[str, float]:
        """Return them rounded to three digits, in the order of the formula."""
        return {name: round(value, 3) for name, value in asdict(self).items()}


def intensity(voices: int, reference: int) -> float:
    """V = min(1, ln(1 + voices) / ln(1 + reference))."""
    return min(1.0, math.log1p(voices) / math.log1p(reference))


def evolution(p: float | None) -> float:
    """G = min(1, −log10(p) / 6); 0 without a baseline."""
    if p is None:
        return 0.0
    return min(1.0, -math.log10(p) / 6) if p > 0 else 1.0


def reach(likes: int, replies: int, shares: int, views: int) -> float:
    """How far a text went, 0 to 1: ln(1 + likes + 3·replies + 5·shares + views/100) / ln(1 + 20,000),
    capped.
    """
    return min(1.0, math.log1p(likes + 3 * replies + 5 * shares + views / 100) / math.log1p(REACH_REFERENCE))


def spread(texts: Sequence[tuple[float, float]]) -> float:
    """P = the largest source tier × reach."""
    return min(1.0, max((tier * far for tier, far in texts), default=0.0))


def wilson_lower(share_of: int, total: int, z: float = 1.96) -> float:
    """Lower bound of the 95 % Wilson interval of a proportion (Wilson 1927); 0 for nothing."""
    if total <= 0:
        return 0.0
    share = share_of / total
    centre = share + z * z / (2 * total)
    room = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return max(0.0, (centre - room) / (1 + z * z / total))


def corroboration(outside: int, sessions: int) -> float:
    """C = sessions of the same reason within 7 days ÷ 3, capped; 0 unless both sides speak."""
    return min(1.0, sessions / CORROBORATING_SESSIONS) if outside and sessions else 0.0


def total(parts: Parts, risk: Risk) -> float:
    """The weighted sum, 0 to 100, to one decimal."""
    return round(
        risk.sensitivity * parts.sensitivity
        + risk.intensity * parts.intensity
        + risk.evolution * parts.evolution
        + risk.spread * parts.spread
        + risk.attitude * parts.attitude
        + risk.corroboration * parts.corroboration,
        1,
    )


def version(risk: Risk) -> str:
    """Return what a row is marked with: the formula, and a mark of the weights where they aren't the shipped ones."""
    if risk == Risk():
        return FORMULA
    mark = hashlib.sha256(risk.model_dump_json().encode()).hexdigest()[:6]
    return f"{FORMULA}+{mark}"


def floor_of(level: Level, risk: Risk) -> float:
    """Return the score from which a level holds."""
    floors = risk.levels
    by_level = {Level.RED: floors.red, Level.ORANGE: floors.orange, Level.YELLOW: floors.yellow, Level.BLUE: floors.blue}
    return by_level[level]


def held(score: float, before: Level, risk: Risk) -> bool:
    """Say whether a score that fell below the floor of yesterday's level still holds it: by less than `hold_points`."""
    floor = floor_of(before, risk)
    return floor - risk.hold_points <= score < floor


def level_of(score: float, risk: Risk) -> Level | None:
    """Return the level of a score; None below blue."""
    order = (Level.RED, Level.ORANGE, Level.YELLOW, Level.BLUE)
    return next((level for level in order if score >= floor_of(level, risk)), None)
