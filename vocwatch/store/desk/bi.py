"""Views for tools that speak SQL (Metabase, Superset, Excel, DuckDB, pandas): what `vocwatch query` counts, as tables.

They are a contract: columns are only ever added. A migration that rebuilds a table below them drops the views first
(`dropped`) and makes them again (`created`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class View:
    """One view: what a row is, and each column with its meaning and its SQL. `{…}` stands for what databases say differently."""

    comment: str
    columns: Mapping[str, tuple[str, str]]
    source: str


_LEVEL = (
    "(SELECT substr('红橙黄蓝', min(CASE d.level WHEN '红' THEN 1 WHEN '橙' THEN 2 WHEN '黄' THEN 3 ELSE 4 END), 1) FROM incident_members x "
    "JOIN incidents i ON i.id = x.incident_id JOIN incident_days d ON d.incident_id = i.id AND d.day = i.last_day "
    "WHERE x.text_kind = '{kind}' AND x.ref_id = {ref} AND NOT d.watched)"
)
_NARROW = "desk_mentions n"
VIEWS: dict[str, View] = {
    "v_mentions": View("One judged public mention, its newest text", {
        "id": ("mention id", "n.ref_id"), "day": ("business date; null until the first `vocwatch analyse`", "{day:n.key}"),
        "published_at": ("UTC; null where the page gives none", "m.published_at"), "first_seen_at": ("UTC", "m.first_seen_at"),
        "source": ("来源", "n.source"), "kind": ("post, review, comment, complaint, article, append, reply", "n.kind"), "url": ("", "m.url"),
        "title": ("", "r.title"), "text": ("masked; empty once it was purged", "r.text"), "brand": ("speaks of the own brand", "n.brand"),
        "voice": ("customer, media, ad, merchant …; refused where no judgement was possible", "n.voice"),
        "sentiment": ("negative, neutral, positive; null for the shop's own words", "n.sentiment"),
        "score": ("−1 to +1; null for the shop's own words", "CASE WHEN n.voice = 'merchant' THEN NULL ELSE a.score END"),
        "severity": ("0 to 3", "n.severity"), "red_line": ("touches a red line", "n.red_line"),
        "level": ("the most serious level, as it stands now, of the incidents it belongs to; null for none", _LEVEL.format(kind="mention", ref="n.ref_id")),
        "author": ("number of the author: the same for the same person", "n.who"), "sku": ("", "n.sku"), "shop": ("", "n.shop"),
        "rating": ("stars of a review", "m.rating"), "likes": ("", "m.likes"), "replies": ("", "m.replies"), "shares": ("", "m.shares"),
        "views": ("", "m.views"), "gone_at": ("found deleted at its site, UTC", "m.gone_at"),
    }, f"{_NARROW} JOIN mentions m ON m.id = n.ref_id JOIN revisions r ON r.id = m.revision_id "
       "JOIN assessments a ON a.text_kind = 'mention' AND a.ref_id = n.ref_id"),
    "v_topics": View("One topic of one judged mention", {
        "mention_id": ("v_mentions.id", "n.ref_id"), "day": ("business date", "{day:n.key}"), "topic": ("大类/小类", "t.topic"),
        "major": ("大类", "{major:t.topic}"), "source": ("", "n.source"), "brand": ("speaks of the own brand", "n.brand"),
        "sentiment": ("", "n.sentiment"), "severity": ("0 to 3", "n.severity"), "sku": ("", "n.sku"), "author": ("as in v_mentions", "n.who"),
    }, f"{_NARROW} JOIN desk_topics t ON t.key = n.key"),
    "v_watches": View("One watch that one judged mention matched", {
        "mention_id": ("v_mentions.id", "n.ref_id"), "day": ("business date", "{day:n.key}"), "watch": ("id in config/watches.yaml", "w.watch"),
        "kind": ("brand, product, competitor, keyword", "w.kind"), "source": ("", "n.source"), "sentiment": ("", "n.sentiment"),
    }, f"{_NARROW} JOIN desk_watches w ON w.key = n.key"),
    "v_sessions": View("One customer-service session on one path", {
        "id": ("", "s.id"), "day": ("business date it began", "{day:started}"), "started_at": ("UTC", "s.started_at"),
        "session": ("the export's own id", "s.native_id"), "path": ("质检路径", "s.path"), "shop": ("", "s.shop"), "platform": ("", "s.platform"),
        "sku": ("", "s.sku"), "product": ("", "s.product"), "rating": ("as the export says", "s.rating"), "stars": ("", "s.stars"),
        "return_reason": ("", "s.return_reason"), "violation": ("", "s.violation"), "response_seconds": ("", "s.response_seconds"),
        "resolved": ("", "s.resolved"), "sentiment": ("null while not judged", "a.sentiment"), "severity": ("0 to 3", "a.severity"),
        "topics": ("JSON list", "a.topics"), "level": ("as in v_mentions", _LEVEL.format(kind="session", ref="s.id")),
    }, "sessions s LEFT JOIN assessments a ON a.text_kind = 'session' AND a.ref_id = s.id"),
    "v_incidents": View("One incident on one business date", {
        "day": ("business date", "d.day"), "incident": ("", "i.id"), "title": ("", "i.title"), "level": ("红 橙 黄 蓝", "d.level"),
        "state": ("新增 升级 持续 回落 复燃", "d.state"), "score": ("0 to 100", "d.score"),
        "to_check": ("待核: below an incident; the digest counts it separately", "d.watched"), "topic": ("", "i.topic"),
        "product": ("SKU; null for the whole brand", "i.product"), "shop": ("", "i.shop"), "owner": ("", "i.owner"),
        "authors": ("independent voices of the day", "d.authors"), "mentions": ("of the day", "d.mentions"),
        "sessions": ("of the day", "d.sessions"), "first_day": ("", "i.first_day"), "last_day": ("", "i.last_day"),
    }, "incident_days d JOIN incidents i ON i.id = d.incident_id"),
    "v_members": View("One mention or session of one incident", {
        "incident": ("v_incidents.incident", "x.incident_id"), "kind": ("mention or session", "x.text_kind"),
        "id": ("v_mentions.id or v_sessions.id", "x.ref_id"), "joined": ("business date on which it joined", "x.day"),
        "copy_of": ("the mention that it copies; itself if original", "x.cluster"),
    }, "incident_members x"),
    "v_sources": View("One crawl of one source: a day without an ok one is unknown, not 0", {
        "source": ("", "c.subject"), "day": ("business date it started", "{day:crawled}"), "started_at": ("UTC", "c.started_at"),
        "finished_at": ("UTC", "c.finished_at"), "outcome": ("ok, degraded, blocked, empty, not-run", "c.outcome"), "reason": ("", "c.reason"),
    }, "(SELECT * FROM runs WHERE kind = 'crawl') c"),
    "v_trends": View("Mentions of one day, source and topic, as counted by the last `vocwatch analyse`; topic 全部 counts each mention once", {
        "day": ("business date", "c.day"), "source": ("", "t.source"), "topic": ("大类/小类, or 全部", "t.topic"),
        "brand": ("speaks of the own brand", "t.brand"), "mentions": ("", "t.mentions"), "negative": ("", "t.negative"),
    }, "(SELECT day, source, topic, brand, mentions, negative FROM desk_topic_days UNION ALL "
       "SELECT day, source, '全部', brand, sum(mentions), sum(CASE WHEN sentiment = 'negative' THEN mentions ELSE 0 END) "
       "FROM desk_days GROUP BY day, source, brand) t JOIN desk_calendar c ON c.number = t.day"),
}
_KEY = {
    "sqlite": "(CAST(strftime('%s', {}) AS INTEGER) / 60) * 4294967296",
    "postgresql": "CAST(floor(extract(epoch FROM {}) / 60) AS BIGINT) * 4294967296",
}
_MAJOR = {"sqlite": "substr(t.topic, 1, instr(t.topic, '/') - 1)", "postgresql": "split_part(t.topic, '/', 1)"}
_DAY = "(SELECT c.day FROM desk_calendar c WHERE c.first_key <= {} ORDER BY c.first_key DESC LIMIT 1)"


def created(dialect: str) -> list[str]:
    """Return the statements that make the views."""
    said = {
        "{day:n.key}": _DAY.format("n.key"), "{day:started}": _DAY.format(_KEY[dialect].format("s.started_at")),
        "{day:crawled}": _DAY.replace("desk_calendar c", "desk_calendar k").replace("c.", "k.").format(_KEY[dialect].format("c.started_at")),
        "{major:t.topic}": _MAJOR[dialect],
    }
    found = []
    for name, view in VIEWS.items():
        columns = ", ".join(f"{said.get(sql, sql)} AS {column}" for column, (_, sql) in view.columns.items())
        found.append(f"CREATE VIEW {name} AS SELECT {columns} FROM {view.source}")  # noqa: S608 - constants
    return found


def dropped() -> list[str]:
    """Return the statements that take the views away."""
    return [f"DROP VIEW {name}" for name in VIEWS]
