"""What the keyword laboratory says of a rule that is being written: plain values, made by `sentiment.laboratory`, shown
by the console and by `vocwatch watch test`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """One stored text: `matched` is what the rule caught in it, `start` and `end` where; `why` says why it is listed
    (a rule's name for what is caught, a reason in words for what is not).
    """

    id: int
    source: str
    url: str
    at: dt.datetime
    text: str
    why: str = ""
    matched: str = ""
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the answer: how many texts (an estimate where `margin` > 0, give or take so many), and a few of them."""

    count: int = 0
    margin: int = 0
    samples: tuple[Sample, ...] = ()


@dataclass(frozen=True, slots=True)
class Killed:
    """What one condition of the rule keeps out: `what` names it as it is written (排除 捡松果), `example` is one text."""

    what: str
    texts: int
    example: str


@dataclass(frozen=True, slots=True)
class Counted:
    """A name with its number of texts."""

    name: str
    texts: int


@dataclass(frozen=True, slots=True)
class Hint:
    """A way of writing that the data hold: `rule` is how it is derived (empty: only texts about the watch use it);
    `caught` whether the rule catches it already.
    """

    word: str
    rule: str
    texts: int
    example: str
    caught: bool


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a rule can't be used as it stands; `field` is the key of the watch, empty for the whole of it."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a rule does on the stored texts of the last `days` days.

    `caught`: texts it hits now; `gained` and `lost`: against what is stored of the saved rule; `wrong`: caught, though
    people said that it is not ours (误报), or a counter-example of the rule. `hits_7_days` are those of the last seven
    days. `alerts_per_day` red-line pushes that its texts would have made (one for each day, class and product);
    `alerts_more` those of them that nothing else makes. `page_texts`: texts that hit through their page alone.
    `looked` of `worth` texts that may be concerned were read: fewer means that counts are estimates. `stale`: caught
    texts whose stored judgement is older than the configuration.
    """

    watch: str
    days: int
    texts: int
    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()
    caught: Part = Part()
    gained: Part = Part()
    lost: Part = Part()
    wrong: Part = Part()
    hits_7_days: int = 0
    per_day: float = 0.0
    by_day: tuple[tuple[dt.date, int], ...] = ()
    alerts_per_day: float = 0.0
    alerts_more: float = 0.0
    page_texts: int = 0
    rules: tuple[Counted, ...] = ()
    words: tuple[Counted, ...] = ()
    idle: tuple[str, ...] = ()
    voices: tuple[Counted, ...] = ()
    killed: tuple[Killed, ...] = ()
    overlaps: tuple[Counted, ...] = ()
    hints: tuple[Hint, ...] = ()
    worth: int = 0
    looked: int = 0
    stale: int = 0
    failing: tuple[str, ...] = ()

    @property
    def estimated(self) -> bool:
        """Whether the counts come from a sample."""
        return self.looked < self.worth
