"""The judgement of a run: what is a fault, and what is everyday life."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from crawlers.fetch import WORDS
from crawlers.health import History, Tally, judge
from crawlers.hosts import HostRules, is_public
from crawlers.reader import retry_after
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


@pytest.mark.parametrize(("value", "seconds"), [
    ("600", 600), ("0", 1), ("99999999999999999999", 86400), (None, 600), ("soon", 600), ("-5", 600),
    ("Mon, 16 Nov 2026 00:05:00 GMT", 300), ("Mon, 16 Nov 2020 00:05:00 GMT", 1), ("٣٠", 600),
])
def test_retry_after_in_every_form(value: str | None, seconds: float) -> None:
    assert retry_after(value, NOW) == seconds


@pytest.mark.parametrize("address", [
    "127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "100.100.100.200", "0.0.0.0",
    "224.0.0.1", "::1", "::", "fe80::1", "fd00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::",
])
def test_private_addresses(address: str) -> None:
    import ipaddress

    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(("url", "answer"), [
    ("http://127.0.0.1:8101/x", None), ("http://127.0.0.1:8102/x", "private"), ("http://[::1]/", "private"),
    ("http://0x7f.1/", "private"), ("http://2130706433/", "private"), ("ftp://127.0.0.1:8101/", "scheme"),
    ("file:///etc/passwd", "scheme"), ("http://", "scheme"), ("http://[oops/", "scheme"), ("//x/", "scheme"),
    ("https://8.8.8.8/", None), ("http://user@127.0.0.1/", "private"), ("http://intern.example/", None),
])
def test_host_rules(url: str, answer: str | None) -> None:
    import asyncio

    rules = HostRules(["127.0.0.1:8101", "Intern.example"])
    assert asyncio.run(rules.refusal(url)) == answer


def test_every_error_kind_has_words() -> None:
    import re

    code = "".join(path.read_text() for path in (Path(__file__).parents[2] / "crawlers").glob("*.py"))
    kinds = set(re.findall(r'(?:Refusal|return) ?\(?"([a-z_]+)"\)', code))
    assert kinds - {"halted", "budget"} <= set(WORDS)
