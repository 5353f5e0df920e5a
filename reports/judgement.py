"""What is said of an incident on one day: parts, level, state, reasons, lead, owner."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from reports import score
from reports.baseline import WARM_UP_DAYS
from reports.complaint import Complaint, concerns
from reports.incidents import Group, voices
from reports.levels import LevelsOf, arranged
from reports.parts import Behind, PartsOf, Tone, as_parts
from reports.say import Say, say, short_date, weekday
from reports.score import Parts
from reports.titles import title
from vocwatch.models import IncidentState, Level
from vocwatch.settings import Settings
from vocwatch.settings.topics import RedLineClass
from vocwatch.store.incidents import Known

WATCH_Q = 0.1
SOLID_VOICES = 8
SOLID_P = 2e-4  # of some 700 cells that are tested a day, chance gives one of these in a week
FALL_POINTS = 10.0


@dataclass(frozen=True)
class Finding:
    """One incident on one day, ready to be stored. `members` joined today; `behind` are the parts with their rows,
    `rule` what decided the level, `history` the voices of the baseline as (channel, date, number). `watched` is below
    an incident: a red line of one voice, to be checked, or a rise that may be chance.
    """

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
    behind: tuple[Behind, ...]
    rule: Say
    history: tuple[tuple[str, dt.date, int], ...]
    watched: bool = False


class Judge:
    """Judges the groups of one business date; `read` is which part of what is usually heard outside was read."""

    def __init__(
        self,
        settings: Settings,
        day: dt.date,
        tones: Mapping[str | None, Tone],
        display: Mapping[str, str],
        read: float = 1.0,
    ):
        self._settings = settings
        self._day = day
        self._parts = PartsOf(settings, day, tones)
        self._levels = LevelsOf(settings, day, read)
        self._display = display

    def judge(
        self,
        group: Group,
        before: Sequence[Complaint],
        q: float | None,
        history: Sequence[tuple[str, dt.date, int]] = (),
    ) -> Finding | None:
        """Return the day's finding; None when its score stays below blue.

        `before` are the incident's members of earlier days; `q` the p-value after correction for the day's
        other tests (None without a baseline); `history` the counts behind the group's baseline.
        """
        earlier = {c.key for c in before}
        joined = [c for c in (*group.today, *group.late, *group.related, *group.eve) if c.key not in earlier]
        episode = [*before, *joined]
        lines = _red_lines(group.topic, episode)
        behind = self._parts.behind(group, episode, lines)
        parts = as_parts(behind)
        total = score.total(parts, self._settings.app.risk)
        watch_only = not lines and (group.known is None or group.known.watched) and _may_be_chance(group, q)
        level, rule = self._levels.level(parts, lines, episode, group, watch_only)
        if level is None:
            return None
        lead = lead_days(episode)
        first_day = group.known.first_day if group.known else self._day
        own = [c for c in group.today if c.day == self._day]  # a red line that was read late is of the day it was written
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
            voices=len(voices(own)),
            mentions=sum(not c.inside for c in own),
            sessions=sum(c.inside for c in own),
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
            behind=behind,
            rule=rule,
            history=tuple(history),
            watched=group.isolated or watch_only,
        )

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
        if self._levels.media(episode):
            why.append(say("why.media"))
        found = group.expectation
        if group.isolated:
            why.append(say("why.isolated", authors=heard))
        elif found:
            code = "why.two_days" if found.window > 1 else "why.voices" if heard == found.seen else "why.voices_of"
            more = {"heard": heard} if code == "why.voices_of" else {}
            why.append(say(code, seen=found.seen, expected=found.mean, p=found.p, **more))
        else:
            why.append(say("why.cold", seen=heard, days=WARM_UP_DAYS))
        why.append(self._inside_out(episode))
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
        late = [*group.late, *(c for c in group.today if c.day != self._day)]
        if late:
            why.append(say("why.late", texts=len(late)))
        if watch_only:
            why.append(say("why.watch"))
        return why

    def _inside_out(self, episode: Sequence[Complaint]) -> Say:
        """The lead–lag line: who heard it first, by which path and where, and how many days lie between."""
        sessions = len({c.heard.native_id for c in episode if c.inside})
        days = lead_days(episode)
        if days is None:
            return say("why.inside_only", sessions=sessions) if sessions else say("why.outside_only")
        if days == 0:
            return say("why.inside", sessions=sessions)
        outside = min((c for c in episode if not c.inside), key=lambda c: (c.day, c.heard.order))
        began = outside.day - dt.timedelta(days=days)
        path = _most_common([c.heard.channel for c in episode if c.inside and c.day == began])
        source = self._settings.sources.get(outside.channel)
        return say(
            "why.inside_first" if days > 0 else "why.outside_first", sessions=sessions, days=abs(days), path=path or "",
            inside=short_date(began), inside_day=weekday(began), source=source.title if source else outside.channel,
            outside=short_date(outside.day), outside_day=weekday(outside.day),
        )

    def _copied(self, episode: Sequence[Complaint]) -> list[Say]:
        burst = arranged(episode)
        if burst:
            return [say("why.copies", **asdict(burst))]
        copies = sum(c.voice is None for c in episode)
        return [say("why.reposts", copies=copies)] if copies else []


def _may_be_chance(group: Group, q: float | None) -> bool:
    """Whether a rise is not surprising enough among all that was tested, or is one of a handful of voices."""
    found = group.expectation
    if found is None or q is None:
        return False
    return q >= WATCH_Q or (found.seen < SOLID_VOICES and found.p >= SOLID_P)


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
    found = {line.name: line for c in episode for line in c.red_lines if concerns(line, topic)}
    return sorted(found.values(), key=lambda line: (-line.sensitivity, line.name))


def _most_common(values: Sequence[str]) -> str | None:
    return min(Counter(values).items(), key=lambda item: (-item[1], item[0]))[0] if values else None
