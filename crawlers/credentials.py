"""Keys of official APIs: sent to the site that the source file names, and to nobody that this site points to."""

from __future__ import annotations

import re
from collections.abc import Mapping

from scrapy import Request
from scrapy.crawler import Crawler

from crawlers.browser import READY
from crawlers.context import context_of
from crawlers.fetch import Refusal
from crawlers.guard import ROBOTS
from crawlers.hosts import HostRules
from crawlers.robots import origin_of
from vocwatch.settings import Settings, Source
from vocwatch.settings.sources import Step

SENT = "credentials_sent_to"  # meta key: the origin that a request carried credentials to
_ALWAYS = ("Authorization", "Cookie", "Proxy-Authorization")
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,8190}[\x21-\x7e])?")
# Who we are is not a source's to say, a session of a logged-in user is not ours to use, and the rest is framing.
_NOT_OURS = frozenset({
    "cookie", "user-agent", "host", "referer", "origin", "connection", "content-length", "transfer-encoding",
    "accept-encoding", "proxy-authorization", "x-forwarded-for", "x-real-ip", "forwarded", "via", "from",
})


class Unusable(ValueError):
    """Credentials that can't be used as configured; the message names source file and variable, never the value."""


def credentials(settings: Settings, source: Source) -> dict[str, str]:
    """Return the headers of a source with their values out of the environment. Raises Unusable."""
    place = f"{settings.env.config / 'sources' / source.name}.yaml: headers"
    if not source.headers:
        return {}
    if all((step.transport or source.transport) == "browser" for step in _steps(source)):
        raise Unusable(f"{place} 不会随浏览器发送；请改成 transport: http，或去掉 headers")
    rules = HostRules(settings.app.crawler.allow_private_hosts)
    for url in _own_addresses(source):
        if not url.startswith("https://") and not rules.is_listed(url):
            raise Unusable(f"{place} 只随 https 发送，而地址是 {url}；请改成 https://，或去掉 headers")
    return {name: _value(settings.env.variables, name, place, spec) for name, spec in source.headers.items()}


def _value(variables: Mapping[str, str], name: str, place: str, spec: str) -> str:
    variable = spec.removeprefix("env:")
    if not _NAME.fullmatch(name) or name.lower() in _NOT_OURS:
        raise Unusable(f"{place}.{name} 不能设：请求头名不合法，或属于身份、登录态和传输层；只写官方接口要的密钥头")
    value = variables.get(variable, "").strip()
    if not value:
        raise Unusable(f"{place}.{name} 要用的环境变量 {variable} 没有设置；设好再采集，或停用这个来源")
    if not _VALUE.fullmatch(value):
        raise Unusable(f"{place}.{name}：环境变量 {variable} 的值里有换行、控制字符或非 ASCII 字符，请重新复制一遍")
    return value


def _steps(source: Source) -> list[Step]:
    return [step for step in (source.listing, source.detail, source.comments) if step]


def _own_addresses(source: Source) -> list[str]:
    """The addresses written in the source file, as far as they are whole ones."""
    return [url for url in (*source.start, *(step.url or "" for step in _steps(source))) if "://" in url]


class Credentials:
    """Downloader middleware: takes all credentials off every request, and puts the source's own on for its origins.

    Every redirect hop and retry passes here anew, so nothing is carried along.
    """

    def __init__(self, crawler: Crawler):
        context = context_of(crawler.spider)
        self._headers = credentials(context.settings, context.source)
        self._names = {*_ALWAYS, *self._headers}
        self._origins = {origin_of(url) for url in _own_addresses(context.source)}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Credentials:
        """Scrapy's constructor. Raises Unusable."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Set or drop the headers; a step from https down to http behind credentials raises Refusal."""
        for name in self._names:
            request.headers.pop(name, None)
        sent_to = request.meta.pop(SENT, "")
        if sent_to.startswith("https://") and request.url.startswith("http://"):
            raise Refusal("downgrade")
        origin = origin_of(request.url)
        # A browser follows redirects by itself, and would take them along.
        if ROBOTS in request.meta or READY in request.meta or origin not in self._origins:
            return
        for name, value in self._headers.items():
            request.headers[name] = value
        if self._headers:
            request.meta[SENT] = origin
