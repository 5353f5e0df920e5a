"""From a page to its records: the one entrance that ties decoding, signs, documents and records together."""

from __future__ import annotations

import datetime as dt
import importlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from crawlers.extractors import feedpage, jsonpage, structured
from crawlers.extractors.charset import REPLACEMENT_LIMIT, decode, replaced_share
from crawlers.extractors.documents import Document, FeedDocument, HtmlDocument, JsonDocument, check_path
from crawlers.extractors.limits import cut, noting
from crawlers.extractors.nextpage import next_url
from crawlers.extractors.records import Reading, merge_carried, raw_record, scales
from crawlers.extractors.result import Extraction, Link, Problem, SpecError
from crawlers.extractors.signs import (
    FINE,
    Sign,
    hard_sign,
    is_hollow,
    judge,
    message_sign,
    says_empty,
    says_nothing_there,
)
from vocwatch.models import MentionKind, MentionRecord, Page
from vocwatch.settings.sources import Check, Links, RecordSpec, Source, Step

MAX_RECORDS = 5_000


class Unreadable(Exception):
    """The page is not of the kind that the step reads."""


def extract(
    page: Page,
    step: Step,
    source: Source,
    now: dt.datetime,
    zone: ZoneInfo,
    carried: Mapping[str, Any] | None = None,
    root: MentionRecord | None = None,
) -> Extraction:
    """Read a page as a step of its source says.

    `now` is the moment the page was fetched, `zone` the site's time zone; `carried` what the listing told of
    this page (`Link.carried`), `root` the post whose comments the page holds. Never raises for what the page
    holds; raises SpecError for a source file that cannot be used.
    """
    with noting() as noted:
        found = _extract(page, step, source, now, zone, carried, root)
    found.cut = tuple(noted)
    return found


def _extract(
    page: Page, step: Step, source: Source, now: dt.datetime, zone: ZoneInfo,
    carried: Mapping[str, Any] | None, root: MentionRecord | None,
) -> Extraction:
    if step.check is not None and page.status in step.check.statuses:
        # Some interfaces say by a status what their text says more exactly: 403 for closed comments.
        page = replace(page, status=200)
    text = decode(page, source.charset)
    sign = hard_sign(page, text, source)
    takes_anything = any(spec.article and spec.jsonld is None for spec in step.records)
    if sign is None:  # records that can be read speak for themselves; the content is only judged without them
        sign = judge(page, text, source) if takes_anything else FINE
    if sign.hard or (takes_anything and sign.firm and sign.state != "ok"):
        return Extraction(state=sign.state, reason=sign.reason)
    if (share := replaced_share(text)) > REPLACEMENT_LIMIT:
        # Half-read text would be stored as if people had written it.
        declared = page.headers.get("content-type", "")[:80]
        return Extraction(state="charset", reason=f"有 {share:.1%} 的字解不开（声明的是 {declared or '无'}）")
    result = Extraction()
    try:
        document = _document(step, text)
        refusal = _refusal(step.check, document)
        if refusal is not None:
            return replace(result, state=refusal.state, reason=refusal.reason)
        reading = Reading(page, now, zone, root, result.records, result.problems, result.coverage, validity=result.validity)
        present = _read_records(text, step, source, document, reading)
        present |= _read_links(step.links, document, reading, result)
    except Unreadable as error:
        return _explain(result, judge(page, text, source), text, step, str(error))
    if carried:
        merge_carried(result.records, carried)
    if result.records or result.links:
        result.unseen = tuple(
            what for what, sign_of in step.unseen.items() if document.matches(_whole(document), sign_of)
        )
        result.next_url = next_url(step.next, page.url, document)
        return result
    refused = step.check is None and isinstance(document, JsonDocument) and _message_of(document.root)
    if present and not result.problems and not refused:
        return replace(result, state="empty", reason="页面正常，但一条也没有")
    if present and result.problems:
        return _explain(result, judge(page, text, source), text, step, f"读到了条目，但都缺少必填字段 {_missing(result.problems)}")
    sign = judge(page, text, source)
    return _explain(result, _seen(sign, step, source, text), text, step, "页面里没有来源文件描述的结构", document=document)


def check_source(source: Source) -> None:
    """Compile every path of a source without a page. Raises SpecError naming the first that is malformed."""
    for step in (source.listing, source.detail, source.comments):
        if step is not None:
            kind = "json" if step.extract == "feed" else step.extract
            for expression in _expressions(step):
                check_path(kind, expression.lstrip("!"))
            for spec in step.records:
                _check_spec("json" if spec.jsonld else kind, spec)
            if step.links is not None:
                _check_spec(kind, step.links)


def _check_spec(kind: str, spec: RecordSpec | Links) -> None:
    paths = [path for field in spec.fields.values() for path in field.path]
    for expression in (spec.items, spec.where, *paths):
        if expression:
            check_path(kind, expression.lstrip("!"))


def _expressions(step: Step) -> list[str]:
    """The paths of a step that look at the whole page."""
    found = [step.empty, *step.unseen.values()]
    if step.check is not None:
        found += [step.check.ok, step.check.message, step.check.removed]
    if step.next is not None:
        found += [step.next.link, step.next.cursor, step.next.more]
    return [expression for expression in found if expression]


def _document(step: Step, text: str) -> Document:
    """Build what paths are looked up in. Raises Unreadable."""
    if step.extract == "feed":
        feed = feedpage.read_feed(text)
        if feed is None:
            raise Unreadable("返回的不是 RSS/Atom")
        return feed
    if step.extract == "json":
        return _json_document(step, text)
    if step.fragment is not None:
        return _fragment_document(step.fragment, text)
    return HtmlDocument(text.replace("<!--", "").replace("-->", "") if step.uncomment else text)


def _json_document(step: Step, text: str) -> JsonDocument:
    if step.state is None or text.lstrip()[:1] in "{[":
        try:
            return JsonDocument(jsonpage.parse_json(text))
        except ValueError as error:
            raise Unreadable(f"返回的不是 JSON（{error}）") from error
    try:
        return JsonDocument(jsonpage.find_state(text, step.state), HtmlDocument(text))
    except ValueError as error:
        raise Unreadable(str(error)) from error


def _fragment_document(path: str, text: str) -> HtmlDocument:
    """HTML that travels inside JSON; a page that is HTML by itself is taken as it is."""
    try:
        root = jsonpage.parse_json(text)
    except ValueError:
        return HtmlDocument(text)
    found = jsonpage.search(path, root, root)
    pieces = found if isinstance(found, list) else [found]
    markup = "\n".join(piece for piece in pieces if isinstance(piece, str))
    if not markup:
        raise Unreadable(_message_of(root) or f"JSON 的 {path} 里没有 HTML")
    return HtmlDocument(markup)


def _refusal(check: Check | None, document: Document) -> Sign | None:
    """Apply the step's check: removed, or refused with the site's own message."""
    if check is None:
        return None
    if check.removed is not None and document.matches(_whole(document), check.removed):
        return Sign("removed", f"内容已不在{_said(check, document)}")
    if check.ok is None or document.matches(_whole(document), check.ok):
        return None
    said = _said(check, document)
    if says_nothing_there(said):
        return Sign("empty", f"网站说没有内容{said}")
    known = message_sign(said)
    return Sign(known.state if known.state != "ok" else "blocked", f"网站拒绝{said}")


def _said(check: Check, document: Document) -> str:
    if check.message is None:
        return ""
    values = document.read(_whole(document), check.message)
    return f"：{str(values[0])[:120]}" if values else ""


def _whole(document: Document) -> Any:
    if isinstance(document, JsonDocument):
        return document.root
    return document.feed if isinstance(document, FeedDocument) else None


def _read_records(text: str, step: Step, source: Source, document: Document, reading: Reading) -> bool:
    """Read all record specifications; True where the structure of at least one was there."""
    present = False
    if step.python is not None:
        branch = _branch(step.python)
        reading.records += branch(reading.page, text, step, source, reading.now, reading.zone, reading.root)
        present = bool(reading.records)
    specs = step.records
    if not specs and step.extract == "feed" and step.links is None and step.python is None:
        specs = (RecordSpec(kind=MentionKind.ARTICLE),)
    for spec in specs:
        if not (spec.fallback and reading.records):
            present |= _read_spec(spec, document, reading)
    return present


def _read_spec(spec: RecordSpec, document: Document, reading: Reading) -> bool:
    items, lookup, defaults = _items(spec, document)
    if items is None:
        return False
    kept = 0
    if len(items) > MAX_RECORDS:
        cut(f"一页超过 {MAX_RECORDS} 条，后面的没有读")
    for item in items[:MAX_RECORDS]:
        if spec.where is not None and not lookup.matches(item, spec.where):
            continue
        kept += 1
        raw = raw_record(spec.fields, item, lookup, defaults)
        best = scales(spec.fields)
        if spec.jsonld is not None and "rating" in raw and "rating" not in best:
            best["rating"] = _best(item, lookup)
        if spec.article and isinstance(document, HtmlDocument):
            from crawlers.extractors.article import read_article  # slow to import, and only articles need it

            raw = _with_article(
                raw, read_article(document, reading.now, reading.zone), spec.jsonld is not None
            )
        alone = spec.items is None and spec.jsonld is None and not isinstance(document, FeedDocument)
        reading.add(spec, reading.typed(raw, best), alone or (spec.jsonld is not None and len(items) == 1))
        reading.position += 1
    if spec.items is None and spec.jsonld is None and kept == 0:
        return isinstance(document, FeedDocument)
    # The page itself always exists: as a record it counts only if it could be read.
    return (
        True
        if spec.items is not None or spec.jsonld is not None or isinstance(document, FeedDocument)
        else bool(reading.records)
    )


def _items(
    spec: RecordSpec, document: Document
) -> tuple[list[Any] | None, Document, Mapping[str, tuple[str, ...]]]:
    """Return (items, what their paths are looked up in, the usual places of fields)."""
    if spec.jsonld is not None:
        page = document if isinstance(document, HtmlDocument) else getattr(document, "page", None)
        objects = structured.find_typed(page, spec.jsonld) if page is not None else None
        return objects, JsonDocument(objects, page), structured.DEFAULT_PATHS
    if isinstance(document, FeedDocument):
        return document.items(spec.items or "entries"), document, feedpage.DEFAULT_PATHS
    if spec.items is not None:
        return document.items(spec.items), document, {}
    return [_whole(document)], document, {}


def _with_article(raw: dict[str, Any], article: dict[str, Any], excerpts: bool) -> dict[str, Any]:
    """Fill gaps from the article; where structured data often holds an excerpt, the longer text wins."""
    merged = {**article, **raw}
    if excerpts and len(str(article.get("text", ""))) > 2 * len(str(raw.get("text", ""))):
        merged["text"] = article["text"]
    return merged


def _best(item: Any, lookup: Document) -> float | None:
    for path in structured.BEST_PATHS:
        for value in lookup.read(item, path):
            try:
                return float(str(value).replace(",", "."))
            except ValueError:
                continue
    return None


def _read_links(links: Links | None, document: Document, reading: Reading, result: Extraction) -> bool:
    if links is None:
        return False
    items = document.items(links.items)
    if items is None:
        return False
    seen: set[str] = set()
    defaults = feedpage.DEFAULT_PATHS if isinstance(document, FeedDocument) else {}
    if len(items) > MAX_RECORDS:
        cut(f"一页超过 {MAX_RECORDS} 条链接，后面的没有读")
    for item in items[:MAX_RECORDS]:
        if links.where is not None and not document.matches(item, links.where):
            continue
        raw = raw_record(links.fields, item, document, defaults)
        values = reading.typed(raw, scales(links.fields), "links.")
        for name in links.fields:
            filled, total = result.links_coverage.get(name, (0, 0))
            result.links_coverage[name] = (filled + (name in values), total + 1)
        url = values.pop("url", None)
        if url is None:
            reading.problem("url", "这一条没有可用的链接")
        elif url not in seen:
            seen.add(url)
            result.links.append(Link(url, values.get("native_id"), values))
        reading.position += 1
    return True


def _branch(name: str) -> Any:
    """Return the `extract` function of a platform's own module. Raises SpecError."""
    try:
        module = importlib.import_module(f"crawlers.extractors.{name}")
        return module.extract
    except (ImportError, AttributeError) as error:
        raise SpecError(
            f"python: {name}：crawlers/extractors/ 下没有这个模块，或它没有 extract 函数"
        ) from error


def _explain(
    result: Extraction, sign: Sign, text: str, step: Step, reason: str, *, document: Document | None = None
) -> Extraction:
    """Nothing was read: say whether the page is a wall, honestly empty, or has changed."""
    if sign.state != "ok":
        return replace(result, state=sign.state, reason=sign.reason)
    if document is None or isinstance(document, HtmlDocument):
        known = message_sign(_message_in(text))  # an API's refusal where a page was asked for
        if known.state != "ok":
            return replace(result, state=known.state, reason=f"网站说：{known.reason}")
    stated = document is not None and step.empty is not None and document.matches(_whole(document), step.empty)
    if stated and step.check is not None and step.check.ok is not None:
        # The answer passed the source's own check, so its message (评论区已关闭) is no refusal.
        return replace(result, state="empty", reason="页面说没有内容")
    if isinstance(document, JsonDocument):
        said = _message_of(document.root)
        known = message_sign(said)
        if known.state != "ok":
            return replace(result, state=known.state, reason=f"网站说：{said[:120]}")
        reason = f"{reason}；网站说：{said[:120]}" if said else reason
        if (
            step.empty is None
            and not said
            and not result.problems
            and jsonpage.holds_empty_list(document.root)
        ):
            return replace(result, state="empty", reason="页面正常，但一条也没有")
    if stated:
        return replace(result, state="empty", reason="页面说没有内容")
    if isinstance(document, HtmlDocument) and step.empty is None and not result.problems and says_empty(text):
        return replace(result, state="empty", reason="页面说没有内容")
    if isinstance(document, HtmlDocument) and step.links is not None and not result.problems and is_hollow(text):
        return replace(result, state="hollow", reason="页面框架还在，列表里什么也没有：多半是被限制，也可能是列表的接口变了")
    if step.absent != "drift" and not result.problems:
        hint = "；这个网站对未登录访客常常如此" if step.absent == "blocked" else ""
        return replace(result, state=step.absent, reason=f"{reason}{hint}")
    return replace(result, state="drift", reason=reason)


def _seen(sign: Sign, step: Step, source: Source, text: str) -> Sign:
    """A list that says "没有找到相关内容" is empty; on a post's page the same words mean that it is gone."""
    listed = step is source.listing or step.links is not None
    return FINE if listed and sign.state == "removed" and not sign.hard and says_empty(text) else sign


def _message_in(text: str) -> str:
    """Return the error text of an answer that is JSON, if it has one."""
    if text.lstrip()[:1] != "{":
        return ""
    try:
        return _message_of(jsonpage.parse_json(text))
    except ValueError:
        return ""


def _message_of(root: Any) -> str:
    """Return the error text of an API's answer, if it has one."""
    for key in (
        "message",
        "msg",
        "errmsg",
        "error_msg",
        "errMsg",
        "error",
        "reason",
        "error_description",
        "info",
    ):
        found = jsonpage.search(key, root, root) if isinstance(root, dict) else None
        if (
            isinstance(found, str)
            and found.strip()
            and found.strip().lower() not in ("ok", "success", "成功", "0", "null")
        ):
            return found.strip()
        if isinstance(found, dict) and isinstance(found.get("message"), str):
            return str(found["message"])
    return ""


def _missing(problems: list[Problem]) -> str:
    names = dict.fromkeys(problem.field for problem in problems if problem.index >= 0)
    return "、".join(names) or "（未知）"
