"""A judge whose judgements are told, and the store before and after a second reading."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from sentiment.judge import Judge
from sentiment.refine import RefineReport
from sentiment.run import analyse
from vocwatch.models import Assessment, RedLine, Sentiment, TextInput
from vocwatch.settings import Settings
from vocwatch.store import Store, mentions
from vocwatch.store.mentions import MentionRow
from vocwatch.store.schema import assessments as table
from vocwatch.store.schema import mentions as mention_table

NOW = dt.datetime(2026, 11, 15, tzinfo=dt.UTC)
FIRE = (RedLine("起火冒烟", "word", 0, 2, "冒烟"),)


def local(text: str, **more: Any) -> Assessment:
    """A judgement as the engines would give it; 待复核 where the text is hesitant (嗯)."""
    made = Assessment(
        id="1", model_version="m1", brand_match=True, sentiment=Sentiment.NEUTRAL, score=0.05, confidence=0.4,
        mixed=False, severity=0, topics=(), red_lines=(), spans=(), hits=(), voice="customer", fingerprint=b"",
        review="嗯" in text,
    )
    return replace(made, **more)


class Stub(Judge):
    """A judge whose every judgement is told."""

    def __init__(self, told: dict[str, dict[str, Any]] | None = None):
        self.version, self._told = "m1", told or {}

    def assess(self, texts: Sequence[TextInput]) -> list[Assessment]:
        return [replace(local(item.text, **self._told.get(item.body, {})), id=item.id) for item in texts]


def fill(store: Store, texts: Sequence[str], **more: object) -> None:
    with store.begin() as connection:
        rows = [MentionRow(f"p{n}", f"https://a.example/{n}", "post", text, **more) for n, text in enumerate(texts)]  # type: ignore[arg-type]
        mentions.save(connection, "forum", rows, NOW)


def refine(settings: Settings, store: Store, texts: Sequence[str], told: dict[str, dict[str, Any]] | None = None) -> RefineReport:
    fill(store, texts)
    report = analyse(settings, store, judge=Stub(told), batch=7)
    assert report.refined is not None and (report.assessed, report.left) == (len(texts), 0)
    return report.refined


def stored(store: Store) -> list[Any]:
    query = sa.select(table).join(mention_table, mention_table.c.id == table.c.ref_id).order_by(mention_table.c.native_id)
    with store.read() as connection:
        return list(connection.execute(query))


def as_is(store: Store) -> bool:
    """Whether every judgement in the store is the local one."""
    return all((row.model_version, row.sentiment, row.score) == ("m1", "neutral", 0.05) for row in stored(store))


Prepared = Callable[..., Settings]
