"""Which complaints of a day make an incident: grouped by product and topic, joined with the days before.

Pure: complaints, baseline and earlier incidents in, groups out. What is said of a group is
`reports.judgement`.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from operator import itemgetter

from reports.baseline import UNNAMED, Baseline, Cell, Expectation
from reports.bursts import ARMY_TEXTS
from reports.complaint import Complaint, concerns, is_bare
from vocwatch.models import OTHER_TOPIC, Level
from vocwatch.store.incidents import Known

GAP_DAYS = 3  # a longer silence ends an incident
RECUR_DAYS = 45  # the same again within this time is a recurrence
LISTED_P = 0.01
BRAND_P = 0.001  # the whole brand always has some complaints of every kind
CONTINUED_P = 0.05
EVERYDAY_P = 0.05
MIN_VOICES = 3
CONTINUED_VOICES = 2
COLD_VOICES = 5  # without a baseline
RED_VOICES = 2  # a second-class red line by one person is a case to check, not yet an incident
DOMINANT = 0.6
WHOLLY = 0.8  # of all voices: then even trouble of a kind that is the brand's is one product's
NAMED = 0.4
MAX_SPLIT = 2

_Order = tuple[bool, float, int, str, str]


@dataclass
class Group:
    """Complaints of one day that belong together. `known` is the incident they continue.

    `eve` are yesterday's complaints of the same kind that were no incident by themselves; `tested` those whose voices
    the expectation is about; `isolated` marks a red line of one voice: to be checked, but no incident.
    """

    product: str | None
    topic: str
    today: list[Complaint]
    expectation: Expectation | None
    known: Known | None = None
    recurs_of: Known | None = None
    late: list[Complaint] = field(default_factory=list)
    related: list[Complaint] = field(default_factory=list)
    eve: list[Complaint] = field(default_factory=list)
    tested: list[Complaint] = field(default_factory=list)
    isolated: bool = False

    @property
    def cell(self) -> Cell:
        """(product, topic)."""
        return (self.product, self.topic)

    @property
    def red(self) -> bool:
        """A red line fired among today's complaints for this group's topic."""
        return any(concerns(line, self.topic) for c in self.today for line in c.red_lines)

    @property
    def first_class(self) -> bool:
        """One of today's red lines is of the first class, in somebody's own words, and more than a suspicion."""
        return any(
            line.first_class and concerns(line, self.topic) and line.name not in c.suspected
            for c in self.today if c.voice for line in c.red_lines
        )

    @property
    def p(self) -> float:
        """P-value of the tested voices; 1 without a baseline."""
        return self.expectation.p if self.expectation else 1.0


def voices(complaints: Iterable[Complaint]) -> set[str]:
    """Independent voices: distinct authors of originals and distinct customers of sessions."""
    return {c.voice for c in complaints if c.voice}


def find(
    day: dt.date,
    today: Sequence[Complaint],
    baseline: Baseline,
    known: Sequence[Known],
    eve: Sequence[Complaint] = (),
    brand_wide: AbstractSet[str] = frozenset(),
) -> list[Group]:
    """Return the groups of the day that are incidents: continued ones first, then new ones by surprise, at last red
    lines of one voice.

    Every complaint goes to one group only, the most telling of its topics, so that one trouble is not listed twice.
    `eve` are yesterday's complaints that joined no incident; `brand_wide` the topics that no product owns.
    """
    present = _without_old_news([c for c in today if c.topics])
    rules = _Rules(baseline, frozenset(brand_wide), _without_old_news([c for c in eve if c.topics]))
    recent = [k for k in known if (day - k.last_day).days <= GAP_DAYS]
    known = [k for k in known if not k.watched]
    found, rest = rules.going_on([c for c in present if not is_bare(c)], [k for k in recent if not k.watched])
    rest = rules.beginning(rest, found)
    rest = rules.beginning([*rest, *_without_hosted([c for c in present if is_bare(c)], found)], found)
    for group in found:
        if group.known is None:
            group.known = _unconfirmed(group.cell, recent, found)
            group.recurs_of = _earlier(group, known, day)
    return [*found, *rules.isolated(rest, recent, found)]


def _unconfirmed(cell: Cell, recent: Sequence[Known], taken: Sequence[Group]) -> Known | None:
    """Return the red line of one voice that was to be checked in the last days for this product and topic."""
    ids = {group.known.id for group in taken if group.known}
    same = [k for k in recent if k.watched and (k.product, k.topic) == cell and k.id not in ids]
    return max(same, key=lambda k: (k.last_day, k.id), default=None)


def _without_hosted(bare: Sequence[Complaint], groups: Sequence[Group]) -> list[Complaint]:
    """Give texts that only aggravate to the group in which others say the same; return those that find none."""
    left = []
    for c in bare:
        names = {line.name for line in c.red_lines}
        hosts = [
            group for group in groups
            if (group.product is None or c.product in (group.product, None))
            and any(line.name in names for member in (*group.today, *group.eve) for line in member.red_lines)
        ]
        if hosts:
            max(hosts, key=lambda group: (len(voices(group.today)), group.topic, group.product or "")).today.append(c)
        else:
            left.append(c)
    return left


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


def _by_topic(pool: Iterable[Complaint]) -> dict[str, list[Complaint]]:
    topics: dict[str, list[Complaint]] = defaultdict(list)
    for complaint in pool:
        for topic in complaint.topics:
            if topic != OTHER_TOPIC:  # what has no topic in common is no one trouble
                topics[topic].append(complaint)
    return topics


@dataclass(frozen=True)
class _Part:
    """The complaints of one topic about one product, who speaks in them, and whether they are worth listing."""

    group: Group
    listed: bool
    heard: set[str]


_Tried = dict[Cell, _Part]


class _Rules:
    """What makes a group, against one day's baseline."""

    def __init__(self, baseline: Baseline, brand_wide: AbstractSet[str], eve: Sequence[Complaint]):
        self._baseline = baseline
        self._brand_wide = brand_wide
        self._eve = _by_topic(eve)
        self._eve_of: dict[Cell, list[Complaint]] = defaultdict(list)
        for topic, own in self._eve.items():
            for c in own:
                self._eve_of[c.product or UNNAMED, topic].append(c)

    def going_on(self, pool: list[Complaint], recent: Sequence[Known]) -> tuple[list[Group], list[Complaint]]:
        """Return today's part of the open incidents, the most serious first, and the complaints that are left."""
        found: list[Group] = []
        for known in sorted(recent, key=lambda k: (Level(k.level).rank, k.product is None, k.first_day, k.id)):
            group = self._continued(known, pool)
            if group:
                found.append(group)
                pool = _rest(pool, group)
        return found, pool

    def beginning(self, pool: list[Complaint], found: list[Group]) -> list[Complaint]:
        """Add to `found` what begins today, the most surprising first; return the complaints that are left."""
        topics = _by_topic(pool)
        tried: _Tried = {}
        proposals = {topic: self._ordered(topic, topics[topic], tried) for topic in sorted(topics)}
        taken: set[tuple[str, int]] = set()
        while first := min((one for own in proposals.values() for one in own), key=itemgetter(0), default=None):
            best = first[1]
            found.append(best)
            now = {c.key for c in best.today}
            taken |= now
            for topic in {topic for c in best.today for topic in c.topics} & proposals.keys():  # the others stay as they are
                topics[topic] = [c for c in topics[topic] if c.key not in now]
                proposals[topic] = self._ordered(topic, topics[topic], tried)
        return [c for c in pool if c.key not in taken]

    def _ordered(self, topic: str, pool: Sequence[Complaint], tried: _Tried) -> list[tuple[_Order, Group]]:
        return [(_order(group), group) for group in self._of_topic(topic, pool, tried)]

    def _continued(self, known: Known, pool: Sequence[Complaint]) -> Group | None:
        """Return today's part of an open incident; None when today's complaints are no more than everyday."""
        anyones = known.product is None or known.topic in self._brand_wide
        mine = [c for c in pool if known.topic in c.topics and (anyones or c.product in (known.product, None))]
        if not mine:
            return None
        named = [c for c in mine if known.product is None or c.product == known.product]
        group = self._tested(known.product, known.topic, mine, named)
        group.known = known
        heard = len(voices(mine))
        if group.first_class or len(mine) - heard >= ARMY_TEXTS:  # a burst of copies goes on, though it adds no voice
            return group
        if heard < CONTINUED_VOICES:
            return None
        usual = CONTINUED_P if known.product else LISTED_P
        if group.expectation is None:
            return group if known.product or heard >= COLD_VOICES else None
        return group if group.p < usual else None

    def isolated(self, pool: Sequence[Complaint], recent: Sequence[Known], found: Sequence[Group]) -> list[Group]:
        """Return the red lines that nobody else confirms, one group for each product and topic; that of an incident
        which `found` does not continue stands under it.
        """
        cells: dict[Cell, list[Complaint]] = defaultdict(list)
        taken = {group.known.id for group in found if group.known}
        going: dict[Cell, Known] = {(k.product, k.topic): k for k in recent if k.id not in taken}
        for c in pool:
            topic = next((t for t in c.topics for line in c.red_lines if concerns(line, t)), None)
            if topic:
                product = None if topic in self._brand_wide and (c.product, topic) not in going else c.product
                cells[(product, topic)].append(c)
        spoken = [(cell, own) for cell, own in cells.items() if voices(own)]
        groups = [self._tested(*cell, own, own) for cell, own in sorted(spoken, key=lambda one: str(one[0]))]
        for group in groups:
            group.isolated = True
            group.known = going.get(group.cell)
        return groups

    def _of_topic(self, topic: str, pool: Sequence[Complaint], tried: _Tried) -> list[Group]:
        """Split or merge one topic's complaints over the products; only groups worth listing are returned.

        Trouble of one or two products stays theirs. It is the brand's when what is left without them is still far
        above its baseline, or when more products are hit; trouble that is the brand's by its kind isn't split at all.
        `tried` are the products' parts of before: what has lost no complaint since is as it was.
        """
        if not pool:
            return []
        by_product: dict[str, list[Complaint]] = defaultdict(list)
        unnamed: list[Complaint] = []
        for complaint in pool:
            (unnamed if complaint.product is None else by_product[complaint.product]).append(complaint)
        if topic in self._brand_wide:
            whole = self._best(None, topic, list(pool))
            return [self._wholly(whole, by_product) or whole] if _listed(whole) else []
        parts = [self._part(product, topic, own, tried) for product, own in by_product.items()]
        leading = self._dominant(topic, parts, unnamed)
        raised = [leading if leading and leading.product == part.group.product else part.group for part in parts if part.listed]
        taken = {c.key for group in raised for c in group.today}
        rest = self._best(None, topic, [c for c in pool if c.key not in taken])
        if _listed(rest) or len(raised) > MAX_SPLIT:
            return [leading] if leading else [self._best(None, topic, list(pool))]
        if len(raised) == 1:
            return [leading or raised[0]]
        return raised or ([leading] if leading else [])

    def _wholly(self, whole: Group, by_product: Mapping[str, list[Complaint]]) -> Group | None:
        """Return the brand's trouble as that of the one product that nearly all voices name."""
        heard = len(voices(whole.today))
        for product, own in by_product.items():
            if len(voices(own)) >= WHOLLY * heard:
                return self._tested(product, whole.topic, whole.today, own, whole.eve)
        return None

    def _part(self, product: str, topic: str, own: list[Complaint], tried: _Tried) -> _Part:
        """Return a product's part of a topic; of what was `tried` before, complaints can only have gone."""
        known = tried.get((product, topic))
        if known is None or len(known.group.today) != len(own):
            group = self._best(product, topic, own)
            known = tried[product, topic] = _Part(group, _listed(group), voices(own))
        return known

    def _dominant(self, topic: str, parts: Sequence[_Part], unnamed: list[Complaint]) -> Group | None:
        """Return the product most of those who name one speak of, joined by those who name none.

        None unless it is worth listing, by itself or with them, and enough of all voices name a product at all.
        """
        best = max(parts, key=lambda part: (len(part.heard), part.group.product or ""), default=None)
        if best is None:
            return None
        named = set().union(*(part.heard for part in parts))
        if len(named) < NAMED * len(named | voices(unnamed)) or len(best.heard) < DOMINANT * len(named):
            return None
        together = [*best.group.today, *unnamed]
        if best.listed:
            return replace(best.group, today=together)
        joined = self._best(best.group.product, topic, together, UNNAMED)
        return joined if _listed(joined) else None

    def _best(self, product: str | None, topic: str, own: list[Complaint], *more: str) -> Group:
        """Return the group of today's voices, or of today's and yesterday's, whichever is more surprising."""
        alone = self._tested(product, topic, own, own, more=more)
        if product is None or more:
            eve = [c for c in self._eve.get(topic, ()) if product is None or (c.product or UNNAMED) in (product, *more)]
        else:
            eve = self._eve_of.get((product, topic), [])
        if not eve:
            return alone
        both = self._tested(product, topic, own, own, eve, more)
        return both if both.p < alone.p else alone

    def _tested(
        self, product: str | None, topic: str, own: list[Complaint], named: Sequence[Complaint],
        eve: Sequence[Complaint] = (), more: Sequence[str] = (),
    ) -> Group:
        """Return a group with its voices (`named`, and yesterday's) held against what was to be expected of them."""
        tested = [c for c in (*named, *eve) if c.voice]
        cells = [(product, topic), *((other, topic) for other in more)]
        expectation = self._baseline.expect(cells[0], len(voices(tested)), *cells[1:], window=2 if eve else 1)
        return Group(product, topic, own, expectation, eve=list(eve), tested=tested)


def _listed(group: Group) -> bool:
    """A first-class red line in anyone's own words, or one of the second class by two people above the everyday (three
    without a baseline); else at least 3 voices that the baseline makes improbable (5 of one product without one).
    """
    heard = len(voices([*group.today, *group.eve]))
    if group.first_class:
        return True
    red = [c for c in (*group.today, *group.eve) if any(concerns(line, group.topic) for line in c.red_lines)]
    if group.red and len(red) - len(voices(red)) >= ARMY_TEXTS:  # nobody confirms it, but many pass it on
        return True
    enough = RED_VOICES if group.expectation else MIN_VOICES
    if group.red and len(voices(red)) >= enough and (group.expectation is None or group.p < EVERYDAY_P):
        return True
    if group.expectation is None:
        return heard >= COLD_VOICES and group.product is not None
    return heard >= MIN_VOICES and group.p < (LISTED_P if group.product else BRAND_P)


def _order(group: Group) -> _Order:
    return (not group.red, group.p, -len(voices(group.today)), group.topic, group.product or "")


def _earlier(group: Group, known: Sequence[Known], day: dt.date) -> Known | None:
    """Return the last incident of the same product and topic that had ended, within 45 days."""
    same = [
        k
        for k in known
        if (k.product, k.topic) == group.cell and GAP_DAYS < (day - k.last_day).days <= RECUR_DAYS
    ]
    return max(same, key=lambda k: k.last_day, default=None)
