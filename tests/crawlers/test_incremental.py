"""Only what is new or changed: conditional requests, re-readings, engagement, deletions, split searches, probes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa

from crawlers import stop
from crawlers.runner import CrawlResult, crawl
from tests.crawlers.kit import Lab, rows
from tests.crawlers.site import CAPTCHA, Answer, Post, Site
from vocwatch.models import SourceStatus
from vocwatch.store import Store, mentions, pages
from vocwatch.store.schema import mentions as mention_table

MakeSite = Callable[..., Site]
pytestmark = pytest.mark.usefixtures("ready_workers")


def run(lab: Lab, store: Store, now: str) -> CrawlResult:
    [result] = crawl(lab.settings(store.url, now=now), store)
    return result


def test_an_unchanged_site_costs_almost_nothing_the_second_time(sqlite_store: Store, lab: Lab, make_site: MakeSite) -> None:
    site = make_site(posts=40)
    for post in site.posts.values():
        post.posted, post.text = "2026-11-16 07:40", post.text + "，杯身烫手" * 500
    site.etags = True
    lab.forum("forum", site.url)
    first = run(lab, sqlite_store, "2026-11-16T08:30:00")
    whole, before = site.sent, rows(sqlite_store)
    site.log.clear()
    site.sent = 0
    again = run(lab, sqlite_store, "2026-11-16T09:00:00")  # an hour after posting: every page is due
    assert (first.status, again.status, again.reason) == (SourceStatus.OK, SourceStatus.OK, None)
    assert len(site.content_log) >= 40
    assert again.stats["unchanged"] == len(site.content_log) and again.stats["bytes"] == 0
    assert site.sent <= 0.01 * whole
    assert rows(sqlite_store) == before
    site.log.clear()
    run(lab, sqlite_store, "2026-11-16T10:00:00")  # nothing is due: known ground ends the listing after two pages
    assert site.content_log == ["/list?page=1", "/list?page=2"]
    settings = lab.settings(sqlite_store.url, now="2026-11-16T10:20:00")
    stop.stop_all(settings, "盘点")
    [put_off] = crawl(settings, sqlite_store)
    stop.resume_all(settings)
    assert put_off.status is SourceStatus.NOT_RUN
    site.log.clear()
    run(lab, sqlite_store, "2026-11-16T10:40:00")
    assert len(site.content_log) == 2, "a run that was put off says nothing against the ground known before"


def test_a_304_whose_body_is_gone_is_asked_for_in_full(sqlite_store: Store, lab: Lab, make_site: MakeSite) -> None:
    site = make_site(posts=3)
    site.etags = True
    lab.forum("forum", site.url)
    run(lab, sqlite_store, "2026-11-16T08:30:00")
    for path in (lab.home / "var" / "evidence").rglob("*.gz"):
        path.unlink()
    site.posts[2].likes = 5
    again = run(lab, sqlite_store, "2026-11-17T09:00:00")
    assert again.status is SourceStatus.OK and again.stats["records"] == 4
    with sqlite_store.read() as connection:
        known = pages.validators(connection, "forum", dt.datetime(2026, 11, 1, tzinfo=dt.UTC))
    assert all(pages.read_evidence(lab.home / "var" / "evidence", page.sha256) for page in known.values())


def test_a_changed_source_file_reads_stored_pages_again(sqlite_store: Store, lab: Lab, make_site: MakeSite) -> None:
    site = make_site(posts=5)
    site.etags = True
    lab.forum("forum", site.url)
    run(lab, sqlite_store, "2026-11-16T08:30:00")
    path = lab.home / "config" / "sources" / "forum.yaml"
    path.write_text(path.read_text().replace('title: "h1"', 'shop: "h1"'))
    again = run(lab, sqlite_store, "2026-11-16T08:40:00")
    assert again.stats["unchanged"] == again.stats["pages"] and again.stats["bytes"] == 0
    with sqlite_store.read() as connection:
        shops = set(connection.execute(sa.select(mention_table.c.shop).where(mention_table.c.parent.is_(None))).scalars())
    assert shops == {f"求助{n}" for n in range(1, 6)}


def test_a_listing_that_counts_replies_tells_what_to_read(sqlite_store: Store, lab: Lab, make_site: MakeSite) -> None:
    site = make_site(posts=9)
    for post in site.posts.values():
        post.posted = "2026-09-01 12:00"
    lab.forum("forum", site.url)
    path = lab.home / "config" / "sources" / "forum.yaml"
    path.write_text(path.read_text().replace('native_id: "a@data-id"}', 'native_id: "a@data-id", replies: "u"}'))
    run(lab, sqlite_store, "2026-11-16T08:30:00")
    run(lab, sqlite_store, "2026-11-18T08:30:00")
    site.posts[4].comments.append("我家的也炸了")
    site.log.clear()
    again = run(lab, sqlite_store, "2026-11-22T08:30:00")
    assert site.content_log == ["/list?page=1", "/p/4"] and again.stats["new"] == 1


def test_engagement_goes_on_as_a_series(sqlite_store: Store, lab: Lab, make_site: MakeSite) -> None:
    site = make_site(posts=1)
    site.posts[1] = Post(1, "杯盖漏水", likes=3, posted="2026-11-16 08:00")
    lab.forum("forum", site.url)
    for now, likes in (("08:30", 3), ("09:10", 40), ("14:30", 1200)):
        site.posts[1].likes = likes
        run(lab, sqlite_store, f"2026-11-16T{now}:00")
    with sqlite_store.read() as connection:
        [which] = connection.execute(sa.select(mention_table.c.id)).scalars()
        series = mentions.engagement_series(connection, which)
    assert [point["likes"] for point in series] == [3, 40, 1200]


def test_F29_deletions_need_two_looks_a_day_apart(store: Store, lab: Lab, make_site: MakeSite) -> None:
    """A page that is missing for an hour is not deleted; one that is missing a day later is, with its comments."""
    site = make_site(posts=12)
    lab.forum("forum", site.url)
    run(lab, store, "2026-11-16T08:30:00")
    for number in (3, 6):
        site.posts[number].removed = True

    def marked() -> dict[str, tuple[bool, bool]]:
        query = sa.select(mention_table.c.native_id, mention_table.c.missing_since, mention_table.c.gone_at)
        with store.read() as connection:
            found = connection.execute(query.where(mention_table.c.missing_since.is_not(None)))
            return {row.native_id: (True, row.gone_at is not None) for row in found}

    first = run(lab, store, "2026-11-17T08:30:00")
    assert first.stats["missing"] == 4 and first.stats["removed"] == 0
    assert marked() == dict.fromkeys(["3", "c3-0", "6", "c6-0"], (True, False))
    site.posts[6].removed = False  # it was an accident of the site
    site.log.clear()
    early = run(lab, store, "2026-11-17T20:30:00")
    assert early.stats["removed"] == 0 and "/p/3" not in site.log
    second = run(lab, store, "2026-11-18T08:31:00")
    assert second.stats["removed"] == 2
    assert marked() == dict.fromkeys(["3", "c3-0"], (True, True))
    site.log.clear()
    run(lab, store, "2026-11-19T08:31:00")
    assert "/p/3" not in site.log


REVIEWS = """
name: shop
title: 测试商店
owner: 值班QA
access: {{basis: 测试, robots: 允许, reviewer: 值班QA, date: 2026-11-01}}
rate: {{delay_seconds: 0}}
start: ["{url}/reviews"]
detail:
  extract: html
  records:
    - kind: review
      items: "li.item"
      fields: {{native_id: "a@data-id", url: "a@href", text: "p", published_at: "time", replies: "u"}}
"""


def test_F29_a_review_that_left_its_list_is_looked_for_at_its_own_address(
    sqlite_store: Store, lab: Lab, make_site: MakeSite
) -> None:
    site = make_site(posts=9)

    def reviews(path: str) -> Answer | None:
        shown = [post for n, post in site.posts.items() if not post.removed and n not in moved]
        return site._html("".join(
            f'<li class=item><a href="/p/{p.number}" data-id="{p.number}">评价</a><p>{p.text}</p><time>{p.posted}</time></li>'
            for p in shown
        )) if path == "/reviews" else None

    moved: set[int] = set()
    site.rule = reviews
    for post in site.posts.values():
        post.posted = "2026-11-15 12:00"
    lab.source("shop", REVIEWS.format(url=site.url))
    lab.hosts.append(site.host)
    run(lab, sqlite_store, "2026-11-16T08:30:00")
    site.posts[4].removed, moved = True, {7}
    site.log.clear()
    first = run(lab, sqlite_store, "2026-11-16T12:30:00")
    assert sorted(site.content_log) == ["/p/4", "/p/7", "/reviews"]
    assert (first.status, first.stats["missing"], first.stats["removed"]) == (SourceStatus.OK, 1, 0)
    second = run(lab, sqlite_store, "2026-11-17T12:31:00")
    assert (second.stats["missing"], second.stats["removed"]) == (0, 1)
    with sqlite_store.read() as connection:
        gone = connection.execute(sa.select(mention_table.c.native_id).where(mention_table.c.gone_at.is_not(None)))
        assert list(gone.scalars()) == ["4"]


def test_F29_a_comment_that_is_gone_from_a_page_read_whole_is_deleted(
    sqlite_store: Store, lab: Lab, make_site: MakeSite
) -> None:
    site = make_site(posts=2)
    site.posts[1].comments, site.posts[2].comments = ["同款漏水", "我的也是"], ["还行"]
    lab.forum("forum", site.url)
    path = lab.home / "config" / "sources" / "forum.yaml"
    path.write_text(path.read_text().replace('native_id: "a@data-id"}', 'native_id: "a@data-id", replies: "u"}'))
    run(lab, sqlite_store, "2026-11-16T08:30:00")
    site.posts[1].comments = ["同款漏水"]
    assert run(lab, sqlite_store, "2026-11-17T08:30:00").stats["missing"] == 1
    assert run(lab, sqlite_store, "2026-11-18T08:31:00").stats["removed"] == 1
    with sqlite_store.read() as connection:
        gone = connection.execute(sa.select(mention_table.c.native_id).where(mention_table.c.gone_at.is_not(None)))
        assert list(gone.scalars()) == ["c1-1"]


SEARCH = """
name: search
title: 测试搜索
owner: 值班QA
access: {{basis: 测试, robots: 允许, reviewer: 值班QA, date: 2026-11-01}}
rate: {{delay_seconds: 0}}
keywords: [漏水]
start: ["{url}/search?q={{keyword}}&from={{since}}&to={{until}}&page={{page}}"]
split: {{days: 8, cap: 20, format: "%s", min_hours: 6}}
listing:
  extract: json
  records:
    - kind: post
      items: "rows"
      fields: {{native_id: id, text: text, published_at: at}}
"""


def test_a_search_that_caps_its_results_is_split_by_time(
    sqlite_store: Store, lab: Lab, make_site: MakeSite, tmp_path: Path
) -> None:
    import json

    now = int(dt.datetime(2026, 11, 16, 0, 30, tzinfo=dt.UTC).timestamp())
    posted = [now - n * 3600 for n in range(1, 150)]  # one an hour
    burst = [now - 50_000 - n for n in range(30)]  # more within six hours than the search ever shows
    site = make_site()

    def search(path: str) -> Answer | None:
        if not path.startswith("/search"):
            return None
        query = {key: value[0] for key, value in parse_qs(urlsplit(path).query).items()}
        there = sorted((at for at in shown if int(query["from"]) <= at < int(query["to"])), reverse=True)[:20]
        number = int(query["page"])
        found = there[(number - 1) * 10:number * 10]
        return Answer(json.dumps({"rows": [{"id": f"p{at}", "text": f"杯子漏水 {at}", "at": at} for at in found]}),
                      headers={"Content-Type": "application/json"})

    site.rule = search
    lab.source("search", SEARCH.format(url=site.url))
    lab.hosts.append(site.host)
    shown = posted
    whole = run(lab, sqlite_store, "2026-11-16T08:30:00")
    assert (whole.status, whole.reason) == (SourceStatus.OK, None)
    assert len(rows(sqlite_store)["texts"]) == 149
    site.log.clear()
    run(lab, sqlite_store, "2026-11-16T09:30:00")
    assert len(site.content_log) < 20  # from a day before the newest post, not eight days back
    shown = posted + burst
    capped = run(lab, sqlite_store, "2026-11-17T00:30:00")
    assert capped.status is SourceStatus.DEGRADED and "上限" in str(capped.reason)


def test_F13_F14_a_blocked_source_is_probed_by_one_request_an_hour(
    sqlite_store: Store, lab: Lab, make_site: MakeSite
) -> None:
    site = make_site(posts=20)
    lab.forum("forum", site.url, concurrency=4)
    path = lab.home / "config" / "sources" / "forum.yaml"
    start = f'"{site.url}/list?page=1"'
    path.write_text(path.read_text().replace(start, f'{start}, "{site.url}/list?page=2", "{site.url}/list?page=3"'))
    site.rule = lambda asked: CAPTCHA if asked.startswith("/list") else None
    asked_at = []
    moment = dt.datetime(2026, 11, 16, 8, 30)  # noqa: DTZ001 - in the zone of the settings
    for _ in range(40):  # every quarter of an hour for ten hours
        site.log.clear()
        result = run(lab, sqlite_store, moment.isoformat())
        assert result.status in (SourceStatus.BLOCKED, SourceStatus.NOT_RUN) and result.reason
        if site.content_log:
            asked_at.append((moment, len(site.content_log)))
        moment += dt.timedelta(minutes=15)
    waits = [(after[0] - before[0]).total_seconds() for before, after in pairwise(asked_at)]
    assert waits and min(waits) >= 3600 and waits == sorted(waits)
    assert [count for _, count in asked_at[1:]] == [1] * len(waits)
    site.rule = lambda asked: None
    well = run(lab, sqlite_store, "2026-11-18T08:30:00")
    assert well.status is SourceStatus.OK and well.stats["listed"] == 20
    with sqlite_store.read() as connection:
        assert pages.read_state(connection, "forum") == pages.SourceState(
            dt.datetime(2026, 11, 10, 4, tzinfo=dt.UTC), None, 0)


@pytest.mark.parametrize("template", ["https://a.example/?q={since}", "https://a.example/"])
def test_windows_and_split_are_written_together(lab: Lab, template: str) -> None:
    from vocwatch.settings import ConfigError

    text = SEARCH.format(url="https://a.example").replace("split:", "limits: x\nsplit:" if "since" not in template else "limits:")
    if "since" not in template:
        text = text.replace("&from={since}&to={until}", "")
    else:
        text = text.replace('limits: {days: 8, cap: 20, format: "%s", min_hours: 6}', "limits: x")
    lab.source("search", text)
    with pytest.raises(ConfigError, match="split"):
        lab.settings()
