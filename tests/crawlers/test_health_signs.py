"""What an extraction hands to the judgement of a run: emptied or changed, kept out, there but senseless."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from crawlers.extractors import Extraction, extract
from tests.crawlers.kit import Lab
from vocwatch.models import Page
from vocwatch.settings import Source

NOW = dt.datetime(2026, 11, 16, tzinfo=dt.UTC)
FRAME = "<!doctype html><meta charset=utf-8><title>论坛</title><body>{}<footer><a href=/about>关于我们</a></footer>"
ROW = '<li class={}><a href="/p/{}" data-id="{}">杯盖漏水求助 {}</a><span>网友发表于昨天</span></li>'


@pytest.fixture
def source(lab: Lab) -> Source:
    lab.forum("forum", "http://127.0.0.1:1")
    return lab.settings().sources["forum"]


def read(source: Source, step: str, body: str, **more: Any) -> Extraction:
    page = Page("http://127.0.0.1:1/x", body.encode(), NOW, **more)
    return extract(page, getattr(source, step), source, NOW, ZoneInfo("Asia/Shanghai"))


def rows(name: str) -> str:
    return "".join(ROW.format(name, n, n, n) for n in range(20))


@pytest.mark.parametrize(("step", "body", "state"), [
    ("listing", FRAME.format(f"<ul>{rows('item')}</ul>"), "ok"),
    ("listing", FRAME.format(f"<ul>{rows('x9')}</ul>"), "drift"),
    ("listing", FRAME.format("<ul></ul>"), "hollow"),
    ("listing", FRAME.format("<ul></ul><p>没有找到相关内容</p>"), "empty"),
    ("detail", FRAME.format("<p>抱歉，没有找到该页面</p>"), "removed"),
    ("detail", FRAME.format("<div></div>"), "drift"),
    ("listing", '{"code": 461, "msg": "请按住滑块完成验证"}', "captcha"),
    ("listing", '{"code": -101, "message": "请先登录"}', "login"),
    ("detail", '{"error": {"message": "too many requests"}}', "blocked"),
    ("listing", '{"broken', "drift"),
])
def test_emptied_changed_and_walled_are_told_apart(source: Source, step: str, body: str, state: str) -> None:
    assert read(source, step, body).state == state


def test_rows_without_what_they_must_have_are_kept_out_and_counted(source: Source) -> None:
    comments = "".join(f'<div class=c id=c{n}><b>甲</b>{"<p>漏水</p>" if n % 2 else ""}</div>' for n in range(6))
    found = read(source, "detail", FRAME.format(f"<article data-id=1><h1>求助</h1><p class=text>漏水</p></article>{comments}"))
    assert len(found.records) == 4 and found.quarantined == 3


@pytest.mark.parametrize(("time", "valid"), [
    ("2026-11-10 12:00", (1, 1)), ("第七个时辰", (0, 1)), ("2031-01-01 00:00", (0, 1)), ("", None),
])
def test_a_time_that_is_there_has_to_make_sense(source: Source, time: str, valid: tuple[int, int] | None) -> None:
    body = FRAME.format(f"<article data-id=1><h1>求助</h1><time>{time}</time><p class=text>漏水</p></article>")
    assert read(source, "detail", body).validity.get("published_at") == valid


def test_fields_of_links_are_counted_apart(source: Source) -> None:
    body = FRAME.format(f"<ul>{rows('item')}<li class=item><a>没有地址</a></li></ul>")
    found = read(source, "listing", body)
    assert found.links_coverage == {"url": (20, 21), "native_id": (20, 21)} and not found.coverage
    assert found.validity["links.url"] == (20, 20)
