"""The digest's facts: every number is a count of rows it names, and blind is never shown as quiet."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import random
from collections import Counter

import pytest
import sqlalchemy as sa

from reports.coverage import coverage, usable_days
from reports.digest.contract import as_dict, to_json
from reports.digest.render import render_html
from reports.digest.subject import subject
from reports.digest.text import render_text
from reports.facts import build_facts
from reports.measures import satisfaction
from reports.run import build_incidents
from reports.verdict import verdict_of
from reports.words import counted, hot_words
from tests.reports import factory
from tests.reports.conftest import morning
from tests.reports.factory import PLANTED, Text, World, day
from vocwatch.clock import day_window
from vocwatch.models import SourceStatus
from vocwatch.store import Store
from vocwatch.store import schema as s
from vocwatch.store.facts import ServiceSession
from vocwatch.store.runs import Run

KEYS = {
    "date",
    "brand",
    "audience",
    "level",
    "verdict",
    "window",
    "generated_at",
    "coverage",
    "indicators",
    "actions",
    "risks",
    "alerts",
    "emerging",
    "internal",
    "trend",
    "platforms",
    "words",
    "followups",
    "cases",
}
RISK_KEYS = {
    "rank",
    "incident",
    "level",
    "state",
    "title",
    "topic",
    "product",
    "shop",
    "owner",
    "score",
    "parts",
    "why",
    "authors",
    "mention_urls",
    "session_ids",
    "lead_days",
    "first_seen",
    "quotes",
    "advice",
}
PARTS = ["sensitivity", "intensity", "evolution", "spread", "attitude", "corroboration"]


def facts_of(cups, store: Store, date: dt.date):
    return build_facts(cups, store, date, now=morning(date))


def rows(store: Store, query) -> list:
    with store.read() as connection:
        return list(connection.execute(query))


@pytest.fixture(params=[28, 34, 36, 40])
def told(request, cups, story):
    return facts_of(cups, story, day(request.param))


def test_the_json_has_every_key_of_the_contract(told):
    value = json.loads(to_json(told))
    assert set(value) >= KEYS
    for risk in value["risks"]:
        assert set(risk) >= RISK_KEYS and list(risk["parts"]) == PARTS
        assert all(0 <= part <= 1 for part in risk["parts"].values())
    assert set(value["coverage"]) == {"percent", "sources"}
    assert all(set(x) >= {"status", "why", "expected", "read"} for x in value["coverage"]["sources"].values())
    assert dt.datetime.fromisoformat(value["generated_at"]).utcoffset() == dt.timedelta(hours=8)
    assert [r["rank"] for r in value["risks"]] == list(range(1, len(value["risks"]) + 1))


def test_every_number_of_a_risk_counts_the_rows_it_names(told, story):
    for risk in told.risks:
        found = rows(
            story,
            sa.select(s.mentions, s.incident_members.c.cluster)
            .join(
                s.incident_members,
                sa.and_(
                    s.incident_members.c.text_kind == "mention",
                    s.incident_members.c.ref_id == s.mentions.c.id,
                ),
            )
            .where(s.incident_members.c.incident_id == risk.incident, s.incident_members.c.day <= told.date),
        )
        assert set(risk.mention_urls) == {row.url for row in found} and len(risk.mention_urls) == len(found)
        originals = [row for row in found if row.cluster == row.id]
        assert risk.authors == len({(row.source, row.author_key) for row in originals})
        assert risk.copies == len(found) - len(originals)
        inside = rows(
            story,
            sa.select(s.sessions.c.native_id)
            .join(
                s.incident_members,
                sa.and_(
                    s.incident_members.c.text_kind == "session",
                    s.incident_members.c.ref_id == s.sessions.c.id,
                ),
            )
            .where(s.incident_members.c.incident_id == risk.incident, s.incident_members.c.day <= told.date),
        )
        assert sorted(risk.session_ids) == sorted(row.native_id for row in inside)
        assert all(quote.url in risk.mention_urls and quote.evidence for quote in risk.quotes)
        assert all(len(quote.text) <= 80 for quote in risk.quotes)


def test_the_four_figures_count_rows(told, story):
    start, end = day_window(told.date, factory.ZONE)
    brand = rows(
        story,
        sa.select(s.mentions.c.source, s.assessments.c.sentiment)
        .join(
            s.assessments,
            sa.and_(s.assessments.c.text_kind == "mention", s.assessments.c.ref_id == s.mentions.c.id),
        )
        .where(
            s.mentions.c.published_at >= start, s.mentions.c.published_at < end, s.assessments.c.brand_match
        ),
    )
    sessions = rows(
        story,
        sa.select(s.sessions.c.native_id).where(
            s.sessions.c.started_at >= start, s.sessions.c.started_at < end
        ),
    )
    total, negative, inside, fresh = told.indicators
    assert total.value == len(brand)
    assert negative.value == sum(row.sentiment == "negative" for row in brand)
    assert negative.share == pytest.approx(negative.value / total.value)
    assert inside.value == len(sessions) == told.internal.total == sum(told.internal.paths.values())
    assert fresh.value == len(
        rows(
            story,
            sa.select(s.incident_days).where(
                s.incident_days.c.day == told.date, s.incident_days.c.state.in_(("新增", "复燃"))
            ),
        )
    )
    by_source = Counter(row.source for row in brand)
    assert {p.name: p.total for p in told.platforms} == {name: by_source[name] for name in factory.SOURCES}
    assert (told.trend[-1].total, told.trend[-1].negative) == (total.value, negative.value)
    assert len(told.trend) == 14
    for reason in told.internal.reasons:
        assert reason.sessions == len(reason.session_ids)


def test_the_red_evening(cups, story):
    told = facts_of(cups, story, PLANTED["burn"])
    assert told.level == "红" and told.risks[0].topic == "商品安全/烫伤"
    assert (
        told.actions[0].owner == "何雨"
        and told.actions[0].due.hour == 12
        and told.actions[0].incident == told.risks[0].incident
    )
    (alert,) = told.alerts
    assert set(alert.mention_urls) == set(told.risks[0].mention_urls)
    assert "立即上报品控负责人" in told.actions[0].what.text()


def test_the_silent_day_is_calm(cups, story):
    told = facts_of(cups, story, PLANTED["silent"])
    assert (
        not [r for r in told.risks if r.level != "蓝"] and not told.actions and told.coverage.percent == 100
    )
    assert (told.level == "蓝" and "无需处理" in told.verdict[0].text()) or "平稳" in told.verdict[0].text()
    assert facts_of(cups, story, day(25)).verdict[0].text().startswith("平稳")


def test_a_blind_day_is_never_calm(cups, story):
    told = facts_of(cups, story, PLANTED["blind"])
    text = as_dict(told)["verdict"]
    assert told.coverage.percent == 75 and text.startswith("数据不足，不能判断平稳")
    assert told.level == "灰" and not told.risks
    notes = next(x for x in told.coverage.sources if x.name == "notes")
    assert (
        notes.status is SourceStatus.BLOCKED
        and "安全验证" in notes.why.text()
        and notes.since == PLANTED["blind"]
    )
    assert all(i.partial for i in told.indicators if i.name != "客服差评会话")
    assert any(a.what.key == "action.source" for a in told.actions)
    assert told.trend[-1].partial


def test_F58_of_fifty_pairs_of_a_quiet_and_a_blind_day_each_is_told_for_what_it_is(cups):
    draw = random.Random(58)
    names = sorted(name for name, source in cups.sources.items() if source.enabled)
    start = day_window(day(10), factory.ZONE)[0]
    for _ in range(50):
        at = start + dt.timedelta(hours=draw.uniform(20, 23.9))
        lost = set(draw.sample(names, draw.randint(1, len(names))))
        for blind in (False, True):
            ends = {name: draw.choice(("", "blocked", "empty")) if blind and name in lost else "ok" for name in names}
            runs = [dataclasses.replace(run(at, end), subject=name) for name, end in ends.items() if end]  # "": none
            told = verdict_of([], coverage(cups, day(10), runs, morning(day(10))))
            assert [part.key for part in told] == ["verdict.blind" if blind else "verdict.calm"]


def test_without_any_source_nothing_is_told_as_zero_or_as_well(cups, story):
    bare = dataclasses.replace(cups, sources={})
    told = facts_of(bare, story, day(60))
    assert told.level == "灰" and [part.key for part in told.verdict] == ["verdict.no_source"]
    assert all(one.total is None and one.negative is None for one in told.trend[-14:])
    for shown in (render_text(told), render_html(told)):
        assert "还没有启用任何来源" in shown and "全部正常" not in shown and "0 个来源" not in shown


def test_a_blind_evening_with_a_risk_says_so_too(cups, story):
    with story.begin() as connection:
        connection.execute(
            s.runs.update()
            .where(
                s.runs.c.subject == "forum",
                s.runs.c.started_at >= day_window(PLANTED["burn"], factory.ZONE)[0],
            )
            .values(outcome="blocked", reason="403")
        )
    told = facts_of(cups, story, PLANTED["burn"])
    assert [x.key for x in told.verdict] == ["verdict.risk", "verdict.partial"]


def test_with_nothing_read_at_all_nothing_is_claimed(cups, sqlite_store):
    told = facts_of(cups, sqlite_store, day(5))
    assert told.coverage.percent == 0 and told.level == "灰" and "不能判断平稳" in told.verdict[0].text()
    assert {x.status for x in told.coverage.sources} == {SourceStatus.NOT_RUN}
    assert told.internal.missing and told.indicators[2].value is None
    assert all(d.total is None for d in told.trend) and all(p.total is None for p in told.platforms)
    assert "note.no_sessions" in {n.key for n in told.notes}
    assert [figure.value for figure in told.indicators] == [None] * 4
    assert "负面 未知" in subject(told)
    assert sum(action.level == "灰" for action in told.actions) <= 3


def run(started: dt.datetime, outcome: str | None = "ok", **stats: int) -> Run:
    from vocwatch.models import RunStatus

    return Run(
        1,
        "crawl",
        "notes",
        RunStatus.DONE,
        SourceStatus(outcome) if outcome else None,
        None,
        started,
        started,
        dict(stats),
    )


def health(cups, runs, now=None):
    date = day(10)
    found = coverage(cups, date, runs, now or morning(date))
    return found, next(x for x in found.sources if x.name == "notes")


def test_coverage_takes_the_latest_run_of_the_window(cups):
    night = dt.datetime.combine(day(10), dt.time(22), tzinfo=factory.ZONE)
    assert (
        health(cups, [run(night, "blocked"), run(night + dt.timedelta(hours=9))])[1].status is SourceStatus.OK
    )
    assert (
        health(cups, [run(night - dt.timedelta(days=1)), run(night, "blocked")])[1].status
        is SourceStatus.BLOCKED
    )
    assert health(cups, [run(night - dt.timedelta(days=1))])[1].status is SourceStatus.NOT_RUN
    assert (
        health(cups, [run(night), run(night + dt.timedelta(days=2), "blocked")])[1].status is SourceStatus.OK
    )
    assert health(cups, [run(night, None)])[1].status is SourceStatus.NOT_RUN


def test_a_run_of_the_small_hours_has_not_read_the_day(cups):
    early = dt.datetime.combine(day(10), dt.time(1), tzinfo=factory.ZONE)
    assert health(cups, [run(early)])[1].status is SourceStatus.DEGRADED


def test_a_degraded_source_counts_by_what_it_read(cups):
    night = dt.datetime.combine(day(10), dt.time(22), tzinfo=factory.ZONE)
    found, notes = health(cups, [run(night, "degraded", read=10, expected=40)])
    assert notes.share == 0.25 and (notes.read, notes.expected) == (10, 40)
    assert found.percent == round(100 * 0.25 / 4)
    assert health(cups, [run(night, "degraded", read=80, expected=40)])[1].share < 1


def test_followups_tell_what_became_of_yesterdays_risks(cups, story):
    from reports.digest import write_digest

    write_digest(cups, story, day(27), now=morning(day(27)), out=cups.env.home / "out")
    told = facts_of(cups, story, day(28))
    (leak,) = [f for f in told.followups if "漏水" in f.title]
    assert leak.today.text() == "今日升级，橙色"
    quiet = facts_of(cups, story, day(40)).followups
    assert quiet and all(f.today.key == "follow.quiet" for f in quiet)


def test_the_campaign_is_noted(cups, story):
    assert any("双11" in n.text() for n in facts_of(cups, story, PLANTED["campaign"]).notes)


def test_quotes_can_be_switched_off_and_deleted_posts_are_not_quoted(shipped, cups, story):
    private = factory.make_settings(shipped, quotes=False)
    assert all(not r.quotes for r in facts_of(private, story, PLANTED["burn"]).risks)
    with story.begin() as connection:
        connection.execute(s.mentions.update().values(gone_at=morning(PLANTED["burn"])))
    (risk, *_) = facts_of(cups, story, PLANTED["burn"]).risks
    assert not risk.quotes and len(risk.mention_urls) == 3


def test_four_hundred_risks_are_five_cards_and_counts(cups, sqlite_store):
    world = World(sqlite_store)
    date = day(30)
    world.runs(date)
    topics = [f"第{n}类/毛病" for n in range(100)]
    for number in range(100):
        for _ in range(5):
            world.mention(
                date, world.complaint(topics[number % len(topics)], f"第{number}款不行", 2), sku=f"X-{number}"
            )
    world.save()
    build_incidents(cups, sqlite_store, date, now=morning(date))
    told = facts_of(cups, sqlite_store, date)
    found = rows(sqlite_store, sa.select(s.incident_days).where(s.incident_days.c.day == date))
    assert len(told.risks) == 5 and len(told.emerging) == 5 and len(told.actions) <= 5
    assert told.more_risks == len(found) - 5 > 50


def rated(*ratings: str | None) -> list[ServiceSession]:
    at = morning(day(1))
    return [
        ServiceSession(
            n, f"k{n}", "非满意", at, None, None, None, rating, None, None, None, None, None, None, 0, ()
        )
        for n, rating in enumerate(ratings)
    ]


def test_satisfaction_has_its_formula_or_says_why_not():
    value, note = satisfaction(rated(*["非常满意"] * 18, *["不满意"] * 6))
    assert value == pytest.approx(0.75) and "24 条评价" in note.text()
    assert satisfaction(rated(*["不满意"] * 50))[0] is None
    assert "样本不足" in satisfaction(rated(*["满意"] * 3, "不满意"))[1].text()
    assert satisfaction(rated(None, ""))[0] is None


def test_hot_words_need_authors_and_surprise():
    before = counted(["快递走得慢", "客服回复慢", "颜色发错了", "杯子有异味"] * 60)
    today = [(f"a{n}", "杯盖密封圈老化漏水") for n in range(12)] + [("b", "快递走得慢")]
    words = {w.word: w for w in hot_words(today, before)}
    assert "密封圈" in words and words["密封圈"].authors == 12 and words["密封圈"].z >= 3
    assert "快递" not in words
    assert hot_words([("one", "杯盖密封圈老化漏水")] * 12, before) == ()
    assert "密封圈" not in {w.word for w in hot_words(today, before, ignore=["密封圈"])}
    assert hot_words([], {}) == ()


def test_a_poor_and_a_good_session_are_shown(cups, story):
    world = World(story)
    world.sessions = 100_000
    world.session(day(40), Text("客服很耐心，换货也快，谢谢", sentiment="positive", severity=0))
    world.save()
    told = facts_of(cups, story, day(40))
    assert len(told.bad_cases) == 2 and told.good_cases[0].text.startswith("客服很耐心")


def test_a_source_that_was_only_ever_blocked_was_never_read(cups):
    name = next(iter(cups.sources))
    seen = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
    days = [dt.date(2026, 11, 2), dt.date(2026, 11, 3)]
    assert usable_days(cups, days, [], {}, {name: seen})[name] == set()
    began = dt.datetime(2026, 11, 4, tzinfo=dt.UTC)
    assert usable_days(cups, days, [], {name: began}, {name: seen})[name] == set(days)
