"""Which watches a text matches, by which rule, and whether it speaks of the brand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from ahocorasick_rs import AhoCorasick

from sentiment.conditions import QUERY, Found, Patterns, Rules, on_boundaries
from sentiment.contexts import Surroundings
from sentiment.evasions import Evasions, Suspect
from sentiment.normalise import Normalised, normal_form, normalise
from sentiment.variants import NEEDS_CONTEXT, RULES, SURE
from vocwatch.models import Hit, TextInput
from vocwatch.settings.grammar import parse, words_of
from vocwatch.settings.watches import Watch, Watches

MAX_HITS = 200
"""Hits kept of one text."""
_MAX_MATCHED = 200
_MAX_PAGES = 4096
_MANY, _MOST_PLACES = 400, 40

_NAME, _ALIAS, _AMBIGUOUS, _EXCLUDE, _SKU = "name", "alias", "ambiguous", "exclude", "sku"
_SHORTEST_SKU = 4


@dataclass(frozen=True, slots=True)
class Matched:
    """What the watches say of a text; `own` and `others` are spans of the normal form where the brand (or its
    products) and competitors are named; `brand` whether the text is about the brand.
    """

    hits: tuple[Hit, ...]
    own: tuple[tuple[int, int], ...]
    others: tuple[tuple[int, int], ...]
    brand: bool


_UNMATCHED = Matched((), (), (), False)


@dataclass(frozen=True, slots=True)
class Needles:
    """All that a matcher looks for in a text: words in normal form with their use, codes of variants, names behind a
    mask, emoji that may stand in a name, patterns. A text that holds none of it has no hit of its own words.
    """

    words: frozenset[tuple[str, str]]
    codes: frozenset[str]
    masked: frozenset[str]
    pictures: frozenset[str]
    patterns: frozenset[str]

    def any(self) -> bool:
        """Whether anything is looked for at all."""
        return bool(self.words or self.codes or self.masked or self.pictures or self.patterns)

    def along_with(self, other: Needles) -> Needles:
        """Return what either of the two looks for."""
        return Needles(
            self.words | other.words, self.codes | other.codes, self.masked | other.masked, self.pictures | other.pictures,
            self.patterns | other.patterns,
        )

    def other_than(self, other: Needles) -> Needles:
        """Return what only one of the two looks for."""
        return Needles(
            self.words ^ other.words, self.codes ^ other.codes, self.masked ^ other.masked, self.pictures ^ other.pictures,
            self.patterns ^ other.patterns,
        )


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known before the text is read: watches that its page or its parent speaks of, whether it is about
    the brand, and whether it is itself a page's title.
    """

    brands: frozenset[str] = frozenset()
    about: bool = False
    page: bool = False


_ORDER = {rule: place for place, rule in enumerate(RULES)}
_NOTHING_KNOWN, _A_PAGE = _Known(), _Known(page=True)


class Matcher:
    """All watches made ready; every text is read a fixed number of times whatever their number."""

    def __init__(self, watches: Watches, own_pages: Collection[str] = ()):
        """`own_pages` are SKUs and shop names whose pages speak of the brand whatever their texts say."""
        self._watches: Sequence[Watch] = watches.watches
        words: dict[str, list[tuple[int, str]]] = {}
        for number, watch in enumerate(self._watches):
            for form, role in _forms(watch):
                uses = words.setdefault(form, [])
                if (number, role) not in uses:
                    uses.append((number, role))
        self._uses, self._words = list(words.values()), words
        self._automaton = AhoCorasick(list(words)) if words else None
        self._evasions = Evasions(_names(self._watches))
        self._screen = self._evasions.screen(self._automaton)
        self._patterns = Patterns(self._watches)
        self._rules = [Rules(watch) for watch in self._watches]
        sold: dict[str, list[str]] = defaultdict(list)
        for watch in self._watches:
            if watch.brand:
                sold[watch.brand] += [watch.name, *watch.aliases]
        self._contexts = [Surroundings(w, sold[w.id], watches.learned.get(w.id)) for w in self._watches]
        self._by_id = {watch.id: number for number, watch in enumerate(self._watches)}
        self._own = [self._is_own(watch) for watch in self._watches]
        self._skus = {
            normal_form(watch.sku): number for number, watch in enumerate(self._watches) if watch.sku
        }
        self._own_pages = frozenset(normal_form(page) for page in own_pages if page.strip())
        # The posts of one page and the comments of one post come together.
        self._page = lru_cache(_MAX_PAGES)(self._read_page)
        self._inherited = lru_cache(_MAX_PAGES)(self._read_parent)

    def needles(self, watch: str) -> Needles:
        """Return what is looked for on behalf of one watch. Raises KeyError for one that there is not."""
        number = self._by_id[watch]
        words = {(word, role) for word, uses in self._words.items() for owner, role in uses if owner == number}
        return Needles(
            frozenset(words), *self._evasions.codes_of(number), frozenset(self._watches[number].patterns),
        )

    def match_many(self, items: Sequence[TextInput], forms: Sequence[Normalised]) -> list[Matched]:
        """Return what `match` does for each; texts in which nothing can be found are not looked at one by one."""
        texts = [form.text for form in forms]
        worth = self._screen.worth(texts)
        if self._patterns:
            worth = [look or bool(self._patterns.find(text)) for look, text in zip(worth, texts, strict=True)]
        return [
            self.match(item, form) if look or item.context or item.parent or item.about_brand else _UNMATCHED
            for item, form, look in zip(items, forms, worth, strict=True)
        ]

    def match(self, item: TextInput, form: Normalised) -> Matched:
        """Return the hits of a text whose normal form is `form`."""
        page, own_page = self._page(item.context) if item.context else ((), False)
        inherited = self._inherited(item.parent) if item.parent else ()
        tied = {found.watch for found in (*page, *inherited)}
        about = item.about_brand or own_page or any(self._own[number] for number in tied)
        known = _Known(frozenset(map(self._brand_of, tied)), about) if tied or about else _NOTHING_KNOWN
        found = self._text_hits(form, item.text, known)
        if not found and not tied:
            return Matched((), (), (), about)
        own = tuple((hit.start, hit.end) for hit in found if self._own[hit.watch])
        others = tuple((hit.start, hit.end) for hit in found if self._watches[hit.watch].kind == "competitor")
        rivals_page = any(self._watches[hit.watch].kind == "competitor" for hit in page)
        brand = bool(own) or item.about_brand
        if not brand and about:
            brand = not others and not (rivals_page and not any(self._own[hit.watch] for hit in page))
        hits = self._hits(found, form, item.text, [*page, *(inherited if brand or not others else ())])
        return Matched(hits, own, others, brand)

    def _is_own(self, watch: Watch) -> bool:
        if watch.kind == "product" and watch.brand:
            return self._watches[self._by_id[watch.brand]].kind == "brand"
        return watch.kind in ("brand", "product")

    def _read_page(self, context: tuple[str, ...]) -> tuple[tuple[Found, ...], bool]:
        """Hits that the page itself gives (its SKU, product and shop), and whether it is one of our own."""
        found: list[Found] = []
        own = False
        for entry in context:
            form = normalise(entry)
            own = own or form.text.strip() in self._own_pages
            if form.text.strip() in self._skus:
                found.append(Found(self._skus[form.text.strip()], _SKU, 0, 0))
                continue
            named = {hit.watch for hit in self._text_hits(form, entry, _A_PAGE)}
            found.extend(Found(number, "page", 0, 0) for number in sorted(named))
        return tuple(found), own

    def _read_parent(self, parent: str) -> tuple[Found, ...]:
        """What the text above speaks of."""
        named = {hit.watch for hit in self._text_hits(normalise(parent), parent, _NOTHING_KNOWN)}
        return tuple(Found(number, "parent", 0, 0) for number in sorted(named))

    def _text_hits(self, form: Normalised, original: str, known: _Known) -> list[Found]:
        """Hits in a normal form, given what is known of it."""
        text = form.text
        sure, doubtful, excluded, asked = self._scan(text)
        suspects = self._evasions.find(text, form, original)
        patterns = self._patterns.find(text)
        if not (sure or doubtful or suspects or patterns or asked):
            return []
        for number in asked:
            sure += self._rules[number].query_hits(number, text)
        sure += patterns
        if not known.page:
            sure = [hit for hit in sure if not self._contexts[hit.watch].denied(text, hit.start, hit.end)]
        sure = [hit for hit in sure if not _inside(hit, excluded)]
        doubtful = [hit for hit in doubtful if not _inside(hit, excluded)]
        suspects = [item for item in suspects if not _inside(item, excluded) and not _covered(item, sure)]
        suspects.sort(key=lambda item: (item.doubt, _ORDER[item.rule]))  # of several readings the plainest
        sure += [Found(item.watch, item.rule, item.start, item.end) for item in suspects if item.doubt == SURE]
        generic = [hit for hit in sure if self._watches[hit.watch].needs_brand]
        sure = [hit for hit in sure if not self._watches[hit.watch].needs_brand]
        sure += self._vouched(text, doubtful, suspects, {self._brand_of(hit.watch) for hit in sure}, known)
        certain = {self._brand_of(hit.watch) for hit in sure} | known.brands
        sure.extend(
            replace(hit, rule=f"{hit.rule}+brand") for hit in generic
            if self._brand_of(hit.watch) in certain or (known.about and self._own[hit.watch])
        )
        return self._required(text, _distinct(sure))

    def _vouched(
        self, text: str, doubtful: Iterable[Found], suspects: Iterable[Suspect], certain: set[str], known: _Known
    ) -> list[Found]:
        """The doubtful hits that something vouches for: words around them, or the brand named elsewhere."""
        found: list[Found] = []
        for hit in doubtful:
            names = known.page and normal_form(self._watches[hit.watch].name) == text[hit.start:hit.end]
            by = self._contexts[hit.watch].vouch(text, hit.start, hit.end)
            if by:
                found.append(replace(hit, rule=f"ambiguous+{by}"))
            elif names or self._is_certain(hit.watch, certain, known):
                found.append(replace(hit, rule="ambiguous+brand"))
        certain = certain | {self._brand_of(hit.watch) for hit in found}
        for item in suspects:
            if item.doubt == SURE:
                continue
            if self._is_certain(item.watch, certain, known):
                found.append(Found(item.watch, f"{item.rule}+brand", item.start, item.end))
            elif item.doubt == NEEDS_CONTEXT and self._contexts[item.watch].vouch_for_variant(
                text, item.start, item.end
            ):
                found.append(Found(item.watch, f"{item.rule}+context", item.start, item.end))
        return found

    def _is_certain(self, number: int, certain: set[str], known: _Known) -> bool:
        brand = self._brand_of(number)
        return brand in certain or brand in known.brands or (known.about and self._own[number])

    def _required(self, text: str, found: list[Found]) -> list[Found]:
        """Leave out the hits of watches whose conditions on the whole text are not met."""
        strict = {hit.watch for hit in found if self._rules[hit.watch].strict}
        for number in strict:
            spans = [(hit.start, hit.end) for hit in found if hit.watch == number]
            if not self._rules[number].met(text, spans):
                found = [hit for hit in found if hit.watch != number]
        return found

    def _brand_of(self, number: int) -> str:
        return self._watches[number].brand or self._watches[number].id

    def _scan(self, text: str) -> tuple[list[Found], list[Found], list[Found], set[int]]:
        """Exact words: sure names, doubtful ones, exclusions, and the watches whose query may hold."""
        sure: list[Found] = []
        doubtful: list[Found] = []
        excluded: list[Found] = []
        asked: set[int] = set()
        if self._automaton is None:
            return sure, doubtful, excluded, asked
        for index, start, end in _few(self._automaton.find_matches_as_indexes(text, overlapping=True)):
            bounded = on_boundaries(text, start, end)
            for number, role in self._uses[index]:
                if role == QUERY:
                    asked.add(number)
                elif bounded:
                    bucket = excluded if role == _EXCLUDE else doubtful if role == _AMBIGUOUS else sure
                    bucket.append(Found(number, role, start, end))
        return sure, doubtful, excluded, asked

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
    if watch.sku and len(form := normal_form(watch.sku)) >= _SHORTEST_SKU:
        yield form, _SKU
    if watch.query:
        yield from ((form, QUERY) for word in words_of(parse(watch.query)) if (form := normal_form(word)))


def _names(watches: Sequence[Watch]) -> Iterable[tuple[int, str, frozenset[str]]]:
    """The names whose variants are looked for: a brand's and a competitor's, and a product's own."""
    for number, watch in enumerate(watches):
        rules = _wanted(watch)
        names = [watch.name] if watch.kind == "product" and watch.variants is None else [watch.name, *watch.aliases]
        ambiguous = {normal_form(word) for word in watch.ambiguous}
        forms = dict.fromkeys(normal_form(name) for name in names)
        yield from ((number, form, rules) for form in forms if rules and form and form not in ambiguous)


def _wanted(watch: Watch) -> frozenset[str]:
    """The rules by which variants of a watch's names are looked for."""
    if watch.variants is None:
        return frozenset(RULES) if watch.kind != "keyword" and not watch.needs_brand else frozenset()
    return frozenset(RULES if watch.variants is True else watch.variants or ())


def _few(matches: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Of a text that repeats itself, the first places of each word."""
    if len(matches) <= _MANY:
        return matches
    seen: dict[int, int] = defaultdict(int)
    kept = []
    for match in matches:
        seen[match[0]] += 1
        if seen[match[0]] <= _MOST_PLACES:
            kept.append(match)
    return kept


def _covered(item: Suspect, sure: Iterable[Found]) -> bool:
    """Whether a plain hit of the same watch already stands there."""
    return any(hit.watch == item.watch and hit.start < item.end and item.start < hit.end for hit in sure)


def _inside(hit: Found | Suspect, excluded: Sequence[Found]) -> bool:
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
