"""What is said of an incident on one day: parts, level, state, reasons, lead, owner."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports import score
from reports.baseline import WARM_UP_DAYS
from reports.clusters import Coordination, coordination
from reports.incidents import GAP_DAYS, Group, voices
from reports.say import Say, say, short_date
from reports.score import Parts
from reports.texts import ARRANGED, Complaint, topic_of
from reports.titles import title
from vocwatch.models import IncidentState, Level
from vocwatch.settings import Settings
from vocwatch.settings.topics import RedLineClass
from vocwatch.store.incidents import Known

WATCH_Q = 0.1
EVERYDAY_P = 0.05
EVERYDAY_VOICES = 2
FALL_POINTS = 10.0


@dataclass(frozen=True)
class Tone:
    """How many texts of the day speak of a product (None: of the brand), and how many of them negatively."""

    texts: int
    negative: int


@dataclass(frozen=True)
class Finding:
    """One incident on one day, ready to be stored. `members` joined today."""

    id: str
    product: str | None
    topic: str
    title: str
    shop: str | None
    owner: str
    first_day: dt.date
    first_seen_at: dt.datetime
    state: IncidentState
    level: Level
    score: float
    parts: Parts
    why: tuple[Say, ...]
    voices: int
    mentions: int
    sessions: int
    expected: float | None
    p_value: float | None
    red_line: bool
    recurs_of: str | None
    members: tuple[Complaint, ...]
    lead_days: int | None


class Judge:
    """Judges the groups of one business date."""

    def __init__(
        self,
        settings: Settings,
        day: dt.date,
        tones: Mapping[str | None, Tone],
        display: Mapping[str, str],
    ):
        self._settings = settings
        self._day = day
        self._tones = tones
        self._display = display
        self._groups = {group.name: group.sensitivity for group in settings.topics.topics}

    def judge(self, group: Group, before: Sequence[Complaint], q: float | None) -> Finding | None:
        """Return the day's finding; None when its score stays below blue.

        `before` are the incident's members of earlier days; `q` the p-value after correction for the day's
        other tests (None without a baseline).
        """
        joined = [*group.today, *group.late, *group.related]
        episode = [*before, *joined]
        lines = _red_lines(group.topic, episode)
        parts = self._parts(group, episode, lines)
        total = score.total(parts, self._settings.app.risk)
        watch_only = not lines and q is not None and q >= WATCH_Q and group.known is None
        level = self._level(total, lines, episode, group, watch_only)
        if level is None:
            return None
        lead = lead_days(episode)
        first_day = group.known.first_day if group.known else self._day
        shop = _most_common([c.heard.shop for c in episode if c.heard.shop])
        expectation = group.expectation
        return Finding(
            id=group.known.id if group.known else incident_id(self._day, group.product, group.topic),
            product=group.product,
            topic=group.topic,
            title=self._title(group, episode),
            shop=self._shop_name(shop, group.product),
            owner=self._settings.owner_of(shop, group.product),
            first_day=first_day,
            first_seen_at=min(c.heard.at for c in [*group.today, *group.late]),
            state=state_of(group, level, total),
            level=level,
            score=total,
            parts=parts,
            why=tuple(self._why(group, episode, lines, watch_only)),
            voices=len(voices(group.today)),
            mentions=sum(not c.inside for c in group.today),
            sessions=sum(c.inside for c in group.today),
            expected=round(expectation.mean, 3) if expectation else None,
            p_value=expectation.p if expectation else None,
            red_line=bool(lines),
            recurs_of=group.known.recurs_of
            if group.known
            else group.recurs_of.id
            if group.recurs_of
            else None,
            members=tuple(joined),
            lead_days=lead,
        )

    def _parts(self, group: Group, episode: Sequence[Complaint], lines: Sequence[RedLineClass]) -> Parts:
        outside = [c for c in episode if not c.inside]
        inside = [c for c in episode if c.inside and (self._day - c.day).days <= 7]
        tone = self._tones.get(group.product, Tone(0, 0))
        internal = sum(c.inside for c in group.today)
        return Parts(
            sensitivity=self._sensitivity(group, episode, lines),
            intensity=score.intensity(len(voices(group.today)), self._settings.app.risk.reference_authors),
            evolution=score.evolution(group.expectation.p if group.expectation else None),
            spread=score.spread([self._far(c) for c in group.today if not c.inside]),
            attitude=score.wilson_lower(tone.negative + internal, tone.texts + internal),
            corroboration=score.corroboration(len(voices(outside)), len(voices(inside))),
        )

    def _sensitivity(
        self, group: Group, episode: Sequence[Complaint], lines: Sequence[RedLineClass]
    ) -> float:
        """Red-line class × confidence of its surest text; else the topic's own sensitivity × severity (2
        is full).
        """
        if lines:
            sure = max(c.heard.confidence for c in episode if c.red_lines)
            return min(1.0, max(line.sensitivity for line in lines) * max(0.5, sure))
        severity = [c.heard.severity for c in episode]
        own = self._groups.get(group.topic.split("/", 1)[0], 0.3)
        return min(1.0, own * min(1.0, max(severity, default=0) / 2))

    def _far(self, complaint: Complaint) -> tuple[float, float]:
        """(tier of the source, reach of the text)."""
        heard = complaint.heard
        source = self._settings.sources.get(heard.channel)
        far = score.reach(heard.likes, heard.replies, heard.shares, heard.views)
        if heard.voice == "media":
            far = max(far, score.MEDIA_REACH)
        return (source.tier if source else 0.5, far)

    def _level(
        self,
        total: float,
        lines: Sequence[RedLineClass],
        episode: Sequence[Complaint],
        group: Group,
        watch: bool,
    ) -> Level | None:
        """Turn the score into a level. A red line is at least orange, whatever its volume; a first-class one is red
        at enough independent voices or in verified press.

        Only what the baseline calls everyday softens that, to yellow: one more voice of an incident that goes on,
        or of a second-class red line.
        """
        level = score.level_of(total, self._settings.app.risk)
        if watch and level:
            return Level.BLUE
        if not lines:
            return level
        first_class = any(line.first_class for line in lines)
        everyday = group.p >= EVERYDAY_P and group.expectation and group.expectation.before >= EVERYDAY_VOICES
        if everyday and (group.known or not first_class):
            return _at_least(level, Level.YELLOW)
        recent = [c for c in episode if c.red_lines and (self._day - c.day).days <= GAP_DAYS]
        heard = len(voices(recent))
        if first_class and (heard >= self._settings.app.risk.red_line_authors or self._media(episode)):
            return Level.RED
        return _at_least(level, Level.ORANGE)

    def _media(self, episode: Sequence[Complaint]) -> bool:
        names = {name for name, source in self._settings.sources.items() if source.media}
        return any(c.heard.channel in names for c in episode if c.red_lines and not c.inside)

    def _title(self, group: Group, episode: Sequence[Complaint]) -> str:
        name = self._display.get(group.product or "", group.product) or self._settings.app.brand.name
        outside = [c for c in episode if not c.inside]
        names = [name, self._settings.app.brand.name]
        return title(name, group.topic, [*outside, *(c for c in episode if c.inside)], names)

    def _shop_name(self, shop: str | None, sku: str | None) -> str | None:
        """The shop that most texts name; where none does, the first that sells the product, as for the
        owner.
        """
        shops = self._settings.app.shops
        if shop is None:
            return next((s.name for s in shops if sku and sku in s.skus), None)
        return next((s.name for s in shops if shop in (s.id, s.name)), shop)

    def _why(
        self, group: Group, episode: Sequence[Complaint], lines: Sequence[RedLineClass], watch_only: bool
    ) -> list[Say]:
        heard = len(voices(group.today))
        why = [
            say(
                "why.red_line",
                name=line.name,
                authors=len(voices([c for c in episode if line in c.red_lines])),
            )
            for line in lines
        ]
        if self._media(episode):
            why.append(say("why.media"))
        if group.expectation:
            why.append(say("why.voices", seen=heard, expected=group.expectation.mean, p=group.expectation.p))
        else:
            why.append(say("why.cold", seen=heard, days=WARM_UP_DAYS))
        why.append(_inside_out(episode))
        why += self._copied(episode)
        hottest = max(
            (c.heard for c in episode if not c.inside),
            key=lambda h: score.reach(h.likes, h.replies, h.shares, h.views),
            default=None,
        )
        if hottest and score.reach(hottest.likes, hottest.replies, hottest.shares, 0) >= 0.6:
            why.append(say("why.spread", likes=hottest.likes, shares=hottest.shares, replies=hottest.replies))
        if group.recurs_of:
            why.append(say("why.recurs", date=short_date(group.recurs_of.last_day)))
        if group.late:
            why.append(say("why.late", texts=len(group.late)))
        if watch_only:
            why.append(say("why.watch"))
        return why

    def _copied(self, episode: Sequence[Complaint]) -> list[Say]:
        burst = arranged(episode)
        if burst:
            return [say("why.copies", texts=burst.texts, accounts=burst.accounts, hours=burst.hours)]
        copies = sum(c.voice is None for c in episode)
        return [say("why.reposts", copies=copies)] if copies else []


def arranged(episode: Sequence[Complaint]) -> Coordination | None:
    """Return why an incident's copies, or the posts of its busiest accounts, look arranged; None if they don't."""
    origins = {c.origin for c in episode if c.voice is None}
    burst = [
        c.heard
        for c in episode
        if not c.inside and (c.voice is None or c.origin in origins or c.voice.startswith(ARRANGED))
    ]
    return coordination(burst)


def lead_days(episode: Sequence[Complaint]) -> int | None:
    """Days by which customer service heard it before the public did; see `lead`."""
    return lead([c.day for c in episode if c.inside], [c.day for c in episode if not c.inside])


def lead(inside: Sequence[dt.date], outside: Sequence[dt.date]) -> int | None:
    """Return the days from the first day with two sessions (the first session, where no day has two) to the
    first public text; negative when the public was first, None when one side is silent.

    One stray session of the same kind days before is everyday, not a first sign.
    """
    if not inside or not outside:
        return None
    count = Counter(inside)
    began = min((day for day, sessions in count.items() if sessions >= 2), default=min(inside))
    return (min(outside) - began).days


def state_of(group: Group, level: Level, total: float) -> IncidentState:
    """Compare with the incident's last listed day."""
    known: Known | None = group.known
    if known is None:
        return IncidentState.RECURRED if group.recurs_of else IncidentState.NEW
    if level.rank < Level(known.level).rank:
        return IncidentState.ESCALATED
    if level.rank > Level(known.level).rank or total <= known.score - FALL_POINTS:
        return IncidentState.FALLING
    return IncidentState.ONGOING


def incident_id(day: dt.date, product: str | None, topic: str) -> str:
    """Return the stable id of an incident that began on `day`."""
    digest = hashlib.sha256(f"{day.isoformat()}|{product or ''}|{topic}".encode()).hexdigest()
    return f"INC-{day:%Y%m%d}-{digest[:6]}"


def _red_lines(topic: str, episode: Sequence[Complaint]) -> list[RedLineClass]:
    found = {line.name: line for c in episode for line in c.red_lines if topic_of(line) == topic}
    return sorted(found.values(), key=lambda line: (-line.sensitivity, line.name))


def _inside_out(episode: Sequence[Complaint]) -> Say:
    sessions = len({c.heard.native_id for c in episode if c.inside})
    lead = lead_days(episode)
    if lead is not None and lead > 0:
        return say("why.inside_first", sessions=sessions, days=lead)
    if lead is not None:
        return say("why.inside", sessions=sessions)
    return say("why.inside_only", sessions=sessions) if sessions else say("why.outside_only")


def _at_least(level: Level | None, floor: Level) -> Level:
    return floor if level is None else min(level, floor, key=lambda found: found.rank)


def _most_common(values: Sequence[str]) -> str | None:
    return min(Counter(values).items(), key=lambda item: (-item[1], item[0]))[0] if values else None
