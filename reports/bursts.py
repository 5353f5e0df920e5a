"""疑似水军: texts that few accounts put out in a short time, by one template. They are one voice; nothing is hidden.

Two signs, both of them about accounts: one that writes three or more texts on one topic in a day, and texts that share
whole clauses where most come of accounts that put out two or more. That many people say the same of one trouble is no
sign of anything.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from reports.complaint import ARRANGED, Complaint
from vocwatch.fingerprint import squeeze
from vocwatch.store.incidents import Heard

BUSY_TEXTS = 3
ARMY_TEXTS = 8
ARMY_TEXTS_PER_ACCOUNT = 2.0
ARMY_HOURS = 48
MIN_CLAUSE = 5  # letters: shorter ones everybody says
MAX_CLAUSES = 40
MAX_LETTERS = 1000
_BREAK = re.compile(r"[，。！？；、,.!?;:：…~～\s]+")

Account = tuple[str, str | int]


@dataclass(frozen=True)
class Coordination:
    """Why texts look arranged: so many by so few accounts (`most` by one) within so many hours, `alike` of them made
    to one template.
    """

    texts: int
    accounts: int
    hours: int
    most: int
    alike: int


def as_one_voice(complaints: list[Complaint]) -> list[Complaint]:
    """Let the texts of each topic that look arranged count as one voice a day, and as copies of their earliest."""
    arranged: dict[tuple[str, int], str] = {}
    by_topic: dict[str, list[Complaint]] = defaultdict(list)
    for c in complaints:
        if not c.inside:
            for topic in c.topics:
                by_topic[topic].append(c)
    for topic, own in by_topic.items():
        for c in [*_busy(own, topic), *_templates(own)]:
            arranged.setdefault(c.key, c.topics[0])
    if not arranged:
        return complaints
    earliest: dict[str, Complaint] = {}
    for c in sorted(complaints, key=lambda c: (c.heard.at, c.heard.order)):
        if c.key in arranged:
            earliest.setdefault(f"{arranged[c.key]}", c)
    return [_arranged(c, arranged[c.key], earliest[arranged[c.key]]) if c.key in arranged else c for c in complaints]


def _arranged(c: Complaint, topic: str, first: Complaint) -> Complaint:
    near = c.heard.at - first.heard.at <= dt.timedelta(hours=ARMY_HOURS)
    origin = first.origin if near else c.origin
    return replace(c, voice=f"{ARRANGED}{c.day}:{topic}" if c.voice else None, origin=origin)


def _busy(own: Sequence[Complaint], topic: str) -> list[Complaint]:
    """People complain once; who writes several texts of the same trouble in a day works for somebody."""
    written: Counter[tuple[str, dt.date]] = Counter((c.voice, c.day) for c in own if c.voice and c.heard.author)
    return [c for c in own if c.voice and c.heard.author and written[c.voice, c.day] >= BUSY_TEXTS]


def _templates(own: Sequence[Complaint]) -> list[Complaint]:
    """Return the texts of accounts that repeat themselves within a group of texts of one template, where those make
    up most of it. Who wrote one such text only stays a voice of their own.
    """
    if len(own) < ARMY_TEXTS:
        return []
    by_key = {c.key: c for c in own}
    found: list[Complaint] = []
    for group in resembling([c.heard for c in own]):
        written = Counter(_account(heard) for heard in group)
        repeated = [heard for heard in group if written[_account(heard)] >= ARMY_TEXTS_PER_ACCOUNT]
        if 2 * len(repeated) >= len(group) and coordination(repeated):
            found += [by_key[heard.key] for heard in repeated]
    return found


def resembling(texts: Iterable[Heard]) -> list[list[Heard]]:
    """Return groups of texts that are linked by clauses word for word the same, each ordered by time; a text without
    such a clause is in none.
    """
    ordered = sorted(texts, key=lambda h: (h.at, h.order))
    parent = list(range(len(ordered)))
    first: dict[str, int] = {}
    for place, heard in enumerate(ordered):
        for clause in _clauses(heard.text):
            one, two = _root(parent, first.setdefault(clause, place)), _root(parent, place)
            parent[max(one, two)] = min(one, two)
    groups: dict[int, list[Heard]] = defaultdict(list)
    for place, heard in enumerate(ordered):
        groups[_root(parent, place)].append(heard)
    return [group for group in groups.values() if len(group) > 1]


def _clauses(text: str) -> set[str]:
    pieces = [squeeze(piece) for piece in _BREAK.split(text[:MAX_LETTERS], maxsplit=MAX_CLAUSES)]
    return {piece for piece in pieces if len(piece) >= MIN_CLAUSE}


def _account(heard: Heard) -> Account:
    return (heard.channel, heard.author or heard.ref_id)


def _root(parent: list[int], place: int) -> int:
    while parent[place] != place:
        parent[place] = parent[parent[place]]
        place = parent[place]
    return place


def coordination(texts: Sequence[Heard]) -> Coordination | None:
    """Return why a set of texts looks arranged, or None.

    At least 8 texts, two or more per account, all within 48 hours. Unknown authors count as one account each.
    """
    burst = _densest(sorted(texts, key=lambda heard: heard.at))
    accounts: Counter[Account] = Counter(_account(heard) for heard in burst)
    if len(burst) < ARMY_TEXTS or len(burst) / len(accounts) < ARMY_TEXTS_PER_ACCOUNT:
        return None
    lasted = burst[-1].at - burst[0].at
    return Coordination(
        len(burst), len(accounts), max(1, round(lasted.total_seconds() / 3600)), max(accounts.values()),
        sum(len(group) for group in resembling(burst)),
    )


def _densest(ordered: Sequence[Heard]) -> Sequence[Heard]:
    """Return the 48 hours that hold most of the texts."""
    best: Sequence[Heard] = ()
    first = 0
    for last, heard in enumerate(ordered):
        while heard.at - ordered[first].at > dt.timedelta(hours=ARMY_HOURS):
            first += 1
        if last + 1 - first > len(best):
            best = ordered[first : last + 1]
    return best
