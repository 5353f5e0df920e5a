"""One tab in a context of its own: opens a page under watch, hands over what it shows, and forgets it.

Nothing but documents (the page itself, redirects, frames) is stopped on its way and asked about; pictures, fonts and
media are never requested, and every connection is checked by the tab's proxy.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Mapping
from typing import Any

from crawlers import browser_scripts as scripts
from crawlers.browser_cdp import BrowserGone, CdpError, Chromium, Message
from crawlers.browser_launch import HEIGHT, WIDTH
from crawlers.browser_proxy import Proxy
from crawlers.browser_visit import (
    Decision,
    Failed,
    Gate,
    Limits,
    Loaded,
    Slow,
    Stuck,
    Visit,
    origin_of,
    with_ours,
)
from crawlers.fetch import Refusal
from vocwatch.settings.sources import Browser

WAIT_SECONDS = 15
SCROLL_SECONDS = 90
STILL_ROUNDS = 2  # so many looks without anything new mean that the page has ended
MAX_HOPS = 5
MAX_POPUPS = 20
CLEAN_SECONDS = 5.0
_MEDIA = ("*.mp4", "*.m4v", "*.webm", "*.mov", "*.flv", "*.m3u8", "*.m4s", "*.mp3", "*.m4a", "*.ogg", "*.wav", "*.aac")
_FILES = ("*.zip", "*.rar", "*.7z", "*.exe", "*.apk", "*.dmg", "*.iso")
_PICTURES = ("*.png", "*.jpg", "*.jpeg", "*.gif", "*.webp", "*.avif", "*.bmp", "*.ico", "*.woff", "*.woff2", "*.ttf", "*.otf")
# What stays open for as long as the page does is no sign that it is still loading.
_LASTING = frozenset({"EventSource", "WebSocket", "Ping", "Prefetch", "Media"})


class Tab:
    """A page that is used again and again. One load at a time."""

    def __init__(self, browser: Chromium, proxy: Proxy, limits: Limits):
        self._browser, self._limits = browser, limits
        self.proxy = proxy
        self._context = self._target = self._session = ""
        self._visit: Visit | None = None
        self._blank = ""
        self._tasks: set[asyncio.Task[None]] = set()

    # -- opening and closing ------------------------------------------------------------------------------

    @classmethod
    async def open(
        cls, browser: Chromium, proxy: Proxy, limits: Limits, agent: str, sessions: Mapping[str, str], pictures: bool
    ) -> Tab:
        """Open an empty tab. `sessions` names the session of each target; raises CdpError, BrowserGone, TimeoutError."""
        tab = cls(browser, proxy, limits)
        made = await browser.send("Target.createBrowserContext", {
            "disposeOnDetach": True, "proxyServer": f"http://127.0.0.1:{proxy.port}", "proxyBypassList": "<-loopback>",
        })
        tab._context = made["browserContextId"]
        await browser.send("Browser.setDownloadBehavior", {"behavior": "deny", "browserContextId": tab._context})
        made = await browser.send("Target.createTarget", {
            "url": "about:blank", "browserContextId": tab._context, "width": WIDTH, "height": HEIGHT, "newWindow": True,
        })
        tab._target = made["targetId"]
        tab._session = sessions[tab._target]
        tab._listen()
        blocked = [*_MEDIA, *_FILES, *(() if pictures else _PICTURES)]
        wanted: tuple[tuple[str, Message], ...] = (
            ("Page.enable", {}), ("Inspector.enable", {}),
            # Bodies are not asked for: none need be kept for us.
            ("Network.enable", {"maxTotalBufferSize": 0, "maxResourceBufferSize": 0, "maxPostDataSize": 0}),
            ("Network.setBlockedURLs", {"urls": blocked}), ("Network.setBypassServiceWorker", {"bypass": True}),
            ("Emulation.setUserAgentOverride", {"userAgent": agent, "acceptLanguage": "zh-CN,zh;q=0.9"}),
            ("Emulation.setDeviceMetricsOverride",
             {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}),
            ("Emulation.setFocusEmulationEnabled", {"enabled": True}),
            ("Page.addScriptToEvaluateOnNewDocument", {"source": scripts.BEFORE}),
            ("Fetch.enable", {"patterns": [{"urlPattern": "*", "resourceType": "Document", "requestStage": "Request"}]}),
            ("Runtime.runIfWaitingForDebugger", {}),
        )
        await asyncio.gather(*(tab._send(method, given) for method, given in wanted))
        return tab

    @property
    def target(self) -> str:
        """The tab's id in the browser."""
        return self._target

    @property
    def context(self) -> str:
        """The id of the tab's context."""
        return self._context

    async def close(self) -> None:
        """Close the tab with its context and all that is stored in it. Raises Stuck when it does not close."""
        self._browser.forget(self._session)
        for task in self._tasks:
            task.cancel()
        await self.proxy.close()
        try:
            await self._browser.send(
                "Target.disposeBrowserContext", {"browserContextId": self._context}, seconds=CLEAN_SECONDS
            )
        except (CdpError, TimeoutError) as error:
            raise Stuck("标签页关不掉") from error

    # -- loading ------------------------------------------------------------------------------------------

    async def load(self, url: str, headers: Mapping[str, str], ready: Browser, gate: Gate) -> Loaded:
        """Open a page, wait until it is ready and return it.

        `headers` go to the page's own first request only. Raises Refusal, Failed, Slow, Stuck, BrowserGone.
        """
        visit = self._visit = Visit(url, headers, gate)
        self.proxy.begin_page()
        try:
            return await self._loaded(visit, ready)
        except Refusal:
            if visit.login:
                return Loaded(url, 302, {}, "", location=visit.login)
            raise

    async def _loaded(self, visit: Visit, ready: Browser) -> Loaded:
        # Here, not in `clean`: by now nothing that the page before wrote last is still on its way.
        await self._within(visit, self._send("Network.clearBrowserCookies", {}), CLEAN_SECONDS)
        await self._navigate(visit)
        cut = False
        while True:
            hops = visit.hops
            if visit.response is not None and int(visit.response["status"]) < 400:
                cut = await self._get_ready(visit, ready)  # an error page will not grow what we wait for
            if not visit.moving and visit.hops == hops:
                break
            await self._arrived(visit)  # it goes on to another page by itself
        taken = await self._run(visit, scripts.take(self._limits.body_bytes), self._limits.grace * 5)
        if taken["html"] is None:
            raise Refusal("too_large")
        if visit.response is None:
            raise Failed("no response", "network")
        url, status = visit.url, int(visit.response["status"])
        told = {str(name): str(value) for name, value in visit.response.get("headers", {}).items()}
        return Loaded(
            taken["url"] if taken["url"].startswith("http") else url, status, told, taken["html"],
            str(visit.response.get("remoteIPAddress", "")), cut,
        )

    async def _navigate(self, visit: Visit) -> None:
        end = time.monotonic() + self._limits.seconds
        went = await self._within(visit, self._send_long("Page.navigate", {"url": visit.url}), self._limits.seconds)
        if went is None:
            raise Slow("超时") if await self._answers(visit) else Stuck("浏览器没有反应")
        trouble = str(went.get("errorText", ""))
        if went.get("isDownload"):
            raise Refusal("browser", "这个地址给的是下载文件，不是网页")
        if trouble:
            if visit.response is not None and int(visit.response["status"]) in (204, 205):
                raise Refusal("browser", "网页没有内容（204）")
            raise Failed(trouble, self.proxy.why_failed(visit.at or visit.url) or "")
        await self._run(visit, scripts.LOADED, max(0.0, end - time.monotonic()), slow=True)
        self._check_proxy(visit)

    async def _arrived(self, visit: Visit) -> None:
        """Wait for the page that the open one leads to."""
        end = time.monotonic() + self._limits.seconds
        while visit.moving:
            if time.monotonic() > end:
                raise Slow("超时")
            await self._within(visit, asyncio.sleep(0.01), 1)
        await self._run(visit, scripts.LOADED, max(0.0, end - time.monotonic()), slow=True)
        self._check_proxy(visit)

    def _check_proxy(self, visit: Visit) -> None:
        """Raise Failed where what came is not the site's answer but the proxy's."""
        failed = self.proxy.why_failed(visit.response["url"]) if visit.response else None
        if failed:
            raise Failed("proxy", failed)

    async def _get_ready(self, visit: Visit, ready: Browser) -> bool:
        """Wait and scroll as the source says, neither failing the page; True when scrolling met a limit."""
        if ready.wait_for:
            await self._run(visit, scripts.present(ready.wait_for, WAIT_SECONDS * 1000), WAIT_SECONDS)
        if ready.scroll_until:
            return not await self._scroll(visit, ready)
        await self._settle(visit, ready.settle_ms)
        return False

    async def _settle(self, visit: Visit, limit_ms: int) -> None:
        """Wait until the page is quiet and asks for nothing more, but no longer than the source allows."""
        end = time.monotonic() + limit_ms / 1000
        while (left := end - time.monotonic()) > 0 and not visit.moving:
            asked = visit.asked
            await self._run(visit, scripts.quiet(max(1, int(left * 1000))), left)
            if not visit.under_way and visit.asked == asked:
                return
            await self._within(visit, asyncio.sleep(0.01), 1)

    async def _scroll(self, visit: Visit, ready: Browser) -> bool:
        """Scroll down until nothing is added any more; False when a limit came first."""
        css, wait = str(ready.scroll_until), max(ready.settle_ms, 50)
        end = time.monotonic() + SCROLL_SECONDS
        patience = time.monotonic() + self._limits.seconds
        still, left = 0.0, ready.max_scrolls + 2 * STILL_ROUNDS
        while left > 0 and time.monotonic() < end:
            asked = visit.asked
            seen = await self._run(visit, scripts.scroll(css), self._limits.grace)
            if await self._run(visit, scripts.more(css, int(seen), wait), wait / 1000):
                still, patience = 0.0, time.monotonic() + self._limits.seconds
            elif visit.under_way and time.monotonic() < patience:
                continue  # what the server has not answered yet may still be added
            else:
                # A page that asked its server for something may only be slow: that round counts half.
                still += 1.0 if visit.asked == asked else 0.5
            if still >= STILL_ROUNDS:
                return True
            left -= 1
        return False

    # -- afterwards ---------------------------------------------------------------------------------------

    async def clean(self) -> bool:
        """Leave the page and forget all that it stored; False when the tab can't be used again."""
        visit, self._visit = self._visit, None
        if visit is None:
            return True
        visit.end(Stuck("已离开"))
        self.proxy.begin_page()
        if len(visit.origins) != 1:
            return False  # what other origins keep for the length of a tab can't be reached from here
        [origin] = visit.origins
        try:
            async with asyncio.timeout(CLEAN_SECONDS):
                # An empty page of the same origin, made here: only there its session storage can be cleared.
                self._blank = f"{origin}/"
                await self._send("Page.navigate", {"url": self._blank})
                await asyncio.gather(
                    self._send("Runtime.evaluate", {"expression": scripts.FORGET}),
                    self._send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"}),
                    self._send("Page.resetNavigationHistory", {}),
                )
        except (CdpError, TimeoutError):
            return False
        finally:
            self._blank = ""
        return True

    async def picture(self, most_height: int) -> tuple[str, int]:
        """Return a PNG (base64) of the open page, cut at `most_height`, and its height. Raises as `load` does."""
        assert self._visit is not None
        height = int(await self._run(self._visit, scripts.HEIGHT, self._limits.grace))
        height = max(1, min(height, most_height))
        shot = await self._within(self._visit, self._send_long("Page.captureScreenshot", {
            "format": "png", "captureBeyondViewport": True, "clip": {"x": 0, "y": 0, "width": WIDTH, "height": height, "scale": 1},
        }), WAIT_SECONDS)
        if shot is None:
            raise Stuck("截图没有完成")
        return str(shot["data"]), height

    # -- commands -----------------------------------------------------------------------------------------

    async def _send(self, method: str, given: Message) -> Message:
        return await self._browser.send(method, given, self._session)

    async def _send_long(self, method: str, given: Message) -> Message:
        return await self._browser.post(method, given, self._session)

    async def _within(self, visit: Visit, work: Awaitable[Any], seconds: float) -> Any:
        """Wait for work, or until the page is given up (raised), or so long (None)."""
        task = asyncio.ensure_future(work)
        try:
            await asyncio.wait({task, visit.over}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if visit.over.done():
                visit.over.result()
            return task.result() if task.done() else None
        finally:
            task.cancel()

    async def _run(self, visit: Visit, script: str, seconds: float, *, slow: bool = False) -> Any:
        """Run a script that ends by itself within `seconds`; where the page moves on meanwhile, once more in the next.

        Raises Stuck when the page does not answer (with `slow`: Slow, when it does answer but isn't ready).
        """
        end = time.monotonic() + seconds + self._limits.grace
        while (left := end - time.monotonic()) > 0:
            try:
                given = {"expression": script, "awaitPromise": True, "returnByValue": True}
                told = await self._within(visit, self._send_long("Runtime.evaluate", given), left)
            except CdpError:  # another page has come in its place
                await self._within(visit, asyncio.sleep(0.02), 1)
                continue
            if told is None:
                break
            if "exceptionDetails" in told:
                why = str(told["exceptionDetails"].get("exception", {}).get("description", "脚本出错"))
                raise Refusal("browser", f"在网页里出错：{why.splitlines()[0][:120]}")
            return told["result"].get("value")
        if slow and await self._answers(visit):
            raise Slow("超时")
        raise Stuck("网页的脚本停不下来")

    async def _answers(self, visit: Visit) -> bool:
        given = {"expression": "1"}
        with contextlib.suppress(CdpError):
            return await self._within(visit, self._send_long("Runtime.evaluate", given), self._limits.grace) is not None
        return True

    # -- events -------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        for method, handler in (
            ("Fetch.requestPaused", self._on_document), ("Network.requestWillBeSent", self._on_request),
            ("Network.responseReceived", self._on_response), ("Network.dataReceived", self._on_data),
            ("Network.loadingFinished", self._on_end), ("Network.loadingFailed", self._on_failure),
            ("Page.frameNavigated", self._on_arrival),
            ("Page.javascriptDialogOpening", self._on_dialog), ("Inspector.targetCrashed", self._on_crash),
        ):
            self._browser.on(self._session, method, handler)

    def _later(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _reply(self, method: str, given: Message) -> None:
        """Answer an event; that its page may be gone by now is no news."""
        with contextlib.suppress(BrowserGone):
            self._browser.post(method, given, self._session)

    def on_popup(self) -> None:
        """A window was opened (and closed already)."""
        if self._visit is not None:
            self._visit.popups += 1
            if self._visit.popups > MAX_POPUPS:
                self._visit.end(Refusal("browser", f"网页不停地弹窗（超过 {MAX_POPUPS} 个）"))

    def on_excess(self) -> None:
        """More came over the wire than a page may cost."""
        if self._visit is not None:
            self._visit.end(Refusal("too_large"))

    def _on_dialog(self, event: Message) -> None:
        self._reply("Page.handleJavaScriptDialog", {"accept": event.get("type") == "beforeunload"})

    def _on_crash(self, event: Message) -> None:
        if self._visit is not None:
            self._visit.end(Stuck("网页崩溃（内存不足或脚本出错）"))

    def _on_request(self, event: Message) -> None:
        if self._visit is not None and event.get("type") not in _LASTING and event["request"]["url"][:4] == "http":
            self._visit.asked += 1
            self._visit.under_way.add(event["requestId"])

    def _on_end(self, event: Message) -> None:
        if self._visit is not None:
            self._visit.under_way.discard(event["requestId"])

    def _on_failure(self, event: Message) -> None:
        self._on_end(event)
        if self._visit is not None and self._visit.moving == event["requestId"]:
            self._visit.moving = ""

    def _on_arrival(self, event: Message) -> None:
        if self._visit is not None and event["frame"]["id"] == self._target:
            self._visit.moving = ""

    def _on_response(self, event: Message) -> None:
        visit = self._visit
        if visit is None or event.get("type") != "Document":
            return
        url = str(event["response"]["url"])
        visit.origins.add(origin_of(url))
        if event.get("frameId") == self._target:
            visit.response = event["response"]

    def _on_data(self, event: Message) -> None:
        """Give a page up when one of its answers unpacks to more than is ever read."""
        visit = self._visit
        if visit is not None:
            visit.received[event["requestId"]] += event["dataLength"]
            if visit.received[event["requestId"]] > self._limits.body_bytes:
                visit.end(Refusal("too_large"))

    def _on_document(self, event: Message) -> None:
        """A document is about to be asked for: let the page itself pass at once, ask about everything else."""
        visit, url, main = self._visit, str(event["request"]["url"]), event.get("frameId") == self._target
        if visit is None:
            if main and url == self._blank:
                self._reply("Fetch.fulfillRequest", {
                    "requestId": event["requestId"], "responseCode": 200, "body": "",
                    "responseHeaders": [{"name": "Content-Type", "value": "text/html"}],
                })
            else:
                self._fail(event)
        elif main and visit.hops == 0:
            visit.hops, visit.at, visit.moving = 1, url, str(event.get("networkId", ""))
            self._reply("Fetch.continueRequest", {"requestId": event["requestId"], **with_ours(event, visit.headers)})
        else:
            if main:
                visit.hops, visit.at, visit.moving = visit.hops + 1, url, str(event.get("networkId", ""))
            self._later(self._ask(visit, event, url, main))

    async def _ask(self, visit: Visit, event: Message, url: str, main: bool) -> None:
        try:
            if main and visit.hops > MAX_HOPS + 1:
                decision = Decision(Refusal("redirects"))
            else:
                decision = await visit.gate(url, visit.url if main else "")
        except Exception as error:  # a question that can't be answered is a no
            decision = Decision(Refusal("browser", f"{type(error).__name__}: {error}"[:200]))
        if decision.refused is None and not decision.login and visit is self._visit:
            # Headers of our own go no further than the first request.
            self._reply("Fetch.continueRequest", {"requestId": event["requestId"]})
            return
        self._fail(event)
        if main:
            visit.login = url if decision.login else ""
            visit.end(decision.refused or Refusal("login"))

    def _fail(self, event: Message) -> None:
        self._reply("Fetch.failRequest", {"requestId": event["requestId"], "errorReason": "BlockedByClient"})
