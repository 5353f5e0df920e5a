"""The browser of one crawl: a few tabs that are used again and again, a watchdog, and a new browser after a bad one.

Whatever a page does, its place is free again when its time is over. A tab that is stuck is closed; a browser that
can't even do that is killed with its whole process group and another one is started. Each page gets one second try,
in a fresh tab.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TypeVar

from crawlers.browser_cdp import BrowserGone, CdpError, Chromium, Message
from crawlers.browser_launch import launch
from crawlers.browser_proxy import Connect, Proxy
from crawlers.browser_tab import Tab
from crawlers.browser_visit import Limits, Stuck
from crawlers.fetch import Refusal
from crawlers.hosts import HostRules
from vocwatch.settings.env import Environment

MAX_TABS = 4
PAGES_PER_TAB = 100  # then a fresh one: whatever leaks, does not leak for long
PAGES_PER_BROWSER = 500
CLOSE_SECONDS = 10.0

Result = TypeVar("Result")


class Pool:
    """Tabs of one source.

    `counts` says how many pages, tabs, browsers, crashes, second tries, pop-ups and background connections there were;
    `on_connect` is told of every attempt of a page to reach a host.
    """

    def __init__(
        self, env: Environment, zone: str, hosts: HostRules, agent: str, limits: Limits, size: int = 1,
        pictures: bool = False, on_connect: Callable[[Connect], None] = lambda connect: None,
    ):
        self._env, self._zone, self._hosts, self._agent, self._limits = env, zone, hosts, agent, limits
        self._pictures, self._on_connect = pictures, on_connect
        self._places = asyncio.Semaphore(max(1, min(size, MAX_TABS)))
        self._starting = asyncio.Lock()
        self._browser: Chromium | None = None
        self._closed_door = Proxy(None, 0, on_connect=self._on_background)
        self._idle: list[Tab] = []
        self._tabs: dict[str, Tab] = {}  # by target
        self._contexts: dict[str, Tab] = {}
        self._sessions: dict[str, str] = {}
        self._used: Counter[Tab] = Counter()
        self._cleaning: set[asyncio.Task[None]] = set()
        self._over = False
        self.counts: Counter[str] = Counter()
        self.started: list[int] = []  # process ids of all browsers, each the leader of its session

    async def run(self, work: Callable[[Tab], Awaitable[Result]], seconds: float) -> Result:
        """Do work in a tab within so many seconds; after a crash or a hang once more, in a fresh one.

        Raises Refusal (browser) when the second try breaks the tab too, NoBrowser, and whatever the work raises.
        """
        try:
            return await self._once(work, seconds)
        except (Stuck, BrowserGone, CdpError):
            self.counts["second_tries"] += 1
        try:
            return await self._once(work, seconds)
        except (Stuck, BrowserGone, CdpError) as error:
            raise Refusal("browser", f"浏览器出错：{error}") from error

    async def _once(self, work: Callable[[Tab], Awaitable[Result]], seconds: float) -> Result:
        await self._places.acquire()
        handed_on = False
        try:
            tab = await self._tab()
            keep = False
            try:
                async with asyncio.timeout(seconds):
                    result = await work(tab)
                keep = True
                return result
            except TimeoutError as error:
                raise Stuck("超过了一页的总时限") from error
            except (Stuck, BrowserGone, CdpError):
                raise
            except Exception:
                keep = True  # the site's fault or the page's, not the tab's
                raise
            finally:
                self._tidy(tab, keep)
                handed_on = True
        finally:
            if not handed_on:
                self._places.release()

    # -- tabs ---------------------------------------------------------------------------------------------

    async def _tab(self) -> Tab:
        """Return an empty tab. Raises NoBrowser, Stuck, BrowserGone or CdpError."""
        browser = await self._started()
        self.counts["pages"] += 1
        if self._idle:
            return self._idle.pop()
        tab: Tab | None = None
        proxy = Proxy(
            self._hosts, self._limits.page_bytes, lambda: tab.on_excess() if tab else None, self._on_connect
        )
        await proxy.start()
        try:
            tab = await Tab.open(browser, proxy, self._limits, self._agent, self._sessions, self._pictures)
        except BaseException as error:
            await proxy.close()
            if isinstance(error, TimeoutError | KeyError):
                await self._kill(browser)
                raise Stuck("新标签页打不开") from error
            raise
        self.counts["tabs"] += 1
        self._tabs[tab.target] = self._contexts[tab.context] = tab
        return tab

    def _tidy(self, tab: Tab, keep: bool) -> None:
        """Clean or close a tab behind the back of whoever used it; its place is free afterwards."""
        task = asyncio.ensure_future(self._tidied(tab, keep))
        self._cleaning.add(task)
        task.add_done_callback(self._cleaning.discard)

    async def _tidied(self, tab: Tab, keep: bool) -> None:
        try:
            self._used[tab] += 1
            browser = self._browser
            if browser is None or browser.gone.is_set():
                await self._drop(tab)
            elif keep and self._used[tab] < PAGES_PER_TAB and await tab.clean():
                self._idle.append(tab)
            else:
                await self._drop(tab)
        except BrowserGone:
            await self._drop(tab)
        finally:
            self._places.release()

    async def _drop(self, tab: Tab) -> None:
        self._tabs.pop(tab.target, None)
        self._contexts.pop(tab.context, None)
        self._used.pop(tab, None)
        browser = self._browser
        try:
            await tab.close()
        except Stuck:
            if browser is not None:
                await self._kill(browser)
        except BrowserGone:
            pass  # closed with its browser

    # -- the browser --------------------------------------------------------------------------------------

    async def _started(self) -> Chromium:
        async with self._starting:
            if self._over:
                raise Refusal("halted", "采集已结束")
            full = self.counts["pages"] >= PAGES_PER_BROWSER * self.counts["browsers"] > 0
            if self._browser is not None and full and len(self._idle) == len(self._tabs):
                await self._kill(self._browser)
            if self._browser is not None and self._browser.gone.is_set():
                self.counts["crashes"] += 1
                await self._kill(self._browser)
            if self._browser is None:
                self._browser = await self._launched()
            return self._browser

    async def _launched(self) -> Chromium:
        if not self._closed_door.port:
            await self._closed_door.start()
        browser = await launch(self._env, self._zone, self._pictures, self._closed_door.port)
        self.counts["browsers"] += 1
        self.started.append(browser.pid)
        self._sessions.clear()
        browser.on("", "Target.attachedToTarget", lambda event: self._on_attached(browser, event))
        # New windows wait until we have looked at them: a page's pop-ups never begin to load.
        await browser.send("Target.setAutoAttach", {
            "autoAttach": True, "waitForDebuggerOnStart": True, "flatten": True,
            "filter": [{"type": "page", "exclude": False}, {"exclude": True}],
        })
        return browser

    def _on_attached(self, browser: Chromium, event: Message) -> None:
        target, session = event["targetInfo"], event["sessionId"]
        tab = self._contexts.get(target.get("browserContextId", ""))
        if tab is None:  # a tab of ours, which is being opened
            self._sessions[target["targetId"]] = session
            return
        self.counts["popups"] += 1
        # It runs in its opener's process, and while it waits its opener can't go on; so it is let go, to nowhere.
        for method, given, to in (
            ("Fetch.enable", {"patterns": [{"urlPattern": "*"}]}, session),
            ("Runtime.runIfWaitingForDebugger", {}, session),
            ("Target.closeTarget", {"targetId": target["targetId"]}, ""),
        ):
            with contextlib.suppress(BrowserGone):
                browser.post(method, given, to)
        tab.on_popup()

    def _on_background(self, connect: Connect) -> None:
        self.counts["background"] += 1  # the browser itself wanted to go somewhere

    async def _kill(self, browser: Chromium) -> None:
        """Kill a browser and everything in it. Pages under way in it get their second try."""
        if self._browser is browser:
            self._browser = None
        self._idle.clear()
        self._contexts.clear()
        tabs, self._tabs = list(self._tabs.values()), {}
        await browser.kill()
        for tab in tabs:
            await tab.proxy.close()

    @property
    def free(self) -> int:
        """How many places are free at this moment."""
        return self._places._value

    async def close(self) -> None:
        """End the browser and all its tabs; nothing is left running."""
        self._over = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await asyncio.gather(*self._cleaning, return_exceptions=True)
        async with self._starting:
            if self._browser is not None:
                await self._kill(self._browser)
        await self._closed_door.close()
