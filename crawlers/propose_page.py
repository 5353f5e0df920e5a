"""What kind of page a page is: the drafts of every kind, tried in order."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

from crawlers import propose_html, propose_json
from crawlers.extractors import decode, structured
from crawlers.extractors.documents import HtmlDocument
from crawlers.extractors.feedpage import read_feed
from crawlers.extractors.htmltext import visible_text
from crawlers.extractors.jsonpage import find_state, parse_json
from crawlers.extractors.signs import Sign, judge
from crawlers.extractors.values import absolute_url
from crawlers.propose_draft import Bench, Draft, Trial, guess_kind
from vocwatch.lang import listed, tr
from vocwatch.models import Page

MAX_STATE = 3_000_000
SHELL_TEXT = 300  # a page that shows less than this before its scripts run may well be filled by them
HIDDEN = 0.3  # share of elements in comments from which they are taken for the page's content
MAX_TALKS = 2  # lists in state objects that are tried as comments of the page's own post
FEED_FIELDS = {"url": "link", "native_id": "id", "title": "title", "published_at": "published"}


@dataclass(frozen=True)
class Reading:
    """What was recognised on one page: the best way to records, the best way to links, and how the page looks.

    `more` is where a product's page keeps its reviews, `rivals` what else of the page could have been meant.
    """

    page: Page
    sign: Sign
    records: Trial | None
    links: Trial | None
    kind: str
    feeds: tuple[str, ...] = ()
    shell: bool = False
    scripts: bool = False
    seen: str = ""
    rivals: tuple[Trial, ...] = ()
    more: str | None = None

    @property
    def empty_shell(self) -> bool:
        """Whether the only thing against the page is that its scripts have not run."""
        return self.shell and self.sign.reason.startswith("空壳")


def read_page(page: Page, base: dict[str, Any], zone: ZoneInfo) -> Reading:
    """Recognise a page. `base` is the source file so far, without steps."""
    text = decode(page, None)
    bench = Bench(page, page.fetched_at, zone, base)
    sign = judge(page, text)
    feed = read_feed(text)
    if feed is not None:
        best = bench.ranked(_feed_drafts(page.url))
        return Reading(page, sign, best.records, best.links, "RSS/Atom", seen=tr(f"{len(feed.entries)} 个条目", f"{len(feed.entries)} entries"))
    try:
        root = parse_json(text)
    except ValueError:
        return _read_html(page, text, bench, sign)
    drafts = (
        _labelled(draft, tr("JSON 接口", "JSON interface"))
        for draft in propose_json.drafts_of(root, page.url, page.fetched_at, zone)
    )
    best = bench.ranked(chain(drafts, _fragment_drafts(root, page.url, bench)))
    if best.records is None and best.links is None:
        sign = _said(bench) or sign
    label = best.records or best.links
    return Reading(
        page, sign, best.records, best.links, label.draft.label if label else tr("JSON 接口", "JSON interface"),
        seen=_json_outline(root), rivals=best.rivals,
    )


def _said(bench: Bench) -> Sign | None:
    """What an answer without records says of itself: login wanted, refused, removed."""
    trial = bench.run(
        Draft({"extract": "json", "records": [{"kind": "post", "items": "vocwatch_no_such_key"}]})
    )
    if trial is None or trial.found.state in ("ok", "empty", "drift"):
        return None
    return Sign(trial.found.state, trial.found.reason)


def _read_html(page: Page, text: str, bench: Bench, sign: Sign) -> Reading:
    document = HtmlDocument(text)
    found = bench.ranked(_html_drafts(document, text, page.url, bench.now, bench.zone))
    best = found.records or found.links
    feeds = [
        address
        for node in document.tree.css(
            'link[rel~="alternate"][type*="rss"], link[rel~="alternate"][type*="atom"]'
        )
        if (address := absolute_url(node.attributes.get("href") or "", page.url))
    ]
    shown, scripts = len(visible_text(document.tree)), len(document.tree.css("script"))
    links = len(document.tree.css("a[href]"))
    return Reading(
        page,
        sign,
        found.records,
        found.links,
        best.draft.label if best else tr("网页", "web page"),
        tuple(dict.fromkeys(feeds)),
        shell=scripts > 0 and shown < SHELL_TEXT,
        scripts=scripts > 0,
        seen=tr(f"网页，可见文字 {shown} 字，链接 {links} 个，脚本 {scripts} 个",
                f"a web page with {shown} visible characters, {links} links, {scripts} scripts"),
        rivals=found.rivals,
        more=propose_html.more_in(document, page.url),
    )


def _fragment_drafts(root: Any, url: str, bench: Bench) -> Iterator[Draft]:
    """Web pages that travel inside JSON: the strings that hold markup are read as pages of their own."""
    for path, markup in propose_json.markup_in(root):
        for draft in propose_html.drafts_of(HtmlDocument(markup), url, bench.now, bench.zone):
            if not draft.whole:
                step = {"extract": "html", "fragment": path, **draft.step}
                yield dataclasses.replace(draft, step=step, label=tr("JSON 里的网页片段", "web page inside JSON"), following=None)


def _feed_drafts(url: str) -> Iterator[Draft]:
    kind = guess_kind(url)
    yield Draft({"extract": "feed", "records": [{"kind": kind}]}, "RSS/Atom")
    yield Draft(
        {"extract": "feed", "links": {"items": "entries", "fields": FEED_FIELDS}}, "RSS/Atom", links=True
    )


def _html_drafts(
    document: HtmlDocument, text: str, url: str, now: dt.datetime, zone: ZoneInfo
) -> Iterator[Draft]:
    talks: list[Draft] = []
    for name in propose_json.state_names(text[:MAX_STATE]):
        try:
            root = find_state(text[:MAX_STATE], name)
        except ValueError:
            continue
        for draft in propose_json.drafts_of(root, url, now, zone, state=name):
            yield _labelled(draft, tr(f"网页内嵌状态（{name}）", f"state inside the page ({name})"))
            if not draft.whole and not draft.links and len(talks) < MAX_TALKS:
                talks.append(draft)
    shown = list(propose_html.drafts_of(document, url, now, zone))
    if _hidden_share(text) > HIDDEN:
        laid_open = HtmlDocument(text.replace("<!--", "").replace("-->", ""))
        for draft in propose_html.drafts_of(laid_open, url, now, zone):
            step = {"extract": "html", "uncomment": True, **draft.step}
            yield dataclasses.replace(draft, step=step, label=tr(f"{draft.label}（藏在注释里）", f"{draft.label} (in comments)"))
    following = next((draft.following for draft in shown if draft.following), None)
    for wanted, kind in (("Review", "review"), ("DiscussionForumPosting", "post"), ("Article", "article")):
        found = structured.find_typed(document, wanted)
        if found:
            step = {"extract": "html", "records": [{"kind": kind, "jsonld": wanted}]}
            if wanted == "Article":
                step["records"] = [{"kind": kind, "article": True}]
            whole = wanted != "Review" and len(found) == 1
            yield Draft(step, f"schema.org {wanted}", None if whole else following, whole=whole)
    yield from shown
    for single in [draft for draft in shown if draft.whole and len(draft.step["records"]) == 1]:
        for talk in talks:
            records = [{**record, "kind": "comment"} for record in talk.step["records"]]
            label = tr(f"{single.label}加内嵌评论", f"{single.label} with comments inside the page")
            yield dataclasses.replace(single, comments={**talk.step, "records": records}, label=label)


def _hidden_share(text: str) -> float:
    """Return the share of the page's elements that stand in comments."""
    hidden = sum(piece.partition("-->")[0].count("<li") + piece.partition("-->")[0].count("<div") for piece in text.split("<!--")[1:])
    return hidden / max(1, text.count("<li") + text.count("<div"))


def _labelled(draft: Draft, label: str) -> Draft:
    return dataclasses.replace(draft, label=label)


def _json_outline(root: Any) -> str:
    if isinstance(root, list):
        return tr(f"JSON 数组，{len(root)} 项", f"a JSON array of {len(root)}")
    if not isinstance(root, dict):
        return tr("JSON 值", "a JSON value")
    keys = listed(str(key)[:30] for key in list(root)[:12])
    return tr(f"JSON 对象，键：{keys}", f"a JSON object with the keys {keys}")
