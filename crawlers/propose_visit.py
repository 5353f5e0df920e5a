"""Looking at pages for a proposal: politely, and with the reason and the next legitimate step where that fails."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from crawlers.fetch import NETWORK, WORDS
from crawlers.fetchone import Fetched, fetch_page
from crawlers.guard import is_login, leads_to_login
from crawlers.propose_page import Reading, read_page
from vocwatch.exits import Exit
from vocwatch.lang import tr
from vocwatch.reasons import spoken
from vocwatch.settings import ConfigError, Settings, Source
from vocwatch.settings.yamlfile import load_model


def _doors() -> str:
    return tr(
        "不绕过。可以改用：官方开放接口、自有店铺的商家后台导出（CSV、Excel、JSON）、网站自己提供的 RSS",
        "It is not gone around. Use instead: the official API, the export of your own shop's back office (CSV, Excel, JSON), "
        "the site's own RSS",
    )


class ProposeError(Exception):
    """No source can be proposed; the message says why and what to do, `code` is the exit code."""

    def __init__(self, code: Exit, message: str):
        super().__init__(message)
        self.code = code


class Visitor:
    """Fetches pages one after another, as slowly as the site asks, and recognises them.

    `base` is the source file so far: the verdict of robots.txt, its delay and the transport are written into it.
    """

    def __init__(self, settings: Settings, base: dict[str, Any], notes: list[str], tell: Callable[[str], None]):
        self._settings, self.base, self._notes, self._tell = settings, base, notes, tell
        self._delay = settings.app.crawler.default_delay_seconds
        self._asked = 0
        self.robots = ""

    def read(self, url: str, transport: str = "http") -> Reading:
        """Fetch and recognise a page. Raises ProposeError where it is refused or does not come."""
        if self._asked:
            time.sleep(self._delay)
        self._asked += 1
        fetched = fetch_page(self._settings, url, transport)
        self._heed(fetched)
        if fetched.page is None:
            raise self._not_fetched(url, fetched)
        page = fetched.page
        if leads_to_login(page.request_url, page.url) or (
            300 <= page.status < 400 and is_login(page.headers.get("location", ""))
        ):
            raise self._blocked(url, tr("被转到登录页，要登录才能看", "sent to a login page"))
        reading = read_page(page, self.base, self._settings.app.zone)
        sure = reading.records is not None and reading.records.sure
        if reading.sign.hard or (reading.sign.state != "ok" and not sure and not reading.empty_shell):
            raise self._refused(url, reading)
        if 300 <= page.status < 400:
            raise ProposeError(
                Exit.INCOMPLETE, tr(
                    f"{url} 返回跳转（{page.status}），没有内容。请换成最终打开的网址再试",
                    f"{url} redirects ({page.status}) and holds nothing. Use the address that finally opens",
                ),
            )
        return reading

    def read_drawn(self, url: str, first: Reading) -> Reading | None:
        """Look once more with a browser at a page that shows nothing without one; None where that brings nothing."""
        if not first.scripts:
            return None
        self._tell(tr("页面不运行脚本就没有内容，改用浏览器再看一次", "Nothing shows until scripts have run: looking again with a browser"))
        try:
            drawn = self.read(url, "browser")
        except ProposeError as error:
            if error.code is Exit.BLOCKED:
                raise
            self._notes.append(tr(f"页面可能要用浏览器打开，但没有成功：{error}", f"the page may need a browser, which did not work: {error}"))
            return None
        return drawn if drawn.records is not None or drawn.links is not None else None

    def _heed(self, fetched: Fetched) -> None:
        """Keep what robots.txt says: its verdict on the first page, and the longest delay it asks for."""
        if fetched.robots and not self.robots:
            self.robots = spoken(f"{fetched.robots}（{fetched.rule}）" if fetched.rule else fetched.robots)
            self.base["access"] = {**self.base["access"], "robots": self.robots}
            self._tell(tr(f"robots.txt：{self.robots}", f"robots.txt: {self.robots}"))
        if fetched.crawl_delay > self._delay:
            self._delay = fetched.crawl_delay
            self._notes.append(tr(
                f"robots.txt 要求每次间隔 {fetched.crawl_delay:g} 秒，已写进 rate.delay_seconds",
                f"robots.txt asks for {fetched.crawl_delay:g} seconds between requests; rate.delay_seconds says so now",
            ))
            self.base["rate"] = {"delay_seconds": fetched.crawl_delay}

    # -- refusals -------------------------------------------------------------------------------------------------

    def _not_fetched(self, url: str, fetched: Fetched) -> ProposeError:
        error = fetched.error or "network"
        if error == "robots":
            rule = tr(f"（{fetched.rule}）", f" ({spoken(fetched.rule)})") if fetched.rule else ""
            return ProposeError(Exit.BLOCKED, tr(
                f"robots.txt：不允许读 {url}{rule}。{_doors()}{self.catalogue(url)}",
                f"robots.txt does not allow {url}{rule}. {_doors()}{self.catalogue(url)}",
            ))
        unreachable = error == "robots_unreachable" and any(
            WORDS[kind] in fetched.why for kind in NETWORK - {"server_error"}
        )
        if error == "robots_unreachable" and not unreachable:
            return ProposeError(Exit.BLOCKED, tr(
                f"robots.txt：读不到（按不允许处理）。{fetched.why}。请过一会儿再试；一直这样就{_doors()}",
                f"robots.txt can't be read, which counts as not allowed. {spoken(fetched.why)}. Try again later. {_doors()}",
            ))
        if error in ("private", "scheme", "address"):
            return ProposeError(Exit.USAGE, tr(
                f"{url}：{fetched.why or WORDS[error]}。自建实例请把主机写进 config/vocwatch.yaml 的 crawler.allow_private_hosts",
                f"{url}: {spoken(fetched.why or WORDS[error])}. For an instance of your own, add its host to crawler.allow_private_hosts in config/vocwatch.yaml",
            ))
        why = fetched.why if unreachable or error not in WORDS else WORDS[error]
        return ProposeError(Exit.INCOMPLETE, tr(
            f"{url} 没有读到：{why}。请核对网址、确认网络通畅后再试", f"{url} could not be read: {spoken(why)}. Check the address and the network",
        ))

    def _refused(self, url: str, reading: Reading) -> ProposeError:
        state, reason = reading.sign.state, reading.sign.reason
        if state == "removed":
            return ProposeError(Exit.USAGE, tr(f"{url}：{reason}。请核对网址", f"{url}: {spoken(reason)}. Check the address"))
        if state == "unavailable":
            return ProposeError(Exit.INCOMPLETE, tr(f"{url}：{reason}。请过一会儿再试", f"{url}: {spoken(reason)}. Try again later"))
        return self._blocked(url, reason)

    def _blocked(self, url: str, reason: str) -> ProposeError:
        robots = tr(f"（robots.txt：{self.robots}）", f" (robots.txt: {self.robots})") if self.robots else ""
        return ProposeError(Exit.BLOCKED, tr(
            f"{url} 受阻：{reason}{robots}。{_doors()}{self.catalogue(url)}", f"{url} is blocked: {spoken(reason)}{robots}. {_doors()}{self.catalogue(url)}",
        ))

    def unread(self, reading: Reading) -> ProposeError:
        """Say that the page came and holds nothing that could be stored, and what was seen in its place."""
        url = reading.page.url
        return ProposeError(Exit.INCOMPLETE, tr(
            f"{url} 读到了（robots.txt：{self.robots}），但没有认出能入库的内容。看到的是：{reading.seen}。"
            f"请换成列表页、详情页或接口的地址，或参照 docs/add-a-source.zh-CN.md 手写来源文件{self.catalogue(url)}",
            f"{url} was read (robots.txt: {self.robots}), but holds nothing that could be stored. Seen: {reading.seen}. "
            f"Use the address of a list, a post or an API, or write the file by hand (docs/add-a-source.md){self.catalogue(url)}",
        ))

    def catalogue(self, url: str) -> str:
        """Name the catalogue's entry for the same site, where there is one."""
        host = ".".join((urlsplit(url).hostname or "").split(".")[-2:])
        for path in sorted((self._settings.env.config / "sources" / "catalogue").glob("*.yaml")):
            try:
                entry = load_model(path, Source, self._settings.env.variables)
            except ConfigError:
                continue
            if any((urlsplit(start).hostname or "").endswith(host) for start in (*entry.start, entry.access.terms) if start):
                return tr(f"。目录里已有 {path.name}，可以直接复制来改", f". The catalogue has {path.name}, to be copied and edited")
        return ""
