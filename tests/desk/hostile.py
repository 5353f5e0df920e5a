"""Rows as an enemy would write them: in every column that a page shows, in posts, sessions, incidents and the digest."""

from __future__ import annotations

import dataclasses
from typing import Any

import sqlalchemy as sa

from reports.digest.contract import as_dict
from reports.facts import build_facts
from tests.reports import factory
from tests.reports.conftest import morning
from tests.reports.factory import Text, World
from vocwatch.settings import Settings
from vocwatch.store import Store, digests
from vocwatch.store import schema as s

SCRIPTS = (
    "<script>window.pwned=1</script>", "<img src=x onerror=window.pwned=1>", "<svg onload=window.pwned=1>", "\"><script>window.pwned=1</script>",
    "</script><script>window.pwned=1</script>", "{{7*7}}{%raw%}${7*7}<%=7*7%>", "<!--[if mso]><b>x<![endif]-->", "<style>body{display:none}</style>",
    "<iframe srcdoc='<script>parent.pwned=1</script>'>", "<a href=\"javascript:window.pwned=1\">点我</a>", "' onmouseover='window.pwned=1",
    "<math><mtext></table><mglyph><style><img src=x onerror=window.pwned=1>", "&lt;script&gt;window.pwned=1&lt;/script&gt;", "<hx-partial hx-get=/logout>",
    "<b hx-get=/account hx-trigger=load>", "<meta http-equiv=refresh content=0;url=https://evil.example>", "<base href=https://evil.example/>",
    "]]><script>window.pwned=1</script>", "\u2028alert(1)\u2029", "<link rel=stylesheet href=https://evil.example/x.css>",
)
LAYOUT = ("\u202e反过来了\u202d", "Z" + "\u0301\u0335\u0489" * 3000, "长" * 6000, "W" * 3000, "\u200b" * 500 + "空", "\ufdfd" * 40, "عربي نص", "a\x00b\x1b[31m")
ADDRESSES = (
    "javascript:window.pwned=1", "data:text/html,<script>window.pwned=1</script>", "https://аpple.com.evil.example/x", "https://notes.example.com@evil.example/",
    "https://evil.example/?u=https://notes.example.com", "vbscript:x", "//evil.example/x", "https://[", "file:///etc/passwd", "https://ok.example.com/\u202egnp.exe",
)


def hostile(settings: Settings, store: Store) -> tuple[list[int], str, int]:
    """Add the enemy's rows to the last day; returns the mentions, an incident and a session among them."""
    world = World(store, 9)
    world.mentions = world.sessions = 30_000
    ids = []
    for at, text in enumerate((*SCRIPTS, *LAYOUT)):
        said = Text(f"暖手宝烫伤了手{text}", ("商品安全/烫伤",), "negative", 3, "烫伤了手", "人身伤害")
        ids.append(world.mention(factory.LAST, said, "notes", "PC-H1", title=f"标题{text}", author=f"h{at}"))
    sessions = [world.session(factory.LAST, Text(text, ("商品安全/烫伤",), "negative", 3, ""), "品退", "PC-H1") for text in SCRIPTS[:4]]
    world.save()
    _dirty(store, ids, sessions)
    from reports.run import build_incidents

    build_incidents(settings, store, factory.LAST, now=morning(factory.LAST))
    with store.begin() as connection:
        for name in ("title", "shop", "owner"):
            column = s.incidents.c[name]
            connection.execute(s.incidents.update().where(s.incidents.c.topic == "商品安全/烫伤").values({column: SCRIPTS[0] + SCRIPTS[1] + SCRIPTS[3]}))
        name = connection.execute(sa.select(s.incidents.c.id).where(s.incidents.c.topic == "商品安全/烫伤")).scalar_one()
    told = as_dict(build_facts(settings, store, factory.LAST, now=morning(factory.LAST)))
    with store.begin() as connection:
        connection.execute(s.digests.delete().where(s.digests.c.day == factory.LAST))
        digests.save(connection, factory.LAST, "qa", morning(factory.LAST), told)
    return ids, name, sessions[0]


def _dirty(store: Store, ids: list[int], sessions: list[int]) -> None:
    """What the columns beside the text hold: addresses, shops, products, names of topics and red lines, spans out of range."""
    wild = [{"start": 4, "end": 9**9, "topic": SCRIPTS[3], "sentiment": SCRIPTS[1], "severity": 3}, {"start": -5, "end": 3, "topic": "x", "sentiment": "negative", "severity": 1}]
    with store.begin() as connection:
        for at, ref in enumerate(ids):
            row: dict[str, Any] = {"shop": SCRIPTS[at % len(SCRIPTS)], "author_key": SCRIPTS[0][:32]}
            if at < len(ADDRESSES):
                row["url"] = ADDRESSES[at]
            connection.execute(s.mentions.update().where(s.mentions.c.id == ref).values(row))
        connection.execute(s.assessments.update().where(s.assessments.c.text_kind == "mention", s.assessments.c.ref_id.in_(ids[::2])).values(
            spans=wild, red_lines=[{"name": SCRIPTS[3], "start": 0, "end": 5}], model_version=SCRIPTS[2][:80],
        ))
        connection.execute(s.hits.update().where(s.hits.c.text_kind == "mention", s.hits.c.ref_id.in_(ids)).values(rule=SCRIPTS[1][:40], matched=SCRIPTS[0]))
        connection.execute(s.sessions.update().where(s.sessions.c.id.in_(sessions)).values(
            shop=SCRIPTS[0], return_reason=SCRIPTS[1], rating=SCRIPTS[3], review=SCRIPTS[4], violation=SCRIPTS[2], platform=SCRIPTS[1],
        ))


def configured(settings: Settings) -> Settings:
    """Settings whose own names are hostile too."""
    app = settings.app.model_copy(update={"brand": settings.app.brand.model_copy(update={"name": SCRIPTS[3]})})
    return dataclasses.replace(settings, app=app)
