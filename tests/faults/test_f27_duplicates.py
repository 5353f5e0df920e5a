"""F27: the same post found twice, by other addresses, on shifting pages; copies of it by others.

Figures: exact duplicates 0; near-duplicates F1 over all pairs of an invented set.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest
import sqlalchemy as sa

from crawlers.extractors import canonical_url, page_key
from crawlers.runner import CrawlResult, crawl
from reports.clusters import collapse
from tests.conftest import ROOT
from tests.crawlers.kit import Lab
from tests.crawlers.site import Answer, Post, Site
from tests.faults.f27_copies import COPIES, NEIGHBOURS, ORIGINS
from vocwatch.fingerprint import fingerprint
from vocwatch.models import SourceStatus, TextKind
from vocwatch.store import Store, open_store
from vocwatch.store.incidents import Heard
from vocwatch.store.schema import mentions, revisions

# -- the same address in other clothes -------------------------------------------------------------------------

POST = "https://www.example.com/t/42?page=1&id=7"
SAME = [
    "http://www.example.com/t/42?page=1&id=7", "https://example.com/t/42?page=1&id=7",
    "https://m.example.com/t/42?page=1&id=7", "https://WWW.Example.com:443/t/42?page=1&id=7",
    "https://www.example.com/t/42/?page=1&id=7", "https://www.example.com/t/42?id=7&page=1",
    "https://www.example.com/t/42?page=1&id=7&utm_source=weibo&utm_medium=social",
    "https://www.example.com/t/42?spm=a.1&page=1&id=7&share_token=x&from=timeline",
    "https://www.example.com/t/42?page=1&id=7#comments", "https://www.example.com/t/42?page=1&id=7#c12",
    "https://wap.example.com/t/42?page=1&id=7&gclid=1&fbclid=2", "https://www.example.com/t/%34%32?page=1&id=7",
]
OTHERS = [
    "https://www.example.com/t/43?page=1&id=7", "https://www.example.com/t/42?page=2&id=7",
    "https://www.example.com/t/42?page=1", "https://bbs.example.com/t/42?page=1&id=7",
    "https://www.example.com:8443/t/42?page=1&id=7", "https://www.example.com/t/42/1?page=1&id=7",
    "https://www.example.com/T/42?page=1&id=7", "https://www.example.org/t/42?page=1&id=7",
    "https://www.example.com/t/42?page=1&id=7#!/reply/3",
]


@pytest.mark.parametrize("url", SAME)
def test_one_page_has_one_key(url: str) -> None:
    assert page_key(url) == page_key(POST)
    assert page_key(page_key(url)) == page_key(url)
    assert canonical_url(url).startswith(("https://", "http://"))


def test_other_pages_have_other_keys() -> None:
    assert len({page_key(url) for url in (POST, *OTHERS)}) == len(OTHERS) + 1
    assert page_key("https://m.cn/t/1") != page_key("https://cn/t/1")


# -- crawls ----------------------------------------------------------------------------------------------------

WITHOUT_IDS = """
name: {name}
title: 没有编号的论坛
owner: 值班QA
access: {{basis: 测试, robots: 允许, reviewer: 值班QA, date: 2026-11-01}}
rate: {{delay_seconds: 0, concurrency: 2}}
start: [{start}]
{extra}
listing:
  extract: html
  links: {{items: "li.item", fields: {{url: "a@href"}}}}
  next: {{link: "a.next"}}
detail:
  extract: html
  records:
    - kind: post
      fields: {{title: "h1", text: "p.text", author: "b.by", published_at: "time"}}
    - kind: comment
      items: "div.c"
      fields: {{text: "p", author: "b"}}
"""


class Shifting:
    """A busy forum: each time its list is asked for, two new posts have come in."""

    def __init__(self, site: Site):
        self._site, self._next = site, max(site.posts) + 1
        site.rule = self._answer

    def _answer(self, path: str) -> Answer | None:
        if path.startswith("/list?page=") and path != "/list?page=1":
            for _ in range(2):
                self._site.posts[self._next] = Post(self._next, f"刚写的第{self._next}条，水壶断电")
                self._next += 1
        return None


def _variants(site: Site) -> None:
    """Each list page names each post by several addresses, and the page itself answers to all of them."""
    clothes = ("{}", "{}?utm_source=list", "{}/", "{}#reply", "{}?from=hot&spm=1.2")

    def rule(path: str) -> Answer | None:
        bare = path.split("?")[0]
        if bare == "/list":
            rows = "".join(
                f'<li class=item><a href="{form.format(f"/p/{number}")}">帖子</a></li>'
                for number in site.posts for form in clothes
            )
            return site._html(f"<ul>{rows}</ul>")
        if bare.startswith("/p/"):
            return site._post(int(bare.strip("/").split("/")[1]))
        return None

    site.rule = rule


@pytest.fixture(scope="module")
def crawled(
    tmp_path_factory: pytest.TempPathFactory, ready_workers: None
) -> Iterator[tuple[Store, dict[str, Site], list[CrawlResult]]]:
    """Two crawls of each site."""
    home: Path = tmp_path_factory.mktemp("copies")
    shutil.copytree(ROOT / "config", home / "config")
    lab, sites = Lab(home), {name: Site(posts=24) for name in ("keywords", "shifting", "variants")}
    _variants(sites["variants"])
    Shifting(sites["shifting"])
    for name, site in sites.items():
        start, extra = f'"{site.url}/list?page=1"', ""
        if name == "keywords":
            start, extra = f'"{site.url}/list?page=1&q={{keyword}}"', "keywords: [保温杯, 杯盖, 漏水]"
        lab.source(name, WITHOUT_IDS.format(name=name, start=start, extra=extra))
        lab.hosts.append(site.host)
    store = open_store(f"sqlite:///{home / 'test.sqlite3'}")
    first = crawl(lab.settings(store.url), store)
    again = crawl(lab.settings(store.url, now="2026-11-17T08:30:00"), store)
    yield store, sites, [*first, *again]
    store.close()
    for site in sites.values():
        site.close()


def _texts(store: Store, source: str) -> list[str]:
    query = sa.select(revisions.c.text).join(mentions, mentions.c.revision_id == revisions.c.id)
    with store.read() as connection:
        return list(connection.execute(query.where(mentions.c.source == source)).scalars())


@pytest.mark.parametrize("name", ["keywords", "shifting", "variants"])
def test_every_post_is_one_mention(crawled: tuple[Store, dict[str, Site], list[CrawlResult]], name: str) -> None:
    store, sites, results = crawled
    assert all(result.status is SourceStatus.OK for result in results if result.source == name), results
    texts = _texts(store, name)
    assert len(texts) == len(set(texts)), "a text is there twice"
    posts = [post for post in sites[name].posts.values() if name != "shifting" or post.number <= 24]
    assert {post.text for post in posts} <= set(texts)
    assert {comment for post in posts for comment in post.comments} <= set(texts)


def test_three_words_that_find_the_same_posts_fetch_each_once(
    crawled: tuple[Store, dict[str, Site], list[CrawlResult]]
) -> None:
    _, sites, _ = crawled
    details = [path for path in sites["keywords"].log if path.startswith("/p/")]
    assert max(details.count(path) for path in details) <= 2  # once in each of two crawls, a day apart


# -- copies by other people ------------------------------------------------------------------------------------

START = dt.datetime(2026, 11, 9, 1, tzinfo=dt.UTC)


def _heard(number: int, text: str) -> Heard:
    at = START + dt.timedelta(minutes=number)
    return Heard(
        TextKind.MENTION, number, f"n{number}", "forum", at, at, text, "negative", -0.8, 0.9, 2, (), (), (), "customer",
        True, fingerprint(text), author=f"a{number}",
    )


def test_near_copies_are_told_from_texts_that_sound_alike() -> None:
    labelled: list[tuple[int, str]] = []  # (who said it first, text)
    for origin, text in enumerate(ORIGINS):
        labelled.append((origin, text))
        labelled += [(origin, change(text)) for change in COPIES.values()]
    labelled += [(len(ORIGINS) + number, text) for number, text in enumerate(NEIGHBOURS)]
    cluster = collapse(_heard(number, text) for number, (_, text) in enumerate(labelled))
    right = missed = wrong = 0
    for one, other in combinations(range(len(labelled)), 2):
        same, found = labelled[one][0] == labelled[other][0], cluster[one] == cluster[other]
        right += same and found
        missed += same and not found
        wrong += found and not same
    f1 = 2 * right / (2 * right + missed + wrong)
    assert f1 >= 0.95, f"F1 {f1:.3f}: {missed} pairs missed, {wrong} wrongly joined of {right + missed}"
    assert not wrong


def test_a_cluster_is_counted_once_with_its_size() -> None:
    texts = [_heard(number, change(ORIGINS[0])) for number, change in enumerate(COPIES.values(), 1)]
    cluster = collapse([_heard(0, ORIGINS[0]), *texts, _heard(99, ORIGINS[1])])
    assert set(cluster.values()) == {0, 99}
    assert sum(origin == 0 for origin in cluster.values()) == len(COPIES) + 1
