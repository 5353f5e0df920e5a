"""The outbox and its buckets on both databases: one claim, one token, one holder."""

from __future__ import annotations

import datetime as dt
import threading

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from vocwatch.store import Store, alarms, buckets, outbox, pauses
from vocwatch.store.buckets import Limit
from vocwatch.store.delivery_schema import outbox as table
from vocwatch.store.engine import MIGRATIONS
from vocwatch.store.outbox import Message, Outcome

NOW = dt.datetime(2026, 11, 16, 1, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


def message(recipient: str = "qa@example.com", kind: str = "digest", key: str = "2026-11-15/qa", channel: str = "smtp") -> Message:
    return Message(kind, key, channel, recipient, f"<{recipient}@x>", "题", b"body", NOW, NOW + 60 * MINUTE)


def put(store: Store, *messages: Message) -> list[Message]:
    with store.begin(durable=True) as connection:
        return outbox.enqueue(connection, messages, NOW)


def claim(store: Store, now: dt.datetime = NOW, **which):
    with store.begin(durable=True) as connection:
        return outbox.claim(connection, now, **which)


def row(store: Store):
    with store.read() as connection:
        return connection.execute(sa.select(table)).one()


def test_a_message_is_put_in_once(store):
    assert put(store, message(), message("b@example.com")) and not put(store, message())
    with store.read() as connection:
        assert len(outbox.listed(connection)) == 2 and outbox.waiting_since(connection) == (2, NOW)


def test_alerts_go_first_and_a_row_is_claimed_once(store):
    put(store, message(), message(kind="notice", key="n"), message(kind="alert", key="i/1"))
    assert [claim(store)[0].kind for _ in range(3)] == ["alert", "notice", "digest"] and not claim(store)


def test_many_senders_share_the_rows_and_none_gets_one_twice(store):
    put(store, *(message(f"p{number}@example.com") for number in range(60)))
    got: list[str] = []

    def work() -> None:
        while parcels := claim(store, limit=3):
            got.extend(parcel.recipient for parcel in parcels)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(got) == len(set(got)) == 60


def test_a_claim_left_before_the_wire_is_simply_tried_again(store):
    put(store, message())
    claim(store)
    with store.begin() as connection:
        outbox.tidy(connection, NOW + outbox.LEASE - MINUTE)
    assert not claim(store, NOW + outbox.LEASE - MINUTE)
    with store.begin() as connection:
        assert not outbox.tidy(connection, NOW + outbox.LEASE)
    (parcel,) = claim(store, NOW + outbox.LEASE)
    assert not parcel.possibly_twice and parcel.unknown == 0 and parcel.token == 2


def test_a_claim_left_on_the_wire_is_marked_and_given_up_the_second_time(store):
    put(store, message(), message(kind="alert", key="i/1"))
    now = NOW
    for unknown in (1, 2):
        parcels = claim(store, now, limit=9)
        with store.begin() as connection:
            assert outbox.begin_wire(connection, parcels, now)
        now += outbox.LEASE
        with store.begin() as connection:
            gone = outbox.tidy(connection, now)
        assert [one["kind"] for one in gone] == (["digest"] if unknown == 2 else [])
    with store.read() as connection:
        assert {one["kind"]: (one["state"], one["possibly_twice"]) for one in outbox.listed(connection)} == {
            "digest": ("dead", True), "alert": ("retry", True)}


def test_who_has_lost_the_claim_may_neither_send_nor_write(store):
    put(store, message())
    (old,) = claim(store)
    with store.begin() as connection:
        outbox.tidy(connection, NOW + outbox.LEASE)
    (new,) = claim(store, NOW + outbox.LEASE)
    with store.begin() as connection:
        assert not outbox.begin_wire(connection, [old], NOW)
        assert not outbox.settle(connection, old, Outcome("sent"), NOW)
    assert row(store).state == "claimed" and row(store).possibly_twice
    with store.begin() as connection:
        assert outbox.settle(connection, new, Outcome("sent"), NOW)
    assert (row(store).state, bytes(row(store).body)) == ("sent", b"")


def test_what_a_limit_holds_up_has_not_been_tried(store):
    put(store, message())
    (parcel,) = claim(store)
    with store.begin() as connection:
        outbox.release(connection, [parcel], NOW + MINUTE, NOW)
    assert (row(store).state, row(store).attempts) == ("waiting", 0)
    assert not claim(store) and claim(store, NOW + MINUTE)


def test_a_bucket_gives_no_more_than_its_limit_in_any_minute(store):
    limit, day = Limit(per_minute=20), NOW.date()
    given: list[dt.datetime] = []
    now = NOW
    while now < NOW + 10 * MINUTE:
        with store.begin() as connection:
            wait = buckets.take(connection, "w", limit, 1, now=now, day=day, tomorrow=NOW + 60 * MINUTE)
        if wait is None:
            given.append(now)
        assert wait is None or wait > now
        now += dt.timedelta(seconds=1.5)
    busiest = max(sum(at <= other < at + MINUTE for other in given) for at in given)
    assert busiest <= 20 and len(given) >= 10 * 14  # and not much less


def test_a_bucket_counts_the_day_keeps_blocks_and_survives_a_clock_set_back(store):
    limit = Limit(per_day=2)

    def take(now: dt.datetime) -> dt.datetime | None:
        with store.begin() as connection:
            return buckets.take(connection, "m", limit, 1, now=now, day=now.date(), tomorrow=NOW + 60 * MINUTE)

    assert [take(NOW), take(NOW), take(NOW)] == [None, None, NOW + 60 * MINUTE]
    assert take(NOW + dt.timedelta(days=1)) is None
    with store.begin() as connection:
        buckets.block(connection, "m", NOW + dt.timedelta(days=1, minutes=30))
    assert take(NOW + dt.timedelta(days=1, minutes=5)) == NOW + dt.timedelta(days=1, minutes=30)
    assert take(NOW - dt.timedelta(days=1)) is None


def test_a_pause_stops_what_waits_and_can_be_taken_back(store):
    put(store, message(), message("b@example.com"), message(key="2026-11-15/executive"))
    with store.begin() as connection:
        assert pauses.pause(connection, "qa@example.com", "digest/qa", why="退订", now=NOW)
        assert not pauses.pause(connection, "qa@example.com", "digest/qa", why="退订", now=NOW)
    assert sorted((p.recipient, p.key) for p in claim(store, limit=9)) == [
        ("b@example.com", "2026-11-15/qa"), ("qa@example.com", "2026-11-15/executive")]
    with store.begin() as connection:
        assert len(pauses.listed(connection)) == 1 and pauses.resume(connection, "qa@example.com", "digest/qa")
        assert not pauses.is_paused(connection, "qa@example.com", "digest/qa", NOW)


def test_by_hand_everything_unsent_can_be_tried_again(store):
    put(store, message(), message("b@example.com"))
    first, second = claim(store, limit=2)
    with store.begin() as connection:
        outbox.settle(connection, first, Outcome("sent"), NOW)
        outbox.settle(connection, second, Outcome("dead", "address", "550"), NOW)
        (revived,) = outbox.revive(connection, NOW + 120 * MINUTE)
    assert revived["id"] == second.id and claim(store, NOW + 120 * MINUTE)[0].id == second.id


def test_silences_hold_between_their_moments(store):
    with store.begin() as connection:
        number = alarms.silence(connection, reason="盘点", who="甲", level="红", now=NOW, expires_at=NOW + MINUTE, product="P")
        assert [one.id for one in alarms.all_silences(connection, NOW)] == [number]
        assert not alarms.all_silences(connection, NOW + MINUTE)
        assert alarms.end_silence(connection, number, NOW) and not alarms.end_silence(connection, number, NOW)
        assert not alarms.all_silences(connection, NOW) and len(alarms.all_silences(connection)) == 1


def test_who_had_a_digest_before_the_outbox_does_not_get_it_again(database_url):
    old = Store(database_url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["engine"] = old.engine
    command.upgrade(config, "0006")
    deliveries = sa.Table("deliveries", sa.MetaData(), autoload_with=old.engine)
    with old.engine.begin() as connection:
        connection.execute(deliveries.insert(), [
            dict(day=dt.date(2026, 11, 15), audience="qa", recipient=f"{state}@example.com", message_id=f"<{state}@x>",
                 state=state, error=None, updated_at=NOW) for state in ("sent", "failed", "claimed")])
    old.migrate()
    again = put(old, *(message(f"{state}@example.com") for state in ("sent", "failed", "claimed")))
    assert [one.recipient for one in again] == ["failed@example.com"]
    with old.read() as connection:
        assert {one["recipient"]: one["state"] for one in outbox.listed(connection)} == {
            "sent@example.com": "sent", "failed@example.com": "waiting", "claimed@example.com": "dead"}
    old.close()
