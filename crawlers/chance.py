"""How surprising a count is, given what was counted before: two predictive distributions, nothing else.

Shares (pages that drifted, records without a time) are beta-binomial: a binomial whose share itself scatters from
run to run, its concentration estimated by moments (Kleinman, JASA 1973) and never taken for surer than the sample
that it comes from. Volumes are negative binomial, which is Poisson where nothing scatters beyond chance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

LARGEST = 4_000  # beyond that many trials both numbers are scaled down: the tail is as good as nought by then


def fit_share(pairs: Sequence[tuple[int, int]]) -> tuple[float, float]:
    """Return (a, b) of the beta distribution of a share, from (hits, trials) of earlier runs.

    Half a hit and half a miss are added (Jeffreys), so that what was never seen is rare and not impossible.
    """
    pairs = [(hits, trials) for hits, trials in pairs if trials]
    hits, trials = sum(h for h, _ in pairs), sum(n for _, n in pairs)
    share = (hits + 0.5) / (trials + 1)
    spread = sum(n * (h / n - share) ** 2 for h, n in pairs) / (share * (1 - share))
    free = len(pairs) - 1
    room = trials - sum(n * n for _, n in pairs) / trials - free if trials else 0.0
    correlation = min(0.5, max(0.0, (spread - free) / room)) if room > 0 else 0.0
    concentration = 1 / (1 / (trials + 1) + correlation / (1 - correlation))
    return share * concentration, (1 - share) * concentration


def share_tail(hits: int, trials: int, a: float, b: float) -> float:
    """Return the chance of at least `hits` of `trials` where the share is beta(a, b)."""
    if hits <= 0:
        return 1.0
    if trials > LARGEST:
        hits, trials = round(hits * LARGEST / trials), LARGEST
    whole = math.lgamma(trials + 1) - _log_beta(a, b)
    return min(1.0, math.fsum(
        math.exp(whole - math.lgamma(j + 1) - math.lgamma(trials - j + 1) + _log_beta(j + a, trials - j + b))
        for j in range(max(hits, 1), trials + 1)
    ))


def fit_scatter(counts: Sequence[tuple[float, float]]) -> float:
    """Return by how much counts scatter beyond Poisson (variance = mean + scatter × mean²), from (count, expected).

    One over the number of counts is added for what a mean of so few does not know.
    """
    expected = sum(mean * mean for _, mean in counts)
    excess = sum((count - mean) ** 2 - mean for count, mean in counts)
    return max(0.0, excess / expected if expected else 0.0) + 1 / max(1, len(counts))


def count_tail(count: float, mean: float, scatter: float = 0.0) -> float:
    """Return the chance of at most `count` where `mean` is expected."""
    if mean <= 0:
        return 1.0
    if scatter <= 0:
        terms = (math.exp(j * math.log(mean) - mean - math.lgamma(j + 1)) for j in range(int(count) + 1))
        return min(1.0, math.fsum(terms))
    shape = 1 / scatter
    log_stay, log_step = shape * math.log(shape / (shape + mean)), math.log(mean / (shape + mean))
    return min(1.0, math.fsum(
        math.exp(math.lgamma(j + shape) - math.lgamma(shape) - math.lgamma(j + 1) + log_stay + j * log_step)
        for j in range(int(count) + 1)
    ))


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
