"""Finds the names of the watches in a normal form however they are written, and says how far to trust each find."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ahocorasick_rs import AhoCorasick

from sentiment.contexts import is_everyday
from sentiment.glyphs import CAPITALS, SYMBOL_LETTERS, TURNED, TURNED_BACK
from sentiment.normalise import Normalised
from sentiment.screen import Screen
from sentiment.variants import (
    EMOJI,
    HOMOGLYPH,
    HOMOPHONE,
    INITIALS,
    LOOK_ALIKE,
    MASK_CHARACTERS,
    MASKED,
    MIXED,
    NEEDS_BRAND,
    NEEDS_CONTEXT,
    PINYIN,
    REVERSED,
    SPLIT,
    SQUEEZED,
    SURE,
    CodeTable,
    Name,
    Variant,
    code_tables,
    derive,
    fold,
    is_dodge,
    masked_forms,
)

_MAX_FINDS = 500
_MAX_LOOKS = 40
"""Doubtful finds of one text that are looked at word by word; those beyond need the brand beside them."""
_FOREIGN_SET = "\u0370-\u052f"  # Greek and Cyrillic
FOREIGN = re.compile(f"[{_FOREIGN_SET}]")
_MASKED = re.compile("[\u4e00-\u9fff][" + re.escape("".join(MASK_CHARACTERS)) + "]{1,2}")
MASK_TABLE = str.maketrans(dict.fromkeys(MASK_CHARACTERS, "*"))
_SYLLABLE_GAPS = frozenset(" -'·_.")
_ALNUM = frozenset("0123456789abcdefghijklmnopqrstuvwxyz")


@dataclass(frozen=True, slots=True)
class Suspect:
    """A variant of watch number `watch` at [start, end) of the normal form; `doubt` as in `sentiment.variants`."""

    watch: int
    rule: str
    start: int
    end: int
    doubt: int


class Evasions:
    """The variants of all names in one automaton."""

    def __init__(self, names: Iterable[tuple[int, str, frozenset[str]]]):
        """`names`: watch number, name in normal form, and which rules may be used for it."""
        uses: dict[str, list[tuple[int, Name, Variant]]] = {}
        masked: dict[str, list[tuple[int, int]]] = {}
        derived: dict[str, Name] = {}
        for watch, form, rules in names:
            name = derived.get(form) or derived.setdefault(form, derive(form))
            for variant in name.variants:
                if _kind(variant) & rules:
                    uses.setdefault(variant.code, []).append((watch, name, variant))
            if MASKED in rules:
                for text, doubt in masked_forms(name.bare):
                    masked.setdefault(text, []).append((watch, doubt))
        self._uses = list(uses.values())
        self._automaton = AhoCorasick(list(uses)) if uses else None
        self._masked_uses = list(masked.items())
        self._codes = {code: {watch for watch, _, _ in entries} for code, entries in uses.items()}
        self._masked = AhoCorasick(list(masked)) if masked else None
        pictures = {
            char for entries in self._uses for _, _, variant in entries if variant.rule == EMOJI
            for char in variant.chars if not fold(char)
        }
        self.pictures = frozenset(pictures)
        odd = {*pictures, *SYMBOL_LETTERS, *TURNED, *MASK_CHARACTERS}
        # One look tells for most texts that nothing but the common way of reading is needed.
        self._odd = re.compile(f"[{_FOREIGN_SET}{re.escape(''.join(sorted(odd)))}]")
        self._table, self._bare_table, self._letter_table = code_tables(pictures)

    def codes_of(self, watch: int) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
        """Return what is looked for on behalf of a watch: codes, names behind a mask, emoji that stand in a code."""
        codes = frozenset(code for code, watches in self._codes.items() if watch in watches)
        masked = frozenset(text for text, entries in self._masked_uses if any(owner == watch for owner, _ in entries))
        return codes, masked, frozenset(char for code in codes for char in code if char in self.pictures)

    def screen(self, words: AhoCorasick | None) -> Screen:
        """Return what tells the texts in which `find`, or the automaton of `words`, may find anything."""
        return Screen(words, self._automaton, self._table, self._odd)

    def find(self, text: str, form: Normalised, original: str) -> list[Suspect]:
        """Return what is found in a text of normal form `text`; exact names are not among it."""
        if self._automaton is None:
            return []
        odd = {found.group() for found in self._odd.finditer(text)}
        if not odd:
            return self._scan(text, self._table)
        if any("\u036f" < char < "\u0530" for char in odd):
            text = _with_capitals(text, form, original)
        found = self._scan(text, self._table)
        if not self.pictures.isdisjoint(odd):
            found += self._scan(text, self._bare_table)
        if not TURNED.isdisjoint(odd):
            found += self._scan(text.translate(TURNED_BACK), self._table)
        if not odd.isdisjoint(SYMBOL_LETTERS):
            found += self._scan(text, self._letter_table)
        if self._masked is not None and not MASK_CHARACTERS.isdisjoint(odd) and _MASKED.search(text):
            found += self._hidden(text)
        return found

    def _scan(self, text: str, table: CodeTable) -> list[Suspect]:
        assert self._automaton is not None
        code = text.translate(table)
        matches = self._automaton.find_matches_as_indexes(code, overlapping=True)
        if not matches:
            return []
        places = [at for at, char in enumerate(text) if table[ord(char)] is not None]
        found: list[Suspect] = []
        look = _Look(text)
        for index, start, end in matches[:_MAX_FINDS]:
            spots = places[start:end]
            left, right = spots[0], spots[-1] + 1
            if not _on_boundaries(text, left, right, table):
                continue
            chars = "".join([text[spot] for spot in spots])
            gaps = None if right - left == end - start else [text[a + 1:b] for a, b in pairwise(spots)]
            for watch, name, variant in self._uses[index]:
                seen = look.compare(name, variant, chars, spots, gaps)
                if seen is not None:
                    found.append(Suspect(watch, seen[0], left, right, seen[1]))
        return found

    def _hidden(self, text: str) -> list[Suspect]:
        """Names with a character hidden behind a sign: 云*里."""
        assert self._masked is not None
        found: list[Suspect] = []
        plain = text.translate(MASK_TABLE)
        look = _Look(text)
        for index, start, end in self._masked.find_matches_as_indexes(plain, overlapping=True)[:_MAX_FINDS]:
            found.extend(
                Suspect(watch, MASKED, start, end, doubt + look.everyday(range(start, end), ()))
                for watch, doubt in self._masked_uses[index][1]
            )
        return found


def _kind(variant: Variant) -> frozenset[str]:
    """The rules that a variant's finds may carry; it is used where one of them is allowed."""
    if variant.rule in (HOMOPHONE, HOMOGLYPH):
        return frozenset((variant.rule, SQUEEZED))
    return frozenset((variant.rule,))


class _Look:
    """Compares what the automaton found with the name, character by character."""

    __slots__ = ("_looks", "_text")

    def __init__(self, text: str):
        self._text = text
        self._looks = 0

    def compare(
        self, name: Name, variant: Variant, chars: str, spots: Sequence[int], gaps: Sequence[str] | None
    ) -> tuple[str, int] | None:
        """Return rule and doubt of a find, or None if it is none."""
        rule = variant.rule
        if rule in (PINYIN, MIXED, INITIALS):
            return self._letters(variant, chars, gaps)
        if gaps is not None and not is_dodge(gaps) and not (rule == SPLIT and set(gaps) <= {"", " "}):
            return None
        if rule == HOMOPHONE:
            return self._sound(name.bare, chars, spots, gaps)
        if rule == HOMOGLYPH:
            if chars == name.bare:
                return None if gaps is None else (SQUEEZED, variant.doubt)
            return (HOMOGLYPH, variant.doubt) if _mostly_letters(chars) else None
        if not variant.chars:  # a Latin name reversed
            return (rule, variant.doubt) if _mostly_letters(chars) else None
        if chars != variant.chars:
            return None
        if rule in (LOOK_ALIKE, REVERSED) and variant.doubt < NEEDS_BRAND:
            changed = [] if rule == REVERSED else [
                spot for spot, one, other in zip(spots, chars, name.bare, strict=True) if one != other
            ]
            return rule, min(NEEDS_BRAND, variant.doubt + self.everyday(spots, changed))
        return rule, variant.doubt

    def _sound(
        self, bare: str, chars: str, spots: Sequence[int], gaps: Sequence[str] | None
    ) -> tuple[str, int] | None:
        changed = [spot for spot, one, other in zip(spots, chars, bare, strict=True) if one != other]
        long = len(bare) >= 3
        if not changed:
            return None if gaps is None else (SQUEEZED, SURE if long else NEEDS_CONTEXT)
        shared = len(bare) - len(changed)
        if any(self._text[spot] in _ALNUM for spot in changed):
            return None  # a digit or letter read for another is no homophone
        if not shared:
            return HOMOPHONE, NEEDS_BRAND
        doubt = SURE if long else NEEDS_CONTEXT
        if gaps is None:
            doubt += self.everyday(spots, changed) * (1 if shared * 2 >= len(bare) else 2)
        return HOMOPHONE, min(doubt, NEEDS_BRAND)

    @staticmethod
    def _letters(variant: Variant, chars: str, gaps: Sequence[str] | None) -> tuple[str, int] | None:
        """The name in pinyin: letters must be meant as such, the characters among them the name's own."""
        rule, doubt = variant.rule, variant.doubt
        if gaps is not None:
            by_syllable = rule != INITIALS and all(_SYLLABLE_GAPS.issuperset(gap) for gap in gaps)
            if not by_syllable and not is_dodge(gaps):
                return None
        if len(chars) != len(variant.chars):
            return None
        for one, other in zip(chars, variant.chars, strict=True):
            if one == other:
                continue
            if rule == INITIALS:
                return None
            if other in _ALNUM:
                if one.isdigit() and doubt == SURE and rule != PINYIN:
                    return None
                rule = HOMOGLYPH
            else:
                doubt = max(doubt, NEEDS_CONTEXT)
        if rule == HOMOGLYPH and not _mostly_letters(chars):
            return None
        return rule, doubt

    def everyday(self, spots: Sequence[int], changed: Sequence[int]) -> int:
        """Return what is to be added to the doubt: 2 where a word reaches over the border, 1 for a common one."""
        self._looks += 1
        if self._looks > _MAX_LOOKS:
            return NEEDS_BRAND
        return is_everyday(self._text, spots[0], spots[-1] + 1, changed)


def _mostly_letters(chars: str) -> bool:
    return sum(char.isdigit() or char in SYMBOL_LETTERS for char in chars) * 2 <= len(chars)


def _on_boundaries(text: str, start: int, end: int, table: CodeTable) -> bool:
    """A find that begins or ends with a letter or digit must not go on beyond it."""
    def letter(char: str) -> bool:
        return char in _ALNUM or ((code := table[ord(char)]) is not None and code in _ALNUM)

    if start and letter(text[start]) and letter(text[start - 1]):
        return False
    return not (end < len(text) and letter(text[end - 1]) and letter(text[end]))


def _with_capitals(text: str, form: Normalised, original: str) -> str:
    """Read Greek and Cyrillic capitals for the Latin ones they look like, before lower case made others of them."""
    if form.starts is None:
        return text
    return "".join(
        CAPITALS.get(original[start], char) if char > "\u036f" else char
        for char, start in zip(text, form.starts, strict=True)
    )
