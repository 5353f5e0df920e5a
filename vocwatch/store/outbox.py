"""The outbox: what is to be sent, claimed with a lease, sent, marked. One row for each message and recipient.

A sender claims a row, says that it begins to hand the message over (`begin_wire`), hands it over, and settles the row.
Each claim raises the row's token; whoever comes back with an older one has lost the row and may not hand over any
more. So a sender that dies leaves either a row that was certainly not sent, or one that is marked as possibly sent.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import SMTP
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.lang import tr
from vocwatch.store.delivery_schema import outbox
from vocwatch.store.engine import insert_into

LEASE = dt.timedelta(minutes=10)
PRIORITY = {"alert": 0, "notice": 1, "digest": 2}
OPEN = ("waiting", "retry")
MAX_UNKNOWN = 2  # copies of one message that may arrive; an alert is worth more
REVIVED_FOR = dt.timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Message:
    """A message as composed, for one recipient. `body` and `dated_at` never change afterwards."""

    kind: str
    key: str
    channel: str
    recipient: str
    message_id: str
    subject: str
    body: bytes
    dated_at: dt.datetime
    expires_at: dt.datetime
    fallback: bool = False


@dataclass(frozen=True, slots=True)
class Parcel:
    """A claimed row. `token` proves the claim; `unknown` counts the tries whose end nobody knows."""

    id: int
    token: int
    kind: str
    key: str
    channel: str
    recipient: str
    message_id: str
    subject: str
    body: bytes
    dated_at: dt.datetime
    expires_at: dt.datetime
    attempts: int
    unknown: int
    possibly_twice: bool
    fallback: bool
    fault: str | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a try ended: `state` sent, retry, dead or paused; `error` in words, without secrets."""

    state: str
    fault: str | None = None
    error: str | None = None
    next_try_at: dt.datetime | None = None
    unknown: bool = False
    fallback: bool = False


def enqueue(connection: Connection, messages: Iterable[Message], now: dt.datetime) -> list[Message]:
    """Put messages into the outbox; returns those that were not there yet.

    A row whose message was withdrawn (its body is gone) gets the new one; any other row stays as it is.
    """
    added = []
    for message in messages:
        fresh = {
            "kind": message.kind, "key": message.key, "channel": message.channel, "recipient": message.recipient,
            "message_id": message.message_id, "subject": message.subject, "body": message.body,
            "dated_at": message.dated_at, "expires_at": message.expires_at, "state": "waiting",
            "priority": PRIORITY[message.kind], "attempts": 0, "unknown": 0, "next_try_at": now, "lease_until": None,
            "token": 0, "on_wire": False, "possibly_twice": False, "fault": None, "error": None,
            "fallback": message.fallback, "created_at": now, "sent_at": None, "updated_at": now,
        }
        statement = insert_into(connection, outbox).values(**fresh).on_conflict_do_nothing(
            index_elements=["kind", "key", "channel", "recipient"]
        ).returning(outbox.c.id)
        if connection.execute(statement).first() or _put_back(connection, message, fresh):
            added.append(message)
    return added


def _put_back(connection: Connection, message: Message, fresh: dict[str, Any]) -> bool:
    o = outbox.c
    kept = ("kind", "key", "channel", "recipient", "token")
    values = {name: value for name, value in fresh.items() if name not in kept}
    where = _is(message.kind, message.key, message.channel, message.recipient)
    withdrawn = sa.and_(where, o.state == "dead", o.fault == "withdrawn")
    return bool(connection.execute(outbox.update().where(withdrawn).values(**values)).rowcount)


def _is(kind: str, key: str, channel: str, recipient: str) -> sa.ColumnElement[bool]:
    o = outbox.c
    return sa.and_(o.kind == kind, o.key == key, o.channel == channel, o.recipient == recipient)


def tidy(connection: Connection, now: dt.datetime) -> list[dict[str, Any]]:
    """Take claims back from senders that died, and give up what is too late; returns the rows given up."""
    o = outbox.c
    left = sa.and_(o.state == "claimed", o.lease_until <= now)
    back = {"state": "retry", "next_try_at": now, "lease_until": None, "updated_at": now}
    connection.execute(outbox.update().where(left, ~o.on_wire).values(**back))
    connection.execute(outbox.update().where(left, o.on_wire).values(
        **back, on_wire=False, possibly_twice=True, unknown=o.unknown + 1, attempts=o.attempts + 1, fault="unknown",
        error=tr("发送进程中断，对方可能已经收到", "the sender died; it may have arrived"),
    ))
    dead = _given_up(connection, sa.and_(o.unknown >= MAX_UNKNOWN, o.kind != "alert"), "unknown",
                     tr("两次都没等到对方的答复，可能已送达，不再重发", "no answer twice: it may have arrived, and is not sent again"), now)
    return dead + _given_up(connection, o.expires_at <= now, "expired", tr("过了送达期限仍未发出", "not sent in its time"), now)


def _given_up(
    connection: Connection, where: sa.ColumnElement[bool], fault: str, error: str, now: dt.datetime
) -> list[dict[str, Any]]:
    o = outbox.c
    lost = sa.and_(o.state.in_(OPEN), where)
    rows = _rows(connection, sa.select(*_SHOWN).where(lost).with_for_update(skip_locked=True))
    ids = [row["id"] for row in rows]
    words = sa.literal(error) + sa.func.coalesce(sa.literal(tr("。最后一次：", "; the last time: ")) + o.error, "")
    connection.execute(outbox.update().where(o.id.in_(ids)).values(state="dead", fault=fault, error=words, updated_at=now))
    return rows


def claim(
    connection: Connection, now: dt.datetime, *, channel: str | None = None, limit: int = 1
) -> list[Parcel]:
    """Claim what is due: alerts first, then the longest waiting."""
    o = outbox.c
    query = sa.select(outbox).where(o.state.in_(OPEN), o.next_try_at <= now, o.expires_at > now)
    if channel is not None:
        query = query.where(o.channel == channel)
    query = query.order_by(o.priority, o.next_try_at, o.id).limit(limit).with_for_update(skip_locked=True)
    rows = connection.execute(query).all()
    for row in rows:
        connection.execute(outbox.update().where(o.id == row.id).values(
            state="claimed", token=row.token + 1, lease_until=now + LEASE, on_wire=False, updated_at=now
        ))
    names = [name for name in Parcel.__slots__ if name != "token"]
    return [Parcel(token=row.token + 1, **{name: getattr(row, name) for name in names}) for row in rows]


def begin_wire(connection: Connection, parcels: Sequence[Parcel], now: dt.datetime) -> bool:
    """Say that these are being handed over now. False where the claim was lost: then nothing may be sent."""
    for parcel in parcels:
        held = outbox.update().where(_held(parcel)).values(on_wire=True, lease_until=now + LEASE, updated_at=now)
        if not connection.execute(held).rowcount:
            return False
    return True


def release(connection: Connection, parcels: Sequence[Parcel], next_try_at: dt.datetime, now: dt.datetime) -> None:
    """Give claims back without having tried: the limit of the channel is used up until `next_try_at`."""
    for parcel in parcels:
        connection.execute(outbox.update().where(_held(parcel)).values(
            state="retry" if parcel.attempts else "waiting", next_try_at=next_try_at, lease_until=None, on_wire=False,
            updated_at=now,
        ))


def settle(connection: Connection, parcel: Parcel, outcome: Outcome, now: dt.datetime) -> bool:
    """Write down how a try ended; what was sent keeps no body. False where the claim was lost meanwhile.

    Then the row belongs to another sender; if this one has sent the message all the same, the row says so.
    """
    o = outbox.c
    sent = outcome.state == "sent"
    values: dict[str, Any] = {
        "state": outcome.state, "attempts": o.attempts + 1, "lease_until": None, "on_wire": False, "fault": outcome.fault,
        "error": outcome.error, "updated_at": now, "fallback": parcel.fallback or outcome.fallback,
        "next_try_at": outcome.next_try_at or now,
    }
    if sent:
        values |= {"sent_at": now, "body": b""}
    if outcome.unknown:
        values |= {"unknown": o.unknown + 1, "possibly_twice": True}
    if connection.execute(outbox.update().where(_held(parcel)).values(**values)).rowcount:
        return True
    if sent:
        connection.execute(outbox.update().where(o.id == parcel.id).values(possibly_twice=True, updated_at=now))
    return False


def _held(parcel: Parcel) -> sa.ColumnElement[bool]:
    o = outbox.c
    return sa.and_(o.id == parcel.id, o.token == parcel.token, o.state == "claimed")


def replace_older(connection: Connection, incident: str, key: str, now: dt.datetime) -> int:
    """Give up what earlier rounds of an incident's alert still wait to say: `key` says it better."""
    o = outbox.c
    older = sa.and_(
        o.kind == "alert", o.key.startswith(f"{incident}/", autoescape=True), o.key != key, o.state.in_(OPEN)
    )
    values = {"state": "dead", "fault": "replaced", "error": tr("已被同一事件更新的预警取代", "a newer alert of the same incident takes its place"), "updated_at": now}
    return connection.execute(outbox.update().where(older).values(**values)).rowcount


def hurry(connection: Connection, kind: str, key: str, now: dt.datetime) -> None:
    """Make the waiting rows of a message due now: somebody asks for it by hand."""
    o = outbox.c
    connection.execute(outbox.update().where(o.kind == kind, o.key == key, o.state.in_(OPEN)).values(next_try_at=now))


def revive(connection: Connection, now: dt.datetime, ids: Sequence[int] = ()) -> list[dict[str, Any]]:
    """Try again now: these rows, or all that wait or were given up. What was replaced or withdrawn stays so."""
    o = outbox.c
    again = sa.and_(
        o.state.in_((*OPEN, "dead", "paused")), sa.func.length(o.body) > 0,
        sa.or_(o.fault.is_(None), o.fault.not_in(("replaced", "withdrawn"))),
    )
    if ids:
        again = sa.and_(again, o.id.in_(list(ids)))
    rows = _rows(connection, sa.select(*_SHOWN).where(again))
    for row in rows:
        until = max(row["expires_at"], now + REVIVED_FOR)
        connection.execute(outbox.update().where(o.id == row["id"]).values(
            state="retry", next_try_at=now, expires_at=until, unknown=0, updated_at=now
        ))
    return rows


def unsent_texts(connection: Connection) -> Iterator[tuple[int, str]]:
    """Yield the number and the text of every message that is not sent."""
    o = outbox.c
    query = sa.select(o.id, o.channel, o.body).where(o.state != "sent", sa.func.length(o.body) > 0)
    for row in connection.execute(query):
        yield row.id, plain(row.channel, bytes(row.body))


def plain(channel: str, body: bytes) -> str:
    """Return the text of a message as composed for a channel."""
    if channel != "smtp":
        return body.decode("utf-8", "replace")
    part = message_from_bytes(body, policy=SMTP).get_body(("plain",))
    return part.get_content().rstrip("\n") if part else ""


def withdraw(connection: Connection, ids: Sequence[int], now: dt.datetime) -> int:
    """Take the texts out of messages that are not sent: somebody's words in them have to be deleted."""
    o = outbox.c
    unsent = sa.and_(o.id.in_(list(ids)), o.state != "sent")
    return connection.execute(outbox.update().where(unsent).values(
        state="dead", fault="withdrawn", body=b"", updated_at=now,
        error=tr("按删除要求撤回；重发日报：vocwatch digest --send", "withdrawn for a deletion; again: vocwatch digest --send"),
    )).rowcount


def forget_old(connection: Connection, *, texts_before: dt.datetime, rows_before: dt.datetime) -> int:
    """Empty what was given up before the first moment, delete rows before the second; returns how many."""
    o = outbox.c
    given_up = sa.and_(o.state.in_(("dead", "paused")), o.updated_at < texts_before, sa.func.length(o.body) > 0)
    emptied = connection.execute(outbox.update().where(given_up).values(body=b"")).rowcount
    return emptied + connection.execute(outbox.delete().where(o.updated_at < rows_before)).rowcount


_SHOWN = [column for column in outbox.c if column.name not in ("body", "priority", "lease_until", "token", "on_wire")]


def listed(
    connection: Connection, *, kind: str | None = None, key: str | None = None, states: Sequence[str] = (),
    since: dt.datetime | None = None, limit: int = 200,
) -> list[dict[str, Any]]:
    """Return outbox rows without their bodies, newest first."""
    o = outbox.c
    query = sa.select(*_SHOWN)
    for column, value in ((o.kind, kind), (o.key, key)):
        if value is not None:
            query = query.where(column == value)
    if states:
        query = query.where(o.state.in_(list(states)))
    if since:
        query = query.where(o.updated_at >= since)
    return _rows(connection, query.order_by(o.created_at.desc(), o.id.desc()).limit(limit))


def waiting_since(connection: Connection, faults: Sequence[str] = ()) -> tuple[int, dt.datetime | None]:
    """Return how many messages wait to be sent, and since when the oldest does; of those that failed so, if given."""
    o = outbox.c
    query = sa.select(sa.func.count(), sa.func.min(o.created_at)).where(o.state.in_((*OPEN, "claimed")))
    if faults:
        query = query.where(o.fault.in_(list(faults)))
    count, oldest = connection.execute(query).one()
    return int(count), oldest


def counts(connection: Connection, since: dt.datetime) -> dict[str, int]:
    """Return how many messages that were touched since then are in which state."""
    query = sa.select(outbox.c.state, sa.func.count()).where(outbox.c.updated_at >= since).group_by(outbox.c.state)
    return {state: int(number) for state, number in connection.execute(query.order_by(outbox.c.state))}


def _rows(connection: Connection, query: sa.Select[Any]) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in connection.execute(query)]
