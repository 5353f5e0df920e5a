"""A batch read once for all engines: its characters as numbers, and the lexicon's words in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sentiment.engines.effects import Effects, shipped
from sentiment.engines.features import Encoded, encode


@dataclass(frozen=True, slots=True)
class Reading:
    """The normal forms of a batch, `encoded`, and what the shipped lexicon found in them."""

    encoded: Encoded
    effects: Effects


def read(texts: Sequence[str]) -> Reading:
    """Read a batch of normal forms; never raises for a text."""
    encoded = encode(texts)
    return Reading(encoded, shipped().find(encoded))
