"""Hashed character n-grams of many texts at once.

All texts of a batch become one array of code points with a border before each; every n-gram is then one
element of a vector operation, never a step of a Python loop. A feature is the number of its hash bucket, and
belongs to the character at which the n-gram begins: sums over a clause are as cheap as sums over a text.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

BITS = 18
"""The hash has 2**BITS buckets for each family of features; bucket 0 is no feature at all."""
LONGEST = 4
FAMILIES = LONGEST + 2
"""n-grams of 1 to 4 characters, and 2- and 3-grams behind the last turn of a text."""

Codes = npt.NDArray[np.uint32]
Positions = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Buckets = npt.NDArray[np.int32]

_BORDER = "\x01"
_EMOTICON = re.compile(r"\[[^\[\]\s\x01]{1,6}\]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_TURN = re.compile(
    "但(?!凡|愿)|不过|可是|然而|就是|只是|可惜|却|没想到|谁知|结果|奈何|偏偏|唯一|美中不足|遗憾的是"
)
_PRIVATE, _PRIVATE_SIZE = 0xE000, 6400
_RUN = 3
_DIGIT = ord("0")
_MIX, _SPREAD = np.uint32(0x2C1B3C6D), np.uint32(0x9E3779B1)
_SALTS = np.array([0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F, 0x165667B1, 0xD3A2646D], dtype=np.uint32)


@dataclass(frozen=True, slots=True)
class Encoded:
    """A batch: all texts `joined` with a border before each and one at the end, and as `raw` code points; the
    borders stand at `joined_first`. In `codes` floods of one character are cut and [emoticons] are one
    character each; there the borders stand at `first`. `turned` (and `turned_raw`) mark what follows the last
    turn of its text.
    """

    joined: str
    raw: Codes
    joined_first: Positions
    turned_raw: Flags
    codes: Codes
    first: Positions
    turned: Flags


@lru_cache(maxsize=1)
def _table() -> Codes:
    """One form for what means the same: widths of punctuation, digits, blanks."""
    table = np.arange(0x10000, dtype=np.uint32)
    for wide, narrow in zip("，！？：；（）～“”‘’【】、。…", ",!?:;()~\"\"''[],..", strict=True):
        table[ord(wide)] = ord(narrow)
    table[ord("0"):ord("9") + 1] = _DIGIT
    for blank in "\t\n\r\u3000":
        table[ord(blank)] = ord(" ")
    return table


@lru_cache(maxsize=20_000)
def _emoticon(name: str) -> int:
    return _PRIVATE + zlib.crc32(name.encode("utf-8", "replace")) % _PRIVATE_SIZE


def encode(texts: Sequence[str]) -> Encoded:
    """Return a batch of normal forms as code points; never raises for a text."""
    joined = _BORDER + _BORDER.join(texts) + _BORDER
    if joined.count(_BORDER) != len(texts) + 1:
        texts = [text.replace(_BORDER, " ") for text in texts]
        joined = _BORDER + _BORDER.join(texts) + _BORDER
    joined = _SURROGATE.sub("\ufffd", joined)  # half a character that nothing else would take
    raw = np.frombuffer(joined.encode("utf-32-le"), dtype="<u4").astype(np.uint32)
    border = raw == ord(_BORDER)
    codes = np.where(raw < 0x10000, _table()[np.minimum(raw, 0xFFFF)], raw)
    keep = np.ones(len(codes), dtype=np.bool_)
    same = codes[1:] == codes[:-1]
    keep[_RUN:] = ~(same[2:] & same[1:-1] & same[:-2]) | border[_RUN:]
    if "[" in joined:
        _fold_emoticons(joined, codes, keep)
    place: Positions = np.cumsum(keep) - keep
    joined_first = np.flatnonzero(border)
    turned = _turned(joined, joined_first)
    return Encoded(joined, raw, joined_first, turned, codes[keep], place[joined_first], turned[keep])


def _turned(joined: str, borders: Positions) -> Flags:
    """Mark what follows the last turn of each text."""
    size = len(joined)
    turns = np.fromiter((found.start() for found in _TURN.finditer(joined)), dtype=np.int64)
    if not len(turns):
        return np.zeros(size, dtype=np.bool_)
    last = np.full(len(borders), size, dtype=np.int64)
    last[np.searchsorted(borders, turns, side="right") - 1] = turns  # in order: the last of a text stays
    turned: Flags = np.arange(size) >= np.repeat(last, np.diff(np.append(borders, size)))
    return turned


def _fold_emoticons(joined: str, codes: Codes, keep: Flags) -> None:
    """Make one character of each [name]."""
    for found in _EMOTICON.finditer(joined):
        start, end = found.span()
        codes[start] = _emoticon(found.group())
        keep[start] = True
        keep[start + 1:end] = False


def buckets(encoded: Encoded, bits: int = BITS) -> list[Buckets]:
    """Return for each family the bucket of the n-gram that begins at each character (0: none begins)."""
    codes = encoded.codes
    size = len(codes)
    padded = np.concatenate([codes, np.zeros(LONGEST, dtype=np.uint32)])
    border = np.concatenate([codes == ord(_BORDER), np.ones(LONGEST, dtype=np.bool_)])
    rolling: Codes = np.zeros(size, dtype=np.uint32)
    valid = ~border[:size]
    found: list[Buckets] = []
    behind: list[Buckets] = []
    for n in range(1, LONGEST + 1):
        rolling = (rolling ^ (rolling >> np.uint32(15))) * _MIX
        rolling += padded[n - 1:n - 1 + size] * _SPREAD
        if n == 2:
            valid = ~(border[:size] & border[1:1 + size])
        elif n > 2:
            valid = valid & ~border[n - 2:n - 2 + size]
        found.append(_bucket(rolling, _SALTS[n - 1], valid, bits))
        if n in (2, 3):
            behind.append(_bucket(rolling, _SALTS[LONGEST + n - 2], valid & encoded.turned, bits))
    return found + behind


def _bucket(rolling: Codes, salt: np.uint32, valid: Flags, bits: int) -> Buckets:
    mixed = (rolling ^ (rolling >> np.uint32(16))) * salt
    mixed ^= mixed >> np.uint32(13)
    mixed *= np.uint32(0x85EBCA6B)
    mixed >>= np.uint32(32 - bits)
    mixed *= valid
    return mixed.view(np.int32)


def scales(encoded: Encoded) -> npt.NDArray[np.float64]:
    """Return for each text what its sums are divided by, so that long texts and short ones compare."""
    return np.sqrt(LONGEST * (np.diff(encoded.first) - 1.0) + 2 * LONGEST)
