"""F28: an edited post is a new revision of the same mention, judged again; a claim that grows raises the alarm."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from reports.run import build_incidents
from sentiment.run import analyse
from vocwatch.settings import Settings
from vocwatch.store import Store, mentions
from vocwatch.store.mentions import MentionRow
from vocwatch.store.schema import alerts, assessments, revisions
from vocwatch.store.schema import mentions as mention_table

EDITS = (
    "松果匣的保温杯到货了，颜色和图上一样",
    "松果匣的保温杯到货了，颜色和图上一样。更新：倒开水时杯子炸了，孩子手被烫伤起泡，已经去医院",
    "松果匣的保温杯到货了，颜色和图上一样。更新：商家已经联系我处理了",
)


def _cycle(settings: Settings, store: Store, text: str, hour: int) -> None:
    now = dt.datetime(2026, 11, 15, hour, tzinfo=dt.UTC)
    row = MentionRow(
        "p1", "https://forum.example/t/1", "post", text, author_key="a" * 8, precision="minute",
        published_at=dt.datetime(2026, 11, 15, 1, tzinfo=dt.UTC),
    )
    with store.begin() as connection:
        mentions.save(connection, "forum", [row], now)
    analyse(settings, store, engine="rules")
    build_incidents(settings, store, dt.date(2026, 11, 15), now=now)


def test_F28_an_edit_is_counted_once_judged_again_and_raises_the_alarm_in_one_cycle(
    settings: Settings, sqlite_store: Store
) -> None:
    seen = []
    for number, text in enumerate(EDITS):
        _cycle(settings, sqlite_store, text, 2 + number)
        with sqlite_store.read() as connection:
            severity = connection.execute(sa.select(assessments.c.severity)).scalar_one()
            raised = connection.execute(sa.select(sa.func.count()).select_from(alerts)).scalar_one()
        seen.append((severity, raised))
    with sqlite_store.read() as connection:
        posts = connection.execute(sa.select(sa.func.count()).select_from(mention_table)).scalar_one()
        texts = set(connection.execute(sa.select(revisions.c.text)).scalars())
    assert (posts, texts) == (1, set(EDITS))
    assert seen[0] == (0, 0)
    assert seen[1] == (3, 1)
    assert seen[2][0] < 3
