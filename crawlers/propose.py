"""A first source file from one address: fetch politely, recognise the page, propose how it is read."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from crawlers.extractors import Link, extract
from crawlers.fetch import NETWORK, WORDS
from crawlers.fetchone import Fetched, fetch_page
from crawlers.guard import is_login, leads_to_login
from crawlers.propose_draft import ID_IN_ADDRESS, Trial, guess_kind, ids_in
from crawlers.propose_page import Reading, read_page
from crawlers.requests import start_urls, with_page
from vocwatch.clock import business_date
from vocwatch.exits import Exit
from vocwatch.models import MentionRecord, Page
from vocwatch.settings import ConfigError, Settings, Source
from vocwatch.settings.yamlfile import load_model

DOORS = "不绕过。可以改用：官方开放接口、自有店铺的商家后台导出（CSV、Excel、JSON）、网站自己提供的 RSS"
FEED_SUMMARY = 120  # a feed whose texts are shorter holds summaries
LONGER = 1.2


class ProposeError(Exception):
    """No source can be proposed; the message says why and what to do, `code` is the exit code."""

    def __init__(self, code: Exit, message: str):
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class SavedPage:
    """A page that the proposal was made from, and the step that reads it: listing or detail."""

    step: str
    page: Page
    records: list[MentionRecord]


@dataclass(frozen=True)
class Proposal:
    """What one page turned out to be, and the source file that reads it.

    `coverage` maps a field to (filled, records); `notes` are remarks for whoever checks the file.
    """

    source: Source
    kind: str
    robots: str
    records: list[MentionRecord] = field(default_factory=list)
    coverage: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    pages: tuple[SavedPage, ...] = ()


def propose(settings: Settings, name: str, url: str, *, title: str, owner: str, basis: str) -> Proposal:
    """Fetch `url` once (and one detail page where it is a list) and propose a source. Raises ProposeError."""
    url = url.strip().replace("${", "$%7B")  # the loader would fill it from the environment
    _check_address(url)
    base = {
        "name": name,
        "title": title.replace("${", "$ {"),
        "owner": owner.replace("${", "$ {"),
        "start": [url],
        "enabled": False,
        "access": {
            "basis": basis.replace("${", "$ {"),
            "robots": "-",
            "reviewer": owner.replace("${", "$ {"),
            "date": business_date(settings.clock.now(), settings.app.zone),
        },
    }
    if "{keyword}" in url:
        base["keywords"] = "watches"
    conversation = _Conversation(settings, base)
    path = source_path(settings, name)
    if path.exists():
        raise ProposeError(Exit.USAGE, f"{path} 已经存在，不覆盖。请换个名字，或先改名、删掉旧文件")
    return conversation.run()


def write_source(settings: Settings, proposal: Proposal) -> Path:
    """Write config/sources/NAME.yaml, switched off, and the pages it was made from. Raises ProposeError."""
    from crawlers.propose_write import write

    try:
        return write(settings, proposal)
    except FileExistsError as error:
        raise ProposeError(
            Exit.USAGE, f"{error.filename} 已经存在，不覆盖。请换个名字，或先改名、删掉旧文件"
        ) from error
    except ConfigError as error:
        raise ProposeError(Exit.CONFIGURATION, f"写出的来源文件读不回来，没有保存：{error}") from error
    except OSError as error:
        raise ProposeError(
            Exit.STORAGE, f"{error.filename}: 写不进去（{error.strerror}）。请检查权限和磁盘空间"
        ) from error


def source_path(settings: Settings, name: str) -> Path:
    """Return where a source's file lies."""
    return settings.env.config / "sources" / f"{name}.yaml"


def _check_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        usable = (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and not any(char.isspace() for char in url)
        )
        _ = parts.port
    except ValueError:
        usable = False
    if not usable:
        raise ProposeError(Exit.USAGE, f"网址看不懂：{url[:200]}。要写完整的 http:// 或 https:// 地址")
    if parts.username or parts.password:
        raise ProposeError(Exit.USAGE, "网址里不能带用户名和密码：只读不登录就能看到的内容")


class _Conversation:
    """One run of the proposer: the pages it may ask for, and what it has learnt so far."""

    def __init__(self, settings: Settings, base: dict[str, Any]):
        self._settings, self._base = settings, base
        self._zone = settings.app.zone
        self._notes: list[str] = []
        self._robots = ""
        self._delay = settings.app.crawler.default_delay_seconds
        self._asked = 0
        self._source(
            {"listing": {"extract": "html"}}
        )  # name, title and owner are checked before anything is fetched

    def run(self) -> Proposal:
        """Read the page that was named and decide."""
        draft = self._source({"listing": {"extract": "html"}})
        address = next(start_urls(self._settings, draft), None)
        if address is None:
            raise ProposeError(
                Exit.USAGE, "网址里有 {keyword}，但 config/watches.yaml 里还没有品牌词。请先写监测词"
            )
        first = self._read(with_page(address, 1), "http")
        if (first.records is None and first.links is None) or (first.shell and not _real(first)):
            first = self._in_browser(first)
        if not _real(first) and first.feeds:
            followed = self._followed_feed(first)
            if followed is not None:
                return followed
        elif first.feeds:
            self._notes.append(f"网站自己有订阅源：{first.feeds[0]}。若内容相同，用订阅源更稳")
        return self._decide(first)

    def _followed_feed(self, first: Reading) -> Proposal | None:
        feed = first.feeds[0]
        try:
            reading = self._read(feed, "http")
            if reading.kind != "RSS/Atom" or reading.records is None:
                return None
            self._notes.append(f"页面声明了订阅源 {feed}，来源改读订阅源")
            self._base = {**self._base, "start": [feed]}
            self._base.pop("keywords", None)
            return self._decide(reading)
        except ProposeError as error:
            self._notes.append(f"页面声明的订阅源读不了：{error}")
            return None

    # -- fetching ---------------------------------------------------------------------------------------------

    def _read(self, url: str, transport: str) -> Reading:
        """Fetch and recognise a page. Raises ProposeError where it is refused or does not come."""
        if self._asked:
            time.sleep(self._delay)
        self._asked += 1
        fetched = fetch_page(self._settings, url, transport)
        if fetched.robots and not self._robots:
            self._robots = fetched.robots
            self._base["access"] = {**self._base["access"], "robots": fetched.robots}
        if fetched.crawl_delay > self._delay:
            self._delay = fetched.crawl_delay
            self._notes.append(
                f"robots.txt 要求每次间隔 {fetched.crawl_delay:g} 秒，已写进 rate.delay_seconds"
            )
            self._base["rate"] = {"delay_seconds": fetched.crawl_delay}
        if fetched.page is None:
            raise self._not_fetched(url, fetched)
        page = fetched.page
        if leads_to_login(page.request_url, page.url) or (
            300 <= page.status < 400 and is_login(page.headers.get("location", ""))
        ):
            raise self._blocked(url, "被转到登录页，要登录才能看")
        reading = read_page(page, self._base, self._zone)
        if reading.sign.hard or (
            reading.sign.state != "ok" and not _sure(reading) and not reading.empty_shell
        ):
            raise self._refused(url, reading)
        if 300 <= page.status < 400:
            raise ProposeError(
                Exit.INCOMPLETE, f"{url} 返回跳转（{page.status}），没有内容。请换成最终打开的网址再试"
            )
        return reading

    def _in_browser(self, first: Reading) -> Reading:
        """An empty shell is drawn by scripts: look once more, with a browser, if there is one."""
        if first.kind in ("RSS/Atom", "JSON 接口") or (not first.shell and "脚本 0 个" in first.seen):
            return first
        try:
            drawn = self._read(first.page.request_url or first.page.url, "browser")
        except ProposeError as error:
            if error.code is Exit.BLOCKED:
                raise
            self._notes.append(f"页面可能要用浏览器打开，但没有成功：{error}")
            return first
        if drawn.records is None and drawn.links is None:
            return first
        self._base["transport"] = "browser"
        self._notes.append("不运行脚本看不到内容，已写 transport: browser")
        return drawn

    def _not_fetched(self, url: str, fetched: Fetched) -> ProposeError:
        error = fetched.error or "network"
        if error == "robots":
            return ProposeError(Exit.BLOCKED, f"robots.txt：不允许读 {url}。{DOORS}{self._catalogue(url)}")
        unreachable = error == "robots_unreachable" and any(
            WORDS[kind] in fetched.why for kind in NETWORK - {"server_error"}
        )
        if error == "robots_unreachable" and not unreachable:
            return ProposeError(
                Exit.BLOCKED,
                f"robots.txt：读不到（按不允许处理）。{fetched.why}。请过一会儿再试；一直这样就{DOORS}",
            )
        if error in ("private", "scheme"):
            return ProposeError(
                Exit.USAGE,
                f"{url}：{fetched.why or WORDS[error]}。自建实例请把主机写进 config/vocwatch.yaml 的 crawler.allow_private_hosts",
            )
        why = fetched.why if unreachable or error not in WORDS else WORDS[error]
        return ProposeError(Exit.INCOMPLETE, f"{url} 没有读到：{why}。请核对网址、确认网络通畅后再试")

    def _refused(self, url: str, reading: Reading) -> ProposeError:
        state, reason = reading.sign.state, reading.sign.reason
        if state == "removed":
            return ProposeError(Exit.USAGE, f"{url}：{reason}。请核对网址")
        if state == "unavailable":
            return ProposeError(Exit.INCOMPLETE, f"{url}：{reason}。请过一会儿再试")
        return self._blocked(url, reason)

    def _blocked(self, url: str, reason: str) -> ProposeError:
        robots = f"（robots.txt：{self._robots}）" if self._robots else ""
        return ProposeError(Exit.BLOCKED, f"{url} 受阻：{reason}{robots}。{DOORS}{self._catalogue(url)}")

    def _catalogue(self, url: str) -> str:
        """Name the catalogue's entry for the same site, where there is one."""
        host = ".".join((urlsplit(url).hostname or "").split(".")[-2:])
        for path in sorted((self._settings.env.config / "sources" / "catalogue").glob("*.yaml")):
            try:
                entry = load_model(path, Source, self._settings.env.variables)
            except ConfigError:
                continue
            if any(
                (urlsplit(start).hostname or "").endswith(host)
                for start in (*entry.start, entry.access.terms)
                if start
            ):
                return f"。目录里已有 {path.name}，可以直接复制来改"
        return ""

    # -- deciding ---------------------------------------------------------------------------------------------

    def _decide(self, first: Reading) -> Proposal:
        """Records of this page, or its links with what stands behind one of them."""
        records, links = first.records, first.links
        summary = first.kind == "RSS/Atom" and records is not None and _median(records) < FEED_SUMMARY
        if links is not None and (not _real(first) or summary):
            try:
                return self._with_details(first, links, records if summary else None)
            except ProposeError as error:
                if records is None or not any(record.published_at for record in records.found.records):
                    raise
                self._notes.append(f"没能从详情页读正文，先按列表上的内容建：{error}")
        if records is None:
            raise ProposeError(
                Exit.INCOMPLETE,
                f"{first.page.url} 读到了（robots.txt：{self._robots}），但没有认出能入库的内容。看到的是：{first.seen}。"
                f"请换成列表页、详情页或接口的地址，或参照 docs/add-a-source.zh-CN.md 手写来源文件{self._catalogue(first.page.url)}",
            )
        step = self._for_browser(records.draft.complete(), records)
        source = self._source({"detail" if records.draft.whole else "listing": step})
        return self._proposal(
            source, first.kind, [("detail" if records.draft.whole else "listing", first.page, None)]
        )

    def _with_details(self, first: Reading, links: Trial, summaries: Trial | None) -> Proposal:
        link = _telling(links, summaries)
        detail, transport = self._detail(link)
        if detail.records is None:
            raise ProposeError(
                Exit.INCOMPLETE, f"列表读得到，但详情页 {link.url} 没有认出正文。看到的是：{detail.seen}"
            )
        if summaries is not None and _median(detail.records) < LONGER * _longest(summaries):
            raise ProposeError(Exit.INCOMPLETE, f"详情页 {link.url} 的正文不比订阅源里的长")
        listing = self._for_browser(_fitted(links, detail.records), links)
        step = detail.records.draft.complete()
        if self._base.get("transport") == "browser" and transport == "http":
            step = {**step, "transport": "http"}
        if (
            "next" not in step
            and listing.get("next", {}).get("link")
            and step["extract"] == listing["extract"] == "html"
            and _repeats(step)
        ):
            step = {**step, "next": dict(listing["next"])}
        source = self._source({"listing": listing, "detail": step})
        kind = f"{first.kind} → {detail.kind}"
        return self._proposal(source, kind, [("listing", first.page, None), ("detail", detail.page, link)])

    def _detail(self, link: Link) -> tuple[Reading, str]:
        reading = self._read(link.url, "http")
        if (reading.records is None or (reading.shell and not _real(reading))) and self._base.get(
            "transport"
        ) == "browser":
            return self._read(link.url, "browser"), "browser"
        return reading, "http"

    def _for_browser(self, step: dict[str, Any], trial: Trial) -> dict[str, Any]:
        """In a browser, wait for the blocks and scroll until no more of them come."""
        spec = trial.draft.step.get("links") or trial.draft.step.get("records", [{}])[0]
        if self._base.get("transport") == "browser" and step["extract"] == "html" and spec.get("items"):
            self._base["browser"] = {"wait_for": spec["items"], "scroll_until": spec["items"]}
        return step

    def _source(self, steps: dict[str, Any]) -> Source:
        named = guess_kind(self._base["name"], self._base["title"], self._base["start"][0])
        for step in steps.values():
            for record in step.get("records", ()):
                record["kind"] = named if record["kind"] == "post" and named != "comment" else record["kind"]
        try:
            return Source.model_validate({**self._base, **steps})
        except ValidationError as error:
            fault = error.errors()[0]
            where = ".".join(str(part) for part in fault["loc"]) or "来源"
            raise ProposeError(
                Exit.USAGE,
                f"{where}：{str(fault['msg']).removeprefix('Value error, ')}（现在是 {str(fault.get('input'))[:80]}）",
            ) from error

    def _proposal(self, source: Source, kind: str, pages: list[tuple[str, Page, Link | None]]) -> Proposal:
        """Run the finished source over its pages: the records shown are those that it will store."""
        saved: list[SavedPage] = []
        coverage: Mapping[str, tuple[int, int]] = {}
        for name, page, link in pages:
            step = getattr(source, name)
            found = extract(
                page, step, source, page.fetched_at, self._zone, carried=link.carried if link else None
            )
            saved.append(SavedPage(name, page, found.records))
            coverage = found.coverage or coverage
        records = [record for entry in saved for record in entry.records]
        if not any(record.text.strip() for record in records):
            raise ProposeError(
                Exit.INCOMPLETE,
                f"{source.start[0]} 认得出结构（{kind}），但没有一条读得出正文。请换一个有内容的页面再试",
            )
        if not any(record.published_at for record in records):
            self._notes.append("没有读到发布时间：日报按采集时间计，请尽量在来源文件里补上 published_at")
        return Proposal(source, kind, self._robots, records, coverage, tuple(self._notes), tuple(saved))


def _sure(reading: Reading) -> bool:
    return reading.records is not None and reading.records.sure


def _real(reading: Reading) -> bool:
    return reading.records is not None and reading.records.real


def _median(trial: Trial) -> float:
    lengths = sorted(len(record.text) for record in trial.found.records)
    return float(lengths[len(lengths) // 2]) if lengths else 0.0


def _longest(trial: Trial) -> int:
    return max((len(record.text) for record in trial.found.records), default=0)


def _telling(links: Trial, summaries: Trial | None) -> Link:
    """The link behind which most is to be seen: the longest (cut) summary, or the most replies."""
    if summaries is not None:
        longest = max(summaries.found.records, key=lambda record: len(record.text))
        return next((link for link in links.found.links if link.url == longest.url), links.found.links[0])
    return max(links.found.links, key=lambda link: link.carried.get("replies") or 0)


def _repeats(step: dict[str, Any]) -> bool:
    return any(record.get("items") or record.get("jsonld") for record in step.get("records", ()))


def _fitted(links: Trial, detail: Trial) -> dict[str, Any]:
    """Let the listing carry what belongs to the pages behind it.

    One post: its id, from its address. A list of reviews: a product's title is no review's title, and neither its id
    nor its number of reviews is theirs.
    """
    listing = links.draft.complete()
    fields = dict(listing["links"]["fields"])
    if detail.draft.whole:
        addresses = [link.url for link in links.found.links]
        if "native_id" not in fields and listing["extract"] == "html" and ids_in(addresses):
            fields = {"native_id": {"path": fields["url"], "regex": ID_IN_ADDRESS}, **fields}
    else:
        fields = {
            name: spec for name, spec in fields.items() if name not in ("replies", "native_id", "likes")
        }
        if "title" in fields and any(
            spec["kind"] == "review" for spec in detail.draft.step.get("records", ())
        ):
            fields["product"] = fields.pop("title")
    return {**listing, "links": {**listing["links"], "fields": fields}}
