"""The practice web: pages, conditional requests, the captcha, labels, exports and incidents."""

from __future__ import annotations

import csv
import datetime as dt
import http.client
import io
import json
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import openpyxl
import parsel
import pytest

PRACTICE = Path(__file__).resolve().parents[2] / "examples" / "practice"
# The folder is a bundle of scripts, not a package; a script finds its neighbours through sys.path.
sys.path.insert(0, str(PRACTICE))

import exports  # noqa: E402
import pages  # noqa: E402
import serve  # noqa: E402
import world as practice  # noqa: E402

NOW = practice.parse_time(practice.DEFAULT_NOW)
POSTS = practice.read_jsonl("posts.jsonl")
SESSIONS = practice.read_jsonl("sessions.jsonl")
LABELS = practice.read_json("labels.json")
FACTS = practice.read_json("world.json")
SITES = ["reviews", "notes", "forum", "complaints", "news", "video"]


@dataclass
class Reply:
    """Status, headers and bytes of one answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    def css(self, query: str, encoding: str = "utf-8") -> list[str]:
        """What a selector finds."""
        return parsel.Selector(self.body.decode(encoding)).css(query).getall()


def fetch(url: str, headers: dict[str, str] | None = None) -> Reply:
    """One request on a connection of its own."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=10)
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", target, headers={"Connection": "close", **(headers or {})})
        answer = connection.getresponse()
        return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
    finally:
        connection.close()


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with serve.running(log_file=tmp_path_factory.mktemp("practice") / "access.jsonl") as found:
        yield found


def newest(site: str) -> dict[str, Any]:
    return max((p for p in POSTS if p["site"] == site), key=lambda p: p["at"])


def walk(start: str, query: str, encoding: str = "utf-8") -> list[str]:
    """What a selector finds on a list and on the pages after it."""
    base, found, url = start.split("/", 3), [], start
    while url:
        reply = fetch(url)
        found += reply.css(query, encoding)
        link = reply.css("a.next::attr(href)", encoding)
        url = "/".join(base[:3]) + link[0] if link else ""
    return found


# ---------- pages


@pytest.mark.parametrize("site", SITES)
def test_robots_forbids_the_trap_and_every_page_hides_a_link_to_it(urls: dict[str, str], site: str) -> None:
    robots = fetch(f"{urls[site]}/robots.txt")
    assert robots.status == 200
    assert b"Disallow: /trap/" in robots.body
    encoding = "gb18030" if site == "forum" else "utf-8"
    home = fetch(f"{urls[site]}/" if site != "reviews" else f"{urls[site]}/list")
    assert home.css('a[href="/trap/door"][style="display:none"]', encoding)


@pytest.mark.parametrize("site", SITES)
def test_newest_detail_answers_and_then_304(urls: dict[str, str], site: str) -> None:
    url = urls[site] + newest(site)["path"]
    first = fetch(url)
    assert first.status == 200
    assert "last-modified" in first.headers
    by_tag = fetch(url, {"If-None-Match": first.headers["etag"]})
    by_date = fetch(url, {"If-Modified-Since": first.headers["last-modified"]})
    assert (by_tag.status, by_tag.body) == (304, b"")
    assert by_date.status == 304
    assert fetch(url, {"If-None-Match": '"other"'}).status == 200


@pytest.mark.parametrize("site", [s for s in SITES if s != "video"])
def test_unknown_address_is_404(urls: dict[str, str], site: str) -> None:
    assert fetch(f"{urls[site]}/nothing/here").status == 404


def test_home_lists_all_sites(urls: dict[str, str]) -> None:
    assert json.loads(fetch(f"{urls['home']}/sites.json").body) == urls
    assert len(fetch(f"{urls['home']}/").css(".sites a")) == len(SITES)
    assert fetch(f"{urls['home']}/static/style.css").headers["content-type"].startswith("text/css")


def test_reviews_lists_cover_every_review(urls: dict[str, str]) -> None:
    links = walk(f"{urls['reviews']}/list", "li.product a.product-link::attr(href)")
    assert len(links) == 12
    seen = [n for link in links for n in walk(urls["reviews"] + link, "li.review::attr(data-review-id)")]
    wanted = [p["path"].rsplit("/", 1)[1] for p in POSTS if p["site"] == "reviews"]
    assert sorted(seen) == sorted(wanted)


def test_review_page_has_follow_up_reply_and_json_ld(urls: dict[str, str]) -> None:
    post = next(p for p in POSTS if "follow_up" in p)
    reply = fetch(urls["reviews"] + post["path"])
    assert reply.css(".review-text::text") == [post["text"]]
    assert reply.css(".follow-text::text") == [post["follow_up"]["text"]]
    data = json.loads(reply.css('script[type="application/ld+json"]::text')[0])
    assert data["review"][0]["datePublished"] == post["at"]
    answered = next(p for p in POSTS if p["site"] == "reviews" and "reply" in p)
    assert fetch(urls["reviews"] + answered["path"]).css(".reply-text::text") == [answered["reply"]["text"]]


def test_notes_are_shells_and_the_feed_needs_the_script(urls: dict[str, str]) -> None:
    post = next(p for p in POSTS if p["site"] == "notes" and p["comments"])
    shell = fetch(f"{urls['notes']}/")
    assert not shell.css(".note-card")
    note = fetch(urls["notes"] + post["path"])
    assert not note.css("h1")
    state = note.css("script::text")[0]
    assert state.startswith("window.__INITIAL_STATE__=")
    assert '"video": undefined' in state
    with pytest.raises(json.JSONDecodeError):
        json.loads(state.split("=", 1)[1])
    assert fetch(f"{urls['notes']}/api/feed?cursor=0").status == 403


def test_notes_feed_pages_through_all_notes(urls: dict[str, str]) -> None:
    cursor, seen, more = "0", [], True
    while more:
        headers = {"X-Feed-Sign": pages.feed_sign(f"{cursor}|")}
        data = json.loads(fetch(f"{urls['notes']}/api/feed?cursor={cursor}&q=", headers).body)["data"]
        seen += [f"/note/{item['id']}" for item in data["items"]]
        cursor, more = data["cursor"], data["hasMore"]
    assert sorted(seen) == sorted(p["path"] for p in POSTS if p["site"] == "notes")


def test_forum_is_gb18030_whatever_it_says(urls: dict[str, str]) -> None:
    links = walk(f"{urls['forum']}/new", "a.subject::attr(href)", "gb18030")
    threads = {p["path"]: p for p in POSTS if p["site"] == "forum"}
    assert sorted(links) == sorted(threads)
    said = set()
    for path, post in threads.items():
        reply = fetch(urls["forum"] + path)
        said.add(reply.headers["content-type"].rsplit("=", 1)[1])
        assert reply.css("meta[charset]::attr(charset)", "gb18030") == ["gb2312"]
        assert reply.css("h1.thread-title::text", "gb18030") == [post["title"]]
    assert said == {"utf-8", "gb2312"}


def test_forum_floors_are_paged(urls: dict[str, str]) -> None:
    post = max((p for p in POSTS if p["site"] == "forum"), key=lambda p: len(p["comments"]))
    floors = walk(urls["forum"] + post["path"], ".floor::attr(data-floor)", "gb18030")
    assert floors == [str(n) for n in range(1, len(post["comments"]) + 2)]
    assert len(floors) > 5


def test_forum_boards_divide_the_threads(urls: dict[str, str]) -> None:
    counted = Counter(p["board"] for p in POSTS if p["site"] == "forum")
    for board in FACTS["boards"]:
        links = walk(f"{urls['forum']}/b/{board['id']}", "a.subject::attr(href)", "gb18030")
        assert len(links) == counted[board["name"]]


def test_complaints_api_and_detail_agree(urls: dict[str, str]) -> None:
    wanted = {p["path"]: p for p in POSTS if p["site"] == "complaints"}
    page, rows, total = 1, [], 1
    while len(rows) < total:
        data = json.loads(fetch(f"{urls['complaints']}/api/complaints?page={page}&size=20").body)["data"]
        rows, total, page = rows + data["list"], data["total"], page + 1
    assert {r["url"] for r in rows} == set(wanted)
    for row in rows:
        at = practice.parse_time(wanted[row["url"]]["at"])
        assert dt.datetime.fromtimestamp(row["created_at"] / 1000, practice.ZONE) == at
    detail = fetch(urls["complaints"] + rows[0]["url"])
    assert detail.css(".c-text p::text") == [wanted[rows[0]["url"]]["text"]]
    assert len(detail.css(".timeline .step")) == len(rows[0]["steps"])


def test_news_feed_leads_to_articles(urls: dict[str, str]) -> None:
    feed = parsel.Selector(fetch(f"{urls['news']}/rss.xml").body.decode(), type="xml")
    links = feed.xpath("//item/link/text()").getall()
    assert len(links) == len([p for p in POSTS if p["site"] == "news"])
    post = newest("news")
    article = fetch(links[0])
    assert article.css("h1::text") == [post["title"]]
    assert article.css("time::attr(datetime)") == [post["at"]]
    data = json.loads(article.css('script[type="application/ld+json"]::text')[0])
    assert (data["@type"], data["articleBody"]) == ("NewsArticle", post["text"])


def test_video_turns_into_a_captcha_by_address(urls: dict[str, str]) -> None:
    listed = fetch(f"{urls['video']}/feed?page=1").css("a.clip-link::attr(href)")
    assert len(listed) == 12
    for _ in range(2):  # the same the second time: the address decides, not a counter
        titles = [fetch(urls["video"] + link).css("title::text")[0] for link in listed]
        assert [t == "安全验证" for t in titles] == [False] * 4 + [True] * 8
    wall = fetch(f"{urls['video']}/feed?page=2")
    assert wall.status == 200
    assert "请拖动滑块完成验证" in wall.body.decode()
    assert "etag" not in wall.headers


def test_what_is_later_than_now_does_not_exist() -> None:
    post = newest("forum")
    with serve.running(now="2026-11-01T12:00:00+08:00") as early:
        assert fetch(early["forum"] + post["path"]).status == 404
        total = json.loads(fetch(f"{early['complaints']}/api/complaints").body)["data"]["total"]
        before = [p for p in POSTS if p["site"] == "complaints" and p["at"] <= "2026-11-01T12:00:00+08:00"]
        assert total == len(before)


@pytest.mark.parametrize(
    ("at", "text"),
    [
        ("2026-11-16T08:29:30+08:00", "刚刚"),
        ("2026-11-16T08:03:00+08:00", "27分钟前"),
        ("2026-11-16T05:10:00+08:00", "3小时前"),
        ("2026-11-15T20:45:00+08:00", "11小时前"),
        ("2026-11-15T20:13:00+08:00", "昨天 20:13"),
        ("2026-11-14T21:40:00+08:00", "11-14"),
        ("2025-12-30T20:15:00+08:00", "2025-12-30"),
    ],
)
def test_relative_times(at: str, text: str) -> None:
    assert practice.chinese_time(practice.parse_time(at), NOW) == text


def test_relative_time_of_the_shown_posts(urls: dict[str, str]) -> None:
    shown = set(walk(f"{urls['forum']}/new", "td.when::text", "gb18030"))
    assert {"2025-12-30", "03-02", "11-14"} <= shown
    assert any(text.startswith("昨天 ") for text in shown)
    edited = next(
        p for p in POSTS if p["site"] == "notes" and p["at"].startswith("2026-11-14") and "edits" in p
    )
    assert "编辑于 11-14" in fetch(urls["notes"] + edited["path"]).body.decode()


def test_hours_ago_never_moves_a_post_to_another_day() -> None:
    """Whole hours lose minutes; read back, they must still fall on the post's own day."""
    for post in POSTS:
        for part in [post, *post["comments"]]:
            at = practice.parse_time(part["at"])
            text = practice.chinese_time(at, NOW)
            if text.endswith("小时前"):
                assert (NOW - dt.timedelta(hours=int(text[:-3]))).date() == at.date()


def test_process_writes_its_ports_and_stops_on_sigterm(tmp_path: Path) -> None:
    ports, log = tmp_path / "ports.json", tmp_path / "access.jsonl"
    command = [sys.executable, "-W", "error", str(PRACTICE / "serve.py"), "--port", "0"]
    command += ["--port-file", str(ports), "--log", str(log)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stderr
        try:
            assert process.stdout.readline().startswith("ready http://127.0.0.1:")
            found = json.loads(ports.read_text(encoding="utf-8"))
            assert set(found) == {"home", *SITES}
            assert fetch(f"{found['news']}/rss.xml").status == 200
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
        assert process.stderr.read() == ""
    row = json.loads(log.read_text(encoding="utf-8").splitlines()[0])
    assert (row["site"], row["path"], row["status"]) == ("news", "/rss.xml", 200)


# ---------- data


def test_there_is_enough_and_every_day_has_ten() -> None:
    assert len(POSTS) >= 450
    per_day = Counter(p["at"][:10] for p in POSTS)
    first = dt.date(2026, 10, 12)
    days = [(first + dt.timedelta(n)).isoformat() for n in range(35)]
    assert min(per_day[d] for d in days) >= 10
    assert max(days[:-2], key=lambda d: per_day[d]) == "2026-11-11"
    assert len({(p["title"], p["text"]) for p in POSTS}) >= 400
    per_day = Counter(s["at"][:10] for s in SESSIONS)
    assert all(10 <= per_day[d] <= 16 for d in days)


def test_identities_are_unique() -> None:
    assert len({p["id"] for p in POSTS}) == len({(p["site"], p["path"]) for p in POSTS}) == len(POSTS)
    assert len({s["id"] for s in SESSIONS}) == len({s["order_no"] for s in SESSIONS}) == len(SESSIONS)


def labelled() -> Iterator[dict[str, Any]]:
    for post in POSTS:
        yield post["labels"]
        yield from (c["labels"] for c in post["comments"])
        if "follow_up" in post:
            yield post["follow_up"]["labels"]


def test_labels_are_consistent() -> None:
    topics = {f"{parent}/{leaf}" for parent, leaves in FACTS["topics"].items() for leaf in leaves}
    skus = {p["sku"] for p in FACTS["products"]}
    seen = set()
    for label in labelled():
        complaint = label["sentiment"] in ("negative", "mixed")
        assert bool(label["topics"]) == complaint == (label["severity"] > 0)
        assert set(label["topics"]) <= topics
        assert label["sentiment"] in ("positive", "neutral", "negative", "mixed")
        if label["brand_match"] and label["product"]:
            assert label["product"] in skus
        if label["incident"]:
            assert label["brand_match"] and complaint
        seen.update(label["topics"])
    assert seen == topics


def test_posts_about_the_brand_name_it() -> None:
    """Outside product pages a watch has only the words; zero-width signs and spaces may stand between."""
    brand = FACTS["brand"]
    nicknames = [n for p in FACTS["products"] for n in p["nicknames"]]
    words = [brand["name"], *brand["aliases"], *brand["misspellings"], *nicknames]
    noise = dict.fromkeys(map(ord, "\u200b ·*🌰"))
    for post in POSTS:
        if post["labels"]["brand_match"] and post["site"] != "reviews":
            text = (post["title"] + post["text"]).translate(noise)
            assert any(word in text for word in words), post["id"]


# ---------- incidents


def members(incident: str) -> list[dict[str, Any]]:
    return [p for p in POSTS if p["labels"]["incident"] == incident]


def test_red_line_incident_is_small_and_on_three_sites() -> None:
    posts = members("I-1")
    assert len({p["author"] for p in posts}) == 5
    assert {p["site"] for p in posts} == {"notes", "forum", "complaints"}
    assert {p["labels"]["product"] for p in posts} == {"SG-N502"}
    assert {p["labels"]["severity"] for p in posts} == {3}
    assert min(p["at"] for p in posts) > "2026-11-14T18"
    inside = [s for s in SESSIONS if s["labels"]["incident"] == "I-1"]
    assert Counter(s["path"] for s in inside) == {"服务红线": 2, "品退": 1}
    assert {s["at"][:10] for s in inside} == {"2026-11-15"}


def test_slow_burn_grows_and_is_led_by_sessions() -> None:
    posts = members("I-2")
    copies = set(LABELS["clusters"]["R-1"]) & {p["id"] for p in posts}
    assert len(copies) == 6
    origin = min((p for p in posts if p["id"] in copies), key=lambda p: p["at"])
    single = [p for p in posts if p["id"] not in copies or p is origin]
    authors = defaultdict(set)
    for post in single:
        authors[post["at"][8:10]].add(post["author"])
    assert {day: len(found) for day, found in authors.items()} == {"12": 5, "13": 8, "14": 11, "15": 14}
    assert {p["site"] for p in posts} == {"reviews", "notes", "forum", "complaints"}
    inside = Counter(s["at"][8:10] for s in SESSIONS if s["labels"]["incident"] == "I-2")
    counts = [inside[day] for day in sorted(inside)]
    assert min(inside) == "10"
    assert counts == sorted(counts)


def test_masked_names_keep_the_authors_of_an_incident_apart() -> None:
    for site in ("reviews", "complaints"):
        names = [
            f"{p['author'][0]}**{p['author'][-1]}"
            for p in POSTS
            if p["site"] == site and p["labels"]["incident"]
        ]
        assert len(names) == len(set(names))


def test_nothing_else_piles_up() -> None:
    """No third incident: three authors with one product and topic never meet within three days."""
    days: dict[tuple[str, str], list[dt.date]] = defaultdict(list)
    for post in POSTS:
        label = post["labels"]
        if label["brand_match"] and label["product"] and not label["incident"]:
            for topic in label["topics"]:
                days[label["product"], topic].append(practice.parse_time(post["at"]).date())
    for found in days.values():
        found.sort()
        assert all((c - a).days >= 3 for a, c in zip(found, found[2:], strict=False))


# ---------- exports


def read_exports(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """All five files read back, by service path."""

    def table(name: str, encoding: str) -> list[dict[str, Any]]:
        text = (folder / name).read_bytes().decode(encoding)
        return list(csv.DictReader(io.StringIO(text, newline="")))

    book = openpyxl.load_workbook(folder / "品退明细.xlsx")
    rows = list(book.active.iter_rows(values_only=True))
    merged = sorted(str(r) for r in book.active.merged_cells.ranges)
    book.close()
    assert merged == ["A1:J1", "A2:J2"]
    red = (folder / "服务红线.jsonl").read_text(encoding="utf-8").splitlines()
    return {
        "非满意": table("非满意会话.csv", "utf-8-sig"),
        "中差评": table("中差评跟进.csv", "gb18030"),
        "品退": [dict(zip(rows[2], row, strict=True)) for row in rows[3:]],
        "服务红线": [json.loads(line) for line in red],
        "流失": table("流失会话.csv", "utf-8"),
    }


def test_exports_are_the_same_bytes_twice(tmp_path: Path) -> None:
    first, second = exports.write_exports(tmp_path / "a", NOW), exports.write_exports(tmp_path / "b", NOW)
    assert [p.name for p in first] == [p.name for p in second]
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]


def test_exports_hold_every_session_and_one_bad_row(tmp_path: Path) -> None:
    exports.write_exports(tmp_path, NOW)
    found = read_exports(tmp_path)
    wanted = Counter(s["path"] for s in SESSIONS)
    wanted["流失"] += LABELS["bad_export_rows"]["流失"]
    assert {path: len(rows) for path, rows in found.items()} == wanted
    assert "2026/2/30" in found["流失"][-1]["咨询时间"]
    assert (tmp_path / "非满意会话.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    chat = found["品退"][0]["聊天记录"]
    assert "（买家）" in chat and "（客服）" in chat and "\n" in chat


def test_planted_personal_data_is_in_the_exports(tmp_path: Path) -> None:
    exports.write_exports(tmp_path, NOW)
    found = json.dumps(read_exports(tmp_path), ensure_ascii=False)
    assert {p["kind"] for p in LABELS["pii"]} == {"phone", "idcard", "addr", "order", "nickname"}
    for planted in LABELS["pii"]:
        assert planted["value"] in found
        assert planted["kind"] != "idcard" or planted["value"][6:9] == "190"
        assert planted["kind"] != "phone" or planted["value"][3:7] == "0000"
        assert planted["kind"] != "order" or len(planted["value"]) == 19


def test_exports_stop_at_now(tmp_path: Path) -> None:
    exports.write_exports(tmp_path, practice.parse_time("2026-10-20T00:00:00"))
    rows = read_exports(tmp_path)["非满意"]
    assert rows
    assert max(r["会话开始时间"] for r in rows) < "2026-10-20"
