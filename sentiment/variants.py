"""How people write a name to slip past a filter, derived from the name itself.

A text is turned into a code: every Chinese character into the sign of its sound, Latin letters and what looks
like them into their class, fillers into nothing. Every variant is a string in that code, so that one automaton
finds them all; what it finds is then compared character by character.
"""

from __future__ import annotations

import importlib.util
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import NamedTuple

from sentiment.glyphs import SYMBOL_LETTERS, doubles_of, latin_folds, parts_of, pictures_of

SQUEEZED, HOMOPHONE, PINYIN, MIXED, INITIALS = "squeezed", "homophone", "pinyin", "mixed-pinyin", "initials"
SPLIT, LOOK_ALIKE, HOMOGLYPH, REVERSED, EMOJI, MASKED = (
    "split", "look-alike", "homoglyph", "reversed", "emoji", "masked"
)
RULES = (SQUEEZED, HOMOPHONE, PINYIN, MIXED, INITIALS, SPLIT, LOOK_ALIKE, HOMOGLYPH, REVERSED, EMOJI, MASKED)

SURE, NEEDS_CONTEXT, NEEDS_BRAND = 0, 1, 2
"""How far a variant can be trusted: alone, near words of trade, or only where the brand is named anyway."""

_MAX_READINGS = 4
_MAX_NAME = 12
_SOUNDS_FROM = 0xE000  # private use: normal forms hold none
_WEAK_FILLERS = frozenset(" \n\t\u3000.-/,;:、。，；：…—()（）\"'")
_SYMBOLS = frozenset("*·•_|~^`+=#@&丨○●◆◇★☆[]{}<>「」『』【】《》〈〉$!¦\\×□◯〇“”‘’")
_PICTURED = ((0x2190, 0x2BFF), (0x1F000, 0x1FAFF))
_MASKS = "*＊×x某□○〇◯●_"
# Everyday abbreviations that the initials of a name may happen to be.
_ABBREVIATIONS = frozenset((
    "abc", "abs", "app", "atm", "awsl", "bbq", "bdjw", "bgm", "bjd", "bmi", "bug", "bzd", "cad", "cba",
    "cbd", "cctv", "ceo", "cfo", "cod", "com", "cos", "cpi", "cps", "cpu", "cto", "dbq", "ddl", "dhl",
    "diy", "djj", "dna", "drl", "ems", "faq", "fbi", "gdp", "gif", "gmv", "gps", "gpu", "hdd", "hdr",
    "hhh", "hpv", "iphone", "ipo", "isp", "jms", "jpg", "jtm", "kdl", "kfc", "koc", "kol", "ktv", "lcd",
    "led", "live", "ljj", "logo", "lol", "lsp", "mba", "mbti", "mcn", "mp3", "mp4", "mri", "nba", "nbcs",
    "net", "nfc", "npc", "nsdd", "ocr", "odm", "oem", "oled", "omg", "ootd", "pcr", "pdd", "pdf", "pdx",
    "plmm", "pos", "ppt", "pua", "pvc", "pyq", "ram", "rgb", "rna", "roi", "rom", "size", "sku", "sos",
    "spa", "spf", "spu", "srds", "ssd", "ssfd", "ssr", "suv", "szd", "tbx", "tpu", "type", "ufo", "usb",
    "vip", "vlog", "vpn", "wifi", "wps", "wtf", "www", "xdm", "xgg", "xhs", "xjj", "xsl", "xswl", "xxl",
    "xxs", "xxx", "ybb", "yjj", "yxh", "yyds", "zara", "zdl", "zhz", "zqsg", "zzb",
))


class Variant(NamedTuple):
    """One way to write a name: its `code`, the exact characters (empty: whatever sounds so), and its trust."""

    code: str
    chars: str
    rule: str
    doubt: int


@dataclass(frozen=True, slots=True)
class Name:
    """A name in normal form without fillers, with its variants."""

    bare: str
    variants: tuple[Variant, ...]


class CodeTable(dict[int, str | None]):
    """A translation table in which what is not listed stays as it is."""

    def __missing__(self, key: int) -> str:
        """Leave the character alone."""
        return chr(key)


@lru_cache(maxsize=1)
def _readings() -> dict[str, tuple[str, ...]]:
    """Toneless readings of the common characters, the usual one first.

    Only pypinyin's table of characters is loaded: its phrases cost a third of a second and are not needed.
    """
    package = importlib.util.find_spec("pypinyin")
    assert package is not None and package.origin
    spec = importlib.util.spec_from_file_location(
        "_vocwatch_pinyin", Path(package.origin).with_name("pinyin_dict.py")
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    table = str.maketrans({
        char: unicodedata.normalize("NFD", char)[0] for char in "āáǎàēéěèīíǐìōóǒòūúǔùńňǹḿ"
    } | dict.fromkeys("üǖǘǚǜ", "v") | {"ê": "e", "ế": "e", "ề": "e", "̀": "", "̄": "", "̌": ""})
    return {
        chr(code): tuple(dict.fromkeys(reading.translate(table) for reading in readings.split(",")))
        for code, readings in module.pinyin_dict.items() if 0x4E00 <= code <= 0x9FFF
    }


@lru_cache(maxsize=1)
def _signs() -> dict[str, str]:
    """One private character for each syllable."""
    syllables = sorted({reading for readings in _readings().values() for reading in readings})
    return {syllable: chr(_SOUNDS_FROM + number) for number, syllable in enumerate(syllables)}


def syllables_of(char: str) -> tuple[str, ...]:
    """Return the toneless readings of a character, the usual one first; empty for what is none."""
    return _readings().get(char, ())


def is_filler(char: str) -> bool:
    """Whether a character may stand between those of a name without changing it."""
    return (
        char in _WEAK_FILLERS or char in _SYMBOLS or char.isspace()
        or any(first <= ord(char) <= last for first, last in _PICTURED)
    )


def is_dodge(gaps: Iterable[str]) -> bool:
    """Whether what stands between the characters of a name is a dodge: a symbol, or something between all."""
    listed = list(gaps)
    if any(len(gap) > 3 or not all(map(is_filler, gap)) for gap in listed):
        return False
    return all(listed) or any(any(char not in _WEAK_FILLERS for char in gap) for gap in listed)


@lru_cache(maxsize=1)
def _base_table() -> CodeTable:
    signs = _signs()
    table = CodeTable({ord(char): signs[readings[0]] for char, readings in _readings().items()})
    table.update({code: None for first, last in _PICTURED for code in range(first, last + 1)})
    table.update({ord(char): None for char in (*_WEAK_FILLERS, *_SYMBOLS, "\r", "\x0b", "\x0c", "\xa0")})
    table.update({ord(char): letter for char, letter in latin_folds().items()})
    return table


def code_tables(pictures: Iterable[str]) -> tuple[CodeTable, CodeTable, CodeTable]:
    """Return the tables that turn a normal form into its code.

    The first keeps the emoji in `pictures` as they are; the second drops those too; the third reads symbols as
    letters (@ as a), as in Latin names.
    """
    bare = _base_table()
    with_pictures, with_letters = CodeTable(bare), CodeTable(bare)
    with_pictures.update({ord(char): char for char in pictures})
    with_letters.update({ord(char): letter for char, letter in SYMBOL_LETTERS.items()})
    return with_pictures, bare, with_letters


def squeeze(form: str) -> str:
    """Return a normal form without fillers."""
    return "".join(char for char in form if not is_filler(char))


def fold(text: str) -> str:
    """Return the code of Latin letters and what looks like them."""
    return text.translate(_base_table())


def _codes(text: str) -> list[str]:
    """The codes of a string in all readings of its characters (a few at most)."""
    signs = _signs()
    choices = [
        [signs[reading] for reading in readings[:3]] if (readings := syllables_of(char)) else [fold(char)]
        for char in text
    ]
    found = ["".join(choice) for _, choice in zip(range(_MAX_READINGS), product(*choices), strict=False)]
    return list(dict.fromkeys(found))


@lru_cache(maxsize=16_384)
def derive(form: str) -> Name:
    """Return the variants of a name in normal form."""
    bare = squeeze(form)[:_MAX_NAME]
    han = [char for char in bare if syllables_of(char)]
    if len(bare) < 2:
        return Name(bare, ())
    if not han:
        found = list(_latin(bare))
    elif len(han) < len(bare):
        found = [*_sounds(bare, len(han) >= 3 or len(bare) >= 4), *_exact(bare)]
    else:
        found = [*_sounds(bare, len(bare) >= 3), *_exact(bare), *_pinyin(bare)]
    best: dict[tuple[str, str], Variant] = {}
    for variant in found:
        if len(variant.code) >= 2:
            kept = best.setdefault(variant[:2], variant)
            if variant.doubt < kept.doubt:
                best[variant[:2]] = variant
    return Name(bare, tuple(best.values()))


def _latin(bare: str) -> Iterator[Variant]:
    if len(bare) >= 3:
        doubt = SURE if len(bare) >= 5 else NEEDS_CONTEXT
        yield Variant(fold(bare), "", HOMOGLYPH, doubt)
        if len(bare) >= 5 and bare != bare[::-1]:
            yield Variant(fold(bare[::-1]), "", REVERSED, SURE if len(bare) >= 6 else NEEDS_CONTEXT)


def _sounds(bare: str, long: bool) -> Iterator[Variant]:
    for code in _codes(bare):
        yield Variant(code, "", HOMOPHONE, SURE if long else NEEDS_CONTEXT)


def _exact(bare: str) -> Iterator[Variant]:
    """Variants whose characters are known: parts, look-alikes, emoji, reversed."""
    long = len(bare) >= 3
    for chars in _with_parts(bare):
        yield from _spelt(chars, SPLIT, SURE if len(chars) >= 4 and long else NEEDS_CONTEXT)
    for place, char in enumerate(bare):
        for other in doubles_of(char):
            yield from _spelt(bare[:place] + other + bare[place + 1:], LOOK_ALIKE, NEEDS_CONTEXT if long else NEEDS_BRAND)
    for chars in _with_pictures(bare):
        yield from _spelt(chars, EMOJI, SURE if long and sum(bool(syllables_of(c)) for c in chars) >= 2 else NEEDS_CONTEXT)
    if bare != bare[::-1]:
        doubt = SURE if len(bare) >= 4 else NEEDS_CONTEXT if long else NEEDS_BRAND
        yield from _spelt(bare[::-1], REVERSED, doubt)


def _spelt(chars: str, rule: str, doubt: int) -> Iterator[Variant]:
    # A text's characters are coded by their usual reading, so one code will do.
    signs = _signs()
    code = "".join(signs[readings[0]] if (readings := syllables_of(c)) else fold(c) or c for c in chars)
    yield Variant(code, chars, rule, doubt)


def _with_parts(bare: str) -> Iterator[str]:
    """The name with one character written as its parts, or all of them that have any."""
    choices = [parts_of(char) for char in bare]
    for place, options in enumerate(choices):
        for parts in options:
            yield bare[:place] + parts + bare[place + 1:]
    for pick in (0, 1):
        yield "".join(options[min(pick, len(options) - 1)] if options else char
                      for char, options in zip(bare, choices, strict=True))
    for left in range(len(bare) - 1):
        for one, other in product(choices[left][:2], choices[left + 1][:2]):
            yield bare[:left] + one + other + bare[left + 2:]


def _with_pictures(bare: str) -> Iterator[str]:
    choices = [pictures_of(char) for char in bare]
    for place, options in enumerate(choices):
        for picture in options:
            yield bare[:place] + picture + bare[place + 1:]
    for left in range(len(bare) - 1):
        for right in range(left + 1, len(bare)):
            for one, other in product(choices[left][:3], choices[right][:3]):
                yield bare[:left] + one + bare[left + 1:right] + other + bare[right + 1:]
    if len(bare) > 2 and sum(map(bool, choices)) > 2:
        yield "".join(options[0] if options else char for char, options in zip(bare, choices, strict=True))


def _pinyin(bare: str) -> Iterator[Variant]:
    """The name in letters: all of it, a part of it, its initials."""
    readings = [syllables_of(char)[:2] for char in bare]
    count = len(bare)
    for spelt in (("".join(choice)) for _, choice in zip(range(_MAX_READINGS), product(*readings), strict=False)):
        yield Variant(fold(spelt), spelt, PINYIN, SURE if count >= 3 and len(spelt) >= 6 else NEEDS_CONTEXT)
    first = [reading[0] for reading in readings]
    masks = product((False, True), repeat=count) if count <= 4 else _few(count)
    for mask in masks:
        if any(mask) and not all(mask):
            parts = [sound if spelt else char for char, sound, spelt in zip(bare, first, mask, strict=True)]
            yield _mixed(parts, NEEDS_CONTEXT if count < 3 else SURE)
    if count >= 3:
        for place in range(count):
            parts = [first[at][0] if at == place else char for at, char in enumerate(bare)]
            yield _mixed(parts, NEEDS_CONTEXT)
        backwards = "".join(first)[::-1]
        yield Variant(fold(backwards), "", REVERSED, SURE if len(backwards) >= 7 else NEEDS_CONTEXT)
        letters = "".join(sound[0] for sound in first)
        yield Variant(fold(letters), letters, INITIALS, NEEDS_BRAND if letters in _ABBREVIATIONS else NEEDS_CONTEXT)


def _few(count: int) -> Iterator[tuple[bool, ...]]:
    for place in range(count):
        yield tuple(at == place for at in range(count))
        yield tuple(at <= place for at in range(count))
        yield tuple(at >= place for at in range(count))


def _mixed(parts: list[str], doubt: int) -> Variant:
    signs = _signs()
    code = "".join(signs[syllables_of(part)[0]] if syllables_of(part) else fold(part) for part in parts)
    return Variant(code, "".join(parts), MIXED, doubt)


def masked_forms(bare: str) -> Iterator[tuple[str, int]]:
    """Yield the name with one inner character hidden behind `*` or `**` (云*里), and how far to trust that."""
    if len(bare) >= 3 and all(map(syllables_of, bare)):
        for place in range(1, len(bare)):
            last = place == len(bare) - 1
            doubt = NEEDS_BRAND if last else NEEDS_CONTEXT
            yield f"{bare[:place]}*{bare[place + 1:]}", doubt
            yield f"{bare[:place]}**{bare[place + 1:]}", doubt


MASK_CHARACTERS = frozenset(_MASKS)

