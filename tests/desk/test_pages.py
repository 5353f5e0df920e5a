"""Every page of the desk over the forty days: its numbers, its links, what it says when there is nothing, both languages."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from reports.desk.ask import Desk, Question, ask
from reports.web.desk.today import differences
from tests.reports import factory
from tests.web.login import LoggedIn, client_of
from vocwatch.store import digests

LEAK = "产品质量/漏水"
PAGES = (
    "/", "/?date=2026-11-14", "/?view=now", "/?date=2026-10-20", "/today/changes?date=2026-11-15", "/incidents", "/incidents?state=待核",
    "/mentions", "/mentions?q=漏水", "/mentions/facets?q=漏水", "/mentions/1051", "/topics", "/topics?topic=产品质量&step=week", "/topics/rivals",
    f"/topics/compare?topic={LEAK}&on=2026-11-05", "/topics/compare", "/sessions", "/sessions/overview", "/sessions/KF00507", "/sessions/1",
)


@pytest.fixture
def client(console: Desk) -> Iterator[LoggedIn]:
    with client_of(console.settings, console.store, "analyst") as found:
        yield found


def settled(client: LoggedIn, path: str) -> str:
    """The page once what is counted beside it is there."""
    for _ in range(100):
        answer = client.get(path)
        if "正在按现有数据计算" not in answer.text:
            assert answer.status_code == 200, path
            return answer.text
    raise AssertionError(path)


def numbers(text: str) -> list[tuple[str, int]]:
    """The (address, number) of every number that is a link."""
    return [
        (html.unescape(href), int(said.replace(",", ""))) for href, said in re.findall(r'<a class="num" href="([^"]+)">([\d,]+)</a>', text)
    ]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_stands_in_both_languages(client: LoggedIn, path: str) -> None:
    zh = settled(client, path)
    assert '<html lang="zh-CN">' in zh and "<h1" in zh
    client.cookies.set("lang", "en")
    en = client.get(path)
    assert en.status_code == 200 and '<html lang="en">' in en.text and "Mentions" in en.text


def test_F31_no_page_carries_script_or_style_of_its_own_and_nothing_from_elsewhere(client: LoggedIn) -> None:
    for path in PAGES:
        text = client.get(path).text
        scripts = re.findall(r"<script([^>]*)>", text)
        assert all("src=" in s or 'type="application/json"' in s for s in scripts), path
        assert " style=" not in text and "<style" not in text and not re.search(r"\son\w+=", re.sub(r">[^<]*<", "><", text)), path
        assert not re.search(r'(?:src|action)="(?:https?:)?//', text), path


def test_every_number_of_the_digest_opens_as_many_rows(client: LoggedIn, console: Desk) -> None:
    found = numbers(client.get("/").text)
    assert len(found) > 12
    for href, number in found:
        parts = urlsplit(href)
        question = Question.from_params(parse_qs(parts.query))
        answer = ask(console, parts.path.removeprefix("./"), question)
        told = {row["incident"] for row in answer.rows} if "incidents" in parts.path else {row.get("session", row["id"]) for row in answer.rows}
        assert len(told) == number, (href, number, len(told))


def test_every_number_of_the_other_views_opens_as_many_rows(client: LoggedIn, console: Desk) -> None:
    views = {path: numbers(settled(client, path)) for path in ("/incidents?since=2026-10-20", "/topics?topic=产品质量", "/sessions/overview")}
    for path, found in views.items():
        assert found, path
        for href, number in found[:60]:
            parts = urlsplit(href)
            question = Question.from_params(parse_qs(parts.query))
            assert ask(console, parts.path.lstrip("./"), question, limit=0).total == number, (path, href)


def test_the_digest_as_sent_stays_and_what_came_later_is_told(client: LoggedIn, console: Desk) -> None:
    with console.store.read() as connection:
        told = digests.load(connection, factory.LAST, "qa")
    assert told and f">{told['indicators'][1]['value']}</a>" in client.get("/").text
    assert "和发出时一致" in settled(client, "/today/changes?date=2026-11-15")
    world = factory.World(console.store, 5)
    world.mentions = world.sessions = 20_000
    for _ in range(4):
        world.mention(factory.LAST, world.complaint("产品质量/掉漆", "杯盖边上掉漆了"), sku="PC-B2")
    world.save()
    fresh = client_of(console.settings, console.store, "analyst")
    with fresh as other:
        assert f">{told['indicators'][1]['value']}</a>" in other.get("/").text
        late = settled(other, "/today/changes?date=2026-11-15")
    assert "负面" in late and f">{told['indicators'][1]['value'] + 4}</span>" in late


def test_differences_name_what_came_went_and_moved() -> None:
    def told(**risks: str) -> dict[str, object]:
        listed = [{"incident": name, "level": level, "title": name} for name, level in risks.items()]
        return {"indicators": [{"name": "负面", "value": len(listed)}], "coverage": {"percent": 90}, "risks": listed}

    found = differences(told(a="红", b="黄"), told(b="橙", c="蓝", d="蓝"))
    assert found["numbers"] == [("负面", 2, 3)] and [r["incident"] for r in found["gone"]] == ["a"]
    assert [r["incident"] for r in found["came"]] == ["c", "d"] and [(o["level"], n["level"]) for o, n in found["moved"]] == [("黄", "橙")]


def test_nothing_found_and_nothing_read_are_told_apart(client: LoggedIn) -> None:
    quiet = client.get("/mentions?q=没有人这样说&since=2026-11-01&until=2026-11-10").text
    assert "没有符合条件的提及" in quiet and "不能当作没有" not in quiet
    blind = client.get("/mentions?q=没有人这样说&since=2026-11-13&until=2026-11-13&source=notes").text
    assert "没有读到提及，但不能当作没有" in blind and "笔记站" in blind
    assert "没有导入任何会话" in client.get("/sessions?since=2025-01-01&until=2025-01-31").text
    assert "导入过会话，只是没有符合条件的" in client.get("/sessions?since=2026-11-01&q=没有人这样说").text


def test_a_blind_day_of_a_chart_is_unknown_and_hatched(client: LoggedIn) -> None:
    text = client.get("/topics?since=2026-11-08&until=2026-11-15&source=notes").text
    assert '"hatch"' in text and "斜纹" in text
    rows = re.search(r'<tr><th scope="row">11-13\*?</th>(.*?)</tr>', text)
    assert rows and "未知" in rows.group(1) and ">0<" not in rows.group(1)


@pytest.mark.parametrize(("path", "said"), [
    ("/mentions?q=漏水 AND", "末尾还缺一个词"), ("/mentions?q=(漏水", "第 1 个字处的括号没有配对"), ("/mentions?since=昨天", "日期看不懂"),
    ("/mentions?sentiment=bad", "没有 bad"), ("/incidents?level=紫", "没有 紫"), ("/topics?since=2026-11-10&until=2026-11-01", "晚于"),
    ("/sessions?path=x", "没有 x"), ("/topics/compare?topic=没有&on=2026-11-01", "主题表里没有"),
    (f"/topics/compare?topic={LEAK}&on=2026-11-16", "还没过完"), ("/mentions?severity=9", "整数"), ("/mentions?q=%22%22", "引号里是空的"),
])
def test_what_cannot_be_asked_is_told_where_and_how(client: LoggedIn, path: str, said: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 400 and said in answer.text and "role=\"alert\"" in answer.text


def test_F36_operators_and_wild_cards_in_a_search_are_words_or_told(client: LoggedIn) -> None:
    for text in ("'; DROP TABLE mentions;--", "%", "_", "a*", "{}^~:", "NEAR(", '"', "漏水) OR 1=1 --", "\x00", "NOT", "*" * 3000, "漏水 NEAR/9999 杯"):
        for path in ("/mentions", "/mentions/facets", "/sessions", "/topics", "/incidents"):
            assert client.get(path, params={"q": text}).status_code in (200, 400), (path, text)
    assert client.get("/mentions?q=漏水").text.count("data-row") > 20


@pytest.mark.parametrize("path", [
    "/mentions/999999", "/mentions/0", "/sessions/nobody", "/incidents/INC-none", "/incidents/INC-none/explain", "/export/mentions.exe", "/export/x.csv",
])
def test_what_is_not_there_is_told(client: LoggedIn, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404 and '<html lang="zh-CN">' in answer.text and "系统出错" not in answer.text


def test_pages_turn_and_every_row_is_shown_once(client: LoggedIn) -> None:
    seen: list[str] = []
    path = "/mentions?since=2026-11-01&until=2026-11-15"
    while path:
        text = client.get(path).text
        seen += re.findall(r'data-main href="mentions/(\d+)"', text)
        more = re.search(r'href="([^"]+)" rel="next"', text)
        path = "/" + html.unescape(more.group(1)) if more else ""
    total = re.search(r"共 ([\d,]+) 条", text)
    assert total and len(seen) == len(set(seen)) == int(total.group(1).replace(",", ""))


@pytest.mark.parametrize("kind", ["csv", "xlsx", "json", "jsonl"])
def test_an_export_holds_the_rows_of_its_view(client: LoggedIn, console: Desk, kind: str) -> None:
    shown = client.get("/mentions?q=漏水&since=2026-11-01").text
    link = re.search(r'href="(export/mentions\.csv[^"]*)"', shown)
    assert link
    answer = client.get("/" + html.unescape(link.group(1)).replace(".csv", f".{kind}"))
    assert answer.status_code == 200 and f"vocwatch-mentions-2026-11-01.{kind}" in answer.headers["content-disposition"]
    number = ask(console, "mentions", Question.from_params({"q": "漏水", "since": "2026-11-01"}), limit=0).total
    if kind == "csv":
        assert len(list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))) == number + 1
    elif kind == "xlsx":
        assert answer.content.startswith(b"PK")
    else:
        assert answer.text.count('"url": ') == number


def test_F47_readers_see_no_exports_and_get_none_and_change_nothing(console: Desk) -> None:
    with client_of(console.settings, console.store, "reader") as reader:
        text = reader.get("/mentions").text
        assert "export/" not in text and "marks/mention" not in text
        assert reader.get("/export/mentions.csv").status_code == 403
        for path in ("/marks/mention/1051", "/marks/mention", "/unmark/mention/1051/1", "/say", "/object", "/settle", "/cases", "/cases/1/close"):
            assert reader.post(path, data={"verdict": "right"}).status_code == 403, path


def test_looking_and_taking_away_stand_in_the_log(client: LoggedIn, console: Desk) -> None:
    for path in ("/sessions/KF00507", "/mentions/1051", "/export/sessions.csv?q=漏水"):
        assert client.get(path).status_code == 200
    with client_of(console.settings, console.store, "admin") as admin:
        log = admin.get("/audit").text
    assert "session 507" in log and "mention 1051" in log and "sessions.csv" in log
