"""Bytes to text, when headers and meta tags lie."""

from __future__ import annotations

import codecs
import re

from vocwatch.models import Page

REPLACEMENT_LIMIT = 0.005
GARBLED = 0.05  # share of U+FFFD in the text of one record from which on it is none; a broken emoji is not enough
_BROKEN_EMOJI = 8  # U+FFFD that two of them leave
NOISE = 0.1  # share of stray bytes among the characters beyond ASCII that UTF-8 is forgiven
SURELY = 0.15  # so plausible is no text that was read with a wrong table
CLEARLY = 0.1  # so much more plausible has a text to be than the one that the page declares
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([a-z0-9_.:-]{2,40})""")  # of lower-case text
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

    Order: byte-order mark, `hint` (the source file's `charset`) if it decodes cleanly, UTF-8 with at most a few
    stray bytes, the charset of header and meta if it decodes cleanly (unless GB18030 or Big5 makes much better
    Chinese of it), GB18030 or Big5, statistical detection. A multibyte character cut off at the end of the body
    does not count against an encoding.
    """
    body = page.body
    if not body:
        return ""
    for mark, name in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace")
    names = [_normal(hint)] if hint else []
    for text in (*(_clean_decode(body, name) for name in names), _utf8(body)):
        if text is not None:
            return text
    told = (
        _clean_decode(body, name)
        for name in dict.fromkeys(map(_normal, declared(page)))
        # A single-byte code page decodes anything, so its success proves nothing.
        if not (_SINGLE_BYTE.match(name) and _looks_multibyte(body))
    )
    return _guess(body, next((text for text in told if text is not None), None))


def replaced_share(text: str) -> float:
    """Return the share of U+FFFD in the text: above `REPLACEMENT_LIMIT` the page was not decoded rightly."""
    return text.count("�") / len(text) if text else 0.0


def is_garbled(text: str) -> bool:
    """Tell whether a text is bytes of another encoding; a broken emoji or two in a short one are not enough."""
    share = replaced_share(text)
    return share > 0.3 or (share > GARBLED and text.count("�") > _BROKEN_EMOJI)


def declared(page: Page) -> list[str]:
    """Return the charsets named by the Content-Type header and by the first 4 KiB, in that order."""
    found = _DECLARED.findall(page.headers.get("content-type", "").encode("latin-1", "replace").lower())
    found += _DECLARED.findall(page.body[:4096].lower())
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


def _tolerant(body: bytes, name: str) -> str:
    """Decode with U+FFFD for what doesn't fit, forgiving one character cut off at the end."""
    return codecs.getincrementaldecoder(name)("replace").decode(body, final=False)


def _utf8(body: bytes) -> str | None:
    """Read as UTF-8 where all but a few of the characters beyond ASCII are: no other encoding looks like that."""
    text = _clean_decode(body, "utf-8")
    if text is not None:
        return text
    text = _tolerant(body, "utf-8")
    lost = text.count("\ufffd")
    beyond = len(text) - len(text.encode("ascii", "ignore")) - lost
    return text if beyond >= 5 and lost <= NOISE * beyond else None


def _guess(body: bytes, told: str | None) -> str:
    """Take what makes the best Chinese; what header or meta said needs to be no more than about as good."""
    if told is not None and _plausible(told) >= SURELY:
        return told
    best = max((_tolerant(body, name) for name in ("gb18030", "big5hkscs")), key=_plausible)
    if told is not None:
        return best if _plausible(best) > _plausible(told) + CLEARLY else told
    if replaced_share(best) > REPLACEMENT_LIMIT:
        from charset_normalizer import from_bytes  # slow to import, seldom needed

        detected = from_bytes(body[:200_000]).best()
        if detected is not None and detected.coherence >= 0.3:
            other = _tolerant(body, detected.encoding)
            if replaced_share(other) < replaced_share(best) and not _SINGLE_BYTE.match(detected.encoding):
                return other
        return min((best, _tolerant(body, "utf-8")), key=replaced_share)
    return best


def _looks_multibyte(body: bytes) -> bool:
    """High bytes mostly stand side by side, as in GBK and Big5, and not alone, as in accented Latin text."""
    sample = body[:20_000]
    high = sum(byte >= 0x80 for byte in sample)
    together = sum(len(run) for run in re.findall(rb"[\x80-\xff]{2,}", sample))
    return high > 0 and together / high > 0.6


_ASCII = re.compile(r"[\x00-\x7f]+")
_EVERYDAY = re.compile(
    "["
    "的一是了不在有我人这中大来上个到们为和你说地出要时会可就也对生能而子那得于着下自过家后多起小好没很还用都看发"
    "這來個們為說時會對後過沒還發點給嗎讓從裡，。！？、：；“”《》（）「」"
    "]+"
)


def _plausible(text: str) -> float:
    """Share of everyday characters and punctuation, less that of lost ones: a wrong table gives rare ones."""
    sample = _ASCII.sub("", text[:20_000])
    if not sample:
        return 0.0
    return (len(sample) - len(_EVERYDAY.sub("", sample)) - sample.count("\ufffd")) / len(sample)
