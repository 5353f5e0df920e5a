"""What a rule's own conditions keep out, and how else people write its names: found with the rule without conditions."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from sentiment.conditions import Rules
from sentiment.matching import Matcher, Needles
from sentiment.normalise import normal_form
from sentiment.specimens import Specimen, Specimens
from sentiment.variants import RULES
from vocwatch.laboratory import Hint, Killed
from vocwatch.lang import tr
from vocwatch.models import Hit
from vocwatch.settings.watches import Context, Require, Watch, Watches

_MOST = 250
_NAMES = 60
"""A watch with more names than this is a list: how each of them might be disguised is not looked for."""
_SHOWN, _EXAMPLE = 30, 120
_Item = TypeVar("_Item")
_Key = TypeVar("_Key", bound=Hashable)


@dataclass(frozen=True)
class Loosened:
    """What is kept out by which condition, and variants that are not caught."""

    killed: tuple[Killed, ...]
    hints: tuple[Hint, ...]


class Loose:
    """A rule without its conditions; a list of names without their disguises."""

    def __init__(self, rule: Watch):
        names = [rule.name, *rule.aliases, *rule.ambiguous]
        bare = rule.model_copy(update={
            "kind": "keyword", "brand": None, "aliases": tuple(names[1:]), "ambiguous": (), "exclude": (), "require": Require(),
            "context": Context(), "needs_brand": False, "variants": len(names) <= _NAMES,
        })
        self.rule = rule
        self.matcher = Matcher(Watches.model_construct(watches=(bare,), learned={}))
        self.needles: Needles = self.matcher.needles(rule.id)


def loosen(specimens: Specimens, loose: Loose, missed: Mapping[int, float]) -> Loosened:
    """Look at texts that the rule would catch without its conditions; at most 250 of them are read, evenly spread.

    `missed`: places of texts that it does not catch, each with the number of texts that it stands for.
    """
    places = sorted(missed)
    scale = max(1.0, len(places) / _MOST)
    killed: _Tally[str] = _Tally()
    variants: _Tally[tuple[str, str]] = _Tally()
    judge = _Judge(loose.rule)
    for place in spread(places, _MOST):
        one, weight = specimens.at(place), scale * missed[place]
        hits = [hit for hit in loose.matcher.match(one.item, one.form).hits if hit.end > hit.start]
        if not hits:
            continue
        plain = [hit for hit in hits if hit.rule.partition("+")[0] not in RULES]
        if plain:
            killed.add([judge.why(one, plain)], one, weight)
        else:
            variants.add({(hit.matched, hit.rule) for hit in hits}, one, weight)
    return Loosened(
        tuple(Killed(what, round(count), example) for what, count, example in killed.most()),
        tuple(Hint(what[0], what[1], round(count), example, False) for what, count, example in variants.most()),
    )


def spread(items: Sequence[_Item], most: int) -> list[_Item]:
    """Return at most so many items, evenly spread; where in its stretch each stands is drawn, lest it beat with the data."""
    if len(items) <= most:
        return list(items)
    drawn = random.Random(len(items))  # noqa: S311 - no secret: the same question gets the same answer
    return [items[int((number + drawn.random()) * len(items) / most)] for number in range(most)]


class _Tally(Generic[_Key]):
    """Counts, with one example of each."""

    def __init__(self) -> None:
        self._counts: dict[_Key, float] = defaultdict(float)
        self._examples: dict[_Key, str] = {}

    def add(self, keys: Iterable[_Key], one: Specimen, weight: float) -> None:
        for key in keys:
            self._counts[key] += weight
            self._examples.setdefault(key, one.item.text[:_EXAMPLE])

    def most(self) -> list[tuple[_Key, float, str]]:
        most = sorted(self._counts.items(), key=lambda item: -item[1])[:_SHOWN]
        return [(key, count, self._examples[key]) for key, count in most]


class _Judge:
    """Says which of a rule's conditions keeps a text out."""

    def __init__(self, rule: Watch):
        self._rule, self._rules = rule, Rules(rule)
        self._exclude = [(word, normal_form(word)) for word in rule.exclude]
        self._none = [(word, normal_form(word)) for word in rule.context.none]
        self._ambiguous = frozenset(map(normal_form, rule.ambiguous))

    def why(self, one: Specimen, hits: list[Hit]) -> str:
        """Name the first condition that keeps out what would have been hit."""
        form = one.form.text
        for word, excluded in self._exclude:
            if excluded and excluded in form:
                return tr(f"排除：{word}", f"exclude: {word}")
        spans = [(at, at + len(said)) for hit in hits for said in (normal_form(hit.matched),) if (at := form.find(said)) >= 0]
        for which, said in self._rules.unmet(form, spans):
            words = {"none": tr("require.none 成立", "require.none holds"), "all": tr("require.all 不成立", "require.all fails"),
                     "any": tr("require.any 都不成立", "require.any: none holds")}
            return f"{words[which]}：{said}"
        for word, near in self._none:
            if near and near in form:
                return tr(f"context.none：{word}", f"context.none: {word}")
        if all(normal_form(hit.matched) in self._ambiguous for hit in hits):
            return tr("有歧义的叫法，附近没有 context.any 里的词", "ambiguous, and no word of context.any near it")
        if self._rule.needs_brand:
            return tr("needs_brand：同一条里没提到品牌", "needs_brand: the brand is not named")
        return tr("在这里是日常用语，不像名字", "everyday language here, not a name")
