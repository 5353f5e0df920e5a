"""Which watches a text matches, by which rule, and whether it speaks of the brand."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from ahocorasick_rs import AhoCorasick

from sentiment.normalise import Normalised, normal_form, normalise
from sentiment.rules import Needs
from vocwatch.models import Hit, TextInput
from vocwatch.settings.watches import Watch, Watches

MAX_HITS = 200
"""Hits kept of one text."""
_MAX_MATCHED = 200

_NAME, _ALIAS, _AMBIGUOUS, _EXCLUDE = "name", "alias", "ambiguous", "exclude"
_SQUEEZABLE = re.compile(r"[\u4e00-\u9fff]{3,}|[a-z0-9]{5,}")
_BARE = re.compile(r"[0-9a-z\u4e00-\u9fff]+")
# What people put between the characters of a name to slip past a filter; no sentence punctuation.
_FILLER = re.compile(
    r"[\s*·•.\-_/|~^'`\"+=#@&丨○●◆◇★☆\u2190-\u2bff\U0001f000-\U0001faff]{1,3}"
)
_LATIN = re.compile(r"[0-9a-z]")


@dataclass(frozen=True, slots=True)
class Found:
    """A hit in the normal form, before the way back to the original."""

    watch: int
    rule: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Matched:
    """What the watches say of a text; `own` and `others` are spans of the normal form where the brand (or its
    products) and competitors are named; `brand` whether the text is about the brand.
    """

    hits: tuple[Hit, ...]
    own: tuple[tuple[int, int], ...]
    others: tuple[tuple[int, int], ...]
    brand: bool


class Matcher:
    """All watches in one automaton."""

    def __init__(self, watches: Watches, own_pages: Collection[str] = ()):
        """`own_pages` are SKUs and shop names whose pages speak of the brand whatever their texts say."""
        self._watches: Sequence[Watch] = watches.watches
        self._uses: list[list[tuple[int, str]]] = []
        words: dict[str, list[tuple[int, str]]] = {}
        squeezed: dict[str, list[int]] = {}
        for number, watch in enumerate(self._watches):
            for form, role in _forms(watch):
                uses = words.setdefault(form, [])
                if (number, role) not in uses:
                    uses.append((number, role))
                if role in (_NAME, _ALIAS) and _SQUEEZABLE.fullmatch(form):
                    squeezed.setdefault(form, []).append(number)
        self._uses = list(words.values())
        self._automaton = AhoCorasick(list(words)) if words else None
        self._squeezed_uses = list(squeezed.values())
        self._squeezed = AhoCorasick(list(squeezed)) if squeezed else None
        self._patterns = [
            (number, re.compile(pattern, re.I), Needs(pattern) if pattern == pattern.lower() else None)
            for number, watch in enumerate(self._watches) for pattern in watch.patterns
        ]
        self._contexts = [_Context(watch) for watch in self._watches]
        self._by_id = {watch.id: number for number, watch in enumerate(self._watches)}
        self._skus = {
            normal_form(watch.sku): number for number, watch in enumerate(self._watches) if watch.sku
        }
        self._own_pages = frozenset(normal_form(page) for page in own_pages if page.strip())

    def match(self, item: TextInput, form: Normalised) -> Matched:
        """Return the hits of a text whose normal form is `form`."""
        page = self._page(item)
        inherited = self._inherited(item.parent)
        tied = {found.watch for found in (*page, *inherited)}
        about = item.about_brand or self._is_own_page(item) or any(self._is_own(number) for number in tied)
        found = self._text_hits(form.text, about)
        own = tuple((hit.start, hit.end) for hit in found if self._is_own(hit.watch))
        others = tuple((hit.start, hit.end) for hit in found if self._watches[hit.watch].kind == "competitor")
        rivals_page = any(self._watches[hit.watch].kind == "competitor" for hit in page)
        brand = bool(own) or item.about_brand
        if not brand and about:
            brand = not others and not (rivals_page and not any(self._is_own(hit.watch) for hit in page))
        hits = self._hits(found, form, item.text, [*page, *(inherited if brand or not others else [])])
        return Matched(hits, own, others, brand)

    def _is_own(self, number: int) -> bool:
        watch = self._watches[number]
        if watch.kind == "product" and watch.brand:
            return self._watches[self._by_id[watch.brand]].kind == "brand"
        return watch.kind in ("brand", "product")

    def _is_own_page(self, item: TextInput) -> bool:
        return any(normal_form(entry) in self._own_pages for entry in item.context)

    def _page(self, item: TextInput) -> list[Found]:
        """Hits that the page itself gives: its SKU, product and shop."""
        found: list[Found] = []
        for entry in item.context:
            form = normal_form(entry)
            if form in self._skus:
                found.append(Found(self._skus[form], "sku", 0, 0))
                continue
            named = {hit.watch for hit in self._text_hits(form, about=False, page=True)}
            found.extend(Found(number, "page", 0, 0) for number in sorted(named))
        return found

    def _inherited(self, parent: str | None) -> list[Found]:
        """What the text above speaks of."""
        if not parent:
            return []
        named = {hit.watch for hit in self._text_hits(normalise(parent).text, about=False)}
        return [Found(number, "parent", 0, 0) for number in sorted(named)]

    def _text_hits(self, text: str, about: bool, page: bool = False) -> list[Found]:
        """Hits in a normal form. `about`: it is known to speak of the brand; `page`: it is a page's title."""
        sure, doubtful, excluded = self._scan(text)
        sure = [hit for hit in sure if not _inside(hit, excluded)]
        doubtful = [hit for hit in doubtful if not _inside(hit, excluded)]
        sure.extend(hit for hit in self._scan_squeezed(text) if not _inside(hit, excluded))
        sure.extend(hit for hit in self._scan_patterns(text) if not _inside(hit, excluded))
        generic = [hit for hit in sure if self._watches[hit.watch].needs_brand]
        sure = [hit for hit in sure if not self._watches[hit.watch].needs_brand]
        certain = {self._brand_of(hit.watch) for hit in sure}
        for hit in doubtful:
            watch = self._watches[hit.watch]
            names = page and normal_form(watch.name) == text[hit.start:hit.end]
            if self._contexts[hit.watch](text, hit.start, hit.end):
                sure.append(replace(hit, rule="ambiguous+context"))
            elif names or self._brand_of(hit.watch) in certain or (about and self._is_own(hit.watch)):
                sure.append(replace(hit, rule="ambiguous+brand"))
        certain = {self._brand_of(hit.watch) for hit in sure}
        sure.extend(
            replace(hit, rule=f"{hit.rule}+brand") for hit in generic
            if self._brand_of(hit.watch) in certain or (about and self._is_own(hit.watch))
        )
        return _distinct(sure)

    def _brand_of(self, number: int) -> str:
        return self._watches[number].brand or self._watches[number].id

    def _scan(self, text: str) -> tuple[list[Found], list[Found], list[Found]]:
        sure: list[Found] = []
        doubtful: list[Found] = []
        excluded: list[Found] = []
        if self._automaton is None:
            return sure, doubtful, excluded
        for index, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True):
            if not _on_boundaries(text, start, end):
                continue
            for number, role in self._uses[index]:
                bucket = excluded if role == _EXCLUDE else doubtful if role == _AMBIGUOUS else sure
                bucket.append(Found(number, role, start, end))
        return sure, doubtful, excluded

    def _scan_squeezed(self, text: str) -> list[Found]:
        """Names broken up by blanks, symbols or emoji: 松*果*匣, s.g.x-brand."""
        if self._squeezed is None or not _FILLER.search(text):
            return []
        pieces = list(_BARE.finditer(text))
        places = [at for piece in pieces for at in range(piece.start(), piece.end())]
        bare = "".join(piece.group() for piece in pieces)
        found: list[Found] = []
        for index, start, end in self._squeezed.find_matches_as_indexes(bare, overlapping=True):
            left, right = places[start], places[end - 1] + 1
            broken = right - left > end - start and _broken_on_purpose(text, places[start:end])
            if broken and _on_boundaries(text, left, right):
                found.extend(Found(number, "squeezed", left, right) for number in self._squeezed_uses[index])
        return found

    def _scan_patterns(self, text: str) -> list[Found]:
        if not self._patterns:
            return []
        characters = set(text)
        return [
            Found(number, "pattern", match.start(), match.end())
            for number, pattern, needs in self._patterns if needs is None or needs.met(characters)
            for match in pattern.finditer(text) if match.end() > match.start()
        ]

    def _hits(
        self, found: Iterable[Found], form: Normalised, original: str, tied: Iterable[Found]
    ) -> tuple[Hit, ...]:
        hits: dict[tuple[str, int], Hit] = {}
        for item in found:
            start, end = form.original_span(item.start, item.end)
            watch = self._watches[item.watch]
            end = min(end, start + _MAX_MATCHED)
            hit = Hit(watch.id, watch.kind, item.rule, start, end, original[start:end])
            hits.setdefault((watch.id, start), hit)
        named = {watch for watch, _ in hits}
        for item in tied:
            watch = self._watches[item.watch]
            if watch.id not in named:
                hits.setdefault((watch.id, 0), Hit(watch.id, watch.kind, item.rule, 0, 0, ""))
        ordered = sorted(hits.values(), key=lambda hit: (hit.start, hit.watch))
        return tuple(ordered[:MAX_HITS])


def _forms(watch: Watch) -> Iterable[tuple[str, str]]:
    """The words of a watch in normal form, with their role. A name listed as ambiguous is only that."""
    ambiguous = {normal_form(word) for word in watch.ambiguous}
    for words, role in (((watch.name,), _NAME), (watch.aliases, _ALIAS)):
        for word in words:
            form = normal_form(word)
            if form and form not in ambiguous:
                yield form, role
    yield from ((form, _AMBIGUOUS) for form in sorted(ambiguous) if form)
    yield from ((form, _EXCLUDE) for word in watch.exclude if (form := normal_form(word)))


class _Context:
    """The words that must, and must not, stand near an ambiguous name."""

    __slots__ = ("_none", "_wanted", "_within")

    def __init__(self, watch: Watch):
        wanted = [form for word in watch.context.any if (form := normal_form(word))]
        none = [form for word in watch.context.none if (form := normal_form(word))]
        self._wanted = AhoCorasick(wanted) if wanted else None
        self._none = AhoCorasick(none) if none else None
        self._within = watch.context.within

    def __call__(self, text: str, start: int, end: int) -> bool:
        if self._wanted is None:
            return False
        before, after = text[max(0, start - self._within):start], text[end:end + self._within]
        near = f"{before}\n{after}"  # the name itself is no context for itself
        if self._none is not None and self._none.find_matches_as_indexes(near):
            return False
        return bool(self._wanted.find_matches_as_indexes(near))


def _on_boundaries(text: str, start: int, end: int) -> bool:
    """A name that begins or ends with a Latin letter or digit must not go on beyond it."""
    if _LATIN.match(text[start]) and start and _LATIN.match(text[start - 1]):
        return False
    return not (_LATIN.match(text[end - 1]) and end < len(text) and _LATIN.match(text[end]))


def _broken_on_purpose(text: str, places: Sequence[int]) -> bool:
    """Whether what stands between the characters is a dodge: a symbol, or blanks between all of them."""
    gaps = [text[left + 1:right] for left, right in pairwise(places)]
    if any(gap and not _FILLER.fullmatch(gap) for gap in gaps):
        return False
    return all(gaps) or any(gap and not gap.isspace() and gap.strip() not in (".", "-", "/") for gap in gaps)


def _inside(hit: Found, excluded: Sequence[Found]) -> bool:
    return any(
        other.watch == hit.watch and other.start <= hit.start and hit.end <= other.end for other in excluded
    )


def _distinct(found: Sequence[Found]) -> list[Found]:
    """One hit for each watch and place: of overlapping ones of a watch the longest, the surer rule first."""
    kept: list[Found] = []
    taken: dict[int, list[tuple[int, int]]] = {}
    for hit in sorted(found, key=lambda hit: (hit.start - hit.end, hit.start)):
        spans = taken.setdefault(hit.watch, [])
        if not any(start < hit.end and hit.start < end for start, end in spans):
            spans.append((hit.start, hit.end))
            kept.append(hit)
    return sorted(kept, key=lambda hit: hit.start)
