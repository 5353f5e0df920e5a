"""Telling wall pages from pages: blocked, captcha, login, removed, unavailable.

Hard signs (status codes, signs named in the source file) settle a page before it is read. The others give
way to records that were read. Of these the firm ones (a wall's title, widget or form, on a page without an
article) also settle pages where anything would pass as an article; the rest only explain why nothing could
be read. Articles about 验证码 and shops with a 登录 link are ordinary pages.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import unquote, urlsplit

from selectolax.lexbor import LexborHTMLParser

from crawlers.extractors import signwords
from crawlers.extractors.htmltext import parse_html, visible_text
from crawlers.extractors.values import clean_line
from vocwatch.models import Page
from vocwatch.settings.sources import Source

SHORT_PAGE = 600  # characters a wall page shows at most
TITLED_PAGE = 2000  # the same where the title already says it
HOLLOW_TEXT, HOLLOW_LINKS = 200, 3  # what a list's own frame shows at most
BARE_PAGE = 120  # so little that the phrase is all there is


@dataclass(frozen=True, slots=True)
class Sign:
    """What a page was taken for; a hard sign needs no second look, one not firm only explains a failure."""

    state: str
    reason: str
    hard: bool = False
    firm: bool = True


FINE = Sign("ok", "")
_DATA = re.compile(r"application/(?:ld\+)?json|_STATE__|_DATA__?\b|ytInitialData|render_data")
_STATUS = {
    401: Sign("login", "网站要求登录（401）", True),
    403: Sign("blocked", "网站拒绝访问（403）", True),
    404: Sign("removed", "页面不存在（404）", True),
    410: Sign("removed", "内容已删除（410）", True),
    407: Sign("blocked", "代理要求认证（407）", True),
    412: Sign("blocked", "网站风控拒绝（412）", True),
    418: Sign("blocked", "网站拒绝访问（418）", True),
    429: Sign("blocked", "访问太频繁（429）", True),
    430: Sign("blocked", "网站拒绝访问（430）", True),
    432: Sign("blocked", "网站拒绝访问（432）", True),
    451: Sign("blocked", "因法律原因不可用（451）", True),
    461: Sign("captcha", "网站要求安全验证（461）", True),
    471: Sign("captcha", "网站要求安全验证（471）", True),
    567: Sign("blocked", "网站拦截（567）", True),
}


def classify(page: Page, text: str, source: Source | None = None) -> tuple[str, str]:
    """Return (state, reason in Chinese); state is ok, blocked, captcha, login, removed or unavailable.

    Never raises. `text` is the decoded page. Verdicts by content can be overruled by records that were read.
    """
    sign = judge(page, text, source)
    return (sign.state, sign.reason) if sign.firm else (FINE.state, FINE.reason)


def judge(page: Page, text: str, source: Source | None = None) -> Sign:
    """As `classify`, with the strength of the verdict."""
    return hard_sign(page, text, source) or _by_content(page, text)


def hard_sign(page: Page, text: str, source: Source | None = None) -> Sign | None:
    """Return the verdict that needs no look at the content; None where only the content can tell."""
    if page.status in _STATUS:
        return _by_status(page, text)
    if page.status >= 500:
        return Sign("unavailable", f"网站出错（{page.status}）", True)
    if page.status >= 400:
        return Sign("unavailable", f"网站不受理请求（{page.status}）", True)
    for phrase in source.expect.signs if source is not None else ():
        if phrase and phrase in text:
            return Sign("blocked", f"页面有“{phrase}”", True)
    if not text.strip():
        return Sign("unavailable", "网站返回了空白页", True)
    if text.lstrip()[:1] in "{[":
        return FINE  # JSON explains itself through its own fields
    return None


def _by_status(page: Page, text: str) -> Sign:
    """The status, made more exact by what the page says: a 403 may hold a captcha."""
    sign = _STATUS[page.status]
    if sign.state == "blocked":
        detail = _by_content(page, text)
        if detail.state in ("captcha", "login"):
            return Sign(detail.state, f"{detail.reason}（{page.status}）", True)
    return sign


def _by_content(page: Page, text: str) -> Sign:
    if "<" not in text[:5000]:
        return message_sign(text) if len(text) < SHORT_PAGE else FINE
    tree = parse_html(text)
    shown = visible_text(tree, TITLED_PAGE)
    if len(shown) >= TITLED_PAGE:
        return FINE  # no wall says that much
    lowered = text[:300_000].lower()
    for state, reason, marks in signwords.MACHINERY:
        if any(mark in lowered for mark in marks):
            return Sign(state, reason, firm=not _holds_article(tree))
    address = page.url if page.request_url and page.url != page.request_url else ""
    if address:
        parts = urlsplit(_safe(address))
        place = f"//{parts.netloc}{parts.path}?{parts.query}"
        for state, reason, pattern in signwords.ADDRESSES:
            if pattern.search(place) and not pattern.search(_safe(page.request_url)):
                return Sign(state, reason)
    return _by_title(tree, shown) or _by_phrase(tree, shown) or _by_shape(tree, shown, text)


def _by_title(tree: LexborHTMLParser, shown: str) -> Sign | None:
    head = tree.css_first("title")
    title = clean_line(head.text() if head is not None else "", 200)
    if not title:
        return None
    parts = [title, *(part.strip() for part in re.split(r"\s*[-_|—–·]\s*", title))]
    for state, reason, pattern in signwords.TITLES:
        if any(part and pattern.match(part) for part in parts[:2]):
            return Sign(state, f"{reason}（标题“{title[:30]}”）", firm=not _holds_article(tree))
    return None


def _by_phrase(tree: LexborHTMLParser, shown: str) -> Sign | None:
    """A phrase counts only where the page shows hardly anything else; beside a widget or form it is firm."""
    sign = message_sign(shown) if len(shown) < SHORT_PAGE else FINE
    if sign == FINE:
        return None
    alone = len(shown) < BARE_PAGE or tree.css_first(signwords.WIDGETS) is not None
    return replace(sign, firm=alone and not _holds_article(tree))


def _holds_article(tree: LexborHTMLParser) -> bool:
    """Walls have no articles: an element that says so, or two real paragraphs."""
    if tree.css_first(signwords.ARTICLE) is not None:
        return True
    return sum(len(clean_line(paragraph.text())) >= 40 for paragraph in tree.css("p")[:50]) >= 2


def _by_shape(tree: LexborHTMLParser, shown: str, text: str) -> Sign:
    if len(shown) < SHORT_PAGE and tree.css_first('input[type="password"]') is not None:
        return Sign("login", "页面只有登录框")
    if len(shown) < 80 and len(tree.css("script")) >= 2 and len(text) > 500 and not _DATA.search(text):
        return Sign("blocked", "空壳页面：没有内容，只有脚本（可能要登录，或要用浏览器打开）")
    return FINE


def message_sign(message: str) -> Sign:
    """Judge a short message, such as the error text of an API; FINE where it says nothing known."""
    short = message[: SHORT_PAGE * 2]
    for state, reason, pattern in signwords.PHRASES:
        if match := pattern.search(short):
            return Sign(state, f"{reason}（“{clean_line(match.group(), 30)}”）")
    return FINE


def says_nothing_there(message: str) -> bool:
    """Tell whether a site's own message means an empty list."""
    return bool(signwords.EMPTY.search(message[:SHORT_PAGE]))


def says_empty(text: str) -> bool:
    """Tell whether a page with little else on it says in words that a list holds nothing."""
    shown = visible_text(parse_html(text), TITLED_PAGE * 2)
    return len(shown) < TITLED_PAGE and bool(signwords.EMPTY.search(shown))


def is_hollow(text: str) -> bool:
    """Tell whether a page has its frame and nothing in it: a changed page still shows its content, an emptied one not."""
    if text.lstrip()[:1] != "<":
        return False
    tree = parse_html(text)
    links = sum(bool(clean_line(link.text())) for link in tree.css("a[href]")[:20])
    return links <= HOLLOW_LINKS and len(visible_text(tree, HOLLOW_TEXT * 2)) < HOLLOW_TEXT


def _safe(url: str) -> str:
    return unquote(url, errors="replace")[:4000]
