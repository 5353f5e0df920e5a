"""HTML to the text a reader sees: paragraphs and line breaks kept, emoticon pictures by their name."""

from __future__ import annotations

import html
import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawlers.extractors.limits import cut
from crawlers.extractors.values import MAX_TEXT, clean_text, is_clean

MAX_DEPTH = 2_000
_ANY_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]*)")
# Elements without content, and those whose end tags are often left out: they do not nest.
_FLAT = frozenset((
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr", "p", "li",
    "td", "th", "tr", "dd", "dt", "option", "tbody", "thead", "tfoot", "colgroup", "optgroup", "rp", "rt", "html", "body",
))
# Only used on HTML that the parser has written itself, so quotes are always closed.
_TAG = re.compile(r'<!--.*?-->|<(/?)([a-zA-Z][a-zA-Z0-9-]*)((?:[^>"]++|"[^"]*+")*+)>', re.S)
_ATTRIBUTE = re.compile(r'([a-zA-Z-]+)="([^"]*)"')
_BLANK = re.compile(r"\s+")
_BREAKS = frozenset(
    (
        "br",
        "div",
        "li",
        "tr",
        "dd",
        "dt",
        "section",
        "article",
        "header",
        "footer",
        "ul",
        "ol",
        "dl",
        "table",
        "form",
        "figure",
        "figcaption",
        "hr",
        "aside",
        "main",
        "nav",
        "pre",
        "address",
        "option",
        "details",
        "summary",
    )
)
_PARAGRAPHS = frozenset(("p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote"))
_SILENT = frozenset(
    ("script", "style", "template", "noscript", "head", "textarea", "select", "svg", "iframe", "object")
)
# Their text is not what it looks like: left out, or written without entities.
_ODD = _SILENT | {"xmp", "noembed", "noframes", "plaintext", "br", "img", "video", "embed"}
_EMOTICON = re.compile(r"emo|face|smil|smile|expression|BDE_Smiley", re.I)


def html_to_text(fragment: str, picture: bool = False) -> str:
    """Return the text of an HTML string.

    `<img alt="[泪]">` becomes [泪]. With `picture`, a fragment without words but with a picture becomes
    [图片], [表情] or [视频] instead of nothing.
    """
    if "<" not in fragment:  # plain text with entities at most: its line breaks are meant
        return clean_text(html.unescape(fragment))
    tree = parse_html(fragment)
    body = tree.body
    return serialised_to_text(body.html if body is not None and body.html else "", picture)


def parse_html(text: str) -> LexborHTMLParser:
    """Parse HTML, cut off where it nests deeper than `MAX_DEPTH`: parsers need quadratic time for that."""
    return _Parsed.of(shallow(text))


class _Parsed:
    """The page at hand: it is judged and then read, and parsing is a good part of both. Nobody changes the tree."""

    _last: tuple[str, LexborHTMLParser] | None = None

    @classmethod
    def of(cls, text: str) -> LexborHTMLParser:
        last = cls._last
        if last is None or last[0] is not text:
            cls._last = last = (text, LexborHTMLParser(text))
        return last[1]


def shallow(text: str) -> str:
    """Return the HTML up to where it nests deeper than `MAX_DEPTH`."""
    end = depth_limit(text)
    if end < len(text):
        cut(f"网页嵌套超过 {MAX_DEPTH} 层，后面的没有读")
    return text[:end]


def depth_limit(text: str) -> int:
    """Return the position where elements nest deeper than `MAX_DEPTH`, or the text's length."""
    if text.count("<") <= MAX_DEPTH:
        return len(text)
    depth = 0
    opened: dict[str, int] = {}
    for match in _ANY_TAG.finditer(text):
        name = match.group(2).lower()
        if name in _FLAT:
            continue
        if not match.group(1):
            opened[name] = opened.get(name, 0) + 1
            depth += 1
            if depth > MAX_DEPTH:
                return match.start()
        elif opened.get(name):
            opened[name] -= 1
            depth -= 1
    return len(text)


def node_to_text(node: LexborNode, picture: bool = False) -> str:
    """Return the text of a parsed element."""
    only = node.child
    if only is not None and only.next is None and only.tag == "-text" and node.tag not in _ODD:
        text = only.text_content or ""
        return text if is_clean(text) and len(text) <= MAX_TEXT else clean_text(_BLANK.sub(" ", text))
    return serialised_to_text(node.html or "", picture)


def serialised_to_text(markup: str, picture: bool = False) -> str:
    """Return the text of HTML written by the parser."""
    pieces: list[str] = []
    pictures: list[str] = []
    position, silent = 0, ""
    for match in _TAG.finditer(markup):
        if not silent:
            pieces.append(_inline(markup[position : match.start()]))
        position = match.end()
        closing, name = match.group(1), (match.group(2) or "").lower()
        if silent:
            silent = "" if closing and name == silent else silent
        elif name in _SILENT:
            silent = "" if closing else name
        elif name == "img":
            alt, kind = _image(match.group(3) or "")
            pieces.append(alt)
            pictures.append(kind)
        elif name in ("video", "embed") and not closing:
            pictures.append("[视频]")
        elif name in _PARAGRAPHS:
            pieces.append("\n\n")
        elif name in _BREAKS:
            pieces.append("\n")
        elif name in ("td", "th"):
            pieces.append(" ")
    if not silent:
        pieces.append(_inline(markup[position:]))
    text = clean_text("".join(pieces))
    if not text and picture and pictures:
        return max(pictures, key=len) if "[视频]" not in pictures else "[视频]"
    return text


def _inline(text: str) -> str:
    return html.unescape(_BLANK.sub(" ", text)) if text else ""


def _image(attributes: str) -> tuple[str, str]:
    """Return (words standing for the picture, placeholder where the text has nothing else)."""
    found = {key.lower(): html.unescape(value) for key, value in _ATTRIBUTE.findall(attributes)}
    alt = (found.get("alt") or found.get("data-emoji") or "").strip()
    emoticon = bool(_EMOTICON.search(found.get("class", "") + found.get("src", "")))
    bracketed = alt.startswith(("[", "【")) and len(alt) <= 20
    symbol = 0 < len(alt) <= 4 and not alt.isascii() and not alt.isalnum()
    if bracketed or symbol or (emoticon and 0 < len(alt) <= 12):
        return alt if bracketed or symbol else f"[{alt}]", "[表情]"
    return "", "[表情]" if emoticon else "[图片]"


def visible_text(tree: LexborHTMLParser, limit: int = 20_000) -> str:
    """Return the page's visible words on one line, for telling wall pages from real ones."""
    body = tree.body
    if body is None:
        return ""
    words: list[str] = []
    size = 0
    for node in body.traverse(include_text=True):
        if node.tag != "-text" or (node.parent is not None and node.parent.tag in _SILENT):
            continue
        piece = (node.text_content or "").strip()
        if piece:
            words.append(piece)
            size += len(piece)
            if size > limit:
                break
    return " ".join(words)
