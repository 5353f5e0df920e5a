"""From a response to an extraction: what a status means, what a challenge means, what goes wrong on the way."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from scrapy.http import Response, TextResponse

from crawlers.browser import FLAG
from crawlers.conditional import UNCHANGED
from crawlers.context import RunContext
from crawlers.extractors import Extraction, SpecError, extract
from crawlers.extractors.charset import decode
from crawlers.extractors.limits import LONG_TEXT
from crawlers.extractors.signs import judge as judge_signs
from crawlers.guard import is_login, leads_to_login
from crawlers.timelimit import OutOfTime, time_limit
from vocwatch.models import MentionRecord, Page
from vocwatch.retry_after import asked_wait
from vocwatch.settings.sources import Step

FORBIDDEN = frozenset({401, 403, 407, 412, 418, 451})
REFUSALS_IN_A_ROW = 3
NEVER = 0.005  # the chance of something that a few hundred earlier texts have not shown once
MAX_PROBLEMS = 200  # of one page, counted
PARSE_SECONDS = 30.0  # processor time; an ordinary page takes milliseconds
DEFAULT_WAIT = 600.0
LONGEST_WAIT = 24 * 3600.0
# Evidence keeps what the site answered, but nothing by which it would know us again.
_DROPPED_HEADERS = frozenset({"set-cookie", "set-cookie2", "authorization", "proxy-authenticate"})
MAX_HEADERS, MAX_HEADER = 60, 2000


class Reader:
    """Reads responses for one run; challenges halt it, everything else is counted."""

    def __init__(self, context: RunContext):
        self._context = context
        self._refused_in_a_row = 0
        self.removed = False

    def read(
        self, response: Response, step: Step, role: str, *, first: bool,
        carried: Mapping[str, Any] | None = None, root: MentionRecord | None = None, canary: bool = False,
    ) -> tuple[Page, Extraction | None]:
        """Return the page and what is on it; None when it could not be read (already counted).

        `removed` tells, after None, whether the content is gone from the site.
        """
        self.removed = False
        page = as_page(response, self._context.now())
        tally = self._context.tally
        tally.pages += 1
        if UNCHANGED in response.flags:
            tally.unchanged += 1
        else:
            tally.bytes += len(page.body)
        tally.scroll_cut += bool(response.request and response.meta.get("scroll_cut"))
        told_by_text = step.check is not None and page.status in step.check.statuses
        kind, why = None if told_by_text else self._by_status(page, role), ""
        if kind is None:
            found = self.extract(page, step, role, carried, root)
            tally.quarantined += found.quarantined
            kind, why = self._by_state(found, page, role), found.reason
            if kind is None and role == "detail" and self._bodyless(found):
                tally.quarantined += len(found.records)
                kind, why = "drift", "只读到标题，没有正文，这个来源的帖子向来有正文"
            if kind is None:
                self._refused_in_a_row = 0
                self._count(found, role)
                return page, found
        if kind == "removed":
            self.removed = True
            if role == "listing" and first:
                tally.fail(role, "missing", page.url)
            if canary:
                tally.canary = f"{page.url}（{why or page.status}）"
        elif kind != "halted":
            tally.fail(role, kind, page.url, why)
            if canary:
                tally.canary = f"{page.url} {why}".strip()
        return page, None

    def check(self, response: Response) -> tuple[bool | None, Page]:
        """Say whether a post's page is there, without reading it; None when that can't be told."""
        page = as_page(response, self._context.now())
        self._context.tally.pages += 1
        if page.status in (404, 410):
            return False, page
        if page.status != 200 or leads_to_login(page.request_url, page.url):
            return None, page
        sign = judge_signs(page, decode(page, self._context.source.charset), self._context.source)
        return (True if sign.state == "ok" else False if sign.state == "removed" else None), page

    def _bodyless(self, found: Extraction) -> bool:
        """Whether a post lacks the text that this source's posts have always had: nothing to store as if it were whole.

        It is asked for again in the next run, since its page does not count as visited.
        """
        posts = [record for record in found.records if record.parent is None]
        alone = bool(posts) and all(record.extra.get("title_only") for record in posts)
        return alone and self._context.history.lack("coverage", "detail.text", 1, 1) < NEVER

    def _count(self, found: Extraction, role: str) -> None:
        """Count what a page that could be read held."""
        tally = self._context.tally
        tally.read(role, found.state == "empty")
        tally.cover(role, _honest_coverage(found))
        tally.cover(f"{role}.links", found.links_coverage)
        tally.validate(role, found.validity)
        tally.unseen.update(found.unseen)
        tally.following += found.next_url is not None
        tally.problems.update(f"{problem.field}：{problem.reason}" for problem in found.problems[:MAX_PROBLEMS])
        tally.truncated += LONG_TEXT in found.cut
        tally.cut.update(what for what in found.cut if what != LONG_TEXT)

    def extract(
        self, page: Page, step: Step, role: str, carried: Mapping[str, Any] | None, root: MentionRecord | None
    ) -> Extraction:
        """Run the extractor; one that breaks over a page costs that page and no other."""
        context = self._context
        try:
            with time_limit(PARSE_SECONDS):
                return extract(
                    page, step, context.source, context.now(), context.settings.app.zone,
                    carried=dict(carried or {}), root=root,
                )
        except SpecError as error:  # every page would fail the same way
            context.halt("config", f"config/sources/{context.source.name}.yaml: {error}")
            return Extraction(state="extract_error", reason=str(error))
        except OutOfTime:
            return Extraction(state="slow", reason=f"解析用了 {PARSE_SECONDS:.0f} 秒还没完，整页不用")
        except Exception as error:  # a poisoned page must not take the others with it
            return Extraction(state="extract_error", reason=f"{type(error).__name__}: {error}"[:300])

    # -- judging ------------------------------------------------------------------------------------------

    def _by_status(self, page: Page, role: str) -> str | None:
        """Return why the status makes the page unreadable, or None."""
        status = page.status
        if leads_to_login(page.request_url, page.url) or (
            300 <= status < 400 and is_login(page.headers.get("location", ""))
        ):
            return self._refusal("login", role, f"{page.request_url} 被转到登录页")
        if status == 429 or (status == 503 and "retry-after" in page.headers):
            return self._told_to_wait(page)
        if status in FORBIDDEN:
            return self._refusal("forbidden", role, f"{page.url} 返回 {status}，拒绝访问")
        if status in (404, 410):
            return "removed"
        if status >= 500:
            return "server_error"
        return None if status < 300 else "http_error"

    def _by_state(self, found: Extraction, page: Page, role: str) -> str | None:
        """Return why the extraction makes the page unusable, or None."""
        if found.state in ("captcha", "blocked"):
            self._context.halt(found.state, f"{page.url} 出现验证或拦截页：{found.reason or '要求人机验证'}")
            return "halted"
        if found.state == "login":
            return self._refusal("login", role, f"{page.url} 要求登录")
        if found.state in ("ok", "empty"):
            return None
        return found.state

    def _refusal(self, kind: str, role: str, reason: str) -> str:
        """A refused listing ends the run; so do several refused details without a good one between them."""
        self._refused_in_a_row += 1
        if role == "listing" or self._refused_in_a_row >= REFUSALS_IN_A_ROW:
            self._context.halt(kind, reason)
            return "halted"
        return kind

    def _told_to_wait(self, page: Page) -> str:
        wait = retry_after(page.headers.get("retry-after"), self._context.now())
        kind, word = ("rate_limited", "限流") if page.status == 429 else ("unavailable", "暂停服务")
        self._context.halt(kind, f"对方{word}（{page.status}），要求 {wait:.0f} 秒后再来", retry_after=wait)
        return "halted"


def _honest_coverage(found: Extraction) -> dict[str, tuple[int, int]]:
    """Coverage in which a title that stands in for a missing text does not count as text."""
    stand_ins = sum(bool(record.extra.get("title_only")) for record in found.records)
    filled, total = found.coverage.get("text", (0, 0))
    return {**found.coverage, "text": (max(0, filled - stand_ins), total)} if total else found.coverage


def retry_after(value: str | None, now: dt.datetime) -> float:
    """Return the seconds to stay away: what the header asks for, at most a day; ten minutes when it says nothing usable."""
    asked = asked_wait(value, now)
    return min(max(DEFAULT_WAIT if asked is None else asked, 1.0), LONGEST_WAIT)


def as_page(response: Response, now: dt.datetime) -> Page:
    """Turn a Scrapy response into the plain page that extractors and evidence know."""
    headers = {
        name.decode("latin-1").lower(): b", ".join(values).decode("latin-1")
        for name, values in response.headers.items()
    }
    shown = [(name, value[:MAX_HEADER]) for name, value in headers.items() if name not in _DROPPED_HEADERS]
    kept = dict(shown[:MAX_HEADERS])
    body, asked = response.body, response.request.url if response.request else response.url
    if FLAG in response.flags and isinstance(response, TextResponse):
        # The browser hands over text: its own encoding, whatever the header and the meta tag said.
        body = response.text.encode("utf-8", "replace")
        kept["content-type"] = "text/html; charset=utf-8"
    redirected = response.meta.get("redirect_urls") if response.request else None
    return Page(
        url=response.url, body=body, fetched_at=now, status=response.status, headers=kept,
        request_url=redirected[0] if redirected else asked,
    )
