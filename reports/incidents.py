"""Which complaints of a day make an incident: grouped by product and topic, joined with the days before.

Pure: complaints, baseline and earlier incidents in, groups out. What is said of a group is
`reports.judgement`.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from reports.baseline import Baseline, Cell, Expectation
from reports.bursts import ARMY_TEXTS
from reports.complaint import Complaint, topic_of
from vocwatch.models import OTHER_TOPIC, Level
from vocwatch.store.incidents import Known

GAP_DAYS = 3  # a longer silence ends an incident
RECUR_DAYS = 45  # the same again within this time is a recurrence
LISTED_P = 0.01
BRAND_P = 0.001  # the whole brand always has some complaints of every kind
CONTINUED_P = 0.05
MIN_VOICES = 3
CONTINUED_VOICES = 2
COLD_VOICES = 5  # without a baseline
DOMINANT = 0.6
NAMED = 0.4
MAX_SPLIT = 2


@dataclass
class Group:
    """Complaints of one day that belong together. `known` is the incident they continue."""

    product: str | None
    topic: str
    today: list[Complaint]
    expectation: Expectation | None
    known: Known | None = None
    recurs_of: Known | None = None
    late: list[Complaint] = field(default_factory=list)
    related: list[Complaint] = field(default_factory=list)

    @property
    def cell(self) -> Cell:
        """(product, topic)."""
        return (self.product, self.topic)

    @property
    def red(self) -> bool:
        """A red line fired among today's complaints for this group's topic."""
        return any(topic_of(line) == self.topic for c in self.today for line in c.red_lines)

    @property
    def p(self) -> float:
        """P-value of today's voices; 1 without a baseline."""
        return self.expectation.p if self.expectation else 1.0


def voices(complaints: Iterable[Complaint]) -> set[str]:
    """Independent voices: distinct authors of originals and distinct customers of sessions."""
    return {c.voice for c in complaints if c.voice}


def find(
    day: dt.date,
    today: Sequence[Complaint],
    baseline: Baseline,
    known: Sequence[Known],
) -> list[Group]:
    """Return the groups of the day that are incidents: continued ones first, then new ones by surprise.

    Every complaint goes to one group only, the most telling of its topics, so that one trouble is not
    listed twice.
    """
    pool = _without_old_news([c for c in today if c.topics])
    recent = [k for k in known if (day - k.last_day).days <= GAP_DAYS]
    found: list[Group] = []
    for incident in sorted(recent, key=lambda k: (Level(k.level).rank, k.product is None, k.first_day, k.id)):
        group = _continued(incident, pool, baseline)
        if group:
            found.append(group)
            pool = _rest(pool, group)
    while True:
        best = min(_proposals(pool, baseline), key=_order, default=None)
        if best is None:
            break
        best.recurs_of = _earlier(best, known, day)
        found.append(best)
        pool = _rest(pool, best)
    return found


def old_news(today: Sequence[Complaint]) -> list[Complaint]:
    """Return the complaints that are left out as reposted old news."""
    kept = {c.key for c in _without_old_news(list(today))}
    return [c for c in today if c.key not in kept]


def _without_old_news(pool: list[Complaint]) -> list[Complaint]:
    """Drop old news, per topic, where nobody speaks of it in the present: inside or out."""
    fresh = {topic for c in pool if not c.old_news for topic in c.topics}
    return [c for c in pool if not c.old_news or any(topic in fresh for topic in c.topics)]


def _rest(pool: Sequence[Complaint], group: Group) -> list[Complaint]:
    taken = {c.key for c in group.today}
    return [c for c in pool if c.key not in taken]


def _continued(known: Known, pool: Sequence[Complaint], baseline: Baseline) -> Group | None:
    """Return today's part of an open incident; None when today's complaints are no more than everyday."""
    mine = [
        c
        for c in pool
        if known.topic in c.topics and (known.product is None or c.product in (known.product, None))
    ]
    if not mine:
        return None
    named = [c for c in mine if known.product is None or c.product == known.product]
    expectation = baseline.expect((known.product, known.topic), len(voices(named)))
    group = Group(known.product, known.topic, mine, expectation, known)
    heard = len(voices(mine))
    if group.red or len(mine) - heard >= ARMY_TEXTS:  # a burst of copies goes on, though it adds no voice
        return group
    if heard < CONTINUED_VOICES:
        return None
    return group if group.expectation is None or group.p < CONTINUED_P else None


def _proposals(pool: Sequence[Complaint], baseline: Baseline) -> list[Group]:
    topics: dict[str, list[Complaint]] = defaultdict(list)
    for complaint in pool:
        for topic in complaint.topics:
            if topic != OTHER_TOPIC:  # what has no topic in common is no one trouble
                topics[topic].append(complaint)
    return [group for topic in sorted(topics) for group in _of_topic(topic, topics[topic], baseline)]


def _of_topic(topic: str, pool: Sequence[Complaint], baseline: Baseline) -> list[Group]:
    """Split or merge one topic's complaints over the products; only groups worth listing are returned.

    Trouble of one or two products stays theirs. It is the brand's when what is left without them is still far
    above its baseline, or when more products are hit.
    """
    by_product: dict[str, list[Complaint]] = defaultdict(list)
    unnamed: list[Complaint] = []
    for complaint in pool:
        (unnamed if complaint.product is None else by_product[complaint.product]).append(complaint)
    groups = [_group(product, topic, own, baseline) for product, own in by_product.items()]
    raised = [group for group in groups if _listed(group)]
    taken = {c.key for group in raised for c in group.today}
    rest = _group(None, topic, [c for c in pool if c.key not in taken], baseline)
    if _listed(rest) or len(raised) > MAX_SPLIT:
        leading = _dominant(groups, unnamed)
        return [leading] if leading else [_group(None, topic, list(pool), baseline)]
    if len(raised) == 1:
        return [_dominant(groups, unnamed) or raised[0]]
    return raised


def _group(product: str | None, topic: str, own: list[Complaint], baseline: Baseline) -> Group:
    return Group(product, topic, own, baseline.expect((product, topic), len(voices(own))))


def _dominant(groups: Sequence[Group], unnamed: Sequence[Complaint]) -> Group | None:
    """Return the product most of those who name one speak of, joined by those who name none.

    None unless it is worth listing by itself and enough of all voices name a product at all.
    """
    named = sum(len(voices(group.today)) for group in groups)
    if not groups or named < NAMED * (named + len(voices(unnamed))):
        return None
    best = max(groups, key=lambda group: (len(voices(group.today)), group.product or ""))
    if len(voices(best.today)) < DOMINANT * named or not _listed(best):
        return None
    return Group(best.product, best.topic, best.today + list(unnamed), best.expectation)


def _listed(group: Group) -> bool:
    """Red lines by anyone's own words; else at least 3 voices that the baseline makes improbable (5 of one
    product without one).
    """
    heard = len(voices(group.today))
    if group.red and heard:
        return True
    if group.expectation is None:
        return heard >= COLD_VOICES and group.product is not None
    return heard >= MIN_VOICES and group.p < (LISTED_P if group.product else BRAND_P)


def _order(group: Group) -> tuple[bool, float, int, str, str]:
    return (not group.red, group.p, -len(voices(group.today)), group.topic, group.product or "")


def _earlier(group: Group, known: Sequence[Known], day: dt.date) -> Known | None:
    """Return the last incident of the same product and topic that had ended, within 45 days."""
    same = [
        k
        for k in known
        if (k.product, k.topic) == group.cell and GAP_DAYS < (day - k.last_day).days <= RECUR_DAYS
    ]
    return max(same, key=lambda k: k.last_day, default=None)
