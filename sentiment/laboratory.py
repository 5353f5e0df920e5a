"""What a rule that is being written would do to the stored texts: pure, texts in and a report out.

Only texts that hold a word in which the draft and the saved rule differ can change sides; of the others what is stored
stands, where it was judged by the configuration that is in use. Where that is too many to be read in time, an evenly spread sample is read, and the report says so.
"""

from __future__ import annotations

import datetime as dt
import heapq
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from operator import attrgetter

import numpy as np

from sentiment.loosening import Loose, Loosened, loosen, spread
from sentiment.matching import Matcher
from sentiment.normalise import normal_form, normalise
from sentiment.specimens import Specimen, Specimens
from sentiment.suggest import Seen, suggest
from sentiment.variants import RULES
from vocwatch.laboratory import Counted, Hint, Part, Report, Sample
from vocwatch.lang import listed, tr
from vocwatch.models import Hit, TextInput
from vocwatch.settings.watches import Watch, Watches

LOOKS = 800
"""Texts that are read one by one for an answer while somebody types."""
SAMPLES = 20
BROAD_SHARE = 0.5
"""From this share of all stored texts on, a rule is said to be too broad."""
_BUSY_ALERTS = 5.0
_SAME = 0.9
_FAMILY = 60
_RED = 400
_SHORT_DAYS = 7
_SUGGEST = 150
_HINTS, _LISTED = 12, 40
_CONDITIONS = attrgetter(
    "kind", "brand", "needs_brand", "query", "require", "context", "variants", "patterns", "sku",
)


@dataclass(frozen=True)
class Draft:
    """A rule to be tried: the watches with it in them, its id, and the watches as they are saved."""

    watches: Watches
    watch: str
    saved: Watches | None = None
    own_pages: tuple[str, ...] = ()

    @property
    def rule(self) -> Watch:
        """The rule itself."""
        return next(watch for watch in self.watches.watches if watch.id == self.watch)

    @property
    def before(self) -> Watch | None:
        """The saved rule of that id."""
        return next((watch for watch in self.saved.watches if watch.id == self.watch), None) if self.saved else None


@dataclass
class _Found:
    """What was found of one kind: texts that are sure, and texts of the sample."""

    sure: list[tuple[Specimen, Hit | None]] = field(default_factory=list)
    sampled: list[tuple[Specimen, Hit | None]] = field(default_factory=list)

    def each(self) -> Iterable[tuple[Specimen, Hit | None]]:
        yield from self.sure
        yield from self.sampled


def try_out(
    specimens: Specimens, draft: Draft, *, now: dt.datetime, days: int = 28, looks: int | None = LOOKS,
    samples: int = SAMPLES,
) -> Report:
    """Return what the draft does on the texts of the last days. At most about `looks` texts are read (None: all)."""
    return _Bench(specimens, draft, now, days, looks, samples).report()


class _Bench:
    """One trial."""

    def __init__(
        self, specimens: Specimens, draft: Draft, now: dt.datetime, days: int, looks: int | None, samples: int
    ):
        self._specimens, self._draft, self._rule = specimens, draft, draft.rule
        self._now, self._days, self._samples, self._exact = now, days, samples, looks is None
        self._since = now - dt.timedelta(days=days)
        self._table = specimens.table
        self._matcher, self._loose = Matcher(_related(draft.watches, draft.watch), draft.own_pages), Loose(self._rule)
        self._needles = self._matcher.needles(draft.watch)
        self._inside = specimens.within(self._since)
        stored = set(self._within(self._table.by_watch.get(draft.watch, ())))
        self._worth = self._within(specimens.worth(self._needles.along_with(self._loose.needles)).tolist())
        self._open = self._touched(stored)
        self._kept = stored - set(self._open)
        self._looks = len(self._open) if looks is None else looks
        self._caught, self._gained, self._lost = _Found(), _Found(), _Found()
        self._read, self._scale = 0, 1.0
        self._look()

    @property
    def _texts(self) -> int:
        """How many texts of the last days there are."""
        return int(self._inside.sum())

    def _within(self, places: Iterable[int]) -> list[int]:
        """Those of the places whose texts are of the last days."""
        inside = self._inside
        return [place for place in places if inside[place]]

    def _touched(self, stored: set[int]) -> list[int]:
        """The texts on which the draft may differ from what is stored, in order."""
        before = self._draft.before
        if self._exact or before is None or _CONDITIONS(before) != _CONDITIONS(self._rule):
            same = self._loose.needles.codes <= self._needles.codes
            return sorted(stored.union(self._worth if same else self._within(self._specimens.worth(self._needles).tolist())))
        assert self._draft.saved is not None
        old = Matcher(_related(self._draft.saved, before.id), self._draft.own_pages).needles(before.id)
        changed = self._needles.other_than(old)
        found = self._within(self._specimens.worth(changed).tolist()) if changed.any() else []
        return sorted({*found, *(self._table.stale & stored.union(self._worth))})

    def _look(self) -> None:
        reds = set(self._table.red)
        red = [place for place in self._open if place in reds][:_RED if self._looks < len(self._open) else None]
        rest = sorted(set(self._open).difference(red))
        chosen = spread(rest, max(1, self._looks - len(red)))
        self._scale = len(rest) / len(chosen) if chosen else 1.0
        self._seen, self._spread_over = {*red, *chosen}, set(chosen)
        self._read = len(self._seen)
        exact = len(chosen) == len(rest)
        for places, sure in ((red, True), (chosen, exact)):
            for place in places:
                self._sort(self._specimens.at(place), sure)
        for place in sorted(self._kept):
            self._caught.sure.append((self._specimens.at(place), None))

    def _sort(self, one: Specimen, sure: bool) -> None:
        hit = own_hit(self._matcher, one, self._draft.watch)
        had = self._draft.watch in one.own
        into = [self._caught, *([] if had else [self._gained])] if hit else [self._lost] if had else []
        for found in into:
            (found.sure if sure else found.sampled).append((one, hit))

    # -- the parts of the answer ------------------------------------------------------------------------------------

    def report(self) -> Report:
        """Put the answer together."""
        caught = self._part(self._caught)
        lately = self._now - dt.timedelta(days=_SHORT_DAYS)
        alerts, more = self._alerts()
        loosened = loosen(self._specimens, self._loose, self._not_caught())
        words = self._words()
        return Report(
            self._draft.watch, self._days, self._texts, warnings=self._warnings(caught, alerts),
            caught=caught, gained=self._part(self._gained), lost=self._part(self._lost), wrong=self._part(self._wrong()),
            hits_7_days=self._count(one.at >= lately for one, _ in self._caught.sure)
            + round(self._scale * self._count(one.at >= lately for one, _ in self._caught.sampled)),
            per_day=round(caught.count / self._days, 2), by_day=self._by_day(), alerts_per_day=alerts, alerts_more=more,
            page_texts=self._page_texts(), rules=self._counted(self._rules()), words=words[0], idle=words[1],
            voices=self._counted(self._tally(lambda one: [one.voice or "?"])), killed=loosened.killed,
            overlaps=self._counted(self._tally(lambda one: [name for name in one.own if name != self._draft.watch])),
            hints=self._hints(loosened), worth=len(self._open), looked=self._read,
            stale=self._count(one.stale for one, _ in self._caught.each()), failing=self._failing(),
        )

    def _part(self, found: _Found) -> Part:
        tried = max(1, self._read - len(found.sure))
        share = min(1.0, len(found.sampled) / tried)
        margin = 0 if self._scale <= 1.0 else math.ceil(1.96 * math.sqrt(share * (1 - share) / tried) * self._scale * tried)
        both = heapq.nlargest(self._samples, found.each(), key=lambda pair: (pair[0].at, pair[0].id))
        shown = tuple(self._sample(one, hit) for one, hit in both)
        return Part(len(found.sure) + round(self._scale * len(found.sampled)), margin, shown)

    def _sample(self, one: Specimen, hit: Hit | None) -> Sample:
        hit = hit or own_hit(self._matcher, one, self._draft.watch)
        if hit is None:
            rule, matched = one.own.get(self._draft.watch, ("", ""))
            return Sample(one.id, one.source, one.url, one.at, one.item.text, rule, matched)
        return Sample(one.id, one.source, one.url, one.at, one.item.text, hit.rule, hit.matched, hit.start, hit.end)

    def _wrong(self) -> _Found:
        return _Found(*([pair for pair in pairs if pair[0].wrong] for pairs in (self._caught.sure, self._caught.sampled)))

    def _not_caught(self) -> dict[int, float]:
        """The texts that are known not to be caught, each with how many it stands for."""
        caught = self._caught_ids()
        unread = set(self._open).difference(self._seen)
        return {
            place: self._scale if place in self._spread_over else 1.0 for place in self._worth
            if place not in unread and self._specimens.at(place).id not in caught
        }

    def _caught_ids(self) -> frozenset[int]:
        return frozenset(one.id for one, _ in self._caught.each())

    @staticmethod
    def _count(said: Iterable[bool]) -> int:
        return sum(said)

    def _tally(self, names: Callable[[Specimen], Iterable[str]]) -> Counter[str]:
        total: Counter[str] = Counter()
        for pairs, weight in ((self._caught.sure, 1.0), (self._caught.sampled, self._scale)):
            counted = Counter(name for one, _ in pairs for name in names(one))
            total.update({name: round(weight * count) for name, count in counted.items()})
        return total

    def _rules(self) -> Counter[str]:
        total: Counter[str] = Counter()
        for pairs, weight in ((self._caught.sure, 1.0), (self._caught.sampled, self._scale)):
            counted = Counter(hit.rule if hit else one.own[self._draft.watch][0] for one, hit in pairs)
            total.update({name: round(weight * count) for name, count in counted.items()})
        return total

    @staticmethod
    def _counted(counter: Counter[str]) -> tuple[Counted, ...]:
        return tuple(Counted(name, texts) for name, texts in counter.most_common(_LISTED) if texts)

    def _by_day(self) -> tuple[tuple[dt.date, int], ...]:
        days: dict[dt.date, float] = defaultdict(float)
        for pairs, weight in ((self._caught.sure, 1.0), (self._caught.sampled, self._scale)):
            for one, _ in pairs:
                days[one.day] += weight
        return tuple((day, round(days[day])) for day in sorted(days))

    def _alerts(self) -> tuple[float, float]:
        """Red lines push when the text is ours: competitors and plain keywords raise none."""
        own = {watch.id for watch in self._draft.watches.watches if watch.kind == "brand"}
        if self._rule.kind != "brand" and not (self._rule.kind == "product" and (self._rule.brand or "") in own):
            return 0.0, 0.0
        pushes: dict[tuple[dt.date, str, str], bool] = {}
        for one, _ in self._caught.each():
            for name in one.red if one.voice in ("", "customer") else ():
                key = (one.day, name, one.product)
                pushes[key] = pushes.get(key, False) or one.about
        return round(len(pushes) / self._days, 2), round(sum(not known for known in pushes.values()) / self._days, 2)

    def _page_texts(self) -> int:
        """Texts that hit by their page alone: its SKU, product or shop."""
        empty, caught, found = normalise(""), self._caught_ids(), 0
        pages = sorted(self._table.by_page.items(), key=lambda page: -len(page[1]))[:_LISTED * 10]
        for page, places in pages:
            if any(hit.watch == self._draft.watch for hit in self._matcher.match(TextInput("", "", context=page), empty).hits):
                found += sum(self._specimens.at(place).id not in caught for place in self._within(places))
        return found

    def _words(self) -> tuple[tuple[Counted, ...], tuple[str, ...]]:
        """In how many texts each written word stands, and those that stand in none."""
        written = dict.fromkeys((self._rule.name, *self._rule.aliases, *self._rule.ambiguous))
        forms = {word: normal_form(word) for word in written}
        counts = self._specimens.counts(list(forms.values()), self._since)
        found = {word: counts.get(form, 0) for word, form in forms.items()}
        most = sorted((Counted(word, texts) for word, texts in found.items() if texts), key=lambda one: (-one.texts, one.name))
        return tuple(most[:_LISTED]), tuple(word for word, texts in found.items() if not texts)

    def _hints(self, loosened: Loosened) -> tuple[Hint, ...]:
        """Ways of writing that the data hold: those caught already, those not caught, and words beside the name."""
        caught: dict[tuple[str, str], tuple[int, str]] = {}
        for one, hit in self._caught.each():
            rule, matched = (hit.rule, hit.matched) if hit else one.own[self._draft.watch]
            if rule.partition("+")[0] in RULES and matched:
                count, example = caught.get((matched, rule), (0, one.item.text))
                caught[matched, rule] = (count + 1, example)
        hints = [*loosened.hints]
        hints += [Hint(word, rule, count, example, True) for (word, rule), (count, example) in caught.items()]
        hints.sort(key=lambda hint: (hint.caught, -hint.texts, hint.word))
        return (*hints[:_HINTS], *self._beside()[:_HINTS])

    def _beside(self) -> list[Hint]:
        """Words that only the texts about it use."""
        inside = [one for one, _ in self._caught.each()]
        if len(inside) < 3:
            return []
        ids = {one.id for one in inside}
        beside = [self._specimens.at(place) for place in spread(np.flatnonzero(self._inside).tolist(), 2 * _SUGGEST)]
        others = [one for one in beside if one.id not in ids][:_SUGGEST]
        hit = (Hit(self._draft.watch, self._rule.kind, "name", 0, 0, ""),)
        seen = [Seen(one.item.text, hit) for one in spread(inside, _SUGGEST)] + [Seen(one.item.text, ()) for one in others]
        return [Hint(found.word, "", found.texts, found.example, False) for found in suggest(self._rule, seen, _HINTS)]

    def _failing(self) -> tuple[str, ...]:
        """Examples that the rule does not catch, and counter-examples that it does."""
        found = []
        for texts, wanted in ((self._rule.examples, True), (self._rule.counter_examples, False)):
            for text in texts:
                hit = own_hit(self._matcher, _alone(text), self._draft.watch) is not None
                if hit is not wanted:
                    found.append(tr(f"{'例句没有命中' if wanted else '反例命中了'}：{text}",
                                    f"{'example not caught' if wanted else 'counter-example caught'}: {text}"))
        return tuple(found)

    def _warnings(self, caught: Part, alerts: float) -> tuple[str, ...]:
        found = []
        texts = self._texts
        if not texts:
            found.append(tr(f"最近 {self._days} 天库里没有提及，试不出来；先采集再试",
                            f"Nothing is stored of the last {self._days} days: collect first, then try"))
        if texts >= 20 and caught.count >= BROAD_SHARE * texts and self._rule.kind != "brand":
            found.append(tr(f"命中了 {caught.count / texts:.0%} 的文本，太宽了，请加 require 或换更具体的词",
                            f"Hits {caught.count / texts:.0%} of all texts: too broad, add require or a narrower word"))
        if alerts >= _BUSY_ALERTS:
            found.append(tr(f"预计每天 {alerts:.1f} 条红线预警，值班的人会看不过来", f"About {alerts:.1f} red-line alerts a day: more than anybody reads"))
        shared = self._tally(lambda one: [name for name in one.own if name != self._draft.watch])
        same = [name for name, count in shared.most_common(3) if caught.count >= 5 and count >= _SAME * caught.count]
        if same and self._rule.kind == "keyword":
            found.append(tr(f"九成以上的命中 {listed(same)} 也命中，可能重复了", f"{listed(same)} catches nine tenths of it too: perhaps one is enough"))
        if self._read < len(self._open):
            found.append(tr(f"可能受影响的 {len(self._open)} 条里抽看了 {self._read} 条，数字是估计",
                            f"{self._read} of {len(self._open)} texts that may be concerned were read: counts are estimates"))
        if self._specimens.left_out:
            found.append(tr(f"只看最新的 {len(self._specimens)} 条，更早的 {self._specimens.left_out} 条没有看",
                            f"Only the newest {len(self._specimens)} texts are looked at, {self._specimens.left_out} older ones are not"))
        return tuple(found)


def own_hit(matcher: Matcher, one: Specimen, watch: str) -> Hit | None:
    """Return the first hit of a watch by the text's own words, not by its page or by what it answers."""
    return next((hit for hit in matcher.match(one.item, one.form).hits if hit.watch == watch and hit.end > hit.start), None)


def _alone(text: str) -> Specimen:
    never = dt.datetime.min.replace(tzinfo=dt.UTC)
    return Specimen(0, "", "", never, never.date(), TextInput("0", text)).ready()


def _related(watches: Watches, watch_id: str) -> Watches:
    """The watches on which the hits of one depend: its brand's, and, where they are few, all that may be ours."""
    by_id = {watch.id: watch for watch in watches.watches}
    brand = by_id[watch_id].brand or watch_id
    kept = {watch.id for watch in watches.watches if watch.id == watch_id or (watch.brand or watch.id) == brand}
    own = {watch.id for watch in watches.watches if watch.kind in ("brand", "product")}
    if len(own) <= _FAMILY:
        kept |= own
    kept |= {by_id[name].brand or name for name in kept}
    chosen = tuple(watch for watch in watches.watches if watch.id in kept)
    return Watches.model_construct(watches=chosen, learned={key: value for key, value in watches.learned.items() if key in kept})

