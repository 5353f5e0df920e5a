"""The judgement of a run: what is a fault, and what is everyday life."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crawlers.chance import count_tail, fit_share, share_tail
from crawlers.fetch import WORDS
from crawlers.health import judge
from crawlers.history import History
from crawlers.observe import holds
from crawlers.reader import retry_after
from crawlers.tally import Tally
from tests.crawlers.kit import Lab
from vocwatch.models import RunStatus, SourceStatus
from vocwatch.settings import Source
from vocwatch.store.runs import Run

NOW = dt.datetime(2026, 11, 16, tzinfo=dt.UTC)


@pytest.fixture
def source(lab: Lab) -> Source:
    lab.forum("forum", "http://127.0.0.1:1")
    return lab.settings().sources["forum"]


def healthy(**more: Any) -> Tally:
    tally = Tally(pages=42, starts=1, starts_read=1, first_page=20, listed=40, details=40, records=120)
    tally.coverage = {"detail.text": [120, 120], "detail.author": [115, 120]}
    for name, value in more.items():
        setattr(tally, name, value)
    return tally


def past(outcome: SourceStatus = SourceStatus.OK, **stats: Any) -> Run:
    usual = {"records": 120, "first_page": 20, "mode": "incremental",
             "coverage": {"detail.text": [120, 120], "detail.author": [118, 120]}}
    return Run(1, "crawl", "forum", RunStatus.DONE, outcome, None, NOW, NOW, {**usual, **stats})


def pages_of(bad: int, total: int, first: int = 0) -> Tally:
    """A run over `total` post pages of which `bad` (named from `first` on) had changed."""
    tally = healthy(details=total)
    for number in range(total):
        if number < bad:
            tally.fail("detail", "drift", f"https://a.example/{first + number}")
        else:
            tally.read("detail", empty=False)
    return tally


def days_ago(days: float, **stats: Any) -> Run:
    run = past(**stats)
    return replace(run, id=int(100 - days), started_at=NOW - dt.timedelta(days=days))


def verdict(tally: Tally, source: Source, *runs: Run) -> tuple[SourceStatus, str]:
    status, reason = judge(tally, History.of(runs), source, WORDS, incremental=bool(runs))
    return status, reason or ""


def test_everyday_life_is_no_fault(source: Source) -> None:
    tally = healthy(listed_removed=2)
    for kind in ("timeout", "forbidden"):
        tally.fail("detail", kind, "https://a.example/1")
    assert verdict(tally, source, past(), past(), past()) == (SourceStatus.OK, "")


def test_a_quiet_week_is_no_fault(source: Source) -> None:
    tally = Tally(starts=1, starts_read=1, first_page=20, listed=20, skipped=20)
    assert verdict(tally, source, past(), past(), past())[0] is SourceStatus.OK


def test_counts_of_another_kind_of_run_are_not_compared(source: Source) -> None:
    first_crawl = past(records=5000, mode="deep")
    assert verdict(healthy(records=3), source, first_crawl)[0] is SourceStatus.OK


@pytest.mark.parametrize(("change", "word"), [
    ({"details": 40, "details_failed": {"timeout": 3}}, "3 个没读出来：超时"),
    ({"listing_failed": {"server_error": 1}}, "1 页列表没读出来"),
    ({"budget": "达到页数上限 500（rate.max_pages），没有读完"}, "上限 500"),
    ({"first_page": 0}, "突然是空的"),
    ({"records": 0}, "一条内容也没读到"),
    ({"gap": True}, "max_pages"),
    ({"canary": "https://a.example/canary"}, "探针页"),
    ({"scroll_cut": 1}, "max_scrolls"),
    ({"listed_removed": 30}, "说内容已删除"),
    ({"details_refused": 40}, "robots.txt 不允许读详情页"),
    ({"errors": {"truncated": 1}}, "没收全"),
    ({"coverage": {"detail.text": [10, 120]}}, "只有 10 条读到了 detail.text"),
    ({"coverage": {"detail.text": [84, 120]}}, "detail.text 只有 70% 读到，平时 100%"),
    ({"coverage": {"detail.author": [30, 120]}}, "detail.author 只有 25% 读到"),
])
def test_faults_are_named(source: Source, change: dict[str, Any], word: str) -> None:
    from collections import Counter

    change = {k: Counter(v) if k.endswith("failed") or k == "errors" else v for k, v in change.items()}
    status, reason = verdict(healthy(**change), source, past(), past(), past())
    assert status is SourceStatus.DEGRADED and word in reason


def test_an_empty_list_without_history_is_empty(source: Source) -> None:
    tally = Tally(starts=1, starts_read=1)
    assert verdict(tally, source)[0] is SourceStatus.EMPTY
    assert verdict(tally, source, past(first_page=1), past(first_page=0))[0] is SourceStatus.EMPTY
    expecting = source.model_copy(update={"expect": source.expect.model_validate({"min_links": 5})})
    assert verdict(tally, expecting)[0] is SourceStatus.DEGRADED


@pytest.mark.parametrize(("kind", "status", "word"), [
    ("tls", SourceStatus.NOT_RUN, "TLS"), ("dns", SourceStatus.NOT_RUN, "域名"),
    ("robots", SourceStatus.NOT_RUN, "robots.txt 不允许"), ("private", SourceStatus.NOT_RUN, "内网"),
    ("drift", SourceStatus.DEGRADED, "写法变了"), ("too_large", SourceStatus.DEGRADED, "大小上限"),
])
def test_nothing_read_says_why(source: Source, kind: str, status: SourceStatus, word: str) -> None:
    tally = Tally(starts=1)
    tally.fail("listing", kind, "https://a.example/list")
    assert verdict(tally, source, past())[0] is status
    assert word in verdict(tally, source, past())[1]


def test_a_challenge_outweighs_everything(source: Source) -> None:
    tally = healthy(halted=("captcha", "出现验证页"))
    assert verdict(tally, source) == (SourceStatus.BLOCKED, "出现验证页")


def kinds(tally: Tally, source: Source, *history: Run) -> list[str]:
    judge(tally, History.of(history, NOW, "now"), source, WORDS, incremental=bool(history))
    return tally.faults


def test_the_same_few_pages_in_every_run_are_a_template_that_changed(source: Source) -> None:
    clean = [days_ago(n, shape={"detail": [0, 40]}) for n in range(3, 13)]
    ill = [days_ago(n, shape={"detail": [2, 40]}, broken=[f"{n}a", f"{n}b"]) for n in (1, 2)]
    assert kinds(pages_of(2, 60), source, *clean) == []
    assert kinds(pages_of(2, 60), source, *ill, *clean) == ["partial_drift"]


def test_one_odd_page_met_again_and_again_is_one_page(source: Source) -> None:
    tally = pages_of(1, 60)
    known = [days_ago(n, shape={"detail": [1, 60]}, broken=sorted(tally.broken)) for n in range(1, 13)]
    assert kinds(tally, source, *known) == []


def test_a_repaired_source_does_not_pay_for_its_past(source: Source) -> None:
    clean = [days_ago(n, shape={"detail": [0, 40]}) for n in range(3, 13)]
    ill = replace(days_ago(1, shape={"detail": [20, 40]}, broken=["a", "b", "c"]), outcome=SourceStatus.DEGRADED)
    assert kinds(pages_of(0, 40), source, ill, *clean) == []


def test_a_changed_source_file_starts_a_new_history_of_fields(source: Source) -> None:
    thinner = healthy(coverage={"detail.author": [40, 120]})
    assert kinds(thinner, source, *[days_ago(n) for n in range(1, 9)]) == ["fields"]
    assert kinds(thinner, source, *[days_ago(n, spec="before") for n in range(1, 9)]) == []


def test_values_that_stop_making_sense(source: Source) -> None:
    told = [days_ago(n, validity={"detail.published_at": [120, 120]}) for n in range(1, 9)]
    assert kinds(healthy(validity={"detail.published_at": [119, 120]}), source, *told) == []
    assert kinds(healthy(validity={"detail.published_at": [80, 120]}), source, *told) == ["invalid"]
    assert kinds(healthy(validity={"detail.published_at": [2, 120]}), source) == ["invalid"]


def test_one_silent_search_among_many(source: Source) -> None:
    tally = healthy()
    for name, first in (("a", 20), ("b", 0), ("c", 2)):
        tally.start(name).first = first
    usual = {"by_start": {"a": [20, 5, 0, 0], "b": [18, 4, 0, 0], "c": [2, 1, 0, 0]}}
    assert kinds(tally, source, *[days_ago(n, **usual) for n in range(1, 9)]) == ["soft_empty"]
    tally.start("b").first = 15
    assert kinds(tally, source, *[days_ago(n, **usual) for n in range(1, 9)]) == []


def test_nothing_new_for_too_long(source: Source) -> None:
    usual = {"new": 30, "hours": 24.0}
    assert kinds(healthy(new=0), source, *[days_ago(n, **usual) for n in range(1, 9)]) == ["volume"]
    assert kinds(healthy(new=14), source, *[days_ago(n, **usual) for n in range(1, 9)]) == []
    assert kinds(healthy(new=0), source, *[days_ago(n - 0.9, **usual) for n in range(1, 9)]) == []  # two hours on


def test_posts_that_all_say_the_same(source: Source) -> None:
    tally = healthy()
    for _ in range(30):
        tally.told("打开客户端查看完整内容")
    assert kinds(tally, source) == ["repeated"]


def test_decoys(source: Source) -> None:
    tally = healthy()
    tally.start("a").judged = 12
    usual = [days_ago(n, relevance=[18, 20]) for n in range(1, 9)]
    assert kinds(tally, source, *usual) == ["decoy"]
    tally.start("a").matched = 9
    assert kinds(tally, source, *usual) == []


def test_promised_comments_that_are_not_there(source: Source) -> None:
    usual = [days_ago(n, promised=[1, 30]) for n in range(1, 9)]
    assert kinds(healthy(promised=[28, 30]), source, *usual) == ["comments"]
    assert kinds(healthy(promised=[2, 30]), source, *usual) == []


def test_accepted_as_it_is(source: Source) -> None:
    thinner = healthy(coverage={"detail.author": [40, 120]})
    history = History.of([days_ago(n) for n in range(1, 9)], NOW, "now", NOW - dt.timedelta(hours=1))
    assert judge(thinner, history, source, WORDS, True)[0] is SourceStatus.OK


@pytest.mark.parametrize(("word", "text", "held"), [
    ("松果匣", "松 果-匣保温杯", True), ("松果匣", "ＳＯＮＧ松果匣", True), ("保温杯", "保溫杯漏水", True),
    ("Songguo", "SONGGUO杯", True), ("松果匣 漏水", "漏水的松果匣", True), ("松果匣", "松果与匣子", False),
    ("松果匣", "", False),
])
def test_what_counts_as_holding_a_word(word: str, text: str, held: bool) -> None:
    assert holds(word, [None, text]) is held


def test_chances() -> None:
    assert share_tail(0, 10, 1, 1) == 1.0 and share_tail(10, 10, 1, 1) == pytest.approx(1 / 11)
    assert share_tail(3, 3, 5e6, 5e6) == pytest.approx(0.125, rel=1e-3)  # a share known for sure: binomial
    assert count_tail(0, 7) == pytest.approx(math.exp(-7)) and count_tail(7, 7) > 0.5
    assert count_tail(0, 30, 0.1) == pytest.approx((10 / 40) ** 10)
    a, b = fit_share([(0, 100)] * 10)
    assert a / (a + b) == pytest.approx(0.5 / 1001)
    assert sum(fit_share([(0, 100), (60, 100)] * 5)) < 10 < sum(fit_share([(30, 100)] * 10))


@pytest.mark.parametrize(("value", "seconds"), [
    ("600", 600), ("0", 1), ("99999999999999999999", 86400), (None, 600), ("soon", 600), ("-5", 600),
    ("Mon, 16 Nov 2026 00:05:00 GMT", 300), ("Mon, 16 Nov 2020 00:05:00 GMT", 1), ("٣٠", 600),
    ("Mon, 16 Nov 99999999999999999999 00:05:00 GMT", 600),
])
def test_retry_after_in_every_form(value: str | None, seconds: float) -> None:
    assert retry_after(value, NOW) == seconds


def test_every_error_kind_has_words() -> None:
    import re

    code = "".join(path.read_text() for path in (Path(__file__).parents[2] / "crawlers").glob("*.py"))
    kinds = set(re.findall(r'(?:Refusal|return) ?\(?"([a-z_]+)"\)', code))
    assert kinds - {"halted", "budget"} <= set(WORDS)
