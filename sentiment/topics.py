"""Complaint topics, praised and mentioned aspects, and red lines of a text, by `config/topics.yaml` and the
trained topic model together.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from sentiment.clauses import Clause
from sentiment.normalise import normal_form
from sentiment.redlines import Alarm, RedLines, Suspect
from sentiment.rules import ABOUT, NAMED, PRAISE, Match, Rule, RuleBook
from sentiment.scope import Spans, Surroundings
from sentiment.topic_model import CONCRETE, RED_LINES, SEVERITY, Numbers, TopicModel, TopicScorer, load, read
from vocwatch.models import OTHER_TOPIC
from vocwatch.settings.topics import Topics

OTHER = OTHER_TOPIC
"""The topic of a negative text that no leaf explains."""

COMPLAINT, MENTION, PRAISED = -1, 0, 1
"""What a clause says of an aspect."""

BY_TONE = ("about", "model")
"""How an aspect was found of which only the clause's tone can say whether it is praised or complained of."""

BY_NAME = "named"
"""How an aspect was found whose word stands beside anything (退货, 纸箱): praise of it counts, blame may mean another thing."""

HEARD = "heard"
"""How an aspect was found that the model is less sure of: only a clear tone makes a complaint of it."""
_ALONE, _SURE = -1.5, -0.4
"""From the first log-odds on the model alone says what a clause speaks of; from the second on the clause's tone
may make a complaint of that."""
_TELLS = 0.0
"""Log-odds from which a clause tells of something that can be named, and isn't mere displeasure."""
_VETO = -7.0
"""Below these log-odds a pattern's match is not believed."""

_NOT_STATED = ("asked", "supposed", "feared")
_SUBJECT = re.compile(r"客服|卖家|店|商家|老板|前台|服务|师傅|[你我他她它]|人员|售后")
"""Who a clause may speak of: beside one of these it doesn't go on about those before it."""
_GENERAL = re.compile(
    r"(?:[很真太挺蛮还都也就最超巨贼的了吧啊呀哦啦呢哈嗯]|非常|特别|超级|确实|实在|相当|真心|一如既往|总体|整体|感觉|东西|好评?|不错|棒|赞|满意"
    r"|喜欢|完美|给力|可以|行|ok|推荐|优秀|一流|值得|拥有|购买|五星|满分|支持|[\W_])+"
)
"""A clause that praises and names nothing (非常非常好, 推荐赞赞赞), of which the model may hear anything."""
_MILD = re.compile(r"有点|有些|稍微|略|一点点|稍|小小|些许|轻微|不算太|偶尔")


class Aspect(NamedTuple):
    """What one clause says of one leaf: `polarity` is COMPLAINT, MENTION or PRAISED; `how` tells what found
    it (`word`, `pattern2`, `praise`, `about`, `denied`, `model`, or `heard` where the model is less sure). Offsets
    into the normal form.
    """

    topic: str
    polarity: int
    severity: int
    clause: Clause
    start: int
    end: int
    how: str


@dataclass(slots=True)  # not frozen: that would take four times as long to make
class Findings:
    """What the taxonomy says of a text; `denied` are clauses that speak of a fault only to deny it,
    `dismissed` the spans of all words that name a fault without complaining of it, `suspected` the red lines of
    which a person is to say whether they are any, `concrete` for each clause the log-odds that it tells of something
    that can be named (None where the model doesn't know).
    """

    aspects: tuple[Aspect, ...]
    alarms: tuple[Alarm, ...]
    denied: tuple[Clause, ...]
    dismissed: tuple[tuple[int, int], ...] = ()
    suspected: tuple[Alarm, ...] = ()
    concrete: Numbers | None = field(default=None, compare=False)

    def tells(self, place: int) -> bool:
        """Whether a clause tells of something that can be named, and isn't mere displeasure."""
        return self.concrete is None or bool(self.concrete[place] >= _TELLS)

    @property
    def complaints(self) -> tuple[Aspect, ...]:
        """The aspects that are complained of."""
        return tuple(aspect for aspect in self.aspects if aspect.polarity == COMPLAINT)


NOTHING = Findings((), (), ())


class Passage(NamedTuple):
    """A normal form with its clauses, and where the own brand and competitors are named in it."""

    text: str
    clauses: Sequence[Clause]
    own: Spans = ()
    others: Spans = ()


class Taxonomy:
    """The leaves and red lines made ready to run."""

    def __init__(self, topics: Topics, model: TopicModel | None = None, red: TopicModel | None = None):
        self._leaves = [
            (f"{group.name}/{leaf.name}", leaf) for group in topics.topics for leaf in group.leaves
        ]
        self._groups = [name.partition("/")[0] for name, _ in self._leaves]
        self._lines = list(topics.red_lines)
        self._merge = topics.merge
        self.severities = {name: leaf.severity for name, leaf in self._leaves}
        self._book = RuleBook([
            *(Rule(leaf.words, leaf.patterns, leaf.cancel, leaf.praise, leaf.about, leaf.named, leaf.named_patterns)
              for _, leaf in self._leaves),
            *(Rule(line.words, line.patterns, line.cancel) for line in self._lines),
        ])
        model = load() if model is None else model
        if red is None:
            red = load(RED_LINES) if model.heads else model
        self.version = f"{model.version}.{red.version}"
        self._scorer = TopicScorer(model)
        columns = {name: column for column, name in enumerate(model.heads)}
        known = [(place, columns[name]) for place, (name, _) in enumerate(self._leaves) if name in columns]
        self._known = [place for place, _ in known]
        self._columns = np.array([column for _, column in known], dtype=np.int64)
        self._column_of = dict(known)
        places = {name: place for place, (name, _) in enumerate(self._leaves)}
        self._who = {
            places[name]: (re.compile("|".join(map(re.escape, map(normal_form, leaf.who)))), place)
            for place, (_, leaf) in enumerate(self._leaves) for name in leaf.who_of if leaf.who
        }
        self._severe = columns.get(SEVERITY)
        self._concrete = columns.get(CONCRETE)
        self._red = RedLines(self._lines, red)

    def find(self, text: str, clauses: Sequence[Clause], own: Spans = (), others: Spans = ()) -> Findings:
        """Return aspects, red lines and denied faults of a normal form.

        `own` and `others` say where the own brand and competitors are named: what is said of others is left
        out.
        """
        return self.find_many([Passage(text, clauses, own, others)])[0]

    def find_many(self, passages: Sequence[Passage]) -> list[Findings]:
        """Return what `find` does for each passage; the model is asked once for all."""
        texts = [passage.text for passage in passages]
        pieces = [
            (number, clause.start, clause.end)
            for number, passage in enumerate(passages) for clause in passage.clauses
        ]
        seen = read(texts)
        scores = self._scorer.score_of(seen, pieces)
        wholes = self._red.score(seen, [len(text) for text in texts])
        told: dict[int, dict[int, _Heard]] = {}
        begins = [0, *accumulate(len(passage.clauses) for passage in passages)]
        if len(self._columns) and len(scores):
            leaves = scores[:, self._columns]
            best = leaves.argmax(axis=1)
            odds = leaves[np.arange(len(best)), best]
            rows = np.flatnonzero(odds >= _ALONE)
            for row, leaf, heard in zip(rows.tolist(), best[rows].tolist(), odds[rows].tolist(), strict=True):
                number = pieces[row][0]
                told.setdefault(number, {})[row - begins[number]] = self._known[leaf], heard
        found = []
        looked = self._red.look(texts, wholes)
        matched = self._book.find_many([(passage.text, passage.clauses) for passage in passages])
        for number, (passage, matches) in enumerate(zip(passages, matched, strict=True)):
            found.append(self._find(
                passage, matches, scores[begins[number]:begins[number + 1]], told.get(number, {}), wholes[number],
                looked.get(number),
            ))
        return found

    def _find(
        self, passage: Passage, matches: Sequence[Match], scores: Numbers, told: dict[int, _Heard], whole: Numbers,
        looked: Numbers | None,
    ) -> Findings:
        concrete = None if self._concrete is None else scores[:, self._concrete]
        if not passage.clauses or not (matches or told or looked is not None):
            return Findings((), (), (), concrete=concrete)
        draft = _Draft(passage.text, Surroundings(*passage), scores)
        suspects: list[Suspect] = []
        praises: list[_Praise] = []
        mentions: list[Match] = []
        faults: list[Match] = []
        for match in self._by_whom(matches, draft):
            if match.rule >= len(self._leaves):
                suspects.append(self._suspect(match, draft.around))
            elif match.kind == PRAISE:
                praises.append((match, draft.around.dismissed(match)))
            elif match.kind in (ABOUT, NAMED):
                mentions.append(match)
            else:
                faults.append(match)
        if faults:
            self._faults(faults, praises, draft)
        if praises:
            self._praises(praises, draft)
        if mentions:
            self._mentions(sorted(mentions, key=lambda match: match.kind), draft)
        if told:
            self._by_model(told, draft)
        alarms: tuple[Alarm, ...] = ()
        suspected: tuple[Alarm, ...] = ()
        if suspects or looked is not None:
            alarms = self._red.alarms(passage.text, passage.clauses, whole, suspects, looked)
        if alarms:
            alarms = tuple(alarm for alarm in alarms if alarm.rule != "model" or not draft.praises(alarm.line.topic))
            suspected = tuple(alarm for alarm in alarms if not alarm.sure)
            alarms = tuple(alarm for alarm in alarms if alarm.sure)
            self._add_topics_of(alarms, draft)
        return draft.findings(alarms, suspected, concrete, self._merge)

    def _by_whom(self, matches: Sequence[Match], draft: _Draft) -> Iterator[Match]:
        """Yield the matches, those of people who belong to another leaf as that leaf's: 快递小哥态度好; a clause that
        names nobody goes on about those before it: 快递小哥很准时，态度也好.
        """
        text, clauses = draft.text, draft.around.clauses
        for match in matches:
            who, place = self._who.get(match.rule, (None, 0))
            if who is None:
                yield match
                continue
            clause = draft.around.clause_of(match)
            start = clause.start
            if clause.start > clause.sentence_start and not _SUBJECT.search(text, clause.start, match.end):
                start = clauses[draft.places[start] - 1].start
            yield match._replace(rule=place) if who.search(text, start, match.end) else match

    def _by_model(self, told: dict[int, _Heard], draft: _Draft) -> None:
        """What the model hears in a clause where no rule says anything, and no fault is stated beside it."""
        heard = {start for (_, start), aspect in draft.aspects.items() if aspect.how not in (*BY_TONE, BY_NAME)}
        faults = draft.fault_places()
        for place, (first, odds) in told.items():
            clause = draft.around.clauses[place]
            who, theirs = self._who.get(first, (None, 0))
            best = theirs if who is not None and who.search(draft.text, clause.start, clause.end) else first
            if clause.start in heard or not faults.isdisjoint((place - 1, place, place + 1)):
                continue
            name = self._leaves[best][0]
            if name == OTHER or (name, clause.start) in draft.aspects:
                continue
            if _GENERAL.fullmatch(draft.text, clause.start, clause.end):
                continue
            if draft.around.dismissed(Match(best, clause.end - 1, clause.end, "model")) not in _NOT_STATED:
                how = "model" if odds >= _SURE else HEARD
                severity = self._severity(best, place, draft)
                draft.put(Aspect(name, MENTION, severity, clause, clause.start, clause.end, how))

    def _severity(self, leaf: int, place: int, draft: _Draft) -> int:
        """How severe a complaint of the leaf in this clause would be, by the model; at most 2."""
        if self._severe is None or self._leaves[leaf][1].severity == 1:
            return 1
        return 2 if draft.scores[place, self._severe] > 0 else 1

    def _doubted(self, match: Match, clause: Clause, draft: _Draft) -> bool:
        """Whether the model is sure that a pattern saw something else."""
        column = self._column_of.get(match.rule)
        if column is None or match.how == "word":
            return False
        return float(draft.scores[draft.places[clause.start], column]) < _VETO

    def _faults(self, matches: Sequence[Match], praises: Sequence[_Praise], draft: _Draft) -> None:
        praised = _Praised(praises)
        for match in matches:
            name, leaf = self._leaves[match.rule]
            clause = draft.around.clause_of(match)
            known = draft.aspects.get((name, clause.start))
            if known is not None and known.polarity == COMPLAINT:
                continue
            if praises and any(_takes(praise, match) for praise in praised.near(match)):
                draft.dismissed.append((match.start, match.end))
                continue
            if self._doubted(match, clause, draft):
                continue
            reason = draft.around.dismissed(match)
            if reason is None:
                mild = leaf.severity == 2 and _MILD.search(draft.text, clause.start, clause.end)
                draft.put(Aspect(
                    name, COMPLAINT, 1 if mild else leaf.severity, clause, match.start, match.end, match.how
                ))
                continue
            draft.dismissed.append((match.start, match.end))
            if reason == "negated":
                draft.denied.setdefault(clause.start, clause)
                draft.put(Aspect(name, PRAISED, 0, clause, match.start, match.end, "denied"))
            elif reason != "other":
                draft.put(Aspect(name, MENTION, 0, clause, match.start, match.end, reason))

    def _praises(self, praises: Sequence[_Praise], draft: _Draft) -> None:
        for match, reason in praises:
            name = self._leaves[match.rule][0]
            clause = draft.around.clause_of(match)
            known = draft.aspects.get((name, clause.start))
            if known is not None and known.polarity != MENTION:
                continue
            if reason is None:
                draft.put(Aspect(name, PRAISED, 0, clause, match.start, match.end, "praise"))
            elif reason == "negated":
                draft.put(Aspect(name, COMPLAINT, 1, clause, match.start, match.end, "praise"))
            elif reason != "other":
                draft.put(Aspect(name, MENTION, 0, clause, match.start, match.end, reason))

    def _mentions(self, matches: Sequence[Match], draft: _Draft) -> None:
        """What only speaks of an aspect counts where nothing of its group says more; beside a stated fault it
        stays a mention (质量问题退货，客服不理), whatever the clause's tone.
        """
        told = {(name.partition("/")[0], start) for name, start in draft.aspects}
        places = draft.places
        faults = draft.fault_places()
        blamed = {
            topic.partition("/")[0] for (topic, _), found in draft.aspects.items() if found.polarity == COMPLAINT
        }
        said = set(told)
        for match in matches:
            clause, group = draft.around.clause_of(match), self._groups[match.rule]
            if (group, clause.start) in (told if match.kind == ABOUT else said):
                continue
            said.add((group, clause.start))
            place = places[clause.start]
            beside = group in blamed or not faults.isdisjoint((place - 1, place, place + 1))
            name = self._leaves[match.rule][0]
            how = "beside" if beside else draft.around.dismissed(match) or ("about" if match.kind == ABOUT else BY_NAME)
            if how != "other":
                severity = self._severity(match.rule, place, draft)
                draft.put(Aspect(name, MENTION, severity, clause, match.start, match.end, how))

    def _suspect(self, match: Match, around: Surroundings) -> Suspect:
        number = match.rule - len(self._leaves)
        threats = self._lines[number].threats
        return Suspect(number, match, around.dismissed(match, threats=threats, happened=not threats))

    def suspects(self, passage: Passage) -> list[Suspect]:
        """Return what the rules of the red lines match, with what speaks against each match."""
        around = Surroundings(*passage)
        return [
            self._suspect(match, around) for match in self._book.find(passage.text, passage.clauses)
            if match.rule >= len(self._leaves)
        ]

    def _add_topics_of(self, alarms: Sequence[Alarm], draft: _Draft) -> None:
        """A red line that belongs to a topic brings it along; the model's only where nothing else is stated."""
        told = {aspect.topic for aspect in draft.aspects.values() if aspect.polarity == COMPLAINT}
        for alarm in alarms:
            topic = alarm.line.topic
            if topic and topic not in told and not (told and alarm.rule == "model"):
                clause = draft.around.clause_of(Match(0, alarm.start, alarm.end, alarm.rule))
                draft.put(Aspect(
                    topic, COMPLAINT, self.severities[topic], clause, alarm.start, alarm.end, alarm.rule
                ))


_Praise = tuple[Match, str | None]
_Heard = tuple[int, float]
"""The leaf that the model hears best in a clause, and its log-odds."""


class _Praised:
    """Words of praise that stand, by their rule and in the order of the text."""

    def __init__(self, praises: Sequence[_Praise]):
        self._by_rule: dict[int, tuple[list[int], list[Match]]] = {}
        self._longest = 0
        for match, reason in praises:
            if reason is None:
                starts, found = self._by_rule.setdefault(match.rule, ([], []))
                starts.append(match.start)
                found.append(match)
                self._longest = max(self._longest, match.end - match.start)

    def near(self, fault: Match) -> Sequence[Match]:
        """Return those that may touch a fault of the same rule; a fixed few, however long the text."""
        if fault.rule not in self._by_rule:
            return ()
        starts, found = self._by_rule[fault.rule]
        return found[bisect_left(starts, fault.start - self._longest):bisect_left(starts, fault.end)]


def _takes(praise: Match, fault: Match) -> bool:
    """Whether words of praise are what a fault's rule saw: 不掉色 holds 掉色; 按推荐拍的，大小(刚好) ends so."""
    if praise.start <= fault.start:
        return praise.end >= fault.end
    return fault.how != "word" and praise.start < fault.end <= praise.end


class _Draft:
    """The findings of one text while they are being made."""

    def __init__(self, text: str, around: Surroundings, scores: Numbers):
        self.text = text
        self.around = around
        self.scores = scores
        self.places = {clause.start: place for place, clause in enumerate(around.clauses)}
        self.aspects: dict[tuple[str, int], Aspect] = {}
        self.denied: dict[int, Clause] = {}
        self.dismissed: list[tuple[int, int]] = []

    def fault_places(self) -> set[int]:
        """The numbers of the clauses that complain."""
        return {
            self.places[aspect.clause.start] for aspect in self.aspects.values() if aspect.polarity == COMPLAINT
        }

    def praises(self, topic: str | None) -> bool:
        """Whether the leaf is praised and nowhere complained of."""
        found = {aspect.polarity for (name, _), aspect in self.aspects.items() if name == topic}
        return PRAISED in found and COMPLAINT not in found

    def put(self, aspect: Aspect) -> None:
        """Keep an aspect of a clause; a later one takes the place of an earlier one."""
        self.aspects[aspect.topic, aspect.clause.start] = aspect

    def findings(
        self, alarms: tuple[Alarm, ...], suspected: tuple[Alarm, ...], concrete: Numbers | None, merge: Mapping[str, str]
    ) -> Findings:
        """Return what was found so far, in text order; leaves that are merged go by the other's name."""
        if merge:
            first = sorted(self.aspects.values(), key=lambda aspect: aspect.polarity == COMPLAINT)
            self.aspects = {}
            for aspect in first:
                self.put(aspect._replace(topic=merge.get(aspect.topic, aspect.topic)))
        aspects = list(self.aspects.values())
        if len(aspects) > 1:
            aspects.sort(key=lambda aspect: (aspect.clause.start, aspect.start))
        return Findings(
            tuple(aspects), alarms, tuple(self.denied.values()), tuple(self.dismissed), suspected, concrete
        )
