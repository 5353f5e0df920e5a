"""Single values: text, counts, ratings, addresses."""

from __future__ import annotations

import re
import unicodedata
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urljoin, urlsplit, urlunsplit

from crawlers.extractors.limits import LONG_TEXT, cut

MAX_TEXT = 100_000
MAX_LINE = 500
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff\u202a-\u202e\u2066-\u2069\ufff9-\ufffb\ue000-\uf8ff]"
)
_SPACES = re.compile(r"[^\S\n]+")
# What `clean_text` might change in a text without doubled or outer blanks: all of the above, line ends, odd blanks.
_UNCLEAN = re.compile(
    "[\x00-\x1f\x7f-\xa0\u1680\u2000-\u200a\u2028-\u202f\u205f\u2066-\u2069\u3000\ud800-\uf8ff\ufeff\ufff9-\ufffb]"
)
_BLANK_LINES = re.compile(r"\n{3,}")
_COUNT = re.compile(r"(-?\d[\d,]*(?:\.\d+)?)\s*(千万|百万|万|亿|千|[kKmMwW](?![A-Za-z]))?")
_UNITS = {
    "千": 1e3,
    "万": 1e4,
    "百万": 1e6,
    "千万": 1e7,
    "亿": 1e8,
    "k": 1e3,
    "m": 1e6,
    "w": 1e4,
}
_OUT_OF = re.compile(
    r"(\d+(?:[.,]\d+)?)\s*(?:out of|/|von|sur|de|分[^\d]{0,6}满分|（满分|\(满分)\s*(\d+(?:[.,]\d+)?)", re.I
)
_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)?")
# Parameters that name the way to a page, not the page.
_TRACKING = re.compile(
    r"^(utm_\w+|spm|scm|from|from_\w+|source|share\w*|xsec_\w+|xhsshare|app_?(?:uid|time|version|platform|ver)|fbclid|gclid|msclkid|ref|ref_\w+|"
    r"referer|timestamp|ts|_t|_|rand|sign|signature|token|session\w*|track\w*|luicode|lfid|uicode|fid|"
    r"isappinstalled|wx\w*|scene|clicktime|enterid|vd_source|buvid|is_story_h5|plat_id|unique_k|seid|fr|wfr)$",
    re.I,
)

# Hosts that show the same pages for other screens.
_TWIN_HOST = re.compile(r"^(?:www|m|wap|3g|h5|mobile|touch)\.(?=[^.]+\.[^.]+)")


def clean_text(value: Any) -> str:
    """Return text without control, bidi-override and private-use characters; line breaks stay, capped."""
    raw = str(value)
    text = raw if is_clean(raw) else _cleaned(raw)
    if len(text) > MAX_TEXT or len(raw) > 2 * MAX_TEXT:
        cut(LONG_TEXT)
    return text[:MAX_TEXT]


def is_clean(text: str) -> bool:
    """Whether cleaning would leave the text as it is; most texts of most pages are."""
    if not (text.isprintable() or _UNCLEAN.search(text) is None):  # printable is stricter, and ten times faster
        return False
    return "  " not in text and text[:1] != " " and text[-1:] != " "


def _cleaned(value: Any) -> str:
    text = (
        str(value)[: MAX_TEXT * 2]
        .replace("\r\n", "\n")
        .replace("\r", "\n")
        .replace("\u2028", "\n")
        .replace("\u2029", "\n")
    )
    text = _CONTROL.sub("", text.encode("utf-8", "ignore").decode("utf-8"))
    text = "\n".join(_SPACES.sub(" ", line).strip() for line in text.split("\n"))
    return _BLANK_LINES.sub("\n\n", text).strip()


def clean_line(value: Any, limit: int = MAX_LINE) -> str:
    """Return `clean_text` on one line, at most `limit` characters."""
    raw = str(value)
    return (raw if is_clean(raw) else " ".join(_cleaned(raw).split()))[:limit]


def parse_count(value: Any) -> int | None:
    """Return a count: 12, "1,234", "1.2万", "10+", "100万+", "3.4k", "转发[56]"; None without a number."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if abs(value) < 1e15 else None
    plain = str(value)
    if plain.isascii() and plain.isdigit() and len(plain) < 15:
        return int(plain)
    text = unicodedata.normalize("NFKC", plain[:200])
    match = _COUNT.search(text)
    if match is None:
        return 1 if re.search(r"\b(?:one|a) (?:person|user|customer)\b", text, re.I) else None
    number = float(match.group(1).replace(",", ""))
    number *= _UNITS.get((match.group(2) or "").lower(), 1)
    return round(number) if abs(number) < 1e15 else None


def parse_rating(value: Any, best: float | None = None) -> float | None:
    """Return stars on the scale 0–5; `best` is the value of full marks (5 if not known).

    Reads numbers, "3.0 out of 5 stars", "4/5", "80%", and drawn stars ★★★☆☆. A value outside the scale
    gives None.
    """
    if isinstance(value, bool) or value is None:
        return None
    text = unicodedata.normalize("NFKC", str(value)[:200])
    drawn = text.count("★") + text.count("⭐")
    if drawn and not _NUMBER.search(text):
        return float(drawn) if drawn <= 5 else None
    if match := _OUT_OF.search(text):
        number, best = _decimal(match.group(1)), _decimal(match.group(2))
    elif match := _NUMBER.search(text):
        number = _decimal(match.group(0))
        if "%" in text:
            best = 100.0
    else:
        return None
    full = best or 5.0
    if not 0 <= number <= full:
        return None
    return round(number * 5 / full, 2)


def _decimal(text: str) -> float:
    return float(text.replace(",", "."))


def absolute_url(value: Any, base: str) -> str | None:
    """Resolve against `base`; None for anything that is not http(s) or has no host."""
    text = clean_line(value, 2000)
    if not text or text.startswith("#"):
        return None
    try:
        joined = urljoin(base, text)
        parts = urlsplit(joined)
        if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
            return None
        _ = parts.port  # raises on an impossible port
    except ValueError:
        return None
    path = quote(parts.path, safe="/%:@!$&'()*+,;=~-._")
    query = quote(parts.query, safe="/?%:@!$&'()*+,;=~-._[]|")
    return urlunsplit(
        (parts.scheme.lower(), parts.netloc, path, query, quote(parts.fragment, safe="/?%:@!$&'()*+,;=~-._"))
    )


def page_key(url: str) -> str:
    """Return what identifies a page that has no number of its own: one key for all addresses of the same page.

    `canonical_url` without the prefix of a twin host (www., m., wap.), without a trailing slash, and with https for
    http. Only to be compared: it need not lead anywhere.
    """
    canonical = canonical_url(url)
    scheme, separator, _ = canonical.partition("://")
    if not separator or scheme not in ("http", "https"):
        return canonical
    parts = urlsplit(canonical)
    host = _TWIN_HOST.sub("", parts.netloc)
    return urlunsplit(("https", host, parts.path.rstrip("/") or "/", parts.query, parts.fragment))


def canonical_url(url: str) -> str:
    """Return the address that stands for the page: lower-case host, no default port, no tracking parameters.

    The remaining parameters are sorted; the fragment goes, except `#!…` that some sites route by. Text that
    is no address comes back as it is.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return url.strip()
    if not host:
        return url.strip()
    scheme = parts.scheme.lower()
    if port and (scheme, port) not in (("http", 80), ("https", 443)):
        host = f"{host}:{port}"
    kept = [
        (key, item)
        for key, item in parse_qsl(parts.query, keep_blank_values=True)
        if not _TRACKING.match(key)
    ]
    path = quote(
        unquote(parts.path, errors="surrogateescape").encode("utf-8", "surrogateescape"),
        safe="/:@!$&'()*+,;=~-._",
    )
    fragment = parts.fragment if parts.fragment.startswith("!") else ""
    return urlunsplit((scheme, host, path or "/", urlencode(sorted(kept)), fragment))
