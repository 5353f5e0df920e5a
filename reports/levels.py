"""Which level an incident has on a day: by its score, by how many people speak, by its red lines."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from reports import score
from reports.bursts import Coordination, coordination
from reports.complaint import ARRANGED, Complaint, concerns
from reports.incidents import EVERYDAY_P, GAP_DAYS, Group, voices
from reports.say import Say, say
from reports.score import Parts
from vocwatch.models import Level
from vocwatch.settings import Settings
from vocwatch.settings.topics import RedLineClass

EVERYDAY_VOICES = 2
ARRANGED_TIMES = 5  # copies to a voice
FAR = 0.5  # a text that goes this far is heard by many, whoever else speaks


class LevelsOf:
    """The levels of one business date's groups, each with the rule that decided.

    `read` is which part of what is usually heard outside was read that day: of half the sources, half the people suffice.
    """

    def __init__(self, settings: Settings, day: dt.date, read: float = 1.0):
        self._settings = settings
        self._day = day
        self._read = read

    def level(
        self, parts: Parts, lines: Sequence[RedLineClass], episode: Sequence[Complaint], group: Group, watch: bool
    ) -> tuple[Level | None, Say]:
        """Turn the score into a level (None below blue). A red line has a floor, whatever its volume; see `_red_floor`.

        Only what the baseline calls everyday softens that, to yellow: one more voice of an incident that goes on,
        or of a second-class red line. A level is kept until the score falls clearly below its floor.
        """
        risk = self._settings.app.risk
        if group.isolated:
            return Level.BLUE, say("level.isolated", authors=len(voices(group.today)))
        total = score.total(parts, risk)
        level = score.level_of(total, risk)
        if watch and level:
            return Level.BLUE, say("level.watch")
        level, rule = self._moving(total, level, episode, group)
        if not lines:
            return self._by_people(level, rule, parts, episode, group)
        first_class = any(line.first_class for line in lines)
        everyday = group.p >= EVERYDAY_P and group.expectation and group.expectation.before >= EVERYDAY_VOICES
        if everyday and (group.known or not first_class):
            floor, why = Level.YELLOW, say("level.everyday")
        else:
            floor, why = self._red_floor(group.topic, episode, first_class)
            if not first_class and level in (Level.RED, Level.ORANGE) and _mostly_arranged(group.today):
                return Level.YELLOW, say("level.mostly_arranged", authors=len(voices(group.today)), copies=_copies(group.today))
        return (level, rule) if level and level.rank <= floor.rank else (floor, why)

    def _moving(
        self, total: float, level: Level | None, episode: Sequence[Complaint], group: Group
    ) -> tuple[Level | None, Say]:
        """Let the way an incident moves decide within `hold_points` of a floor: one that grows is over it, one that has
        halved is under it, any other stays where it was.
        """
        risk = self._settings.app.risk
        rule = say("level.score", score=total, floor=score.floor_of(level, risk) if level else risk.levels.blue)
        if group.known is None or group.known.watched:
            return level, rule
        before = Level(group.known.level)
        now = len(voices([c for c in episode if c.day == self._day]))
        eve = len(voices([c for c in episode if c.day == self._day - dt.timedelta(days=1)]))
        if eve and now > eve:
            risen = score.level_of(total + risk.hold_points, risk)
            if risen and (level is None or risen.rank < level.rank):
                return risen, say("level.growing", score=total, floor=score.floor_of(risen, risk), now=now, eve=eve)
        elif 2 * now <= eve:
            fallen = score.level_of(total - risk.hold_points, risk)
            if fallen and level and fallen.rank > level.rank:
                return fallen, say("level.halved", score=total, floor=score.floor_of(level, risk), now=now, eve=eve)
            return level, rule
        if score.held(total, before, risk):
            return before, say("level.held", score=total, floor=score.floor_of(before, risk), hold=risk.hold_points)
        return level, rule

    def _by_people(
        self, level: Level | None, rule: Say, parts: Parts, episode: Sequence[Complaint], group: Group
    ) -> tuple[Level | None, Say]:
        """Leave what a few people a day complain of at blue, however surprising: unless it has come back, or goes far."""
        if level is not Level.YELLOW or group.recurs_of or parts.spread >= FAR:
            return level, rule
        risk = self._settings.app.risk
        outside = self._people([c for c in episode if not c.inside], group)
        inside = self._people([c for c in episode if c.inside], group)
        if outside >= risk.yellow_authors * self._read or inside >= risk.yellow_customers:
            return level, rule
        return Level.BLUE, say(
            "level.few_people", authors=round(outside, 1), customers=round(inside, 1), needed=risk.yellow_authors,
            needed_inside=risk.yellow_customers,
        )

    def _people(self, episode: Sequence[Complaint], group: Group) -> float:
        """How many a day complain: today, and of what goes on since yesterday the mean of both days."""
        days = [self._day - dt.timedelta(days=back) for back in (0, 1)]
        now, eve = (len(voices([c for c in episode if c.day == day])) for day in days)
        going_on = group.known is not None and not group.known.watched and group.known.last_day == days[1]
        return (now + eve) / 2 if going_on else float(now)

    def _red_floor(self, topic: str, episode: Sequence[Complaint], first_class: bool) -> tuple[Level, Say]:
        """The least level of a red line, and why: harm to people is orange by one voice and red by enough of them or in
        verified press; the other classes are orange by enough independent voices of two days, half of them of this
        day, yellow below, as is what looks arranged.
        """
        mine = [c for c in episode if any(concerns(line, topic) for line in c.red_lines)]
        recent = [c for c in mine if (self._day - c.day).days <= (GAP_DAYS if first_class else 1)]
        heard, needed = len(voices(recent)), self._settings.app.risk.red_line_authors
        if first_class:
            if self.media(mine):
                return Level.RED, say("level.media")
            if heard >= needed:
                return Level.RED, say("level.first_class", authors=heard, needed=needed)
            return Level.ORANGE, say("level.red_line", authors=heard)
        if arranged(episode):
            return Level.YELLOW, say("level.arranged")
        still = 2 * len(voices([c for c in recent if c.day == self._day])) >= needed
        if (heard >= needed and still) or self.media(mine):
            return Level.ORANGE, say("level.second_class", authors=heard)
        return Level.YELLOW, say("level.few", authors=heard, needed=needed)

    def media(self, episode: Sequence[Complaint]) -> bool:
        """Say whether verified press tells of a red line."""
        names = {name for name, source in self._settings.sources.items() if source.media}
        return any(c.heard.channel in names for c in episode if c.red_lines and not c.inside)


def _mostly_arranged(today: Sequence[Complaint]) -> bool:
    """Whether nearly all of a day's texts are copies that look arranged: then their number is no measure of trouble."""
    return arranged(today) is not None and _copies(today) >= ARRANGED_TIMES * len(voices(today))


def _copies(complaints: Sequence[Complaint]) -> int:
    return sum(c.voice is None for c in complaints)


def arranged(episode: Sequence[Complaint]) -> Coordination | None:
    """Return why an incident's copies, or the posts of its busiest accounts, look arranged; None if they don't."""
    origins = {c.origin for c in episode if c.voice is None}
    burst = [
        c.heard
        for c in episode
        if not c.inside and (c.voice is None or c.origin in origins or c.voice.startswith(ARRANGED))
    ]
    return coordination(burst)
