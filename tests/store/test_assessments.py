"""Pending texts and saved judgements, on both databases."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import sqlalchemy as sa

from vocwatch.models import Assessment, Hit, RedLine, Sentiment, Span, TextKind
from vocwatch.store import Store, assessments, mentions
from vocwatch.store.assessments import Pending, session_text
from vocwatch.store.mentions import MentionRow
from vocwatch.store.schema import assessments as table
from vocwatch.store.schema import hits

NOW = dt.datetime(2026, 11, 16, tzinfo=dt.UTC)


def save(store: Store, *rows: MentionRow) -> None:
    with store.begin() as connection:
        mentions.save(connection, "shop", rows, NOW)


def pending(
    store: Store, replies: bool = False, after: int = 0, limit: int = 10, **more: str
) -> list[Pending]:
    with store.read() as connection:
        return assessments.pending_mentions(connection, replies=replies, after=after, limit=limit, **more)


def judgement(**more: object) -> Assessment:
    found = Assessment(
        id="1", model_version="m1", brand_match=True, sentiment=Sentiment.NEGATIVE, score=-0.5,
        confidence=0.5, mixed=False, severity=2, topics=("产品质量/漏水",), voice="customer",
        red_lines=(RedLine("召回", "word", 0, 1, "a\0\ud800b"),), fingerprint=b"\x00\xff",
        spans=(Span(0, 2, "产品质量/漏水", Sentiment.NEGATIVE, 2),),
        hits=(
            Hit("pine", "brand", "name", 0, 2, "松\0果" * 200), Hit("pine", "brand", "x" * 90, 5, 7, "松果"),
        ),
    )
    return replace(found, **more)  # type: ignore[arg-type]


def test_posts_and_replies_wait_apart_in_batches(store: Store) -> None:
    save(store, MentionRow("c", "u", "comment", "评论", parent="b"), *(
        MentionRow(name, "u", "post", f"文{name}", title="题", rating=4.0, sku="S", shop="店")
        for name in "ab"))
    first = pending(store, limit=1)
    second = pending(store, after=first[0].ref_id)
    assert [item.item.text for item in (*first, *second)] == ["题\n文a", "题\n文b"]
    assert second[0].item.context == ("S", "店") and second[0].item.rating == 4.0
    reply = pending(store, replies=True)[0].item
    assert (reply.kind, reply.parent, reply.context) == ("comment", "题\n文b", ("S", "店"))
    with store.read() as connection:
        assert assessments.count_pending(connection) == 3


def test_saved_twice_is_saved_once_and_reads_back(store: Store) -> None:
    save(store, MentionRow("a", "u", "post", "漏水"))
    waiting = pending(store)
    for found in (judgement(), judgement(hits=judgement().hits[:1])):
        with store.begin() as connection:
            assessments.save(connection, [(waiting[0], found)], NOW)
    assert pending(store) == [] == pending(store, other_than="m1")
    assert len(pending(store, other_than="m2")) == 1
    with store.read() as connection:
        row = connection.execute(sa.select(table)).one()
        hit = connection.execute(sa.select(hits)).one()
    assert (row.topics, row.fingerprint, row.truncated) == (["产品质量/漏水"], b"\x00\xff", False)
    assert row.spans == [
        {"start": 0, "end": 2, "topic": "产品质量/漏水", "sentiment": "negative", "severity": 2},
    ]
    assert row.red_lines[0]["matched"] == "ab" and row.revision_id == waiting[0].revision_id
    assert len(hit.matched) == 200 and "\0" not in hit.matched


def test_nothing_to_save(store: Store) -> None:
    with store.begin() as connection:
        assessments.save(connection, [], NOW)
    assert TextKind.SESSION.value == "session"


def test_the_text_of_a_session() -> None:
    assert session_text(["一", "二"], "三") == "一\n二\n三"
    assert session_text(["一"], None) == "一" and session_text([], None) == ""
