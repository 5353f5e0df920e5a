"""The judgement of days over simulated worlds, without the crawl: vocwatch and three simple rules in one table.

    python -m benchmarks.worlds --kit ../shared/scenario --seeds 7,11,23 --days 15-42 --work var/worlds

Each world's posts and sessions go through the same doors as ever (masking, store, import, judgement, incidents, digest),
day by day; only the pages between are left out, which makes a day of it a matter of seconds. `benchmarks.scenario` is
the same with the crawl. The kit's own scorer reads all digests.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.scenario import ROOT, SITES, path_of
from reports.digest import write_digest
from reports.texts import Reader
from sentiment.run import analyse
from sessions.importer import import_file
from vocwatch.clock import business_date, day_window
from vocwatch.masking import mask
from vocwatch.models import SourceStatus
from vocwatch.pseudonym import load_pseudonyms
from vocwatch.scheduler import catch_up
from vocwatch.settings import Settings, load_settings, read_environment
from vocwatch.store import Store, incidents, mentions, open_store, runs
from vocwatch.store.mentions import MentionRow

ZONE = dt.timezone(dt.timedelta(hours=8))
KINDS = {"reviews": "review", "notes": "post", "forum": "post", "complaints": "complaint", "news": "article", "video": "post"}
BLIND = {"soft_empty": SourceStatus.DEGRADED}  # any other fault blocks
FEED = 30  # what the news site still shows
FORMATS = (("xlsx", "xlsx"), ("csv-gbk", "csv"), ("jsonl", "jsonl"))
LEVELS = ((20, "红"), (10, "橙"), (4, "黄"))
ALARMING = ("曝光", "投诉", "12315", "假货", "过敏", "烫", "起火", "漏电", "泄露", "维权", "骗", "差评", "退款", "垃圾", "无语")


@dataclass(frozen=True)
class World:
    """A built world: where it lies, what was posted, when its sites were blind."""

    folder: Path
    start: dt.date
    posts: list[dict[str, Any]]
    names: dict[str, str]
    faults: list[dict[str, Any]]

    @classmethod
    def read(cls, folder: Path) -> World:
        """Read what the server of a world serves; its truth stays closed."""
        told = json.loads((folder / "world.json").read_text(encoding="utf-8"))
        posts = [json.loads(line) for line in (folder / "posts.jsonl").open(encoding="utf-8")]
        names = {product["sku"]: product["name"] for product in told["products"]}
        faults = json.loads((folder / "faults.json").read_text(encoding="utf-8"))["rules"]
        return cls(folder, dt.date.fromisoformat(told["start_date"]), posts, names, faults)

    def date(self, day: int) -> dt.date:
        """The business date of a day, from 1 on."""
        return self.start + dt.timedelta(days=day - 1)


def moment(text: str) -> dt.datetime:
    """A time of the world as an aware one."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=ZONE)


def rows(world: World, post: dict[str, Any], now: dt.datetime, author: Callable[[str, str], str | None]) -> Iterator[MentionRow]:
    """The post, its follow-ups and its comments as a crawl at this moment would store them."""
    site = post["site"]
    address = f"http://127.0.0.1:{8101 + SITES.index(site)}{post['path']}"
    known = site == "reviews"
    text = next((e["text"] for e in reversed(post["edits"]) if moment(e["at"]) <= now), post["text"])
    about: dict[str, Any] = {"product": world.names.get(post["product"]), "sku": post["product"]} if known else {}
    shop = post["shop"] if site in ("reviews", "complaints") else None
    yield MentionRow(
        post["id"], address, KINDS[site], mask(text), title=mask(post["title"]) if post["title"] and not known else None,
        author_key=author(site, post["author"]["id"]), published_at=moment(post["created"]), precision="minute",
        likes=post["likes"], rating=post.get("stars"), shop=shop, **about,
    )
    for kind in ("append", "reply"):
        more = post.get(kind)
        if more and moment(more["at"]) <= now:
            who = author(site, post["author"]["id"]) if kind == "append" else None
            yield MentionRow(
                f"{post['id']}-{kind}", address, kind, mask(more["text"]), author_key=who, parent=post["id"],
                published_at=moment(more["at"]), precision="minute", shop=shop, **about,
            )
    for comment in post["comments"]:
        if moment(comment["at"]) <= now:
            yield MentionRow(
                f"{post['id']}-{comment['id']}", f"{address}#c-{comment['id']}", "comment", mask(comment["text"]),
                author_key=author(site, comment["author"]["id"]), parent=post["id"], published_at=moment(comment["at"]),
                precision="minute", likes=comment["likes"],
            )


class Run:
    """One world's days through vocwatch, in a work folder of its own."""

    def __init__(self, world: World, kit: Path, work: Path, config: Path):
        self.world, self.kit, self.work, self.config = world, kit, work, config
        work.mkdir(parents=True, exist_ok=True)

    def settings(self, now: dt.datetime) -> Settings:
        """The settings at a moment of the world."""
        return load_settings(read_environment({
            "VOCWATCH_HOME": str(ROOT), "VOCWATCH_CONFIG": str(self.config), "VOCWATCH_DATA": str(self.work / "data"),
            "VOCWATCH_SECRET": "worlds", "VOCWATCH_NOW": now.isoformat(),
        }))

    def days(self, days: Sequence[int]) -> None:
        """Live through the days: what is there by their end is stored, judged and told. Days before are read back."""
        for day in days:
            now = dt.datetime.combine(self.world.date(day), dt.time(23, 59, 59), ZONE)
            settings = self.settings(now)
            store = open_store(settings.env.database_url)
            try:
                self._collect(settings, store, day, now)
                for number in range(1, day + 1) if day == days[0] else [day]:
                    import_file(settings, store, self._export(number))
                analyse(settings, store, engine="auto")
                catch_up(settings, store, self.world.date(day))
                write_digest(settings, store, self.world.date(day), now=now, lang="zh", out=self.work / "digests")
                for name, rule in RULES.items():
                    told = rule(settings, store, self.world.date(day))
                    folder = self.work / name
                    folder.mkdir(exist_ok=True)
                    file = folder / f"digest-{self.world.date(day)}.json"
                    file.write_text(json.dumps({"date": self.world.date(day).isoformat(), "risks": told}, ensure_ascii=False))
            finally:
                store.close()

    def _collect(self, settings: Settings, store: Store, day: int, now: dt.datetime) -> None:
        pseudonyms = load_pseudonyms(settings.env)
        blind = {rule["site"]: rule["fault"] for rule in self.world.faults if day in rule.get("days", [])}
        for site in SITES:
            with store.begin() as connection:
                run = runs.start(connection, "crawl", site, now - dt.timedelta(minutes=30))
                if site in blind:
                    outcome = BLIND.get(blind[site], SourceStatus.BLOCKED)
                    runs.finish(connection, run, now, outcome=outcome, reason=blind[site], stats={"pages": 1})
                    continue
                here = [
                    p for p in self.world.posts
                    if p["site"] == site and moment(p["created"]) <= now and not (p["deleted_at"] and moment(p["deleted_at"]) <= now)
                ]
                if site == "news":
                    here = sorted(here, key=lambda p: str(p["created"]))[-FEED:]
                found = [row for post in here for row in rows(self.world, post, now, pseudonyms.of)]
                for start in range(0, len(found), 2000):
                    mentions.save(connection, site, found[start:start + 2000], now)
                stats = {"pages": 3, "read": len(found), "records": len(found), "expected": len(found)}
                runs.finish(connection, run, now, outcome=SourceStatus.OK, stats=stats)

    def _export(self, day: int) -> Path:
        kind, suffix = FORMATS[day % 3]
        file = self.work / "exports" / f"day{day:02d}.{suffix}"
        if not file.exists():
            file.parent.mkdir(exist_ok=True)
            subprocess.run(
                [sys.executable, "export_sessions.py", "--data", str(self.world.folder), "--day", str(day), "--format", kind,
                 "--out", str(file)], cwd=self.kit, check=True, stdout=subprocess.DEVNULL,
            )
        return file

    def score(self, folder: str) -> dict[str, Any]:
        """What the kit's scorer says of the digests in a folder."""
        files = sorted(str(file) for file in (self.work / folder).glob("digest-*.json"))
        command = [sys.executable, "score.py", "--truth", str(self.world.folder / "truth.json"), "--digest", *files]
        done = subprocess.run(command, cwd=self.kit, check=True, stdout=subprocess.PIPE, text=True)
        return dict(json.loads(done.stdout))


# -- three simple rules, over the same judged texts ---------------------------------------------------------------------

Risks = list[dict[str, Any]]


def _cells(settings: Settings, store: Store, since: dt.date, until: dt.date) -> dict[tuple[Any, ...], list[Any]]:
    """Complaints by product, topic and date, without collapsing copies."""
    start, end = day_window(since, settings.app.zone)[0], day_window(until, settings.app.zone)[1]
    with store.read() as connection:
        texts = [*incidents.complaints(connection, start, end), *incidents.service_complaints(connection, start, end)]
    found: dict[tuple[Any, ...], list[Any]] = defaultdict(list)
    for c in Reader(settings).read(texts):
        if c.topics:
            found[c.product, c.topics[0], business_date(c.heard.at, settings.app.zone)].append(c)
    return found


def _told(settings: Settings, store: Store, groups: Sequence[tuple[tuple[Any, ...], list[Any]]], level: str = "") -> Risks:
    """The five largest groups as risks; the level by count where none is given."""
    told = []
    with store.read() as connection:
        for rank, (cell, group) in enumerate(sorted(groups, key=lambda g: -len(g[1]))[:5], 1):
            by_count = next((name for least, name in LEVELS if len(group) >= least), "蓝")
            found = incidents.mentions_by_id(connection, [c.heard.ref_id for c in group if not c.inside])
            told.append({
                "rank": rank, "level": level or by_count, "title": str(cell[1]), "topic": cell[1], "product": cell[0],
                "mention_urls": [path_of(heard.url) for heard in found],
                "session_ids": [c.heard.native_id for c in group if c.inside],
            })
    return told


def most_complaints(settings: Settings, store: Store, date: dt.date) -> Risks:
    """The five largest groups of negative texts of the day, three texts at least."""
    cells = _cells(settings, store, date, date)
    return _told(settings, store, [(cell, group) for cell, group in cells.items() if len(group) >= 3])


def half_more(settings: Settings, store: Store, date: dt.date) -> Risks:
    """What is up by half against the mean of the seven days before."""
    cells = _cells(settings, store, date - dt.timedelta(days=7), date)
    before = Counter({cell[:2]: 0 for cell in cells})
    for cell, group in cells.items():
        before[cell[:2]] += len(group) if cell[2] < date else 0
    up = [(c, g) for c, g in cells.items() if c[2] == date and len(g) >= 2 and len(g) > 1.5 * before[c[:2]] / 7]
    return _told(settings, store, up)


def keywords(settings: Settings, store: Store, date: dt.date) -> Risks:
    """Texts with an alarming word, by product."""
    found: dict[tuple[Any, ...], list[Any]] = defaultdict(list)
    for (product, _, _), group in _cells(settings, store, date, date).items():
        found[product, "关键词"] += [c for c in group if any(word in c.heard.text for word in ALARMING)]
    return _told(settings, store, [(cell, group) for cell, group in found.items() if group], "橙")


RULES: dict[str, Callable[[Settings, Store, dt.date], Risks]] = {
    "most": most_complaints, "half": half_more, "words": keywords,
}
SHOWN = {"digests": "vocwatch", "most": "最多负面", "half": "比七日均值多一半", "words": "关键词表"}


def line(name: str, told: dict[str, Any]) -> str:
    """One line of the table."""
    silent, missed, late = told["silent_days"], told["missed_red_orange"], told["time_to_detect"]
    alarms = sum(silent["false_risks_by_level"].values())
    values = (
        told["precision_at_5"], told["precision_at_5_yellow_up"], told["recall_at_5"], missed["incident_day_rate"],
        told["level_accuracy"], told["level_within_one"], f"{alarms}/{silent['count']}", silent["campaign_false_risks"],
        silent["false_alerts"], late["median_hours_red_orange"], late["median_hours"], len(late["undetected"]),
        told["blind_days"]["honesty"], sum(told["traps_reported"].values()), sum(told["pii_leaks"].values()),
    )
    return f"| {name} | " + " | ".join("–" if v is None else str(v) for v in values) + " |"


HEAD = """| | P@5 | P@5 黄以上 | R@5 | 漏红橙 | 等级准 | 差一级内 | 静默日误报 | 大促误报 | 静默日误预警 | 红橙发现 h | 全部发现 h | 未发现 | 盲日如实 | 陷阱 | 泄露 |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|"""


def main() -> None:
    """Parse the command line, build the worlds, live through them, print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kit", type=Path, default=ROOT.parent / "shared" / "scenario")
    parser.add_argument("--work", type=Path, default=ROOT / "var" / "worlds")
    parser.add_argument("--config", type=Path, default=ROOT / "tests" / "scenario" / "config")
    parser.add_argument("--world", default="dev")
    parser.add_argument("--seeds", default="7,11,23")
    parser.add_argument("--days", default="15-42")
    options = parser.parse_args()
    first, _, last = options.days.partition("-")
    days = range(int(first), int(last or first) + 1)
    print(HEAD, flush=True)
    for seed in options.seeds.split(","):
        folder = options.work.resolve() / f"{options.world}-{seed}"
        if not (folder / "world" / "truth.json").exists():
            subprocess.run(
                [sys.executable, "build.py", "--world", options.world, "--days", "42", "--seed", seed, "--out",
                 str(folder / "world")], cwd=options.kit, check=True, stdout=subprocess.DEVNULL,
            )
        run = Run(World.read(folder / "world"), options.kit.resolve(), folder, options.config.resolve())
        run.days(days)
        for name, shown in SHOWN.items():
            told = run.score(name)
            (folder / f"score-{name}.json").write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")
            print(line(f"{shown} · {options.world} {seed}", told), flush=True)


if __name__ == "__main__":
    main()
