"""Screenshots as evidence: drawn with pictures, as wide as agreed, cut at the bottom; walls are not photographed."""

from __future__ import annotations

import shutil
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from crawlers.snapshot import MAX_HEIGHT, Shot, take
from tests.conftest import ROOT
from tests.crawlers.kit import Lab
from tests.crawlers.site import CAPTCHA, Answer, Canary, Site
from vocwatch.browser import find_browser
from vocwatch.settings import read_environment

pytestmark = pytest.mark.browser
HTML = {"Content-Type": "text/html; charset=utf-8"}


def _png(width: int, height: int, colour: bytes) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + colour * width for _ in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def _pixel(png: bytes, x: int, y: int) -> tuple[int, ...]:
    """One pixel of an 8-bit RGB(A) PNG."""
    width, height = struct.unpack(">II", png[16:24])
    step = {2: 3, 6: 4}[png[25]]
    data, at = b"", 8
    while at < len(png):
        size, kind = struct.unpack(">I4s", png[at:at + 8])
        data += png[at + 8:at + 8 + size] if kind == b"IDAT" else b""
        at += size + 12
    raw, before = zlib.decompress(data), bytearray(width * step)
    for row in range(min(y + 1, height)):
        line = bytearray(raw[row * (width * step + 1):(row + 1) * (width * step + 1)])
        how, now = line[0], line[1:]
        for i in range(len(now)):
            left, up = now[i - step] if i >= step else 0, before[i]
            corner = before[i - step] if i >= step else 0
            guess = min((abs(left + up - corner - c), n, c) for n, c in enumerate((left, up, corner)))[2]
            now[i] = (now[i] + (0, left, up, (left + up) // 2, guess)[how]) & 255
        before = now
    return tuple(before[x * step:x * step + 3])


@dataclass
class Album:
    shots: dict[str, Shot | str]
    site: Site
    canary: Canary


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Album]:
    if find_browser(read_environment()) is None:
        pytest.skip("这台机器没有能启动的浏览器")
    home = tmp_path_factory.mktemp("album")
    shutil.copytree(ROOT / "config", home / "config")
    site, canary, lab = Site(), Canary(), Lab(home)
    pages = {
        "/post": Answer("<!doctype html><body style='margin:0'><img src=/red.png width=200 height=100 style='display:block'>"
                        f"<img src={canary.url}><p>杯盖漏水", headers=HTML),
        "/red.png": Answer(_png(2, 2, b"\xff\x00\x00"), headers={"Content-Type": "image/png"}),
        "/tall": Answer("<!doctype html><body style='margin:0'><div style='height:9000px'>长</div>", headers=HTML),
        "/captcha": CAPTCHA, "/gone": Answer("没有", 404, HTML),
        "/inward": Answer(status=302, headers={"Location": canary.url}),
        "/tologin": Answer(status=302, headers={"Location": "/login"}),
    }
    site.rule = lambda path: pages.get(path)
    lab.timeout = 20
    lab.forum("plain", site.url)  # read over plain HTTP otherwise
    settings = lab.settings()
    urls = [site.url + path for path in (*pages, "/trap/1") if path != "/red.png"]
    shots = take(settings, settings.sources["plain"], urls)
    yield Album({url.removeprefix(site.url): shot for url, shot in shots.items()}, site, canary)
    site.close()
    canary.close()


def test_a_page_is_drawn_with_its_pictures(album: Album) -> None:
    shot = album.shots["/post"]
    assert isinstance(shot, Shot), shot
    assert (shot.url, shot.width) == (f"{album.site.url}/post", 1280)
    assert struct.unpack(">II", shot.png[16:24]) == (shot.width, shot.height)
    assert shot.taken_at.utcoffset() is not None
    assert _pixel(shot.png, 50, 20) == (255, 0, 0)
    assert not album.canary.touched


def test_a_long_page_is_cut(album: Album) -> None:
    shot = album.shots["/tall"]
    assert isinstance(shot, Shot) and shot.height == MAX_HEIGHT
    assert struct.unpack(">II", shot.png[16:24]) == (1280, MAX_HEIGHT)


def test_what_is_no_evidence_has_its_reason(album: Album) -> None:
    told = {path: shot for path, shot in album.shots.items() if isinstance(shot, str)}
    assert "验证" in told["/captcha"] and "404" in told["/gone"] and "内网" in told["/inward"]
    assert "登录" in told["/tologin"] and "robots.txt" in told["/trap/1"]
    assert "/trap/1" not in album.site.log and "/login" not in album.site.log


def test_without_a_browser_there_is_a_reason(tmp_path: Path, make_site: object) -> None:
    shutil.copytree(ROOT / "config", tmp_path / "config")
    lab = Lab(tmp_path)
    lab.forum("plain", "http://127.0.0.1:9")
    settings = lab.settings(VOCWATCH_CHROMIUM="/nowhere/chromium")
    [why] = take(settings, settings.sources["plain"], ["http://127.0.0.1:9/p/1"]).values()
    assert isinstance(why, str) and why
