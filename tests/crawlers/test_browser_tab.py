"""Tabs that are used again and again: nothing leaks from page to page, and nothing gets past the proxy.

One browser reads all pages; each test looks at one of them.
"""

from __future__ import annotations

import asyncio
import gzip
import ipaddress
import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from crawlers.browser_pool import Pool
from crawlers.browser_proxy import Connect
from crawlers.browser_tab import MAX_HOPS
from crawlers.browser_visit import Decision, Failed, Limits, Loaded, Slow
from crawlers.fetch import Refusal
from crawlers.hosts import HostRules
from tests.crawlers.site import Answer, Canary, Site
from vocwatch.browser import find_browser
from vocwatch.settings import read_environment
from vocwatch.settings.sources import Browser

pytestmark = pytest.mark.browser
HTML = {"Content-Type": "text/html; charset=utf-8"}
BOMB = Answer(gzip.compress(bytes(8 << 20), 9), headers={"Content-Encoding": "gzip", "Content-Type": "text/javascript"})

# Everything by which a page could remember something, written and then read again.
REMEMBER = """<!doctype html><p id=seen></p><script>
const seen = {cookie: document.cookie, local: localStorage.x, session: sessionStorage.x, name: window.name,
              history: history.length, title: document.title};
document.cookie = 'x=1; path=/'; localStorage.x = sessionStorage.x = '1'; window.name = 'named';
setInterval(() => { document.cookie = 'x=2; path=/'; localStorage.x = sessionStorage.x = '2'; name = 'again' }, 1);
document.getElementById('seen').textContent = JSON.stringify(seen);
const ask = indexedDB.open('d', 1);
ask.onupgradeneeded = () => document.body.append(Object.assign(document.createElement('i'), {id: 'fresh'}));
caches.open('c').then(c => c.put('/kept', new Response('1')));
</script>"""
# Every door out of a page that is known to us.
DOORS = """<!doctype html><link rel=preconnect href="{tcp}"><link rel=prefetch href="{tcp}/prefetch">
<link rel=stylesheet href="{tcp}/style.css"><iframe src="{tcp}/frame"></iframe><img src="{tcp}/image.png">
<video src="{tcp}/video" preload=auto></video><object data="{tcp}/object"></object><p id=seen></p><script>
const got = [], soon = new Promise(done => setTimeout(done, 700));
const attempt = work => Promise.race([Promise.resolve().then(work).then(() => 1, () => 0), soon]).then(r => got.push(r));
const rtc = async () => {{
  const pc = new RTCPeerConnection({{iceServers: [{{urls: 'stun:{udp}'}},
    {{urls: 'turn:{host}?transport=tcp', username: 'a', credential: 'b'}}, {{urls: 'turn:{udp}', username: 'a', credential: 'b'}}]}});
  pc.createDataChannel('x'); await pc.setLocalDescription(await pc.createOffer());
}};
const worker = new Worker(URL.createObjectURL(new Blob([`fetch('{tcp}/worker').catch(() => 0); new WebSocket('ws://{host}/w')`])));
Promise.all([
  attempt(() => fetch('{tcp}/fetch', {{mode: 'no-cors'}})), attempt(() => fetch('{name}/named')), attempt(() => fetch('/away')),
  attempt(() => fetch('{rebound}/rebound', {{mode: 'no-cors'}})),
  attempt(() => navigator.sendBeacon('{tcp}/beacon', 'x')), attempt(() => {{ new WebSocket('ws://{host}/socket') }}),
  attempt(() => {{ new EventSource('{tcp}/events') }}), attempt(rtc), attempt(() => navigator.serviceWorker.register('/sw.js')),
  attempt(() => {{ open('{tcp}/popup') }}), attempt(() => import('{tcp}/module.js')),
]).then(() => {{ const e = document.createElement('b'); e.id = 'done'; document.body.append(e) }});
</script>"""
LATE = "<!doctype html><p></p><script>setTimeout(() => {document.querySelector('p').textContent = 'late'}, 200)</script>"
FETCHED = """<!doctype html><p></p><script>fetch('/slow.json').then(r => r.json()).then(d => {
  document.querySelector('p').textContent = d.text })</script>"""


@dataclass
class Read:
    """What came of all pages."""

    pages: dict[str, Loaded | Exception] = field(default_factory=dict)
    connects: list[Connect] = field(default_factory=list)
    gated: list[tuple[str, str]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    datagrams: int = 0
    canary: bool = False
    site: Site | None = None

    def page(self, name: str) -> Loaded:
        found = self.pages[name]
        assert isinstance(found, Loaded), found
        return found

    def seen(self, name: str) -> dict[str, Any]:
        return dict(json.loads(self.page(name).html.partition("<p id=\"seen\">")[2].partition("</p>")[0]))


def _rules(site: Site) -> tuple[HostRules, Callable[[], None]]:
    """Rules for a site whose friends' names lead inwards, one of them only from the second time on."""
    moment, public = [0.0], ipaddress.ip_address("93.184.216.34")
    asked: list[str] = []

    async def lookup(host: str) -> list[Any]:
        asked.append(host)
        if host == "rebound.example" and asked.count(host) == 1:
            return [public]
        return [ipaddress.ip_address("127.0.0.1")]

    rules = HostRules([site.host], lookup, lambda: moment[0])

    def later() -> None:
        moment[0] += 10_000

    return rules, later


def _answers(site: Site, doors: str) -> Callable[[str], Answer | None]:
    fixed = {
        "/remember": Answer(REMEMBER, headers={**HTML, "Set-Cookie": "served=1; Path=/; HttpOnly"}),
        "/doors": Answer(doors, headers=HTML), "/late": Answer(LATE, headers=HTML),
        "/fetched": Answer(FETCHED, headers=HTML),
        "/slow.json": Answer(json.dumps({"text": "came"}), headers={"Content-Type": "application/json"}, hang=0.15),
        "/sw.js": Answer("self.addEventListener('install', () => fetch('/from-sw'))", headers={"Content-Type": "text/javascript"}),
        "/moved": Answer(status=302, headers={"Location": "/target"}), "/target": Answer("<p>target", headers=HTML),
        "/scripted": Answer("<script>location.replace('/target')</script>", headers=HTML),
        "/forbidden": Answer(status=302, headers={"Location": "/no/entry"}),
        "/tologin": Answer(status=302, headers={"Location": "/login?back=1"}),
        "/busy": Answer("<script>location.replace('/busy?' + Math.random())</script>", headers=HTML),
        "/huge": Answer("<p></p><script>document.querySelector('p').textContent = 'x'.repeat(3e6)</script>", headers=HTML),
        "/heavy": Answer("<script src=/bomb.js></script><p>drawn", headers=HTML), "/bomb.js": BOMB,
        "/missing": Answer("<p>没有", 404, HTML), "/bad": Answer("<p>x", headers=HTML),
        "/framed": Answer("<iframe src=/no/frame></iframe><iframe src=/target></iframe><p>outside", headers=HTML),
        "/tongue": Answer("<p></p><script>document.querySelector('p').textContent = navigator.language + ' ' + "
                          "Intl.DateTimeFormat().resolvedOptions().timeZone + ' ' + new Date(0).getHours()</script>", headers=HTML),
    }
    return lambda path: (
        Answer(status=302, headers={"Location": doors.partition('href="')[2].partition('"')[0] + "/away"}) if path == "/away"
        else fixed.get(path.partition("?")[0])
    )


async def _read_all(read: Read, site: Site, rules: HostRules, later: Callable[[], None], rebound: str) -> None:
    pool = Pool(read_environment(), "Asia/Shanghai", rules, "vocwatch/test (+https://example.com)",
                Limits(8, 1_000_000, 4_000_000), 1, on_connect=read.connects.append)

    async def gate(url: str, asked: str) -> Decision:
        read.gated.append((url, asked))
        if "/login" in url:
            return Decision(login=True)
        refused = "robots" if "/no/" in url else await rules.refusal(url)
        return Decision(Refusal(refused) if refused else None)

    async def load(name: str, path: str, ready: Browser | None = None, **headers: str) -> None:
        try:
            read.pages[name] = await pool.run(
                lambda tab: tab.load(site.url + path, headers, ready or Browser(), gate), 40
            )
        except (Refusal, Slow, Failed) as error:
            read.pages[name] = error

    assert await rules.refusal(rebound) is None, "public when it was asked about"
    later()
    await load("doors", "/doors", Browser(wait_for="#done"))
    for name in ("first", "second", "third"):
        await load(name, "/remember")
    for path in ("late", "fetched"):  # as long as it takes, however loaded the machine is: what is quiet ends the wait
        await load(path, f"/{path}", Browser(settle_ms=5000))
    for path in ("moved", "scripted", "forbidden", "tologin", "busy", "huge", "heavy", "missing", "framed", "tongue"):
        await load(path, f"/{path}")
    await load("bad selector", "/bad", Browser(wait_for="p[["))
    await load("keyed", "/moved?keyed", **{"X-Api-Key": "sesame"})
    read.counts = dict(pool.counts)
    await pool.close()


@pytest.fixture(scope="module")
def read() -> Iterator[Read]:
    if find_browser(read_environment()) is None:
        pytest.skip("这台机器没有能启动的浏览器")
    site, canary, told = Site(), Canary(), Read()
    told.site = site
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stun:
        stun.bind(("127.0.0.1", 0))
        stun.setblocking(False)
        tcp = canary.url.rpartition("/latest")[0]
        port = tcp.rpartition(":")[2]
        rebound = f"http://rebound.example:{port}"
        doors = DOORS.format(tcp=tcp, host=f"127.0.0.1:{port}", udp=f"127.0.0.1:{stun.getsockname()[1]}",
                             name=f"http://inward.example:{port}", rebound=rebound)
        site.rule = _answers(site, doors)
        asyncio.run(_read_all(told, site, *_rules(site), rebound))
        told.canary = canary.touched
        try:
            told.datagrams = len(stun.recv(2000))
        except BlockingIOError:
            told.datagrams = 0
    yield told
    site.close()
    canary.close()


def test_no_door_leads_inwards(read: Read) -> None:
    assert 'id="done"' in read.page("doors").html
    assert not read.canary and not read.datagrams
    assert read.site is not None
    reached = {(connect.host, connect.port, connect.address) for connect in read.connects if connect.address}
    assert reached == {("127.0.0.1", read.site.port, "127.0.0.1")}, "only the site itself was connected to"
    refused = {connect.host for connect in read.connects if connect.refused == "private"}
    assert {"127.0.0.1", "inward.example", "rebound.example"} <= refused, "and the others were tried"


def test_no_service_worker_and_no_window_stays(read: Read) -> None:
    assert read.site is not None
    assert "/sw.js" not in read.site.log and "/from-sw" not in read.site.log


def test_pages_do_not_see_what_earlier_ones_left(read: Read) -> None:
    assert read.counts["browsers"] == 1
    for name in ("first", "second", "third"):
        seen = read.seen(name)
        assert seen["cookie"] == "" and "local" not in seen and "session" not in seen and seen["name"] == "", (name, seen)
        assert 'id="fresh"' in read.page(name).html, "the database of the page before is gone"
    assert read.site is not None
    sent = [headers.get("Cookie", "") for path, headers in read.site.headers if path == "/remember"]
    assert sent == ["", "", ""]


def test_a_tab_is_used_again(read: Read) -> None:
    assert read.counts["tabs"] < read.counts["pages"], read.counts


def test_a_page_that_is_not_drawn_yet_is_waited_for(read: Read) -> None:
    assert "late" in read.page("late").html
    assert "came" in read.page("fetched").html


def test_redirects_are_followed_where_they_may_be(read: Read) -> None:
    assert read.site is not None
    for name in ("moved", "scripted"):
        page = read.page(name)
        assert (page.url, page.status) == (f"{read.site.url}/target", 200) and "target" in page.html
    assert (f"{read.site.url}/target", f"{read.site.url}/moved") in read.gated
    refused = read.pages["forbidden"]
    assert isinstance(refused, Refusal) and refused.kind == "robots"
    assert "/no/entry" not in read.site.log
    assert read.page("tologin").location == f"{read.site.url}/login?back=1"
    assert not any(path.startswith("/login") for path in read.site.log)


def test_a_page_that_never_stops_moving_is_given_up(read: Read) -> None:
    busy = read.pages["busy"]
    assert isinstance(busy, Refusal) and busy.kind == "redirects"
    assert read.site is not None
    assert len([path for path in read.site.log if path.startswith("/busy")]) == MAX_HOPS + 1


def test_sizes_states_and_frames(read: Read) -> None:
    huge, bad = read.pages["huge"], read.pages["bad selector"]
    assert isinstance(huge, Refusal) and huge.kind == "too_large"
    heavy = read.pages["heavy"]  # eight megabytes of zeros in eight kilobytes, for a page that may have one
    assert isinstance(heavy, Refusal) and heavy.kind == "too_large"
    assert isinstance(bad, Refusal) and "p[[" in str(bad)
    assert read.page("missing").status == 404 and "没有" in read.page("missing").html
    assert read.site is not None
    assert "outside" in read.page("framed").html and "/no/frame" not in read.site.log


def test_keys_go_to_the_first_request_only(read: Read) -> None:
    assert read.site is not None
    sent = {path: headers.get("X-Api-Key") for path, headers in read.site.headers if headers.get("X-Api-Key")}
    assert sent == {"/moved?keyed": "sesame"}


def test_the_browser_says_who_it_is_and_where(read: Read) -> None:
    assert "zh-CN Asia/Shanghai 8" in read.page("tongue").html
    assert read.site is not None and read.site.agents == {"vocwatch/test (+https://example.com)"}
