"""RSS, Atom and RDF feeds, malformed ones too."""

from __future__ import annotations

import io
import re
from typing import Any

from crawlers.extractors.documents import FeedDocument
from crawlers.extractors.htmltext import html_to_text

_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_LOOKS_LIKE_FEED = re.compile(r"<(?:rss|feed|rdf:RDF|channel)\b", re.I)
DEFAULT_PATHS: dict[str, tuple[str, ...]] = {
    "native_id": ("id", "link"),
    "url": (
        "feedburner_origlink", "links[?rel=='alternate'].href", "links[?rel!='self' && rel!='enclosure'].href", "link",
    ),
    "title": ("title",),
    "text": ("text",),
    "author": ("author", "author_detail.name", "dc_creator", "source.title"),
    "published_at": ("published", "created", "updated"),
    "replies": ("slash_comments", "thr_total"),
    "rating": ("im_rating",),
}


def read_feed(text: str) -> FeedDocument | None:
    """Parse a decoded feed; None where the text is no feed at all.

    Each entry gets `text`: content over description, HTML turned into text.
    """
    if not _LOOKS_LIKE_FEED.search(text[:20_000]):
        return None
    # The text is decoded already; a declaration that says otherwise would have it decoded again.
    body = _DECLARATION.sub('<?xml version="1.0" encoding="utf-8"?>', text, count=1).encode("utf-8", "ignore")
    import feedparser  # slow to import, and only feeds need it

    parsed = feedparser.parse(
        io.BytesIO(body),
        response_headers={"content-type": "application/xml; charset=utf-8"},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    entries = [_entry(entry) for entry in parsed.entries]
    return FeedDocument(entries, _plain(dict(parsed.feed)))


def _entry(entry: Any) -> dict[str, Any]:
    # dict.items, since the mapping's own access warns and guesses.
    plain = {str(key): _plain(value) for key, value in dict.items(entry)}
    plain["title"] = html_to_text(str(plain.get("title") or ""))
    contents = [str(part.get("value") or "") for part in plain.get("content") or [] if isinstance(part, dict)]
    texts = (html_to_text(part, picture=True) for part in [*contents, str(plain.get("summary") or "")])
    plain["text"] = next((text for text in texts if text), "")
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in dict.items(value)}
    if isinstance(value, (list, tuple)) and not hasattr(value, "tm_year"):
        return [_plain(inner) for inner in value]
    return value if isinstance(value, (str, int, float, bool)) else None
