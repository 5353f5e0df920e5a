"""Screenshots: of whom, where they are allowed, and that a missing browser breaks nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from crawlers import stop
from crawlers.evidence import Picture, shoot
from tests.crawlers.kit import Lab
from tests.store.kept import DAY, NOW, PNG, Kept, ago, tiny_home
from vocwatch.browser import NoBrowser
from vocwatch.settings import Settings, Source
from vocwatch.store import Store, evidence, mentions
from vocwatch.store import schema as s
from vocwatch.store.mentions import MentionRow


@dataclass
class Shot:
    png: bytes
    url: str
    taken_at: dt.datetime = NOW
    width: int = 1280
    height: int = 2400


class Camera:
    """Stands for the browser, which has tests of its own; remembers what it was asked for."""

    def __init__(self, failing: str = "") -> None:
        self.asked: list[str] = []
        self.failing = failing

    def __call__(self, settings: Settings, source: Source, urls: Sequence[str]) -> dict[str, Picture | str]:
        self.asked += urls
        if self.failing == "no browser":
            raise NoBrowser("没有能用的浏览器：运行 make browser")
        return {url: "robots.txt 不允许" if url.endswith("/2") else Shot(PNG + url.encode(), url + "?key=SECRET") for url in urls
                if not url.endswith("/3")}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tiny_home(tmp_path / "home")


@pytest.fixture
def kept(lab: Lab, sqlite_store: Store) -> Kept:
    lab.forum("forum", "https://forum.example", allow=False)
    return Kept(lab.settings(), sqlite_store)


def test_a_picture_is_taken_once_for_each_text(kept: Kept) -> None:
    post, reply = kept.post("1", "漏水", ago(1)), kept.post("1-1", "同款", ago(1), parent="1", url="https://forum.example/p/1#c1")
    camera, told = Camera(), list[str]()
    report = shoot(kept.settings, kept.store, [post, reply], told.append, camera)
    assert (report.taken, report.refused, camera.asked) == (1, {}, ["https://forum.example/p/1"])
    assert kept.rows(s.shots, "mention_id", "url", "width") == [
        (post, "https://forum.example/p/1?key=***", 1280), (reply, "https://forum.example/p/1?key=***", 1280)]
    assert len(kept.files()) == 1 and told
    assert shoot(kept.settings, kept.store, [post, reply], take=camera).taken == 0
    with kept.store.begin() as connection:
        mentions.save(connection, "forum", [MentionRow("1", "https://forum.example/p/1", "post", "漏水，已退款")], NOW)
    assert shoot(kept.settings, kept.store, [post, reply], take=camera).taken == 1
    assert len(kept.rows(s.shots, "mention_id")) == 3


def test_what_fails_is_told_and_the_others_are_taken(kept: Kept) -> None:
    ids = [kept.post(str(number), "漏水", ago(1)) for number in (1, 2, 3)]
    report = shoot(kept.settings, kept.store, ids, take=Camera())
    assert report.taken == 1
    assert report.refused == {"https://forum.example/p/2": "forum：robots.txt 不允许", "https://forum.example/p/3": "forum：没有截到"}


def test_without_a_browser_nothing_breaks(kept: Kept) -> None:
    told: list[str] = []
    report = shoot(kept.settings, kept.store, [kept.post("1", "漏水", ago(1))], told.append, Camera("no browser"))
    assert report.taken == 0 and any("make browser" in line for line in told)


@pytest.mark.parametrize(("why", "word"), [
    ("forbidden", "access.screenshot"), ("off", "停用"), ("stopped", "总开关"), ("unknown", "停用"), ("refused", "名单"),
])
def test_nothing_is_taken_where_it_is_not_allowed(lab: Lab, sqlite_store: Store, why: str, word: str) -> None:
    lab.forum("forum", "https://forum.example", allow=False, extra="enabled: false" if why == "off" else "")
    if why == "forbidden":
        path = lab.home / "config/sources/forum.yaml"
        path.write_text(path.read_text(encoding="utf-8").replace("access: {", "access: {screenshot: false, "), encoding="utf-8")
    if why == "refused":
        (lab.home / "config/refusals.yaml").write_text("urls: [{url: 'https://forum.example/*', date: 2026-11-16}]\n", encoding="utf-8")
    kept, camera = Kept(lab.settings(), sqlite_store), Camera()
    if why == "stopped":
        stop.stop_all(kept.settings, "演练")
    key = kept.post("1", "漏水", ago(1), source="gone" if why == "unknown" else "forum")
    report = shoot(kept.settings, sqlite_store, [key], take=camera)
    assert report.taken == 0 and not camera.asked and word in report.refused["https://forum.example/p/1"]


def test_what_is_gone_or_purged_is_not_photographed(kept: Kept) -> None:
    post = kept.post("1", "漏水", ago(1))
    kept.gone(post)
    camera = Camera()
    assert shoot(kept.settings, kept.store, [post, 999], take=camera).taken == 0 and not camera.asked


def test_the_risk_cards_and_the_alerts_are_photographed(kept: Kept) -> None:
    ids = [kept.post(str(number), "漏水", ago(1)) for number in range(1, 8)]
    kept.incident(ids[:5], "INC-1")
    kept.incident(ids[5:6], "INC-2")
    kept.incident(ids[6:], "INC-3", DAY - dt.timedelta(days=1))
    with kept.store.begin() as connection:
        connection.execute(s.incident_members.update().where(s.incident_members.c.ref_id == ids[1]).values(cluster=ids[1]))
        connection.execute(s.incident_members.update().where(s.incident_members.c.ref_id == ids[5]).values(cluster=ids[5]))
    with kept.store.read() as connection:
        assert evidence.shot_candidates(connection, DAY, 5) == [ids[1], ids[0], ids[5]]  # copies are not
        assert evidence.shot_candidates(connection, DAY - dt.timedelta(days=1), 5) == [ids[6]]
        assert evidence.shot_candidates(connection, DAY - dt.timedelta(days=2), 5) == []
