"""Fetching over plain HTTP, and the words for what can go wrong on the way."""

from __future__ import annotations

from collections.abc import Iterator

from OpenSSL import SSL
from scrapy import Request
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
)
from scrapy.http import Response
from twisted.internet.ssl import VerificationError as TwistedVerificationError

from crawlers.audit import ROBOTS_VERDICT
from crawlers.context import context_of

# What a QA lead reads. The keys are the error kinds of a run's statistics.
WORDS = {
    "dns": "域名解析不了", "refused": "连接被拒绝", "timeout": "超时", "tls": "TLS 证书校验不通过",
    "network": "网络中断", "server_error": "对方服务器报错（5xx）", "truncated": "页面没收全",
    "too_large": "页面超过大小上限", "private": "地址指向内网，已拒绝", "scheme": "不是 http(s) 地址，已拒绝",
    "address": "地址写法有诈（带用户名、怪字符或不成主机名），已拒绝", "encoding": "压缩格式不认识或已损坏",
    "downgrade": "带着密钥被转到不加密的 http，已拒绝", "charset": "编码解不开，整页不用", "slow": "解析太久，整页不用",
    "robots": "robots.txt 不允许", "robots_unreachable": "robots.txt 读不到，按不允许处理",
    "redirects": "跳转超过 5 次", "forbidden": "拒绝访问（401/403）", "http_error": "返回了错误状态",
    "missing": "地址不存在（404）", "extract_error": "解析时出错", "drift": "页面写法变了，读不出内容",
    "refused_list": "在拒绝采集名单（config/refusals.yaml）上",
    "hollow": "列表页是空的", "unavailable": "页面暂时不可用", "login": "要求登录", "browser": "浏览器出错",
    "no_browser": "没有能启动的浏览器",
}
NETWORK = frozenset({"dns", "refused", "timeout", "tls", "network", "server_error", "browser"})


class Refusal(IgnoreRequest):
    """A request that we do not send; `kind` is one of the keys of WORDS, or halted, or budget."""

    def __init__(self, kind: str, why: str = ""):
        super().__init__(why or WORDS.get(kind, kind))
        self.kind = kind


class HttpHandler(HTTP11DownloadHandler):
    """Scrapy's handler, asked once more at the last moment whether the run still goes on."""

    async def download_request(self, request: Request) -> Response:
        """Fetch, unless the run was halted while the request waited for its turn. Raises Refusal."""
        refuse_if_halted(self._crawler.spider, request)
        try:
            return await super().download_request(request)
        except CannotResolveHostError as error:
            # The resolver answers nothing for a host whose addresses have become private since they were asked for.
            kind = context_of(self._crawler.spider).hosts.why_denied(request.url)
            if kind in (None, "dns"):
                raise
            raise Refusal(kind) from error


def refuse_if_halted(spider: object, request: Request) -> None:
    """Raise Refusal when the run was halted, so that a challenge is followed by no further request.

    What passes is written down as sent.
    """
    context = context_of(spider)
    context.look_at_switch()
    if context.halted is None:
        verdict = "robots_txt" if request.meta.get("robots_txt") else request.meta.pop(ROBOTS_VERDICT, "")
        context.audited("fetch", request.url, "", verdict)
    if context.halted is not None:  # writing it down may have failed
        raise Refusal("halted", context.halted.reason)


def kind_of(error: BaseException | None) -> str:
    """Return the error kind of a failed download."""
    if isinstance(error, Refusal):
        return error.kind
    if any(_is_tls(cause) for cause in _causes(error)):
        return "tls"
    kinds: tuple[tuple[type[BaseException], str], ...] = (
        (DownloadTimeoutError, "timeout"), (CannotResolveHostError, "dns"),
        (DownloadConnectionRefusedError, "refused"), (ResponseDataLossError, "truncated"),
        (DownloadCancelledError, "too_large"),
    )
    for known, kind in kinds:
        if isinstance(error, known):
            return kind
    if isinstance(error, IgnoreRequest):
        return "redirects" if "redirect" in str(error) else "too_large"
    return "network"


def _is_tls(error: BaseException) -> bool:
    return isinstance(error, SSL.Error | TwistedVerificationError) or "CERT_" in str(error)[:200]


def _causes(error: BaseException | None, depth: int = 0) -> Iterator[BaseException]:
    """Yield an exception and everything it was made of (Twisted keeps the reasons in a list)."""
    if error is None or depth > 5:
        return
    yield error
    yield from _causes(error.__cause__, depth + 1)
    for reason in getattr(error, "reasons", ()):
        yield from _causes(getattr(reason, "value", None), depth + 1)
