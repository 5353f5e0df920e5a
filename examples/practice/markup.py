"""Small helpers that every site of the practice web writes its pages with."""

from __future__ import annotations

import datetime as dt
import hashlib
import html
import json
from dataclasses import dataclass, field
from email.utils import format_datetime
from typing import Any

HTML = "text/html; charset=utf-8"
JSON = "application/json; charset=utf-8"
UNDEFINED = "\u0000undefined\u0000"  # stands for a bare `undefined` until the state object is written

CAPTCHA = """<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>安全验证</title>
<link rel="stylesheet" href="/static/style.css"></head><body class="captcha"><div class="captcha-box">
<h1>安全验证</h1><p>请拖动滑块完成验证</p><div class="slider"><span class="slider-button">→</span></div>
<p class="small">访问过于频繁，完成验证后可继续浏览</p></div></body></html>"""


@dataclass
class Answer:
    """What a site answers: status, body and the headers that follow from it."""

    body: str | bytes
    content_type: str = HTML
    status: int = 200
    modified: dt.datetime | None = None
    encoding: str = "utf-8"
    cacheable: bool = True
    headers: dict[str, str] = field(default_factory=dict)

    def finish(self) -> bytes:
        """The body as bytes; sets Content-Type, ETag and Last-Modified."""
        body = self.body.encode(self.encoding) if isinstance(self.body, str) else self.body
        self.headers["Content-Type"] = self.content_type
        if self.status == 200 and self.cacheable:
            self.headers["ETag"] = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
            if self.modified:
                self.headers["Last-Modified"] = format_datetime(self.modified.astimezone(dt.UTC), usegmt=True)
        return body


class Html(str):
    """Text that is markup already; everything else is escaped on its way into a page."""


def esc(value: object) -> str:
    """Text that is safe in markup and in attributes."""
    return value if isinstance(value, Html) else html.escape(str(value), quote=True)


def el(spec: str, *content: object, **attributes: object) -> Html:
    """An element: ``el("a.next", "下一页", href=url)``; ``data_x`` becomes ``data-x``."""
    tag, _, classes = spec.partition(".")
    if classes:
        attributes = {"class": classes.replace(".", " "), **attributes}
    text = "".join(f' {name.replace("_", "-")}="{esc(value)}"' for name, value in attributes.items())
    return Html(f"<{tag}{text}>{''.join(map(esc, content))}</{tag}>")


def paragraphs(text: str) -> Html:
    """One <p> for each line."""
    return Html("".join(el("p", line) for line in text.split("\n") if line.strip()))


def script_json(data: Any) -> str:
    """JSON that is safe inside a script element; UNDEFINED becomes a bare `undefined`."""
    text = json.dumps(data, ensure_ascii=False).replace("</", "<\\/")
    return text.replace(json.dumps(UNDEFINED), "undefined")


def json_ld(data: Any) -> Html:
    """A JSON-LD script element."""
    return Html(f'<script type="application/ld+json">{script_json(data)}</script>')


TRAP = Html('<a href="/trap/door" rel="nofollow" style="display:none" tabindex="-1">.</a>')


def document(site: str, name: str, title: str, *body: object, head: str = "", charset: str = "utf-8") -> str:
    """A whole page with the site's header; every page carries the hidden trap link."""
    top = (el("a.logo", name, href="/"), el("span.hint", "练习用网站，内容均为虚构"))
    return (
        f'<!doctype html>\n<html lang="zh-CN"><head><meta charset="{charset}">'
        f"<title>{esc(title)} - {esc(name)}</title>"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="stylesheet" href="/static/style.css">{head}</head>\n<body class="site-{site}">'
        f"{el('header.top', *top)}{el('main', *body, id='main')}{TRAP}</body></html>\n"
    )


def wan(number: int) -> str:
    """Counts as Chinese sites print them: 12400 -> 1.2万."""
    return f"{number / 10000:.1f}万" if number >= 10000 else str(number)


def mask_name(name: str) -> str:
    """A masked nickname of a review site: first and last character around two stars."""
    return f"{name[0]}**{name[-1]}"


def one_page(rows: list[Any], number: int, size: int) -> tuple[list[Any], bool]:
    """The rows of page ``number`` (from 1) and whether another page follows."""
    return rows[(number - 1) * size : number * size], len(rows) > number * size


def next_link(url: str, more: bool) -> Html:
    """The link to the next page, if there is one."""
    return el("nav.pager", el("a.next", "下一页", rel="next", href=url)) if more else Html("")


def millis(at: dt.datetime) -> int:
    """Milliseconds since 1970."""
    return int(at.timestamp() * 1000)
