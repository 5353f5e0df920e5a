"""Bytes to text, when headers and meta tags lie."""

from __future__ import annotations

import codecs
import re

from charset_normalizer import from_bytes

from vocwatch.models import Page

REPLACEMENT_LIMIT = 0.005
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([A-Za-z0-9_.:-]{2,40})""", re.I)
# GB18030 contains GB2312 and GBK; pages named after the small sets use the large one.
_SUPERSETS = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "cp936": "gb18030",
    "gb_2312-80": "gb18030",
    "euc-cn": "gb18030",
    "big5": "big5hkscs",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "ascii": "utf-8",
    "us-ascii": "utf-8",
    "utf8": "utf-8",
}
_SINGLE_BYTE = re.compile(r"^(cp125\d|iso-?8859|latin|koi8|windows-125)")


def decode(page: Page, hint: str | None = None) -> str:
    """Return the page's text. Never raises; bytes that fit nothing become U+FFFD.

    Order: byte-order mark, `hint` (the source file's `charset`) if it decodes cleanly, valid UTF-8, the
    charset of header and meta if it decodes cleanly, GB18030, Big5, statistical detection. A multibyte
    character cut off at the end of the body does not count against an encoding.
    """
    body = page.body
    if not body:
        return ""
    for mark, name in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace")
    candidates = [hint, "utf-8", *declared(page)]
    for name in dict.fromkeys(_normal(candidate) for candidate in candidates if candidate):
        if _SINGLE_BYTE.match(name) and _looks_multibyte(body):
            continue  # a single-byte code page decodes anything, so its success proves nothing
        text = _clean_decode(body, name)
        if text is not None:
            return text
    return _guess(body)


def replaced_share(text: str) -> float:
    """Return the share of U+FFFD in the text: above `REPLACEMENT_LIMIT` the page was not decoded rightly."""
    return text.count("�") / len(text) if text else 0.0


def declared(page: Page) -> list[str]:
    """Return the charsets named by the Content-Type header and by the first 4 KiB, in that order."""
    found = _DECLARED.findall(page.headers.get("content-type", "").encode("latin-1", "replace"))
    found += _DECLARED.findall(page.body[:4096])
    return [name.decode("ascii") for name in found]


def _normal(name: str) -> str:
    lowered = name.strip().lower().replace("_", "-")
    lowered = _SUPERSETS.get(lowered, lowered)
    try:
        codec = codecs.lookup(lowered)
    except LookupError:
        return "utf-8"
    # Codecs such as rot13 or zip are no character sets.
    return codec.name if getattr(codec, "_is_text_encoding", True) else "utf-8"


def _clean_decode(body: bytes, name: str) -> str | None:
    """Decode strictly, forgiving one character cut off at the end."""
    try:
        decoder = codecs.getincrementaldecoder(name)("strict")
        return decoder.decode(body, final=False)
    except (UnicodeError, LookupError, ValueError):
        return None


def _guess(body: bytes) -> str:
    """Not clean in anything declared: take the candidate that loses least."""
    legacy = [text for text in (_clean_decode(body, "gb18030"), _clean_decode(body, "big5hkscs")) if text]
    if legacy:
        return max(legacy, key=_chinese_share)
    tolerant = {name: body.decode(name, "replace") for name in ("utf-8", "gb18030", "big5hkscs")}
    best = min(tolerant.values(), key=lambda text: text.count("�") / len(text))
    if replaced_share(best) > REPLACEMENT_LIMIT:
        detected = from_bytes(body[:200_000]).best()
        if detected is not None and detected.coherence >= 0.3:
            other = body.decode(detected.encoding, "replace")
            if replaced_share(other) < replaced_share(best) and not _SINGLE_BYTE.match(detected.encoding):
                return other
    return best


def _looks_multibyte(body: bytes) -> bool:
    """High bytes mostly stand side by side, as in GBK and Big5, and not alone, as in accented Latin text."""
    sample = body[:20_000]
    high = sum(byte >= 0x80 for byte in sample)
    together = sum(len(run) for run in re.findall(rb"[\x80-\xff]{2,}", sample))
    return high > 0 and together / high > 0.6


_COMMON = frozenset(
    "的一是了不在有我人这中大来上个到们为和你说地出要时会可就也对生能而子那得于着下自过家后多起小好没很还用都看发"
)


def _chinese_share(text: str) -> float:
    """Share of everyday characters: a wrong table gives rare ones."""
    sample = [char for char in text[:20_000] if char > "\x7f"]
    return sum(char in _COMMON for char in sample) / len(sample) if sample else 0.0
