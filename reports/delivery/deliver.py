"""Sending what is due: claim with a lease, say that it is handed over, hand it over, mark."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

from reports.delivery.chat import Chat, pieces
from reports.delivery.compose import to_targets, with_notes
from reports.delivery.dkim import signed
from reports.delivery.faults import FINAL, PEOPLE, WHOLE_CHANNEL, Failure, LostClaim, backoff
from reports.delivery.notices import add_notice
from reports.delivery.smtp import Post
from reports.delivery.words import advice, late_words, twice_words
from vocwatch.clock import business_date, day_window
from vocwatch.lang import tr
from vocwatch.settings import Settings
from vocwatch.settings.delivery import MAIL
from vocwatch.store import Connection, Store, buckets, outbox
from vocwatch.store.buckets import Limit
from vocwatch.store.outbox import MAX_UNKNOWN, Message, Outcome, Parcel

TOGETHER = 50  # texts for one chat that may be packed into messages together
PATIENCE = dt.timedelta(minutes=2)  # an alert that the channel's limit holds up longer goes elsewhere as well


@dataclass(frozen=True)
class Tried:
    """One try and how it ended: `state` sent, retry (it will be tried again) or dead."""

    kind: str
    key: str
    channel: str
    recipient: str
    state: str
    fault: str | None = None
    error: str | None = None
    possibly_twice: bool = False


@dataclass
class DeliveryReport:
    """What was tried in one call, in order; `held` messages wait for the limit of their channel."""

    tried: list[Tried] = field(default_factory=list)
    held: int = 0

    def of(self, state: str, kind: str | None = None) -> list[Tried]:
        """Return the tries that ended so."""
        return [one for one in self.tried if one.state == state and kind in (None, one.kind)]


def deliver(settings: Settings, store: Store, *, now: dt.datetime, limit: int | None = None) -> DeliveryReport:
    """Send everything in the outbox that is due at `now` (at most `limit` messages). May run in many processes.

    No failure of a server or of an address raises; each message says in the outbox what became of it. Raises
    StorageError.
    """
    with closing(_Round(settings, store, now)) as work:
        return work.run(limit)


class _Round:
    """One call: its connections, the channels found down or full, and what was done."""

    def __init__(self, settings: Settings, store: Store, now: dt.datetime):
        self._settings, self._store = settings, store
        self._now, self._began = now, time.monotonic()
        self._post = Post(settings.env.smtp)
        self._chats = {channel.name: Chat(settings, channel) for channel in settings.app.channels}
        self._down: dict[str, Failure] = {}
        self._full: dict[str, dt.datetime] = {}
        self._report = DeliveryReport()

    def close(self) -> None:
        """Let go of the connections."""
        self._post.hang_up()

    def run(self, limit: int | None) -> DeliveryReport:
        """Work until nothing is due."""
        with self._store.begin(durable=True) as connection:
            for row in outbox.tidy(connection, self._moment()):
                self._given_up(connection, row)
        while limit is None or len(self._report.tried) < limit:
            with self._store.begin(durable=True) as connection:
                parcels = outbox.claim(connection, self._moment())
                if not parcels:
                    break
                channel = parcels[0].channel
                if channel != MAIL:
                    parcels += outbox.claim(connection, self._moment(), channel=channel, limit=TOGETHER - 1)
            self._send(channel, parcels)
        return self._report

    def _moment(self) -> dt.datetime:
        """The present: `now`, and what has passed since by the clock that nobody sets."""
        return self._now + dt.timedelta(seconds=time.monotonic() - self._began)

    def _send(self, channel: str, parcels: list[Parcel]) -> None:
        for texts, group in self._units(channel, parcels):
            if channel in self._down:
                self._failed(group, self._down[channel])
            elif self._full.get(channel, self._now) > self._moment():
                self._hold(group, self._full[channel])
            else:
                self._try(channel, texts, group)

    def _units(self, channel: str, parcels: list[Parcel]) -> Iterator[tuple[list[str], list[Parcel]]]:
        """What is handed over in one go: a mail; one chat message with several texts, or several with one."""
        chat = self._chats.get(channel)
        if chat is None:
            yield from (([], [parcel]) for parcel in parcels)
            return
        texts = [self._chat_text(parcel) for parcel in parcels]
        for places, parts in groupby(pieces(texts, chat.max_bytes), key=lambda piece: piece[1]):
            yield [text for text, _ in parts], [parcels[place] for place in places]

    def _try(self, channel: str, texts: list[str], group: list[Parcel]) -> None:
        part = 0
        try:
            chat = self._usable(channel)
            name, limit = (chat.bucket, chat.limit) if chat else (MAIL, self._mail_limit())
            until = self._take(name, limit, max(1, len(texts)))
            if until is not None:
                self._full[channel] = until
                self._hold(group, until)
                return
            if chat is None:
                self._post.send(group[0].recipient, self._raw(group[0]), lambda: self._begin(group))
            elif self._begin(group):
                for text in texts:
                    chat.send(text)
                    part += 1
            else:
                return
        except LostClaim:
            return
        except Failure as failure:
            if failure.fault in WHOLE_CHANNEL:
                self._down[channel] = failure
            failure.unknown = failure.unknown or part > 0
            self._failed(group, failure)
        else:
            self._sent(group)

    def _usable(self, channel: str) -> Chat | None:
        """The chat, or None for mail. Raises Failure."""
        if channel == MAIL:
            return None
        if channel not in self._chats:
            raise Failure("config", tr(f"config/vocwatch.yaml 的 channels 里没有 {channel}", f"config/vocwatch.yaml has no channel {channel}"))
        self._chats[channel].check()
        return self._chats[channel]

    def _mail_limit(self) -> Limit:
        return Limit(self._settings.app.mail.per_minute, self._settings.app.mail.per_day)

    def _take(self, name: str, limit: Limit, count: int) -> dt.datetime | None:
        now, zone = self._moment(), self._settings.app.zone
        day = business_date(now, zone)
        with self._store.begin() as connection:
            return buckets.take(
                connection, name, limit, count, now=now, day=day, tomorrow=day_window(day, zone)[1]
            )

    def _begin(self, group: Sequence[Parcel]) -> bool:
        with self._store.begin(durable=True) as connection:
            return outbox.begin_wire(connection, group, self._moment())

    def _raw(self, parcel: Parcel) -> bytes:
        marks, notes = self._marks(parcel)
        return signed(with_notes(parcel.body, marks, notes), self._settings.env.smtp)

    def _chat_text(self, parcel: Parcel) -> str:
        marks, notes = self._marks(parcel)
        head = "".join(f"（{mark}）" for mark in marks)
        return head + "\n".join((outbox.plain(parcel.channel, parcel.body), *notes))

    def _marks(self, parcel: Parcel) -> tuple[list[str], list[str]]:
        marks, notes = [], []
        if parcel.possibly_twice:
            marks.append(tr("可能重复", "possibly sent twice"))
            notes.append(twice_words())
        late = late_words(parcel, self._moment(), self._settings.app.zone)
        if late:
            marks.append(tr("晚到", "late"))
            notes.append(late)
        return marks, notes

    def _sent(self, group: Sequence[Parcel]) -> None:
        with self._store.begin(durable=True) as connection:
            for parcel in group:
                outbox.settle(connection, parcel, Outcome("sent"), self._moment())
        self._report.tried += [_tried(parcel, "sent") for parcel in group]

    def _failed(self, group: Sequence[Parcel], failure: Failure) -> None:
        with self._store.begin(durable=True) as connection:
            now = self._moment()
            if failure.wait:
                chat = self._chats.get(group[0].channel)
                buckets.block(connection, chat.bucket if chat else MAIL, now + dt.timedelta(seconds=failure.wait))
            for parcel in group:
                outcome = self._outcome(connection, parcel, failure, now)
                outbox.settle(connection, parcel, outcome, now)
                lasting = failure.fault in PEOPLE and (outcome.state == "dead" or not failure.unknown)
                if lasting and parcel.kind != "notice":
                    self._tell(connection, parcel.channel, parcel.recipient, failure.fault, failure.words, parcel.subject)
                self._report.tried.append(
                    replace(_tried(parcel, outcome.state), fault=outcome.fault, error=outcome.error)
                )

    def _outcome(self, connection: Connection, parcel: Parcel, failure: Failure, now: dt.datetime) -> Outcome:
        fallback = self._ask_second(connection, parcel, now)
        exhausted = failure.unknown and parcel.unknown + 1 >= MAX_UNKNOWN and parcel.kind != "alert"
        if failure.fault in FINAL or exhausted:
            return Outcome("dead", failure.fault, failure.words, unknown=failure.unknown, fallback=fallback)
        wait = max(backoff(parcel.message_id, parcel.attempts + 1), dt.timedelta(seconds=failure.wait))
        return Outcome("retry", failure.fault, failure.words, now + wait, failure.unknown, fallback)

    def _ask_second(self, connection: Connection, parcel: Parcel, now: dt.datetime) -> bool:
        """Put a red-line alert that did not go out at once onto the second channel, once."""
        if parcel.kind != "alert" or parcel.fallback:
            return False
        outbox.enqueue(connection, self._second(parcel, now), now)
        return True

    def _second(self, parcel: Parcel, now: dt.datetime) -> list[Message]:
        targets = [
            target for target in self._settings.app.alerts.second if target not in (parcel.channel, parcel.recipient)
        ]
        return to_targets(
            self._settings, targets, kind="alert", key=parcel.key, which="alert", subject=parcel.subject,
            text=outbox.plain(parcel.channel, parcel.body), now=now, fallback=True,
            hours=max(0.1, (parcel.expires_at - now).total_seconds() / 3600),
        )

    def _hold(self, group: Sequence[Parcel], until: dt.datetime) -> None:
        with self._store.begin(durable=True) as connection:
            now = self._moment()
            if until - now > PATIENCE:
                for parcel in group:
                    if parcel.kind == "alert" and not parcel.fallback:
                        outbox.enqueue(connection, self._second(parcel, now), now)
            outbox.release(connection, group, until, now)
        self._report.held += len(group)

    def _given_up(self, connection: Connection, row: dict[str, Any]) -> None:
        if row["kind"] != "notice":
            fault = "unknown" if row["possibly_twice"] else "expired"
            self._tell(connection, row["channel"], row["recipient"], fault, row["error"] or "", row["subject"])

    def _tell(self, connection: Connection, channel: str, recipient: str, fault: str, words: str, subject: str) -> None:
        now = self._moment()
        day = business_date(now, self._settings.app.zone)
        one = fault not in WHOLE_CHANNEL
        title, text = advice(fault, channel, recipient if one else "", words, subject)
        add_notice(
            self._settings, connection, f"{fault}/{channel}/{recipient if one else ''}/{day}", title, text, now=now,
            without=(recipient,) if one else (channel,),
        )


def _tried(parcel: Parcel, state: str) -> Tried:
    return Tried(
        parcel.kind, parcel.key, parcel.channel, parcel.recipient, state, possibly_twice=parcel.possibly_twice
    )
