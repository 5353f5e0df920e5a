"""The address of the following page."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from crawlers.extractors.documents import Document, FeedDocument, HtmlDocument, JsonDocument, text_of
from crawlers.extractors.values import absolute_url
from vocwatch.settings.sources import Next


def next_url(spec: Next | None, url: str, document: Document) -> str | None:
    """Return where the list goes on, or None at its end. A page that would follow itself ends it too."""
    if spec is None:
        return None
    if isinstance(document, JsonDocument):
        item: Any = document.root
    else:
        item = document.feed if isinstance(document, FeedDocument) else None
    if spec.more is not None and not document.matches(item, spec.more):
        return None
    following: str | None = None
    if spec.link is not None:
        following = _linked(spec.link, url, document, item)
    elif spec.param is not None:
        value = _cursor(spec.cursor, document, item) if spec.cursor is not None else _counted(spec, url)
        following = _with_parameter(url, spec.param, value) if value is not None else None
    return following if following and following != url else None


def _linked(path: str, url: str, document: Document, item: Any) -> str | None:
    if isinstance(document, HtmlDocument) and "@" not in path and not path.startswith("xpath:"):
        path = f"{path}@href"
    values = document.read(item, path)
    return absolute_url(text_of(values[0]), url) if values else None


def _cursor(path: str, document: Document, item: Any) -> str | None:
    values = document.read(item, path)
    value = values[0] if values else None
    if not isinstance(value, (str, int, float)) or isinstance(value, bool) or str(value) in ("", "0", "-1"):
        return None
    return str(value)


def _counted(spec: Next, url: str) -> str | None:
    now = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True)).get(spec.param or "", str(spec.first))
    return str(int(now) + spec.by) if now.lstrip("-").isdigit() else None


def _with_parameter(url: str, name: str, value: str) -> str:
    """Set one parameter, the others and their order untouched."""
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    if any(key == name for key, _ in pairs):
        pairs = [(key, value if key == name else old) for key, old in pairs]
    else:
        pairs.append((name, value))
    return urlunsplit(parts._replace(query=urlencode(pairs), fragment=""))
