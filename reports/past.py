"""What a day's judgement knows of the days before it: their incidents, as stored or as replayed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Protocol

from reports.incidents import RECUR_DAYS
from reports.judgement import Finding
from vocwatch.store import Connection, incidents
from vocwatch.store.incidents import Known, Member

Listed = tuple[str | None, str, dt.date]


class Past(Protocol):
    """The incidents of earlier days."""

    def known(self, day: dt.date) -> list[Known]:
        """Return the incidents listed in the 45 days before `day`, as of their last such day."""
        ...

    def members(self, ids: Iterable[str], until: dt.date) -> list[Member]:
        """Return the texts that joined these incidents before `until`."""
        ...

    def taken(self, day: dt.date) -> set[tuple[str, int]]:
        """Return the (text kind, row id) of texts that belong to an incident of the 45 days before `day`; what was
        only to be checked does not.
        """
        ...

    def listed(self, since: dt.date, until: dt.date) -> list[Listed]:
        """Return (product, topic, day) of every incident listed in [since, until)."""
        ...


class StoredPast:
    """As it was written down."""

    def __init__(self, connection: Connection):
        self._connection = connection

    def known(self, day: dt.date) -> list[Known]:
        """See `Past`."""
        return incidents.known_before(self._connection, day, RECUR_DAYS)

    def members(self, ids: Iterable[str], until: dt.date) -> list[Member]:
        """See `Past`."""
        return incidents.members(self._connection, ids, until)

    def taken(self, day: dt.date) -> set[tuple[str, int]]:
        """See `Past`."""
        return incidents.taken_before(self._connection, day, RECUR_DAYS)

    def listed(self, since: dt.date, until: dt.date) -> list[Listed]:
        """See `Past`."""
        return incidents.listed_days(self._connection, since, until)


class ReplayedPast:
    """As it was written down before `start`, and from there on as it is told by `add`. Nothing is stored."""

    def __init__(self, connection: Connection, start: dt.date):
        self._stored = StoredPast(connection)
        self._start = start
        self._known: dict[str, list[Known]] = {}
        self._members: list[Member] = []
        self._unconfirmed: set[tuple[str, dt.date]] = set()

    def add(self, day: dt.date, findings: Sequence[Finding]) -> None:
        """Remember what was found on a day."""
        for f in findings:
            known = Known(f.id, f.product, f.topic, f.first_day, day, f.level.value, f.score, f.recurs_of, f.watched)
            self._known.setdefault(f.id, []).append(known)
            if f.watched:
                self._unconfirmed.add((f.id, day))
            self._members += [
                Member(f.id, c.heard.text_kind.value, c.heard.ref_id, day, c.origin) for c in f.members
            ]

    def known(self, day: dt.date) -> list[Known]:
        """See `Past`."""
        oldest = day - dt.timedelta(days=RECUR_DAYS)
        found = {k.id: k for k in self._stored.known(self._start) if k.last_day >= oldest}
        for states in self._known.values():
            recent = [k for k in states if oldest <= k.last_day < day]
            if recent:
                found[recent[-1].id] = recent[-1]
        return list(found.values())

    def members(self, ids: Iterable[str], until: dt.date) -> list[Member]:
        """See `Past`."""
        wanted = set(ids)
        own = [m for m in self._members if m.incident in wanted and m.day < until]
        return [*self._stored.members(wanted, self._start), *own]

    def taken(self, day: dt.date) -> set[tuple[str, int]]:
        """See `Past`."""
        oldest = day - dt.timedelta(days=RECUR_DAYS)
        return self._stored.taken(self._start) | {
            (m.text_kind, m.ref_id) for m in self._members
            if oldest <= m.day < day and (m.incident, m.day) not in self._unconfirmed
        }

    def listed(self, since: dt.date, until: dt.date) -> list[Listed]:
        """See `Past`."""
        own = [
            (k.product, k.topic, k.last_day)
            for states in self._known.values()
            for k in states
            if since <= k.last_day < until and not k.watched
        ]
        return [*self._stored.listed(since, min(until, self._start)), *own]
