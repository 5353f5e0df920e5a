"""The tables of what is sent: the outbox, its limits and pauses, what was said of alarms, and silences."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, Index, Table, UniqueConstraint

from vocwatch.store.columns import BigId, UtcTime, metadata

outbox = Table(
    "outbox", metadata,
    Column("id", BigId, primary_key=True),
    Column("kind", sa.String(8), nullable=False, comment="digest, alert, notice"),
    Column("key", sa.String(200), nullable=False,
           comment="what it says: date/audience of a digest, incident/round of an alert, the matter of a notice"),
    Column("channel", sa.String(40), nullable=False, comment="smtp, or the name of a channel of config/vocwatch.yaml"),
    Column("recipient", sa.String(320), nullable=False, comment="mail address; the channel's name for a group chat"),
    Column("message_id", sa.String(200), nullable=False, comment="the same however often it is tried"),
    Column("subject", sa.String(300), nullable=False),
    Column("body", sa.LargeBinary, nullable=False, comment="the message as composed: RFC 5322, or the text for a chat"),
    Column("dated_at", UtcTime, nullable=False, comment="its Date; the same however late it goes out"),
    Column("expires_at", UtcTime, nullable=False, comment="not sent after this moment"),
    Column("state", sa.String(8), nullable=False, comment="waiting, claimed, retry, sent, dead, paused"),
    Column("priority", sa.Integer, nullable=False, comment="0 alert, 1 notice, 2 digest: the smaller goes first"),
    Column("attempts", sa.Integer, nullable=False, comment="tries that reached a server or failed to"),
    Column("unknown", sa.Integer, nullable=False,
           comment="tries whose end nobody knows: handed over whole, no answer came"),
    Column("next_try_at", UtcTime, nullable=False),
    Column("lease_until", UtcTime, comment="a claim older than this was left by a sender that died"),
    Column("token", sa.Integer, nullable=False, comment="counts the claims; who holds an older one may not write any more"),
    Column("on_wire", sa.Boolean, nullable=False, comment="the holder of the claim has begun to hand the message over"),
    Column("possibly_twice", sa.Boolean, nullable=False, comment="可能重复: it may have arrived before it was sent last"),
    Column("fault", sa.String(12), comment="class of the last failure: network, tls, login, busy, limited, address, refused, unknown, config, expired, replaced"),
    Column("error", sa.Text, comment="the last failure in words, without secrets"),
    Column("fallback", sa.Boolean, nullable=False, comment="the second channel has been asked, or is one"),
    Column("created_at", UtcTime, nullable=False),
    Column("sent_at", UtcTime),
    Column("updated_at", UtcTime, nullable=False),
    UniqueConstraint("kind", "key", "channel", "recipient"),
    Index(None, "state", "next_try_at"),
    comment="One message to one recipient: composed once, claimed, sent, marked",
)

buckets = Table(
    "buckets", metadata,
    Column("name", sa.String(64), primary_key=True, comment="channel, or the hash of its address where several share one"),
    Column("tokens", sa.Float, nullable=False, comment="messages that may go at once"),
    Column("filled_at", UtcTime, nullable=False),
    Column("day", sa.Date, nullable=False, comment="business date of the daily count"),
    Column("sent", sa.Integer, nullable=False, comment="messages on that date"),
    Column("blocked_until", UtcTime, comment="the other side has asked to be left alone"),
    comment="How much may still be sent where: one rate limit for all processes",
)

pauses = Table(
    "pauses", metadata,
    Column("id", BigId, primary_key=True),
    Column("recipient", sa.String(320), nullable=False),
    Column("list", sa.String(60), nullable=False, comment="digest/<audience> or alert"),
    Column("why", sa.String(200), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("until", UtcTime, comment="null: until somebody takes it back"),
    UniqueConstraint("recipient", "list"),
    comment="Who has asked not to get a list any more",
)

alarms = Table(
    "alarms", metadata,
    Column("incident_id", sa.String(40), primary_key=True),
    Column("level", sa.String(2), nullable=False, comment="as told last"),
    Column("state", sa.String(4), nullable=False, comment="as told last"),
    Column("round", sa.Integer, nullable=False, comment="how many messages were made of it"),
    Column("first_told_at", UtcTime, nullable=False),
    Column("told_at", UtcTime, nullable=False),
    Column("lower_since", UtcTime, comment="since when it has been calmer than told, without a break"),
    Column("acked_at", UtcTime),
    Column("acked_by", sa.String(100)),
    Column("acked_level", sa.String(2), comment="a more serious level asks for a new acknowledgement"),
    Column("note", sa.Text),
    comment="What was said of each alarming incident, and who has acknowledged it",
)

silences = Table(
    "silences", metadata,
    Column("id", BigId, primary_key=True),
    Column("incident_id", sa.String(40), comment="one of incident, topic, product; others null"),
    Column("topic", sa.String(100), comment="a topic, or a main topic with all below it"),
    Column("product", sa.String(100)),
    Column("level", sa.String(2), nullable=False, comment="the most serious level that it covers"),
    Column("reason", sa.String(300), nullable=False),
    Column("who", sa.String(100), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime, comment="taken back before it expired"),
    comment="What is not to be told for a while; the digest shows it all the same",
)
