"""How else people call a watched thing: variants already caught, and words that only texts about it use."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from sentiment.normalise import normal_form, normalise
from vocwatch.models import Hit
from vocwatch.settings.watches import Watch

_PLAIN_RULES = frozenset(("name", "alias", "sku", "page", "parent", "query", "pattern"))
_LEAST = 3
_LEAST_ODDS = 2.0
_MAX_EXAMPLE = 60


@dataclass(frozen=True, slots=True)
class Seen:
    """A stored text and the watch's hits in it."""

    text: str
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A way of writing: by which rule it was caught (empty: not yet caught), in how many texts, one of them."""

    word: str
    rule: str
    texts: int
    example: str


def suggest(watch: Watch, texts: Iterable[Seen], most: int = 20) -> list[Suggestion]:
    """Return caught variants first, then words with at least twice the odds in texts about the watch (log scale)."""
    import rjieba

    variants: Counter[tuple[str, str]] = Counter()
    inside, outside = Counter[str](), Counter[str]()
    examples: dict[str, str] = {}
    about = others = 0
    for seen in texts:
        form = normalise(seen.text).text
        caught = {(hit.matched, hit.rule) for hit in seen.hits if hit.rule.partition("+")[0] not in _PLAIN_RULES and hit.matched}
        variants.update(caught)
        words = {word for word in rjieba.cut(form, True) if 2 <= len(word) <= 6 and word.isalnum() and not word.isdigit()}
        (inside if seen.hits else outside).update(words)
        about, others = about + bool(seen.hits), others + (not seen.hits)
        for word in (*words, *(matched for matched, _ in caught)) if seen.hits else ():
            examples.setdefault(word, seen.text.replace("\n", " ")[:_MAX_EXAMPLE])
    known = {normal_form(name) for name in (watch.name, *watch.aliases, *watch.ambiguous)}
    found = [Suggestion(matched, rule, count, examples[matched]) for (matched, rule), count in variants.most_common(most)]
    odds = {
        word: math.log((count + 0.5) / (about + 1)) - math.log((outside[word] + 0.5) / (others + 1))
        for word, count in inside.items()
        if count >= _LEAST and not any(word in name or name in word for name in known)
    }
    words_by_odds = sorted((word for word in odds if odds[word] >= _LEAST_ODDS), key=lambda word: (-odds[word], -inside[word], word))
    found += [Suggestion(word, "", inside[word], examples[word]) for word in words_by_odds]
    return found[:most]
