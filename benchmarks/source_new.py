"""How many sites become a working source without editing: `python -m benchmarks.source_new [--kit FOLDER] [--payloads FOLDER]`.

`vocwatch source new` is run as a person would run it with --yes (as a command, on loopback) on every site of the
practice web, on every site of a simulated world where there is one, and on saved pages of public platforms, each
served at a plausible address. Then the file is switched on as it is and crawled for real, and what `vocwatch query
mentions` and the store hold is compared with what the sites are known to hold. A source works when it gives text, time
and address as the truth has them, author and rating where the page shows them, in 95 of 100 records.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa

from benchmarks.payload_cases import CASES
from benchmarks.payloads import FOLDER, Case
from vocwatch.practice import NOW, practice_web
from vocwatch.store import Store
from vocwatch.store.schema import mentions, revisions

ROOT = Path(__file__).resolve().parents[1]
KIT = ROOT.parent / "shared" / "scenario"
ENOUGH = 0.95
PRACTICE = {
    "reviews": "/list", "notes": "/", "forum": "/new", "complaints": "/api/complaints?page=1&size=20", "news": "/rss.xml",
    "video": "/feed?page=1",
}
SCENARIO = {
    "reviews": "/list?page=1", "notes": "/search?keyword=", "forum": "/board/1?page=1",
    "complaints": "/api/complaints?page=1&size=20", "news": "/rss.xml", "video": "/",
}
SCENARIO_DAYS = 6
# Ten platforms, and as many kinds of page: file of the payloads, and the address that it is served at.
SAVED = {
    "jd/club_comments_2025.json": "/comment/productPageComments?productId=1&page=0",
    "trustpilot/bt.com_reviews_2023.html": "/review/bt.com",
    "hackernews/algolia_search_stories_2026-07.json": "/api/v1/search?query=ai&page=0",
    "rss/reddit_top_atom_2026-07.rss": "/r/LocalLLaMA/top.rss",
    "tieba/thread_9117905169.html": "/p/9117905169",
    "amazon/product_reviews_uk_2024.html": "/product-reviews/B0",
    "news_zh/thepaper_powerbank.html": "/newsDetail_forward_4511024",
    "xiaohongshu/note_page_685e9b3d_loggedin_2025-07.html": "/explore/685e9b3d",
    "bilibili/reply_list_2026-02.json": "/x/v2/reply?oid=1&type=1&pn=1",
    "taobao_tmall/tmall_list_detail_rate_2017.json": "/list_detail_rate.htm?itemId=1&currentPage=1",
}


@dataclass
class Truth:
    """What a site holds: address (path) → text, time, author and rating; or only how many records there are."""

    posts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    count: int = 0
    holds: frozenset[str] = frozenset()


@dataclass
class Target:
    """One address to be tried."""

    group: str
    name: str
    url: str
    truth: Truth


@dataclass
class Verdict:
    """What came of it: `share` of the truth that was found, `fields` the share of records that have each field rightly."""

    target: Target
    kind: str = ""
    records: int = 0
    share: float = 0.0
    fields: dict[str, float] = field(default_factory=dict)
    why: str = ""

    @property
    def works(self) -> bool:
        """Whether the unedited source is fit for use."""
        return not self.why and self.share >= ENOUGH and all(value >= ENOUGH for value in self.fields.values())


# -- one target ---------------------------------------------------------------------------------------------------


def try_one(target: Target, home: Path, now: str) -> Verdict:
    """Propose, switch on, crawl, compare."""
    verdict = Verdict(target)
    made = vocwatch(home, now, "source", "new", "site", target.url, "--yes", "--json", "--owner", "值班QA", "--basis", "公开页面",
                    "--impact", "本机", "--title", target.name)
    if made.returncode:
        verdict.why = f"source new {made.returncode}：{made.stderr.strip().splitlines()[-1][:160] if made.stderr.strip() else ''}"
        return verdict
    verdict.kind = json.loads(made.stdout)["page"]
    vocwatch(home, now, "source", "enable", "site")
    crawled = vocwatch(home, now, "crawl", "site", "--json")
    if crawled.returncode not in (0, 5, 6):
        verdict.why = f"crawl {crawled.returncode}：{crawled.stderr.strip()[-160:]}"
        return verdict
    compare(verdict, stored(home))
    return verdict


def vocwatch(home: Path, now: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line over a home of its own."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "VOCWATCH_CHROMIUM") if name in os.environ}
    env = {**kept, "VOCWATCH_HOME": str(home), "VOCWATCH_SECRET": "benchmark", "VOCWATCH_NOW": now}
    command = [sys.executable, "-c", "from vocwatch.cli import main; main()", *words]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def home_for(folder: Path) -> Path:
    """A configuration with a brand and nothing else, that may read loopback."""
    shutil.copytree(ROOT / "examples" / "practice" / "config", folder / "config", ignore=shutil.ignore_patterns("sources"))
    return folder


def stored(home: Path) -> list[dict[str, Any]]:
    """The mentions in the store, with their current texts."""
    store = Store(f"sqlite:///{home / 'var' / 'vocwatch.sqlite3'}")
    columns = (mentions.c.native_id, mentions.c.url, mentions.c.kind, mentions.c.published_at, mentions.c.precision,
               mentions.c.author_key, mentions.c.rating, mentions.c.parent, revisions.c.title, revisions.c.text)
    query = sa.select(*columns).join(revisions, revisions.c.id == mentions.c.revision_id)
    try:
        with store.read() as connection:
            return [dict(row._mapping) for row in connection.execute(query)]
    finally:
        store.close()


def compare(verdict: Verdict, rows: list[dict[str, Any]]) -> None:
    """Hold the stored rows against the truth."""
    truth = verdict.target.truth
    verdict.records = len(rows)
    if not truth.posts:
        verdict.share = min(1.0, len(rows) / truth.count) if truth.count else 0.0
        names = {"time": "published_at", "author": "author_key", "rating": "rating"}
        mains = [row for row in rows if row["kind"] not in ("append", "reply")] or rows
        verdict.fields = {
            name: sum(row[key] is not None for row in mains) / max(1, len(mains)) for name, key in names.items() if name in truth.holds
        }
        verdict.fields["text"] = sum(bool(row["text"]) for row in rows) / max(1, len(rows))
        return
    found = {path_of(row["url"]): row for row in reversed(rows) if row["kind"] not in ("append", "reply", "comment")}
    shared = [(found[path], wanted) for path, wanted in truth.posts.items() if path in found]
    verdict.share = len(shared) / len(truth.posts)
    total = max(1, len(shared))
    verdict.fields = {
        "text": sum(same_text(row["text"], wanted["text"]) for row, wanted in shared) / total,
        "time": sum(same_time(row["published_at"], row["precision"], wanted["at"]) for row, wanted in shared) / total,
        "author": sum(bool(row["author_key"]) or not wanted.get("author") for row, wanted in shared) / total,
        "rating": sum(not wanted.get("stars") or row["rating"] == wanted["stars"] for row, wanted in shared) / total,
    }
    comments = sum(len(wanted.get("comments", ())) for wanted in truth.posts.values())
    if comments:
        verdict.fields["comments"] = min(1.0, sum(row["kind"] == "comment" for row in rows) / comments)


def path_of(url: str) -> str:
    """An address without host, query and fragment."""
    return urlsplit(url).path


def same_text(found: str, wanted: str) -> bool:
    """The same words, whatever white space stands between them; personal data may be masked."""
    one, other = "".join(found.split()), "".join(wanted.split())
    return one == other or ("[" in one and one.split("[", maxsplit=1)[0] == other[: one.index("[")])


def same_time(found: dt.datetime | None, precision: str, wanted: str) -> bool:
    """The same moment, as exactly as the page tells it."""
    if found is None:
        return False
    room = {"second": 60, "minute": 120, "hour": 3700, "day": 86400}.get(precision, 0)
    moment = dt.datetime.fromisoformat(wanted)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.timezone(dt.timedelta(hours=8)))
    return abs((found - moment).total_seconds()) <= room


# -- targets ------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def practice_targets() -> Iterator[list[Target]]:
    """The six sites of the practice web, with every post that was there by its moment."""
    now = dt.datetime.fromisoformat(NOW)
    lines = (ROOT / "examples" / "practice" / "data" / "posts.jsonl").read_text(encoding="utf-8").splitlines()
    posts = [json.loads(line) for line in lines]
    # That site answers with a captcha for all but its four newest posts: more can't be had without going around it.
    shown = sorted((post for post in posts if post["site"] == "video"), key=lambda post: post["at"])
    readable = {post["path"] for post in shown[-4:]}
    with practice_web(port=0) as variables:
        yield [
            Target("练习网", site, variables[f"PRACTICE_{site.upper()}"] + path, Truth({
                post["path"]: {**post, "comments": [c for c in post.get("comments", ()) if dt.datetime.fromisoformat(c["at"]) <= now]}
                for post in posts if post["site"] == site and dt.datetime.fromisoformat(post["at"]) <= now
                and (site != "video" or post["path"] in readable)
            })) for site, path in PRACTICE.items()
        ]


@contextlib.contextmanager
def scenario_targets(kit: Path, work: Path) -> Iterator[tuple[list[Target], str]]:
    """The six sites of a simulated world on one of its days, and the moment there."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = min(probe.getsockname()[1], 65000)  # it and the nine above it are free as a rule
    world = work / "world"
    subprocess.run([sys.executable, "build.py", "--world", "dev", "--days", str(SCENARIO_DAYS), "--out", str(world)], cwd=kit, check=True,
                   stdout=subprocess.DEVNULL)
    command = [sys.executable, "serve.py", "--data", str(world), "--port", str(port), "--day", str(SCENARIO_DAYS), "--faults", "none",
               "--log", str(work / "access.jsonl")]
    start = dt.date.fromisoformat(json.loads((world / "world.json").read_text(encoding="utf-8"))["start_date"])
    now = f"{start + dt.timedelta(days=SCENARIO_DAYS - 1)}T23:59:59"
    rows = [json.loads(line) for line in (world / "posts.jsonl").read_text(encoding="utf-8").splitlines()]
    alive = [row for row in rows if row["created"] <= now and not (row["deleted_at"] and row["deleted_at"] <= now)]
    process = subprocess.Popen(command, cwd=kit, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield [
            Target("模拟世界", site, f"http://127.0.0.1:{port + number}{path}{'云朵里' if path.endswith('=') else ''}",
                   Truth(world_posts(alive, site, now)))
            for number, (site, path) in enumerate(SCENARIO.items(), 1)
        ], now
    finally:
        process.terminate()
        process.wait()


def world_posts(rows: list[dict[str, Any]], site: str, now: str) -> dict[str, dict[str, Any]]:
    """What a site of the world shows: a feed its newest 30, a search what holds the word."""
    listed = sorted((row for row in rows if row["site"] == site), key=lambda row: row["created"], reverse=True)
    if site == "news":
        listed = listed[:30]
    if site == "notes":
        listed = [row for row in listed if "云朵里" in row["text"] + (row["title"] or "")]
    found = {}
    for row in listed:
        edits = [edit["text"] for edit in row["edits"] if edit["at"] <= now]
        comments = [one for one in row["comments"] if one.get("created", one.get("at", "")) <= now]
        author = row["author"].get("name") if isinstance(row["author"], dict) else row["author"]
        found[row["path"]] = {"text": edits[-1] if edits else row["text"], "at": row["created"], "author": author if site not in ("complaints", "news") else None,
                              "stars": row.get("stars"), "comments": comments}
    return found


@contextlib.contextmanager
def saved_targets(folder: Path) -> Iterator[list[Target]]:
    """Saved pages of public platforms, each on a port of its own with a robots.txt that allows it."""
    cases = {case.file: case for case in CASES}
    servers = []
    targets = []
    try:
        for file, path in SAVED.items():
            case = cases.get(file)
            if case is None or not (folder / file).exists():
                continue
            body = (folder / file).read_bytes()
            servers.append(serve(body, path, file))
            url = f"http://127.0.0.1:{servers[-1].server_address[1]}{path}"
            targets.append(Target("保存的页面", file, url, count_of(case, body)))
        yield targets
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def count_of(case: Case, body: bytes) -> Truth:
    """The records of a payload, counted raw, and the fields that all of them have."""
    rows = case.rows(body.decode("utf-8", "replace"))
    everywhere = {name for name, test in case.held.items() if all(test(row) for row in rows)}
    return Truth(count=len(rows), holds=frozenset(everywhere & {"time", "author", "rating"}))


def serve(body: bytes, path: str, file: str) -> ThreadingHTTPServer:
    """Serve one page, once: every other address, and a second page of it, is missing."""
    kinds = {".json": "application/json", ".rss": "application/atom+xml", ".xml": "application/xml"}
    kind = kinds.get(Path(file).suffix, "text/html")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            robots = self.path == "/robots.txt"
            there = robots or self.path == path
            content = b"User-agent: *\nDisallow: /admin/\n" if robots else body if there else b"missing"
            self.send_response(200 if there else 404)
            self.send_header("Content-Type", f"{'text/plain' if robots or not there else kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


# -- the table ----------------------------------------------------------------------------------------------------


def table(verdicts: list[Verdict]) -> str:
    """Return the table as Markdown."""
    lines = ["| 组 | 站点 | 认作 | 存入 | 找到的占比 | 字段正确的占比 | 不改就能用 |", "|" + "---|" * 7]
    for one in verdicts:
        fields = " ".join(f"{name} {value:.0%}" for name, value in one.fields.items())
        cells = [one.target.group, one.target.name, one.kind or one.why, str(one.records), f"{one.share:.0%}", fields, "是" if one.works else "否"]
        lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    for group in dict.fromkeys(one.target.group for one in verdicts):
        mine = [one for one in verdicts if one.target.group == group]
        lines.append(f"\n{group}：{sum(one.works for one in mine)} / {len(mine)} 不改就能用")
    return "\n".join(lines)


def run(targets: list[Target], work: Path, now: str, only: str = "") -> list[Verdict]:
    """Try the targets one after another."""
    verdicts = []
    for number, target in enumerate(targets):
        if only in f"{target.group}/{target.name}":
            home = home_for(work / f"{target.group}-{number}")
            verdicts.append(try_one(target, home, now))
            print(table(verdicts[-1:]).splitlines()[2], file=sys.stderr, flush=True)
    return verdicts


def main() -> None:
    """Parse the command line, try everything, print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kit", type=Path, default=KIT, help="folder of a simulated world")
    parser.add_argument("--payloads", type=Path, default=FOLDER, help="folder of saved pages")
    parser.add_argument("--only", default="", help="part of group/site")
    parser.add_argument("--keep", type=Path, help="keep the homes in this folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vocwatch-") as scratch:
        work = options.keep or Path(scratch)
        verdicts = []
        with practice_targets() as targets:
            verdicts += run(targets, work, NOW, options.only)
        if (options.kit / "serve.py").exists():
            with scenario_targets(options.kit, work) as (targets, now):
                verdicts += run(targets, work, now, options.only)
        if options.payloads.is_dir():
            with saved_targets(options.payloads) as targets:
                verdicts += run(targets, work, NOW, options.only)
    print(table(verdicts))


if __name__ == "__main__":
    main()
